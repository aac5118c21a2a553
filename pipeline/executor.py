"""Workers as plain subprocesses: started lazily, one job each at a time, watched, killed, replaced.

Threat model: a worker is taken over, hangs, eats memory, or dies. It has no key; its time and its memory
(with its children's) are limited from outside; it is killed with its whole group, its scratch is
cleared, and the job is answered with a named failure. Its answer is bounded and checked before it is
believed. Killed hard itself, the coordinator takes its workers with it; a program that a worker had
started may live on until it ends by itself.

Time: a job has the time of one document; each further page that it reports gives it the time of a page, so
that a long paper is not taken for a hanging one.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal

import psutil

from ..common.frames import read_frame, write_frame
from ..common.limits import DEFAULT_LIMITS, Limits
from ..common.sandbox import environment
from ..models.wire import to_plain
from ..vault.erase import erase_file
from .faults import disk_trouble

WORKER = (sys.executable, "-P", "-m", "jiyao.stages.worker")
_LOOK_SECONDS = 0.1
_GRACE_SECONDS = 2.0
_HEADER_BYTES = 256 * 1024 * 1024
_DATA_BYTES = 1024 * 1024 * 1024
_DETAIL = 200
_PAGE_SHARE = 2.0
"""A page is drawn, turned and read again before its own limit cuts it: the outer limit stands wider."""
_RECYCLE_SHARE = 0.6
"""A worker that still holds more than this share of its memory after a job is replaced."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is asked: an act, its fields (JSON), and the bytes of a file."""

    act: str
    fields: dict[str, Any]
    data: bytes = b""
    seconds: float | None = None
    """Time limit up to the second page; None: that of one document."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a job. A worker that was killed or died answers `failed` too."""

    outcome: Literal["done", "doubt", "refused", "failed"]
    value: dict[str, Any] = field(default_factory=dict)
    code: str | None = None
    detail: str = ""
    questions: tuple[str, ...] = ()
    data: bytes = b""


_Task = tuple[Job, "Future[Reply]"]


class LocalExecutor:
    """Runs jobs in `jobs` worker processes. A context manager; closing waits for nothing."""

    def __init__(
        self, *, jobs: int, scratch: Path, limits: Limits = DEFAULT_LIMITS, command: Sequence[str] = WORKER
    ) -> None:
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self.closed = threading.Event()
        self._desks = [_Desk(self, scratch / f"w{number}", limits, tuple(command)) for number in range(jobs)]

    def __enter__(self) -> LocalExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, job: Job) -> Future[Reply]:
        """Hands a job in; jobs begin in the order they came."""
        future: Future[Reply] = Future()
        if self.closed.is_set():
            future.set_result(Reply("failed", code="executor_closed"))
            return future
        self._tasks.put((job, future))
        for desk in self._desks:
            desk.open()
        return future

    def close(self) -> None:
        """Ends every worker now; jobs that had not begun are answered `executor_closed`."""
        self.closed.set()
        for desk in self._desks:
            self._tasks.put(None)
            desk.kill()
        for desk in self._desks:
            desk.join()

    def take(self) -> _Task | None:
        """The next job, for a desk; None at the end."""
        while (task := self._tasks.get()) is not None:
            if not task[1].set_running_or_notify_cancel():
                continue
            if not self.closed.is_set():
                return task
            task[1].set_result(Reply("failed", code="executor_closed"))
        return None


