"""The file root store: two slots in one small file, written in place, the only thing that must really be
erased.

Threat model: the attacker holds every version of the database and of all blobs that ever was, today's root
and the passphrase, and wants a document destroyed before. What stands between is that the root of the
former epoch is nowhere any more: so the file is never copied, renamed or rewritten elsewhere, lies outside
the home (no backup takes it along), and a half-done overwrite is fatal to the key (AF stripes, overwritten
before the head). Accepted: whoever copied the root file while it was valid reads what was alive then. The
format is docs/spec/root.md. A root on a token is pkcs11.py."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..common.errors import Broken, MissingTool, Refused
from .af import STRIPES, af_merge, af_split
from .erase import sync_folder
from .medium import Medium, medium_of
from .pkcs11_token import Token
from .suite import known_suite, suite_of
from .wipe import wipe

FILE_NAME = "root.jyr"
MAGIC = b"JYROOT01"
SLOT_BYTES = 131072
"""A multiple of 4 KiB: a slot never shares a page with the other one."""
FILE_BYTES = 2 * SLOT_BYTES
_HEAD = struct.Struct(">8sQBI16s32s")
_STRIPE_BYTES = 32 * STRIPES


@dataclass(frozen=True, slots=True)
class SlotView:
    """What one slot holds. `held`: a whole key; `torn`: bytes that are no whole key; `empty`: zeros."""

    state: Literal["empty", "held", "torn"]
    epoch: int = 0
    store_uuid: bytes = b""


@dataclass(frozen=True, slots=True)
class RootFile:
    """One root file in one folder. Every write is in place, durable, and read back."""

    folder: Path

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / FILE_NAME

    def exists(self) -> bool:
        """Whether the file is there."""
        return self.path.is_file()

    def taken(self) -> bool:
        """Whether something stands in its place already."""
        return self.path.exists()

    def discard(self) -> None:
        """Removes a file that never came into use."""
        self.path.unlink(missing_ok=True)

    def medium(self) -> Medium:
        """Class and claim of what it lies on."""
        return medium_of(self.path, anew=True)

    def create(self) -> None:
        """Makes the file with both slots really written, so that no later write needs a new block.

        Raises:
            Refused: `root_exists`; a root is never initialised over another.
            MissingTool: `disk_full`, when the folder cannot be written.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError as error:
            raise Refused("root_exists", path=str(self.path)) from error
        except OSError as error:
            raise MissingTool("disk_full", where=str(self.folder)) from error
        try:
            _put(descriptor, os.urandom(FILE_BYTES), 0)
            _put(descriptor, bytes(FILE_BYTES), 0)
        finally:
            os.close(descriptor)
        sync_folder(self.folder)
        sync_folder(self.folder.parent)

    def mend(self) -> None:
        """Brings a file of another length back to two empty slots, after overwriting all it held.

        Raises:
            Broken: `root_write`.
        """
        try:
            with self._opened() as descriptor:
                size = os.fstat(descriptor.number).st_size
                if size == FILE_BYTES:
                    return
                for at in range(0, max(size, FILE_BYTES), FILE_BYTES):
                    _put(descriptor.number, os.urandom(FILE_BYTES), at)
                os.ftruncate(descriptor.number, FILE_BYTES)
                _put(descriptor.number, bytes(FILE_BYTES), 0)
        except OSError as error:
            raise Broken("root_write", path=str(self.path)) from error

    def view(self, index: int) -> SlotView:
        """What slot `index` (0 or 1) holds; the key itself is not kept."""
        view, key = self.look(index)
        wipe(key)
        return view

    def look(self, index: int) -> tuple[SlotView, bytearray | None]:
        """What slot `index` (0 or 1) holds, and its key, which the caller wipes."""
        image = self._image(index)
        if not any(image):
            return SlotView("empty"), None
        parsed = _parse(image)
        if parsed is None:
            return SlotView("torn"), None
        epoch, _, store_uuid, key = parsed
        return SlotView("held", epoch, store_uuid), key

    def load(self, epoch: int) -> bytearray | None:
        """The root key of `epoch` (32 bytes), or None when no slot holds it whole."""
        found = self.find(epoch)
        return None if found is None else found[1]

    def find(self, epoch: int) -> tuple[int, bytearray] | None:
        """Slot and key of `epoch`, or None. Only a slot whose head names the epoch is merged."""
        for index in (0, 1):
            image = self._image(index)
            if _HEAD.unpack_from(image)[1] != epoch:
                continue
            parsed = _parse(image)
            if parsed is not None:
                return index, parsed[3]
        return None

    def blank(self, index: int) -> bool:
        """Whether slot `index` is all zeros."""
        return not any(self._image(index))

    def write(self, index: int, *, epoch: int, suite_id: int, store_uuid: bytes, key: bytearray) -> None:
        """Puts a key into slot `index` and reads it back.

        Raises:
            Broken: `root_write`, when what is read is not what was written.
        """
        image = build_slot(
            epoch=epoch, suite_id=suite_id, store_uuid=store_uuid, key=key,
            stripes=af_split(key, digest=suite_of(suite_id).digest),
        )  # fmt: skip
        self._write_image(index, image)
        wipe(image)

    def wipe(self, index: int) -> None:
        """Overwrites slot `index`, whatever it holds; the stripes first, so that any part of it kills the
        key.

        Raises:
            Broken: `root_write`, when the zeros do not read back.
        """
        with self._opened() as descriptor:
            at = index * SLOT_BYTES
            # Random first: a layer below may drop a write of zeros instead of overwriting.
            _put(descriptor.number, os.urandom(SLOT_BYTES - _HEAD.size), at + _HEAD.size)
            _put(descriptor.number, os.urandom(_HEAD.size), at)
        self._write_image(index, bytearray(SLOT_BYTES))

    def _write_image(self, index: int, image: bytearray) -> None:
        try:
            with self._opened() as descriptor:
                _put(descriptor.number, image, index * SLOT_BYTES)
                os.posix_fadvise(descriptor.number, index * SLOT_BYTES, SLOT_BYTES, os.POSIX_FADV_DONTNEED)
            same = self._image(index) == image
        except OSError as error:
            raise Broken("root_write", path=str(self.path)) from error
        if not same:
            raise Broken("root_write", path=str(self.path))

    def _image(self, index: int) -> bytearray:
        image = bytearray(SLOT_BYTES)
        with self._opened(writing=False) as descriptor:
            if os.fstat(descriptor.number).st_size != FILE_BYTES:
                raise Broken("root_size", path=str(self.path))
            got = os.preadv(descriptor.number, [image], index * SLOT_BYTES)
        if got != SLOT_BYTES:
            raise Broken("root_size", path=str(self.path))
        return image

    def _opened(self, *, writing: bool = True) -> _Descriptor:
        flags = os.O_RDWR if writing else os.O_RDONLY
        return _Descriptor(os.open(self.path, flags | os.O_CLOEXEC | os.O_NOFOLLOW))


