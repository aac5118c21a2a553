"""Every file of the torture collection through the real batch: a named end, no trace outside, and the batch goes on."""

from __future__ import annotations

import csv
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from ingest_kit import check_whole, snapshot
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.common.messages import say
from jiyao.formats.fault import _VERDICTS
from jiyao.formats.office_convert import converter
from jiyao.models.level import Level
from jiyao.pipeline.intake import desk
from jiyao.pipeline.intake.inbox import files_of
from jiyao.pipeline.intake.runner import BatchRun, Progress, Request
from room_kit import Room
from test_torture import BY_LIBREOFFICE

REAL_WORKERS = True
GOOD = ("pending", "duplicate")
DIFFERS = {
    # Encrypted to a certificate (public-key handler): intact, but closed to us. The tool that made the index could
    # not open it and called it damaged; telling the room to ask for a readable copy is the right advice.
    "pdf/223_minimal-pubkey-rc4-envelope.pdf": "encrypted",
    # Sealed with the password that every Office program tries by itself: it opens without a question.
    "docx/060_protected_agile.docx": "ok",
    # An archive is no file of the batch but a folder of nine.
    "zip/695_test-documents.zip": "ok",
    **dict.fromkeys(BY_LIBREOFFICE if converter() else (), "ok"),
}  # fmt: skip

_written: list[str] | None = None


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _written is None or event != "open" or not isinstance(args[0], str | bytes):
        return
    if isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        _written.append(os.path.realpath(os.fsdecode(args[0])))


sys.addaudithook(_hook)


class Watch(Progress):
    """How long the batch took from one end to the next, and the most that a worker family held."""

    def __init__(self) -> None:
        self.last = time.monotonic()
        self.longest = 0.0

    def file_settled(self, path: Path, status: str) -> None:
        now = time.monotonic()
        self.longest, self.last = max(self.longest, now - self.last), now


@pytest.mark.slow
def test_every_file_comes_to_its_end(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    global _written
    root = shared / "data" / "torture"
    if not root.is_dir():
        pytest.skip("../shared/data/torture is absent")
    with (root / "index.csv").open(encoding="utf-8") as source:
        index = {row["path"]: row for row in csv.DictReader(source)}
    room, watch = Room(tmp_path / "room", Level.STATE_TOP), Watch()
    private = tmp_path / "tmp"
    private.mkdir()
    monkeypatch.setenv("TMPDIR", str(private))
    monkeypatch.setattr(tempfile, "tempdir", None)
    before, around = snapshot(root), {path.name for path in root.parent.iterdir()}
    peak = [0]
    measure = desk.resident

    def memory(pid: int) -> int:
        held = measure(pid)
        peak[0] = max(peak[0], held)
        return held

    monkeypatch.setattr(desk, "resident", memory)
    _written = []
    try:
        with BatchRun(room.station, room.as_("clerk", "ingest"), Request(), progress=watch) as run:
            run.process(files_of([root]))
            answer = run.answer()
    finally:
        written, _written = _written, None
    ends = {
        str(Path(item["path"]).relative_to(root)): (item["status"], item["code"], item["detail"])
        for item in answer["problems"]
    }
    inside = [path for path in ends if ".zip!/" in path]
    assert len(inside) == (4 if converter() else 8), inside  # one of them is a file of the collection too
    assert answer["counts"]["received"] == len(index) + 1 + 9 - 1, (
        "all, the index itself, the archive's nine for it"
    )
    wrong = []
    for path, row in index.items():
        status, code, _ = ends.get(path, ("pending", "ok", ""))
        verdict = "ok" if status in GOOD else _VERDICTS.get(code, code)
        expected = DIFFERS.get(path, row["expected"])
        # `either`: the tools that made the index disagree among themselves, ok and damaged are both right
        if verdict != expected and not (
            row["tolerance"] == "either" and verdict in ("ok", "damaged", "unsupported")
        ):
            wrong.append(f"{path}: {verdict} ({code}) instead of {expected}")
    assert not wrong, "\n".join(wrong)
    for _, code, detail in ends.values():
        for lang in ("zh", "en"):
            assert say(code, lang, detail=detail) != code, f"{code} has no message"
    assert not [
        code for _, code, _ in ends.values() if code in ("worker_error", "worker_garbled", "worker_crashed")
    ]
    assert snapshot(root) == before, "sources are never changed"
    assert {path.name for path in root.parent.iterdir()} == around
    assert list(private.iterdir()) == [], "nothing in the temporary folder"
    assert {path.name for path in (tmp_path / "room").iterdir()} <= {"home", "home.root", "home.root.mirror"}
    scratch = room.station.scratch()
    allowed = (
        str(tmp_path / "room"),
        str(scratch.path)[:-16],
        str(scratch.path.parent / "new-jy-"),
        os.devnull,
    )
    scratch.close()
    outside = [name for name in written if not name.startswith(allowed) and "__pycache__" not in name]
    assert not outside, outside
    assert watch.longest < 60, "each within its time"
    assert peak[0] < DEFAULT_LIMITS.worker_rss_bytes + 150 * 1024 * 1024
    with capsys.disabled():
        print(
            f"\n{len(index)} files in {answer['seconds']:.0f} s, the longest {watch.longest:.1f} s; "
            f"workers at most {peak[0] / 1048576:.0f} MiB, this process {_rss():.0f} MiB"
        )
    check_whole(room)


def _rss() -> float:
    return psutil.Process().memory_info().rss / 1048576
