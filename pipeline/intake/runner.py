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
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ...common.errors import JiyaoError
from ...common.limits import DEFAULT_LIMITS, Limits
from ...models.level import Level
from ...stages.engines.choose import choose
from ..persons.actors import Actor
from ..station.faults import disk_trouble
from ..station.station import Station
from . import processing
from . import receipt as receipts
from .batch_books import BatchBooks, Entry, Twin
from .crew import crew
from .door import Door
from .entering import Entering
from .executor import LocalExecutor, Reply
from .inbox import Unreadable
from .page_reading import PageReading
from .progress import Progress
from .reading import Part, Reading, Unread
from .register_entry import ReadPaper, path_identity
from .urgent import is_urgent

__all__ = ["BatchRun", "Progress", "Request"]

T = TypeVar("T")

_WINDOW_BYTES = 128 * 1024 * 1024
_WINDOW_FILES = 8
"""Files taken ahead for each worker: enough that none waits, few enough that their texts are small."""
_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 1.5
"""Waiting longer than this for one file, the files behind it are looked at."""


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
    without: tuple[str, ...] = ()
    """Steps of page preparation that are left out, of `stages.page_steps.STEPS`."""
    limits: Limits = DEFAULT_LIMITS


@dataclass(slots=True)
class _Waiting:
    path: Path
    data: bytes
    sha256: str
    place: int
    """Number of the file in the batch."""
    reading: PageReading | None
    """None for a file whose twin is still being read."""
    urgent: bool = False
    """Said by the operator or by its name."""
    parts: int = 0
    """How many of its documents have not come to their end."""
    sealed: list[str | None] = field(default_factory=list)
    """What its documents became, in the order of their ends."""

    @property
    def future(self) -> Future[Reply] | None:
        return None if self.reading is None else self.reading.future

    @property
    def overtakes(self) -> bool:
        """Also when its first page says so, once that is read."""
        return self.urgent or (self.reading is not None and self.reading.urgent)

    @property
    def is_ready(self) -> bool:
        return self.future is None or self.future.done()

    @property
    def size(self) -> int:
        """Bytes held for it."""
        read = self.future.result().data if self.future is not None and self.future.done() else b""
        return len(self.data) + len(read)