class _Desk:
    """One thread and its worker process."""

    def __init__(
        self, executor: LocalExecutor, scratch: Path, limits: Limits, command: tuple[str, ...]
    ) -> None:
        self._executor, self._scratch, self._limits, self._command = executor, scratch, limits, command
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._killed_for: str | None = None
        self._end = 0.0
        self._lock = threading.Lock()

    def open(self) -> None:
        """Starts the thread at its first use."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, daemon=True)
                self._thread.start()

    def join(self) -> None:
        """Waits for the thread to end."""
        if self._thread is not None:
            self._thread.join(_GRACE_SECONDS * 5)
        self._clear()

    def kill(self, why: str = "executor_closed") -> None:
        """Kills the worker with everything it started."""
        with self._lock:
            process = self._process
            if process is None or process.poll() is not None:
                return
            self._killed_for = self._killed_for or why
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _serve(self) -> None:
        while (task := self._executor.take()) is not None:
            job, future = task
            future.set_result(self._answer(job))
        self._release()

    def _answer(self, job: Job) -> Reply:
        try:
            process = self._worker()
        except OSError as error:
            code = "disk_full" if disk_trouble(error) else "worker_unusable"
            detail = str(self._scratch) if code == "disk_full" else type(error).__name__
            return Reply("failed", code=code, detail=detail)
        if process is None:
            return Reply("failed", code="executor_closed")
        began = time.monotonic()
        self._end = began + (job.seconds or self._limits.seconds_per_document)
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(process, done), daemon=True)
        watcher.start()
        try:
            reply = self._exchange(process, job)
        except Exception:  # noqa: BLE001 - a worker that was taken over may answer anything
            reply = None
        done.set()
        watcher.join()
        if reply is None:
            return self._died(time.monotonic() - began)
        heavy = _memory(process.pid) > self._limits.worker_rss_bytes * _RECYCLE_SHARE
        if self._killed_for or heavy:  # killed at the very moment of its answer, or grown too fat
            self._release()
        else:
            self._tidy()
        return reply

    def _exchange(self, process: subprocess.Popen[bytes], job: Job) -> Reply:
        if process.stdin is None or process.stdout is None:
            raise OSError("no pipes")
        header = {"act": job.act, "fields": job.fields, "limits": to_plain(self._limits)}
        write_frame(process.stdin, header, job.data)  # type: ignore[arg-type]
        furthest = 1
        while True:
            frame = read_frame(process.stdout, header_bytes=_HEADER_BYTES, data_bytes=_DATA_BYTES)  # type: ignore[arg-type]
            if frame is None:
                raise OSError("the worker is gone")
            match frame[0]:
                case {"page": int() as page}:
                    if furthest < page <= self._limits.pages:
                        furthest = page
                        page_end = time.monotonic() + _PAGE_SHARE * self._limits.seconds_per_page
                        self._end = max(self._end, page_end)
                case _:
                    return _reply(*frame)

    def _died(self, seconds: float) -> Reply:
        why, code = self._release()
        if why == "timed_out":
            return Reply("failed", code=why, detail=f"{seconds:.0f}")
        if why in ("too_much_memory", "executor_closed"):
            return Reply("failed", code=why)
        return Reply("failed", code="worker_crashed", detail="-" if code is None else str(code))

    def _release(self) -> tuple[str | None, int | None]:
        """Ends the worker and erases its folder. Why it had been killed, and how it had ended by itself, if so."""
        process = self._process
        if process is None:
            return None, None
        why = self._killed_for
        with suppress(subprocess.TimeoutExpired):  # a crash is told apart from our own kill
            if why is None:
                process.wait(_LOOK_SECONDS)
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

    def _watch(self, process: subprocess.Popen[bytes], done: threading.Event) -> None:
        while not done.wait(_LOOK_SECONDS):
            if time.monotonic() > self._end:
                self.kill("timed_out")
                return
            if _memory(process.pid) > self._limits.worker_rss_bytes:
                self.kill("too_much_memory")
                return

    def _worker(self) -> subprocess.Popen[bytes] | None:
        """The worker, started when there is none; None when the executor was closed meanwhile."""
        if self._process is not None and self._process.poll() is not None:
            self._release()
        with self._lock:
            if self._executor.closed.is_set():
                return None
            if self._process is None:
                self._clear()
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


def _reply(plain: object, data: bytes) -> Reply:
    """The answer of a worker, if it is one.

    Raises:
        ValueError: it is none.
    """
    match plain:
        case {
            "outcome": "done" | "doubt" | "refused" | "failed" as outcome,
            "value": dict() | None as value,
            "code": str() | None as code,
            "detail": str() as detail,
            "questions": list() as questions,
        } if all(isinstance(question, str) for question in questions):
            return Reply(outcome, value or {}, code, detail[:_DETAIL], tuple(questions), data)
        case _:
            raise ValueError("not an answer")


def _memory(pid: int) -> int:
    """Resident bytes of a process and its children; 0 when it is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for member in family:
        with suppress(psutil.Error):  # one that just ended counts nothing
            total += member.memory_info().rss
    return total
