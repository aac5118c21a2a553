"""Where the machine may write memory to a disk behind our back: swap and hibernation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Resting:
    """`swap`: areas in use, by name, but for compressed memory that is written nowhere; `hibernates`: it could."""

    swap: tuple[str, ...]
    hibernates: bool


def resting(root: Path = Path("/")) -> Resting:
    """Asks the kernel below `root`; what it does not tell counts as not there."""
    lines = [line for line in _read(root / "proc/swaps").splitlines()[1:] if line.strip()]
    areas = tuple(line.split()[0] for line in lines)
    states = _read(root / "sys/power/state").split()
    way = _read(root / "sys/power/disk")
    device = _read(root / "sys/power/resume").strip()
    able = "disk" in states and "[disabled]" not in way and device not in ("", "0:0")
    return Resting(tuple(area for area in areas if not _only_memory(root, area)), able)


def _only_memory(root: Path, area: str) -> bool:
    """A zram device without a backing device keeps what it is given in memory."""
    name = Path(area).name
    if not name.startswith("zram"):
        return False
    return _read(root / "sys/block" / name / "backing_dev").strip() in ("", "none")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