class BatchRun:
    """One run of the main job. Use as a context manager; `process` may be fed a list or a hot folder."""

    def __init__(
        self, station: Station, actor: Actor, request: Request, *, progress: Progress | None = None,
        workers: LocalExecutor | None = None,
    ) -> None:  # fmt: skip
        """`workers`: those of the caller, who ends them; else it has its own."""
        self.station, self.actor, self.request = station, actor, request
        self._door = Door(
            station,
            actor,
            ask=lambda job: self._reading.ask(job),
            limits=request.limits,
            consume=request.consume,
        )
        self._books = BatchBooks(
            station, actor, receipt=request.receipt, name=request.batch, progress=progress or Progress(),
            ended=self._door.archives.ended,
        )  # fmt: skip
        self._entering = Entering(self._books, lambda entry, act: self._despite_disk(entry.paper.path, act))
        self._unread: dict[str, Unread] = {}
        self._taken = 0
        self._started = time.monotonic()
        self._held = ExitStack()
        workers = workers or self._held.enter_context(
            crew(station.home, jobs=request.jobs, limits=request.limits)
        )
        self._reading = Reading(
            station, workers=workers, jobs=request.jobs, limits=request.limits, engine=request.engine,
            split=request.split, origin=request.origin, without=request.without,
        )  # fmt: skip

    def __enter__(self) -> BatchRun:
        try:
            choose(self.request.engine)
            self.station.sweep_orphans()
            if self.request.receipt:
                receipts.to_be_read(self.station, self.actor, receipt=self.request.receipt)
        except BaseException:
            self._held.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def process(self, feed: Iterable[Path | None], *, stopped: Callable[[], bool] = lambda: False) -> None:
        """Takes every file of the feed to its end, in order. None in the feed means: nothing to do just now.

        Raises:
            MissingTool: no OCR engine, no worker can be started; what was finished is kept.
        """
        waiting: deque[_Waiting] = deque()
        try:
            for path in self._door.feed(feed):
                if path is not None and (taken := self._take(path, waiting)) is not None:
                    waiting.append(taken)
                while waiting and (self._full(waiting) or self._first(waiting).is_ready) and not stopped():
                    self._settle_first(waiting, stopped)
                if path is None or self._entering.is_due():
                    self._entering.flush()
                    self._door.settle()
                if stopped():
                    break
            while waiting and not stopped():
                self._settle_first(waiting, stopped)
        finally:
            self._entering.flush()
        self._door.settle()
        self._books.left(len(waiting))

    def answer(self) -> dict[str, Any]:
        """The command's value: counts, documents in file order, problems named."""
        seconds = time.monotonic() - self._started
        return {**self._books.answer(seconds=seconds), "virus_scanner": self._door.scanner}

    # ------------------------------------------------------------ one file

    def _full(self, waiting: deque[_Waiting]) -> bool:
        return (
            len(waiting) > _WINDOW_FILES * self.request.jobs
            or sum(item.size for item in waiting) > _WINDOW_BYTES
        )

    @staticmethod
    def _first(waiting: deque[_Waiting]) -> _Waiting:
        """The file that is settled next: an urgent one that is read, else the first."""
        return next((item for item in waiting if item.overtakes and item.is_ready), waiting[0])

    def _take(self, path: Path, waiting: Iterable[_Waiting]) -> _Waiting | None:
        self._books.taken(path)
        return self._despite_disk(path, lambda: self._begin(path, waiting))

    def _begin(self, path: Path, waiting: Iterable[_Waiting]) -> _Waiting | None:
        try:
            data = self._door.read(path)
        except Unreadable as error:
            self._books.problem(path, None, path_identity(path), "failed", error.code)
            return None
        sha256 = hashlib.sha256(data).hexdigest()
        self._taken += 1
        if any(item.sha256 == sha256 for item in waiting):
            return _Waiting(path, data, sha256, self._taken, None)
        with self._sight(sha256) as session:
            twin = self._books.twin(session, sha256)
            if twin is None:
                self._reading.follow(session)
        if twin is not None:
            self._again(path, twin, data)
            return None
        if (scan := self._door.scan(data, sha256)).state == "infected":
            self._keep_unread(path, data, sha256, Unread("virus_found", scan.signature))
            return None
        urgent = self.request.urgent or is_urgent(path.name)
        reading = self._reading.begin(data, self._door.passwords(path), urgent=urgent, followed=True)
        return _Waiting(path, data, sha256, self._taken, reading, urgent)

    def _settle_first(self, waiting: deque[_Waiting], stopped: Callable[[], bool]) -> None:
        """Waits for the first file's reading and settles it; a stop meanwhile leaves it where it is."""
        since = time.monotonic()
        while not (first := self._first(waiting)).is_ready:
            if time.monotonic() - since > _PATIENCE_SECONDS:
                self._peek(waiting)
            if self._entering.is_due():
                self._entering.flush()
            if stopped():
                return
            futures = [item.future for item in waiting if item.future and (item.overtakes or item is first)]
            wait(futures, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
        waiting.remove(first)
        self._despite_disk(first.path, lambda: self._settle(first))

    @staticmethod
    def _peek(waiting: Iterable[_Waiting]) -> None:
        """The work is slow: those behind are looked at, so that none lies there unseen that may not wait."""
        for item in waiting:
            if item.reading is not None and not item.is_ready:
                item.reading.peek()

    def _twin(self, identity: str) -> Twin | None:
        """The same paper in the register, or on its way there."""
        with self._sight(identity) as session:
            return self._books.twin(session, identity)

    def _sight(self, identity: str) -> AbstractContextManager[Session]:
        """The register with this paper in it, when it is on its way there."""
        if self._entering.concerns(identity):
            self._entering.flush()
        return self.station.read()

    def _despite_disk(self, path: Path, act: Callable[[], T]) -> T | None:
        """Does one step of one file. A full or failing disk fails this file, which stays where it is."""
        try:
            return act()
        except (OSError, DBAPIError, JiyaoError) as error:
            if not disk_trouble(error):
                raise
            self._books.note(path, "failed", "disk_full", detail=str(self.station.home))
            return None

    def _settle(self, item: _Waiting) -> None:
        if item.reading is None:
            self._settle_twin(item)
            return
        try:
            passwords = self._door.passwords(item.path)
            parts = self._reading.parts(item.data, item.sha256, item.reading.future.result(), passwords)
        except Unread as error:
            self._keep_unread(item.path, item.data, item.sha256, error)
            return
        item.parts = len(parts)
        for number, part in enumerate(parts):
            self._enter_part(item, part, number)

    def _part_ended(self, item: _Waiting, document: str | None) -> None:
        """One document of a file ended: its bytes are sealed under this id, or not at all."""
        item.sealed.append(document)
        if len(item.sealed) == item.parts and self.request.consume and all(item.sealed):
            self._books.consume(item.path, item.data, str(document))

    def _settle_twin(self, item: _Waiting) -> None:
        """A file with the bytes of one before it in this batch: a duplicate, or it ends like that one."""
        twin = self._twin(item.sha256)
        if twin:
            self._again(item.path, twin, item.data)
        elif (before := self._unread.get(item.sha256)) is not None:
            self._keep_unread(item.path, item.data, item.sha256, before)
        else:
            # The first was a stack (its parts are told by their pages), or the disk failed it: read it like any other.
            passwords = self._door.passwords(item.path)
            item.reading = self._reading.begin(item.data, passwords, urgent=item.urgent)
            self._settle(item)

    def _again(self, path: Path, twin: Twin, data: bytes) -> None:
        self._entering.flush()
        self._books.again(path, twin, data)
        if self.request.consume and twin.status != "refused":
            self._books.consume(path, data, twin.document)

    def _keep_unread(self, path: Path, data: bytes, identity: str, error: Unread) -> None:
        self._unread[identity] = error
        self._entering.flush()
        self._books.problem(path, data, identity, "quarantined", error.code, detail=error.detail)

    def _enter_part(self, item: _Waiting, part: Part, number: int) -> None:
        """One document on its way to its end."""
        if self._entering.concerns(part.identity, part):
            self._entering.flush()
        # a whole file was looked up when it was taken, and is once more in the transaction that enters it
        if part.identity != item.sha256 and self._is_known(item, part):
            return
        try:
            judged = self._reading.judge(part)
        except Unread as error:
            self._keep_unread(item.path, part.data, part.identity, error)
            self._part_ended(item, None)
            return
        level = judged.level
        marked = level.level if level.basis in processing.READ else None
        alone = marked is not None and (self._above(marked) or processing.binds(self.station, marked))
        if alone and self._is_known(item, part):
            return
        if marked is not None and self._above(marked):
            self._entering.flush()
            self._books.refuse(item.path, part.identity, marked)
            self._part_ended(item, None)
            return
        if marked is not None and processing.binds(self.station, marked):
            self._entering.flush()
            if self._books.bars(item.path, (part.identity, item.sha256), level, part.slip):
                self._part_ended(item, None)
                return
        paper = ReadPaper(
            path=item.path, data=part.data, sha256=hashlib.sha256(part.data).hexdigest(),
            format=part.format, pages=part.pages, transcript=part.transcript, fields=part.fields,
            level=level, retention=judged.retention, origin=judged.origin, urgent=self.request.urgent,
            findings=(*part.findings, *self._door.findings(item.sha256)), identity=part.identity,
            stack=item.sha256, virus_scan=self._door.scan_state(item.sha256), password=part.password,
            prints=part.prints,
        )  # fmt: skip

        def ended(document: str | None) -> None:
            if document is not None:
                self._reading.learn(document, part)
            self._part_ended(item, document)

        self._entering.add(Entry(paper, part.slip, (item.place, number)), ended)

    def _is_known(self, item: _Waiting, part: Part) -> bool:
        """Whether the part is in the register already; then it ends so."""
        twin = self._twin(part.identity)
        if twin is not None:
            self._books.again(item.path, twin, part.data)
            self._part_ended(item, None if twin.status == "refused" else twin.document)
        return twin is not None

    def _above(self, level: Level) -> bool:
        policy = self.station.policy
        return policy.rank(level) > policy.rank(self.station.level)