class _Descriptor:
    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> _Descriptor:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.number)


def build_slot(
    *, epoch: int, suite_id: int, store_uuid: bytes, key: bytearray, stripes: bytearray
) -> bytearray:
    """The 131 072 bytes of a slot: head, stripes, zeros."""
    digest = _digest(epoch, suite_id, store_uuid, key)
    image = bytearray(_HEAD.pack(MAGIC, epoch, suite_id, STRIPES, store_uuid, digest))
    image += stripes
    image += bytes(SLOT_BYTES - len(image))
    return image


def _parse(image: bytearray) -> tuple[int, int, bytes, bytearray] | None:
    """Epoch, suite id, store uuid and key of a slot; None when it does not hold a whole key."""
    magic, epoch, suite_id, stripes, store_uuid, digest = _HEAD.unpack_from(image)
    if magic != MAGIC or stripes != STRIPES or not known_suite(suite_id):
        return None
    if any(image[_HEAD.size + _STRIPE_BYTES :]):
        return None
    material = memoryview(image)[_HEAD.size : _HEAD.size + _STRIPE_BYTES]
    key = af_merge(material, digest=suite_of(suite_id).digest)
    if _digest(epoch, suite_id, store_uuid, key) != digest:
        wipe(key)
        return None
    return epoch, suite_id, store_uuid, key


def _digest(epoch: int, suite_id: int, store_uuid: bytes, key: bytearray) -> bytes:
    head = struct.pack(">8sQBI16s", MAGIC, epoch, suite_id, STRIPES, store_uuid)
    return suite_of(suite_id).digest(head + key)


def _put(descriptor: int, data: bytes | bytearray, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written
    os.fsync(descriptor)


def require_outside(folder: Path | Token, home: Path) -> None:
    """The root's place may not be in the home: a backup of the home would take the root along. A token is not.

    Raises:
        Refused: `root_inside_home`.
    """
    if isinstance(folder, Path) and folder.resolve().is_relative_to(home.resolve()):
        raise Refused("root_inside_home", path=str(folder))
