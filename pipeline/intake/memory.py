"""How much memory a worker holds, with the programs that it started."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TELLS_CHILDREN = (
    Path("/proc/self/task").is_dir() and Path(f"/proc/self/task/{os.getpid()}/children").exists()
)


def resident(pid: int) -> int:
    """Resident bytes of a process and of all below it; 0 when it is gone."""
    if not _TELLS_CHILDREN:
        return _asked(pid)
    total, found = 0, [pid]
    while found:
        place = Path(f"/proc/{found.pop()}")
        with suppress(OSError):  # one that just ended counts nothing
            total += int((place / "statm").read_bytes().split()[1]) * _PAGE_BYTES
            for thread in (place / "task").iterdir():
                found += map(int, (thread / "children").read_bytes().split())
    return total


def _asked(pid: int) -> int:
    """The same, where the kernel does not list children: all processes are looked through."""
    import psutil

    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for member in family:
        with suppress(psutil.Error):
            total += member.memory_info().rss
    return total
