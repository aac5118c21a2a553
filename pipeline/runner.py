"""The main job: a batch of inbound mail, file by file through the plan, in order, whatever happens.

Each file ends in exactly one way: a document waiting for a person, a duplicate, or something kept sealed with its
reason. Workers read; only this runner writes, one transaction a document. Killed at any moment, the finished ones
are in the register and the others still in the inbox; run again, nothing stands twice.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ..common.clock import today
from ..common.errors import MissingTool
from ..common.limits import DEFAULT_LIMITS, Limits
from ..models.fields import OfficialFields
from ..models.level import Level
from ..models.page import Finding, Transcript
from ..models.suggestion import LevelSuggestion, RetentionSuggestion
from ..models.tables import Batch, Document, Incident, Receipt
from ..models.wire import from_plain, to_plain
from ..stages.engines.choose import choose
from . import receipt as receipts
from .actors import Actor
from .documents import document_json
from .executor import Job, LocalExecutor, Reply
from .faults import disk_trouble
from .inbox import Unreadable, read_file
from .plan import job_of
from .register_entry import ReadPaper, enter, enter_problem, tag_of
from .relations import RelationIndex
from .source_file import consume_source
from .station import Station

ALIVE = ("pending", "pending_second", "registered", "archived", "handed_over")
_LOOK_SECONDS = 0.02
_WINDOW_BYTES = 256 * 1024 * 1024
_ENVIRONMENT = frozenset({"no_ocr_engine", "ocr_engine_missing", "ocr_model_altered", "font_missing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the operator asked for."""

    receipt: str | None = None
    batch: str | None = None
    engine: str = "auto"
    jobs: int = 2
    split: str = "none"
    origin: str | None = None
    urgent: bool = False
    consume: bool = False
    limits: Limits = DEFAULT_LIMITS


