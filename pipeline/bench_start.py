"""Measures how long a command takes before it does anything: a clerk waits for that at every step."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from .bench_race import Race, Races, require, seconds

_COMMANDS = {"start": ("--help",), "start.documents": ("documents", "list", "--help")}


def start(folder: Path, quick: bool) -> Races:
    """Seconds of `jiyao --help`, and of a command that loads the register, each as a process of its own.

    Baseline: the same Python does nothing (`python -c pass`).
    """
    for name, words in _COMMANDS.items():
        yield Race(
            name=name, unit="s", against="python -c pass", rounds=3 if quick else 9,
            product=partial(seconds, partial(_run, folder, "-m", "jiyao.cli", *words)),
            baseline=partial(seconds, partial(_run, folder, "-c", "pass")), note=f"jiyao {' '.join(words)}",
        )  # fmt: skip


def _run(folder: Path, *words: str) -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("JIYAO_")}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=plain, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        check=False,
    )  # fmt: skip
    require(done.returncode == 0, "start")
