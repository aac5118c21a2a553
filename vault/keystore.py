"""The top of the key tree and its row: the keys of the branches, in the registry's own transaction.

Threat model: see head.py for the value, tree.py for the pages below it. Every write replaces exactly the value
that it read, in the caller's write transaction, so that key, register row and ledger entry are there together or
not at all."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import Connection, Table, select, update
from sqlalchemy.orm import Session

from ..common.errors import Broken, Unexpected
from ..models.tables import KeyStoreRow
from .head import TREE, Row, StoreHead, open_value, seal_value
from .head import head_matches as head_matches
from .suite import KEY_BYTES
from .wipe import wipe, wiped

SLOT_ID_BYTES = 16
REGISTRY_SLOT = bytes(SLOT_ID_BYTES)
"""The registry key's fixed place: survives every destruction, since the registers must."""
NO_ROTATION = bytes(32)
_COUNT = struct.Struct(">32s32sH")
_NAMING_AT = 32
_BRANCH = struct.Struct(">HB32s")
MAX_DEPTH = 5
"""Levels of pages in a branch: enough for 2^32 leaf pages, which is what a slot id can name."""


@dataclass(slots=True)
class Branch:
    """Levels of pages (1 … 5) and the key of the one page at the top of them."""

    depth: int
    key: bytearray


@dataclass(slots=True)
class Top:
    """What the row holds in clear: the branches by number, ascending.

    `naming` is the key by which slot ids are made (32 bytes, for the store's life). `carried` is the check over what
    the last rotation carried over; zeros when nothing is to check.
    """

    naming: bytearray
    carried: bytes = NO_ROTATION
    branches: dict[int, Branch] = field(default_factory=dict)

    def plain(self) -> bytearray:
        """The bytes that are sealed."""
        out = bytearray(_COUNT.pack(self.carried, self.naming, len(self.branches)))
        for number in sorted(self.branches):
            out += _BRANCH.pack(number, self.branches[number].depth, self.branches[number].key)
        return out

    def wipe(self) -> None:
        """Overwrites the keys."""
        wipe(self.naming, *(branch.key for branch in self.branches.values()))


def seal_top(top: Top, head: StoreHead, *, root: bytearray, stretched: bytearray) -> Row:
    """The row for `head.epoch`."""
    plain = top.plain()
    with wiped(plain):
        return Row(head.epoch, seal_value(plain, head, root=root, stretched=stretched, magic=TREE))


def open_top(row: Row, *, root: bytearray, stretched: bytearray) -> Top:
    """The branches of the row; the caller wipes them.

    Raises:
        Broken: `key_store_altered`, when head or body are not what was sealed under this root.
        WrongSecret: `wrong_passphrase`, when the head is sound and the passphrase is not its own.
    """
    plain = open_value(row, root=root, stretched=stretched)
    with wiped(plain):
        if len(plain) < _COUNT.size:
            raise Broken("key_store_altered")
        carried, _, count = _COUNT.unpack_from(plain)
        if len(plain) != _COUNT.size + count * _BRANCH.size:
            raise Broken("key_store_altered")
        top, last = Top(plain[_NAMING_AT : _NAMING_AT + KEY_BYTES], carried), -1
        for at in range(_COUNT.size, len(plain), _BRANCH.size):
            number, depth, _ = _BRANCH.unpack_from(plain, at)
            if number <= last or not 1 <= depth <= MAX_DEPTH:
                raise Broken("key_store_altered")
            top.branches[number] = Branch(depth, plain[at + _BRANCH.size - KEY_BYTES : at + _BRANCH.size])
            last = number
        return top


# ---------------------------------------------------------------- the row

_STORE = cast(Table, KeyStoreRow.__table__)
_ROW = select(_STORE.c.epoch, _STORE.c.sealed).where(_STORE.c.id == 1)


def read_row(source: Session | Connection, *, for_update: bool = False) -> Row:
    """The value as this transaction sees it, read anew (never from the session's memory).

    Raises:
        Broken: `key_store_missing`.
    """
    connection = source.connection() if isinstance(source, Session) else source
    found = connection.execute(_ROW.with_for_update() if for_update else _ROW).one_or_none()
    if found is None:
        raise Broken("key_store_missing")
    return Row(found.epoch, bytes(found.sealed))


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