class _Unjudged(Exception):
    """A file that was read but could not be judged or cut; kept sealed like one that could not be read."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.code)
        self.code = reply.code or "worker_failed"
        self.detail = reply.detail


class Progress:
    """Told what goes on; the command line draws it, a test ignores it."""

    def file_taken(self, path: Path) -> None:
        """A file was read from the inbox."""

    def file_settled(self, path: Path, status: str) -> None:
        """A file came to its end."""


@dataclass(slots=True)
class _Waiting:
    path: Path
    data: bytes
    sha256: str
    future: Future[Reply] | None
    """None for a file whose twin is still being read."""

    @property
    def is_ready(self) -> bool:
        return self.future is None or self.future.done()


@dataclass(slots=True)
class _Tally:
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("received", "pending", "registered", "duplicate", "quarantined", "refused", "failed"), 0
        )
    )
    pages: int = 0
    documents: list[str] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)


class BatchRun:
    """One run of the main job. Use as a context manager; `process` may be fed a list or a hot folder."""

    def __init__(
        self, station: Station, actor: Actor, request: Request, *, progress: Progress | None = None
    ) -> None:
        self.station, self.actor, self.request = station, actor, request
        self._progress = progress or Progress()
        self._tally = _Tally()
        self._batch: str | None = None
        self._receipt: str | None = request.receipt
        self._relations = RelationIndex(station)
        self._unread: dict[str, str] = {}
        self._started = time.monotonic()
        self._held = ExitStack()
        self._scratch = self._held.enter_context(station.scratch())
        station.sweep_orphans()
        limits = request.limits
        self._readers = self._held.enter_context(
            LocalExecutor(jobs=request.jobs, scratch=self._scratch.path, limits=limits)
        )
        self._judge = self._held.enter_context(
            LocalExecutor(jobs=1, scratch=self._scratch.path, limits=limits)
        )

    def __enter__(self) -> BatchRun:
        try:
            choose(self.request.engine)
            if self.request.receipt:
                with self.station.read() as session:
                    receipts.get_receipt(session, self.request.receipt)
        except BaseException:
            self._held.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def process(self, feed: Iterable[Path | None], *, stopped: Callable[[], bool] = lambda: False) -> None:
        """Takes every file of the feed to its end, in order. None in the feed means: nothing to do just now."""
        waiting: deque[_Waiting] = deque()
        for path in feed:
            if path is not None and (taken := self._take(path, waiting)) is not None:
                waiting.append(taken)
            while waiting and (self._full(waiting) or waiting[0].is_ready) and not stopped():
                self._settle_first(waiting, stopped)
            if stopped():
                break
        while waiting and not stopped():
            self._settle_first(waiting, stopped)
        self._tally.counts["received"] -= len(waiting)

    def answer(self) -> dict[str, Any]:
        """The command's value: counts, documents in file order, problems named."""
        with self.station.read() as session:
            documents = [
                document_json(self.station, session, session.get_one(Document, document), actor=self.actor)
                for document in self._tally.documents
            ]
        return {
            "batch": self._batch,
            "receipt": self._receipt,
            "counts": self._tally.counts,
            "pages": self._tally.pages,
            "seconds": round(time.monotonic() - self._started, 3),
            "documents": documents,
            "problems": self._tally.problems,
        }

    # ------------------------------------------------------------ one file

    def _full(self, waiting: deque[_Waiting]) -> bool:
        return (
            len(waiting) > 2 * self.request.jobs + 1
            or sum(len(item.data) for item in waiting) > _WINDOW_BYTES
        )

    def _settle_first(self, waiting: deque[_Waiting], stopped: Callable[[], bool]) -> None:
        """Waits for the first file's reading and settles it; a stop meanwhile leaves it where it is."""
        while not waiting[0].is_ready:
            if stopped():
                return
            time.sleep(_LOOK_SECONDS)
        self._settle(waiting.popleft())

    def _take(self, path: Path, waiting: Iterable[_Waiting]) -> _Waiting | None:
        self._tally.counts["received"] += 1
        self._progress.file_taken(path)
        try:
            data = read_file(path, self.request.limits.file_bytes)
        except Unreadable as error:
            self._fail(path, None, None, "failed", error.code)
            return None
        sha256 = hashlib.sha256(data).hexdigest()
        with self.station.read() as session:
            twin = self._twin(session, sha256)
        if twin:
            self._duplicate(path, twin)
            return None
        if any(item.sha256 == sha256 for item in waiting):
            return _Waiting(path, data, sha256, None)
        fields = {"engine": self.request.engine, "split": self.request.split}
        return _Waiting(
            path, data, sha256, self._readers.submit(Job(act=job_of("ocr"), fields=fields, data=data))
        )

    def _twin(self, session: Session, sha256: str) -> str | None:
        tag = tag_of(self.station, session, sha256)
        return session.scalars(
            select(Document.id).where(
                Document.duplicate_tag == tag, Document.status.in_((*ALIVE, "refused", "received"))
            )
        ).first()

    def _settle(self, item: _Waiting) -> None:
        if item.future is None:
            self._settle_twin(item)
            return
        reply = item.future.result()
        try:
            if reply.outcome in ("done", "doubt"):
                self._enter_parts(item, reply)
            else:
                code = reply.code or "worker_failed"
                if code in _ENVIRONMENT:
                    raise MissingTool(code)
                self._unread[item.sha256] = code
                self._fail(item.path, item.data, item.sha256, "quarantined", code, detail=reply.detail)
        except _Unjudged as error:
            self._unread[item.sha256] = error.code
            self._fail(item.path, item.data, item.sha256, "quarantined", error.code, detail=error.detail)
        except (OSError, OperationalError) as error:
            if not disk_trouble(error):
                raise
            self._note(item.path, "failed", "disk_full")

    def _settle_twin(self, item: _Waiting) -> None:
        """A file with the bytes of one before it in this batch: a duplicate, or unreadable like that one."""
        with self.station.read() as session:
            twin = self._twin(session, item.sha256)
        if twin:
            self._duplicate(item.path, twin)
        else:
            before = self._unread.get(item.sha256, "worker_failed")
            self._fail(item.path, item.data, item.sha256, "quarantined", before)

    def _enter_parts(self, item: _Waiting, reply: Reply) -> None:
        value = reply.value
        parts = value["parts"]
        for number, part in enumerate(parts):
            transcript = from_plain(Transcript, part["transcript"])
            fields = from_plain(OfficialFields, part["fields"])
            data = item.data if len(parts) == 1 else self._cut(item, part)
            if fields.mark and self._above(fields.mark.level):
                self._refuse(item, fields.mark.level)
                continue
            level, retention, origin = self._judged(transcript, fields)
            if (
                level.level
                and level.basis in ("marked", "derivative", "unit_list")
                and self._above(level.level)
            ):
                self._refuse(item, level.level)
                continue
            paper = ReadPaper(
                path=item.path,
                data=data,
                sha256=item.sha256 if len(parts) == 1 else hashlib.sha256(data).hexdigest(),
                format=str(value["kind"]),
                pages=int(part["last"]) - int(part["first"]) + 1,
                transcript=transcript,
                fields=fields,
                level=level,
                retention=retention,
                origin=origin,
                urgent=self.request.urgent,
                findings=(
                    *(from_plain(Finding, finding) for finding in value["findings"]),
                    *transcript.findings,
                ),
            )
            self._commit(paper, slip=part.get("slip"), last=number == len(parts) - 1)

    def _judged(
        self, transcript: Transcript, fields: OfficialFields
    ) -> tuple[LevelSuggestion, RetentionSuggestion, str | None]:
        with self.station.read() as session:
            relations = self._relations.of(session, transcript, fields.doc_number)
        origin = self.request.origin or self.station.policy.retention.origin_of(fields.organs)
        reply = self._judge.submit(
            Job(
                act=job_of("classify"),
                fields={
                    "transcript": to_plain(transcript),
                    "fields": to_plain(fields),
                    "relations": to_plain(relations),
                    "policy": self.station.policy_text,
                    "profile": self.station.settings.profile,
                    "origin": origin,
                    "important": None,
                    "flags": [],
                },
                data=b"",
            )
        ).result()
        if reply.outcome not in ("done", "doubt"):
            raise _Unjudged(reply)
        return (
            from_plain(LevelSuggestion, reply.value["level"]),
            from_plain(RetentionSuggestion, reply.value["retention"]),
            origin,
        )

    def _commit(self, paper: ReadPaper, *, slip: str | None, last: bool) -> None:
        with self.station.write() as session:
            if twin := self._twin(session, paper.sha256):
                self._duplicate(paper.path, twin)
                return
            receipt, batch = self._opened(session, slip)
            row = enter(self.station, session, self.actor, paper, receipt=receipt, batch=batch)
            document = row.id
        self._tally.counts["pending"] += 1
        self._tally.pages += paper.pages
        self._tally.documents.append(document)
        if self.request.consume and last:
            consume_source(self.station, self.actor, document=document, path=paper.path, data=paper.data)
        self._progress.file_settled(paper.path, "pending")

    def _cut(self, item: _Waiting, part: dict[str, Any]) -> bytes:
        fields = {"first": part["first"], "last": part["last"]}
        reply = self._judge.submit(Job(act="cut", fields=fields, data=item.data)).result()
        if reply.outcome != "done":
            raise _Unjudged(reply)
        return bytes(reply.data)

    # ------------------------------------------------------------ ends other than a document

    def _duplicate(self, path: Path, twin: str | None) -> None:
        self._note(path, "duplicate", "duplicate", document=twin)

    def _refuse(self, item: _Waiting, level: Level) -> None:
        self._fail(item.path, None, item.sha256, "refused", "above_station_level", level=level)

    def _fail(
        self,
        path: Path,
        data: bytes | None,
        sha256: str | None,
        status: str,
        code: str,
        *,
        level: Level | None = None,
        detail: str = "",
    ) -> None:
        try:
            with self.station.write() as session:
                receipt, batch = self._opened(session, None)
                row = enter_problem(
                    self.station, session, self.actor, path=path, data=data, sha256=sha256, status=status,
                    code=code, level=level, receipt=receipt, batch=batch,
                )  # fmt: skip
                if status == "refused":
                    self._incident(session, row, level)
                document = row.id
        except (OSError, OperationalError) as error:
            if not disk_trouble(error):
                raise
            self._note(path, "failed", "disk_full")
            return
        self._note(path, status, code, document=document, detail=detail)

    def _incident(self, session: Session, row: Document, level: Level | None) -> None:
        incident = f"I{self.station.next_number(session, 'incident'):05d}"
        session.add(
            Incident(
                id=incident, kind="above_station_level", document_id=row.id,
                level_code=level.code if level else None, at=self.station.now(), by=self.actor.person,
            )
        )  # fmt: skip
        self.station.log(
            session, "incident.open", objects=(incident, row.id), person=self.actor.person,
            account=self.actor.user, facts={"kind": "above_station_level"},
        )  # fmt: skip

    def _note(
        self, path: Path, status: str, code: str, *, document: str | None = None, detail: str = ""
    ) -> None:
        self._tally.counts[status] += 1
        self._tally.problems.append(
            {"path": str(path), "code": code, "status": status, "document": document, "detail": detail}
        )
        self._progress.file_settled(path, status)

    # ------------------------------------------------------------ batch and receipt

    def _opened(self, session: Session, slip: str | None) -> tuple[Receipt, str]:
        """The receipt a paper belongs to and the batch; both made with the first paper, in its transaction."""
        if slip is not None and (declared := session.get(Receipt, slip)) is not None:
            return declared, self._batch_row(session)
        if self._receipt is None or session.get(Receipt, self._receipt) is None:
            arrival = receipts.Arrival(organ="", channel="batch")
            self._receipt = receipts.new_receipt(self.station, session, self.actor, arrival).id
        return session.get_one(Receipt, self._receipt), self._batch_row(session)

    def _batch_row(self, session: Session) -> str:
        if self._batch is None or session.get(Batch, self._batch) is None:
            year = today(self.station.clock).year
            self._batch = f"B{year}-{self.station.next_number(session, f'batch.{year}'):05d}"
            session.add(
                Batch(
                    id=self._batch, at=self.station.now(), by=self.actor.person, receipt_id=self._receipt,
                    sealed=self.station.seal(session, "batch", {"name": self.request.batch}),
                )
            )  # fmt: skip
            session.flush()
        return self._batch

    def _above(self, level: Level) -> bool:
        policy = self.station.policy
        return policy.rank(level) > policy.rank(self.station.level)
