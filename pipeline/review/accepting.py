"""Who may confirm a paper: never the hand that set its values, nor beyond the organ's authority (BMF art. 16, 17)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...models.level import Level
from ...models.rights import MAY
from ...models.tables import Document, Event
from ..intake.register_entry import EVENT
from ..levels.authority import check_own
from ..persons import four_eyes
from ..persons.actors import Actor
from ..station.station import Station

SHORTENED = "shortened"
"""What an event says of a date by which protection ends earlier."""


def accepting_role(station: Station, session: Session, actor: Actor, row: Document) -> str:
    """In which role the actor may confirm what stands: the desk what is unchanged, a second person what somebody set.

    Raises:
        Refused: the same hand, another role is needed, a level above the organ's authority.
    """
    last = _last_level_event(station, session, row)
    if last is not None and not last[2]["misread"] and row.level_code is not None:
        _check_raised(station, row, Level.parse(row.level_code))
    role = four_eyes.acts("review.accept", "review.second", "review.determine")
    setting = four_eyes.acts("review.level", "review.misread", "review.field", "amend")
    for person, at in _shortened_by(session, row):
        four_eyes.apart(session, actor.person, role, [(person, setting)], since=at)
    if last is None:
        return actor.role_for(MAY["review.accept"])
    setter, at, change = last
    four_eyes.apart(session, actor.person, role, [(setter, setting)], since=at)
    if change["misread"]:
        return actor.role_for(MAY["review.misread"])
    if row.status == "pending_second":
        return actor.role_for(MAY["review.second"])
    return actor.role_for(MAY["review.determine"])


def _check_raised(station: Station, row: Document, level: Level) -> None:
    """A level that a person set above what the paper bears is one that the unit may determine."""
    read = Level.parse(row.read_level_code) if row.read_level_code else None
    if station.policy.rank(level) > station.policy.rank(read):
        check_own(station, row, level)


def stood(station: Station, session: Session, row: Document) -> Level | None:
    """The level that was confirmed before; where none was, the one that stands now."""
    before = session.scalars(
        select(Event).where(Event.document_id == row.id, Event.what == "accepted").order_by(Event.id.desc())
    ).first()
    words = station.unseal(session, EVENT, before.sealed, bind=row.id) if before is not None else {}
    return Level.parse(words.get("new") or str(row.level_code))


def _last_level_event(
    station: Station, session: Session, row: Document
) -> tuple[str, str, dict[str, Any]] | None:
    """The last level or period a person set and nobody accepted since: who, when, what."""
    events = session.scalars(
        select(Event)
        .where(Event.document_id == row.id, Event.what.in_(("level", "accepted")), Event.person.is_not(None))
        .order_by(Event.id.desc())
    ).first()
    if events is None or events.what == "accepted":
        return None
    return str(events.person), events.at, station.unseal(session, EVENT, events.sealed, bind=row.id)


def _shortened_by(session: Session, row: Document) -> list[tuple[str, str]]:
    """Who shortened the protection by a date since it was last confirmed, and when."""
    accepted = (
        select(func.max(Event.id))
        .where(Event.document_id == row.id, Event.what == "accepted")
        .scalar_subquery()
    )
    rows = session.execute(
        select(Event.person, Event.at).where(
            Event.document_id == row.id, Event.what == SHORTENED, Event.id > func.coalesce(accepted, 0)
        )
    )
    return [(str(person), at) for person, at in rows]
