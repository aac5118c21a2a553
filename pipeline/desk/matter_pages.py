"""A page of the matters of one kind, in the order in which they were opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session

from ...common.paging import cut
from ...models.listed import listed
from ...models.tables import Carrier, Copy, Document, Matter, MatterItem, Person
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


@contextmanager
def at_hand(session: Session, rows: Sequence[Matter]) -> Iterator[None]:
    """Meanwhile the session has at hand what these matters name: originals, copies, persons, and the documents. They
    are read at once, not one by one.
    """
    items = session.execute(
        select(MatterItem.object_kind, MatterItem.object_id).where(
            MatterItem.matter_id.in_([row.id for row in rows])
        )
    ).all()
    carriers, copies, persons = (
        _of(session, table, {name for kind, name in items if kind == wanted})
        for wanted, table in (("carrier", Carrier), ("copy", Copy), ("person", Person))
    )
    named = {name for kind, name in items if kind == "document"}
    of_things = {thing.document_id for thing in (*rows, *carriers, *copies) if thing.document_id}
    held = [*carriers, *copies, *persons, *_of(session, Document, named | of_things)]
    yield
    held.clear()


def _of(session: Session, table: Any, names: set[str]) -> list[Any]:
    if not names:
        return []
    return list(session.scalars(select(table).where(table.id.in_(listed(sorted(names))))))
