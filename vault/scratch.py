"""The one place for plaintext working files: in memory when there is such a file system, erased at the end.

Threat model: someone reads the disk later, or a run is killed in between. Folders are 0700, names say
nothing. Each folder is locked while its owner lives; a folder nobody locks is the leftover of a killed run,
and is erased at the next start.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from .erase import Erased, Grade, erase_file
from .medium import medium_of

_MEMORY = Path("/dev/shm")  # noqa: S108
_LOCK = ".lock"
_UNSEEN = "new-"


@dataclass(frozen=True, slots=True)
class ScratchPlace:
    """Where scratch folders go; `in_memory` tells whether nothing reaches a disk (swap aside)."""

    base: Path
    in_memory: bool
    prefix: str


def scratch_place(home: Path, *, need_bytes: int = 64 * 1024 * 1024) -> ScratchPlace:
    """Memory when it has room, else `<home>/scratch`. The prefix keeps stations apart and names none."""
    prefix = "jy-" + hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12] + "-"
    if _usable(_MEMORY, need_bytes):
        return ScratchPlace(_MEMORY, True, prefix)
    base = home / "scratch"
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    return ScratchPlace(base, medium_of(base).filesystem in ("tmpfs", "ramfs"), prefix)


class Scratch:
    """One folder for one run; closing erases everything in it. As a context manager also when the run
    fails.
    """

    def __init__(self, place: ScratchPlace) -> None:
        self.path = place.base / (place.prefix + secrets.token_hex(8))
        self.outcomes: tuple[Erased, ...] = ()
        """After closing: one outcome per file."""
        # Locked under a name that no sweep looks at: a folder that a sweep can see is always locked.
        unseen = self.path.with_name(_UNSEEN + self.path.name)
        unseen.mkdir(mode=0o700)
        self._lock = os.open(unseen / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        unseen.rename(self.path)

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Erases the folder; a second call does nothing."""
        if self._lock >= 0:
            self.outcomes = _clear(self.path)
            os.close(self._lock)
            self._lock = -1

    def file(self, suffix: str = "") -> Path:
        """A new name in the folder; the file is the caller's to make."""
        return self.path / (secrets.token_hex(8) + suffix)

    def write(self, data: bytes, suffix: str = "") -> Path:
        """A new file (0600) with `data`."""
        path = self.file(suffix)
        with path.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)
        return path


def fresh_scratch(home: Path) -> Scratch:
    """A folder for one step of the station in `home`; what killed runs left behind is erased first."""
    place = scratch_place(home)
    sweep_scratch(place, home=home)
    return Scratch(place)


def sweep_scratch(place: ScratchPlace, *, home: Path | None = None) -> int:
    """Erases folders whose owner is gone; how many. With `home`, its own scratch folder is looked at too."""
    swept = 0
    bases = {place.base} | ({home / "scratch"} if home else set())
    for base in bases:
        for folder in base.glob(place.prefix + "*"):
            if folder.is_dir() and not folder.is_symlink() and _abandoned(folder):
                _clear(folder)
                swept += 1
    return swept


def _abandoned(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _clear(folder: Path) -> tuple[Erased, ...]:
    medium = medium_of(folder)
    outcomes = []
    for root, _, names in os.walk(folder, followlinks=False):
        for name in names:
            if name != _LOCK:
                outcomes.append(erase_file(Path(root) / name, medium=medium))
    if all(outcome.grade is not Grade.FAILED for outcome in outcomes):
        shutil.rmtree(folder, ignore_errors=True)
    return tuple(outcomes)


def _usable(base: Path, need_bytes: int) -> bool:
    if not base.is_dir() or not os.access(base, os.W_OK | os.X_OK):
        return False
    if medium_of(base).filesystem not in ("tmpfs", "ramfs"):
        return False
    room = os.statvfs(base)
    return room.f_bavail * room.f_frsize >= need_bytes
