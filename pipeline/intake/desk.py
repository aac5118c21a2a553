"""One desk: a thread and its worker process, started when there is work, watched, killed, replaced.

Threat model: see executor.py.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ...common.disk import is_disk_trouble
from ...common.errors import JiyaoError
from ...common.frames import read_frame, write_frame
from ...common.limits import Limits
from ...common.sandbox import environment
from ...models.wire import to_plain
from ...vault.erase import erase_file
from .memory import resident

_CRASH_SECONDS = 0.1
_GRACE_SECONDS = 10.0
_HEADER_BYTES = 256 * 1024 * 1024
_DATA_BYTES = 1024 * 1024 * 1024
_DETAIL = 200
_PAGE_SHARE = 2.0
"""A page is drawn, turned and read again before its own limit cuts it: the outer limit stands wider."""
_RECYCLE_SHARE = 0.6
"""A worker that still holds more than this share of its memory after a job is replaced."""

_AFTER_SHARE = 0.45
"""Share of a document's time that is left at least once its last page is read: for cutting, fields and judging."""

Hurry = Callable[[], None]
"""Told, in the desk's thread, that the first page of a file says it may not wait."""
PageRead = Callable[[int, bytes, float], None]
"""Told the number of a page, its JSON, and the seconds that it took."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is asked: an act, its fields (JSON), and the bytes of a file."""

    act: str
    fields: dict[str, Any]
    data: bytes = b""
    seconds: float | None = None
    """Time limit up to the second page; None: that of one document."""
    tail: bytes = b""
    """More bytes, behind those of the file."""
    page_seconds: float | None = None
    """Time limit of each page of a reading job; None: pages only add to the time of the document."""
    on_page: PageRead | None = None
    """Told of each page that was read, in the desk's thread; it may not block. A ValueError ends the worker."""
    on_urgent: Hurry | None = None
    urgent: bool = False
    """Overtakes every job that is not."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a job. A worker that was killed or died answers `failed` too."""

    outcome: Literal["done", "doubt", "refused", "failed"]
    value: dict[str, Any] = field(default_factory=dict)
    code: str | None = None
    detail: str = ""
    questions: tuple[str, ...] = ()
    data: bytes = b""
    page: int | None = None
    """The page at which a reading job failed, when it was at one."""
    of: int | None = None
    """How many pages the file has, when the worker came to say so."""
    seconds: float = 0.0
    """How long that page, or the job, had taken when it failed."""

    def require(self) -> Reply:
        """This, when the job is done.

        Raises:
            JiyaoError: the worker's code, when it is not.
        """
        if self.outcome != "done":
            raise JiyaoError(self.code or "worker_failed")
        return self


class Desk:
    """Answers jobs one at a time. What it is told by `brief`, it tells each worker before the worker's next job."""

    def __init__(
        self,
        *,
        scratch: Path,
        limits: Limits,
        command: tuple[str, ...],
        closed: threading.Event,
    ) -> None:
        self._scratch, self._limits, self._command = scratch, limits, command
        self._closed = closed
        self._briefing: Job | None = None
        self._told: Job | None = None
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._killed_for: str | None = None
        self._run: _Run | None = None
        self._lock = threading.Lock()

    @property
    def opened(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None

    def open(self, serve: Callable[[Desk], None]) -> None:
        """Starts the thread."""
        self._thread = threading.Thread(target=serve, args=(self,), daemon=True)
        self._thread.start()

    def brief(self, briefing: Job) -> None:
        """From now on told to its worker, and to each that replaces it, before anything else."""
        self._briefing = briefing

    def join(self) -> None:
        """Waits for the thread to end."""
        if self._thread is not None:
            self._thread.join(_GRACE_SECONDS)
        self._clear()

    def kill(self, why: str = "executor_closed", *, run: _Run | None = None) -> None:
        """Kills the worker with everything it started; with `run`, only while it is at that job."""
        with self._lock:
            process = self._process
            if process is None or process.poll() is not None or (run is not None and run is not self._run):
                return
            self._killed_for = self._killed_for or why
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def look(self) -> None:
        """Kills the worker when the time or the memory of its job is used up."""
        run, process = self._run, self._process
        if run is None or process is None:
            return
        if time.monotonic() > run.end:
            self.kill("timed_out", run=run)
        elif resident(process.pid) > self._limits.worker_rss_bytes:
            self.kill("too_much_memory", run=run)

    def answer(self, job: Job) -> Reply:
        """One job, from the worker's start when there is none to the clearing of its folder."""
        try:
            process = self._worker()
        except OSError as error:
            code = "disk_full" if is_disk_trouble(error) else "worker_unusable"
            detail = str(self._scratch) if code == "disk_full" else type(error).__name__
            return Reply("failed", code=code, detail=detail)
        if process is None:
            return Reply("failed", code="executor_closed")
        run = _Run(job, self._limits)
        with self._lock:
            self._run = run
        try:
            if (briefing := self._briefing) is not self._told and briefing is not None:
                _Run(briefing, self._limits).exchange(process)
                self._told = briefing
            reply = run.exchange(process)
        except Exception:  # noqa: BLE001 - a worker that was taken over may answer anything
            reply = None
        with self._lock:
            self._run = None
        if reply is None:
            return self._died(run)
        heavy = resident(process.pid) > self._limits.worker_rss_bytes * _RECYCLE_SHARE
        if self._killed_for or heavy:  # killed at the very moment of its answer, or grown too fat
            self.release()
        else:
            self._tidy()
        return reply

    def _died(self, run: _Run) -> Reply:
        why, code = self.release()
        name, detail = "worker_crashed", "-" if code is None else str(code)
        if why is not None:
            name, detail = why, f"{run.seconds:.0f}" if why == "timed_out" else ""
        return run.failed(name, detail)

    def release(self) -> tuple[str | None, int | None]:
        """Ends the worker and erases its folder. Why it had been killed, and how it had ended by itself, if so."""
        process = self._process
        if process is None:
            return None, None
        why = self._killed_for
        with suppress(subprocess.TimeoutExpired):  # a crash is told apart from our own kill
            if why is None:
                process.wait(_CRASH_SECONDS)
        code = process.poll()
        self.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        with self._lock:
            self._process, self._killed_for = None, None
        self._clear()
        return why, code

    def _worker(self) -> subprocess.Popen[bytes] | None:
        """The worker; None when the executor was closed meanwhile."""
        if self._process is not None and self._process.poll() is not None:
            self.release()
        with self._lock:
            if self._closed.is_set():
                return None
            if self._process is not None:
                return self._process
            self._clear()
            self._told = None
            self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(self._scratch),
                cwd=self._scratch,
                start_new_session=True,
            )
            return self._process

    def _tidy(self) -> None:
        """What a job left in the worker's folder goes before the next one; the folder is its home and stays."""
        for entry in self._scratch.iterdir():
            _erase(entry)

    def _clear(self) -> None:
        _erase(self._scratch)


