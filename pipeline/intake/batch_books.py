"""The books of one batch: its row and receipt, the end of every file, and the rows of what became no document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.json_rows import JsonRows
from ...models.level import Level
from ...models.suggestion import LevelSuggestion
from ...models.tables import Batch, Document, Receipt, Scan
from ..papers.documents import document_json
from ..persons.actors import Actor
from ..station.station import Station
from . import processing
from . import receipt as receipts
from .above import keys_going, open_above, wipe
from .carriers import Former, enter_carrier, find_former, papers_known
from .paper_tag import paper_tag
from .progress import Progress
from .register_entry import (
    Deposit,
    ReadPaper,
    enter,
    enter_problem,
    failed_before,
    path_identity,
    row_for,
    rows_had,
    tag_of,
)
from .source_file import consume_source, remember_place
from .unpack import outer_of

KNOWN = ("pending", "pending_second", "registered", "archived", "handed_over", "received", "refused")
"""States in which a paper that comes again is not taken in again."""
_ENDS = ("received", "pending", "registered", "duplicate", "quarantined", "refused", "failed")


@dataclass(frozen=True, slots=True)
class Twin:
    """The row in which the same paper stands already."""

    document: str
    status: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A read paper on its way into the register: the slip before it, and its place in the batch (file, part)."""

    paper: ReadPaper
    slip: str | None
    place: tuple[int, int]


@dataclass(slots=True)
class _Tally:
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_ENDS, 0))
    pages: int = 0
    documents: list[tuple[tuple[int, int], str]] = field(default_factory=list)
    """Place in the batch, and id."""
    problems: list[dict[str, Any]] = field(default_factory=list)


