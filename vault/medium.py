"""What an overwrite at a path can promise: the medium below, asked from the kernel, judged without hope.

Measured on raw images of ext4, xfs and btrfs: overwriting in place reaches the blocks on ext4 without data
journalling, on xfs, and on btrfs files marked no-copy-on-write; on everything else the old bytes stay.
Below the file system only a spinning disk without discard keeps a block where it was. A virtual disk that
calls itself rotational and takes discards says nothing about what lies beneath: unknown counts as the
worst."""

from __future__ import annotations

import array
import ctypes
import fcntl
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class RootClass(StrEnum):
    """How well a root store can be erased. R1 is a token's (pkcs11_token.py), R2 a TPM's; neither of a path."""

    R1 = "R1"
    R2 = "R2"
    R3 = "R3"
    R4 = "R4"
    R5 = "R5"


class Claim(StrEnum):
    """What may be said of an overwrite, or of a key destroyed on a token; each is a message code."""

    CLEAR = "claim_clear_best_effort"
    MEMORY = "claim_memory_only"
    UNPROVEN = "claim_overwrite_unproven"
    DEVICE = "claim_destroyed_by_device"
    TOKEN_UNPROVEN = "claim_destroyed_unproven"
    NONE = "claim_overwrite_useless"

    @property
    def proven(self) -> bool:
        """Whether nothing more is to be owned up to: what the medium says of itself bears the claim."""
        return self in (Claim.CLEAR, Claim.MEMORY, Claim.DEVICE)


@dataclass(frozen=True, slots=True)
class Medium:
    """The medium of a path. `reasons` are message codes, the strongest first."""

    filesystem: str
    root_class: RootClass
    claim: Claim
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signs:
    """What the kernel tells of a path. None: it did not tell."""

    filesystem: str
    magic: int
    data_journal: bool
    no_cow: bool
    compressed: bool
    rotational: bool | None
    discards: bool | None
    removable: bool
    swap: bool


_IN_PLACE = {
    "ext2": 0xEF53,
    "ext3": 0xEF53,
    "ext4": 0xEF53,
    "xfs": 0x58465342,
    "vfat": 0x4D44,
    "exfat": 0x2011BAB0,
}
_BTRFS = 0x9123683E
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "afs")
_MEMORY = ("tmpfs", "ramfs")


def medium_of(path: Path) -> Medium:
    """The medium that holds `path` (a file or folder that exists)."""
    return judge(signs_of(path))


def judge(signs: Signs) -> Medium:
    """Class and claim that these signs allow."""
    if signs.filesystem in _MEMORY:
        claim = Claim.UNPROVEN if signs.swap else Claim.MEMORY
        return Medium(signs.filesystem, RootClass.R5, claim, ("medium_memory",))
    useless = _useless(signs)
    if useless:
        return Medium(signs.filesystem, RootClass.R5, Claim.NONE, (useless,))
    if signs.removable:
        return Medium(signs.filesystem, RootClass.R3, Claim.CLEAR, ("medium_removable",))
    if signs.rotational is None or signs.discards is None:
        return Medium(signs.filesystem, RootClass.R5, Claim.UNPROVEN, ("medium_device_unknown",))
    if not signs.rotational:
        return Medium(signs.filesystem, RootClass.R5, Claim.UNPROVEN, ("medium_flash",))
    if signs.discards:
        return Medium(signs.filesystem, RootClass.R5, Claim.UNPROVEN, ("medium_discard_below",))
    return Medium(signs.filesystem, RootClass.R4, Claim.CLEAR, ("medium_in_place",))


def _useless(signs: Signs) -> str | None:
    if signs.filesystem == "btrfs" and signs.magic == _BTRFS:
        return None if signs.no_cow and not signs.compressed else "medium_copy_on_write"
    if signs.filesystem in ("zfs", "bcachefs", "f2fs", "nilfs2", "bcachefs2"):
        return "medium_copy_on_write"
    if signs.filesystem.startswith(("overlay", "aufs", "fuse")):
        return "medium_layered"
    if signs.filesystem in _NETWORK:
        return "medium_network"
    if _IN_PLACE.get(signs.filesystem) != signs.magic:
        return "medium_filesystem_unknown"
    return "medium_data_journal" if signs.data_journal else None


# ---------------------------------------------------------------- asking the kernel

_GETFLAGS = 0x80086601
_FL_COMPRESSED, _FL_DATA_JOURNAL, _FL_NO_COW = 0x4, 0x4000, 0x800000


def signs_of(path: Path) -> Signs:
    """Asks statfs, mountinfo, the file's flags and the block device's queue."""
    filesystem, options, device = _mount(path)
    flags = _flags(path)
    rotational, discards, removable = _device(device)
    ext_options = _read(Path("/proc/fs/ext4") / _device_name(device) / "options") or ""
    return Signs(
        filesystem=filesystem,
        magic=_magic(path),
        data_journal="data=journal" in options
        or "data=journal" in ext_options.split()
        or bool(flags & _FL_DATA_JOURNAL),
        no_cow=bool(flags & _FL_NO_COW),
        compressed=bool(flags & _FL_COMPRESSED) or any(o.startswith("compress") for o in options),
        rotational=rotational,
        discards=discards,
        removable=removable,
        swap=len((_read(Path("/proc/swaps")) or "").splitlines()) > 1,
    )


def _magic(path: Path) -> int:
    room = (ctypes.c_long * 64)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.statfs(os.fsencode(path), ctypes.byref(room)) != 0:
        return 0
    return int(room[0]) & 0xFFFFFFFF


def _mount(path: Path) -> tuple[str, frozenset[str], str]:
    """File-system name, its options, and `major:minor` of the mount that holds `path`."""
    real = path.resolve()
    best = ("", frozenset[str](), "")
    longest = -1
    for line in (_read(Path("/proc/self/mountinfo")) or "").splitlines():
        left, _, right = line.partition(" - ")
        fields, tail = left.split(), right.split()
        if len(fields) < 6 or len(tail) < 3:
            continue
        point = fields[4].encode().decode("unicode_escape")
        if real.is_relative_to(point) and len(point) >= longest:
            longest = len(point)
            best = (tail[0], frozenset(fields[5].split(",") + tail[2].split(",")), fields[2])
    return best


def _flags(path: Path) -> int:
    room = array.array("l", [0])
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return 0
    try:
        fcntl.ioctl(descriptor, _GETFLAGS, room)
    except OSError:
        return 0
    finally:
        os.close(descriptor)
    return room[0]


def _device_name(device: str) -> str:
    return (Path("/sys/dev/block") / device).resolve().name if device else "none"


def _device(device: str) -> tuple[bool | None, bool | None, bool]:
    """Rotational, takes discards, removable; the disk's own when `device` is a partition."""
    node = (Path("/sys/dev/block") / device).resolve() if device else Path("/nonexistent")
    if not (node / "queue").exists():
        node = node.parent
    rotational = _read(node / "queue" / "rotational")
    discards = _read(node / "queue" / "discard_max_bytes")
    return (
        None if rotational is None else rotational.strip() == "1",
        None if discards is None else int(discards) > 0,
        (_read(node / "removable") or "0").strip() == "1",
    )


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None
