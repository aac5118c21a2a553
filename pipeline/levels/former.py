"""Marks that no longer hold: what stood on a paper before its level or term was changed (保密法 art. 24).

The paper bears the old mark struck out and the new one beside it, or 解密. Copies issued afterwards show the same.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.level import Family, Level
from ...models.period import Period
from ...models.tables import Document, Event
from ..desk import timers
from ..intake.register_entry import remember
from ..station.station import Station
from .periods import parse_period
from .terms import EVENT, secrecy_state, term_in_force

_WHAT = "mark"
CLOCK = "level_mark"
"""Clock of the policy: the old mark is struck on the paper and the new one put beside it."""
MarkWords = tuple[Level, Period | None]
"""A mark as words: its level and period."""
_UNMARKED = (Family.INTERNAL, Family.PUBLIC)


def remember_mark(
    station: Station, session: Session, row: Document, person: str, *, old: MarkWords, new: MarkWords
) -> None:
    """Writes down that a mark gave way to another; the paper itself is then to be marked anew."""
    if old == new:
        return
    words = {"old": _words(old), "new": _words(new)}
    remember(station, session, row, person, "change", _WHAT, words)
    if CLOCK in station.policy.desk.clocks:
        timers.begin(station, session, CLOCK, kind="document", object_id=row.id, document=row, holder=None)


def marks_of(station: Station, session: Session, row: Document) -> tuple[MarkWords, tuple[MarkWords, ...]]:
    """The mark that holds now, and those before it, the newest last."""
    level = Level.parse(row.level_code) if row.level_code else Level.INTERNAL
    term = term_in_force(station, session, row) if row.period else None
    events = session.scalars(
        select(Event).where(Event.document_id == row.id, Event.what == _WHAT).order_by(Event.id)
    )
    before = [_mark(station.unseal(session, EVENT, one.sealed, bind=row.id)["old"]) for one in events]
    # an end that came early changes no mark: 解密 stands beside it
    longer = (
        replace(term, changes=tuple(one for one in term.changes if one.kind == "extend")) if term else None
    )
    return (level, longer.marked if longer is not None else None), tuple(before)


def declassified_on(station: Station, session: Session, row: Document) -> date | None:
    """The first day no longer protected, once it has come and nobody has to look at it first; None before."""
    level = Level.parse(row.level_code) if row.level_code else None
    term = term_in_force(station, session, row) if row.period else None
    if level is None or term is None or level.family in _UNMARKED or row.interim_code is not None:
        return None
    return term.ends if secrecy_state(station, level, term) == "ended" else None


def _words(mark: MarkWords) -> dict[str, str | None]:
    level, period = mark
    return {"level": level.code, "period": str(period) if period is not None else None}


def _mark(words: dict[str, str | None]) -> MarkWords:
    text = words["period"]
    return Level.parse(words["level"] or ""), parse_period(text) if text else None
