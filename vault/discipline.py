"""How a process that holds keys behaves: no core dump, no peeking by others of the same user, no swap if it
may.

Best effort, and what was reached is said: `doctor` prints it. Python cannot promise that no copy of a key
stays in memory; a machine for secrets has swap and hibernation switched off besides.
"""

from __future__ import annotations

import ctypes
import resource
from dataclasses import dataclass

from ..common.sandbox import forbid_core
from .swap import resting

_PR_SET_DUMPABLE = 4
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Discipline:
    """What holds for this process now. `locked`: its memory never reaches swap, locked or because there is none."""

    no_core: bool
    not_dumpable: bool
    locked: bool


def harden(*, lock_memory: bool = True) -> Discipline:
    """No core dump, not dumpable; locks memory when there is swap and no limit would then starve the process."""
    libc = ctypes.CDLL(None, use_errno=True)
    return Discipline(
        no_core=forbid_core(),
        not_dumpable=libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0,
        locked=lock_memory and (not resting().swap or _lock_memory(libc)),
    )


def _lock_memory(libc: ctypes.CDLL) -> bool:
    # Under a small limit, MCL_FUTURE would make every later allocation fail.
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != resource.RLIM_INFINITY:
        return False
    return bool(libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0)
