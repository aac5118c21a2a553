"""Measures whether memory stays flat: one command takes in many long files, its first tenth against its last.

Each tenth holds as many files of text pages and one scan, so that both tenths do the same work. Only what processes
hold is looked at, while the command says on stderr which files have come to their end.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import psutil
import pypdfium2

from ...samples.make import make_paper
from ...samples.render import render
from .race import Race, Races, require
from .room import BenchRoom, bench_room

_WORKERS = 2
_TENTHS = 10
_MIB = 1024 * 1024
_LOOK_SECONDS = 0.1
_SHAPES: Final = {True: (1, 20), False: (10, 100)}
"""Files of text pages in a tenth, and pages of each, when quick and when not."""
_POOL = 12
"""Papers of whose pages the files are made: drawing one takes longer than taking it in."""


@dataclass(slots=True)
class _Tenth:
    """The most that was held while these files were worked on, MiB."""

    coordinator: float = 0.0
    workers: dict[int, float] = field(default_factory=dict)
    """By process."""

    @property
    def largest(self) -> list[float]:
        """Of the workers, the largest first."""
        return sorted(self.workers.values(), reverse=True)


def flat(folder: Path, quick: bool, seed: int) -> Races:
    """Peak resident memory of the coordinator and of each worker in the last tenth, beside that in the first."""
    files, pages = _SHAPES[quick]
    inbox = folder / "inbox"
    inbox.mkdir()
    texts, scanned = write_batch(inbox, files=files, pages=pages, seed=seed)
    with bench_room(folder) as room:
        first, last = _watched(room, inbox, files=_TENTHS * (files + 1))
    note = f"{_TENTHS * files} files with {texts} pages of text, {scanned} scanned pages, {_WORKERS} workers"
    rows = [("coordinator", last.coordinator, first.coordinator)]
    pairs = zip(last.largest, first.largest, strict=False)
    rows += [
        (f"worker.{number}", after, before)
        for number, (after, before) in enumerate(list(pairs)[:_WORKERS], 1)
    ]
    for name, after, before in rows:
        yield Race(
            name=f"flat.{name}", unit="MiB", against="the first tenth of the same run", rounds=1, note=note,
            product=partial(float, after), baseline=partial(float, before),
        )  # fmt: skip


def write_batch(inbox: Path, *, files: int, pages: int, seed: int) -> tuple[int, int]:
    """Ten times so many PDFs with text and one scan, in the order of their names; pages with text, scanned pages."""
    papers = seed * 100_000 + 70_000
    pool = pypdfium2.PdfDocument.new()
    for number in range(_POOL):
        pool.import_pages(pypdfium2.PdfDocument(render(make_paper(papers + number, "train"), "pdf")))
    scanned = 0
    for tenth in range(_TENTHS):
        scan = render(make_paper(papers + 90 + tenth, "train"), "scan", "office", tenth)
        (inbox / f"{tenth}-000.pdf").write_bytes(scan)
        scanned += len(pypdfium2.PdfDocument(scan))
        for number in range(1, files + 1):
            # no two alike: each begins at another page and goes on in another step
            begin, step = divmod(tenth * files + number, len(pool))[::-1]
            document = pypdfium2.PdfDocument.new()
            document.import_pages(pool, [(begin + at * (step + 1)) % len(pool) for at in range(pages)])
            document.save(inbox / f"{tenth}-{number:03}.pdf")
            document.close()
    pool.close()
    return _TENTHS * files * pages, scanned


def _watched(room: BenchRoom, inbox: Path, *, files: int) -> tuple[_Tenth, _Tenth]:
    """What was held in the first and in the last tenth of a whole `jiyao ingest`."""
    tenths = [_Tenth() for _ in range(_TENTHS)]
    ended = threading.Event()
    settled = 0
    with subprocess.Popen(
        [sys.executable, "-m", "jiyao.cli", "-v", "--json", "ingest", str(inbox), "--jobs", str(_WORKERS),
         "--user", "bench"],
        env=room.command_environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as command:  # fmt: skip
        coordinator = psutil.Process(command.pid)

        def look() -> None:
            while not ended.wait(_LOOK_SECONDS):
                _note(coordinator, tenths[min(_TENTHS - 1, settled * _TENTHS // files)])

        watch = threading.Thread(target=look, daemon=True)
        watch.start()
        try:
            for _ in command.stderr or ():
                settled += 1
        finally:
            ended.set()
            watch.join()
    require(command.returncode in (0, 6) and settled == files, "flat")
    return tenths[0], tenths[-1]


def _note(coordinator: psutil.Process, tenth: _Tenth) -> None:
    try:
        tenth.coordinator = max(tenth.coordinator, coordinator.memory_info().rss / _MIB)
        for worker in coordinator.children():
            held = worker.memory_info().rss / _MIB
            tenth.workers[worker.pid] = max(tenth.workers.get(worker.pid, 0.0), held)
    except psutil.Error:
        return  # it has just ended
