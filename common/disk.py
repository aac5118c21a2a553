"""What the system says when a disk is full, failing or read-only; known without any library of the registry."""

from __future__ import annotations

import errno
from typing import Final

DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG})


def is_disk_trouble(error: BaseException) -> bool:
    """Whether the disk is full, failing or read-only."""
    return isinstance(error, OSError) and error.errno in DISK
