"""The batch by pages: a page that kills its worker is named and the others are read; urgent papers go first."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

import format_kit as kit
from ingest_kit import check_whole, counts, ingest, letter, letters
from jiyao.models.level import Level
from jiyao.pipeline.intake import crew
from jiyao.pipeline.intake.executor import LocalExecutor
from jiyao.pipeline.intake.inbox import files_of
from jiyao.pipeline.intake.runner import BatchRun, Progress, Request
from jiyao.pipeline.papers import documents as register
from room_kit import Room

DEADLY = """
import os
from jiyao.stages import read_job, worker
read = read_job.read_page
def read_page(opened, number, **given):
    return os._exit(9) if number in {pages} else read(opened, number, **given)
read_job.read_page = read_page
worker.main()
"""

REAL_WORKERS = True
"""What a worker loads is looked at."""


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, Level.COMPANY_TOP)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


def deadly(pages: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that die when they come to these pages."""
    script = tmp_path / "deadly.py"
    script.write_text(DEADLY.format(pages=pages))
    command = (sys.executable, str(script))
    monkeypatch.setattr(crew, "LocalExecutor", partial(LocalExecutor, command=command))


@pytest.mark.req("R-024")
def test_a_page_that_kills_is_named_and_the_paper_is_in(
    room: Room, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly({3}, tmp_path, monkeypatch)
    (inbox / "长.pdf").write_bytes(kit.pdf(kit.shown("the same words on every page"), pages=6))
    letter(inbox, "好.docx")
    answer = ingest(room, inbox, jobs=2)
    assert counts(answer) == {"received": 2, "pending": 2}, answer["problems"]
    paper = next(item for item in answer["documents"] if item["source_name"] == "长.pdf")
    lost = [(item["code"], item["page"]) for item in paper["findings"] if item["page"]]
    assert lost == [("ocr_page_failed", 3)]
    assert paper["pages"] == 6 and paper["must_review"]
    text = register.text_of(room.station, room.as_("clerk", "text"), document=paper["id"])
    assert [bool(page["text"]) for page in text["pages"]] == [True, True, False, True, True, True]
    check_whole(room)


def test_a_paper_of_bad_pages_only_is_kept_unread(
    room: Room, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly(set(range(1, 9)), tmp_path, monkeypatch)
    (inbox / "坏.pdf").write_bytes(kit.pdf(kit.shown("words"), pages=4))
    answer = ingest(room, inbox, jobs=2)
    assert [(item["status"], item["code"]) for item in answer["problems"]] == [
        ("quarantined", "worker_crashed")
    ]
    check_whole(room)


class Order(Progress):
    """The files in the order of their ends, and what their workers had loaded."""

    def __init__(self) -> None:
        self.settled: list[str] = []
        self.loaded: set[str] = set()

    def file_settled(self, path: Path, status: str) -> None:
        self.settled.append(path.name)
        for child in psutil.Process().children():
            if "jiyao.stages.worker" in " ".join(child.cmdline()):
                self.loaded |= {Path(mapped.path).name for mapped in child.memory_maps()}


def test_urgent_papers_overtake_and_stand_in_file_order(room: Room, inbox: Path) -> None:
    letters(inbox, 7)
    letter(inbox, "特急 来件9.docx", number="乌有特急〔2026〕9号")
    order = Order()
    with BatchRun(room.station, room.as_("clerk", "ingest"), Request(jobs=1), progress=order) as run:
        run.process(files_of([inbox]))
        answer = run.answer()
    names = [item["source_name"] for item in answer["documents"]]
    assert names == [path.name for path in files_of([inbox])], "the answer keeps the order of the files"
    assert names[-1].startswith("特急")
    assert order.settled.index(names[-1]) < 4, f"it did not overtake: {order.settled}"


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_text_alone_loads_no_ocr_engine(room: Room, inbox: Path) -> None:
    letters(inbox, 3)
    order = Order()
    with BatchRun(room.station, room.as_("clerk", "ingest"), Request(jobs=1), progress=order) as run:
        run.process(files_of([inbox]))
    assert any(name.startswith("etree") for name in order.loaded), "the worker was looked at"
    assert not [name for name in order.loaded if "onnxruntime" in name]
