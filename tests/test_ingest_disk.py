"""A disk that is full or fails, in home or in scratch: nothing lost, nothing doubled, and it says what to do."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from faults.disk import failing_call, full_registry
from ingest_kit import check_whole, counts, documents, ingest, letters, snapshot
from jiyao.common.limits import Limits
from jiyao.common.messages import advise, say
from jiyao.formats.open import open_document
from jiyao.models.level import Level
from jiyao.models.outcome import Failure
from jiyao.samples.make import make_paper
from jiyao.samples.render import render
from jiyao.stages.engines.engine import EngineFault
from jiyao.stages.engines.tesseract import TesseractEngine
from jiyao.stages.read_page import read_page
from room_kit import Room

TESTS = Path(__file__).parent


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, Level.COMPANY_TOP)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    letters(tmp_path / "inbox", 4)
    return tmp_path / "inbox"


def _failed(answer: dict[str, Any]) -> list[str]:
    codes = {item["code"] for item in answer["problems"]}
    assert codes == {"disk_full"}, answer["problems"]
    assert all(item["status"] == "failed" for item in answer["problems"])
    return [item["path"] for item in answer["problems"]]


@pytest.mark.parametrize(
    ("call", "number", "code"),
    [
        ("write", 9, errno.ENOSPC),
        ("fsync", 4, errno.EIO),
        ("fchmod", 2, errno.EROFS),
    ],
)
def test_a_blob_that_cannot_be_written(room: Room, inbox: Path, call: str, number: int, code: int) -> None:
    before = snapshot(inbox)
    with failing_call(call, number=number, code=code) as calls:
        answer = ingest(room, inbox)
    assert calls[0] >= number
    failed = _failed(answer)
    done = answer["counts"]["pending"]
    assert failed and len(failed) + done == 4, "a file with an error is not a success"
    assert len(documents(room)) == done, "a document is wholly there or not at all"
    again = ingest(room, inbox)
    assert counts(again) == {"received": 4, "pending": 4 - done, **({"duplicate": done} if done else {})}
    assert snapshot(inbox) == before
    check_whole(room)


def test_a_registry_that_cannot_grow(room: Room, inbox: Path) -> None:
    letters(inbox, 8)
    with full_registry(room.station.engine, pages=0):
        answer = ingest(room, inbox)
    failed = _failed(answer)
    done = answer["counts"]["pending"]
    assert failed and len(failed) + done == 8
    assert len(documents(room)) == done
    again = ingest(room, inbox)
    assert again["counts"]["pending"] == 8 - done and again["counts"]["duplicate"] == done
    check_whole(room)


def test_a_full_disk_also_when_a_file_is_to_be_kept(room: Room, inbox: Path) -> None:
    (inbox / "坏.docx").write_bytes(b"PK\x03\x04 not a whole file")
    with failing_call("write", number=1):
        answer = ingest(room, inbox)
    assert len(_failed(answer)) == 5
    assert documents(room) == []
    again = ingest(room, inbox)
    assert counts(again) == {"received": 5, "pending": 4, "quarantined": 1}
    check_whole(room)


def test_the_message_says_what_to_do() -> None:
    for lang in ("zh", "en"):
        assert "/home" in say("disk_full", lang, where="/home")
        assert advise("disk_full", lang, where="/home")
    assert "重新运行" in advise("disk_full", "zh", where="x")


def _in_own_mounts(*words: str) -> dict[str, Any]:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a file system of its own needs root and unshare")
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("mount namespaces are not allowed here")
    path = os.pathsep.join((str(TESTS), os.environ.get("PYTHONPATH", "")))
    result = subprocess.run(
        ["unshare", "-m", sys.executable, str(TESTS / "faults" / "full_tmpfs.py"), *words],
        capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
    )  # fmt: skip
    if "mount" in result.stderr and "permission denied" in result.stderr:
        pytest.skip("mounting is not allowed here")
    assert result.returncode == 0, result.stderr[-2000:]
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.slow
def test_a_home_that_is_really_full(tmp_path: Path) -> None:
    letters(tmp_path / "inbox", 12)
    filler = tmp_path / "inbox" / "大.docx"
    filler.write_bytes(os.urandom(3_000_000))
    answer = _in_own_mounts("home", str(tmp_path), str(tmp_path / "inbox"))
    full, again = answer["full"], answer["again"]
    _failed(full)
    done = full["counts"].get("pending", 0)
    assert full["counts"]["failed"] + done == 13
    assert again["counts"]["pending"] == 12 - done and again["counts"]["quarantined"] == 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_a_scratch_folder_that_is_really_full_hinders_no_reading(tmp_path: Path) -> None:
    """Lines of a page are read in the worker's memory; what does need the folder ends as `disk_full` (below)."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "扫描.png").write_bytes(render(make_paper(3, "test", layout="letter", mark="none"), "png"))
    answer = _in_own_mounts("scratch", str(tmp_path), str(inbox))
    assert answer["full"]["counts"] == {"received": 1, "pending": 1}, answer["full"]["problems"]
    assert answer["again"]["counts"] == {"received": 1, "duplicate": 1}


def test_an_engine_that_lacks_room_is_no_fault_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise EngineFault("ocr_page_failed")

    monkeypatch.setattr(TesseractEngine, "read", fails)
    monkeypatch.setattr(TesseractEngine, "missing", lambda _: None)
    data = render(make_paper(3, "test", layout="letter", mark="none"), "png")
    limits = Limits()
    with closing(open_document(data, limits=limits)) as opened:
        for free, code in ((0, "disk_full"), (1 << 40, None)):
            monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
            read = read_page(opened, 1, engine="tesseract", barcodes=False, limits=limits)
            assert (read.code if isinstance(read, Failure) else None) == code
