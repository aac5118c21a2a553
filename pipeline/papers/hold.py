"""Holds 冻结: while one stands, nothing of the document is destroyed. Two persons lift it (roles.md section 2)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from ...common.errors import Refused
from ...models.rights import MAY
from ...models.tables import Hold
from ..persons import access, four_eyes
from ..persons.actors import Actor, acting
from ..station.station import Station
from .documents import document_json


def add_hold(station: Station, actor: Actor, *, document: str, reason: str) -> dict[str, Any]:
    """Puts a hold on a document.

    Raises:
        Refused: the document is destroyed.
    """
    why = station.reason(reason)
    with acting(station, actor, "hold.add", objects=(document,)) as session:
        row = access.get_document(session, document)
        if row.status == "destroyed":
            raise Refused("already_destroyed", document=document)
        session.add(
            Hold(
                document_id=document, by=actor.person, at=station.now(),
                reason_sealed=station.seal(session, "hold", why.sealed_form, bind=document),
            )
        )  # fmt: skip
        session.flush()
        station.log(
            session, "hold.add", objects=(document,), person=actor.person, account=actor.user, reason=why
        )
        return document_json(station, session, row, actor=actor)


def lift_hold(station: Station, actor: Actor, *, document: str, reason: str) -> dict[str, Any]:
    """The first call asks to lift every hold of the document; a second person's call lifts what was asked for.

    Raises:
        Refused: there is none, or the same person twice.
    """
    why = station.reason(reason)
    with acting(station, actor, "hold.lift", objects=(document,)) as session:
        row = access.get_document(session, document)
        holds = session.scalars(
            select(Hold).where(Hold.document_id == document, Hold.lifted_at.is_(None)).order_by(Hold.id)
        ).all()
        if not holds:
            raise Refused("no_hold", document=document)
        actor.role_for(MAY["hold.lift"])
        fresh = [hold for hold in holds if hold.lift_first is None]
        asked = [hold for hold in holds if hold.lift_first not in (None, actor.person)]
        roles = four_eyes.acts("hold.lift")
        for hold in asked or (() if fresh else holds):
            hands = [(str(hold.lift_first), roles)]
            four_eyes.apart(session, actor.person, roles, hands, since=hold.at)
        for hold in asked:
            hold.lifted_by, hold.lifted_at = actor.person, station.now()
        for hold in fresh:
            hold.lift_first = actor.person
        session.flush()
        station.log(
            session, "hold.lift", objects=(document,), person=actor.person, account=actor.user, reason=why,
            facts={"step": 2 if asked else 1, "lifted": len(asked), "asked": len(fresh)},
        )  # fmt: skip
        return document_json(station, session, row, actor=actor)
