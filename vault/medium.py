"""What an overwrite at a path can promise: the medium below, asked from the kernel, judged without hope.

Measured on raw images (measured.py): overwriting in place reaches the blocks on ext2, ext3, ext4 without data
journalling, on xfs, and on btrfs files marked no-copy-on-write; on everything else the old bytes stay. Where another
file or a snapshot shares the blocks, the next write goes elsewhere on any of them. Below the file system only a
spinning disk without discard keeps a block where it was. A virtual disk that calls itself rotational says nothing about
what lies beneath: unknown counts as the worst."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .measured import reaches_blocks
from .signs import Signs, signs_of


class RootClass(StrEnum):
    """How well a root store can be erased. R1 is a token's (pkcs11_token.py), R2 a TPM's; neither of a path."""

    R1 = "R1"
    R2 = "R2"
    R3 = "R3"
    R4 = "R4"
    R5 = "R5"


class Claim(StrEnum):
    """What may be said of an overwrite, or of a key destroyed on a token; each is a message code. The best first."""

    DEVICE = "claim_destroyed_by_device"
    MEMORY = "claim_memory_only"
    CLEAR = "claim_clear_best_effort"
    REMOVABLE = "claim_clear_removable"
    UNPROVEN = "claim_overwrite_unproven"
    TOKEN_UNPROVEN = "claim_destroyed_unproven"
    NONE = "claim_overwrite_useless"

    @property
    def proven(self) -> bool:
        """Whether nothing more is to be owned up to: what the medium says of itself bears the claim."""
        return self in (Claim.CLEAR, Claim.REMOVABLE, Claim.MEMORY, Claim.DEVICE)


@dataclass(frozen=True, slots=True)
class Medium:
    """The medium of a path. `reasons` are message codes, the strongest first."""

    filesystem: str
    root_class: RootClass
    claim: Claim
    reasons: tuple[str, ...]


_MAGIC = {"ext2": 0xEF53, "ext3": 0xEF53, "ext4": 0xEF53, "xfs": 0x58465342, "btrfs": 0x9123683E}
_PLAIN = {"vfat": 0x4D44, "exfat": 0x2011BAB0}
"""Not measured; they have neither journal nor copy-on-write, and stand on sticks and cards only."""
_COPY_ON_WRITE = ("zfs", "bcachefs", "f2fs", "nilfs2", "bcachefs2")
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "afs")
_MEMORY = ("tmpfs", "ramfs")


def medium_of(path: Path, *, anew: bool = False) -> Medium:
    """The medium that holds `path` (a file or folder that exists); `anew` as in `signs_of`."""
    return judge(signs_of(path, anew=anew))


def judge(signs: Signs) -> Medium:
    """Class and claim that these signs allow."""
    if signs.filesystem in _MEMORY:
        claim = Claim.UNPROVEN if signs.swap else Claim.MEMORY
        return Medium(signs.filesystem, RootClass.R5, claim, ("medium_memory",))
    useless = _useless(signs)
    if useless:
        return Medium(signs.filesystem, RootClass.R5, Claim.NONE, (useless,))
    if signs.removable:
        return Medium(signs.filesystem, RootClass.R3, Claim.REMOVABLE, ("medium_removable",))
    if signs.rotational is None or signs.discards is None:
        return Medium(signs.filesystem, RootClass.R5, Claim.UNPROVEN, ("medium_device_unknown",))
    if not signs.rotational:
        return Medium(signs.filesystem, RootClass.R5, Claim.UNPROVEN, ("medium_flash",))
    if signs.discards:
        return Medium(signs.filesystem, RootClass.R5, Claim.UNPROVEN, ("medium_discard_below",))
    if signs.virtual:
        return Medium(signs.filesystem, RootClass.R5, Claim.UNPROVEN, ("medium_virtual",))
    return Medium(signs.filesystem, RootClass.R4, Claim.CLEAR, ("medium_in_place",))


def variant_of(signs: Signs) -> str:
    """The row of the measured table that fits."""
    if signs.filesystem == "btrfs":
        return "btrfs nocow" if signs.no_cow and not signs.compressed else "btrfs"
    return signs.filesystem + (" data=journal" if signs.data_journal else "")


def _useless(signs: Signs) -> str | None:
    """Why overwriting does not reach the old blocks; None when it does."""
    if signs.filesystem in _COPY_ON_WRITE:
        return "medium_copy_on_write"
    if signs.filesystem.startswith(("overlay", "aufs", "fuse")):
        return "medium_layered"
    if signs.filesystem in _NETWORK:
        return "medium_network"
    if {**_MAGIC, **_PLAIN}.get(signs.filesystem) != signs.magic:
        return "medium_filesystem_unknown"
    if signs.filesystem in _MAGIC and not reaches_blocks(variant_of(signs)):
        return "medium_copy_on_write" if signs.filesystem == "btrfs" else "medium_data_journal"
    return "medium_shared" if signs.shared else None
