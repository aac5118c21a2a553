"""Timers: what falls due, when, with whom, and what is to be done then. Terms come from the policy's `clocks`.

A term in days or months ends with the last day, at 24:00 of the station's time (requirements.md section 4: "same day"
ends at 24:00); a term in hours or minutes ends to the second. A due date that is given may be earlier than the
policy's; later only where the clock is not binding (R-074: 定时收回).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from heapq import nsmallest
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ...common.clock import iso, today
from ...common.errors import Refused
from ...models.level import Level
from ...models.period import add_months
from ...models.policy.desk import ClockRule
from ...models.policy.schema import Duration, Policy
from ...models.tables import Document, Timer
from ..persons import access, subjects
from ..station.station import Station

RUNNING = "running"
_PART = 400
"""Rows read at a time."""


def term_ends(
    policy: Policy, rule: ClockRule, *, level: Level, urgency: str | None, start: datetime
) -> datetime:
    """The moment after which it is late.

    Args:
        level: what the object is protected as. urgency: its 紧急程度; None counts as 一般.
    """
    if level in rule.same_day:
        return _end_of(start.date(), start)
    if rule.every is not None:
        return _after(rule.every, start)
    if rule.workdays is not None:
        return _end_of(policy.calendar.working_day_after(start.date(), rule.workdays), start)
    match rule.table:
        case "borrow_days":
            days = policy.deadlines.borrow_days
            # a loan of one day is back the same day
            loan = max(1, days.get(str(level), days["default"]))
            return _end_of(start.date() + timedelta(days=loan - 1), start)
        case "telegram_handling":
            terms = policy.deadlines.telegram_handling
            return _after(terms.get(urgency or "一般", terms["一般"]), start)
        case "telegram_ack":
            return start + timedelta(minutes=policy.deadlines.telegram_ack_minutes)
        case "leak_report":
            return start + timedelta(hours=policy.deadlines.leak_report_hours)
        case _:
            circulation = policy.deadlines.circulation
            term = circulation.get(urgency or "一般", circulation.get("一般"))
            if term is not None and policy.deadlines.business_days and term.days and not term.seconds:
                return _end_of(policy.calendar.working_day_after(start.date(), term.days), start)
            return _end_of(start.date(), start) if term is None else _after(term, start)


def begin(
    station: Station,
    session: Session,
    clock: str,
    *,
    kind: str,
    object_id: str,
    document: Document | None,
    holder: str | None,
    due: date | None = None,
    urgency: str | None = None,
) -> Timer:
    """Starts a clock of the policy for an object. A clock of the same name that runs for it is cancelled.

    `urgency`: where it is not the document's.

    Raises:
        Refused: `due_too_late`, a given date lies beyond the policy's term, and the clock is binding.
    """
    rule = station.policy.desk.clocks[clock]
    now = station.clock.now()
    level = access.protected_as(station.policy, document) if document is not None else Level.INTERNAL
    ends = term_ends(
        station.policy,
        rule,
        level=level,
        urgency=urgency or (document.urgency if document is not None else None),
        start=now,
    )
    if rule.as_read and document is not None and subjects.as_read(station.policy, document):
        ends = min(ends, _end_of(now.date(), now))
    if due is not None:
        if rule.binding and due > _last_day(ends):
            raise Refused(
                "due_too_late", date=due.isoformat(), latest=_last_day(ends).isoformat(), rule=rule.zh
            )
        ends = _end_of(due, now)
    end(station, session, (clock,), object_id=object_id, state="cancelled")
    timer = Timer(
        clock=clock, object_kind=kind, object_id=object_id, document_id=document.id if document else None,
        holder=holder, started_at=iso(now), due=iso(ends), state=RUNNING,
    )  # fmt: skip
    session.add(timer)
    session.flush()
    return timer


def end(
    station: Station, session: Session, clocks: Sequence[str], *, object_id: str, state: str | None = None
) -> list[Timer]:
    """Ends these clocks of an object: `met`, or `late` when their time had passed; or as `state` says."""
    now = station.now()
    running = session.scalars(
        select(Timer).where(Timer.object_id == object_id, Timer.clock.in_(clocks), Timer.state == RUNNING)
    ).all()
    for timer in running:
        timer.state = state or ("late" if moment(timer.due) < station.clock.now() else "met")
        timer.ended_at = now
        rule = station.policy.desk.clocks.get(timer.clock)
        if timer.state == "late" and timer.incident_id is None and rule is not None and rule.late:
            # read here: an incident's record knows documents, which know timers
            from .lateness import open_for

            open_for(station, session, timer)
    session.flush()
    return list(running)


def is_running(session: Session, clock: str, object_id: str) -> bool:
    """Whether a clock runs for an object."""
    return (
        session.scalars(
            select(Timer.id).where(Timer.object_id == object_id, Timer.clock == clock, Timer.state == RUNNING)
        ).first()
        is not None
    )


def running(session: Session, *, until: datetime | None = None) -> list[Timer]:
    """Running timers, the earliest first; `until`: only those that end by then."""
    wanted = select(Timer).where(Timer.state == RUNNING)
    if until is not None:
        wanted = wanted.where(Timer.due <= iso(until))
    return list(session.scalars(wanted.order_by(Timer.due, Timer.id)))


def first_until(
    station: Station, session: Session, day: date, *, among: ColumnElement[bool], limit: int, after: tuple[str, ...]
) -> list[Timer]:  # fmt: skip
    """The first running timers, by their last day, clock and object, behind the place `after`, whose last day is this
    one or an earlier one. Later days are not read once there are enough.
    """
    wanted = select(Timer).where(Timer.state == RUNNING, Timer.due <= _behind(station, day), among)
    if after:
        wanted = wanted.where(Timer.due >= after[0])
    found: list[tuple[tuple[str, ...], Timer]] = []
    for rows in session.scalars(
        wanted.order_by(Timer.due, Timer.id).execution_options(yield_per=min(limit + 1, _PART))
    ).partitions():
        places = ((_place(row), row) for row in rows)
        found += [one for one in places if one[0] > after and one[0][0] <= day.isoformat()]
        if (
            len(found) >= limit
            and last_day(rows[-1]).isoformat() > nsmallest(limit, found, key=_first)[-1][0][0]
        ):
            break
    return [row for _, row in nsmallest(limit, found, key=_first)]


def _first(one: tuple[tuple[str, ...], Timer]) -> tuple[str, ...]:
    return one[0]


def _place(timer: Timer) -> tuple[str, ...]:
    """Where it stands in the list of what falls due."""
    return last_day(timer).isoformat(), timer.clock, timer.object_id


def known_until(
    station: Station, session: Session, day: date, *, clocks: Collection[str], among: ColumnElement[bool]
) -> list[tuple[str, str | None]]:  # fmt: skip
    """Clock and document of the running timers of some clocks that end by a day."""
    wanted = select(Timer.clock, Timer.document_id, Timer.due).where(
        Timer.state == RUNNING, Timer.due <= _behind(station, day), Timer.clock.in_(sorted(clocks)), among
    )
    return [
        (clock, document) for clock, document, due in session.execute(wanted) if _last_day(moment(due)) <= day
    ]


def _behind(station: Station, day: date) -> str:
    """A moment that is later than whatever ends by a day."""
    return iso(datetime.combine(day + timedelta(days=1), time(0), tzinfo=station.clock.now().tzinfo))


def of_objects(session: Session, objects: Sequence[str]) -> dict[str, Timer]:
    """The running timer of each of these objects that has one: the one that ends last."""
    rows = session.scalars(
        select(Timer)
        .where(Timer.object_id.in_(objects), Timer.state == RUNNING)
        .order_by(Timer.due, Timer.id)
    )
    return {row.object_id: row for row in rows}


def due_item(station: Station, timer: Timer, *, on: date | None = None) -> dict[str, Any]:
    """A timer as the list of what falls due shows it; `days` until it is late, negative once it is."""
    rule = station.policy.desk.clocks.get(timer.clock)
    last = _last_day(moment(timer.due))
    return {
        **_unsure(station, rule, timer),
        "kind": timer.clock,
        "id": timer.object_id,
        "document": timer.document_id,
        "due": last.isoformat(),
        "due_at": timer.due,
        "days": (last - (on or today(station.clock))).days,
        "holder": timer.holder,
        "action": rule.action if rule else timer.clock,
        "reminders": timer.reminders,
    }


def counts_working_days(policy: Policy, rule: ClockRule) -> bool:
    """Whether a clock's term is one of working days."""
    return rule.workdays is not None or (rule.table == "circulation" and policy.deadlines.business_days)


