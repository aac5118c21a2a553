"""The reading circle 知悉范围: who may know. The first is set freely by a leader, widening needs an approval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from ..models.tables import CircleMember
from . import access, approvals, people
from .actors import Actor, acting
from .station import Station


def set_circle(station: Station, actor: Actor, *, document: str, persons: Sequence[str]) -> dict[str, Any]:
    """Sets the circle to exactly these persons (ids, or names that are unique).

    Narrowing is free; widening is act `widen_scope` of the matrix (BMF art. 21; 002-C§6).

    Raises:
        Refused: a person's clearance does not reach the document, or `approval_required`.
        NotThere, UsageFault: unknown or ambiguous person.
    """
    with acting(station, actor, "circle.set", objects=(document,)) as session:
        row = access.get_document(session, document)
        wanted = {people.find_person(station, session, person) for person in persons}
        for person in sorted(wanted):
            access.check_clearance(station, session, person, row)
        before = set(access.circle_of(session, document))
        approval = None
        if before and wanted - before:
            approval = approvals.require(
                station, session, act="widen_scope", rows=(row,), recipients=sorted(wanted - before)
            )
        session.execute(delete(CircleMember).where(CircleMember.document_id == document))
        session.add_all(
            CircleMember(document_id=document, person_id=person, by=actor.person, at=station.now())
            for person in sorted(wanted)
        )
        station.log(
            session, "circle.set", objects=(document, *sorted(wanted)), person=actor.person,
            account=actor.user, rule=approval or "", facts={"added": [*sorted(wanted - before)]},
        )  # fmt: skip
        return _json(station, session, document)


def show(station: Station, *, document: str) -> dict[str, Any]:
    """Who stands in the circle."""
    with station.read() as session:
        access.get_document(session, document)
        return _json(station, session, document)


def _json(station: Station, session: Session, document: str) -> dict[str, Any]:
    session.flush()
    persons = access.circle_of(session, document)
    return {
        "document": document,
        "persons": list(persons),
        "names": {person: people.name_of(station, session, person) for person in persons},
    }
