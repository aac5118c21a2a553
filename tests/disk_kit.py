"""Real file systems in image files, mounted over a loop device, and a search of the raw image afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

BLOCK = 4096
BLOCKS = 128
_MAKE = {
    "ext2": ("mkfs.ext2", "-q"),
    "ext3": ("mkfs.ext3", "-q"),
    "ext4": ("mkfs.ext4", "-q"),
    "xfs": ("mkfs.xfs", "-q"),
    "btrfs": ("mkfs.btrfs", "-q", "-m", "single", "-d", "single"),
}
_BYTES = {"xfs": 320 << 20, "btrfs": 128 << 20, "ext4": 256 << 20}
_MEBIBYTES_READ = 1 << 20


@dataclass
class Disk:
    """An image of one file system. `mounted` gives its folder; `blocks_left` counts what the raw image still shows."""

    image: Path
    kind: str
    options: str = ""

    def make(self) -> None:
        """Makes the file system; the test is skipped where that is not possible."""
        program = _MAKE[self.kind]
        if os.geteuid() != 0:
            pytest.skip("only root can mount an image")
        if shutil.which(program[0]) is None:
            pytest.skip(f"{program[0]} is not installed")
        with self.image.open("wb") as file:
            file.truncate(_BYTES.get(self.kind, 24 << 20))
        subprocess.run([*program, str(self.image)], check=True, capture_output=True)

    @contextmanager
    def mounted(self) -> Iterator[Path]:
        """The file system's top folder; unmounted, and so all written, when the block ends."""
        point = self.image.with_suffix(".d")
        point.mkdir(exist_ok=True)
        options = ",".join(filter(None, ("loop", self.options)))
        done = subprocess.run(
            ["mount", "-t", self.kind, "-o", options, str(self.image), str(point)],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            pytest.skip(f"{self.kind} cannot be mounted here")
        try:
            yield point
        finally:
            subprocess.run(["umount", str(point)], check=True)

    def pieces(self) -> Iterator[bytes]:
        """The raw image without its holes, in overlapping pieces."""
        with self.image.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            at = 0
            while at < end:
                try:
                    at = os.lseek(file.fileno(), at, os.SEEK_DATA)
                except OSError:
                    return
                stop = os.lseek(file.fileno(), at, os.SEEK_HOLE)
                while at < stop:
                    yield os.pread(file.fileno(), min(_MEBIBYTES_READ + BLOCK, stop - at), at)
                    at += _MEBIBYTES_READ
                at = stop

    def found(self, needles: list[bytes]) -> set[int]:
        """Which of the needles stand in the raw image."""
        found: set[int] = set()
        for piece in self.pieces():
            found |= {
                number for number, needle in enumerate(needles) if number not in found and needle in piece
            }
        return found


def blocks() -> tuple[bytes, list[bytes]]:
    """Data of `BLOCKS` blocks, and a mark of each that stands nowhere else."""
    marks = [b"jiyao-block-" + os.urandom(20) for _ in range(BLOCKS)]
    return b"".join(mark + os.urandom(BLOCK - len(mark)) for mark in marks), marks
