"""收文登记簿 and 发文登记簿 (R-002, R-003; columns: official-documents.md section 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from ...models.tables import Carrier, Copy, DestructionItem, Document, Matter, Movement, Receipt
from ..intake.receipt import organ_of
from .look import Line, Look, Paper, Register, columns, day, minute, state_word, word

_INBOUND = ("inbound", "circulation")
_OUTBOUND = ("outbound", "outbound_committee")
_REMARKS = ("void", "refused", "quarantined", "duplicate", "failed")


def _inbound(look: Look) -> Iterator[Line]:
    """What came in, in the order of receipt; papers of the unit's own that go out stand in the other book."""
    sent = select(Matter.id).where(Matter.document_id == Document.id, Matter.kind.in_(_OUTBOUND)).exists()
    wanted = select(Document).where(~sent, look.shown(), look.handled_by_department())
    for rows in look.chunks(wanted, at=Document.received_at, key=Document.id):
        beside = _beside(look, rows)
        for row in rows:
            yield Line(row.id, _entry(look, look.opened(row), beside))


@dataclass(slots=True)
class _Beside:
    """What stands beside the documents of one chunk, by their number."""

    receipts: dict[str, Receipt]
    said: dict[str, list[Matter]] = field(default_factory=lambda: defaultdict(list))
    originals: dict[str, list[Carrier]] = field(default_factory=lambda: defaultdict(list))
    moved: dict[str, list[tuple[str, str, str | None]]] = field(default_factory=lambda: defaultdict(list))
    destroyed: dict[str, str] = field(default_factory=dict)


def _beside(look: Look, rows: Sequence[Document]) -> _Beside:
    session, ids = look.session, [row.id for row in rows]
    receipts = session.scalars(select(Receipt).where(Receipt.id.in_({row.receipt_id for row in rows})))
    found = _Beside({row.id: row for row in receipts})
    for matter in session.scalars(
        select(Matter).where(Matter.document_id.in_(ids), Matter.kind.in_(_INBOUND)).order_by(Matter.id)
    ):
        found.said[str(matter.document_id)].append(matter)
    for carrier in session.scalars(select(Carrier).where(Carrier.document_id.in_(ids)).order_by(Carrier.id)):
        found.originals[str(carrier.document_id)].append(carrier)
    moved = session.execute(
        select(Movement.document_id, Movement.act, Movement.at, Movement.taker)
        .where(
            Movement.document_id.in_(ids), Movement.act.in_(("circulate", "return_to_issuer", "hand_over"))
        )
        .order_by(Movement.id)
    )
    for document, act, at, taker in moved:
        found.moved[str(document)].append((act, at, taker))
    items = session.execute(
        select(DestructionItem.item_id, DestructionItem.destruction_id)
        .where(DestructionItem.item_id.in_(ids))
        .order_by(DestructionItem.id)
    )
    for document, batch in items:
        found.destroyed[document] = batch
    return found


def _entry(look: Look, paper: Paper, beside: _Beside) -> tuple[str | int | None, ...]:
    row, words, session = paper.row, paper.words, look.session
    receipt = beside.receipts[row.receipt_id]
    said: dict[str, Any] = {}
    for matter in beside.said.get(row.id, ()):
        said |= look.matter_words(matter)
    handlers = "；".join(filter(None, (
        word(said, "department", "departments", "handling_department"),
        look.name(word(said, "handler", "handler_person")),
    )))  # fmt: skip
    originals = beside.originals.get(row.id, [])
    moved = beside.moved.get(row.id, [])
    readers = dict.fromkeys(look.name(taker) for act, _, taker in moved if act == "circulate" and taker)
    returned = [day(at) for act, at, _ in moved if act in ("return_to_issuer", "hand_over")]
    destroyed = beside.destroyed.get(row.id)
    organ = paper.organ or (organ_of(look.station, session, receipt) if words else "")
    return (
        row.id, minute(row.received_at), receipt.channel, organ, paper.number, paper.title, row.kind, paper.level,
        word(words, "secrecy_period") or row.period, word(words, "serials"), row.copies_received, row.pages,
        word(words, "attachments"), row.urgency, row.signed_date, word(words, "printed_date"), receipt.carrier,
        look.name(receipt.by), word(said, "proposal", "opinion"), word(said, "instruction", "instructions"),
        handlers, word(said, "due", "handle_by"), "、".join(readers), word(said, "feedback", "outcome", "result"),
        returned[-1] if returned else None, word(words, "archive_number"), day(row.archived_at), destroyed,
        "、".join(dict.fromkeys(filter(None, (one.place for one in originals)))) or word(words, "archive_place"),
        row.retention, state_word(row.status) + ("" if row.confirmed or row.status in _REMARKS else "（待确认）"),
    )  # fmt: skip


