"""Erasing a file: one overwrite in place, then its name; graded by what that can be worth on this medium.

This is the second layer. The first is the key: a sealed file whose key is gone is unreadable even if it
stays. Threat model: someone reads the raw medium later. Punching holes, writing anew and renaming, and more
passes were measured and do not help; the reasons are in medium.py."""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .medium import Claim, Medium, medium_of

_BLOCK = 1024 * 1024


class Grade(StrEnum):
    """What became of a file; each is a message code. The best first."""

    ERASED_CLEAR = "erased_clear"
    """Overwritten in place on a medium where that was measured to reach the blocks; then removed."""
    ERASED_MEMORY = "erased_memory"
    """Overwritten and removed in a file system that lives in memory, with no swap in use."""
    OVERWRITTEN_UNPROVEN = "overwritten_unproven"
    """Overwritten and removed; what the medium did below cannot be known (flash, virtual disk)."""
    UNLINKED_ONLY = "unlinked_only"
    """Removed; overwriting has no effect on this file system, or was not possible."""
    ABSENT = "absent"
    """It was not there."""
    FAILED = "failed"
    """It is still there."""


_GRADES = {
    Claim.CLEAR: Grade.ERASED_CLEAR,
    Claim.REMOVABLE: Grade.ERASED_CLEAR,
    Claim.MEMORY: Grade.ERASED_MEMORY,
    Claim.UNPROVEN: Grade.OVERWRITTEN_UNPROVEN,
    Claim.NONE: Grade.UNLINKED_ONLY,
}


@dataclass(frozen=True, slots=True)
class Erased:
    """The outcome for one file; `size` in bytes as found, `reasons` the medium's message codes."""

    grade: Grade
    size: int
    reasons: tuple[str, ...]

    @property
    def gone(self) -> bool:
        """Whether the name is no longer there."""
        return self.grade is not Grade.FAILED


def erase_file(path: Path, *, medium: Medium | None = None) -> Erased:
    """Overwrites, cuts, renames and removes one regular file, and makes each step durable.

    A symbolic link is removed, not followed. A file with other names (hard links) is overwritten, but only
    this name goes: the grade is then `unlinked_only` at best. Never raises: a failure is an outcome.

    Args:
        path: the file.
        medium: when known already (many files in one folder); asked from the kernel otherwise.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return Erased(Grade.ABSENT, 0, ())
    except OSError:
        return Erased(Grade.FAILED, 0, ())
    if stat.S_ISDIR(found.st_mode):
        return Erased(Grade.FAILED, 0, ())
    regular = stat.S_ISREG(found.st_mode)
    below = medium or medium_of(path if regular else path.parent)
    overwritten = regular and _overwrite(path, found.st_size)
    if not _remove(path):
        return Erased(Grade.FAILED, found.st_size, below.reasons)
    sole = regular and found.st_nlink == 1
    grade = _GRADES[below.claim] if overwritten and sole else Grade.UNLINKED_ONLY
    return Erased(grade, found.st_size, below.reasons)


def _overwrite(path: Path, size: int) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        for at in range(0, size, _BLOCK):
            _pwrite_all(descriptor, os.urandom(min(_BLOCK, size - at)), at)
        os.fsync(descriptor)
        os.ftruncate(descriptor, 0)
        os.fsync(descriptor)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _remove(path: Path) -> bool:
    anonymous = path.with_name(".gone-" + secrets.token_hex(16))
    try:
        path.rename(anonymous)
    except OSError:
        anonymous = path
    try:
        anonymous.unlink()
    except OSError:
        return False
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable; a file system that cannot do so for folders is left as it is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)


def _pwrite_all(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written
