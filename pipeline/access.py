"""Who may read what. Denied unless every condition holds (roles.md section 4; BMF art. 21; R-128, R-129)."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from ..common.errors import NotThere, Refused
from ..models.level import Level
from ..models.policy.schema import Policy
from ..models.rights import LEADERS, STAFF
from ..models.tables import CircleMember, Document
from . import approvals, people
from .actors import Actor
from .station import Station


def get_document(session: Session, document: str) -> Document:
    """The register's row.

    Raises:
        NotThere: no such document.
    """
    row = session.get(Document, document)
    if row is None:
        raise NotThere("no_document", document=document)
    return row


def protected_as(policy: Policy, row: Document) -> Level:
    """The level a document is handled at: the higher of its level and its interim level; 内部 before any."""
    level, interim = (Level.parse(code) if code else None for code in (row.level_code, row.interim_code))
    return _higher(policy, level, interim)


def _higher(policy: Policy, level: Level | None, interim: Level | None) -> Level:
    return policy.highest(level, interim) or Level.INTERNAL


def reaches(policy: Policy, clearance: str, level: Level) -> bool:
    """Whether a clearance reaches a level (mapping of the policy)."""
    return policy.reaches(clearance, level)


def circle_of(session: Session, document: str) -> tuple[str, ...]:
    """The persons of the reading circle 知悉范围; empty while none is set."""
    rows = session.scalars(
        select(CircleMember.person_id)
        .where(CircleMember.document_id == document)
        .order_by(CircleMember.person_id)
    )
    return tuple(rows)


def check_clearance(station: Station, session: Session, person: str, row: Document) -> None:
    """The person's clearance reaches the document.

    Raises:
        Refused: it does not.
    """
    level = protected_as(station.policy, row)
    if not reaches(station.policy, people.clearance_of(session, person), level):
        raise Refused("clearance_too_low", person=person, level=level.value, document=row.id)


def check_read(station: Station, session: Session, actor: Actor, row: Document) -> None:
    """May the actor read the text now?

    The room's staff read for handling until a circle is set; the matrix's `read` rows bind everyone else, and
    everyone once it is set.

    Raises:
        Refused: clearance, circle, or a missing approval of act `read`.
    """
    check_clearance(station, session, actor.person, row)
    circle = circle_of(session, row.id)
    if not circle and actor.roles & STAFF:
        return
    if actor.person not in circle:
        raise Refused("not_in_circle", person=actor.person, document=row.id)
    approvals.require(station, session, act="read", rows=(row,), recipients=(actor.person,))


def may_see_row(actor: Actor, circle: tuple[str, ...]) -> bool:
    """Whether a register row shows: to staff and leaders always, to a reader in the circle."""
    return bool(actor.roles & (STAFF | LEADERS)) or actor.person in circle


def visible(actor: Actor, *, column: Any = Document.id) -> ColumnElement[bool]:
    """`may_see_row` as a condition of a query: `column` holds the document's number."""
    if actor.roles & (STAFF | LEADERS):
        return true()
    own = select(CircleMember.document_id).where(CircleMember.person_id == actor.person)
    return cast(ColumnElement[bool], column.in_(own))


def titles_open(station: Station, actor: Actor) -> ColumnElement[bool]:
    """`may_see_titles` as a condition of a query on documents."""
    codes: list[Level | None] = [None, *Level]
    shown = [
        f"{level.code if level else ''}/{interim.code if interim else ''}"
        for level in codes
        for interim in codes
        if reaches(station.policy, actor.clearance, _higher(station.policy, level, interim))
    ]
    pair = func.coalesce(Document.level_code, "") + "/" + func.coalesce(Document.interim_code, "")
    return cast(ColumnElement[bool], pair.in_(shown))


def may_see_titles(station: Station, actor: Actor, row: Document) -> bool:
    """Whether the row's words show: a title is content, so the clearance must reach it."""
    return reaches(station.policy, actor.clearance, protected_as(station.policy, row))
