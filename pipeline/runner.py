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
from concurrent.futures import Future, wait
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import OperationalError

from ..common.errors import JiyaoError
from ..common.limits import DEFAULT_LIMITS, Limits
from ..models.level import Level
from ..stages.engines.choose import choose
from . import receipt as receipts
from .actors import Actor
from .batch_books import BatchBooks, Progress, Twin
from .door import Door
from .executor import Reply
from .faults import disk_trouble
from .inbox import Unreadable
from .reading import Part, Reading, Unread
from .register_entry import ReadPaper, path_identity
from .station import Station

__all__ = ["BatchRun", "Progress", "Request"]

T = TypeVar("T")

_WINDOW_BYTES = 256 * 1024 * 1024
_LOOK_SECONDS = 0.1


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


class BatchRun:
    """One run of the main job. Use as a context manager; `process` may be fed a list or a hot folder."""

    def __init__(
        self, station: Station, actor: Actor, request: Request, *, progress: Progress | None = None
    ) -> None:
        self.station, self.request = station, request
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
        self._unread: dict[str, Unread] = {}
        self._started = time.monotonic()
        self._held = ExitStack()
        scratch = self._held.enter_context(station.scratch()).path
        self._reading = Reading(
            station, scratch=scratch, jobs=request.jobs, limits=request.limits, engine=request.engine,
            split=request.split, origin=request.origin,
        )  # fmt: skip
        self._held.callback(self._reading.close)

    def __enter__(self) -> BatchRun:
        try:
            choose(self.request.engine)
            self.station.sweep_orphans()
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
        """Takes every file of the feed to its end, in order. None in the feed means: nothing to do just now.

        Raises:
            MissingTool: no OCR engine, no worker can be started; what was finished is kept.
        """
        waiting: deque[_Waiting] = deque()
        for path in self._door.feed(feed):
            if path is not None and (taken := self._take(path, waiting)) is not None:
                waiting.append(taken)
            while waiting and (self._full(waiting) or waiting[0].is_ready) and not stopped():
                self._settle_first(waiting, stopped)
            if stopped():
                break
        while waiting and not stopped():
            self._settle_first(waiting, stopped)
        self._door.settle()
        self._books.left(len(waiting))

    def answer(self) -> dict[str, Any]:
        """The command's value: counts, documents in file order, problems named."""
        seconds = time.monotonic() - self._started
        return {**self._books.answer(seconds=seconds), "virus_scanner": self._door.scanner}

    # ------------------------------------------------------------ one file

    def _full(self, waiting: deque[_Waiting]) -> bool:
        return (
            len(waiting) > 2 * self.request.jobs + 1
            or sum(len(item.data) for item in waiting) > _WINDOW_BYTES
        )

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
        with self.station.read() as session:
            twin = self._books.twin(session, sha256)
        if twin:
            self._again(path, twin, data)
            return None
        if any(item.sha256 == sha256 for item in waiting):
            return _Waiting(path, data, sha256, None)
        if (scan := self._door.scan(data, sha256)).state == "infected":
            self._keep_unread(path, data, sha256, Unread("virus_found", scan.signature))
            return None
        return _Waiting(path, data, sha256, self._reading.begin(data, self._door.passwords(path)))

    def _settle_first(self, waiting: deque[_Waiting], stopped: Callable[[], bool]) -> None:
        """Waits for the first file's reading and settles it; a stop meanwhile leaves it where it is."""
        while not waiting[0].is_ready:
            if stopped():
                return
            wait([waiting[0].future] if waiting[0].future else [], timeout=_LOOK_SECONDS)
        item = waiting.popleft()
        self._despite_disk(item.path, lambda: self._settle(item))

    def _despite_disk(self, path: Path, act: Callable[[], T]) -> T | None:
        """Does one step of one file. A full or failing disk fails this file, which stays where it is."""
        try:
            return act()
        except (OSError, OperationalError, JiyaoError) as error:
            if not disk_trouble(error):
                raise
            self._books.note(path, "failed", "disk_full", detail=str(self.station.home))
            return None

    def _settle(self, item: _Waiting) -> None:
        if item.future is None:
            self._settle_twin(item)
            return
        try:
            passwords = self._door.passwords(item.path)
            parts = self._reading.parts(item.data, item.sha256, item.future.result(), passwords)
        except Unread as error:
            self._keep_unread(item.path, item.data, item.sha256, error)
            return
        sealed = [self._enter_part(item, part) for part in parts]
        if self.request.consume and all(sealed):
            self._books.consume(item.path, item.data, str(sealed[-1]))

    def _settle_twin(self, item: _Waiting) -> None:
        """A file with the bytes of one before it in this batch: a duplicate, or it ends like that one."""
        with self.station.read() as session:
            twin = self._books.twin(session, item.sha256)
        if twin:
            self._again(item.path, twin, item.data)
        elif (before := self._unread.get(item.sha256)) is not None:
            self._keep_unread(item.path, item.data, item.sha256, before)
        else:
            # The first was a stack (its parts are told by their pages), or the disk failed it: read it like any other.
            item.future = self._reading.begin(item.data, self._door.passwords(item.path))
            self._settle(item)

    def _again(self, path: Path, twin: Twin, data: bytes) -> None:
        self._books.again(path, twin, data)
        if self.request.consume and twin.status != "refused":
            self._books.consume(path, data, twin.document)

    def _keep_unread(self, path: Path, data: bytes, identity: str, error: Unread) -> None:
        self._unread[identity] = error
        self._books.problem(path, data, identity, "quarantined", error.code, detail=error.detail)

    def _enter_part(self, item: _Waiting, part: Part) -> str | None:
        """One document to its end; the id under which its bytes are sealed, None when they are not."""
        with self.station.read() as session:
            twin = self._books.twin(session, part.identity)
        if twin is not None:
            self._books.again(item.path, twin, part.data)
            return None if twin.status == "refused" else twin.document
        try:
            judged = self._reading.judge(part)
        except Unread as error:
            self._keep_unread(item.path, part.data, part.identity, error)
            return None
        level = judged.level
        marked = level.level if level.basis in ("marked", "derivative", "unit_list") else None
        if marked is not None and self._above(marked):
            self._books.refuse(item.path, part.identity, marked)
            return None
        entered = self._books.enter(
            ReadPaper(
                path=item.path, data=part.data, sha256=hashlib.sha256(part.data).hexdigest(),
                format=part.format, pages=part.pages, transcript=part.transcript, fields=part.fields,
                level=level, retention=judged.retention, origin=judged.origin, urgent=self.request.urgent,
                findings=(*part.findings, *self._door.findings(item.sha256)), identity=part.identity,
                stack=item.sha256, virus_scan=self._door.scan_state(item.sha256), password=part.password,
            ),
            slip=part.slip,
        )  # fmt: skip
        if isinstance(entered, Twin):
            return None if entered.status == "refused" else entered.document
        self._reading.learn(entered, part)
        return entered

    def _above(self, level: Level) -> bool:
        policy = self.station.policy
        return policy.rank(level) > policy.rank(self.station.level)
