"""Pages as the unit of work: a long file over several workers, a bad page blamed alone, and nobody waits for ever."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.common.messages import catalogue
from jiyao.pipeline.intake.desk import Job, Reply
from jiyao.pipeline.intake.page_reading import LOST, PageReading

LIMITS = replace(DEFAULT_LIMITS, seconds_per_document=50.0, seconds_per_page=30.0)
Bad = dict[int, tuple[str, float, int]]
"""Page -> how it ends a worker, after how many seconds, and how often."""


class Scanner:
    """Workers that read a file of so many scanned pages, one job after the other; `run` does what waits."""

    def __init__(self, pages: int, bad: Bad | None = None, *, long: bool = True) -> None:
        self.pages, self.bad, self.long = pages, dict(bad or {}), long
        self.jobs: list[Job] = []
        self.read: list[int] = []
        self.limits: list[float | None] = []
        self._waiting: list[tuple[Job, Future[Reply]]] = []

    def submit(self, job: Job) -> Future[Reply]:
        self.jobs.append(job)
        future: Future[Reply] = Future()
        self._waiting.append((job, future))
        return future

    def run(self, *, last_first: bool = False) -> None:
        while self._waiting:
            job, future = self._waiting.pop(-1 if last_first else 0)
            future.set_result(self._answer(job))

    def _answer(self, job: Job) -> Reply:
        self.limits.append(job.page_seconds)
        match job.act:
            case "read" if self.long and job.fields["most"] is not None and self.pages > job.fields["most"]:
                return Reply("done", {"long": self.pages})
            case "read":
                return self._pages(job, 1, self.pages) or Reply("done", {"whole": True})
            case "pages":
                return self._pages(job, job.fields["first"], job.fields["last"]) or Reply("done")
            case _:
                numbers = [json.loads(line)["n"] for line in job.tail.split(b"\n") if line]
                assert len(job.tail) == job.fields["tail"]
                return Reply("done", {"pages": numbers, "lost": job.fields["lost"]})

    def _pages(self, job: Job, first: int, last: int) -> Reply | None:
        assert job.on_page is not None
        for number in range(first, last + 1):
            code, seconds, times = self.bad.get(number, ("", 0.0, 0))
            if times:
                self.bad[number] = (code, seconds, times - 1)
                took = min(seconds, job.page_seconds or seconds) if code == "timed_out" else seconds
                return Reply("failed", code=code, page=number, of=self.pages, seconds=took)
            self.read.append(number)
            job.on_page(number, json.dumps({"n": number}).encode(), 1.0)
        return None


def outcome(scanner: Scanner, *, jobs: int = 2, **run: Any) -> Reply:
    fields = {"engine": "auto", "split": "none"}
    reading = PageReading(scanner, b"file", fields, jobs=jobs, limits=LIMITS, urgent=False)
    scanner.run(**run)
    return reading.future.result(0)


@pytest.mark.parametrize("last_first", [False, True])
def test_a_long_scan_is_read_in_pieces_and_put_together_in_order(last_first: bool) -> None:
    scanner = Scanner(23)
    assert outcome(scanner, last_first=last_first).value == {"pages": list(range(1, 24)), "lost": {}}
    assert sorted(scanner.read) == list(range(1, 24)), "each page once"
    assert len([job for job in scanner.jobs if job.act == "pages"]) > 4, "no worker has it alone"


def test_a_short_one_is_one_job() -> None:
    scanner = Scanner(3)
    assert outcome(scanner).value == {"whole": True}
    assert len(scanner.jobs) == 1


@pytest.mark.req("R-024")
@pytest.mark.parametrize("long", [True, False])
@pytest.mark.parametrize("page", [1, 4, 9])
@pytest.mark.parametrize("code", ["timed_out", "too_much_memory", "worker_crashed", "worker_error"])
def test_a_bad_page_is_named_and_no_other_is_lost(code: str, page: int, long: bool) -> None:
    scanner = Scanner(9, {page: (code, 20.0, 9)}, long=long)
    reply = outcome(scanner)
    others = [number for number in range(1, 10) if number != page]
    assert reply.value == {"pages": others, "lost": {str(page): LOST[code]}}
    assert sorted(scanner.read) == others, "no page is read twice"


def test_what_killed_a_worker_once_may_pass_alone() -> None:
    scanner = Scanner(9, {4: ("too_much_memory", 2.0, 1)})
    assert outcome(scanner).value == {"pages": list(range(1, 10)), "lost": {}}


def test_time_for_bad_pages_is_that_of_one_document() -> None:
    scanner = Scanner(40, dict.fromkeys(range(3, 30), ("timed_out", 600.0, 9)))
    reply = outcome(scanner)
    assert set(reply.value["lost"].values()) == {"ocr_page_timeout"}
    lost = sum(1 for number in range(3, 30) if scanner.bad[number][2] < 9)
    assert lost <= 3, "two side by side at their own limit, and the rest is given up"
    assert sum(limit or 0 for limit in scanner.limits[-lost:]) <= 36 * lost


def test_slow_pages_use_up_the_time_too() -> None:
    class Slow(Scanner):
        def submit(self, job: Job) -> Future[Reply]:
            on_page = job.on_page
            assert on_page is not None
            return super().submit(replace(job, on_page=lambda number, page, _: on_page(number, page, 29.0)))

    reply = outcome(Slow(60))
    assert len(reply.value["pages"]) + len(reply.value["lost"]) == 60
    assert len(reply.value["pages"]) < 60


@pytest.mark.parametrize("code", ["timed_out", "worker_crashed"])
def test_when_every_page_fails_the_file_does(code: str) -> None:
    reply = outcome(Scanner(4, dict.fromkeys(range(1, 5), (code, 1.0, 9))))
    assert (reply.outcome, reply.code) == ("failed", code)
    assert outcome(Scanner(1, {1: (code, 1.0, 9)})).code == code


@pytest.mark.parametrize("code", ["damaged_file", "executor_closed", "disk_full", "ocr_engine_missing"])
def test_what_is_no_pages_fault_ends_the_file(code: str) -> None:
    class Broken(Scanner):
        def _pages(self, job: Job, first: int, last: int) -> Reply | None:
            return Reply("failed", code=code)

    assert outcome(Broken(9)).code == code


def _hand_over(*pages: tuple[int, bytes]) -> Callable[[Scanner, Job, int, int], Reply | None]:
    def answer(_self: Scanner, job: Job, first: int, last: int) -> Reply | None:
        assert job.on_page is not None
        for number, page in pages:
            job.on_page(number, page, 0.1)
        return None

    return answer


def test_a_worker_that_hands_nothing_over_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scanner, "_pages", _hand_over())
    assert outcome(Scanner(9)).code == "worker_garbled"


@pytest.mark.parametrize("page", [b"{}\n{}", b" " * (17 << 20)])
def test_a_page_is_no_way_to_fill_the_coordinator(page: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scanner, "_pages", _hand_over((1, page)))
    with pytest.raises(ValueError, match="not a page"):
        outcome(Scanner(9))


def test_every_lost_page_has_words() -> None:
    assert set(LOST.values()) <= set(catalogue())
