"""Writing a file whole, durably, and never over another one."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from .errors import Refused


def write_new(path: Path, data: bytes) -> str:
    """Writes a new file (mode 0600) and returns its SHA-256 in hex.

    Raises:
        Refused: the file is there already.
        OSError: the disk is full or fails; a half-written file is removed.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise Refused("file_exists", file=str(path)) from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return hashlib.sha256(data).hexdigest()
