"""What the kernel tells of the medium below a path: file system, mount options, the file's own flags and extents, and
every block device below it.

Stacked devices (LVM, encryption, RAID) report for themselves: what counts is the worst of what lies at the bottom. A
disk of a virtual machine says whatever its host lets it say."""

from __future__ import annotations

import array
import ctypes
import fcntl
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

from .swap import resting


@dataclass(frozen=True, slots=True)
class Signs:
    """What the kernel tells of a path. None: it did not tell.

    `removable`: a removable medium, or attached by USB or as an SD card. `virtual`: the disk is one of a virtual
    machine, or lies on another machine. `shared`: another file or a snapshot shares the file's blocks, so that the next
    write goes elsewhere.
    """

    filesystem: str
    magic: int
    data_journal: bool
    no_cow: bool
    compressed: bool
    rotational: bool | None
    discards: bool | None
    removable: bool
    swap: bool
    virtual: bool = False
    shared: bool = False


_GETFLAGS = 0x80086601
_FL_COMPRESSED, _FL_DATA_JOURNAL, _FL_NO_COW = 0x4, 0x4000, 0x800000
_FIEMAP = 0xC020660B
_FIEMAP_HEAD = struct.Struct("=QQIIII")
_FIEMAP_EXTENT = struct.Struct("=QQQQQIIII")
_EXTENTS = 64
_SHARED, _LAST = 0x2000, 0x1
_BLOCK_DEVICES = Path("/sys/dev/block")
_GUESTS = (
    "QEMU",
    "KVM",
    "VMware",
    "VirtualBox",
    "Virtual Machine",
    "Xen",
    "Bochs",
    "Amazon EC2",
    "OpenStack",
)
_NOT_A_DISK = ("loop", "nbd", "rbd", "drbd", "zram", "ram", "bcache")
"""Devices that only stand for another file, machine or memory."""


def signs_of(path: Path, *, anew: bool = False) -> Signs:
    """Asks statfs, mountinfo, the file's flags and extents, and the queues of the block devices.

    `anew`: asks the devices too, even if nothing seems to be mounted otherwise than before: for a root, whose medium
    may have been changed for another.
    """
    real = path.resolve()
    ask = _below.__wrapped__ if anew else _below
    below = ask(_read(Path("/proc/self/mountinfo")) or "", real if path.is_dir() else real.parent)
    flags = _flags(path)
    return replace(
        below,
        magic=_magic(path),
        data_journal=below.data_journal or bool(flags & _FL_DATA_JOURNAL),
        no_cow=bool(flags & _FL_NO_COW),
        compressed=below.compressed or bool(flags & _FL_COMPRESSED),
        swap=bool(resting().swap),
        shared=_shared(path),
    )


@lru_cache(maxsize=1024)
def _below(mounts: str, folder: Path) -> Signs:
    """What holds for a whole folder, as long as nothing is mounted anew: ten thousand files are asked about at once."""
    filesystem, options, device, source = _mount(mounts, folder)
    nodes = _nodes(filesystem, device, source)
    disks = tuple(_bottom(nodes))
    # What tune2fs made the default stands here only, not among the options of the mount.
    ext_options = "".join(_read(Path("/proc/fs/ext4") / node.name / "options") or "" for node in nodes)
    return Signs(
        filesystem=filesystem,
        magic=0,
        data_journal="data=journal" in options or "data=journal" in ext_options.split(),
        no_cow=False,
        compressed=any(option.startswith("compress") for option in options),
        rotational=_all(tuple(_flag(disk, "rotational") for disk in disks)),
        discards=_any(tuple(_flag(disk, "discard_max_bytes") for disk in disks)),
        removable=bool(disks) and all(_removable(disk) for disk in disks),
        swap=False,
        virtual=any(_virtual(disk) for disk in disks) or _in_virtual_machine(),
    )


# ---------------------------------------------------------------- the file system


def _magic(path: Path) -> int:
    room = (ctypes.c_long * 64)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.statfs(os.fsencode(path), ctypes.byref(room)) != 0:
        return 0
    return int(room[0]) & 0xFFFFFFFF


