"""Sealed mail for a person 亲启: handed over unopened, and from then on it is the addressee who has it (004-B§4.2)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.tables import Carrier, Matter
from ..desk import matters, movements
from ..desk.movements import Hand
from ..persons.actors import Actor
from ..station.station import Station


def deliver(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """The envelope is with its addressee."""
    (addressee,) = (
        item.object_id for item in matters.items_of(session, matter) if item.object_kind == "person"
    )
    _hand(station, session, actor, matter, addressee)


def settle(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """What the addressee gives to the room is back with it; what he keeps stays with him."""
    if matters.steps_of(session, matter)[-1].result == "to_register":
        _hand(station, session, actor, matter, actor.person)


def _hand(station: Station, session: Session, actor: Actor, matter: Matter, person: str) -> None:
    for carrier in session.scalars(
        select(Carrier).where(Carrier.document_id == matter.document_id, Carrier.state == "held")
    ):
        if carrier.holder != person:
            movements.move(station, session, actor, carrier, "entrust", Hand(taker=person, matter=matter.id))