INBOUND = Register(
    title="收文登记簿",
    columns=columns(
        ("收文编号", 2.2), ("收文时间", 2), ("机要渠道", 1.2), ("来文单位", 2.4), ("发文字号", 2.4),
        ("标题", 4.5), ("文种", 1), ("密级", 1.2), ("保密期限", 1.2), ("份号", 1.4), ("份数", 0.9),
        ("页数", 0.9), ("附件", 1.2), ("紧急程度", 1), ("成文日期", 1.6), ("印发日期", 1.6),
        ("载体类型", 1.1), ("签收人", 1.4), ("拟办意见", 2), ("领导批示", 2), ("承办", 1.8),
        ("办理时限", 1.6), ("传阅情况", 2), ("办理结果", 1.8), ("清退日期", 1.6), ("档号", 1.6),
        ("归档日期", 1.6), ("销毁批次", 1.6), ("存放位置", 1.6), ("保管期限", 1.1), ("备注", 1.4),
    ),
    lines=_inbound,
)  # fmt: skip


def _outbound(look: Look) -> Iterator[Line]:
    """What the unit sends: each with its approved and made copies, who has which number, and who signed for it."""
    wanted = (
        select(Matter)
        .where(Matter.kind.in_(_OUTBOUND), look.shown(Matter.document_id), look.of_department(Matter.opened_by))
    )  # fmt: skip
    for block in look.blocks(look.pages(wanted, at=Matter.opened_at, key=Matter.id)):
        made = defaultdict[str | None, list[Copy]](list)
        for copy in look.session.scalars(
            select(Copy)
            .where(Copy.document_id.in_({row.document_id or "" for row in block}))
            .order_by(Copy.number)
        ):
            made[copy.document_id].append(copy)
        for row in block:
            yield _sent(look, row, made[row.document_id])


def _sent(look: Look, row: Matter, copies: Sequence[Copy]) -> Line:
    paper, said = look.paper(row.document_id), look.matter_words(row)
    numbers = [copy.number for copy in copies]
    span = f"{numbers[0]}—{numbers[-1]}" if len(numbers) > 1 else "".join(map(str, numbers))
    words = paper.words if paper else {}
    return Line(
        row.id,
        (
            row.id, row.document_id, minute(row.opened_at),
            (paper.number if paper else "") or word(said, "doc_number", "number"),
            (paper.title if paper else "") or word(said, "title"),
            (paper.level if paper else "") or word(said, "level"),
            (paper.row.period if paper else None) or word(said, "period"),
            word(said, "department", "drafting_unit") or look.department(row.opened_by), look.name(row.opened_by),
            word(words, "signers") or look.name(word(said, "signer")), paper.row.signed_date if paper else None,
            word(said, "copies", "approved_copies"), len(copies), span, paper.row.pages if paper else None,
            "；".join(f"{copy.number}号{look.name(copy.recipient)}" for copy in copies)
            or word(said, "recipients", "to"),
            "、".join(f"{copy.number}号{state_word(copy.status)}" for copy in copies if copy.status != "issued")
            or word(said, "receipts", "receipt_no"),
            word(words, "archive_number"), state_word(row.state),
        ),
    )  # fmt: skip


OUTBOUND = Register(
    title="发文登记簿",
    columns=columns(
        ("发文登记号", 2.2), ("文件编号", 2.2), ("登记时间", 2), ("发文字号", 2.4), ("标题", 4.5),
        ("密级", 1.2), ("保密期限", 1.2), ("拟稿单位", 2), ("拟稿人", 1.4), ("签发", 1.4),
        ("成文日期", 1.6), ("批准印数", 1), ("实印份数", 1), ("份号起止", 1.4), ("页数", 0.9),
        ("主送与份号", 4), ("签收与退回", 2.4), ("存档份", 1.6), ("状态", 1.2),
    ),
    lines=_outbound,
)  # fmt: skip
