"""Writing a file whole, durably, and never over another one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .errors import Refused


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
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def digest_of(path: Path) -> str:
    """A file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
