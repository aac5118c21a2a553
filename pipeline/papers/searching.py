"""A search of the register in the order of its list: as many pages of the search book are opened as one page of the
list needs, not as many as have the word.

First what waits and is urgent, row by row, since it is little; then page after page of the book. A page says between
which places its documents stand, so that what was found is told once no page that is still closed can have an earlier
one. A filter with few rows leaves few pages to look at.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from ...models.lane import LAST
from ...models.listed import listed
from ...models.tables import Document, SearchPage
from ..station.station import Station
from . import search_book

_AT_LEAST: Final = 16
"""Pages that are opened in any case: a small register always knows how many it found."""
_FEW: Final = 500
"""Rows of a filter that are looked up one by one in any case; and as many as half of the pages: more are on most."""
_SOME: Final = 200
"""Pages that are named in a question; of more their whole stretch of the book is asked for."""
_AT_ONCE: Final = 8
_NONE: Final = -1
_Place = tuple[int, int, int]
"""Lane, year, number: the order of the list."""


@dataclass(frozen=True, slots=True)
class Found:
    """Documents in the order of the list; how many there are in all, where the whole book was looked through."""

    ids: list[str]
    more: bool
    total: int | None


def search(
    station: Station, session: Session, *, query: str | None, organ: str | None,
    wanted: Sequence[ColumnElement[bool]], filtered: bool, after: _Place | None, offset: int, limit: int,
    known: int | None = None,
) -> Found:  # fmt: skip
    """Documents for which these conditions hold, whose searched words contain `query` and whose organ contains `organ`.

    Args:
        filtered: whether the conditions leave out rows. after: only what stands behind this place. known: how many
            rows they leave at most, where that is known.
    """
    walk = _Walk(station, session, query, organ, tuple(wanted), after)
    pages = walk.pages(filtered, known)
    hits = walk.hits(pages)
    ids = list(islice(hits, offset + limit + 1))
    whole = len(ids) <= offset + limit or len(pages) <= _AT_LEAST
    total = len(ids) + sum(1 for _ in hits) if whole and after is None else None
    return Found(ids[offset : offset + limit], len(ids) > offset + limit, total)


@dataclass(slots=True)
class _Walk:
    station: Station
    session: Session
    query: str | None
    organ: str | None
    wanted: tuple[ColumnElement[bool], ...]
    after: _Place | None

    def pages(self, filtered: bool, known: int | None) -> list[tuple[int, int]]:
        """Pages that may have what is sought: where their documents begin, and the page's number, in that order."""
        chosen = search_book.candidates(self.station, self.session, filter(None, (self.query, self.organ)))
        first = search_book.place(*self.after[1:]) if self.after and self.after[0] == LAST else _NONE
        if filtered and len(chosen) > _AT_LEAST:
            most = max(_FEW, len(chosen) // 2)
            near = self._few(most) if known is None or known <= most else None
            chosen = chosen if near is None else [page for page in chosen if page in near]
            first = max(first, self._first() if near is None else _NONE)
        return sorted(
            (least, page) for least, page, most in self._stretch(chosen) if most is None or most >= first
        )

    def _stretch(self, chosen: Sequence[int]) -> Iterator[tuple[int, int, int | None]]:
        """Where the documents of these pages begin, the page, and where they end."""
        if not chosen:
            return
        some, known = len(chosen) <= _SOME, frozenset(chosen)
        asked = SearchPage.id.in_(chosen) if some else SearchPage.id.between(chosen[0], chosen[-1])
        for least, page, most in self.session.execute(
            select(SearchPage.least, SearchPage.id, SearchPage.most).where(asked)
        ):
            if page in known:
                yield least, page, most

    def hits(self, pages: Sequence[tuple[int, int]]) -> Iterator[str]:
        """Numbers of documents, in order."""
        on = {page for _, page in pages}
        if self.after is None or self.after[0] < LAST:
            for name, page, sealed in self._rows(Document.lane < LAST):
                if (page is None or page in on) and self._has(name, sealed):
                    yield name
        waiting: list[tuple[int, str]] = [
            (search_book.place(year, seq), name)
            for name, sealed, year, seq in self.session.execute(
                select(Document.id, Document.sealed, Document.year, Document.seq).where(
                    Document.search_page.is_(None), *self._ordinary()
                )
            )
            if self._has(name, sealed)
        ]
        heapq.heapify(waiting)
        for start in range(0, len(pages), _AT_ONCE):
            for one in self._on(pages[start : start + _AT_ONCE]):
                heapq.heappush(waiting, one)
            # nothing on a page that is still closed stands before where it begins
            ahead = pages[start + _AT_ONCE][0] if start + _AT_ONCE < len(pages) else None
            while waiting and (ahead is None or waiting[0][0] < ahead):
                yield heapq.heappop(waiting)[1]
        while waiting:
            yield heapq.heappop(waiting)[1]

    def _on(self, pages: Sequence[tuple[int, int]]) -> Iterator[tuple[int, str]]:
        """What these pages have, of rows in the list's last lane."""
        rows = self.session.scalars(select(SearchPage).where(SearchPage.id.in_([page for _, page in pages])))
        named = [
            name
            for page in rows
            for name in search_book.on_page(self.station, self.session, page, self.query, self.organ)
        ]
        if not named:
            return
        for name, year, seq in self.session.execute(
            select(Document.id, Document.year, Document.seq).where(
                Document.id.in_(listed(named)), *self._ordinary()
            )
        ):
            yield search_book.place(year, seq), name

    def _ordinary(self) -> tuple[ColumnElement[bool], ...]:
        return *self.wanted, Document.lane == LAST, *self._behind()

    def _behind(self) -> tuple[ColumnElement[bool], ...]:
        if self.after is None:
            return ()
        lane, year, seq = self.after
        return (
            or_(
                Document.lane > lane,
                and_(
                    Document.lane == lane,
                    or_(Document.year > year, and_(Document.year == year, Document.seq > seq)),
                ),
            ),
        )

    def _rows(self, *more: ColumnElement[bool]) -> Iterator[Any]:
        wanted = (
            select(Document.id, Document.search_page, Document.sealed)
            .where(*self.wanted, *more, *self._behind())
            .order_by(Document.lane, Document.year, Document.seq)
        )
        yield from self.session.execute(wanted, execution_options={"yield_per": 200})

    def _has(self, name: str, sealed: bytes) -> bool:
        words = self.station.unseal(self.session, "document", sealed, bind=name)
        return search_book.has(search_book.texts_of(words), self.query, self.organ)

    def _few(self, most: int) -> frozenset[int | None] | None:
        """The pages of all rows for which the conditions hold, where these are no more than so many."""
        found = self.session.scalars(select(Document.search_page).where(*self.wanted).limit(most + 1)).all()
        return frozenset(found) if len(found) <= most else None

    def _first(self) -> int:
        """Where the first of these rows stands."""
        row = self.session.execute(
            select(Document.year, Document.seq)
            .where(*self.wanted, Document.lane == LAST)
            .order_by(Document.lane, Document.year, Document.seq)
            .limit(1)
        ).first()
        return search_book.place(*row) if row is not None else _NONE
