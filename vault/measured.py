"""What was measured of erasing on file systems: the ground on which a claim about a medium stands.

Method: a file of blocks with marks in an image file over a loop device, the act, unmounted, the raw image searched for
the marks (`tests/test_vault_disks.py` does it again wherever it may mount). 4 MiB files of 1 024 blocks on images of
400 MB; Linux 6.x, November 2026. A loop image shows what a file system does; what flash or an array below does, no
test from above can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Act = Literal["unlink", "overwrite", "overwrite_3", "shred", "punch", "trim", "replace"]
"""`overwrite`: once in place, then cut, renamed and removed; `punch`: holes or zeroed ranges; `trim`: removed, then
fstrim; `replace`: written anew and renamed over the old one."""
BLOCKS = 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """Blocks of 1 024 that were still on the image, by act; and whether a root key overwritten in place was."""

    variant: str
    left: dict[Act, int]
    root_left: bool

    @property
    def in_place(self) -> bool:
        """Whether one overwrite in place reaches every block."""
        return self.left["overwrite"] == 0 and not self.root_left


_NO: dict[Act, int] = {"unlink": BLOCKS, "punch": BLOCKS, "replace": BLOCKS}
_YES: dict[Act, int] = {**_NO, "overwrite": 0, "overwrite_3": 0, "shred": 0, "trim": 0}
MEASURED = (
    Measured("ext2", _YES, root_left=False),
    Measured("ext3", _YES, root_left=False),
    Measured("ext4", _YES, root_left=False),
    Measured(
        "ext4 data=journal",
        {**_NO, "overwrite": 1024, "overwrite_3": 988, "shred": 1024, "trim": 1024},
        root_left=True,
    ),
    Measured("xfs", _YES, root_left=False),
    Measured(
        "btrfs", {**_NO, "overwrite": 1024, "overwrite_3": 1024, "shred": 1024, "trim": 0}, root_left=True
    ),
    Measured("btrfs nocow", _YES, root_left=False),
)
"""ext2 and ext3 with 128 blocks, by the test, without `shred` and `trim` (taken from ext4, whose driver serves them).
With data=journal what stays depends on the size of the journal: a small one is used up by its own turn-over."""


def reaches_blocks(variant: str) -> bool:
    """Whether overwriting in place was measured to reach the blocks; what was not measured does not."""
    return any(row.variant == variant and row.in_place for row in MEASURED)
