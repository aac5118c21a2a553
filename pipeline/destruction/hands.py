"""Whose hands act on a destruction batch: signed statements, and persons who must differ (roles.md section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.certificate import Act, Statement
from ...models.tables import Destruction, DestructionAct
from ..persons import approvals, four_eyes
from ..persons.actors import Actor
from ..station.station import Station


def sign(
    station: Station,
    session: Session,
    actor: Actor,
    row: Destruction,
    act: Act,
    role: str,
    *,
    place: str | None = None,
    outcomes: str | None = None,
    accepts: Sequence[str] = (),
) -> None:
    """The person's own signed statement about the batch, kept for the certificate.

    `accepts`: codes of the reservations that the person accepts by it.

    Raises:
        Refused: `role_newer_than_batch`, `delegated_hand`.
    """
    if act != "propose":
        held = [own for own in actor.roles if approvals.satisfied_by(station, role, (own,))]
        four_eyes.held_then(session, actor, held, batch=row.id, since=row.proposed_at)
    four_eyes.apart(session, actor.person, role, _other_hands(session, row, actor), since=row.proposed_at)
    at = station.now()
    statement = Statement(
        act=act, role=role, batch=row.id, list_sha256=row.list_sha256, at=at, person=actor.person, place=place,
        outcomes_sha256=outcomes, accepts=tuple(accepts),
    ).to_bytes()  # fmt: skip
    session.add(
        DestructionAct(
            destruction_id=row.id, act=act, person=actor.person, role=role, at=at, statement=statement,
            signature=actor.sign(statement),
        )
    )  # fmt: skip
    session.flush()


def _other_hands(session: Session, row: Destruction, actor: Actor) -> list[four_eyes.Hand]:
    """Everyone else who has acted on the batch; where one person may act twice is each step's own rule."""
    rows = session.execute(
        select(DestructionAct.person, DestructionAct.role).where(
            DestructionAct.destruction_id == row.id, DestructionAct.person != actor.person
        )
    )
    return [(person, role) for person, role in rows]


def persons(session: Session, row: Destruction, acts: Iterable[str]) -> list[str]:
    """The persons who did any of these acts."""
    return list(
        session.scalars(
            select(DestructionAct.person)
            .where(DestructionAct.destruction_id == row.id, DestructionAct.act.in_(tuple(acts)))
            .order_by(DestructionAct.id)
        )
    )


def not_again(session: Session, row: Destruction, act: Act, actor: Actor) -> None:
    """The person has not done this act of the batch yet.

    Raises:
        Refused: `same_person_twice`.
    """
    check_apart(session, row, actor, (act,), same="same_person_twice")


def check_apart(
    session: Session,
    row: Destruction,
    actor: Actor,
    acts: Sequence[str],
    *,
    same: str = "persons_apart",
    also: Sequence[str] = (),
) -> None:
    """The person has done none of these acts and is none of those named as well; whose hand he is, `sign` looks at
    over all acts.

    Raises:
        Refused: `same`.
    """
    hands = [(person, None) for person in (*persons(session, row, acts), *also)]
    four_eyes.apart(session, actor.person, None, hands, since=row.proposed_at, same=same)