def _unsure(station: Station, rule: ClockRule | None, timer: Timer) -> dict[str, Any]:
    """The years whose holidays the policy does not know, where the term counted working days of them (`unsure`)."""
    if rule is None or not counts_working_days(station.policy, rule):
        return {}
    first, last = moment(timer.started_at).date(), last_day(timer)
    unknown = station.policy.calendar.unknown_years(first, last)
    return {"unsure": list(unknown)} if unknown else {}


def moment(text: str) -> datetime:
    """A time as it stands in the registry."""
    return datetime.fromisoformat(text)


def is_late(station: Station, timer: Timer) -> bool:
    """Whether its time had passed when it ended, or has passed while it runs."""
    return timer.state == "late" or (timer.state == RUNNING and moment(timer.due) < station.clock.now())


def end_of(station: Station, day: date) -> str:
    """The moment after which a day is over, as it stands in the registry."""
    return iso(_end_of(day, station.clock.now()))


def last_day(timer: Timer) -> date:
    """The last day on which it is not late."""
    return _last_day(moment(timer.due))


def _after(term: Duration, start: datetime) -> datetime:
    if term.seconds:
        return start + timedelta(days=term.days, seconds=term.seconds)
    if term.months or term.days:
        return _end_of(add_months(start.date(), term.months) + timedelta(days=term.days), start)
    return start


def _end_of(day: date, like: datetime) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(0), tzinfo=like.tzinfo)


def _last_day(ends: datetime) -> date:
    return (ends - timedelta(seconds=1)).date()
