"""A document's two terms as the register keeps them: secrecy 保密期限 and retention 保管期限, each with its first day.

Both are worked out from what the row says (period, dates, event) and from the changes that two persons confirmed;
the days are written beside them, for sorting and for the lists of what ends. A secrecy term ends by itself (保密法
art. 24): no act is needed for it, and none widens access because of it (实施条例 art. 42).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...models.level import Family, Level
from ...models.period import Period, PeriodChange, SecrecyTerm, term_of
from ...models.retention import RetentionTerm
from ...models.suggestion import Retention, RetentionSuggestion
from ...models.tables import Document, Event
from ..station.station import Station
from .periods import parse_period

EVENT = "event"
_ASKED = frozenset({"importance_unknown", "origin_unknown"})
"""What a table of retention periods asks that no machine may answer."""
_OPEN_FAMILIES = (Family.INTERNAL, Family.PUBLIC)


# ---------------------------------------------------------------- secrecy


def secrecy_term(
    row: Document, period: Period | None, changes: Sequence[PeriodChange] = ()
) -> SecrecyTerm | None:
    """The term of a period on this document; None without a period."""
    if period is None:
        return None
    term = term_of(
        period, signed=_day(row.signed_date), notified=_day(row.notified_date), received=received_on(row)
    )
    return SecrecyTerm(term.period, term.starts, term.started_by, tuple(changes))


def keep_secrecy(row: Document, term: SecrecyTerm | None) -> None:
    """Writes a secrecy term into the register's row."""
    row.period = str(term.period) if term is not None else None
    row.secrecy_from = term.starts.isoformat() if term is not None and term.starts else None
    row.secrecy_from_rule = term.started_by if term is not None and term.starts else None
    ends = term.ends if term is not None else None
    row.secrecy_until = ends.isoformat() if ends is not None else None


def set_period(row: Document, period: Period | None, changes: Sequence[PeriodChange] = ()) -> None:
    """The secrecy period, the day it starts, and the first day no longer protected."""
    keep_secrecy(row, secrecy_term(row, period, changes))


def term_in_force(station: Station, session: Session, row: Document) -> SecrecyTerm | None:
    """The document's secrecy term with all that was changed since its level or period was last determined."""
    period = parse_period(row.period) if row.period else None
    return secrecy_term(row, period, changes_of(station, session, row))


def changes_of(station: Station, session: Session, row: Document) -> tuple[PeriodChange, ...]:
    """The confirmed changes of the term that stands; a period set anew puts an end to those before it."""
    return tuple(_change(words) for words in _term_events(station, session, row) if words["confirmed_by"])


def pending_change(station: Station, session: Session, row: Document) -> dict[str, Any] | None:
    """The change that one person has entered and a second has not yet confirmed."""
    words = _term_events(station, session, row)
    return words[-1] if words and words[-1]["confirmed_by"] is None else None


def _term_events(station: Station, session: Session, row: Document) -> list[dict[str, Any]]:
    """What was entered about the term, each with who confirmed it; an entry that another replaced is left out."""
    events = session.scalars(
        select(Event).where(Event.document_id == row.id, Event.what == "term").order_by(Event.id)
    ).all()
    if not events:
        return []
    anew = session.scalars(
        select(Event)
        .where(Event.document_id == row.id, Event.what == "level", Event.act == "set")
        .order_by(Event.id.desc())
    )
    since = next((one.id for one in anew if _sets_period(station, session, row, one)), 0)
    found: list[dict[str, Any]] = []
    for event in events:
        if event.id < since:
            continue
        words = station.unseal(session, EVENT, event.sealed, bind=row.id)
        if event.act == "enter":
            if found and found[-1]["confirmed_by"] is None:
                found.pop()
            found.append({**words, "entered_by": event.person, "entered_at": event.at, "confirmed_by": None})
        elif found:
            found[-1]["confirmed_by"] = event.person
    return found


def _sets_period(station: Station, session: Session, row: Document, event: Event) -> bool:
    words = station.unseal(session, EVENT, event.sealed, bind=row.id)
    return bool(words.get("anew", True))


