"""What the approval matrix and clearances ask of the persons of a batch, over all levels in its list."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused
from ...models.certificate import ListItem
from ...models.level import Level
from ...models.tables import Destruction, DestructionAct
from ..persons import access, approvals, clearances
from ..persons.actors import Actor
from ..station.station import Station
from .parts import lines, parts


def needed(station: Station, session: Session, items: Sequence[ListItem]) -> list[str]:
    """The roles that must approve.

    Raises:
        Refused: `act_denied`.
    """
    roles: list[str] = []
    seen: set[str] = set()
    for part, item in lines(session, items, files=False):
        if item.register_no in seen and item.register_no is not None:
            continue
        seen.add(str(item.register_no))
        document = part.documents[item.register_no] if item.register_no is not None else None
        asked = (
            approvals.matrix_row(station, "destroy", document)
            if document is not None
            else station.policy.approval("destroy", Level.parse(str(item.level)))
        )
        if asked.mode == "deny" and not asked.override:
            raise Refused("act_denied", act="destroy", document=item.id, source=asked.source)
        roles += [role for role in approvals.approvers(asked) if role not in roles]
    return roles


def roles_given(session: Session, row: Destruction) -> list[str]:
    """The roles in which the batch was approved so far."""
    return list(
        session.scalars(
            select(DestructionAct.role).where(
                DestructionAct.destruction_id == row.id, DestructionAct.act == "approve"
            )
        )
    )


def missing_role(
    station: Station, session: Session, row: Destruction, items: Sequence[ListItem], actor: Actor
) -> str:
    """The role, still missing, in which the actor approves.

    Raises:
        Refused: none is missing, or not asked of this person.
    """
    given = roles_given(session, row)
    missing = [role for role in needed(station, session, items) if role not in given]
    if not missing:
        raise Refused("destruction_state", batch=row.id, state=row.state)
    for role in missing:
        if approvals.fills(station, actor, role):
            return role
    raise Refused("not_the_approver", person=actor.person, roles="、".join(missing))


def check_cleared(station: Station, session: Session, items: Sequence[ListItem], actor: Actor) -> None:
    """The actor's clearance reaches every line.

    Raises:
        Refused: it does not.
    """
    for part in parts(session, items, files=False):
        access.check_clearances(station, session, actor.person, part.documents.values())
    for item in items:
        if item.register_no is not None:
            continue
        level = Level.parse(str(item.level))
        held = clearances.counts(session, actor.person)
        if not access.reaches(station.policy, held, level):
            raise Refused("clearance_too_low", person=actor.person, level=level.value, document=item.id)
