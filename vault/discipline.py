"""How a process that holds keys behaves: no core dump, no peeking by others of the same user, no swap if it
may.

Best effort, and what was reached is said: `doctor` prints it. Python cannot promise that no copy of a key
stays in memory; a machine for secrets has swap and hibernation switched off besides.
"""

from __future__ import annotations

import ctypes
import resource
from dataclasses import dataclass
from pathlib import Path

from ..common.sandbox import forbid_core

_PR_SET_DUMPABLE = 4
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Discipline:
    """What holds for this process now. `locked`: its memory never reaches swap, locked or because there is none."""

    no_core: bool
    not_dumpable: bool
    locked: bool


@dataclass(frozen=True, slots=True)
class Resting:
    """Where the machine may write memory to a disk. `swap`: in use by name; `hibernates`: it could."""

    swap: tuple[str, ...]
    hibernates: bool


def harden(*, lock_memory: bool = True) -> Discipline:
    """No core dump, not dumpable; locks memory when there is swap and no limit would then starve the process."""
    libc = ctypes.CDLL(None, use_errno=True)
    return Discipline(
        no_core=forbid_core(),
        not_dumpable=libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0,
        locked=lock_memory and (not resting().swap or _lock_memory(libc)),
    )


def resting(root: Path = Path("/")) -> Resting:
    """Asks the kernel below `root`; what it does not tell counts as not there."""
    swaps = _read(root / "proc/swaps").splitlines()[1:]
    states = _read(root / "sys/power/state").split()
    way = _read(root / "sys/power/disk")
    device = _read(root / "sys/power/resume").strip()
    able = "disk" in states and "[disabled]" not in way and device not in ("", "0:0")
    return Resting(tuple(line.split()[0] for line in swaps if line.strip()), able)


def _lock_memory(libc: ctypes.CDLL) -> bool:
    # Under a small limit, MCL_FUTURE would make every later allocation fail.
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != resource.RLIM_INFINITY:
        return False
    return bool(libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
