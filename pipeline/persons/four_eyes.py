"""Four eyes: when two persons count as two (roles.md section 2). The one place that decides it.

Persons are counted, not accounts. Who delegated a role and who holds it for him are one hand in a step that uses that
role, and so are two who hold the same person's role for him; and a role counts for an open batch only if it was held
when the batch was proposed. Whatever in the product compares persons because two are asked for calls `apart`,
`same_hand` or `hands`.

Threats: one person with two accounts; a role lent to a friendly hand so that it signs the second time; a role granted
in the middle so that somebody fits. Not met: two persons who agree to deceive.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from ...common.errors import Refused
from ...models.rights import MAY
from ...models.tables import Account, Delegation, LedgerEntry

if TYPE_CHECKING:
    from .actors import Actor

Hand = tuple[str, str | None]
"""A person and the role he acted in (`a|b`: in one of these); None where it was no role's act."""
ANY = "*"
"""Whatever role: for what is done in person and not by a role, such as carrying a bag."""


def apart(
    session: Session,
    person: str,
    role: str | None,
    others: Iterable[Hand],
    *,
    since: str,
    same: str = "same_person_twice",
    user: str = "",
) -> None:
    """The person is none of these, and no delegation of a role that either used joins him with one of them.

    Args:
        role: in which the person acts (`a|b`: in one of these).
        since: when the matter began, ISO; delegations that ended before do not count.
        same: the code of the refusal where he is one of them, `user`: for its message.

    Raises:
        Refused: `same`, `delegated_hand`.
    """
    known = dict[str, frozenset[str]]()
    for other, used in others:
        if other == person:
            raise Refused(same, person=person, user=user)
        for name in {role, used} - {None}:
            if name not in known:
                known[str(name)] = joined(session, person, str(name), since)
            if other in known[str(name)]:
                raise Refused("delegated_hand", person=person, other=other)


def acts(*names: str) -> str:
    """All roles that reach one of these acts: for records that keep the person and not the role."""
    return "|".join(sorted(frozenset[str]().union(*(MAY[name] for name in names))))


def same_hand(session: Session, one: str, other: str, roles: str | None, *, since: str) -> bool:
    """Whether two names stand for one hand, where neither of them is the one who acts now."""
    return one == other or (roles is not None and other in joined(session, one, roles, since))


def hands(session: Session, persons: Iterable[str], *, since: str, roles: str = ANY) -> int:
    """How many hands these persons are together."""
    counted: list[str] = []
    for person in persons:
        if not any(same_hand(session, person, other, roles, since=since) for other in counted):
            counted.append(person)
    return len(counted)


def joined(session: Session, person: str, role: str, since: str) -> frozenset[str]:
    """Persons who delegated a role to this one, hold it for him, or hold it with him for the same giver, at any time
    since then.
    """
    names = {"principal" if name == "principal_delegate" else name for name in role.split("|")}
    giver, taker = aliased(Account), aliased(Account)
    rows = session.execute(
        select(giver.person_id, taker.person_id)
        .select_from(Delegation)
        .join(giver, giver.user == Delegation.giver)
        .join(taker, taker.user == Delegation.taker)
        .where(
            Delegation.until >= since[:10],
            *(() if role == ANY else (Delegation.role.in_(names),)),
        )
    ).all()  # fmt: skip
    givers = {lent for lent, held in rows if held == person}
    return frozenset(
        name for lent, held in rows if person in (lent, held) or lent in givers for name in (lent, held)
    ) - {person}


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
