"""Registers of what changes hands: 传阅, 借阅, 清退, 归档移交, 交接 (R-012, R-069; 001-D§6, 002-C§10, 004-C§1.7).

Each line is a movement; where it was lent or circulated, the movement that brought it back stands beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select

from ...models.tables import Carrier, Copy, Movement, Timer
from ..papers.documents import level_name
from .look import Line, Look, Register, columns, day, minute, word

_BACK: Final = ("read_back", "lend_back", "carry_back", "lose")


@dataclass(slots=True)
class _Beside:
    """What stands beside the movements of one block: read at once, not line by line."""

    things: dict[str, Carrier | Copy] = field(default_factory=dict)
    dues: dict[tuple[str, str], str] = field(default_factory=dict)
    """Object and time at which a clock began -> until when it was to be back."""
    later: dict[str, list[Movement]] = field(default_factory=lambda: defaultdict(list))
    """Object -> its movements that bring back."""

    def back(self, row: Movement, *acts: str) -> Movement | None:
        """The next of these movements of the same object."""
        found = (one for one in self.later.get(row.object_id, ()) if one.id > row.id and one.act in acts)
        return next(found, None)

    def due(self, row: Movement) -> str:
        """Until when it was to be back: of the clock that began with the movement."""
        return minute(self.dues.get((row.object_id, row.at)))

    def serial(self, row: Movement) -> str:
        """份号 of an original, number of a copy."""
        thing = self.things.get(row.object_id)
        if isinstance(thing, Copy):
            return str(thing.number)
        return (thing.serial or "") if thing is not None else ""


def _moves(look: Look, *acts: str) -> Iterator[tuple[Movement, _Beside]]:
    wanted = select(Movement).where(
        look.shown(Movement.document_id), look.of_department(Movement.taker, Movement.giver)
    )
    if acts:
        rows = look.merged(wanted, Movement.act, acts, at=Movement.at, key=Movement.id)
    else:
        rows = look.pages(wanted, at=Movement.at, key=Movement.id)
    for block in look.blocks(rows):
        beside = _beside(look, block)
        for row in block:
            yield row, beside


def _beside(look: Look, block: Sequence[Movement]) -> _Beside:
    session, found = look.session, _Beside()
    copies = {row.object_id for row in block if row.object_kind == "copy"}
    carriers = {row.object_id for row in block} - copies
    found.things |= {row.id: row for row in session.scalars(select(Copy).where(Copy.id.in_(copies)))}
    found.things |= {row.id: row for row in session.scalars(select(Carrier).where(Carrier.id.in_(carriers)))}
    objects = copies | carriers
    for name, started, due in session.execute(
        select(Timer.object_id, Timer.started_at, Timer.due)
        .where(Timer.object_id.in_(objects))
        .order_by(Timer.id)
    ):
        found.dues.setdefault((name, started), due)
    for one in session.scalars(
        select(Movement)
        .where(
            Movement.object_id.in_(objects),
            Movement.act.in_(_BACK),
            Movement.id > min(row.id for row in block),
        )
        .order_by(Movement.id)
    ):
        found.later[one.object_id].append(one)
    return found


def _zh(look: Look, row: Movement) -> str:
    rule = look.station.policy.desk.movement(row.act, row.object_kind)
    return rule.zh if rule is not None else row.act


def _late(due: str, back: Movement | None) -> str:
    return "逾期归还" if back is not None and due and minute(back.at) > due else ""


def _circulation(look: Look) -> Iterator[Line]:
    for row, beside in _moves(look, "circulate", "keep_for"):
        document, title, number, level = look.about(row.document_id)
        back = beside.back(row, "read_back", "lose")
        due, notes = beside.due(row), look.note(row)
        pages = word(look.note(back), "pages") if back else ""
        yield Line(
            str(row.id),
            (
                minute(row.at), document, title, number, level, row.object_id, beside.serial(row), look.name(row.taker),
                look.department(row.taker), look.name(word(notes, "reader")), row.approval_id, due,
                minute(back.at) if back else None, look.name(back.by) if back else None, pages,
                "遗失" if back is not None and back.act == "lose" else _late(due, back), look.name(row.by),
            ),
        )  # fmt: skip


CIRCULATION = Register(
    title="传阅登记簿",
    columns=columns(
        ("送阅时间", 2), ("收文编号", 2.2), ("标题", 4.5), ("发文字号", 2.4), ("密级", 1.2),
        ("载体编号", 2.4), ("份号", 1.2), ("阅件人", 1.4), ("部门", 1.8), ("代管对象", 1.4),
        ("批准号", 1.8), ("应还时间", 2), ("退还时间", 2), ("收件人", 1.4), ("清点页数", 1), ("备注", 1.2),
        ("送阅经手人", 1.4),
    ),
    lines=_circulation,
)  # fmt: skip


def _loans(look: Look) -> Iterator[Line]:
    for row, beside in _moves(look, "lend", "carry_out"):
        document, title, number, level = look.about(row.document_id)
        back = beside.back(row, "lend_back", "carry_back", "lose")
        due, notes = beside.due(row), look.note(row)
        pages = word(look.note(back), "pages") if back else ""
        yield Line(
            str(row.id),
            (
                minute(row.at), _zh(look, row), document, title, number, level, row.object_id, beside.serial(row),
                look.name(row.taker), look.department(row.taker), word(notes, "purpose", "destination", "precautions"),
                row.approval_id, due, minute(back.at) if back else None, look.name(back.by) if back else None, pages,
                "遗失" if back is not None and back.act == "lose" else _late(due, back), look.name(row.by),
            ),
        )  # fmt: skip


LOANS = Register(
    title="借阅登记簿",
    columns=columns(
        ("借出时间", 2), ("方式", 1.2), ("收文编号", 2.2), ("标题", 4.2), ("发文字号", 2.4), ("密级", 1.2),
        ("载体编号", 2.4), ("份号", 1.2), ("借阅人", 1.4), ("部门", 1.8), ("用途与保密措施", 2.4),
        ("批准号", 1.8), ("应还时间", 2), ("归还时间", 2), ("收件人", 1.4), ("清点页数", 1), ("备注", 1.2),
        ("经手人", 1.4),
    ),
    lines=_loans,
)  # fmt: skip


def _returns(look: Look) -> Iterator[Line]:
    for row, beside in _moves(look, "return_to_issuer"):
        document, title, number, level = look.about(row.document_id)
        paper, notes = look.paper(row.document_id), look.note(row)
        yield Line(
            str(row.id),
            (
                minute(row.at), document, title, number, level, paper.organ if paper else "", row.object_id,
                beside.serial(row), paper.row.pages if paper else None,
                word(notes, "to") or (paper.organ if paper else ""),
                word(notes, "receipt_no"), row.matter_id, look.name(row.by),
            ),
        )  # fmt: skip


RETURNS = Register(
    title="清退登记簿",
    columns=columns(
        ("清退时间", 2), ("收文编号", 2.2), ("标题", 4.5), ("发文字号", 2.4), ("密级", 1.2),
        ("制发单位", 2.4), ("载体编号", 2.4), ("份号", 1.2), ("页数", 0.9), ("退往单位", 2.4),
        ("回执号", 2), ("清退单", 1.8), ("经手人", 1.4),
    ),
    lines=_returns,
)  # fmt: skip


def _archiving(look: Look) -> Iterator[Line]:
    for row, beside in _moves(look, "archive", "hand_over", "take_from_archive"):
        document, title, number, level = look.about(row.document_id)
        paper, notes = look.paper(row.document_id), look.note(row)
        words: dict[str, Any] = paper.words if paper else {}
        yield Line(
            str(row.id),
            (
                minute(row.at), _zh(look, row), document, title, number, level, row.object_id, beside.serial(row),
                paper.row.pages if paper else None, paper.row.retention if paper else None,
                paper.row.retention_until if paper else None, word(notes, "number") or word(words, "archive_number"),
                row.place or (word(words, "archive_place") if row.act == "archive" else None), look.name(row.giver),
                look.name(row.taker) or word(notes, "to"), word(notes, "receipt_no", "reason"), row.matter_id,
                look.name(row.by),
            ),
        )  # fmt: skip


ARCHIVING = Register(
    title="归档移交登记簿",
    columns=columns(
        ("时间", 2), ("事项", 1.2), ("收文编号", 2.2), ("标题", 4.2), ("发文字号", 2.4), ("密级", 1.2),
        ("载体编号", 2.4), ("份号", 1.2), ("页数", 0.9), ("保管期限", 1.1), ("到期日", 1.6), ("档号", 1.8),
        ("存放位置", 1.8), ("移交人", 1.4), ("接收人（单位）", 2), ("回执号或事由", 1.8),
        ("移交清册", 1.8), ("经手人", 1.4),
    ),
    lines=_archiving,
)  # fmt: skip


def _movements(look: Look) -> Iterator[Line]:
    for row, beside in _moves(look):
        paper = look.paper(row.document_id)
        yield Line(
            str(row.id),
            (
                minute(row.at), row.object_kind, row.object_id, row.document_id,
                level_name(paper.row.level_code) if paper else None, _zh(look, row), look.name(row.giver),
                look.name(row.taker), row.place, row.approval_id, row.matter_id, look.name(row.by),
                day(beside.due(row)),
            ),
        )  # fmt: skip


MOVEMENTS = Register(
    title="交接登记簿",
    columns=columns(
        ("时间", 2), ("对象", 1), ("编号", 2.6), ("收文编号", 2.2), ("密级", 1.2), ("事项", 1.4),
        ("交", 1.6), ("接", 1.6), ("地点", 2), ("批准号", 1.8), ("事项号", 1.8), ("经手人", 1.6),
        ("应还日期", 1.6),
    ),
    lines=_movements,
)  # fmt: skip
