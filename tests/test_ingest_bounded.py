"""Memory does not grow with the batch: pages, papers and the answer are held as bytes, and not for long."""

from __future__ import annotations

import gc
import json
import tracemalloc
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_kit import counts
from jiyao.common.json_rows import JsonRows, json_pieces
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.models.fields import OfficialFields
from jiyao.models.level import Level
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.models.passage import Prints
from jiyao.models.suggestion import LevelSuggestion, RetentionSuggestion
from jiyao.models.wire import to_plain
from jiyao.pipeline.intake import crew
from jiyao.pipeline.intake.desk import Job, Reply
from jiyao.pipeline.intake.page_reading import PageReading
from jiyao.pipeline.intake.runner import BatchRun, Progress, Request
from jiyao.stages.read_page import ReadPage, lost_page
from room_kit import Room

KIB, MIB = 1024, 1024 * 1024
LINE = Line("关于报送样例材料的函" * 3, Box(0.1, 0.2, 0.9, 0.23), 0.98, characters=(0.98,) * 30)
PAGE = Page(1, 210.0, 297.0, (LINE,) * 40, "ocr", "none", 0.98)
PAGE_JSON = json.dumps(to_plain(ReadPage(Transcript((PAGE,)))), ensure_ascii=False).encode()


class Instant:
    """Workers in this process that have read everything before they are asked; `part` is what they found."""

    part: dict[str, Any] = {}  # noqa: RUF012 - set by each test
    pages = 1

    def __init__(self, **_: Any) -> None:
        self.closed = False

    def __enter__(self) -> Instant:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def warm(self, job: Job) -> None:
        """It is always ready."""

    def brief(self, job: Job) -> None:
        """It judges nothing."""

    def submit(self, job: Job) -> Future[Reply]:
        future: Future[Reply] = Future()
        future.set_result(self.answer(job))
        return future

    def answer(self, job: Job) -> Reply:
        match job.act:
            case "read" if self.pages > 3:
                return Reply("done", {"long": self.pages})
            case "pages":
                assert job.on_page is not None
                for number in range(job.fields["first"], job.fields["last"] + 1):
                    job.on_page(number, PAGE_JSON, 0.5)
                return Reply("done")
            case "read" | "assemble":
                own = json.dumps(to_plain(PAGE), ensure_ascii=False).encode()
                part = {**self.part, "page_bytes": [len(own)] * self.pages}
                value = {"kind": "pdf", "findings": [], "parts": [part]}
                return Reply("done", value, data=own * self.pages)
            case _:
                return Reply("done")


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> type[Instant]:
    level = LevelSuggestion(
        level=None, interim=None, basis="none", period=None, confidence=0.0, must_review=True
    )
    retention = RetentionSuggestion(retention=None, confidence=0.0, must_review=True)
    judged = {"level": to_plain(level), "retention": to_plain(retention), "origin": None}
    part = {
        "first": 1, "last": 1, "count": 1, "slip": None, "fields": to_plain(OfficialFields(title="函")),
        "findings": [], "cites": [], "prints": to_plain(Prints()), **judged,
    }  # fmt: skip
    monkeypatch.setattr(Instant, "part", part)
    monkeypatch.setattr(Instant, "pages", 1)
    monkeypatch.setattr(crew, "LocalExecutor", Instant)
    return Instant


def test_pages_are_held_as_the_bytes_they_came_in(instant: type[Instant]) -> None:
    instant.pages = 500
    tracemalloc.start()
    try:
        held = PageReading(instant(), b"file", {"engine": "auto", "split": "none"}, jobs=2,
                           limits=DEFAULT_LIMITS, urgent=False)  # fmt: skip
        reply = held.future.result(0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held.pages_held == 0, "nothing is kept once it is put together"
    assert peak < 3 * 500 * len(PAGE_JSON) + 8 * MIB
    assert len(reply.data) < 500 * len(PAGE_JSON)


class Watch(Progress):
    """What this process holds after so many papers."""

    def __init__(self, *marks: int) -> None:
        self.marks, self.held, self.count = marks, list[int](), 0

    def file_settled(self, path: Path, status: str) -> None:
        self.count += 1
        if self.count in self.marks:
            gc.collect()
            self.held.append(tracemalloc.get_traced_memory()[0])


@pytest.mark.slow
def test_a_batch_holds_no_paper_that_is_in(instant: type[Instant], tmp_path: Path) -> None:
    assert instant.pages == 1
    room = Room(tmp_path / "room", Level.COMPANY_TOP)
    files = []
    for number in range(70):
        files.append(tmp_path / f"{number:04}.pdf")
        files[-1].write_bytes(b"%d" % number + bytes(64 * KIB))
    watch = Watch(20, 65)
    tracemalloc.start()
    try:
        with BatchRun(room.station, room.as_("clerk", "ingest"), Request(jobs=2), progress=watch) as run:
            run.process(files)
            before = tracemalloc.get_traced_memory()[0]
            answer = run.answer()
            gc.collect()
            rows = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert counts(answer) == {"received": 70, "pending": 70}
    grown = (watch.held[1] - watch.held[0]) / 45
    assert grown < 8 * KIB, f"{grown / KIB:.1f} KiB a paper stay"
    assert rows / 70 < 8 * KIB, f"{rows / 70 / KIB:.1f} KiB a row"


ROWS = st.lists(
    st.dictionaries(
        st.text(max_size=5), st.none() | st.integers() | st.text(max_size=9) | st.lists(st.booleans())
    )
)


@given(ROWS)
def test_rows_are_what_they_were(rows: list[dict[str, Any]]) -> None:
    kept = JsonRows(rows)
    assert kept == rows and len(kept) == len(rows) and kept[:1] == rows[:1] and list(kept) == rows
    assert json.loads(b"".join(json_pieces({"a": 1, "rows": kept, "b": None}))) == {
        "a": 1, "rows": rows, "b": None,
    }  # fmt: skip
    assert json.loads(b"".join(json_pieces(rows))) == rows


def test_a_lost_page_names_itself() -> None:
    lost = lost_page(7, "page_out_of_memory").transcript
    assert [(page.number, page.lines) for page in lost.pages] == [(7, ())]
    assert [(finding.code, finding.page) for finding in lost.findings] == [("page_out_of_memory", 7)]
