"""What two persons ask for one after the other, within fifteen minutes: key ceremonies.

The first person's call waits, and says for what; the second one's, by another hand, and for the very same, is it.
Threat: one person with two accounts or a lent role (`four_eyes`); somebody who asks for another thing than the first.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from ...common.clock import iso
from ...common.errors import JiyaoError, Refused
from ...models.tables import Meta
from ..persons import four_eyes
from ..persons.actors import Actor
from .station import Station

WITHIN = timedelta(minutes=15)


def first_of(
    station: Station, session: Session, actor: Actor, act: str, what: dict[str, Any] | None = None
) -> str | None:
    """Who asked for the same first, not too long ago, and is another hand; None when this is the first call.

    Raises:
        Refused: `same_person_twice`, `delegated_hand`.
    """
    first = _said(station, session, act, what)
    if first is not None:
        roles = four_eyes.acts(act)
        since = iso(station.clock.now() - WITHIN)
        four_eyes.apart(session, actor.person, roles, [(first, roles)], since=since, user=actor.user)
    return first


def take(
    station: Station, session: Session, actor: Actor, act: str, what: dict[str, Any] | None = None
) -> str:
    """As `first_of`, in the transaction of the act itself: the word is used up.

    Raises:
        Refused: `ceremony_over`, when the first word counts no more.
    """
    first = first_of(station, session, actor, act, what)
    if first is None:
        raise Refused("ceremony_over")
    session.delete(session.get_one(Meta, act))
    return first


def wait(
    station: Station, session: Session, actor: Actor, act: str, what: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Keeps the first person's word; what the call gives back."""
    until = station.clock.now() + WITHIN
    word = {"person": actor.person, "until": iso(until), **({} if what is None else {"what": what})}
    session.merge(Meta(key=act, value=station.seal(session, act, word)))
    return {"state": "waiting", "first": actor.person, "until": iso(until)}


def _said(station: Station, session: Session, act: str, what: dict[str, Any] | None) -> str | None:
    row = session.get(Meta, act)
    if row is None:
        return None
    with suppress(JiyaoError):
        word = station.unseal(session, act, row.value)
        now, until = station.clock.now(), datetime.fromisoformat(word["until"])
        if until - WITHIN <= now <= until and word.get("what") == what:
            return str(word["person"])
    return None
