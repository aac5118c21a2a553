"""Registers of what was decided: 密级变更, 审批, 异常情况, 销毁 (R-104; TL art. 28; destruction.md section 6.2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import select

from ...common.clock import today
from ...models.level import Level
from ...models.tables import (
    Approval,
    ApprovalAct,
    Carrier,
    Copy,
    Destruction,
    DestructionItem,
    Document,
    Event,
    Incident,
)
from ..levels.terms import EVENT
from ..papers.documents import level_name
from .look import Cell, Line, Look, Register, columns, day, minute, state_word, word

_LEVEL_EVENTS = ("level", "term")
_WHAT = {"level": "密级", "term": "保密期限"}
_ACTS = {
    "suggested": "机器建议", "set": "拟定", "accepted": "确认", "proposed": "提出", "approved": "批准", "enter": "提出",
    "confirm": "复核", "change": "变更", "declassify": "解密",
}  # fmt: skip


def _levels(look: Look) -> Iterator[Line]:
    wanted = select(Event).where(
        Event.person.is_not(None), look.shown(Event.document_id), look.of_department(Event.person)
    )
    for row in look.merged(wanted, Event.what, _LEVEL_EVENTS, at=Event.at, key=Event.id):
        document, title, number, level = look.about(row.document_id)
        paper = look.paper(row.document_id)
        said = (
            look.station.unseal(look.session, EVENT, row.sealed, bind=row.document_id)
            if paper and paper.words
            else {}
        )
        yield Line(
            str(row.id),
            (
                minute(row.at), document, title, number, _WHAT[row.what], _ACTS.get(row.act, row.act),
                _level(said.get("old")), _level(said.get("new")) or word(said, "kind"), word(said, "period", "ends"),
                word(said, "notice", "basis", "source"), word(said, "reason"), look.name(row.person), level,
            ),
        )  # fmt: skip


def _level(value: object) -> str:
    """A level as it stands in an event: its name, its code, or a list of both level and period."""
    if isinstance(value, list | tuple):
        return "·".join(filter(None, (_level(one) for one in value)))
    if isinstance(value, dict):
        return "·".join(filter(None, (_level(one) for one in value.values() if isinstance(one, str))))
    text = str(value or "")
    return level_name(text) or text if text in {level.code for level in Level} else text


LEVELS = Register(
    title="密级变更登记簿",
    columns=columns(
        ("时间", 2), ("收文编号", 2.2), ("标题", 4.5), ("发文字号", 2.4), ("事项", 1.4), ("步骤", 1.4),
        ("原", 2), ("变更为", 2), ("期限", 1.8), ("依据", 2), ("理由", 3), ("经办人", 1.6),
        ("现行密级", 1.4),
    ),
    lines=_levels,
)  # fmt: skip


def _approvals(look: Look) -> Iterator[Line]:
    wanted = select(Approval).where(look.of_department(Approval.requested_by))
    for rows in look.chunks(wanted, at=Approval.requested_at, key=Approval.id):
        given: dict[str, list[str]] = {row.id: [] for row in rows}
        for name, act, person, at in look.session.execute(
            select(ApprovalAct.approval_id, ApprovalAct.act, ApprovalAct.person, ApprovalAct.at)
            .where(ApprovalAct.approval_id.in_(given))
            .order_by(ApprovalAct.id)
        ):
            given[name].append(f"{look.name(person)} {_SAID.get(act, act)} {day(at)}")
        firsts = {row.objects.split(",")[0] for row in rows}
        # held while their lines are made, so that the session has them at hand
        kept = look.session.scalars(select(Document).where(Document.id.in_(firsts))).all()
        for row in rows:
            _, title, number, level = look.about(row.objects.split(",")[0])
            yield Line(
                row.id,
                (
                    row.id, minute(row.requested_at), row.act, row.objects.replace(",", "、"), title, number, level,
                    look.name(row.requested_by), row.needed.replace(",", "、"), "；".join(given[row.id]),
                    "、".join(look.name(one) for one in row.recipients.split(",") if one), row.copies,
                    "纸质" if row.paper else "", state_word(row.state), row.expires,
                ),
            )  # fmt: skip
        del kept


_SAID = {"give": "同意", "refuse": "不同意", "enter": "录入", "check": "核对"}

APPROVALS = Register(
    title="审批登记簿",
    columns=columns(
        ("批准号", 1.8), ("申请时间", 2), ("事项", 1.8), ("文件", 2.4), ("标题", 4), ("发文字号", 2.4),
        ("密级", 1.2), ("申请人", 1.4), ("需批准的角色", 2.4), ("批准记录", 3.4), ("对象", 2),
        ("份数", 0.9), ("形式", 0.9), ("状态", 1.2), ("有效至", 1.6),
    ),
    lines=_approvals,
)  # fmt: skip


def _incidents(look: Look) -> Iterator[Line]:
    wanted = select(Incident).where(look.shown(Incident.document_id), look.of_department(Incident.by))
    for row in look.pages(wanted, at=Incident.at, key=Incident.id):
        document, title, number, level = look.about(row.document_id)
        yield Line(
            row.id,
            (
                row.id, minute(row.at), row.kind, document, title, number, level_name(row.level_code) or level,
                row.copy_id, look.name(row.by), state_word(row.state),
            ),
        )  # fmt: skip


INCIDENTS = Register(
    title="异常情况登记簿",
    columns=columns(
        ("编号", 1.6), ("时间", 2), ("情况", 2.4), ("收文编号", 2.2), ("标题", 4.5), ("发文字号", 2.4),
        ("密级", 1.2), ("复制件", 2.4), ("报告人", 1.6), ("状态", 1.2),
    ),
    lines=_incidents,
)  # fmt: skip


def _destruction(look: Look) -> Iterator[Line]:
    """销毁清册: one line for each item of each batch, in the order the batches were proposed."""
    wanted = select(Destruction).where(look.of_department(Destruction.proposed_by))
    scope = look.scope
    batch, _, number = (scope.after or "").partition("/")
    left = scope.limit
    # the key is of an item: its batch is read again, and what was shown of it is left out
    first, last = look.period
    wanted = wanted.where(*(() if not first else (Destruction.proposed_at >= first,)))
    wanted = wanted.where(*(() if not last else (Destruction.proposed_at < last,)))
    if batch:
        wanted = wanted.where(Destruction.id >= batch)
    for row in look.session.scalars(wanted.order_by(Destruction.id)):
        items = look.session.scalars(
            select(DestructionItem)
            .where(DestructionItem.destruction_id == row.id)
            .order_by(DestructionItem.id)
        ).all()
        for seq, item in enumerate(items, start=1):
            if row.id == batch and seq <= int(number or 0):
                continue
            if left is not None and left <= 0:
                return
            cells = _item(look, row, item, seq)
            if cells is None:
                continue
            left = None if left is None else left - 1
            yield Line(f"{row.id}/{seq}", cells)


def _item(look: Look, batch: Destruction, item: DestructionItem, seq: int) -> tuple[Cell, ...] | None:
    copy = look.session.get(Copy, item.item_id) if item.kind == "copy" else None
    document = copy.document_id if copy is not None else item.item_id
    paper = look.paper(document)
    if paper is None or look.session.scalars(
        select(Document.id).where(Document.id == document, look.shown())
    ).first() is None:  # fmt: skip
        return None
    row, words = paper.row, paper.words
    carriers = look.session.scalars(
        select(Carrier).where(Carrier.document_id == document).order_by(Carrier.id)
    ).all()
    return (
        batch.id, seq, row.id, paper.title, paper.number, paper.level, row.period,
        str(copy.number) if copy is not None else word(words, "serials"),
        1 if copy is not None else row.copies_received,
        row.pages, word(words, "attachments"), paper.organ, row.signed_date, day(row.received_at),
        "复制件" if copy is not None else "、".join(dict.fromkeys(one.type for one in carriers)),
        copy.id if copy is not None else "、".join(one.id for one in carriers),
        "、".join(dict.fromkeys(filter(None, (one.place for one in carriers)))), word(words, "archive_number"),
        f"{row.retention or ''} {row.retention_until or ''}".strip(), _years(look, row), batch.reason,
        state_word(batch.state) if batch.verdict is None else f"{state_word(batch.state)}（{batch.verdict}）",
    )  # fmt: skip


def _years(look: Look, row: Document) -> int:
    """已保管年限: full years from the document's day until it was destroyed, or until today."""
    first = date.fromisoformat(row.signed_date or row.received_at[:10])
    last = date.fromisoformat(row.destroyed_at[:10]) if row.destroyed_at else today(look.station.clock)
    return max(0, last.year - first.year - ((last.month, last.day) < (first.month, first.day)))


DESTRUCTION = Register(
    title="销毁登记簿",
    columns=columns(
        ("批次", 2), ("序号", 0.9), ("收文编号", 2.2), ("文件名称", 4.2), ("文号", 2.4), ("密级", 1.2),
        ("保密期限", 1.2), ("份号", 1.2), ("份数", 0.8), ("页数", 0.8), ("附件", 1.2), ("制发单位", 2.2),
        ("成文日期", 1.6), ("来文日期", 1.6), ("载体类型", 1.2), ("载体编号", 2.2), ("存放位置", 1.6),
        ("归档情况", 1.6), ("保管期限及到期日", 1.8), ("已保管年限", 1), ("销毁理由", 1.8), ("备注", 1.8),
    ),
    lines=_destruction,
)  # fmt: skip
