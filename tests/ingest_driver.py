"""A process that takes a batch in again and again, each time in a child that the test may kill.

Arguments: the station's base folder, the inbox. Each line on standard input starts a child; its pid is printed, then
`taken` and `settled` as files come and go, then `end`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from jiyao.models.level import Level
from jiyao.pipeline.intake.inbox import files_of
from jiyao.pipeline.intake.runner import BatchRun, Progress, Request
from room_kit import Room


class Said(Progress):
    """Says what goes on, unbuffered."""

    def file_taken(self, path: Path) -> None:
        os.write(1, b"taken\n")

    def file_settled(self, path: Path, status: str) -> None:
        os.write(1, b"settled\n")


def batch(base: Path, inbox: Path, *, jobs: int) -> None:
    """One run of the main job."""
    room = Room(base, Level.COMPANY_TOP)
    with BatchRun(room.station, room.as_("clerk", "ingest"), Request(jobs=jobs), progress=Said()) as run:
        run.process(files_of([inbox]))


def main(base: Path, inbox: Path) -> None:
    """See above."""
    for number, _ in enumerate(sys.stdin):
        child = os.fork()
        if child == 0:
            # a second worker costs more to start than the work until the kill: every third time it is there
            batch(base, inbox, jobs=2 if number % 3 == 0 else 1)
            os._exit(0)
        os.write(1, f"{child}\n".encode())
        os.waitpid(child, 0)
        os.write(1, b"end\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
