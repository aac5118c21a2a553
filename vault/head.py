"""The sealed value at the top of a key store: a clear head, and a body under root and passphrase together.

Threat model: every older version of this value is in the attacker's hands (database pages, logs, backups).
Each is sealed under its epoch's root key together with the passphrase; when that root is erased, they are
noise. The head is authenticated under the root alone, so that a wrong passphrase, a changed value and a
root of another station are three different answers. The format is docs/spec/key-store.md."""

from __future__ import annotations

import hmac
import secrets
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag

from ..common.errors import Broken, WrongSecret
from .kdf import ARGON2ID, KdfCost
from .suite import NONCE_BYTES, TAG_BYTES, Suite, suite_of
from .wipe import wipe, wiped

_HEAD = struct.Struct(">8sBBHQ16sIII16s12s16s")
_MAC_BYTES = 32
_CHECK_BYTES = 16
TREE = b"JYKEYS02"
"""The value over the key tree."""
FLAT = b"JYKEYS01"
"""The value that holds all keys itself (flat_store.py)."""


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
    magic: bytes = TREE

    @property
    def head(self) -> StoreHead:
        """The head, not yet authenticated.

        Raises:
            Broken: `key_store_altered`, when it cannot be a head or belongs to another epoch.
        """
        return _parse(self)[0]


def seal_value(
    plain: bytearray, head: StoreHead, *, root: bytearray, stretched: bytearray, magic: bytes
) -> bytes:
    """The value: head, its authentication under the root, and `plain` under root and passphrase."""
    top = _top_key(head, root, stretched)
    with wiped(top):
        nonce = secrets.token_bytes(NONCE_BYTES)
        packed = _HEAD.pack(
            magic,
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
        return packed + head.suite.aead(top).encrypt(nonce, plain, packed)


def head_matches(row: Row, root: bytearray) -> bool:
    """Whether `root` is the key under which this value's head was authenticated."""
    head, packed, mac, _ = _parse(row)
    return hmac.compare_digest(mac, _head_mac(head, root, packed))


def open_value(row: Row, *, root: bytearray, stretched: bytearray) -> bytearray:
    """What was sealed; the caller wipes it.

    Raises:
        Broken: `key_store_altered`, when head or body are not what was sealed under this root.
        WrongSecret: `wrong_passphrase`, when the head is sound and the passphrase is not its own.
    """
    head, packed, mac, check = _parse(row)
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
            wipe(plain)  # what did not authenticate stands in it all the same
            raise Broken("key_store_altered") from error
    return plain


def _parse(row: Row) -> tuple[StoreHead, bytes, bytes, bytes]:
    """Head, its packed bytes, its authentication code, the passphrase check."""
    if len(row.sealed) < _HEAD.size + _MAC_BYTES + TAG_BYTES:
        raise Broken("key_store_altered")
    packed = row.sealed[: _HEAD.size]
    magic, suite_id, function, zero, epoch, uuid, memory, iterations, lanes, salt, _, check = _HEAD.unpack(
        packed
    )
    if magic != row.magic or function != ARGON2ID or zero or epoch != row.epoch:
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
