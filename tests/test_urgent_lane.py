"""特急 on the first page: such a paper overtakes, and the answer keeps the order of the files."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from ingest_kit import letter, letters
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.models.level import Level
from jiyao.pipeline.intake import runner
from jiyao.pipeline.intake.executor import Job, LocalExecutor, Reply
from jiyao.pipeline.intake.inbox import files_of
from jiyao.pipeline.intake.page_reading import PageReading
from jiyao.pipeline.intake.runner import BatchRun, Progress, Request
from jiyao.stages.urgent_page import peek
from room_kit import Room
from test_executor import FAKE


@pytest.mark.parametrize(
    ("mark", "body", "urgent"),
    [
        ("特急", "现将材料报送你局。", True),
        ("特提", "现将材料报送你局。", True),
        ("秘密★5年 特急", "现将材料报送你局。", True),
        ("加急", "现将材料报送你局。", False),
        (None, "凡注明特急的文件应当随到随办。", False),
    ],
)
def test_the_first_page_says_it_at_its_place(
    tmp_path: Path, mark: str | None, body: str, urgent: bool
) -> None:
    path = letter(tmp_path, "一.docx", mark=mark, body=body)
    assert peek(path.read_bytes(), limits=DEFAULT_LIMITS) is urgent


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7 nothing", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"MZ"])
def test_what_cannot_be_opened_is_not_urgent(data: bytes) -> None:
    assert peek(data, limits=DEFAULT_LIMITS) is False


def test_a_job_that_waits_is_hastened(tmp_path: Path) -> None:
    with LocalExecutor(jobs=1, scratch=tmp_path / "s", command=FAKE) as executor:
        first = executor.submit(Job("fake", {"do": "pages", "honest": True, "pages": 1, "seconds": 0.5}))
        jobs = [executor.submit(Job("fake", {"do": "order", "name": name})) for name in "abc"]
        executor.hasten(jobs[2])
        executor.hasten(first)
        last = max(jobs, key=lambda job: len(job.result(20).value["asked"]))
        assert last.result(20).value["asked"] == ["c", "a", "b"]


class Asked:
    """Workers that answer when told to."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Job, Future[Reply]]] = []
        self.hastened: list[Future[Reply]] = []

    def submit(self, job: Job) -> Future[Reply]:
        future: Future[Reply] = Future()
        self.jobs.append((job, future))
        return future

    def hasten(self, future: Future[Reply]) -> None:
        self.hastened.append(future)


def reading(workers: Asked, data: bytes = b"%PDF") -> PageReading:
    fields: dict[str, Any] = {"engine": "auto", "split": "none"}
    return PageReading(workers, data, fields, jobs=2, limits=DEFAULT_LIMITS, urgent=False)


def test_the_other_pages_of_a_long_paper_go_first_once_its_first_page_says_so() -> None:
    workers = Asked()
    paper = reading(workers)
    workers.jobs[0][1].set_result(Reply("done", {"long": 6}))
    ranges = workers.jobs[1:]
    assert [job.urgent for job, _ in ranges] == [False, False]
    job, future = ranges[0]
    assert job.on_page is not None and job.on_urgent is not None
    job.on_page(1, b"{}", 0.1)
    job.on_urgent()
    assert paper.urgent
    assert set(workers.hastened) == {future for _, future in ranges}, "what waits already, too"
    job.on_page(2, b"{}", 0.1)
    future.set_result(Reply("done"))
    assert all(job.urgent for job, _ in workers.jobs[3:]) and len(workers.jobs) > 3


@pytest.mark.parametrize(("data", "peeks"), [(b"%PDF", 1), (b"PK", 1), (b"II*\x00", 0)])
def test_a_paper_that_waits_is_looked_at_once_and_only_when_that_is_cheap(data: bytes, peeks: int) -> None:
    workers = Asked()
    paper = reading(workers, data)
    paper.peek()
    paper.peek()
    asked = [(job, future) for job, future in workers.jobs if job.act == "peek"]
    assert len(asked) == peeks
    for job, future in asked:
        assert job.urgent
        future.set_result(Reply("done", {"urgent": True}))
        assert paper.urgent and workers.hastened == [workers.jobs[0][1]]


def test_the_worker_says_it_beside_the_page(tmp_path: Path) -> None:
    told = threading.Event()
    data = letter(tmp_path, "一.docx", mark="特急").read_bytes()
    fields = {"engine": "auto", "split": "none", "most": None, "passwords": []}
    with LocalExecutor(jobs=1, scratch=tmp_path / "s") as executor:
        reply = executor.submit(Job("read", fields, data, on_urgent=told.set)).result(60)
    assert reply.outcome in ("done", "doubt") and told.is_set()


def test_a_paper_that_says_so_inside_overtakes(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_PATIENCE_SECONDS", -1.0)
    inbox = tmp_path / "inbox"
    letters(inbox, 7)
    letter(inbox, "来件9.docx", number="乌有函〔2026〕9号", mark="特急")
    settled: list[str] = []

    class Order(Progress):
        def file_settled(self, path: Path, status: str) -> None:  # noqa: ARG002
            settled.append(path.name)

    with BatchRun(room.station, room.as_("clerk", "ingest"), Request(jobs=1), progress=Order()) as run:
        run.process(files_of([inbox]))
        answer = run.answer()
    names = [item["source_name"] for item in answer["documents"]]
    assert names == [path.name for path in files_of([inbox])], "the answer keeps the order of the files"
    assert settled.index("来件9.docx") < 4, f"it did not overtake: {settled}"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, Level.COMPANY_TOP)
