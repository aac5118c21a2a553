"""How a process that holds keys behaves: no core dump, no peeking by others of the same user, no swap if it
may.

Best effort, and what was reached is said: `doctor` prints it. Python cannot promise that no copy of a key
stays in memory; a machine for secrets has swap and hibernation switched off besides.
"""

from __future__ import annotations

import ctypes
import resource
from dataclasses import dataclass

_PR_SET_DUMPABLE = 4
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Discipline:
    """What holds for this process now."""

    no_core: bool
    not_dumpable: bool
    locked: bool


def harden(*, lock_memory: bool = True) -> Discipline:
    """Sets RLIMIT_CORE 0 and PR_SET_DUMPABLE 0; locks memory only when no limit would then starve the
    process.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    return Discipline(
        no_core=_no_core(),
        not_dumpable=libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0,
        locked=lock_memory and _lock_memory(libc),
    )


def _no_core() -> bool:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        return False
    return True


def _lock_memory(libc: ctypes.CDLL) -> bool:
    # Under a small limit, MCL_FUTURE would make every later allocation fail.
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != resource.RLIM_INFINITY:
        return False
    return bool(libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0)
