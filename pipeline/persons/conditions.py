"""What the approval matrix asks beside approvals (`extra`, `execute_by`), kept when an original or copy is handed out.

    in_room_only, reading_room   the place is a reading room of the policy (R-076, R-091)
    named_readers_only           the circle is set, or the approval names its readers (R-065)
    execute_by                   the paper goes to nobody but its keeper, who looks things up (R-092)

Terms of one day (`return_same_day`, `return_immediately`) are kept by the clocks, persons and case numbers by the
movement's own rule. A superior's secret paper is not destroyed here (R-087); paper that goes to the plant or is burnt
goes through a batch of its own (R-119, R-120).
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused
from ...models.physical import SOFT_RANK
from ...models.policy.desk import MovementRule
from ...models.policy.schema import Row
from ...models.tables import Account, Approval, Carrier, Copy, DestructionItem, Document
from ..station.station import Station
from . import access, approvals, subjects

_SHREDDER = "certified_shredder"
IN_ROOM = frozenset({"in_room_only", "reading_room"})


def check(
    station: Station,
    session: Session,
    rule: MovementRule,
    document: Document,
    thing: Carrier | Copy,
    *,
    taker: str | None,
    place: str | None,
    approval: str | None,
) -> None:
    """Whether the conditions of the movement's matrix row hold.

    Raises:
        Refused: `reading_room_only`, `readers_unnamed`, `keeper_only`, `superior_paper`, `paper_needs_batch`.
    """
    if (
        rule.after == "destroyed"
        and isinstance(thing, Carrier)
        and subjects.of_superior(station.policy, document)
    ):
        raise Refused("superior_paper", document=document.id)
    if rule.after == "destroyed" and isinstance(thing, Carrier):
        level = access.protected_as(station.policy, document)
        if station.policy.rank(level) >= SOFT_RANK and station.policy.route(level).paper != _SHREDDER:
            raise Refused("paper_needs_batch", object=thing.id)
    row = approvals.matrix_row(station, rule.approval, document) if rule.approval else None
    if rule.to != "person" or taker is None:
        return
    rooms = station.policy.handling.reading_rooms
    if stays_in_room(rule, row) and (place or "").strip() not in rooms:
        raise Refused("reading_room_only", document=document.id, act=rule.zh, rooms="、".join(rooms))
    if row is None:
        return
    if "named_readers_only" in row.extra and not _named(session, document, approval, taker):
        raise Refused("readers_unnamed", document=document.id)
    if row.execute_by and not _holds(session, taker, row.execute_by):
        raise Refused("keeper_only", document=document.id, roles="、".join(row.execute_by))


def destroyed_by(session: Session, rule: MovementRule, document: Document) -> str | None:
    """The destruction batch that a document went with, when its paper now follows it; None for any other movement."""
    if rule.after != "destroyed" or document.status != "destroyed":
        return None
    return session.scalars(
        select(DestructionItem.destruction_id)
        .where(DestructionItem.item_id == document.id)
        .order_by(DestructionItem.destruction_id.desc())
    ).first()


def stays_in_room(rule: MovementRule | None, row: Row | None) -> bool:
    """Whether what is handed out does not leave the reading room."""
    return (rule is not None and rule.in_room) or (row is not None and bool(IN_ROOM & set(row.extra)))


def _named(session: Session, document: Document, approval: str | None, taker: str) -> bool:
    if taker in access.circle_of(session, document.id):
        return True
    given = session.get(Approval, approval) if approval else None
    return given is not None and taker in given.recipients.split(",")


def _holds(session: Session, person: str, roles: tuple[str, ...]) -> bool:
    accounts = session.scalars(
        select(Account.roles).where(Account.person_id == person, Account.status == "active")
    )
    return any(set(held.split(",")) & set(roles) for held in accounts)
