"""The flat key store: all keys in one sealed value, in the registry's own transaction.

Threat model: every older version of this value is in the attacker's hands (database pages, logs, backups).
Each is sealed under its epoch's root key together with the passphrase; when that root is erased, they are
noise. The head is authenticated under the root alone, so that a wrong passphrase, a changed value and a
root of another station are three different answers. The format is docs/spec/key-store.md."""

from __future__ import annotations

import hmac
import secrets
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from ..common.errors import Broken, Unexpected, WrongSecret
from ..models.tables import KeyStoreRow
from .kdf import ARGON2ID, KdfCost
from .suite import KEY_BYTES, NONCE_BYTES, TAG_BYTES, Suite, suite_of
from .wipe import wipe, wiped

MAGIC = b"JYKEYS01"
_HEAD = struct.Struct(">8sBBHQ16sIII16s12s16s")
_MAC_BYTES = 32
_CHECK_BYTES = 16
_COUNT = struct.Struct(">I32s")
SLOT_ID_BYTES = 16
_ENTRY = SLOT_ID_BYTES + KEY_BYTES
REGISTRY_SLOT = bytes(SLOT_ID_BYTES)
"""The registry key's fixed place: survives every destruction, since the registers must."""
NO_ROTATION = bytes(32)


@dataclass(frozen=True, slots=True)
class StoreHead:
    """The clear head of the value: identity, epoch, and what the passphrase's derivation costs."""

    suite: Suite
    epoch: int
    store_uuid: bytes
    cost: KdfCost
    salt: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """The value as it stands in the registry."""

    epoch: int
    sealed: bytes

    @property
    def head(self) -> StoreHead:
        """The head, not yet authenticated.

        Raises:
            Broken: `key_store_altered`, when it cannot be a head or belongs to another epoch.
        """
        return _parse_head(self)[0]


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


# ---------------------------------------------------------------- sealing


def seal_table(table: KeyTable, head: StoreHead, *, root: bytearray, stretched: bytearray) -> bytes:
    """The value: head, its authentication under the root, and the keys under root and passphrase."""
    top = _top_key(head, root, stretched)
    nonce = secrets.token_bytes(NONCE_BYTES)
    packed = _HEAD.pack(
        MAGIC,
        head.suite.id,
        ARGON2ID,
        0,
        head.epoch,
        head.store_uuid,
        head.cost.memory_kib,
        head.cost.iterations,
        head.cost.lanes,
        head.salt,
        nonce,
        _passphrase_check(head.suite, top),
    )
    packed += _head_mac(head, root, packed)
    plain = table.plain()
    with wiped(top, plain):
        return packed + head.suite.aead(top).encrypt(nonce, plain, packed)


def head_matches(row: Row, root: bytearray) -> bool:
    """Whether `root` is the key under which this value's head was authenticated."""
    head, packed, mac, _ = _parse_head(row)
    return hmac.compare_digest(mac, _head_mac(head, root, packed))


def open_table(row: Row, *, root: bytearray, stretched: bytearray) -> KeyTable:
    """The keys of the value; the caller wipes them.

    Raises:
        Broken: `key_store_altered`, when head or keys are not what was sealed under this root.
        WrongSecret: `wrong_passphrase`, when the head is sound and the passphrase is not its own.
    """
    head, packed, mac, check = _parse_head(row)
    if not hmac.compare_digest(mac, _head_mac(head, root, packed)):
        raise Broken("key_store_altered")
    top = _top_key(head, root, stretched)
    with wiped(top):
        if not hmac.compare_digest(check, _passphrase_check(head.suite, top)):
            raise WrongSecret("wrong_passphrase")
        sealed = memoryview(row.sealed)[_HEAD.size + _MAC_BYTES :]
        plain = bytearray(len(sealed) - TAG_BYTES)
        try:
            head.suite.aead(top).decrypt_into(packed[-28:-16], sealed, packed + mac, plain)
        except InvalidTag as error:
            raise Broken("key_store_altered") from error
    with wiped(plain):
        count, carried = _COUNT.unpack_from(plain)
        if len(plain) != _COUNT.size + count * _ENTRY:
            raise Broken("key_store_altered")
        return KeyTable(plain[_COUNT.size :], carried)


def _parse_head(row: Row) -> tuple[StoreHead, bytes, bytes, bytes]:
    """Head, its packed bytes, its authentication code, the passphrase check."""
    if len(row.sealed) < _HEAD.size + _MAC_BYTES + _COUNT.size + TAG_BYTES:
        raise Broken("key_store_altered")
    packed = row.sealed[: _HEAD.size]
    magic, suite_id, function, zero, epoch, uuid, memory, iterations, lanes, salt, _, check = _HEAD.unpack(
        packed
    )
    if magic != MAGIC or function != ARGON2ID or zero or epoch != row.epoch:
        raise Broken("key_store_altered")
    cost = KdfCost(memory_kib=memory, iterations=iterations, lanes=lanes)
    head = StoreHead(suite_of(suite_id), epoch, uuid, cost, salt)
    return head, packed, row.sealed[_HEAD.size : _HEAD.size + _MAC_BYTES], check


def _head_mac(head: StoreHead, root: bytearray, packed: bytes) -> bytes:
    key = head.suite.derive(root, salt=head.store_uuid, info=b"jiyao key store head v1")
    with wiped(key):
        return head.suite.mac(key, packed)


def _top_key(head: StoreHead, root: bytearray, stretched: bytearray) -> bytearray:
    both = root + stretched
    with wiped(both):
        info = b"jiyao key store top v1" + struct.pack(">Q", head.epoch)
        return head.suite.derive(both, salt=head.store_uuid, info=info)


def _passphrase_check(suite: Suite, top: bytearray) -> bytes:
    return bytes(suite.derive(top, info=b"jiyao passphrase check v1", length=_CHECK_BYTES))


# ---------------------------------------------------------------- the row


def read_row(source: Session | Connection, *, for_update: bool = False) -> Row:
    """The value as this transaction sees it, read anew (never from the session's memory).

    Raises:
        Broken: `key_store_missing`.
    """
    query = select(KeyStoreRow.epoch, KeyStoreRow.sealed).where(KeyStoreRow.id == 1)
    found = source.execute(query.with_for_update() if for_update else query).one_or_none()
    if found is None:
        raise Broken("key_store_missing")
    return Row(found.epoch, found.sealed)


def replace_row(session: Session, *, old: Row, new: Row) -> None:
    """Writes `new` over exactly `old`, in the caller's transaction.

    Raises:
        Unexpected: `key_store_raced`, when another process wrote in between: nothing was written.
    """
    done = session.execute(
        update(KeyStoreRow)
        .where(KeyStoreRow.id == 1, KeyStoreRow.epoch == old.epoch, KeyStoreRow.sealed == old.sealed)
        .values(epoch=new.epoch, sealed=new.sealed),
        execution_options={"synchronize_session": False},
    )
    if getattr(done, "rowcount", 0) != 1:
        raise Unexpected("key_store_raced")
