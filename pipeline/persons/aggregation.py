"""Aggregation 汇聚: many secrets in one list say more than each of them (BMF art. 36; roles.md section 4).

A list, search or register that shows the words of more papers of the policy's level than its bound needs a leader's
approval: a matter `bulk_access`, opened by who wants it and decided by another, that names the list and what it is for.
The list finds it by itself; it holds for that person, that list, and the policy's days.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import Refused
from ...models.level import Level
from ...models.tables import Matter
from ..desk import matters
from ..station.station import Station
from .actors import Actor

KIND = "bulk_access"


def check(station: Station, session: Session, actor: Actor, what: str, levels: Iterable[Level]) -> str | None:
    """As `allowed`.

    Raises:
        Refused: `bulk_approval_required`.
    """
    found = allowed(station, session, actor, what, levels)
    if isinstance(found, Refused):
        raise found
    return found


def allowed(
    station: Station, session: Session, actor: Actor, what: str, levels: Iterable[Level]
) -> str | Refused | None:
    """The approval of a list of papers protected at these levels; None where it needs none; the refusal where one is
    missing.

    Args:
        what: `documents`, or the register's name.
    """
    policy, rules = station.policy, station.policy.reading
    least = policy.rank(rules.bulk_from)
    rows = sum(policy.rank(level) >= least for level in levels)
    if rows <= rules.bulk_rows:
        return None
    since = (today(station.clock) - timedelta(days=rules.bulk_days)).isoformat()
    for matter in session.scalars(
        select(Matter)
        .where(
            Matter.kind == KIND, Matter.state == matters.CLOSED, Matter.opened_by == actor.person,
            Matter.closed_at >= since,
        )
        .order_by(Matter.id.desc())
    ):  # fmt: skip
        if matters.words_of(station, session, matter).get("what") == what:
            return matter.id
    return Refused("bulk_approval_required", rows=rows, most=rules.bulk_rows, level=rules.bulk_from.value)