def _change(words: dict[str, Any]) -> PeriodChange:
    return PeriodChange(
        words["kind"], date.fromisoformat(words["decided"]), date.fromisoformat(words["ends"])
    )


# ---------------------------------------------------------------- retention


def retention_term(row: Document) -> RetentionTerm | None:
    """The document's retention term; None while nobody and nothing has said one."""
    if not row.retention:
        return None
    return RetentionTerm(
        Retention(row.retention),
        _day(row.signed_date) or received_on(row),
        row.retention_event or "",
        _day(row.retention_event_on),
    )


def keep_retention(row: Document, term: RetentionTerm | None) -> None:
    """Writes a retention term into the register's row."""
    row.retention = term.retention.value if term is not None else None
    ends = term.ends if term is not None else None
    row.retention_until = ends.isoformat() if ends is not None else None


def set_retention(row: Document, retention: Retention | None) -> None:
    """The retention period, and the first day no longer kept by the row's clock."""
    row.retention = retention.value if retention is not None else None
    keep_retention(row, retention_term(row))


def set_suggested(row: Document, found: RetentionSuggestion) -> None:
    """What the table says: the period, the event that its years wait for, and whether it asks the archivist."""
    if (found.event or None) != row.retention_event:
        row.retention_event, row.retention_event_on = found.event or None, None
    row.retention_open = bool(_ASKED & set(found.reasons))
    set_retention(row, found.retention)


def recount(station: Station, session: Session, row: Document) -> None:
    """Both terms anew, after a date of the document was put right."""
    keep_secrecy(row, term_in_force(station, session, row))
    keep_retention(row, retention_term(row))


# ---------------------------------------------------------------- as shown


def terms_json(station: Station, session: Session, row: Document, *, changed: bool = True) -> dict[str, Any]:
    """Both terms with their clocks, as `documents show` gives them. `changed`: False where nobody ever changed one."""
    return {
        "secrecy_term": _secrecy_json(station, session, row, changed=changed),
        "retention_term": _retention_json(station, row),
    }


def _secrecy_json(
    station: Station, session: Session, row: Document, *, changed: bool
) -> dict[str, Any] | None:
    level = Level.parse(row.level_code) if row.level_code else None
    if row.period is None or level is None or level.family in _OPEN_FAMILIES:
        return None
    events = _term_events(station, session, row) if changed else []
    changes = [_change(words) for words in events if words["confirmed_by"]]
    term = secrecy_term(row, parse_period(row.period), changes)
    if term is None:
        return None
    periods = station.policy.periods
    ask_by = term.ask_by(periods.ask_days)
    return {
        "starts": row.secrecy_from,
        "started_by": row.secrecy_from_rule,
        "ends": row.secrecy_until,
        "state": secrecy_state(station, level, term),
        "ask_by": ask_by.isoformat() if ask_by else None,
        "notices": [day.isoformat() for day in term.notices(periods.notice_days)],
        "changes": [_shown(words) for words in events if words["confirmed_by"]],
        "pending": next((_shown(words) for words in events if words["confirmed_by"] is None), None),
        "declassified_mark": row.declassified_mark_on,
    }


def secrecy_state(station: Station, level: Level, term: SecrecyTerm) -> str:
    """`running`, `open` (no date follows), `ended`, or `to_review` where the policy asks a person at the end."""
    state = term.state(today(station.clock))
    if state == "ended" and station.policy.periods.expiry.get(level.family) == "review":
        return "to_review"
    return state


def _shown(words: dict[str, Any]) -> dict[str, Any]:
    names = ("kind", "decided", "ends", "notice", "entered_by", "entered_at", "confirmed_by")
    return {name: words.get(name) for name in names}


def _retention_json(station: Station, row: Document) -> dict[str, Any] | None:
    term = retention_term(row)
    if term is None:
        return None
    return {
        "state": term.state(today(station.clock)),
        "event": row.retention_event,
        "event_on": row.retention_event_on,
        "starts": term.starts.isoformat() if term.starts else None,
        "ends": row.retention_until,
        "asks_archivist": row.retention_open,
    }


def received_on(row: Document) -> date:
    """The day on which the paper arrived."""
    return date.fromisoformat(row.received_at[:10])


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
