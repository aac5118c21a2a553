"""When handling a paper ended, and by when it is to be filed then (000-D§10, 001-A§3, 002-B§2.5, as the unit chose)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ...models.listed import listed
from ...models.period import add_months
from ...models.policy.schema import Policy
from ...models.tables import UNFILED, Carrier, Copy, Document, Event, Matter, Movement

_OUT = ("issued", "recalled")
_AWAY = ("out", "lent", "carried", "transit", "missing")
_NO_HANDLING = ("receive", "place", "entrust", "archive")
"""Movements that are no part of handling a paper."""
_PART = 10_000
"""Documents in one question."""


def last_handled(policy: Policy, until: date) -> date:
    """The last day of handling for which filing falls due by a day: the later handling ends, the later it does."""
    least, most = date(1900, 1, 1).toordinal(), until.toordinal()
    while least < most:
        middle = (least + most + 1) // 2
        if archive_by(policy, date.fromordinal(middle)) <= until:
            least = middle
        else:
            most = middle - 1
    return date.fromordinal(least)


def archive_by(policy: Policy, finished: date) -> date:
    """The last day to file a document whose handling ended on a day; by the unit's choice `archive_deadline`.

    One month after (clamped to the month's end), the next year's day, or the end of the year.
    """
    rules = policy.retention.archiving
    match policy.choices.get("archive_deadline"):
        case "next_year_by_date":
            month, day = rules["next_year_by_date"]
            return date(finished.year + 1, month, day)
        case "year_end":
            month, day = rules["year_end_clearing"]
            return date(finished.year, month, day)
        case _:
            return add_months(finished, rules["within_months_after_handling"][0])


def handling_ended(session: Session, documents: Sequence[str] | None = None) -> dict[str, date]:
    """Document -> the day on which its handling ended, of these documents (without: of those not yet filed).

    It is confirmed, no original or issued copy of it is out, and no matter of it is open.
    """
    if documents is None:
        documents = session.scalars(select(Document.id).where(UNFILED)).all()
    found: dict[str, date] = {}
    for start in range(0, len(documents), _PART):
        found |= _ended_of(session, documents[start : start + _PART])
    return found


def _ended_of(session: Session, names: Sequence[str]) -> dict[str, date]:
    documents = listed(names)
    out: set[str | None] = set(
        session.scalars(
            select(Copy.document_id).where(
                Copy.document_id.in_(documents), Copy.status.in_(_OUT), Copy.sent_in.is_(None)
            )
        )
    )
    out |= set(
        session.scalars(
            select(Carrier.document_id).where(Carrier.document_id.in_(documents), Carrier.state.in_(_AWAY))
        )
    )
    out |= set(
        session.scalars(
            select(Matter.document_id).where(Matter.document_id.in_(documents), Matter.state == "open")
        )
    )
    back = [name for name in names if name not in out]
    return _last_days(session, listed(back)) if back else {}


def _last_days(session: Session, documents: Select[tuple[str]]) -> dict[str, date]:
    """The day of the last thing done with these documents, of those that are confirmed."""
    confirmed = session.execute(
        select(Event.document_id, func.max(Event.at))
        .where(Event.what == "accepted", Event.document_id.in_(documents))
        .group_by(Event.document_id)
    )
    moved = session.execute(
        select(Movement.document_id, func.max(Movement.at))
        .where(Movement.act.not_in(_NO_HANDLING), Movement.document_id.in_(documents))
        .group_by(Movement.document_id)
    )
    closed = session.execute(
        select(Matter.document_id, func.max(Matter.closed_at))
        .where(Matter.closed_at.is_not(None), Matter.document_id.in_(documents))
        .group_by(Matter.document_id)
    )
    last = {str(document): at[:10] for document, at in confirmed}
    for document, at in (*moved, *closed):
        if document in last:
            last[document] = max(at[:10], last[document])
    days = {day: date.fromisoformat(day) for day in set(last.values())}
    return {document: days[day] for document, day in last.items()}
