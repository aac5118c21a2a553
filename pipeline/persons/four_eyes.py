"""Four eyes: when two persons count as two (roles.md section 2).

Persons are counted, not accounts. Who delegated a role and who holds it for him are one hand in a step that uses that
role; and a role counts for an open batch only if it was held when the batch was proposed.

Threats: one person with two accounts; a role lent to a friendly hand so that it signs the second time; a role granted
in the middle so that somebody fits. Not met: two persons who agree to deceive.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from ...common.errors import Refused
from ...models.tables import Account, Delegation, LedgerEntry
from .actors import Actor

Hand = tuple[str, str | None]
"""A person and the role he acted in; None where it was no role's act."""


def apart(session: Session, actor: Actor, role: str | None, others: Iterable[Hand], *, since: str) -> None:
    """The actor is none of these persons, and no delegation of a role that either used joins him with one of them.

    Args:
        role: in which the actor acts. since: when the matter began, ISO; delegations that ended before do not count.

    Raises:
        Refused: `same_person_twice`, `delegated_hand`.
    """
    known = dict[str, frozenset[str]]()
    for person, used in others:
        if person == actor.person:
            raise Refused("same_person_twice", person=person)
        for name in {role, used} - {None}:
            if name not in known:
                known[str(name)] = joined(session, actor.person, str(name), since)
            if person in known[str(name)]:
                raise Refused("delegated_hand", person=actor.person, other=person)


def joined(session: Session, person: str, role: str, since: str) -> frozenset[str]:
    """Persons who delegated a role to this one, or hold it for him, at any time since then."""
    names = {"principal" if name == "principal_delegate" else name for name in role.split("|")}
    giver, taker = aliased(Account), aliased(Account)
    rows = session.execute(
        select(giver.person_id, taker.person_id)
        .select_from(Delegation)
        .join(giver, giver.user == Delegation.giver)
        .join(taker, taker.user == Delegation.taker)
        .where(
            Delegation.role.in_(names), Delegation.until >= since[:10],
            or_(giver.person_id == person, taker.person_id == person),
        )
    )  # fmt: skip
    return frozenset(name for pair in rows for name in pair) - {person}


def held_then(session: Session, actor: Actor, roles: Iterable[str], *, batch: str, since: str) -> None:
    """The actor had one of the roles when the batch was proposed: a role change never applies to open batches.

    Args:
        roles: those that he may act in now.

    Raises:
        Refused: `role_newer_than_batch`.
    """
    roles = sorted(roles)
    for role in roles:
        own = role in actor.own_roles
        begun = _own_since(session, actor, role) if own else _lent_since(session, actor, role)
        if begun is not None and datetime.fromisoformat(begun) <= datetime.fromisoformat(since):
            return
    raise Refused("role_newer_than_batch", person=actor.person, role="、".join(roles), batch=batch)


def _own_since(session: Session, actor: Actor, role: str) -> str | None:
    """When the account was first granted the role: roles are never taken from an account that stays open."""
    for row in session.scalars(
        select(LedgerEntry).where(LedgerEntry.act == "account.grant").order_by(LedgerEntry.seq)
    ):
        leaf = json.loads(row.leaf)
        if (
            leaf["result"] == "done"
            and leaf["objects"][:1] == [actor.user]
            and role in leaf["facts"]["roles"]
        ):
            return row.at
    return None


def _lent_since(session: Session, actor: Actor, role: str) -> str | None:
    day = session.info["day"]
    return session.scalars(
        select(Delegation.since)
        .where(Delegation.taker == actor.user, Delegation.role == role, Delegation.until >= day)
        .order_by(Delegation.since)
        .limit(1)
    ).first()
