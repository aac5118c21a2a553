"""The rows of the key tree, read and written one path at a time.

Every write replaces exactly the bytes that were read: a page that somebody else wrote meanwhile is never overwritten.
The same statements serve SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection, Table, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..common.errors import Unexpected
from ..models.tables import KeyBranch, KeyGroup, KeyPage
from .tree_page import place_of

Source = Session | Connection
_PAGES = cast(Table, KeyPage.__table__)
_GROUPS = cast(Table, KeyGroup.__table__)
_ROWS = select(_PAGES.c.place, _PAGES.c.epoch, _PAGES.c.sealed)
_SOME = _ROWS.where(_PAGES.c.place.in_(bindparam("places", expanding=True)))
_SPAN = _ROWS.where(
    _PAGES.c.place.between(bindparam("first"), bindparam("last")), _PAGES.c.epoch == bindparam("of")
).order_by(_PAGES.c.place)


def connected(source: Source) -> Connection:
    """The connection of a transaction: what has no objects needs no session."""
    return source.connection() if isinstance(source, Session) else source


@dataclass(frozen=True, slots=True)
class PageRow:
    """A page as its row holds it."""

    place: int
    epoch: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A row to be written over `old`."""

    old: PageRow
    epoch: int
    sealed: bytes


def read_pages(source: Source, places: Collection[int]) -> dict[int, PageRow]:
    """The pages in these places, as far as there are rows: at most 256 at once."""
    if not places:
        return {}
    found = connected(source).execute(_SOME, {"places": sorted(places)})
    return {place: PageRow(place, epoch, bytes(sealed)) for place, epoch, sealed in found}


def read_span(source: Source, first: int, last: int, *, epoch: int) -> list[PageRow]:
    """The pages from `first` to `last` whose keys are of this epoch, ascending."""
    found = connected(source).execute(_SPAN, {"first": first, "last": last, "of": epoch})
    return [PageRow(place, row_epoch, bytes(sealed)) for place, row_epoch, sealed in found]


def last_leaf(source: Source, branch: int) -> int:
    """The number of the branch's last leaf page; -1 when it has none."""
    first = place_of(branch, 0, 0)
    place = source.scalar(
        select(func.max(KeyPage.place)).where(KeyPage.place.between(first, place_of(branch, 1, 0) - 1))
    )
    return -1 if place is None else int(place) - first


def nearest_leaves(source: Source, branch: int, page: int, count: int) -> list[int]:
    """Numbers of up to `count` leaf pages of the branch, around `page`."""
    first = place_of(branch, 0, max(0, page - count // 2))
    places = source.scalars(
        select(KeyPage.place)
        .where(KeyPage.place.between(first, place_of(branch, 1, 0) - 1))
        .order_by(KeyPage.place)
        .limit(count)
    )
    return [int(place) & 0xFFFFFFFF for place in places]


def insert_pages(session: Session, rows: Sequence[PageRow]) -> None:
    """Writes pages that are new.

    Raises:
        Unexpected: `key_store_raced`, when a place is taken.
    """
    if not rows:
        return
    values = [{"place": row.place, "epoch": row.epoch, "sealed": row.sealed} for row in rows]
    try:
        session.connection().execute(insert(_PAGES), values)
    except IntegrityError as error:
        raise Unexpected("key_store_raced") from error


def rewrite_pages(session: Session, changes: Sequence[Rewrite]) -> None:
    """Writes each page over exactly the former one.

    Raises:
        Unexpected: `key_store_raced`, when another process wrote in between.
    """
    if not changes:
        return
    statement = (
        update(_PAGES)
        .where(
            _PAGES.c.place == bindparam("at"), _PAGES.c.epoch == bindparam("was"), _PAGES.c.sealed == bindparam("held")
        )
        .values(epoch=bindparam("now"), sealed=bindparam("new"))
    )  # fmt: skip
    values = [
        {
            "at": change.old.place, "was": change.old.epoch, "held": change.old.sealed, "now": change.epoch,
            "new": change.sealed,
        }
        for change in changes
    ]  # fmt: skip
    if session.connection().execute(statement, values).rowcount != len(changes):
        raise Unexpected("key_store_raced")


# ---------------------------------------------------------------- names of branches and groups


def branch_named(source: Source, name: str) -> int | None:
    """The number of a branch."""
    return source.scalar(select(KeyBranch.number).where(KeyBranch.name == name))


def name_branch(session: Session, number: int, name: str) -> None:
    """Keeps the name of a new branch."""
    session.connection().execute(insert(KeyBranch), [{"number": number, "name": name}])


def group_page(source: Source, branch: int, name: str) -> int | None:
    """The leaf page that takes the group's next key, as the hint says."""
    wanted = select(KeyGroup.page).where(KeyGroup.branch == branch, KeyGroup.name == name)
    return source.scalar(wanted)


def keep_group(session: Session, branch: int, name: str, page: int, *, known: bool) -> None:
    """Keeps the hint."""
    if known:
        session.connection().execute(
            update(_GROUPS).where(_GROUPS.c.branch == branch, _GROUPS.c.name == name).values(page=page)
        )
    else:
        session.connection().execute(insert(KeyGroup), [{"branch": branch, "name": name, "page": page}])
