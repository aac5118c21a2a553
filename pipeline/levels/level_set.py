"""A level set by two persons' decision: the row, its history, and the mark that gives way to the new one."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from ...common.errors import UsageFault
from ...models.level import Family, Level
from ...models.period import Period
from ...models.tables import Document
from ..intake.register_entry import remember
from ..review.review import stands
from ..station.station import Reason, Station
from . import former, store_apart
from .periods import parse_period
from .terms import set_period

_UNMARKED = (Family.INTERNAL, Family.PUBLIC)


def level_word(text: Any) -> Level:
    """A level among a matter's words.

    Raises:
        UsageFault: it is none.
    """
    try:
        return Level.parse(str(text).strip())
    except ValueError:
        raise UsageFault(
            "unknown_level", level=str(text), levels="、".join(f"{item.value} {item.code}" for item in Level)
        ) from None


def period_word(text: Any) -> Period:
    """A secrecy period among a matter's words.

    Raises:
        UsageFault: it is none.
    """
    period = parse_period(str(text).strip())
    if period is None:
        raise UsageFault("bad_period", period=str(text))
    return period


def set_level(
    station: Station,
    session: Session,
    row: Document,
    level: Level,
    period: Period | None,
    *,
    set_by: str,
    accepted_by: str | None,
    cause: str,
    kind: str,
    why: Reason,
) -> None:
    """The level and period that were decided stand in the register; what stood before stays in its history.

    Args:
        accepted_by: None where the entry itself has still to be accepted.
        cause: the matter. kind: the change's kind, or `decision`.
    """
    before, _ = former.marks_of(station, session, row)
    had_level = row.level_code is not None
    lowered = had_level and station.policy.rank(level) < station.policy.rank(before[0])
    old = {"level": row.level_code, "period": row.period}
    row.level_code = level.code
    if row.level_basis == "none":
        row.level_basis = "content"
    if row.read_level_code is not None:
        row.read_level_code = level.code
    set_period(row, None if level.family in _UNMARKED else period)
    words = {
        "old": old, "new": {"level": level.code, "period": row.period}, "misread": False, "lowered": lowered,
        "anew": True, "changed": kind, "matter": cause, **why.sealed_form,
    }  # fmt: skip
    remember(station, session, row, set_by, "set", "level", words)
    session.flush()
    if accepted_by is not None:
        remember(station, session, row, accepted_by, "accept", "accepted", stands(row))
    if had_level:
        now = former.marks_of(station, session, row)[0]
        former.remember_mark(station, session, row, accepted_by or set_by, old=before, new=now)
        store_apart.begin(station, session, row, old=before[0])
    session.flush()
