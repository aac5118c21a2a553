"""The key tree as one block of work sees it: pages opened from the root down, one for each level.

Threat model: every version of every row that was ever written is in the attacker's hands, with today's root and
passphrase. A page's key lies in its parent only, and the top under the root; so a page that was re-keyed along its
whole path is noise in all its older versions as soon as the former root is gone. A page that no destruction touched
keeps its key: its older versions hold living keys only, since a key never leaves a page but by a destruction.

Nothing that is opened here outlives the block: see lease.py."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from ..common.errors import Broken
from .head import Row, StoreHead
from .keystore import Branch, open_top
from .suite import KEY_BYTES
from .tree_page import FANOUT, LEAF_KEYS, Page, Slot, entry_of, open_page, place_of
from .tree_rows import PageRow, Source, read_pages
from .wipe import wipe, wiped

_REGISTRY = Slot(0, 0, 0)
_ID, _MARK = 16, 9
"""Bytes of an id, and of the part of it that tells its key."""
_REGISTRY_ID = _REGISTRY.named(bytes(_MARK))
_KEPT = 512
"""So many pages stay open in a block (8 KiB each); beyond it leaves are closed again."""


class KeyTree:
    """The key store opened for a block, and what was looked at in it; `wipe` when the block ends."""

    def __init__(self, source: Source, row: Row, *, root: bytearray, stretched: bytearray) -> None:
        self.source = source
        self.row = row
        self.head: StoreHead = row.head
        self.top = open_top(row, root=root, stretched=stretched)
        self._pages: dict[int, Page] = {}

    def key(self, slot: bytes) -> bytearray | None:
        """A copy of the key in `slot` (id of 16 bytes), to be wiped by the caller; None when there is none."""
        place = Slot.of(slot)
        leaf = self.page(place.branch, 0, place.page) if place is not None else None
        if place is None or leaf is None:
            return None
        key = leaf.entry(place.index)
        if key is not None and not self.names(slot, place, key):
            wipe(key)
            return None
        return key

    def holds(self, slot: bytes) -> bool:
        """Whether there is a key in `slot`."""
        key = self.key(slot)
        wipe(key)
        return key is not None

    def id_of(self, place: Slot, key: bytearray) -> bytes:
        """The id of a key's slot: its place, and a keyed hash of place and key.

        So an id is never that of another key, also not after a place was given out again by a restored store.
        """
        bare = place.named(bytes(_MARK))
        return bare if place == _REGISTRY else bare[:-_MARK] + self._mark(bare, key)

    def _mark(self, bare: bytes, key: bytearray) -> bytes:
        both = bytearray(bare)
        both += key
        try:
            return self.head.suite.mac(self.top.naming, both)[:_MARK]
        finally:
            wipe(both)

    def names(self, slot: bytes, place: Slot, key: bytearray) -> bool:
        """Whether `slot` is the id of the key in this place."""
        return hmac.compare_digest(slot, self.id_of(place, key))

    def named(self, page: Page, asked: Iterable[bytes]) -> dict[bytes, int]:
        """Of the ids asked for in a leaf those that name a key there, each with its entry.

        As `names`, for many: one buffer holds place and key of each in turn, and is overwritten at the end.
        """
        mac, naming = self.head.suite.mac, self.top.naming
        found: dict[bytes, int] = {}
        no_mark = bytes(_MARK)
        work = bytearray(_ID + KEY_BYTES)
        with wiped(work), memoryview(page.plain) as held:
            for slot in asked:
                index = entry_of(slot)
                if not page.holds(index):
                    continue
                work[: _ID - _MARK] = slot[:-_MARK]
                work[_ID - _MARK : _ID] = no_mark
                work[_ID:] = held[index * KEY_BYTES : (index + 1) * KEY_BYTES]
                mark = no_mark if work[:_ID] == _REGISTRY_ID else mac(naming, work)[:_MARK]
                if hmac.compare_digest(slot[-_MARK:], mark):
                    found[slot] = index
        return found

    def page(self, branch: int, level: int, number: int) -> Page | None:
        """A page, opened from the top down; None when the page above it knows none.

        Raises:
            Broken: `key_store_altered`, when a page that should be there is not, or is not as it was sealed.
        """
        top = self.top.branches.get(branch)
        if top is None or number >= FANOUT ** (top.depth - 1 - level):
            return None
        path = [(upper, number >> 8 * (upper - level)) for upper in range(top.depth - 1, level - 1, -1)]
        rows = self._rows([place_of(branch, upper, at) for upper, at in path])
        key: bytearray | None = top.key
        page: Page | None = None
        for upper, at in path:
            if page is not None:
                key = page.entry(at % FANOUT)
            if key is None:
                return None
            place = place_of(branch, upper, at)
            page = self._pages.get(place)
            with wiped(*(() if key is top.key else (key,))):
                if page is None:
                    page = self.open(place, rows.get(place), key)
        return page

    def open(self, place: int, row: PageRow | None, key: bytearray) -> Page:
        """A row's page, which from now on is known; the key is its parent's entry."""
        if row is None:
            raise Broken("key_store_altered")
        page = open_page(row.sealed, self.head, place=place, epoch=row.epoch, key=key)
        self._pages[place] = page
        return page

    def adopt(self, page: Page) -> Page:
        """A page that is new."""
        self._pages[page.place] = page
        return page

    def grow(self, branch: int, top: Branch) -> None:
        """A branch has a new page at its top, or is new itself."""
        self.top.branches[branch] = top

    def changed(self) -> list[Page]:
        """Pages to be written."""
        return [page for _, page in sorted(self._pages.items()) if page.dirty]

    def close_leaves(self) -> None:
        """Wipes what is open and unchanged on the lowest level."""
        for place in [
            place for place, page in self._pages.items() if not place >> 32 & 0xFF and not page.dirty
        ]:
            self._pages.pop(place).wipe()

    def wipe(self) -> None:
        """Overwrites all keys."""
        for page in self._pages.values():
            page.wipe()
        self._pages.clear()
        self.top.wipe()

    def _rows(self, places: list[int]) -> dict[int, PageRow]:
        missing = [place for place in places if place not in self._pages]
        if missing and len(self._pages) > _KEPT:
            self.close_leaves()
            missing = [place for place in places if place not in self._pages]
        return read_pages(self.source, missing)


def keys_of(page: Page) -> list[tuple[int, bytearray]]:
    """Entries and keys of a leaf's keys; the keys are to be wiped by the caller."""
    entries = ((index, page.entry(index)) for index in range(LEAF_KEYS))
    return [(index, key) for index, key in entries if key is not None]
