"""What a new document must know of registered ones: those it cites, encloses, repeats (派生定密; 实施条例 art. 18)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from ...models.fields import OfficialFields
from ...models.level import Level
from ...models.passage import Prints
from ...models.suggestion import RelatedDocument, Relations
from ...models.tables import Document
from ..levels.periods import parse_period
from ..papers.documents import words_of
from ..station.station import Station
from .passages import ALIVE, by_passages, by_titles, same_title


class RelationIndex:
    """The registered document numbers, read once and kept up as documents come in."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._last = (0, 0)
        self._by_number: dict[str, str] = {}

    def of(
        self, session: Session, fields: OfficialFields, cited: Iterable[str], prints: Prints, *,
        without: Collection[str] = (),
    ) -> Relations:  # fmt: skip
        """The registered documents that a paper cites by number or title, encloses, or repeats, as they stand now.

        `without`: documents that it replaces. Each document once; of several ways the first of: attachment, passages,
        citation.
        """
        titles = dict.fromkeys(prints.titles, "cited") | dict.fromkeys(fields.attachments, "attachment")
        titles = {title: how for title, how in titles.items() if not same_title(title, fields.title)}
        by_title = by_titles(self._station, session, titles, without=without)
        found = (
            *(one for one in by_title if one.how == "attachment"),
            *by_passages(self._station, session, prints, without=without),
            *self._by_number_of(session, cited, fields.doc_number, without),
            *by_title,
        )
        once: dict[str, RelatedDocument] = {}
        for one in found:
            once.setdefault(one.document, one)
        return Relations(related=tuple(once.values()))

    def _by_number_of(
        self, session: Session, cited: Iterable[str], own_number: str | None, without: Collection[str]
    ) -> list[RelatedDocument]:
        # the words of the letterhead may cling to the own number
        own = own_number or "\0"
        wanted = [number for number in dict.fromkeys(cited) if not number.endswith(own)]
        if not wanted:
            return []
        self._catch_up(session)
        related = []
        for found in wanted:
            document = self._lookup(found)
            if document is None or document in without:
                continue
            row = session.get_one(Document, document)
            if row.level_code is None or row.status not in ALIVE:
                continue
            related.append(
                RelatedDocument(
                    document=document,
                    doc_number=found,
                    level=Level.parse(row.level_code),
                    period=parse_period(row.period) if row.period else None,
                    ends=row.secrecy_until,
                    how="cited",
                )
            )
        return related

    def learn(self, document: str, number: str | None) -> None:
        """A document that was just registered, also in a row that stood there before."""
        if number:
            self._by_number[number] = document

    def _lookup(self, cited: str) -> str | None:
        """The document of a cited number; leading words of the sentence may cling to it."""
        for start in range(len(cited)):
            if cited[start] == "〔":
                break
            if document := self._by_number.get(cited[start:]):
                return document
        return None

    def _catch_up(self, session: Session) -> None:
        rows = session.scalars(
            select(Document)
            .where(tuple_(Document.year, Document.seq) > self._last)
            .order_by(Document.year, Document.seq)
        )
        for row in rows:
            self._last = (row.year, row.seq)
            number = words_of(self._station, session, row).get("doc_number")
            if number:
                self._by_number[number] = row.id
