"""The reading circle 知悉范围: who may know. The first is set freely by a leader, widening needs an approval."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.tables import CircleMember, Document
from ..papers.documents import words_of
from ..station.station import Station
from . import access, approvals, people
from .actors import Actor, acting

SCOPE_FIXED = "scope_fixed"
"""Word of a document: the limits that its issuer set to the circle, where it did."""


def set_circle(
    station: Station, actor: Actor, *, document: str, persons: Sequence[str], until: date | None = None
) -> dict[str, Any]:
    """Sets the circle to exactly these persons (ids, or names that are unique).

    Narrowing is free; widening is act `widen_scope` of the matrix (BMF art. 21; 002-C§6); who approves it is
    the unit's choice `secret_reuse_of_scope`.

    Raises:
        Refused: the issuer fixed the scope, a person's clearance does not reach the document, or `approval_required`.
        NotThere, UsageFault: unknown or ambiguous person.
    """
    with acting(station, actor, "circle.set", objects=(document,)) as session:
        row = access.get_document(session, document)
        put(station, session, actor, row, persons, until=until)
        return _json(station, session, document)


def put(
    station: Station,
    session: Session,
    actor: Actor,
    row: Document,
    persons: Sequence[str],
    *,
    matter: str | None = None,
    by_issuer: bool = False,
    until: date | None = None,
) -> frozenset[str]:
    """Makes these persons the circle; who was in it before and is no more.

    Args:
        matter: by which it was decided. by_issuer: the issuer itself changed the scope, in writing.
        until: the last day for those who are in it from now on; who was in it before keeps his own.

    Raises:
        Refused: `scope_fixed`, only the issuer widens what it fixed (BMF art. 21). As `set_circle`.
    """
    wanted = {people.find_person(station, session, person) for person in persons}
    if not wanted:
        raise UsageFault("circle_empty", document=row.id)
    for person in sorted(wanted):
        access.check_clearance(station, session, person, row)
    if until is not None and until.isoformat() < session.info["day"]:
        raise Refused("date_past", date=until.isoformat())
    before, first = set(access.circle_of(session, row.id)), not access.circle_set(session, row.id)
    lasts = access.circle_days(session, row.id)
    approval = None
    if not first and wanted - before and not by_issuer:
        if words_of(station, session, row).get(SCOPE_FIXED):
            raise Refused("scope_fixed", document=row.id)
        approval = approvals.require(
            station, session, act="widen_scope", rows=(row,), recipients=sorted(wanted - before)
        )
    session.execute(delete(CircleMember).where(CircleMember.document_id == row.id))
    last = until.isoformat() if until else None
    session.add_all(
        CircleMember(
            document_id=row.id, person_id=person, by=actor.person, at=station.now(),
            until=lasts[person] if person in before else last,
        )
        for person in sorted(wanted)
    )  # fmt: skip
    station.log(
        session, "circle.set", objects=tuple(filter(None, (row.id, matter, *sorted(wanted)))), person=actor.person,
        account=actor.user, rule=approval or "", facts={"added": [*sorted(wanted - before)], "until": last},
    )  # fmt: skip
    session.flush()
    return frozenset(before - wanted)


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
        "until": {person: last for person, last in access.circle_days(session, document).items() if last},
        "names": {person: people.name_of(station, session, person) for person in persons},
    }
