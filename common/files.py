"""Writing a file whole, durably, and never over another one.

`new_file` refuses what is there, and removes what failed half-way; only a killed process leaves half a file.
`write_whole` gives a file its name once it is whole, so that a command which was killed can be run again as it was.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from .errors import Refused

_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""How file systems without hard links (FAT on a stick) refuse one."""
_NO_SYNC: Final = frozenset({errno.EINVAL, errno.EBADF, errno.ENOTSUP})
"""How file systems answer that do not sync folders."""
_LOOKED_AT: Final = 1 << 20
"""Files that may differ from what would be written are looked at up to this size."""


def write_new(path: Path, data: bytes) -> str:
    """Writes a new file (mode 0600) and returns its SHA-256 in hex.

    Raises:
        Refused: the file is there already.
        OSError: the disk is full or fails; a half-written file is removed.
    """
    with new_file(path) as out:
        out.write(data)
    return hashlib.sha256(data).hexdigest()


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file (mode 0600) to be written piece by piece, and durable at the end; what fails half-way leaves none.

    Raises:
        Refused: the file is there already.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise Refused("file_exists", file=str(path)) from None
    try:
        with os.fdopen(descriptor, "w+b") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        sync_folder(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes, *, same: Callable[[bytes], bool] | None = None) -> str:
    """Writes a file (mode 0600) that has its name only once it is whole and durable, and returns its SHA-256 in hex.

    A file of that name that says the same is left as it is, so the call can be made again. What a killed process leaves
    is `.NAME.part` beside it, which the next call clears away.

    Args:
        same: whether what is there (at most 1 MiB) is as good as `data`; the very bytes always are.

    Raises:
        Refused: another file is there already.
        OSError: the disk is full or fails; nothing is left.
    """
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    there = _there(path, len(data))
    if there is not None:
        if there != data and (same is None or not same(there)):
            raise Refused("file_exists", file=str(path))
        return hashlib.sha256(there).hexdigest()
    with new_file(part) as out:
        out.write(data)
    try:
        _name(part, path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)
    return hashlib.sha256(data).hexdigest()


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable, where its file system can."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def _there(path: Path, expected: int) -> bytes | None:
    """The file of that name, None when there is none; what cannot be what is to be written counts as another file."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size > max(_LOOKED_AT, expected):
        raise Refused("file_exists", file=str(path))
    return path.read_bytes()


def _name(part: Path, path: Path) -> None:
    """Gives the file its name, never another file's; in one step where the file system has hard links."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise Refused("file_exists", file=str(path)) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with new_file(path):
            pass
        part.replace(path)


def digest_of(path: Path) -> str:
    """A file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
