"""Fills a station's registry with made-up rows for `bench registry`: a room of ten years, sealed as the real one is.

A healthy room: what waits, is out or is due belongs to the last weeks, all else is filed or back. Rows go in by plain
SQL in one transaction with the indexes taken off; register fields are sealed under the registry key and bound to their
row. Left out: sealed files of the documents (but for the first rows of the list), and the ledger behind the movements.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from ...common.clock import iso
from ...models.fields import OfficialFields
from ...models.period import add_months
from ...models.suggestion import LevelSuggestion, RetentionSuggestion
from ...models.tables import (
    Approval,
    Artefact,
    Batch,
    Document,
    Event,
    Incident,
    Matter,
    Meta,
    Person,
    Receipt,
    SearchPage,
    SearchSlot,
)
from ..intake.judgement import Judgement
from ..papers import search_book
from ..station import tallies
from ..station.station import Station

COPIES_EACH = 3
_DAYS = 3650
_PERSONS = 300
_CHUNK = 20_000
_BATCH = 50
_LEVELS: Sequence[str] = (*["S1"] * 30, *["S2"] * 9, "S3", *["I"] * 55, *["W"] * 5)
_TYPES = ("通知", "函", "请示", "报告", "意见", "决定")


@dataclass(frozen=True, slots=True)
class Size:
    """How much was filled in."""

    documents: int
    copies: int
    copies_out: int
    due: int


class _Words:
    """Made-up titles and organs: words of two letters out of some hundred, as registers repeat them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing secret
        letters = [chr(code) for code in self._random.sample(range(0x4E00, 0x9FA5), 1500)]
        self._words = ["".join(self._random.sample(letters, 2)) for _ in range(3000)]
        self._organs = [f"{self._word()}{self._word()}局" for _ in range(400)]

    def _word(self) -> str:
        return self._random.choice(self._words)

    def of(self, number: int, year: int) -> dict[str, Any]:
        kind = self._random.choice(_TYPES)
        title = f"关于{self._word()}{self._word()}{self._word()}工作{self._word()}的{kind}"
        organ = self._random.choice(self._organs)
        return {
            "title": title, "organs": [organ], "doc_number": f"{organ[:2]}发〔{year}〕{number % 4000}号",
            "signers": [self._word()], "recipients": [f"{self._word()}厅"], "source_name": f"{number:07d}.pdf",
            "serials": [f"{number % 900000:06d}"],
        }  # fmt: skip


def fill(station: Station, *, documents: int, seed: int = 1) -> Size:
    """Fills an empty registry. Everything is committed, and the database knows how its rows lie (`ANALYZE`)."""
    _in_a_hurry(station)
    with station.write() as session:
        connection = session.connection()
        indexes = _take_off(connection)
        size = _Filler(station, session, documents, seed).run()
        for definition in indexes:
            connection.execute(text(definition.replace(":", "\\:")))
        tallies.recount(session)
        connection.execute(text("ANALYZE"))
        # the ledger is not filled: what its few rows look like would mislead whoever plans a query for a long one
        connection.execute(text("DELETE FROM sqlite_stat1 WHERE tbl LIKE 'ledger%'"))
    # the next connection is durable again
    station.engine.dispose()
    return size


def _in_a_hurry(station: Station) -> None:
    """What is made up and thrown away need not outlive a power cut: nor are freed pages wiped."""
    raw = station.engine.raw_connection()
    for pragma in ("synchronous=OFF", "secure_delete=OFF", "cache_size=-131072"):
        raw.cursor().execute(f"PRAGMA {pragma}").close()
    raw.close()


