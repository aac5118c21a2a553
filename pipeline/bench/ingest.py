"""Measures the main job as a clerk runs it: `jiyao ingest` as a process of its own, on scans and on office files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import docx

from ...samples.forms import make_rich
from ...samples.layout import lay_out
from ...samples.make import make_paper
from ...samples.paper import Paper
from ...samples.render import render, render_with_text
from ...stages.engines.choose import AUTO, ENGINES, choose
from ..intake.runner import BatchRun, Request
from .race import Race, Races, require, seconds
from .rivals import OCRMYPDF, Peak, ocrmypdf_reads, read_with_ocrmypdf
from .room import bench_room

_WORKERS = 2
_MIB = 1024 * 1024
_FAST: Final = "rapidocr-fast"
_SHAPES: Final = {True: (4, 10), False: (40, 100)}
"""Files and pages of the scanned batch, when quick and when not."""
_SHARE: Final = {True: 1, False: 4}
"""OCRmyPDF reads one file in so many: it takes them one by one, so its pace does not depend on how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    pace: float
    coordinator: float
    worker: float


def ingest(folder: Path, quick: bool, seed: int) -> Races:
    """Pages a minute of whole `jiyao ingest` runs over office scans, default and fast; memory; born-digital files.

    Raises:
        MissingTool: no engine; without OCRmyPDF the rows that need it say so and have no baseline.
    """
    scans = folder / "scans"
    files, pages = _write_scans(scans, *_SHAPES[quick], seed=seed)
    rival = None
    if ocrmypdf_reads():
        some = [path.read_bytes() for path in files[:: _SHARE[quick]]]
        done = read_with_ocrmypdf(some, folder / "rival")
        rival = sum(map(len, done.texts)) / done.seconds * 60
    for name, engine in (("ingest", AUTO), ("ingest.fast", _FAST)):
        if engine not in ENGINES:
            continue
        run = _ingest_scans(folder / name, scans, engine, files=len(files), pages=pages)
        note = f"{choose(engine).engine.name_version}, {len(files)} files, {pages} pages of 200 dpi, start included"
        yield Race(
            name=name, unit="pages/min", against=f"{OCRMYPDF}, one file in {_SHARE[quick]}", rounds=1, note=note,
            product=partial(float, run.pace), baseline=partial(float, rival) if rival is not None else None,
        )  # fmt: skip
        for part, held, limit in (("worker", run.worker, 700.0), ("coordinator", run.coordinator, 400.0)):
            yield Race(
                name=f"{name}.memory.{part}", unit="MiB", against="the limit set for it", rounds=1, note=note,
                product=partial(float, held), baseline=partial(float, limit),
            )  # fmt: skip
    yield from _born_digital(folder / "digital", quick, seed)


def _write_scans(folder: Path, files: int, pages: int, *, seed: int) -> tuple[list[Path], int]:
    """Office scans: as many files and about as many pages, papers of one to five pages as they come."""
    folder.mkdir(parents=True)
    seeds = count(seed * 100_000)
    chosen = [_paper(next(seeds)) for _ in range(files)]
    while sum(long for _, _, long in chosen) < pages:
        shortest = min(range(files), key=lambda index: chosen[index][2])
        other = _paper(next(seeds))
        if other[2] > chosen[shortest][2]:
            chosen[shortest] = other
    paths: list[Path] = []
    for number, paper, _ in chosen:
        rendered = render_with_text(paper, "scan", "office", number, dressed=True)
        paths.append(folder / f"{len(paths):03}.pdf")
        paths[-1].write_bytes(rendered.data)
    return paths, sum(long for _, _, long in chosen)


def _paper(number: int) -> tuple[int, Paper, int]:
    """A paper, its seed and its pages."""
    paper = make_rich(number, "test")
    return number, paper, len(lay_out(paper))


def _ingest_scans(folder: Path, scans: Path, engine: str, *, files: int, pages: int) -> _Run:
    folder.mkdir()
    answers: list[dict[str, Any]] = []
    with bench_room(folder) as room, Peak() as peak:
        words = ("ingest", str(scans), "--engine", engine, "--jobs", str(_WORKERS))
        took = seconds(lambda: answers.append(run_command(words, room.environment)))
    require(answers[0]["counts"]["pending"] == files, "ingest")
    return _Run(pace=pages / took * 60, coordinator=peak.first / _MIB, worker=peak.below_first / _MIB)


def run_command(words: Sequence[str], environment: dict[str, str]) -> dict[str, Any]:
    """A command as a process of its own, as user `bench`; its value.

    Raises:
        Unexpected: `bench_wrong`, when it ends otherwise than well or partly done.
    """
    done = subprocess.run(
        [sys.executable, "-m", "jiyao.cli", "--json", *words, "--user", "bench"],
        env={**{k: v for k, v in os.environ.items() if not k.startswith("JIYAO_")}, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    require(done.returncode in (0, 6), words[0])
    value: dict[str, Any] = json.loads(done.stdout)
    return value


# ---------------------------------------------------------------- files with text of their own


def _born_digital(folder: Path, quick: bool, seed: int) -> Races:
    """Documents a second of DOCX and PDF with text, once the workers run; the baseline only joins paragraphs."""
    size = 6 if quick else 40
    folder.mkdir()
    for kind in ("docx", "pdf"):
        inbox = folder / kind
        inbox.mkdir()
        first = seed * 100_000 + (50_000 if kind == "pdf" else 60_000)
        papers = [make_paper(first + number, "train") for number in range(size + _WORKERS)]
        for number, paper in enumerate(papers):
            (inbox / f"{number:03}.{kind}").write_bytes(_file(paper, kind))
        room = folder / f"room-{kind}"
        room.mkdir()
        yield Race(
            name=f"ingest.{kind}", unit="documents/s", rounds=1, product=partial(_digital_pace, room, inbox),
            against="python-docx, paragraphs joined" if kind == "docx" else "",
            baseline=partial(_joined_pace, inbox) if kind == "docx" else None,
            note=f"{size} files after {_WORKERS} that start the workers",
        )  # fmt: skip


def _file(paper: Paper, kind: str) -> bytes:
    return render(paper, "docx" if kind == "docx" else "pdf")


def _digital_pace(folder: Path, inbox: Path) -> float:
    files = sorted(inbox.iterdir())
    first, rest = files[:_WORKERS], files[_WORKERS:]
    with bench_room(folder) as room, BatchRun(room.station, room.actor, Request(jobs=_WORKERS)) as batch:
        batch.process(first)
        took = seconds(lambda: batch.process(rest))
        require(batch.answer()["counts"]["pending"] == len(files), "ingest")
    return len(rest) / took


def _joined_pace(inbox: Path) -> float:
    files = sorted(inbox.iterdir())[_WORKERS:]

    def join(path: Path) -> str:
        return "\n".join(paragraph.text for paragraph in docx.Document(str(path)).paragraphs)

    return len(files) / seconds(lambda: [join(path) for path in files])
