"""Deputies: who receives papers for a reader who is away, from day to day (roles.md section 1; 002-C§7, 004-C§1.3).

A deputy stands for a member of the circle where the policy lets (`reading.deputy_levels`, never 绝密), within the
deputy's own clearance, and only in those days. Approvers hand their role on by `account delegate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import NotThere, Refused
from ...common.paging import PAGE, cut
from ...models.rights import LEADERS
from ...models.tables import Deputy
from ..station.station import Station
from . import people
from .actors import Actor, acting


def appoint(
    station: Station, actor: Actor, *, person: str, deputy: str, until: date, since: date | None = None
) -> dict[str, Any]:
    """Names a deputy for the days from `since` (today) to `until`: by who will be away, or by a leader.

    Raises:
        Refused: somebody else's, oneself as the deputy, days that are over or in the wrong order; a leader who names
            himself for another.
        NotThere, UsageFault: unknown or ambiguous person.
    """
    with acting(station, actor, "person.deputy", objects=(person, deputy)) as session:
        away = people.find_person(station, session, person)
        stands_in = people.find_person(station, session, deputy)
        first = since or today(station.clock)
        if away != actor.person and not actor.roles & LEADERS:
            raise Refused("not_your_papers", person=away)
        if away == stands_in or (away != actor.person and stands_in == actor.person):
            raise Refused("deputy_oneself", person=stands_in)
        if until < max(first, today(station.clock)):
            raise Refused("date_past", date=until.isoformat())
        row = Deputy(
            person_id=away, deputy_id=stands_in, since=first.isoformat(), until=until.isoformat(),
            by=actor.person, at=station.now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        station.log(
            session, "person.deputy", objects=(away, stands_in), person=actor.person, account=actor.user,
            facts={"deputy": row.id, "since": row.since, "until": row.until},
        )  # fmt: skip
        return _json(station, session, row)


def end(station: Station, actor: Actor, *, deputy: int) -> dict[str, Any]:
    """Ends it before its time: by who was away, or by a leader.

    Raises:
        NotThere: no such deputy. Refused: somebody else's, or ended already.
    """
    with acting(station, actor, "person.deputy", objects=()) as session:
        row = session.get(Deputy, deputy)
        if row is None:
            raise NotThere("no_deputy", deputy=deputy)
        if row.person_id != actor.person and not actor.roles & LEADERS:
            raise Refused("not_your_papers", person=row.person_id)
        if row.ended_at is not None:
            raise Refused("deputy_ended", deputy=deputy)
        row.ended_at = station.now()
        station.log(
            session, "person.deputy", objects=(row.person_id, row.deputy_id), person=actor.person,
            account=actor.user, facts={"deputy": row.id, "ended": True},
        )  # fmt: skip
        return _json(station, session, row)


def list_deputies(
    station: Station, actor: Actor, *, ended: bool = False, limit: int = PAGE, after: str | None = None
) -> dict[str, Any]:
    """Who stands in for whom, now and from a later day on; with `ended` those that are over, too. A leader or the
    room's desk sees all, everyone else his own. `after`: goes on behind the one of this number.
    """
    with station.read() as session:
        wanted = select(Deputy).order_by(Deputy.since, Deputy.id)
        if not ended:
            wanted = wanted.where(Deputy.ended_at.is_(None), Deputy.until >= session.info["day"])
        if not actor.roles & (LEADERS | {"jiyao_clerk", "secadmin", "head_of_room"}):
            own = (Deputy.person_id == actor.person, Deputy.deputy_id == actor.person)
            wanted = wanted.where(or_(*own))
        if after is not None:
            last = session.get(Deputy, int(after) if after.isdigit() else 0)
            if last is None:
                raise NotThere("no_deputy", deputy=after)
            wanted = wanted.where(tuple_(Deputy.since, Deputy.id) > tuple_(last.since, last.id))
        rows, rest = cut(session.scalars(wanted.limit(limit + 1)).all(), limit, lambda row: str(row.id))
        return {"deputies": [_json(station, session, row) for row in rows], **rest}


def away(session: Session, deputy: str, members: Sequence[str]) -> str | None:
    """One of these persons for whom this one receives today."""
    day = session.info["day"]
    return session.scalars(
        select(Deputy.person_id)
        .where(
            Deputy.deputy_id == deputy, Deputy.person_id.in_(members), Deputy.since <= day, Deputy.until >= day,
            Deputy.ended_at.is_(None),
        )
        .order_by(Deputy.id)
        .limit(1)
    ).first()  # fmt: skip


def _json(station: Station, session: Session, row: Deputy) -> dict[str, Any]:
    return {
        "id": row.id, "person": row.person_id, "name": people.name_of(station, session, row.person_id),
        "deputy": row.deputy_id, "deputy_name": people.name_of(station, session, row.deputy_id),
        "since": row.since, "until": row.until, "by": row.by, "ended_at": row.ended_at,
    }  # fmt: skip