def _take_off(connection: Connection) -> list[str]:
    names = (
        "documents", "copies", "carriers", "movements", "timers", "events", "matters", "matter_items", "approvals",
        "receipts", "readings", "clear_places",
    )  # fmt: skip
    rows = connection.execute(
        text("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    ).all()
    chosen = [(name, definition) for name, table, definition in rows if table in names]
    for name, _ in chosen:
        connection.execute(text(f'DROP INDEX "{name}"'))
    return [definition for _, definition in chosen]


_INTO = {
    "MOVED": """INSERT INTO movements
        (object_kind, object_id, document_id, act, before, after, giver, taker, "by", at)""",
    "TIMED": """INSERT INTO timers
        (clock, object_kind, object_id, document_id, holder, started_at, due, state, reminders)""",
}
_DERIVED: Sequence[str] = (
    # an original of each document: out, in the room while it is handled, filed
    """INSERT INTO carriers (id, receipt_id, document_id, type, serial, holder, place, state)
    SELECT id || '-Z1', receipt_id, id, 'paper', printf('%06d', seq % 900000),
      CASE WHEN seq >= :first_out AND seq % 4 = 0 THEN 'bench-' || (seq % :persons) ELSE 'bench' END,
      (seq % 90) || '柜',
      CASE WHEN seq >= :first_out AND seq % 4 = 0 THEN 'out' WHEN received_at > :recent THEN 'held' ELSE 'archived' END
    FROM documents""",
    # numbered copies: the first of the newest documents is out, a third is destroyed, the rest is back
    """WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :each)
    INSERT INTO copies (id, document_id, number, forensic_id, recipient, holder, status, issued_at, issued_by, due,
      "out", sealed)
    SELECT id || '-C' || n, id, n, seq * :each + n, 'bench-' || ((seq * 7 + n) % :persons),
      'bench-' || ((seq * 7 + n) % :persons),
      CASE WHEN n = 1 AND seq >= :first_out THEN 'issued' WHEN seq % 3 THEN 'returned' ELSE 'destroyed' END,
      received_at, 'bench', CASE WHEN n = 1 AND seq >= :first_out THEN date(:today, (seq % 60 - 3) || ' days')
      ELSE substr(received_at, 1, 10) END, 0, :sealed
    FROM documents CROSS JOIN numbers ORDER BY seq, n""",
    # every original came in; every twentieth was read once and is back
    """MOVED SELECT 'carrier', id || '-Z1', id, 'receive', NULL, 'held', NULL, 'bench', 'bench', received_at
    FROM documents ORDER BY seq""",
    """MOVED SELECT 'carrier', id || '-Z1', id, 'circulate', 'held', 'out', 'bench',
      'bench-' || (seq % :persons), 'bench',
      strftime('%Y-%m-%dT%H:%M:%S', substr(received_at, 1, 19), '+1 days') || :zone
    FROM documents WHERE seq % 20 = 0""",
    """MOVED SELECT 'carrier', id || '-Z1', id, 'read_back', 'out', 'held',
      'bench-' || (seq % :persons), 'bench', 'bench',
      strftime('%Y-%m-%dT%H:%M:%S', substr(received_at, 1, 19), '+2 days') || :zone
    FROM documents WHERE seq % 20 = 0""",
    # every copy went out; every third with the movement that brought it back
    """MOVED SELECT 'copy', id, document_id, 'issue', NULL, 'issued', 'bench', recipient, 'bench', issued_at
    FROM copies""",
    """MOVED SELECT 'copy', id, document_id, 'return', 'issued', 'returned', recipient, 'bench', 'bench',
      strftime('%Y-%m-%dT%H:%M:%S', substr(issued_at, 1, 19), '+5 days') || :zone
    FROM copies WHERE number = :each""",
    # clocks: of what is out they run, of every fifth document one was met
    """TIMED SELECT 'copy_return', 'copy', id, document_id, holder, issued_at,
      date(due, '1 days') || 'T00:00:00' || :zone, 'running', 0
    FROM copies WHERE status = 'issued'""",
    """TIMED SELECT 'copy_return', 'copy', id || '-C1', id, 'bench', received_at,
      strftime('%Y-%m-%dT%H:%M:%S', substr(received_at, 1, 19), '+30 days') || :zone, 'met', 0
    FROM documents WHERE seq % 5 = 0""",
    """INSERT INTO events (document_id, at, person, act, what, sealed)
    SELECT id, received_at, 'bench', 'accept', 'accepted', :sealed FROM documents ORDER BY seq""",
    # every fiftieth entry was put right once
    """INSERT INTO events (document_id, at, person, act, what, sealed)
    SELECT id, received_at, 'bench', 'set', 'amended', :sealed FROM documents WHERE seq % 50 = 0""",
)
"""Originals, copies, movements, clocks and confirmations, made of the documents by the database itself."""
_KINDS = (
    "print_run", "outbound", "inbound", "circulation", "outbound", "clearing", "inbound", "recall", "transport",
    "archiving",
)  # fmt: skip
_ON_MATTERS: Sequence[str] = (
    # what goes round or goes together: the document's original (filing: the document), three persons
    """INSERT INTO matter_items (matter_id, seq, object_kind, object_id, state, facts)
    SELECT id, 1, CASE kind WHEN 'archiving' THEN 'document' ELSE 'carrier' END,
      document_id || CASE kind WHEN 'archiving' THEN '' ELSE '-Z1' END, 'open', '{}'
    FROM matters WHERE kind IN ('circulation', 'clearing', 'recall', 'transport', 'archiving')""",
    """WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3)
    INSERT INTO matter_items (matter_id, seq, object_kind, object_id, state, facts)
    SELECT id, 1 + n, 'person', 'bench-' || ((rowid * 7 + n) % :persons), CASE state WHEN 'open' THEN 'open' ELSE
      'read' END, '{}'
    FROM matters CROSS JOIN numbers WHERE kind IN ('circulation', 'transport')""",
    # who read what is secret; what lies in clear, a tenth of it still
    """INSERT INTO readings (document_id, person_id, act, rule, at)
    SELECT id, 'bench-' || (seq % :persons), 'text', 'circle', received_at FROM documents WHERE level_code = 'S2'""",
    """INSERT INTO clear_places (document_id, copy_id, kind, at, state, holder, sealed)
    SELECT document_id, id, 'copy_out', issued_at, CASE WHEN status = 'issued' THEN 'outstanding' ELSE 'returned'
      END, holder, :sealed_place FROM copies WHERE number = 1 AND forensic_id % 10 < 4""",
    """INSERT INTO holds (document_id, by, at, reason_sealed)
    SELECT id, 'bench', received_at, :sealed FROM documents WHERE seq % 2000 = 0""",
)


class _Filler:
    def __init__(self, station: Station, session: Session, documents: int, seed: int) -> None:
        self.station, self.session, self.documents = station, session, documents
        self.random = random.Random(seed)  # noqa: S311 - nothing secret
        self.words = _Words(seed)
        self.now = station.clock.now().replace(microsecond=0)
        self.today = self.now.date()
        self.persons = [f"bench-{number}" for number in range(_PERSONS)]
        self.sealed = station.seal(session, "copy", {"purpose": None})
        self.sealed_place = station.seal(session, "clear", {"path": "/bench/copy.pdf"})
        self.out = max(20, documents // 200)
        """Documents of which a copy is out."""

    def run(self) -> Size:
        self.put(Person, self._persons())
        self.put(Receipt, self._receipts())
        self.put(Batch, self._batches())
        self._documents()
        for statement in _DERIVED:
            self.derive(statement)
        self.put(Event, self._events())
        self.put(Matter, self._matters())
        for statement in _ON_MATTERS:
            self.derive(statement)
        self.put(Incident, self._incidents())
        self.put(Approval, self._approvals())
        self.session.add(Meta(key="movements.agreed", value=b"1"))
        return Size(self.documents, COPIES_EACH * self.documents, self.out, self.out // 10)

    def put(self, table: Any, rows: Iterable[dict[str, Any]]) -> None:
        """By the driver itself: a statement for thousands of rows at once."""
        source = iter(rows)
        driver = self.session.connection().connection.driver_connection
        if driver is None:
            raise RuntimeError("the registry has no driver's connection")
        while chunk := list(islice(source, _CHUNK)):
            names = tuple(chunk[0])
            places = ", ".join("?" * len(names))
            columns = ", ".join(f'"{name}"' for name in names)
            statement = f"INSERT INTO {table.__tablename__} ({columns}) VALUES ({places})"  # noqa: S608 - own names
            driver.executemany(statement, [tuple(row.values()) for row in chunk])

    def derive(self, statement: str) -> None:
        """Rows that the database makes itself of those it has."""
        known = {
            "first_out": self.documents - self.out, "persons": _PERSONS, "each": COPIES_EACH, "sealed": self.sealed,
            "sealed_place": self.sealed_place, "today": self.today.isoformat(),
            "recent": iso(self.now - timedelta(days=25)),
            "zone": iso(self.now)[19:],
        }  # fmt: skip
        used = {name: value for name, value in known.items() if re.search(f":{name}\\b", statement)}
        for word, into in _INTO.items():
            statement = statement.replace(word, into)
        # a colon in a format of times is no name of a value
        plain = statement.replace("%H:%M:%S", "%H\\:%M\\:%S").replace("T00:00:00", "T00\\:00\\:00")
        self.session.connection().execute(text(plain), used)

    def at(self, number: int) -> datetime:
        """When a document came: they come evenly."""
        return self.now - timedelta(seconds=(self.documents - number) * _DAYS * 86400 // self.documents)

    def document(self, number: int) -> str:
        return f"D{self.at(number).year}-{number:07d}"

    def recent(self, number: int) -> bool:
        """Whether it is still in handling: of the last weeks."""
        return (self.now - self.at(number)).days < 25

    # ------------------------------------------------------------ tables

    def _persons(self) -> Iterator[dict[str, Any]]:
        for number, person in enumerate(self.persons):
            words = {"name": f"人员{number}", "dept": f"{number % 20}处"}
            yield {
                "id": person, "sealed": self.station.seal(self.session, "person", words, bind=person),
                "clearance": "core", "created_at": iso(self.now),
            }  # fmt: skip

    def _receipts(self) -> Iterator[dict[str, Any]]:
        for number in range(0, self.documents, 50):
            name = f"R{number:08d}"
            yield {
                "id": name, "at": iso(self.at(number)), "by": "bench", "channel": "机要", "seal": "intact",
                "copies": 1, "carrier": "paper",
                "sealed": self.station.seal(self.session, "receipt", {"from": "样例局"}, bind=name),
            }  # fmt: skip

    def _documents(self) -> None:
        """With the search book: a page for each run of documents."""
        bits = np.zeros((65536, -(-(self.documents // search_book.PAGE + 2) // 4096) * 512), np.uint8)
        slot_of = search_book.Slots(self.station, self.session)
        page, pages = 0, list[dict[str, Any]]()
        rows: list[dict[str, Any]] = []
        entries: dict[str, tuple[str, ...]] = {}
        for number in range(self.documents):
            row, words = self._document(number)
            rows.append(row)
            entries[row["id"]] = search_book.texts_of(words)
            if len(entries) < search_book.PAGE and number + 1 < self.documents:
                continue
            page += 1
            bound = rows[-len(entries) :]
            for one in bound:
                one["search_page"] = page
            sealed = search_book.seal_page(self.station, self.session, page, entries)
            first, last = (search_book.place(one["year"], one["seq"]) for one in (bound[0], bound[-1]))
            pages.append(
                {"id": page, "documents": len(entries), "least": first, "most": last, "sealed": sealed}
            )
            slots = np.fromiter({slot_of(gram) for gram in search_book.grams_of(entries.values())}, np.int64)
            bits[slots, page // 8] |= np.uint8(1 << page % 8)
            entries = {}
            if len(rows) >= _CHUNK:
                self.put(Document, rows)
                self.put(SearchPage, pages)
                rows, pages = [], []
        self.put(Document, rows)
        self.put(SearchPage, pages)
        used = np.flatnonzero(bits.any(axis=1)).tolist()
        self.put(
            SearchSlot,
            (
                {"slot": slot, "sealed": search_book.seal_slot(self.station, self.session, slot, bits[slot].tobytes())}
                for slot in used
            ),
        )  # fmt: skip

    def _document(self, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
        at, pick = self.at(number), self.random.random()
        name, day = self.document(number), at.date()
        words = self.words.of(number, day.year)
        level = self.random.choice(_LEVELS)
        secret = level in ("S1", "S2", "S3")
        dated = secret and pick < 0.8
        years = {"S1": 10, "S2": 20, "S3": 30}.get(level, 0)
        ends = add_months(day, 12 * years) if dated else None
        waiting = number >= self.documents - max(50, self.documents // 1000)
        urgent = waiting and number % 10 == 0
        kept = 10 if pick < 0.5 else 30
        state = "pending" if waiting else "registered" if self.recent(number) else "archived"
        row = {
            "id": name, "year": day.year, "seq": number, "receipt_id": f"R{number - number % 50:08d}",
            "batch_id": f"B{number - number % _BATCH:08d}",
            "received_at": iso(at), "status": state,
            "kind": words["title"][-2:], "pages": 1 + number % 40, "level_code": level, "level_basis": "marked",
            "period": (f"{years}年" if dated else "启用前") if secret else None,
            "secrecy_from": day.isoformat() if secret else None, "secrecy_from_rule": "signed" if secret else None,
            "secrecy_until": ends.isoformat() if ends else None,
            "declassified_mark_on": ends.isoformat() if ends and ends <= self.today and number % 500 else None,
            "retention": f"{kept}年", "retention_until": f"{day.year + 1 + kept}-01-01", "retention_open": False,
            "signed_date": day.isoformat(), "urgency": "特急" if urgent else None, "overlays": "",
            "confirmed": not waiting,
            "must_review": waiting, "confidence_percent": 97, "copies_received": 1, "key_slot": None,
            "archived_at": None if waiting or self.recent(number) else iso(at + timedelta(days=20)),
            "sealed": self.station.seal(self.session, "document", words, bind=name), "search_page": None,
        }  # fmt: skip
        return row, words

    def _events(self) -> Iterator[dict[str, Any]]:
        """A change of level on every twentieth document."""
        for number in range(0, self.documents, 20):
            document = self.document(number)
            words = {"old": "S1", "new": "S2", "reason": "样例", "anew": False}
            yield {
                "document_id": document, "at": iso(self.at(number)), "person": "bench", "act": "set", "what": "level",
                "sealed": self.station.seal(self.session, "event", words, bind=document),
            }  # fmt: skip

    def _batches(self) -> Iterator[dict[str, Any]]:
        for number in range(0, self.documents, _BATCH):
            name = f"B{number:08d}"
            yield {
                "id": name, "at": iso(self.at(number)), "by": "bench", "receipt_id": None,
                "sealed": self.station.seal(self.session, "batch", {"name": f"批次{number}", "sources": []}),
                "state": "open" if self.recent(number) else "closed",
            }  # fmt: skip

    def _incidents(self) -> Iterator[dict[str, Any]]:
        for number in range(0, self.documents, 1000):
            yield {
                "id": f"I{number:08d}", "kind": "copy_lost", "document_id": self.document(number),
                "at": iso(self.at(number)), "by": "bench", "state": "open" if self.recent(number) else "closed",
            }  # fmt: skip

    def _matters(self) -> Iterator[dict[str, Any]]:
        total = self.documents // 10
        for number in range(total):
            name, document = f"M{number:08d}", number * 10
            open_ = number >= total - max(20, total // 100)
            words = {"printer": "lp", "pages": 4, "spoiled": 0, "proposal": "拟请阅示", "title": "样例"}
            yield {
                "id": name, "kind": _KINDS[number % len(_KINDS)],
                "document_id": self.document(document), "state": "open" if open_ else "closed",
                "step": "count" if open_ else None, "opened_at": iso(self.at(document)), "opened_by": "bench",
                "closed_at": None if open_ else iso(self.at(document) + timedelta(days=2)),
                "sealed": self.station.seal(self.session, "matter", words, bind=name),
            }  # fmt: skip

    def _approvals(self) -> Iterator[dict[str, Any]]:
        for number in range(self.documents // 20):
            document = number * 20
            yield {
                "id": f"A{number:08d}", "act": "distribute", "objects": self.document(document),
                "objects_sha256": "0" * 64, "state": "used", "needed": "office_director", "requested_by": "bench",
                "requested_at": iso(self.at(document)), "expires": self.at(document).date().isoformat(),
                "recipients": self.persons[number % _PERSONS], "paper": False,
            }  # fmt: skip


def with_files(station: Station, documents: Sequence[str]) -> None:
    """Gives these rows a sealed judgement each, as documents that were read have one."""
    data = Judgement(
        sha256="0" * 64, format="pdf", fields=OfficialFields(title="关于样例工作的通知", organs=("样例局",)),
        level=LevelSuggestion(None, None, "none", None, 0.9, False), retention=RetentionSuggestion(None, 0.9, False),
    ).pack()  # fmt: skip
    with station.write() as session:
        slots = station.vault.new_slots(session, len(documents))
        for document, slot in zip(documents, slots, strict=True):
            kept = station.vault.put(session, slot, "judgement", data, area="bench")
            session.add(
                Artefact(
                    document_id=document, copy_id=None, kind="judgement", key_slot=slot, path=kept.path,
                    size=kept.size, cipher_sha256=kept.cipher_sha256, state="live",
                )
            )  # fmt: skip
