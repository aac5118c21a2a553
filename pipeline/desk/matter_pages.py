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
) -> tuple[list[Matter], dict[str, Any]]:
    """So many matters that are open (with `ended` all) behind this one, and what says whether there are more.

    Raises:
        NotThere: no such matter to go on behind.
    """
    # in the order of the index, not of numbers: those of one kind stand together there
    wanted = select(Matter).where(Matter.kind == kind, *only).order_by(Matter.opened_at, Matter.id)
    if not ended:
        wanted = wanted.where(Matter.state == matters.OPEN)
    if after is not None:
        last = matters.get_matter(session, after)
        wanted = wanted.where(tuple_(Matter.opened_at, Matter.id) > tuple_(last.opened_at, last.id))
    return cut(session.scalars(wanted.limit(limit + 1)).all(), limit, lambda row: row.id)
