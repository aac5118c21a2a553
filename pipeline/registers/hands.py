"""Registers of what changes hands: 传阅, 借阅, 清退, 归档移交, 交接 (R-012, R-069; 001-D§6, 002-C§10, 004-C§1.7).

Each line is a movement; where it was lent or circulated, the movement that brought it back stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from ...models.tables import Carrier, Copy, Movement, Timer
from ..papers.documents import level_name
from .look import Line, Look, Register, columns, day, minute, word


def _moves(look: Look, *acts: str) -> Iterator[Movement]:
    wanted = select(Movement).where(
        look.shown(Movement.document_id), look.of_department(Movement.taker, Movement.giver)
    )
    if acts:
        return look.merged(wanted, Movement.act, acts, at=Movement.at, key=Movement.id)
    return look.pages(wanted, at=Movement.at, key=Movement.id)


def _back(look: Look, row: Movement, *acts: str) -> Movement | None:
    """The next of these movements of the same object."""
    return look.session.scalars(
        select(Movement)
        .where(Movement.object_id == row.object_id, Movement.id > row.id, Movement.act.in_(acts))
        .order_by(Movement.id)
    ).first()


def _due(look: Look, row: Movement) -> str:
    """Until when it was to be back: of the clock that began with the movement."""
    due = look.session.scalars(
        select(Timer.due)
        .where(Timer.object_id == row.object_id, Timer.started_at == row.at)
        .order_by(Timer.id)
    ).first()
    return minute(due)


def _serial(look: Look, row: Movement) -> str:
    """份号 of an original, number of a copy."""
    thing = look.session.get(Copy if row.object_kind == "copy" else Carrier, row.object_id)
    if isinstance(thing, Copy):
        return str(thing.number)
    return (thing.serial or "") if isinstance(thing, Carrier) else ""


def _zh(look: Look, row: Movement) -> str:
    rule = look.station.policy.desk.movement(row.act, row.object_kind)
    return rule.zh if rule is not None else row.act


def _late(due: str, back: Movement | None) -> str:
    return "逾期归还" if back is not None and due and minute(back.at) > due else ""


def _circulation(look: Look) -> Iterator[Line]:
    for row in _moves(look, "circulate", "keep_for"):
        document, title, number, level = look.about(row.document_id)
        back = _back(look, row, "read_back", "lose")
        due, notes = _due(look, row), look.note(row)
        pages = word(look.note(back), "pages") if back else ""
        yield Line(
            str(row.id),
            (
                minute(row.at), document, title, number, level, row.object_id, _serial(look, row), look.name(row.taker),
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
    for row in _moves(look, "lend", "carry_out"):
        document, title, number, level = look.about(row.document_id)
        back = _back(look, row, "lend_back", "carry_back", "lose")
        due, notes = _due(look, row), look.note(row)
        pages = word(look.note(back), "pages") if back else ""
        yield Line(
            str(row.id),
            (
                minute(row.at), _zh(look, row), document, title, number, level, row.object_id, _serial(look, row),
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
    for row in _moves(look, "return_to_issuer"):
        document, title, number, level = look.about(row.document_id)
        paper, notes = look.paper(row.document_id), look.note(row)
        yield Line(
            str(row.id),
            (
                minute(row.at), document, title, number, level, paper.organ if paper else "", row.object_id,
                _serial(look, row), paper.row.pages if paper else None,
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
    for row in _moves(look, "archive", "hand_over", "take_from_archive"):
        document, title, number, level = look.about(row.document_id)
        paper, notes = look.paper(row.document_id), look.note(row)
        words: dict[str, Any] = paper.words if paper else {}
        yield Line(
            str(row.id),
            (
                minute(row.at), _zh(look, row), document, title, number, level, row.object_id, _serial(look, row),
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
    for row in _moves(look):
        paper = look.paper(row.document_id)
        yield Line(
            str(row.id),
            (
                minute(row.at), row.object_kind, row.object_id, row.document_id,
                level_name(paper.row.level_code) if paper else None, _zh(look, row), look.name(row.giver),
                look.name(row.taker), row.place, row.approval_id, row.matter_id, look.name(row.by),
                day(_due(look, row)),
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