def _mount(mounts: str, real: Path) -> tuple[str, frozenset[str], str, str]:
    """File-system name, its options, `major:minor` and the source of the mount that holds `real`."""
    best = ("", frozenset[str](), "", "")
    longest = -1
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields, tail = left.split(), right.split()
        if len(fields) < 6 or len(tail) < 3:
            continue
        point = fields[4].encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")
        if real.is_relative_to(point) and len(point) >= longest:
            longest = len(point)
            best = (tail[0], frozenset(fields[5].split(",") + tail[2].split(",")), fields[2], tail[1])
    return best


def _flags(path: Path) -> int:
    room = array.array("l", [0])
    try:
        with _Reading(path) as descriptor:
            fcntl.ioctl(descriptor, _GETFLAGS, room)
    except OSError:
        return 0
    return room[0]


def _shared(path: Path) -> bool:
    """Whether any extent of a regular file is shared; False where the file system does not say."""
    if not path.is_file():
        return False
    start = 0
    try:
        with _Reading(path) as descriptor:
            while True:
                room = bytearray(_FIEMAP_HEAD.size + _EXTENTS * _FIEMAP_EXTENT.size)
                _FIEMAP_HEAD.pack_into(room, 0, start, (1 << 64) - 1 - start, 0, 0, _EXTENTS, 0)
                fcntl.ioctl(descriptor, _FIEMAP, room)
                mapped = _FIEMAP_HEAD.unpack_from(room)[3]
                extents = [
                    _FIEMAP_EXTENT.unpack_from(room, _FIEMAP_HEAD.size + number * _FIEMAP_EXTENT.size)
                    for number in range(mapped)
                ]
                if any(extent[5] & _SHARED for extent in extents):
                    return True
                if not extents or extents[-1][5] & _LAST:
                    return False
                start = extents[-1][0] + extents[-1][2]
    except OSError:
        return False


class _Reading:
    """A path opened for looking only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> int:
        self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


# ---------------------------------------------------------------- the devices below


def _nodes(filesystem: str, device: str, source: str) -> tuple[Path, ...]:
    """The block devices of a mount: what mountinfo names, or for btrfs, whose numbers are made up, all its members."""
    if not device.startswith("0:"):
        return ((_BLOCK_DEVICES / device).resolve(),) if device else ()
    if filesystem != "btrfs":
        return ()
    try:
        number = Path(source).stat().st_rdev
    except OSError:
        return ()
    first = (_BLOCK_DEVICES / f"{os.major(number)}:{os.minor(number)}").resolve()
    for pool in Path("/sys/fs/btrfs").glob("*/devices"):
        members = tuple(member.resolve() for member in pool.iterdir())
        if any(member.name == first.name for member in members):
            return members
    return (first,)


def _bottom(nodes: tuple[Path, ...]) -> Iterator[Path]:
    """The whole disks at the bottom of stacked devices."""
    for node in nodes:
        whole = node if (node / "queue").exists() else node.parent
        below = tuple(slave.resolve() for slave in whole.glob("slaves/*"))
        if below:
            yield from _bottom(below)
        else:
            yield whole


def _flag(disk: Path, name: str) -> bool | None:
    text = _read(disk / "queue" / name)
    return None if text is None or not text.strip().isdigit() else int(text) > 0


def _removable(disk: Path) -> bool:
    card = (_read(disk / "device" / "type") or "").strip() == "SD"
    return (_read(disk / "removable") or "0").strip() == "1" or "/usb" in str(disk) or card


def _virtual(disk: Path) -> bool:
    named = disk.name.startswith(_NOT_A_DISK)
    return named or any(part in str(disk) for part in ("/virtio", "/session", "/rport-", "/vmbus", "/xen"))


@cache
def _in_virtual_machine() -> bool:
    """By the processor's own flag, or by what the board calls itself where processors have no such flag."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            flags = next((line for line in lines if line.startswith("flags")), "")
    except OSError:
        flags = ""
    board = _read(Path("/sys/class/dmi/id/sys_vendor")) or ""
    board += _read(Path("/sys/class/dmi/id/product_name")) or ""
    return "hypervisor" in flags.split() or any(name in board for name in _GUESTS)


def _all(values: tuple[bool | None, ...]) -> bool | None:
    return None if not values or None in values else all(values)


def _any(values: tuple[bool | None, ...]) -> bool | None:
    return None if not values or None in values else any(values)


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None
