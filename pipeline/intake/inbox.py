"""The files of a batch: found in a fixed order, read whole, never changed; and the hot folder that waits for them.

Threats: links that lead out of the inbox, pipes and devices that never end, files still being written. Only regular
files are read, by a descriptor that does not follow links; a hot folder waits until a file is whole.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ...common.errors import NotThere
from ...common.natural import NaturalKey, natural_key

_UNFINISHED = re.compile(
    r"(^[.~])|(\.(part|partial|tmp|crdownload|filepart|swp)$)|(^Thumbs\.db$)", re.IGNORECASE
)
_FEW = 20
QUIET_SECONDS = 2.0
POLL_SECONDS = 0.5


class Unreadable(Exception):
    """A file that cannot be taken in; the code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells that a file has not changed: device, inode, size, time."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Fingerprint:
        """From a stat."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files of a batch in their order: as named, folders in natural order of names; hidden ones left out.

    Raises:
        NotThere: a named path does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            found += _walk(path)
        elif path.exists() or path.is_symlink():
            found.append(path)
        else:
            raise NotThere("no_file", file=str(path))
    return list(dict.fromkeys(found))


def suffixes_of(paths: Sequence[Path]) -> frozenset[str]:
    """Endings of the first names that are there (`.docx`): a guess at what will come, never a reason to believe it."""
    found: set[str] = set()
    for path in paths[:_FEW]:
        try:
            names = [entry.name for entry in islice(os.scandir(path), _FEW)] if path.is_dir() else [path.name]
        except OSError:
            continue
        found |= {Path(name).suffix.lower() for name in names}
    return frozenset(found)


def read_file(path: Path, limit: int) -> bytes:
    """The whole file.

    Raises:
        Unreadable: not a regular file, a link, too large, no permission, vanished, written to meanwhile.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        raise Unreadable("file_no_permission") from None
    except FileNotFoundError:
        raise Unreadable("file_vanished") from None
    except OSError:
        raise Unreadable("not_a_regular_file") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable("not_a_regular_file")
    with os.fdopen(descriptor, "rb") as source:
        status = os.fstat(source.fileno())
        if status.st_size > limit:
            raise Unreadable("too_large")
        try:
            data = source.read(limit + 1)
        except OSError:
            raise Unreadable("file_read_error") from None
        if Fingerprint.of(os.fstat(source.fileno())) != Fingerprint.of(status):
            raise Unreadable("file_still_written")
    if len(data) > limit:
        raise Unreadable("too_large")
    return data


def first_bytes(path: Path, count: int) -> bytes:
    """How a regular file begins; empty for anything else, and for what cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, count) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def watch(
    paths: Sequence[Path], stopped: Callable[[], bool], *, quiet: float = QUIET_SECONDS
) -> Iterator[Path | None]:
    """Files of hot folders as they become whole; None while there is nothing to do.

    A file is whole when its size and time have not changed for `quiet` seconds. One already given is given again
    only when it has changed.
    """
    seen: dict[Path, tuple[Fingerprint, float]] = {}
    given: dict[Path, Fingerprint] = {}
    while not stopped():
        ready = False
        present = files_of([path for path in paths if path.exists()])
        there = set(present)
        given = {path: mark for path, mark in given.items() if path in there}
        seen = {path: mark for path, mark in seen.items() if path in there}
        for path in present:
            try:
                status = path.lstat()
            except OSError:
                continue
            now, mark = time.monotonic(), Fingerprint.of(status)
            if given.get(path) == mark:
                continue
            before = seen.get(path)
            if before is None or before[0] != mark:
                seen[path] = (mark, now)
            elif now - before[1] >= quiet:
                given[path] = mark
                ready = True
                yield path
        if not ready:
            yield None
            time.sleep(POLL_SECONDS)


def _walk(folder: Path) -> list[Path]:
    found: list[Path] = []
    try:
        entries = sorted(folder.iterdir(), key=_natural)
    except FileNotFoundError:
        return []
    except OSError:
        return [folder]  # named as one that cannot be read, not passed over
    for entry in entries:
        if _UNFINISHED.search(entry.name):
            continue
        if entry.is_dir() and not entry.is_symlink():
            found += _walk(entry)
        else:
            found.append(entry)
    return found


def _natural(path: Path) -> NaturalKey:
    return natural_key(path.name)
