"""Vetting 涉密资格: a clearance renewed after review, suspended, resumed (roles.md section 4; BMF art. 43, 46).

By the security administrator, never for himself. What is suspended or over reaches nothing from that moment on.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.rights import CLEARANCES
from ...models.tables import Account, Person
from ..station.station import Reason, Station
from . import clearances, four_eyes, people
from .actors import Actor, acting
from .rights_record import require_rights


def renew(
    station: Station, actor: Actor, *, person: str, until: date, clearance: str | None = None
) -> dict[str, Any]:
    """Sets the last day on which a clearance counts, and perhaps the clearance, after a review.

    Raises:
        Refused: one's own, a day that is over. UsageFault: unknown clearance. NotThere: unknown person.
    """
    if clearance is not None and clearance not in CLEARANCES:
        raise UsageFault("unknown_clearance", clearance=clearance, clearances="、".join(CLEARANCES))
    with acting(station, actor, "person.renew", objects=(person,)) as session:
        row = _other(station, session, actor, person)
        clearances.limit(row, until, session.info["day"])
        approval = None
        if clearance is not None:
            new = clearance if clearance != clearances.granted(session, row.id) else None
            approval = require_rights(station, session, row.id, (), new)
            row.clearance = clearance
            for account in session.scalars(select(Account).where(Account.person_id == row.id)):
                account.clearance = clearance
        session.flush()
        station.log(
            session, "person.renew", objects=(row.id,), person=actor.person, account=actor.user, rule=approval or "",
            facts={"until": row.clearance_until, "clearance": clearance},
        )  # fmt: skip
        return people.person_json(station, session, row.id)


def suspend(station: Station, actor: Actor, *, person: str, reason: str) -> dict[str, Any]:
    """The clearance reaches nothing from now on.

    Raises:
        Refused: one's own, or suspended already.
    """
    return _change(station, actor, "person.suspend", person, station.reason(reason), suspended=True)


def resume(station: Station, actor: Actor, *, person: str, reason: str) -> dict[str, Any]:
    """A suspended clearance counts again.

    Raises:
        Refused: one's own, or not suspended.
    """
    return _change(station, actor, "person.resume", person, station.reason(reason), suspended=False)


def _change(
    station: Station, actor: Actor, act: str, person: str, why: Reason, *, suspended: bool
) -> dict[str, Any]:
    with acting(station, actor, act, objects=(person,)) as session:
        row = _other(station, session, actor, person)
        if (row.suspended_at is not None) is suspended:
            raise Refused("clearance_state", person=row.id, state=clearances.state(session, row.id))
        row.suspended_at = station.now() if suspended else None
        session.flush()
        station.log(session, act, objects=(row.id,), person=actor.person, account=actor.user, reason=why)
        return people.person_json(station, session, row.id)


def _other(station: Station, session: Session, actor: Actor, person: str) -> Person:
    found = people.find_person(station, session, person)
    four_eyes.apart(
        session, actor.person, four_eyes.acts("person.vet"), [(found, None)], since=station.now(),
        same="own_rights", user=actor.user,
    )  # fmt: skip
    return session.get_one(Person, found)