class _Run:
    """One job at work: its clock, and where it is."""

    def __init__(self, job: Job, limits: Limits) -> None:
        self._job, self._limits = job, limits
        self._began = time.monotonic()
        self._seconds = job.seconds or limits.seconds_per_document
        self.end = self._began + self._seconds
        self._furthest = 1
        self._page: int | None = None
        self._after = 0
        self._of: int | None = None
        self._page_began = self._began

    @property
    def seconds(self) -> float:
        """Since the page, or the job, began."""
        return time.monotonic() - self._page_began

    def exchange(self, process: subprocess.Popen[bytes]) -> Reply:
        """Asks, listens to the reports, gives the answer.

        Raises:
            OSError, ValueError: there is none, or it is none.
        """
        job = self._job
        if process.stdin is None or process.stdout is None:
            raise OSError("no pipes")
        header = {"act": job.act, "fields": job.fields, "limits": to_plain(self._limits)}
        write_frame(process.stdin, header, job.data, job.tail)  # type: ignore[arg-type]
        while True:
            frame = read_frame(process.stdout, header_bytes=_HEADER_BYTES, data_bytes=_DATA_BYTES)  # type: ignore[arg-type]
            if frame is None:
                raise OSError("the worker is gone")
            match frame[0]:
                case {"page": int() as page, "of": int() as of}:
                    self._begins(page, of)
                case {"page": int() as page}:
                    self._reached(page)
                case {"read": int() as page, **more}:
                    self._is_read(page, frame[1])
                    if more.get("urgent") is True and job.on_urgent is not None:
                        job.on_urgent()
                case _:
                    return self._reply(*frame)

    def failed(self, code: str, detail: str = "") -> Reply:
        """A failure, with the page it is to be blamed on."""
        return Reply("failed", code=code, detail=detail, page=self._page, of=self._of, seconds=self.seconds)

    def _reached(self, page: int) -> None:
        if self._furthest < page <= self._limits.pages:
            self._furthest = page
            self.end = max(self.end, time.monotonic() + _PAGE_SHARE * self._limits.seconds_per_page)

    def _begins(self, page: int, of: int) -> None:
        """A page begins; pages come in their order, so that nobody gets more time than the pages that there are."""
        if self._page is not None or not self._after < page <= of <= self._limits.pages:
            raise ValueError("not a page")
        self._page, self._of, self._page_began = page, of, time.monotonic()
        if self._job.page_seconds is not None:
            self.end = self._page_began + self._job.page_seconds
        else:
            self._reached(page)

    def _is_read(self, page: int, data: bytes) -> None:
        if page != self._page:
            raise ValueError("not the page at hand")
        if self._job.on_page is not None:
            self._job.on_page(page, data, self.seconds)
        if self._job.page_seconds is not None:
            now = time.monotonic()
            self.end = max(self._began + self._seconds, now + _AFTER_SHARE * self._seconds)
        self._page, self._after, self._page_began = None, page, time.monotonic()

    def _reply(self, plain: object, data: bytes) -> Reply:
        match plain:
            case {
                "outcome": "done" | "doubt" | "refused" | "failed" as outcome,
                "value": dict() | None as value,
                "code": str() | None as code,
                "detail": str() as detail,
                "questions": list() as questions,
            } if all(isinstance(question, str) for question in questions):
                return Reply(
                    outcome, value or {}, code, detail[:_DETAIL], tuple(questions), data, page=self._page,
                    of=self._of, seconds=self.seconds,
                )  # fmt: skip
            case _:
                raise ValueError("not an answer")


def _erase(place: Path) -> None:
    """A file or folder, its files overwritten first; links are removed, never followed."""
    if place.is_symlink() or place.is_file():
        with suppress(FileNotFoundError):
            erase_file(place) if not place.is_symlink() else place.unlink()
        return
    for root, folders, names in os.walk(place):
        for name in (*folders, *names):
            inner = Path(root) / name
            if inner.is_symlink():
                inner.unlink(missing_ok=True)
            elif inner.is_file():
                erase_file(inner)
    shutil.rmtree(place, ignore_errors=True)