class BatchBooks:
    """What one batch writes down. Every method that ends a file is one transaction, then a line of the tally."""

    def __init__(
        self,
        station: Station,
        actor: Actor,
        *,
        receipt: str | None,
        name: str | None,
        progress: Progress,
        ended: Callable[[Path, str, str | None], None] = lambda _path, _status, _document: None,
    ) -> None:
        self._ended = ended
        self._station, self._actor, self._progress, self._name = station, actor, progress, name
        self._tally = _Tally()
        self._batch: str | None = None
        self._receipt = receipt

    def answer(self, *, seconds: float) -> dict[str, Any]:
        """The command's value: counts, documents in file order, problems named."""
        with self._station.vault.lease(), self._station.read() as session:
            documents = JsonRows(
                document_json(self._station, session, session.get_one(Document, document), actor=self._actor)
                for _, document in sorted(self._tally.documents)
            )
        return {
            "batch": self._batch,
            "receipt": self._receipt,
            "counts": self._tally.counts,
            "pages": self._tally.pages,
            "seconds": round(seconds, 3),
            "documents": documents,
            "problems": self._tally.problems,
        }

    # ------------------------------------------------------------ files

    def taken(self, path: Path) -> None:
        """A file came in."""
        self._tally.counts["received"] += 1
        self._progress.file_taken(path)

    def left(self, count: int) -> None:
        """So many files were taken and then left untouched where they are."""
        self._tally.counts["received"] -= count

    def twin(self, session: Session, identity: str) -> Twin | None:
        """The same paper in the register, when it must not be taken in again."""
        return self.twins(session, [identity])[0]

    def twins(self, session: Session, identities: Sequence[str]) -> list[Twin | None]:
        """The same for several papers at once."""
        tags = [tag_of(self._station, session, identity) for identity in identities]
        found: dict[bytes, Twin] = {}
        for tag, document, status in session.execute(
            select(Document.duplicate_tag, Document.id, Document.status)
            .where(Document.duplicate_tag.in_(tags), Document.status.in_(KNOWN))
            .order_by(Document.year, Document.seq)
        ):
            if tag is not None:
                found.setdefault(bytes(tag or b""), Twin(document, status))
        for tag, document, status in session.execute(  # further scans of documents
            select(Scan.tag, Document.id, Document.status)
            .join(Document, Scan.document_id == Document.id)
            .where(Scan.tag.in_(tags), Document.status.in_(KNOWN))
            .order_by(Document.year, Document.seq)
        ):
            if tag is not None:
                found.setdefault(tag, Twin(document, status))
        return [found.get(tag) for tag in tags]

    def enter(self, papers: Sequence[Entry]) -> list[str | Twin]:
        """Registers read papers as `pending`, all in one transaction or none.

        Returns:
            For each its id, or the twin that somebody registered meanwhile: that one's end is the caller's.
        """
        ends: list[tuple[Entry, str | Twin | Former, bool]] = []
        with self._station.write() as session:
            known = self.twins(session, [entry.paper.identity or entry.paper.sha256 for entry in papers])
            fresh = [entry for entry, twin in zip(papers, known, strict=True) if twin is None]
            failed = rows_had(self._station, session, [entry.paper for entry in fresh])
            deposit = Deposit(self._station, session, together=True, all_new=not failed)
            tagged = papers_known(self._station, session, [entry.paper.fields for entry in fresh])
            opened: dict[str | None, tuple[Receipt, str]] = {}
            for entry, twin in zip(papers, known, strict=True):
                if twin is not None:
                    ends.append((entry, twin, False))
                    continue
                if entry.slip not in opened:
                    opened[entry.slip] = self._opened(session, entry.slip)
                receipt, batch = opened[entry.slip]
                paper = entry.paper
                former = None
                if paper_tag(self._station, session, paper.fields) in tagged | deposit.paper_tags:
                    deposit.settle()
                    former = find_former(self._station, session, paper.fields, paper.transcript)
                if former is not None and former.kind == "carrier":
                    enter_carrier(self._station, session, self._actor, paper, former, receipt=receipt)
                    ends.append((entry, former, False))
                    continue
                if former is not None:
                    paper = replace(paper, findings=(*paper.findings, former.finding))
                row = enter(
                    self._station, session, self._actor, paper, receipt=receipt, batch=batch, deposit=deposit
                )
                ends.append((entry, row.id, entry.slip is not None and entry.slip != receipt.id))
            deposit.close()
        for entry, end, strange in ends:
            if isinstance(end, Twin):
                self.again(entry.paper.path, end, entry.paper.data)
            elif isinstance(end, Former):
                self._another(entry, end.document)
            else:
                self._entered(entry, end, strange=strange)
        return [end.document if isinstance(end, Former) else end for _, end, _ in ends]

    def _another(self, entry: Entry, document: str) -> None:
        """Another original of a registered paper: counted for itself, its document named once."""
        paper = entry.paper
        self._tally.counts["carrier"] = self._tally.counts.get("carrier", 0) + 1
        self._tally.pages += paper.pages
        if document not in {known for _, known in self._tally.documents}:
            self._tally.documents.append((entry.place, document))
        self._ended(paper.path, "pending", document)
        self.remark(paper.path, "carrier_added", document=document, detail=paper.fields.serials[0])
        self._progress.file_settled(paper.path, "carrier")

    def _entered(self, entry: Entry, document: str, *, strange: bool) -> None:
        paper = entry.paper
        self._tally.counts["pending"] += 1
        self._tally.pages += paper.pages
        self._tally.documents.append((entry.place, document))
        self._ended(paper.path, "pending", document)
        if strange:
            self.remark(paper.path, "slip_unknown", document=document, detail=entry.slip or "")
        self._progress.file_settled(paper.path, "pending")

    def again(self, path: Path, twin: Twin, data: bytes) -> None:
        """A paper that the register knows: a duplicate, or refused as before. Its place in clear is written down."""
        if twin.status == "refused":
            with self._station.read() as session:
                code = session.get_one(Document, twin.document).level_code
            level = Level.parse(code) if code else None
            self.note(path, "refused", "above_station_level", document=twin.document, level=level)
            return
        with self._station.write() as session:
            if remember_place(
                self._station, session, self._actor, document=twin.document, path=path, size=len(data)
            ):
                self._station.log(
                    session, "ingest.duplicate", objects=(twin.document,), person=self._actor.person,
                    account=self._actor.user,
                )  # fmt: skip
        self.note(path, "duplicate", "duplicate", document=twin.document)

    def problem(
        self, path: Path, data: bytes | None, identity: str, status: str, code: str, *, detail: str = ""
    ) -> None:
        """A file that became no document: kept sealed (where it could be read) with its reason."""
        with self._station.write() as session:
            receipt, batch = self._opened(session, None)
            row = enter_problem(
                self._station, session, self._actor, path=path, data=data, identity=identity, status=status,
                code=code, level=None, receipt=receipt, batch=batch,
            )  # fmt: skip
        self.note(path, status, code, document=row.id, detail=detail)

    def refuse(self, path: Path, identity: str, level: Level) -> None:
        """A paper above the station's level: only the fact, its level and the time stay (R-021); an incident opens.

        Bytes that an earlier run had put under quarantine go at once, their key with them.
        """
        with self._station.read() as session:
            before = failed_before(self._station, session, (identity,))
            slot = before.key_slot if before else None
        with keys_going(self._station, [slot] if slot else []) as rewrite, self._station.write() as session:
            receipt, batch = self._opened(session, None)
            row = enter_problem(
                self._station, session, self._actor, path=path, data=None, identity=identity,
                status="refused", code="above_station_level", level=level, receipt=receipt, batch=batch,
            )  # fmt: skip
            if slot is not None:
                wipe(self._station, session, row)
                rewrite(session)
            open_above(self._station, session, self._actor, row.id, level)
        self.note(path, "refused", "above_station_level", document=row.id, level=level)

    def bars(self, path: Path, identities: Sequence[str], level: LevelSuggestion, slip: str | None) -> bool:
        """Whether a paper that was read may not be kept electronically (C-10). Then only its row, level and time stay,
        and it is read again once there is an approval for that row.

        Args:
            identities: of the paper and of the stack it was cut from. slip: the receipt before it in the stack.
        """
        with self._station.write() as session:
            receipt, batch = self._opened(session, slip)
            row = row_for(self._station, session, receipt, (*identities, path_identity(path)))
            found = processing.bar(self._station, session, level, row)
            if found is None:
                return False
            code, marked = found
            enter_problem(
                self._station, session, self._actor, path=path, data=None, identity=identities[0],
                status="failed", code=code, level=marked, receipt=receipt, batch=batch,
            )  # fmt: skip
        self.note(path, "failed", code, document=row.id, level=marked)
        return True

    def consume(self, path: Path, data: bytes, document: str) -> None:
        """Erases a source whose every part is sealed; one that changed meanwhile is left and named.

        A file of an archive goes with the archive, when all of them are sealed.
        """
        if outer_of(path) is not None:
            return
        if not consume_source(self._station, self._actor, document=document, path=path, data=data):
            self.remark(path, "source_left", document=document)

    def note(
        self,
        path: Path,
        status: str,
        code: str,
        *,
        document: str | None = None,
        detail: str = "",
        level: Level | None = None,
    ) -> None:
        """Counts an end other than a document, and names it."""
        self._tally.counts[status] += 1
        self._ended(path, status, document)
        self._name_problem(path, status, code, document=document, detail=detail, level=level)
        self._progress.file_settled(path, status)

    def remark(self, path: Path, code: str, *, document: str, detail: str = "") -> None:
        """Names what a person should know of a paper that is in."""
        self._name_problem(path, "pending", code, document=document, detail=detail)

    def _name_problem(
        self,
        path: Path,
        status: str,
        code: str,
        *,
        document: str | None,
        detail: str = "",
        level: Level | None = None,
    ) -> None:
        self._tally.problems.append(
            {
                "path": str(path), "code": code, "status": status, "document": document, "detail": detail,
                "level": level.value if level else None, "station": self._station.level.value,
            }
        )  # fmt: skip

    # ------------------------------------------------------------ rows

    def _opened(self, session: Session, slip: str | None) -> tuple[Receipt, str]:
        """The receipt a paper belongs to and the batch; both made with the first paper, in its transaction."""
        if slip is not None and (declared := session.get(Receipt, slip)) is not None:
            return declared, self._batch_row(session)
        if self._receipt is None or session.get(Receipt, self._receipt) is None:
            arrival = receipts.Arrival(organ="", channel="batch")
            self._receipt = receipts.new_receipt(self._station, session, self._actor, arrival).id
        return session.get_one(Receipt, self._receipt), self._batch_row(session)

    def _batch_row(self, session: Session) -> str:
        if self._batch is None or session.get(Batch, self._batch) is None:
            year = today(self._station.clock).year
            self._batch = f"B{year}-{self._station.next_number(session, f'batch.{year}'):05d}"
            session.add(
                Batch(
                    id=self._batch, at=self._station.now(), by=self._actor.person, receipt_id=self._receipt,
                    sealed=self._station.seal(session, "batch", {"name": self._name}),
                )
            )  # fmt: skip
            session.flush()
        return self._batch
