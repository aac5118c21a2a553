"""The flat key store: all keys in one sealed value, rewritten whole at each change.

Not the station's store (that is the tree, tree.py). It is easily seen to be right, and so it is what the tree is
tested against, and the baseline that its figures are given as ratios of. Format `JYKEYS01`, docs/spec/key-store.md."""

from __future__ import annotations

import hmac
import secrets
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..common.errors import Broken
from .head import FLAT, Row, StoreHead, open_value, seal_value
from .keystore import NO_ROTATION, REGISTRY_SLOT, SLOT_ID_BYTES
from .suite import KEY_BYTES
from .wipe import wipe, wiped

_COUNT = struct.Struct(">I32s")
_ENTRY = SLOT_ID_BYTES + KEY_BYTES


class KeyTable:
    """The keys in clear: sorted entries of slot id (16 bytes) and key (32 bytes), in one buffer to be wiped.

    `carried` is the check over what a rotation carried from the former table; zeros when nothing is to check.
    """

    def __init__(self, entries: bytearray, carried: bytes = NO_ROTATION) -> None:
        self._entries = entries
        self.carried = carried

    @classmethod
    def of(cls, keys: Mapping[bytes, bytes | bytearray]) -> KeyTable:
        """A table of these keys."""
        return cls(bytearray(b"".join(slot + bytes(keys[slot]) for slot in sorted(keys))))

    def __len__(self) -> int:
        return len(self._entries) // _ENTRY

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._entries), _ENTRY):
            yield bytes(self._entries[at : at + SLOT_ID_BYTES])

    def key(self, slot: bytes) -> bytearray | None:
        """A copy of the key in `slot`, to be wiped by the caller; None when there is none."""
        at = self._place(slot)
        found = self._entries[at : at + SLOT_ID_BYTES] == slot
        return self._entries[at + SLOT_ID_BYTES : at + _ENTRY] if found else None

    def add(self, keys: Mapping[bytes, bytearray]) -> None:
        """Adds keys in new slots. What a rotation carried is no longer the whole: the check is lifted."""
        for slot, key in keys.items():
            at = self._place(slot)
            self._entries[at:at] = slot + key
        self.carried = NO_ROTATION

    def without(self, slots: Iterable[bytes]) -> KeyTable:
        """A new table with all other slots, which carries the check over them."""
        gone = set(slots)
        kept = bytearray()
        for at in range(0, len(self._entries), _ENTRY):
            entry = memoryview(self._entries)[at : at + _ENTRY]
            if bytes(entry[:SLOT_ID_BYTES]) not in gone:
                kept += entry
        table = KeyTable(kept)
        table.carried = table.check_value()
        return table

    def check_value(self) -> bytes:
        """A keyed hash over all entries (32 bytes); says nothing to who lacks the registry key."""
        registry = self.key(REGISTRY_SLOT)
        if registry is None:
            raise Broken("key_store_altered")
        with wiped(registry):
            return hmac.digest(registry, b"jiyao carried keys v1" + self._entries, "sha256")

    def sound(self) -> bool:
        """Whether everything the last rotation carried is still there unchanged (step 4 of the protocol)."""
        return self.carried == NO_ROTATION or hmac.compare_digest(self.carried, self.check_value())

    def plain(self) -> bytearray:
        """The bytes that are sealed."""
        return bytearray(_COUNT.pack(len(self), self.carried)) + self._entries

    def wipe(self) -> None:
        """Overwrites all keys."""
        wipe(self._entries)

    def _place(self, slot: bytes) -> int:
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            at = middle * _ENTRY
            if self._entries[at : at + SLOT_ID_BYTES] < slot:
                low = middle + 1
            else:
                high = middle
        return low * _ENTRY


def seal_table(table: KeyTable, head: StoreHead, *, root: bytearray, stretched: bytearray) -> Row:
    """The value for `head.epoch`."""
    plain = table.plain()
    with wiped(plain):
        return Row(head.epoch, seal_value(plain, head, root=root, stretched=stretched, magic=FLAT), FLAT)


def open_table(row: Row, *, root: bytearray, stretched: bytearray) -> KeyTable:
    """The keys of the value; the caller wipes them.

    Raises:
        Broken: `key_store_altered`, when head or keys are not what was sealed under this root.
        WrongSecret: `wrong_passphrase`, when the head is sound and the passphrase is not its own.
    """
    plain = open_value(row, root=root, stretched=stretched)
    with wiped(plain):
        if len(plain) < _COUNT.size:
            raise Broken("key_store_altered")
        count, carried = _COUNT.unpack_from(plain)
        if len(plain) != _COUNT.size + count * _ENTRY:
            raise Broken("key_store_altered")
        return KeyTable(plain[_COUNT.size :], carried)


@dataclass(slots=True)
class FlatStore:
    """A whole flat store, its root beside it. `keep` makes each new value durable."""

    head: StoreHead
    stretched: bytearray
    keep: Callable[[Row], None]
    root: bytearray = field(default_factory=lambda: bytearray(secrets.token_bytes(KEY_BYTES)))
    row: Row = field(init=False)

    def __post_init__(self) -> None:
        self.write(KeyTable.of({REGISTRY_SLOT: secrets.token_bytes(KEY_BYTES)}))

    def add(self, keys: Mapping[bytes, bytearray]) -> None:
        """Adds keys in new slots."""
        table = self.open()
        table.add(keys)
        self.write(table)

    def key(self, slot: bytes) -> bytearray | None:
        """A copy of a slot's key; None when there is none."""
        table = self.open()
        try:
            return table.key(slot)
        finally:
            table.wipe()

    def destroy(self, slots: Iterable[bytes]) -> None:
        """Leaves slots out, under a new root; checks what was written before the former root is overwritten.

        Raises:
            Broken: `rotation_check_failed`.
        """
        table, former = self.open(), self.root
        rest = table.without(slots)
        table.wipe()
        self.root = bytearray(secrets.token_bytes(KEY_BYTES))
        self.head = replace(self.head, epoch=self.head.epoch + 1)
        self.write(rest)
        again = self.open()
        sound = again.sound()
        again.wipe()
        if not sound:
            raise Broken("rotation_check_failed")
        wipe(former)

    def open(self) -> KeyTable:
        """All keys; the caller wipes them."""
        return open_table(self.row, root=self.root, stretched=self.stretched)

    def write(self, table: KeyTable) -> None:
        """Seals the table, which is wiped, as the new value."""
        self.row = seal_table(table, self.head, root=self.root, stretched=self.stretched)
        table.wipe()
        self.keep(self.row)
