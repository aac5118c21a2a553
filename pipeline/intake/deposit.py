"""What papers that go into the register in one transaction share: files made durable at once, rows and ledger entries
written at once. Sixteen papers so cost the database little more than one.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ...models.ledger_entry import Entry
from ...models.passage import Prints
from ...models.tables import Artefact, Base, Clear, Document, Event
from ...vault.blob import BlobRef, Unsynced
from ..papers import search_book
from ..station.station import Station
from . import passages

_WRITTEN: tuple[type[Base], ...] = (Artefact, Event, Clear)
"""In this order."""


class Deposit:
    """One transaction's. `close` is to be called before it commits."""

    def __init__(
        self,
        station: Station,
        session: Session,
        *,
        together: bool = False,
        all_new: bool = False,
    ) -> None:
        """`together`: nothing is in the database before `settle`, and whoever asks it about these papers settles first.
        `all_new`: no row is there in which one of them failed before.
        """
        self._station, self._session = station, session
        self.together, self.all_new = together, all_new
        self.undeclared: set[str] = set()
        """Receipts for which no row waits."""
        self.paper_tags: set[bytes] = set()
        """Of the papers so far."""
        self._later = Unsynced()
        self._documents: list[Document] = []
        self._rows: dict[type[Base], list[dict[str, Any]]] = {table: [] for table in _WRITTEN}
        self._passages: list[tuple[str, Prints, str | None]] = []
        self._entries: list[Entry] = []

    def slot(self, *, branch: str, group: str) -> str:
        """A new key's slot, among those of its level group that fall due with it."""
        with self._session.no_autoflush:
            return self._station.vault.new_slot(self._session, branch=branch, group=group)

    def put(self, slot: str, artefacts: dict[str, bytes], *, area: str) -> dict[str, BlobRef]:
        """Sealed files, durable after `close`."""
        with self._session.no_autoflush:
            return self._station.vault.put_all(self._session, slot, artefacts, area=area, later=self._later)

    # ------------------------------------------------------------ rows

    def add_document(self, row: Document) -> None:
        """A new document, filled."""
        self._documents.append(row)

    def add(self, table: type[Base], **values: Any) -> None:
        """A row of `Artefact`, `Event` or `Clear` that nothing refers to."""
        self._rows[table].append(values)

    def add_passages(self, document: str, prints: Prints, title: str | None) -> None:
        """Passages of a new document."""
        self._passages.append((document, prints, title))

    def log(self, entry: Entry) -> None:
        """An entry of the ledger; its time is that of `settle`."""
        self._entries.append(entry)

    def settle(self) -> None:
        """Writes what has gathered: from now on the database knows of these papers."""
        session = self._session
        session.add_all(self._documents)
        session.flush()
        for table, rows in self._rows.items():
            if rows:
                session.execute(insert(table), rows)
        if self._passages:
            passages.keep_new(self._station, session, self._passages)
        if self._documents:
            search_book.bind_if_due(self._station, session)
        if self._entries:
            self._station.log_all(session, self._entries)
        self._documents, self._passages, self._entries = [], [], []
        self._rows = {table: [] for table in _WRITTEN}

    def close(self) -> None:
        """To be called before the transaction commits."""
        self.settle()
        self._later.sync()
