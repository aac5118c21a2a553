"""Measures how long a command takes before it does anything: a clerk waits for that at every step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

from ...samples.make import make_paper
from ...samples.render import render
from .ingest import run_command
from .race import Race, Races, require, seconds
from .room import BenchRoom, bench_room

_COMMANDS = {"start": ("--help",), "start.documents": ("documents", "list", "--help")}


def start(folder: Path, quick: bool) -> Races:
    """Seconds of `jiyao --help`, of a command that loads the register, of taking in one file: processes of their own.

    Baseline: the same Python does nothing (`python -c pass`).
    """
    for name, words in _COMMANDS.items():
        yield Race(
            name=name, unit="s", against="python -c pass", rounds=3 if quick else 9,
            product=partial(seconds, partial(_run, folder, "-m", "jiyao.cli", *words)),
            baseline=partial(seconds, partial(_run, folder, "-c", "pass")), note=f"jiyao {' '.join(words)}",
        )  # fmt: skip

    with bench_room(folder) as room:
        numbers = count(1)
        yield Race(
            name="start.ingest", unit="s", against="python -c pass", rounds=2 if quick else 5,
            product=partial(_ingest_one, folder, room, numbers), note="jiyao ingest, one DOCX, --kdf test",
            baseline=partial(seconds, partial(_run, folder, "-c", "pass")),
        )  # fmt: skip


def _ingest_one(folder: Path, room: BenchRoom, numbers: Iterator[int]) -> float:
    """Seconds of the whole command on one small file that the station has not seen."""
    path = folder / "one.docx"
    path.write_bytes(render(make_paper(next(numbers), "train"), "docx"))
    return seconds(lambda: run_command(("ingest", str(path)), room.environment))


def _run(folder: Path, *words: str) -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("JIYAO_")}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=plain, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        check=False,
    )  # fmt: skip
    require(done.returncode == 0, "start")
