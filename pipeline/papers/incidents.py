"""Incidents: a broken seal, a lost copy, a paper above the station's level. Each is followed to its end (R-104, R-173).

While one stands open, nothing of its document is destroyed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from ...common.errors import NotThere, Refused
from ...common.paging import PAGE, cut
from ...models.level import Level
from ...models.tables import Incident, Matter, MatterItem
from ..persons import four_eyes
from ..persons.actors import Actor, acting
from ..station.station import Reason, Station
from .documents import level_name

WORDS = "incident"
"""Purpose under which an incident's words are sealed."""


def open_incident(
    station: Station,
    session: Session,
    actor: Actor | None,
    kind: str,
    *,
    objects: tuple[str, ...],
    document: str | None = None,
    copy: str | None = None,
    level: Level | None = None,
    at: str | None = None,
    why: Reason | None = None,
    act: str = "incident.open",
) -> str:
    """Opens an incident in the transaction of the act that found it; its number. `objects` stand in the ledger.

    Args:
        actor: who found it; None: a clock. at: since when it is so, ISO; now, unless said.
        act: of the ledger's entry, where the act that found it has one of its own.
    """
    incident = f"I{station.next_number(session, 'incident'):05d}"
    session.add(
        Incident(
            id=incident, kind=kind, document_id=document, copy_id=copy, level_code=level.code if level else None,
            at=at or station.now(), by=actor.person if actor else None,
            sealed=station.seal(session, "incident", why.sealed_form, bind=incident) if why else None,
        )
    )  # fmt: skip
    station.log(
        session, act, objects=(incident, *objects), person=actor.person if actor else None,
        account=actor.user if actor else None, reason=why, facts={"kind": kind},
    )  # fmt: skip
    return incident


def list_incidents(station: Station, *, limit: int = PAGE, after: str | None = None) -> dict[str, Any]:
    """All incidents, open ones first; those that time alone brought about are opened before."""
    from ..desk import lateness

    with station.write() as session:
        lateness.open_late(station, session)
        wanted = select(Incident).order_by(Incident.state.desc(), Incident.id).limit(limit + 1)
        if after is not None:
            last = session.get(Incident, after)
            if last is None:
                raise NotThere("no_incident", incident=after)
            behind = and_(Incident.state == last.state, Incident.id > last.id)
            wanted = wanted.where(or_(Incident.state < last.state, behind))
        rows, rest = cut(session.scalars(wanted).all(), limit, lambda row: row.id)
        return {"incidents": [_json(row) for row in rows], **rest}


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
        _not_handled(session, incident)
        if row.by is not None:
            role, by = four_eyes.acts("incident.close"), [(row.by, None)]
            four_eyes.apart(session, actor.person, role, by, since=row.at, same="own_request")
        row.state = "closed"
        row.sealed = station.seal(
            session,
            WORDS,
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


def _not_handled(session: Session, incident: str) -> None:
    """No open matter follows it: that one ends it."""
    wanted = (
        select(Matter.id)
        .join(MatterItem, MatterItem.matter_id == Matter.id)
        .where(Matter.state == "open", MatterItem.object_kind == "incident", MatterItem.object_id == incident)
    )
    matter = session.scalars(wanted.limit(1)).first()
    if matter is not None:
        raise Refused("incident_handled", incident=incident, matter=matter)


def _words(station: Station, session: Any, row: Incident) -> dict[str, Any]:
    return station.unseal(session, WORDS, row.sealed, bind=row.id) if row.sealed else {}


def _json(row: Incident) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "document": row.document_id, "copy": row.copy_id, "at": row.at,
        "by": row.by, "state": row.state, "level": level_name(row.level_code),
    }  # fmt: skip
