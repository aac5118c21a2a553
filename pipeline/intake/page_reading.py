"""One file on its way through the workers: read whole, or its pages by several of them and then put together.

A page that kills its worker, by hanging, by its memory or by a crash, is blamed alone: those before it are kept as
they were handed over, those behind it are read by another worker. One that crashed or ate memory is tried once more by
itself, for the pages before it may have been the cause; one that hung is not. The time that is lost on bad pages is
that of one document in all; then the rest is given up. Everything here runs in the threads of the desks, under a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from threading import RLock
from typing import Any, Protocol

from ...common.limits import Limits
from ..plan import job_of
from .desk import Job, Reply

MOST_PAGES = 3
"""Pages to recognise up to which one worker reads a file alone."""
_LEAST_SPAN, _MOST_SPAN = 2, 16
_PAGE_SHARE = 1.15
"""Of the time of a page: its own limit inside the worker comes first."""
_SLOW_SHARE = 0.5
"""A page that takes longer than this share of its time uses up the time for bad pages."""
_PAGE_BYTES = 16 * 1024 * 1024
_ALL_BYTES = 256 * 1024 * 1024
_SENT_BYTES = 512 * 1024 * 1024
_PUT_SECONDS = 0.05
"""More time for putting together, a page."""

_PEEK_SECONDS = 5.0
_TEXT_FILES = (b"%PDF", b"PK")
"""How files with text of their own may begin."""

LOST = {
    "timed_out": "ocr_page_timeout",
    "too_much_memory": "page_out_of_memory",
    "worker_crashed": "ocr_page_failed",
    "worker_error": "ocr_page_failed",
}
"""Ends of a worker that a page is blamed for, and the finding that names the page."""


class Workers(Protocol):
    """Takes jobs."""

    def submit(self, job: Job) -> Future[Reply]:
        """Hands a job in."""
        ...

    def hasten(self, future: Future[Reply]) -> None:
        """Makes urgent the job that waits for this answer."""
        ...


class PageReading:
    """Begins at once. `future` gets one reply: what a worker says of the whole file, or why nobody could read it."""

    def __init__(
        self,
        workers: Workers,
        data: bytes,
        fields: dict[str, Any],
        *,
        jobs: int,
        limits: Limits,
        urgent: bool,
    ) -> None:
        self.future: Future[Reply] = Future()
        self.future.set_running_or_notify_cancel()
        self._workers, self._data, self._fields, self._urgent = workers, data, fields, urgent
        self._jobs, self._limits = jobs, limits
        self._lock = RLock()
        self._pages: dict[int, bytes] = {}
        self._size = 0
        self._lost: dict[int, str] = {}
        self._unsent: list[int] = []
        self._tried: set[int] = set()
        self._lost_seconds = 0.0
        self._of = 0
        self._open = 0
        self._out: set[Future[Reply]] = set()
        self._peeked = False
        self._first_failure: Reply | None = None
        self._final: Reply | None = None
        most = MOST_PAGES if jobs > 1 else None
        self._submit(Job(job_of("ocr"), {**fields, "most": most}, data), self._read_whole)

    @property
    def pages_held(self) -> int:
        """Pages that lie here until the file is put together."""
        return len(self._pages)

    @property
    def urgent(self) -> bool:
        """Whether it overtakes: it was said to be urgent, or its first page turned out to say so."""
        return self._urgent

    def peek(self) -> None:
        """Has its first page looked at before its turn, when that is cheap: a file with text of its own, unread yet."""
        with self._lock:
            if (
                self._peeked
                or self._urgent
                or self._pages
                or self._of
                or not self._data.startswith(_TEXT_FILES)
            ):
                return
            self._peeked = True
            job = Job("peek", {}, self._data, seconds=_PEEK_SECONDS, urgent=True)
        self._workers.submit(job).add_done_callback(self._peeked_at)

    def _peeked_at(self, future: Future[Reply]) -> None:
        if future.result().value.get("urgent") is True:
            self._hurry()

    def _hurry(self) -> None:
        """From now on it overtakes, with what it has in the queue already."""
        with self._lock:
            if not self._urgent:
                self._urgent = True
                for future in self._out:
                    self._workers.hasten(future)

    # ------------------------------------------------------------ jobs

    def _submit(self, job: Job, then: Callable[[Reply], None]) -> None:
        def ended(future: Future[Reply]) -> None:
            with self._lock:
                self._out.discard(future)
                try:
                    then(future.result())
                except Exception as error:  # noqa: BLE001 - nobody else would answer the runner
                    self._finish(Reply("failed", code="worker_garbled", detail=type(error).__name__))

        timed = Job(
            act=job.act, fields=job.fields, data=job.data, tail=job.tail, seconds=job.seconds,
            page_seconds=self._page_seconds(), on_page=self._take, urgent=self._urgent,
            on_urgent=self._hurry,
        )  # fmt: skip
        with self._lock:
            future = self._workers.submit(timed)
            self._out.add(future)
        future.add_done_callback(ended)

    def _take(self, number: int, page: bytes, seconds: float) -> None:
        with self._lock:
            self._size += len(page) - len(self._pages.get(number, b""))
            if len(page) > _PAGE_BYTES or self._size > _ALL_BYTES or b"\n" in page:
                raise ValueError("not a page")
            self._pages[number] = page
            self._lost_seconds += max(0.0, seconds - _SLOW_SHARE * self._limits.seconds_per_page)

    def _page_seconds(self) -> float:
        return min(_PAGE_SHARE * self._limits.seconds_per_page, max(1.0, self._left()))

    def _left(self) -> float:
        """Seconds that may still be lost on bad pages."""
        return self._limits.seconds_per_document - self._lost_seconds

    # ------------------------------------------------------------ ends of jobs

    def _read_whole(self, reply: Reply) -> None:
        if reply.outcome == "done" and "long" in reply.value:
            self._of = int(reply.value["long"])
            self._spread(range(1, self._of + 1))
        elif _blames_a_page(reply) and reply.of is not None and reply.of > 1:
            self._of = reply.of
            self._blame(reply)
            self._spread(range(1, self._of + 1))
        else:
            self._finish(reply)

    def _read_range(self, numbers: Sequence[int], reply: Reply) -> None:
        self._open -= 1
        if _blames_a_page(reply) and reply.page in numbers:
            self._blame(reply)
        elif reply.outcome == "failed" or reply.outcome == "refused":
            self._final = self._final or reply
        elif any(number not in self._pages for number in numbers):
            self._final = self._final or Reply("failed", code="worker_garbled")
        self._spread(numbers)

    def _blame(self, reply: Reply) -> None:
        """One page cost a worker: it is named, or tried once more by itself."""
        page, code = reply.page, LOST[str(reply.code)]
        if page is None:
            return
        self._first_failure = self._first_failure or reply
        self._lost_seconds += reply.seconds
        if code == "ocr_page_timeout" or page in self._tried:
            self._lost[page] = code
        else:
            self._tried.add(page)
            if self._left() > 0:
                self._range([page])
            else:
                self._lost[page] = code

    def _spread(self, numbers: Iterable[int]) -> None:
        """Has those of the pages read that nobody has read, blamed or is trying; at the end puts the file together.

        Only as many ranges are out as there are workers: each begins with the time that is left for bad pages then.
        """
        known = {*self._pages, *self._lost, *self._tried, *self._unsent}
        self._unsent = sorted({*self._unsent, *(number for number in numbers if number not in known)})
        if self._left() <= 0:
            self._lost |= dict.fromkeys(self._unsent, "ocr_page_timeout")
            self._unsent = []
        if self._final is not None:
            self._unsent = []
        span = self._span()
        while self._unsent and self._open < self._jobs:
            run = _first_run(self._unsent, span)
            self._unsent = self._unsent[len(run) :]
            self._range(run)
        if self._open == 0:
            self._put_together()

    def _span(self) -> int:
        """Pages of a range: enough ranges that no worker is left without, few enough that a large file is not sent
        and opened again all the time.
        """
        span = max(_LEAST_SPAN, min(_MOST_SPAN, self._of // (4 * self._jobs)))
        most_ranges = max(2 * self._jobs, _SENT_BYTES // max(1, len(self._data)))
        return max(span, -(-self._of // most_ranges))

    def _range(self, numbers: Sequence[int]) -> None:
        self._open += 1
        job = Job("pages", {**self._fields, "first": numbers[0], "last": numbers[-1]}, self._data)
        self._submit(job, lambda reply: self._read_range(numbers, reply))

    def _put_together(self) -> None:
        if self._final is not None:
            self._finish(self._final)
        elif self._first_failure is not None and len(self._lost) == self._of:
            self._finish(self._first_failure)
        else:
            tail = b"\n".join(self._pages[number] for number in sorted(self._pages))
            lost = {str(number): code for number, code in sorted(self._lost.items())}
            seconds = self._limits.seconds_per_document + _PUT_SECONDS * self._of
            fields = {**self._fields, "tail": len(tail), "lost": lost}
            self._submit(Job("assemble", fields, self._data, tail=tail, seconds=seconds), self._finish)

    def _finish(self, reply: Reply) -> None:
        self._pages, self._data = {}, b""
        if not self.future.done():
            self.future.set_result(reply)


def _blames_a_page(reply: Reply) -> bool:
    return reply.outcome == "failed" and reply.code in LOST and reply.page is not None


def _first_run(numbers: Sequence[int], most: int) -> list[int]:
    """The first neighbouring numbers, at most so many."""
    return [number for at, number in enumerate(numbers[:most]) if number == numbers[0] + at]
