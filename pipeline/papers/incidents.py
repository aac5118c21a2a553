"""Incidents: a broken seal, a lost copy, a paper above the station's level. Each is followed to its end (R-104, R-173).

While one stands open, nothing of its document is destroyed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import NotThere, Refused
from ...models.level import Level
from ...models.tables import Incident
from ..persons import four_eyes
from ..persons.actors import Actor, acting
from ..station.station import Reason, Station
from .documents import level_name


def open_incident(
    station: Station,
    session: Session,
    actor: Actor,
    kind: str,
    *,
    objects: tuple[str, ...],
    document: str | None = None,
    copy: str | None = None,
    level: Level | None = None,
    why: Reason | None = None,
    act: str = "incident.open",
) -> str:
    """Opens an incident in the transaction of the act that found it; its number.

    Args:
        objects: stand in the ledger. act: of the ledger's entry, where the act that found it has one of its own.
    """
    incident = f"I{station.next_number(session, 'incident'):05d}"
    session.add(
        Incident(
            id=incident, kind=kind, document_id=document, copy_id=copy,
            level_code=level.code if level else None, at=station.now(), by=actor.person,
            sealed=station.seal(session, "incident", why.sealed_form, bind=incident) if why else None,
        )
    )  # fmt: skip
    station.log(
        session, act, objects=(incident, *objects), person=actor.person, account=actor.user, reason=why,
        facts={"kind": kind},
    )  # fmt: skip
    return incident


def list_incidents(station: Station) -> dict[str, Any]:
    """All incidents, open ones first."""
    with station.read() as session:
        rows = session.scalars(select(Incident).order_by(Incident.state.desc(), Incident.id))
        return {"incidents": [_json(row) for row in rows]}


def close_incident(station: Station, actor: Actor, *, incident: str, reason: str) -> dict[str, Any]:
    """A leader closes an incident with its conclusion.

    Raises:
        NotThere: no such incident. Refused: closed already, or opened by the same hand.
    """
    why = station.reason(reason)
    with acting(station, actor, "incident.close", objects=(incident,)) as session:
        row = session.get(Incident, incident)
        if row is None:
            raise NotThere("no_incident", incident=incident)
        if row.state != "open":
            raise Refused("incident_closed", incident=incident)
        role = four_eyes.acts("incident.close")
        four_eyes.apart(
            session, actor.person, role, [(str(row.by), None)], since=row.at, same="own_request"
        )  # fmt: skip
        row.state = "closed"
        row.sealed = station.seal(
            session,
            "incident",
            {**_words(station, session, row), "conclusion": why.sealed_form},
            bind=row.id,
        )
        station.log(
            session,
            "incident.close",
            objects=(incident,),
            person=actor.person,
            account=actor.user,
            reason=why,
        )
        return _json(row)


def _words(station: Station, session: Any, row: Incident) -> dict[str, Any]:
    return station.unseal(session, "incident", row.sealed, bind=row.id) if row.sealed else {}


def _json(row: Incident) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "document": row.document_id, "copy": row.copy_id, "at": row.at,
        "by": row.by, "state": row.state, "level": level_name(row.level_code),
    }  # fmt: skip
