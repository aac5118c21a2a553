"""The hot folder: waits until a file is whole, sees new and replaced ones, stops when told."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_kit import check_whole, counts, documents, letter, letters
from jiyao.models.level import Level
from jiyao.pipeline.intake import inbox as inbox_module
from jiyao.pipeline.intake.inbox import Unreadable, files_of, read_file, watch
from jiyao.pipeline.intake.runner import BatchRun, Progress, Request
from room_kit import Room

QUIET = 0.4


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "POLL_SECONDS", 0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    path.mkdir()
    return path


def _given(
    folder: Path, act: threading.Thread | None = None, *, seconds: float = 2.0
) -> list[tuple[str, bytes]]:
    """Names and contents as the watcher gives them, until it has been silent for a while."""
    end = time.monotonic() + seconds
    if act:
        act.start()
    given = [
        (path.name, path.read_bytes())
        for path in watch([folder], lambda: time.monotonic() > end, quiet=QUIET)
        if path is not None
    ]
    if act:
        act.join()
    return given


def test_a_file_that_grows_is_given_once_and_whole(folder: Path) -> None:
    path = folder / "慢.pdf"

    def write() -> None:
        with path.open("wb") as file:
            for _ in range(8):
                file.write(b"x" * 1000)
                file.flush()
                time.sleep(QUIET / 4)

    assert _given(folder, threading.Thread(target=write), seconds=2.5) == [("慢.pdf", b"x" * 8000)]


def test_an_unfinished_name_waits_for_its_renaming(folder: Path) -> None:
    part = folder / "件.pdf.part"
    part.write_bytes(b"whole")
    (folder / ".hidden").write_bytes(b"h")
    (folder / "~$件.docx").write_bytes(b"l")

    def rename() -> None:
        time.sleep(0.8)
        part.rename(folder / "件.pdf")

    assert _given(folder, threading.Thread(target=rename)) == [("件.pdf", b"whole")]


def test_new_and_replaced_files_are_given_unchanged_ones_not_again(folder: Path) -> None:
    (folder / "旧.pdf").write_bytes(b"one")

    def change() -> None:
        time.sleep(0.8)
        (folder / "子").mkdir()
        (folder / "子" / "新.pdf").write_bytes(b"two")
        (folder / "换").write_bytes(b"three")
        (folder / "换").rename(folder / "旧.pdf")

    given = _given(folder, threading.Thread(target=change), seconds=2.5)
    assert given[0] == ("旧.pdf", b"one")
    assert sorted(given[1:]) == [("新.pdf", b"two"), ("旧.pdf", b"three")]


def test_a_folder_that_goes_away_and_comes_back(folder: Path) -> None:
    (folder / "件.pdf").write_bytes(b"one")

    def move() -> None:
        time.sleep(0.8)
        folder.rename(folder.with_name("weg"))
        time.sleep(0.2)
        folder.with_name("weg").rename(folder)

    given = _given(folder, threading.Thread(target=move), seconds=2.5)
    assert given[0] == ("件.pdf", b"one")
    assert len(given) <= 2, "back again it may be given again: the register knows it"


def test_a_file_written_while_it_is_read_is_not_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "件.pdf"
    path.write_bytes(b"old" * 100)
    plain = os.fdopen

    def slow(descriptor: int, mode: str):  # type: ignore[no-untyped-def]
        file = plain(descriptor, mode)
        read = file.read

        class Slow:
            def __enter__(self):  # type: ignore[no-untyped-def]
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def fileno(self) -> int:
                return file.fileno()

            def read(self, count: int) -> bytes:
                data = read(count)
                with path.open("ab") as other:
                    other.write(b"new")
                return data

        return Slow()

    monkeypatch.setattr(inbox_module.os, "fdopen", slow)
    with pytest.raises(Unreadable) as caught:
        read_file(path, 10_000)
    assert caught.value.code == "file_still_written"


def test_the_batch_takes_in_what_comes_after_it_began(tmp_path: Path, folder: Path) -> None:
    room = Room(tmp_path, Level.COMPANY_TOP)
    letters(folder, 1)
    settled: list[str] = []

    class Note(Progress):
        def file_settled(self, path: Path, status: str) -> None:
            settled.append(f"{path.name} {status}")
            if len(settled) == 1:
                letter(folder, "后来.docx", title="关于后来事项的函", number="乌有函〔2026〕9号")
            if len(settled) == 2:
                letter(folder, "后来.docx", title="关于替换事项的函", number="乌有函〔2026〕10号")

    end = time.monotonic() + 40
    with BatchRun(room.station, room.as_("clerk", "ingest"), Request(jobs=1), progress=Note()) as run:

        def stopped() -> bool:
            return len(settled) >= 3 or time.monotonic() > end

        run.process(watch([folder], stopped, quiet=QUIET), stopped=stopped)
        answer = run.answer()
    assert settled == ["来件1.docx pending", "后来.docx pending", "后来.docx pending"]
    assert counts(answer) == {"received": 3, "pending": 3}
    assert len({row.id for row in documents(room)}) == 3
    check_whole(room)


def test_a_stop_leaves_the_rest_where_it_is(tmp_path: Path, folder: Path) -> None:
    room = Room(tmp_path, Level.COMPANY_TOP)
    letters(folder, 24)  # up to sixteen that are ready together go in together
    settled: list[Path] = []

    class Note(Progress):
        def file_settled(self, path: Path, status: str) -> None:
            settled.append(path)

    def feed() -> Iterator[Path]:
        yield from files_of([folder])

    with BatchRun(room.station, room.as_("clerk", "ingest"), Request(jobs=1), progress=Note()) as run:
        run.process(feed(), stopped=lambda: len(settled) >= 2)
        answer = run.answer()
    done = len(settled)
    assert counts(answer) == {"received": done, "pending": done} and 2 <= done < 24
    assert len(list(folder.iterdir())) == 24
    with BatchRun(room.station, room.as_("clerk", "ingest"), Request(jobs=1)) as run:
        run.process(files_of([folder]))
        assert counts(run.answer()) == {"received": 24, "pending": 24 - done, "duplicate": done}
    check_whole(room)
