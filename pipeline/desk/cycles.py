"""What comes round again: the count of all there is, inspections before holidays, checks of the room (policy cycles).

A kind of matter that names a cycle (`cycle`) is how it is done: it falls due on a day of the year, so long after it was
last closed, or so many days before a public holiday, and is done for that time once one was closed. By the unit's
choice `inspection_calendar` fewer holidays count, or an inspection is made each month (C-07); by `committee_cadence`
the committee meets each month instead of each half-year (C-16).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...models.period import add_months
from ...models.policy.desk import MatterRule
from ...models.policy.durations import Cycle, Duration
from ...models.tables import LedgerEntry, Matter
from ..station.station import Station
from . import timers

_HOLIDAYS = "holiday_inspection"
_COMMITTEE = "committee_meeting"
_THREE = ("五一", "国庆", "春节")
"""004-C§9.3; 001-A§6 adds 元旦."""
_EARLY = 30
"""Days before a holiday from which on an inspection counts for it."""


def items(station: Station, session: Session, until: date) -> list[dict[str, Any]]:
    """What falls due by a day, each cycle once: the earliest time that was not met."""
    found = []
    for rule in station.policy.desk.matters.values():
        cycle = _cycle(station, rule)
        if cycle is None:
            continue
        last = _last(session, rule.kind)
        due = next(iter(sorted(_due(station, session, cycle, last))), None)
        if due is not None and due[0] <= until:
            found.append(_item(station, session, rule, cycle, *due))
    return found


def unknown(station: Station, until: date) -> tuple[str, ...]:
    """Holidays before which something falls due and whose days until then nobody has told (the moon's, mostly)."""
    calendar = station.policy.calendar
    return tuple(
        f"{year} {name}"
        for rule in station.policy.desk.matters.values()
        if (cycle := _cycle(station, rule)) is not None
        for name in cycle.dates
        for year in range(today(station.clock).year, until.year + 1)
        if calendar.begins(name, year) is None
    )


def _cycle(station: Station, rule: MatterRule) -> Cycle | None:
    cycle = next((one for one in station.policy.deadlines.cycles if one.scope == rule.cycle), None)
    if cycle is not None and cycle.scope == _COMMITTEE:
        monthly = station.policy.choices.get("committee_cadence") == "monthly"
        return Cycle(cycle.id, cycle.scope, Duration(months=1), None, cycle.source) if monthly else cycle
    if cycle is None or cycle.scope != _HOLIDAYS:
        return cycle
    match station.policy.choices.get("inspection_calendar"):
        case "monthly":
            return Cycle(cycle.id, cycle.scope, Duration(months=1), None, cycle.source)
        case "three_holidays":
            dates = tuple(name for name in cycle.dates if name in _THREE)
            return Cycle(cycle.id, cycle.scope, None, None, cycle.source, dates, cycle.days_before)
        case _:
            return cycle


def _due(station: Station, session: Session, cycle: Cycle, last: date | None) -> Iterator[tuple[date, str]]:
    """Days on which it falls due and which are not done, with the name of what it is for."""
    now, calendar = today(station.clock), station.policy.calendar
    begun = _begun(session) or now
    if cycle.dates:
        for year in (now.year, now.year + 1):
            for name in cycle.dates:
                first = calendar.begins(name, year)
                if (
                    first is None
                    or first < max(now, begun)
                    or (last and last >= first - timedelta(days=_EARLY))
                ):
                    continue
                yield first - timedelta(days=cycle.days_before), f"{year}-{name}"
    elif cycle.due is not None and cycle.due[:2].isdigit():
        month, day = int(cycle.due[:2]), int(cycle.due[3:])
        for year in range(max(begun.year, now.year - 1), now.year + 2):
            due = date(year, month, day)
            if due >= begun and not (last and last >= add_months(due, -6)):
                yield due, str(year)
    elif cycle.every is not None:
        start = last or begun
        yield add_months(start, cycle.every.months) + timedelta(days=cycle.every.days), ""


def _last(session: Session, kind: str) -> date | None:
    """The day on which one of the kind was last closed."""
    at = session.scalar(
        select(func.max(Matter.closed_at)).where(Matter.kind == kind, Matter.state == "closed")
    )
    return date.fromisoformat(at[:10]) if at else None


def _begun(session: Session) -> date | None:
    at = session.scalars(select(LedgerEntry.at).order_by(LedgerEntry.seq).limit(1)).first()
    return timers.moment(at).date() if at else None


def _item(
    station: Station, session: Session, rule: MatterRule, cycle: Cycle, due: date, what: str
) -> dict[str, Any]:  # fmt: skip
    # the newest is told here: asked for in order, the database would go through all matters from the last one on
    open_ = session.scalars(select(Matter.id).where(Matter.kind == rule.kind, Matter.state == "open")).all()
    running = max(open_, default=None)
    return {
        "kind": rule.kind, "id": running or "-".join(filter(None, (cycle.id, what))), "document": None,
        "due": due.isoformat(), "due_at": None, "days": (due - today(station.clock)).days, "holder": None,
        "role": rule.steps[0].by[0], "action": cycle.scope,
    }  # fmt: skip
