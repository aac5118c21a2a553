"""A page of the matters of one kind, in the order in which they were opened."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session

from ...common.paging import cut
from ...models.tables import Matter
from . import matters


def of_kind(
    session: Session,
    kind: str,
    *,
    ended: bool,
    limit: int,
    after: str | None,
    only: tuple[ColumnElement[bool], ...] = (),
    newest_first: bool = False,
) -> tuple[list[Matter], dict[str, Any]]:
    """So many matters that are open (with `ended` all) behind this one, and what says whether there are more.

    Raises:
        NotThere: no such matter to go on behind.
    """
    # in the order of the index, not of numbers: those of one kind stand together there
    columns = (Matter.opened_at, Matter.id)
    order = [column.desc() for column in columns] if newest_first else columns
    wanted = select(Matter).where(Matter.kind == kind, *only).order_by(*order)
    if not ended:
        wanted = wanted.where(Matter.state == matters.OPEN)
    if after is not None:
        last = matters.get_matter(session, after)
        here, there = tuple_(*columns), tuple_(last.opened_at, last.id)
        wanted = wanted.where(here < there if newest_first else here > there)
    return cut(session.scalars(wanted.limit(limit + 1)).all(), limit, lambda row: row.id)
