"""Rows of the register for a list: a page of them, and of a whole list how many secrets it would show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session

from ...common.paging import MOST
from ...models.level import Level
from ...models.listed import listed as listed
from ...models.rights import REGISTRARS
from ...models.tables import Document
from ..desk.urgency import urgent_first
from ..persons import access
from ..persons.actors import Actor
from ..station import counts
from ..station.station import Station
from . import searching


def page(
    session: Session, wanted: Sequence[ColumnElement[bool]], place: tuple[int, int, int] | None, offset: int,
    limit: int, *, known: int | None = None,
) -> tuple[list[Document], bool, int]:  # fmt: skip
    """A page of the list, whether there are more, and how many there are in all, counted where it is not `known`."""
    order = (urgent_first(), Document.year, Document.seq)
    total = known
    if total is None:
        total = session.scalar(select(func.count()).select_from(Document).where(*wanted)) or 0
    behind = (tuple_(*order) > tuple_(*place),) if place else ()
    asked = select(Document).where(*wanted, *behind).order_by(*order).limit(limit + 1).offset(offset or None)
    rows = list(session.scalars(asked))
    return rows[:limit], len(rows) > limit, total


def known(session: Session, actor: Actor, *, status: str | None, level: Level | None) -> int | None:
    """How many rows of a state and level there are for whom every row is open, as counted while they came."""
    if not actor.roles & REGISTRARS:
        return None
    return counts.standing(session, "document", level=level.code if level else None, state=status or None)


def ahead(
    station: Station, session: Session, actor: Actor, wanted: Sequence[ColumnElement[bool]], *, query: str | None,
    organ: str | None,
) -> Iterator[Level]:  # fmt: skip
    """The levels of the secrets among all rows of a list: as many as it takes to know whether they are too many."""
    policy, rules = station.policy, station.policy.reading
    secret = [level.code for level in Level if policy.rank(level) >= policy.rank(rules.bulk_from)]
    marked = or_(Document.level_code.in_(secret), Document.interim_code.in_(secret))
    left, place = rules.bulk_rows + 1, None
    if not (query or organ):
        for row in session.scalars(select(Document).where(*wanted, marked).limit(left + MOST)):
            if access.may_see_titles(station, actor, row):
                yield access.protected_as(policy, row)
        return
    while left > 0:
        found = searching.search(
            station, session, query=query, organ=organ, wanted=(*wanted, marked, access.titles_open(station, actor)),
            filtered=True, after=place, offset=0, limit=MOST,
        )  # fmt: skip
        rows = session.scalars(select(Document).where(Document.id.in_(listed(found.ids)))).all()
        yield from (access.protected_as(policy, row) for row in rows)
        left -= len(rows)
        if not found.more:
            return
        last = session.get_one(Document, found.ids[-1])
        place = (last.lane, last.year, last.seq)
