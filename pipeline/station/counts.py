"""What the kept counts say (`tallies.py`): of a period by its whole months, the days beside them, and of a day that is
cut its rows.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...models.tables import Carrier, Copy, Document, Movement, Tally
from .tallies import DATED, DAY, MONTH, kept, word

_Stretch = tuple[str, str, str]
"""A part, the first of its names, and the one before which it ends; empty where it does not begin or end."""
_FIRST: Final = "-01"
"""What follows a month in its first day."""


def counted(
    session: Session, kind: str, *, level: str | None = None, holder: str | None = None,
    since: str | None = None, until: str | None = None,
) -> Counter[str] | None:  # fmt: skip
    """How many objects stand in which state, of a level's code, a holder, or those that entered from one time on and
    before another; None where that is not kept: of a holder within a period.
    """
    if not (since or until):
        return _sum(session, kind, ("holder", holder or "", ""), level=level, only=holder is not None)
    span = _days(since, until)
    if holder is not None or span is None:
        return None
    first, last, edges = span
    found = _summed(session, kind, first, last, level=level)
    for edge in edges:
        found += _entered(session, kind, level, edge)
    return found


def happened(
    session: Session, kind: str, *, since: str | None = None, until: str | None = None
) -> Counter[str]:
    """How many rows of a kind (`tallies.DATED`) say what, of those from one time on and before another.

    Rows are counted where the counts are not kept, or where these are no times.
    """
    span = _days(since, until) if kept(session) else None
    if span is None:
        return _counted_rows(session, kind, since or "", until or "")
    first, last, edges = span
    found = _summed(session, kind, first, last)
    for begin, end in edges:
        found += _counted_rows(session, kind, begin, end)
    return found


def standing(
    session: Session, kind: str, *, level: str | None = None, state: str | None = None
) -> int | None:
    """How many rows of a kind (`tallies.DATED`) there are, of a level's code, that say this; None where that is not
    kept.
    """
    if not kept(session):
        return None
    found = _summed(session, kind, "", "", level=level)
    return found.total() if state is None else found[state]


def _counted_rows(session: Session, kind: str, begin: str, end: str) -> Counter[str]:
    one = DATED[kind]
    said = [one.column(name) for name in one.said]
    wanted = select(func.count(), *said).group_by(*said)
    wanted = wanted.where(one.time >= begin) if begin else wanted
    wanted = wanted.where(one.time < end) if end else wanted
    return Counter({word(values): number for number, *values in session.execute(wanted) if number})


def _days(since: str | None, until: str | None) -> tuple[str, str, list[tuple[str, str]]] | None:
    """Whole days from one on and before another, and the stretches of days that are cut; None for no times."""
    first, last, edges = since or "", until or "", list[tuple[str, str]]()
    try:
        if len(first) > DAY:
            first = (date.fromisoformat(first[:DAY]) + timedelta(days=1)).isoformat()
        if len(last) > DAY:
            last = date.fromisoformat(last[:DAY]).isoformat()
    except ValueError:
        return None
    if since and until and first > last:
        return first, first, [(since, until)]
    if since and first != since:
        edges.append((since, first))
    if until and last != until:
        edges.append((last, until))
    return first, last, edges


def _summed(session: Session, kind: str, first: str, last: str, *, level: str | None = None) -> Counter[str]:
    """What began on one day or later and before another."""
    found = Counter[str]()
    for stretch in _stretches(first, last):
        found += _sum(session, kind, stretch, level=level)
    return found


def _stretches(first: str, last: str) -> list[_Stretch]:
    """Whole months and the days beside them; what is no day is compared as it stands."""
    try:
        begin = first if not first or first.endswith(_FIRST) else _month_after(first) + _FIRST
        end = date.fromisoformat(last).replace(day=1).isoformat() if last else ""
    except (ValueError, OverflowError):
        return [("day", first, last)]
    if first and last and begin >= end:
        return [("day", first, last)]
    edges = [(first, begin), (end, last)]
    return [
        ("month", begin[:MONTH], end[:MONTH]), *(("day", one, other) for one, other in edges if one != other)
    ]  # fmt: skip


def _month_after(day: str) -> str:
    return (date.fromisoformat(day).replace(day=1) + timedelta(days=31)).isoformat()[:MONTH]


def _sum(
    session: Session, kind: str, stretch: _Stretch, *, level: str | None = None, only: bool = False
) -> Counter[str]:
    """`only`: of the first name alone."""
    part, first, last = stretch
    wanted = select(Tally.state, func.sum(Tally.number)).where(Tally.kind == kind, Tally.part == part)
    if only:
        wanted = wanted.where(Tally.name == first)
    else:
        wanted = wanted.where(Tally.name >= first) if first else wanted
        wanted = wanted.where(Tally.name < last) if last else wanted
    if level is not None:
        wanted = wanted.where(Tally.level_code == level)
    return Counter(
        {state: number for state, number in session.execute(wanted.group_by(Tally.state)) if number}
    )


def _entered(session: Session, kind: str, level: str | None, edge: tuple[str, str]) -> Counter[str]:
    """As `counted`, of what entered within a day, row by row."""
    table, state = (Copy, Copy.status) if kind == "copy" else (Carrier, Carrier.state)
    wanted = (
        select(state, func.count())
        .select_from(Movement)
        .join(table, table.id == Movement.object_id)
        .where(
            Movement.object_kind == kind, Movement.before.is_(None), Movement.at >= edge[0], Movement.at < edge[1]
        )
        .group_by(state)
    )  # fmt: skip
    if level is not None:
        wanted = wanted.join(Document, Document.id == table.document_id).where(Document.level_code == level)
    return Counter(dict(iter(session.execute(wanted))))
