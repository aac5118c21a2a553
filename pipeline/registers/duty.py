"""Registers of the shift and of the room as a whole: 收发电报, 出入, 工作情况 (001-B§4.2; 000-H§3.3; 000-C§4, §8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, func, select

from ...models.tables import (
    Carrier,
    Copy,
    Destruction,
    Event,
    Incident,
    Matter,
    MatterStep,
    Timer,
)
from ..desk import matters
from ..review.mending import AMENDED
from ..station import counts, tallies
from .look import Cell, Line, Look, Register, columns, minute, state_word, word


def _steps(look: Look, matter: Matter) -> dict[str, MatterStep]:
    """The last step of each name that somebody did."""
    rows = look.session.scalars(
        select(MatterStep).where(MatterStep.matter_id == matter.id).order_by(MatterStep.id)
    )
    return {row.step: row for row in rows}


def _matters(look: Look, kind: str) -> Iterator[Matter]:
    wanted = select(Matter).where(Matter.kind == kind, look.shown(Matter.document_id))
    return look.pages(wanted.where(look.of_department(Matter.opened_by)), at=Matter.opened_at, key=Matter.id)


def _telegrams(look: Look) -> Iterator[Line]:
    for row in _matters(look, "telegram"):
        words, steps = look.matter_words(row), _steps(look, row)
        clocks = {
            timer.clock: timer
            for timer in look.session.scalars(
                select(Timer).where(Timer.object_id == row.id).order_by(Timer.id)
            )
        }
        handling, acknowledged, handled = (
            clocks.get("telegram_handling"), steps.get("acknowledge"), steps.get("handle"),
        )  # fmt: skip
        late = [name for name, clock in _LATE if (timer := clocks.get(clock)) and timer.state == "late"]
        yield Line(
            row.id,
            (
                row.id, minute(row.opened_at), word(words, "number"), word(words, "organ"), word(words, "subject"),
                word(words, "urgency"), row.document_id or "", look.name(row.opened_by),
                minute(acknowledged.at) if acknowledged else "", word(words, "receipt_no"),
                minute(handling.due) if handling else "", minute(handled.at) if handled else "",
                look.name(handled.person) if handled else "", word(words, "outcome"), "、".join(late),
                state_word(row.state),
            ),
        )  # fmt: skip


_LATE = (("缺岗", "telegram_ack"), ("延办", "telegram_handling"))

TELEGRAMS = Register(
    title="收发电报登记本",
    columns=columns(
        ("编号", 2), ("收报时间", 2), ("报号", 2), ("来报单位", 2.2), ("事由", 3.4), ("等级", 1), ("收文编号", 2),
        ("收报人", 1.4), ("回单时间", 2), ("回单号", 1.6), ("办理时限", 2), ("办结时间", 2), ("办理人", 1.4),
        ("办理结果", 2.6), ("迟误", 1.2), ("状态", 1.2),
    ),
    lines=_telegrams,
)  # fmt: skip


def _visits(look: Look) -> Iterator[Line]:
    for row in _matters(look, "visit"):
        words, left = look.matter_words(row), _steps(look, row).get("leave")
        yield Line(
            row.id,
            (
                row.id, minute(row.opened_at), word(words, "name"), word(words, "unit"), word(words, "purpose"),
                look.name(word(words, "allowed_by")), minute(left.at) if left else "", look.name(row.opened_by),
            ),
        )  # fmt: skip


VISITS = Register(
    title="机要室出入登记簿",
    columns=columns(
        ("编号", 2), ("进入时间", 2), ("姓名", 1.6), ("单位", 2.6), ("事由", 4), ("批准人", 1.6), ("离开时间", 2),
        ("登记人", 1.6),
    ),
    lines=_visits,
)  # fmt: skip


def _seals(look: Look) -> Iterator[Line]:
    """A line for each act with each seal; a unit has few seals, so that they are gone through whole."""
    wanted = select(Matter).where(Matter.kind == "seal", look.of_department(Matter.opened_by))
    first, last = look.period
    waits, left = look.scope.after is not None, look.scope.limit
    for row in look.session.scalars(wanted.order_by(Matter.opened_at, Matter.id)):
        words = look.matter_words(row)
        steps = select(MatterStep).where(MatterStep.matter_id == row.id).order_by(MatterStep.id)
        for step in look.session.scalars(steps):
            key = f"{row.id}/{step.id}"
            if waits or (first and step.at < first) or (last and step.at >= last):
                waits = waits and key != look.scope.after
                continue
            if left is not None and left <= 0:
                return
            left = None if left is None else left - 1
            said = matters.step_words(look.station, look.session, step)
            yield Line(
                key,
                (
                    row.id, word(words, "seal"), minute(step.at), _SEAL.get(step.result, step.result),
                    word(said, "what"), word(said, "copies"), look.name(word(said, "approved_by")),
                    look.name(step.person), look.name(word(words, "custodian")), word(words, "place"),
                    state_word(row.state),
                ),
            )  # fmt: skip


_SEAL = {"done": "登记", "used": "用印", "moved": "移交", "withdrawn": "停用"}

SEALS = Register(
    title="印章登记簿",
    columns=columns(
        ("编号", 2), ("印章", 2.6), ("时间", 2), ("事项", 1.2), ("内容", 4), ("份数", 1), ("批准人", 1.6),
        ("经手人", 1.6), ("现保管人", 1.6), ("存放位置", 2), ("状态", 1.2),
    ),
    lines=_seals,
)  # fmt: skip


# ---------------------------------------------------------------- the room's work, of a period


def _work(look: Look) -> Iterator[Line]:
    """One line for each number of the period: what was done, how timely, what went wrong."""
    done = [*_amounts(look), *_timeliness(look), *_errors(look)]
    after, limit = look.scope.after or "0", look.scope.limit
    first = int(after) if after.isdecimal() else 0
    for seq, (part, name, number, note) in list(enumerate(done, start=1))[first:][:limit]:
        yield Line(str(seq), (seq, part, name, number, note))


def _within(look: Look, column: Any) -> list[ColumnElement[bool]]:
    first, last = look.period
    return [*([column >= first] if first else []), *([column < last] if last else [])]


def _happened(look: Look, kind: str) -> Counter[str]:
    """How many rows of a kind there are of the period, by what they are."""
    first, last = look.period
    return counts.happened(look.session, kind, since=first, until=last)


def _amounts(look: Look) -> Iterator[tuple[str, str, Cell, str]]:
    yield "办理", "签收来件", _happened(look, "receipt").total(), ""
    yield "办理", "登记文件", _happened(look, "document").total(), ""
    desk = look.station.policy.desk
    for act, number in sorted(_happened(look, "movement").items()):
        moved = desk.movement(act, "carrier") or desk.movement(act, "copy")
        if moved is not None and act in _TOLD:
            yield "办理", moved.zh, number, ""
    yield "办理", "发出复制件", _issued(look), ""
    proposed = select(func.count(Destruction.id)).where(*_within(look, Destruction.proposed_at))
    yield "办理", "销毁批次", int(look.session.scalar(proposed) or 0), ""
    for kind, number in sorted(_happened(look, "matter").items()):
        if kind in desk.matters:
            yield "事项", desk.matters[kind].zh, number, ""


def _issued(look: Look) -> int:
    """Copies that entered the register within the period: as counted while they did, where that is kept."""
    first, last = look.period
    if tallies.kept(look.session):
        counted = counts.counted(look.session, "copy", since=first, until=last)
        if counted is not None:
            return counted.total()
    issued = select(func.count(Copy.id)).where(*_within(look, Copy.issued_at))
    return int(look.session.scalar(issued) or 0)


_TOLD = ("archive", "circulate", "lend", "consult", "carry_out", "return_to_issuer", "hand_over", "reproduce")


def _timeliness(look: Look) -> Iterator[tuple[str, str, Cell, str]]:
    """Of clocks that fell due within the period and have ended: how many in time; and how many are late now."""
    numbers = _happened(look, "timer")
    ended = {name.partition("/")[2] for name in numbers if name.partition("/")[0] in ("met", "late")}
    for clock in sorted(ended):
        met, late = numbers[f"met/{clock}"], numbers[f"late/{clock}"]
        rule = look.station.policy.desk.clocks.get(clock)
        rate = f"按时 {met}，逾期 {late}，按时率 {100 * met // (met + late)}%"
        yield "时效", rule.zh if rule else clock, met + late, rate
    now = look.station.now()
    overdue = int(
        look.session.scalar(select(func.count(Timer.id)).where(Timer.state == "running", Timer.due < now))
        or 0
    )
    yield "时效", "现在逾期未办", overdue, ""


def _errors(look: Look) -> Iterator[tuple[str, str, Cell, str]]:
    kinds = look.session.execute(
        select(Incident.kind, Incident.state, func.count())
        .where(*_within(look, Incident.at))
        .group_by(Incident.kind, Incident.state)
    ).all()
    numbers = Counter[str]()
    open_ = Counter[str]()
    for kind, state, number in kinds:
        numbers[kind] += number
        open_[kind] += number if state == "open" else 0
    for kind, number in sorted(numbers.items()):
        yield "差错", kind, number, f"未结 {open_[kind]}"
    amended = select(func.count()).where(Event.what == AMENDED, *_within(look, Event.at))
    yield "差错", "更正登记", int(look.session.scalar(amended) or 0), ""
    yield "差错", "作废登记", _happened(look, "document")["void"], ""
    missing = select(func.count(Carrier.id)).where(Carrier.state.in_(("missing", "lost")))
    yield "差错", "现在短缺或遗失的原件", int(look.session.scalar(missing) or 0), ""


WORK = Register(
    title="机要工作情况统计表",
    columns=columns(("序号", 0.8), ("类别", 1.2), ("项目", 3), ("数量", 1.2), ("说明", 4)),
    lines=_work,
)
