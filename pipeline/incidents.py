"""Incidents: a broken seal, a lost copy, a paper above the station's level. Each is followed to its end (R-104, R-173).

While one stands open, nothing of its document is destroyed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from ..common.errors import NotThere, Refused
from ..models.tables import Incident
from .actors import Actor, acting
from .station import Station


def list_incidents(station: Station) -> dict[str, Any]:
    """All incidents, open ones first."""
    with station.read() as session:
        rows = session.scalars(select(Incident).order_by(Incident.state.desc(), Incident.id))
        return {"incidents": [_json(row) for row in rows]}


def close_incident(station: Station, actor: Actor, *, incident: str, reason: str) -> dict[str, Any]:
    """A leader closes an incident with its conclusion.

    Raises:
        NotThere: no such incident. Refused: closed already, or opened by the same person.
    """
    why = station.reason(reason)
    with acting(station, actor, "incident.close", objects=(incident,)) as session:
        row = session.get(Incident, incident)
        if row is None:
            raise NotThere("no_incident", incident=incident)
        if row.state != "open":
            raise Refused("incident_closed", incident=incident)
        if row.by == actor.person:
            raise Refused("own_request", person=actor.person)
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
        "by": row.by, "state": row.state,
    }  # fmt: skip
