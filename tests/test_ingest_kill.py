"""Killed hard twenty times in the middle of a batch, then run again: everything is there once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from ingest_kit import check_whole, counts, documents, ingest, letters, scratch_of, snapshot
from jiyao.models.level import Level
from room_kit import Room

TESTS = Path(__file__).parent
KILLS, DOCUMENTS = 20, 150


def _workers_in(place: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        environment = process.info["environ"] or {}
        if "jiyao.stages.worker" in (process.info["cmdline"] or ()) and environment.get(
            "HOME", ""
        ).startswith(place):
            found.append(process)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20261102])
def test_killed_at_random_moments(tmp_path: Path, seed: int) -> None:
    inbox = tmp_path / "inbox"
    letters(inbox, DOCUMENTS)
    before = snapshot(inbox)
    Room(tmp_path, Level.COMPANY_TOP).station.engine.dispose()
    rng = random.Random(seed)
    path = os.pathsep.join((str(TESTS), os.environ.get("PYTHONPATH", ""))).rstrip(os.pathsep)
    driver = subprocess.Popen(
        [sys.executable, str(TESTS / "ingest_driver.py"), str(tmp_path), str(inbox)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert driver.stdin and driver.stdout
    reached: list[int] = []
    try:
        for _ in range(KILLS):
            driver.stdin.write("go\n")
            driver.stdin.flush()
            child = int(driver.stdout.readline())
            # the moment is counted, not timed: in the first reading, or a blink after one of the next new papers
            new, settled = rng.choice((0, 1, 1, 2)), 0
            delay = rng.uniform(0.0, 0.9) if new == 0 else rng.uniform(0.0, 0.06)
            known = len(documents(Room(tmp_path, Level.COMPANY_TOP)))
            timer: threading.Timer | None = None
            for line in driver.stdout:
                word = line.strip()
                settled += word == "settled"
                if word == "end":
                    break
                if timer is None and (new == 0 or settled >= known + new):
                    timer = threading.Timer(delay, _kill, (child,))
                    timer.start()
            if timer:
                timer.cancel()
            reached.append(len(documents(Room(tmp_path, Level.COMPANY_TOP))))
    finally:
        driver.stdin.close()
        driver.wait(20)
    assert reached == sorted(reached), "nothing that was in is lost"
    assert len(set(reached)) > 4, f"the kills fell into the work: {reached}"
    room = Room(tmp_path, Level.COMPANY_TOP)
    prefix = room.station.scratch()
    place = str(prefix.path)[:-16]
    prefix.close()
    time.sleep(0.2)
    assert _workers_in(place) == [], "workers die with their coordinator"
    answer = ingest(room, inbox)
    assert counts(answer).get("pending", 0) + counts(answer).get("duplicate", 0) == DOCUMENTS
    rows = documents(room)
    assert len(rows) == DOCUMENTS and {row.status for row in rows} == {"pending"}
    assert len({row.id for row in rows}) == DOCUMENTS
    assert snapshot(inbox) == before
    check_whole(room)
    assert scratch_of(room) == []


def _kill(child: int) -> None:
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        return
