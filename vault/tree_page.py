"""One page of the key tree: 256 entries of 32 bytes, sealed under a key that the page above holds.

Threat model: the attacker holds every version of every page ever written, and may put any of them in any place. A
page opens in its own place only (branch, level and number are bound into the seal, with the store and the epoch in
which its key was made), and only under the key that its parent holds now. The format is docs/spec/key-store.md."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag

from ..common.errors import Broken
from .head import StoreHead
from .suite import KEY_BYTES, NONCE_BYTES, TAG_BYTES
from .wipe import wipe

MAGIC = b"JYPAGE01"
FANOUT = 256
LEAF_KEYS = FANOUT - 1
"""Keys in a leaf; its last entry is its record."""
PAGE_BYTES = FANOUT * KEY_BYTES
SEALED_BYTES = NONCE_BYTES + PAGE_BYTES + TAG_BYTES
_BOUND = struct.Struct(">8s16sBHBIQ")
_SLOT = struct.Struct(">HIB9s")
_LEAF = struct.Struct(">HI")
_ENTRY = _LEAF.size
"""Where an id, after branch and leaf page, names the entry."""
_USED = struct.Struct(">H30s")
_EMPTY = bytes(KEY_BYTES)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a key lies: branch, leaf page and entry, as its id says."""

    branch: int
    page: int
    index: int

    @classmethod
    def of(cls, slot: bytes) -> Slot | None:
        """The place that a slot's id (16 bytes) names; None when no slot can have this id."""
        branch, page, index, _ = _SLOT.unpack(slot)
        return cls(branch, page, index) if index < LEAF_KEYS else None

    def named(self, mark: bytes) -> bytes:
        """The id of this place that ends in `mark` (9 bytes)."""
        return _SLOT.pack(self.branch, self.page, self.index, mark)


def leaves_of(slots: Iterable[bytes]) -> dict[tuple[int, int], list[bytes]]:
    """Ids by where they say that their keys lie: (branch, leaf page) -> ids. Without those no slot can have.

    Ten thousand that fall due together lie in forty leaves: so they are taken leaf by leaf from here on.
    """
    found: dict[tuple[int, int], list[bytes]] = {}
    last, leaf = b"", []
    for slot in slots:
        if slot[:_ENTRY] != last:
            last = slot[:_ENTRY]
            branch, page = _LEAF.unpack(last)
            leaf = found.setdefault((branch, page), [])
        if slot[_ENTRY] < LEAF_KEYS:
            leaf.append(slot)
    return {place: ids for place, ids in found.items() if ids}


def entry_of(slot: bytes) -> int:
    """The entry of its leaf that an id names."""
    return slot[_ENTRY]


def place_of(branch: int, level: int, page: int) -> int:
    """One number for a page's place: branch (16 bits), level (8), page (32)."""
    return branch << 40 | level << 32 | page


def parts_of(place: int) -> tuple[int, int, int]:
    """Branch, level and page of a place."""
    return place >> 40, place >> 32 & 0xFF, place & 0xFFFFFFFF


class Page:
    """A page in clear, to be wiped. `stored` is what its row holds now; None for a page that has none yet."""

    __slots__ = ("dirty", "epoch", "key", "place", "plain", "stored")

    def __init__(
        self,
        place: int,
        *,
        key: bytearray,
        epoch: int,
        plain: bytearray | None = None,
        stored: bytes | None = None,
    ) -> None:
        self.place = place
        self.key = bytearray(key)
        self.epoch = epoch
        self.plain = plain if plain is not None else bytearray(PAGE_BYTES)
        self.stored = stored
        self.dirty = stored is None

    @property
    def count(self) -> int:
        """How many entries are in use: in a leaf its keys, above it its children."""
        last = LEAF_KEYS if parts_of(self.place)[1] == 0 else FANOUT
        empty = self.plain.startswith
        return last - [empty(_EMPTY, at) for at in range(0, last * KEY_BYTES, KEY_BYTES)].count(True)

    def holds(self, index: int) -> bool:
        """Whether an entry is in use."""
        return not self.plain.startswith(_EMPTY, index * KEY_BYTES)

    def entry(self, index: int) -> bytearray | None:
        """A copy of an entry, to be wiped by the caller; None when it is empty."""
        found = self.plain[index * KEY_BYTES : (index + 1) * KEY_BYTES]
        return found if found != _EMPTY else None

    def put(self, index: int, key: bytes | bytearray) -> None:
        """Writes an entry."""
        self.plain[index * KEY_BYTES : (index + 1) * KEY_BYTES] = key
        self.dirty = True

    def clear(self, index: int) -> None:
        """Empties an entry."""
        self.put(index, _EMPTY)

    @property
    def used(self) -> int:
        """How many entries of this leaf were ever given out, from the first one on."""
        used, rest = _USED.unpack_from(self.plain, LEAF_KEYS * KEY_BYTES)
        if used > LEAF_KEYS or any(rest):
            raise Broken("key_store_altered")
        return int(used)

    @used.setter
    def used(self, count: int) -> None:
        self.put(LEAF_KEYS, _USED.pack(count, bytes(30)))

    def sealed(self, head: StoreHead) -> bytes:
        """The page under its key, with a new nonce."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        bound = _bound(head, self.place, self.epoch)
        return nonce + head.suite.aead(self.key).encrypt(nonce, self.plain, bound)

    def wipe(self) -> None:
        """Overwrites key and entries."""
        wipe(self.key, self.plain)


def open_page(sealed: bytes, head: StoreHead, *, place: int, epoch: int, key: bytearray) -> Page:
    """The page in clear.

    Raises:
        Broken: `key_store_altered`, when it is not what was sealed for this place, epoch and key.
    """
    if len(sealed) != SEALED_BYTES:
        raise Broken("key_store_altered")
    plain = bytearray(PAGE_BYTES)
    view = memoryview(sealed)
    try:
        head.suite.aead(key).decrypt_into(
            view[:NONCE_BYTES], view[NONCE_BYTES:], _bound(head, place, epoch), plain
        )
    except InvalidTag as error:
        wipe(plain)  # what did not authenticate stands in it all the same
        raise Broken("key_store_altered") from error
    return Page(place, key=key, epoch=epoch, plain=plain, stored=sealed)


def _bound(head: StoreHead, place: int, epoch: int) -> bytes:
    branch, level, page = parts_of(place)
    return _BOUND.pack(MAGIC, head.store_uuid, head.suite.id, branch, level, page, epoch)
