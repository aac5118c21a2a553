"""New page keys along every path that leads to a destroyed key, and the check over what was carried over.

Threat model: as tree.py. A destroyed key is emptied in its leaf; the leaf gets a new key, which goes into the page
above it, which gets a new key, and so on up to the top, which goes under the next root. What is not on these paths is
not read: the work is bounded by what is destroyed, not by what is kept.

What may be lost in this by a fault of the program or of the medium are the neighbours on these paths. So the check is
computed over what they held before, and again over what was written, on another connection, before the former root
is erased: a chain of keyed hashes, children before parents, each over a page without the entries that had to change."""

from __future__ import annotations

import hmac
import secrets
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from ..common.errors import Broken
from .keystore import NO_ROTATION, REGISTRY_SLOT, Branch, Top
from .suite import KEY_BYTES
from .tree import KeyTree
from .tree_page import FANOUT, Page, leaves_of, open_page, parts_of, place_of
from .tree_rows import PageRow, Rewrite, read_pages, read_span, rewrite_pages
from .wipe import wipe, wiped

_EMPTY = bytes(KEY_BYTES)
_PLACE = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """What a re-keying did: slots emptied, slots that were empty or unknown already, keys left on the touched
    leaves, pages written, and the check over all that stayed (32 bytes).
    """

    destroyed: tuple[bytes, ...]
    absent: tuple[bytes, ...]
    survivors: int
    pages: int
    carried: bytes


def rekey(tree: KeyTree, session: Session, slots: Iterable[bytes], *, whole: bool = False) -> Rekeyed:
    """Empties `slots` and re-keys their paths, or with `whole` every page, for the epoch after the tree's.

    Writes the pages; the caller writes the top, which has the new keys and the check.

    Raises:
        Broken: `key_store_altered`. Unexpected: `key_store_raced`.
    """
    work = _Work(tree, session, whole=whole)
    work.doom(slots)
    for number in sorted(tree.top.branches):
        branch = tree.top.branches[number]
        if whole or number in work.doomed:
            place = place_of(number, branch.depth - 1, 0)
            row = read_pages(session, [place]).get(place)
            former = branch.key
            branch.key, change = work.visit(row, former)
            wipe(former)
            rewrite_pages(session, [change])
    touched = set(tree.top.branches) if whole else set(work.doomed) & set(tree.top.branches)
    tree.top.carried = work.chain.over_top(tree.top, touched)
    return Rekeyed(
        destroyed=tuple(slot for slot in work.wanted if slot in work.found),
        absent=tuple(slot for slot in work.wanted if slot not in work.found),
        survivors=work.survivors,
        pages=work.pages,
        carried=tree.top.carried,
    )


@dataclass(frozen=True, slots=True)
class CarriedNow:
    """What is there now of what the last rotation touched: the check, the keys on its leaves, and which of the
    slots asked for hold a key.
    """

    carried: bytes
    survivors: int
    alive: tuple[bytes, ...]


def carried_now(tree: KeyTree, slots: Iterable[bytes] = ()) -> CarriedNow:
    """The check over what the tree's last rotation touched, read anew and computed again; looks for `slots` there.

    Raises:
        Broken: `key_store_altered`, when a page of it does not open.
    """
    chain, epoch = _Chain(tree), tree.head.epoch
    touched, survivors = set(), 0
    alive: list[bytes] = []
    asked = leaves_of(slots)

    def visit(row: PageRow, key: bytearray) -> None:
        nonlocal survivors
        page = open_page(row.sealed, tree.head, place=row.place, epoch=row.epoch, key=key)
        branch, level, number = parts_of(row.place)
        changed = []
        if level:
            first = place_of(branch, level - 1, number * FANOUT)
            for child in read_span(tree.source, first, first + FANOUT - 1, epoch=epoch):
                inner = page.entry(child.place - first)
                if inner is None:
                    raise Broken("key_store_altered")
                changed.append(child.place - first)
                with wiped(inner):
                    visit(child, inner)
        else:
            survivors += page.count
            alive.extend(tree.named(page, asked.pop((branch, number), ())))
        chain.add(page, changed)
        page.wipe()

    for number, branch in sorted(tree.top.branches.items()):
        place = place_of(number, branch.depth - 1, 0)
        row = read_pages(tree.source, [place]).get(place)
        if row is None:
            raise Broken("key_store_altered")
        if row.epoch == epoch:
            touched.add(number)
            visit(row, branch.key)
    alive += [slot for leaf in asked.values() for slot in leaf if tree.holds(slot)]
    return CarriedNow(chain.over_top(tree.top, touched), survivors, tuple(alive))


def sound(tree: KeyTree) -> bool:
    """Whether everything the last rotation carried is still there unchanged (step 4 of the protocol)."""
    if tree.top.carried == NO_ROTATION:
        return True
    try:
        return hmac.compare_digest(tree.top.carried, carried_now(tree).carried)
    except Broken:
        return False


class _Chain:
    """The check as it grows; says nothing to who lacks the registry key."""

    def __init__(self, tree: KeyTree) -> None:
        registry = tree.key(REGISTRY_SLOT)
        if registry is None:
            raise Broken("key_store_altered")
        self._suite = tree.head.suite
        with wiped(registry):
            self._key = self._suite.derive(registry, info=b"jiyao carried keys v2")
        self._value = bytes(32)

    def add(self, page: Page, changed: Iterable[int]) -> None:
        """One page more, without the entries that had to change."""
        kept = bytearray(self._value + _PLACE.pack(page.place))
        before = len(kept)
        kept += page.plain
        with wiped(kept):
            for index in changed:
                at = before + index * KEY_BYTES
                kept[at : at + KEY_BYTES] = _EMPTY
            self._value = self._suite.mac(self._key, kept)

    def over_top(self, top: Top, touched: set[int]) -> bytes:
        """The check, closed over the top without the keys that had to change."""
        kept = Top(
            bytearray(top.naming),
            NO_ROTATION,
            {
                number: Branch(
                    branch.depth, bytearray(KEY_BYTES) if number in touched else bytearray(branch.key)
                )
                for number, branch in top.branches.items()
            },
        )
        plain = kept.plain()
        closed = bytearray(self._value + b"top") + plain
        with wiped(plain, closed):
            value = self._suite.mac(self._key, closed)
        kept.wipe()
        wipe(self._key)
        return value


class _Work:
    """One re-keying: which entries are concerned, and what came of them."""

    def __init__(self, tree: KeyTree, session: Session, *, whole: bool) -> None:
        self.tree, self.session, self.whole = tree, session, whole
        self.chain = _Chain(tree)
        self.wanted: tuple[bytes, ...] = ()
        self.leaves: dict[tuple[int, int], list[bytes]] = {}
        """Branch and leaf page -> ids of keys to go."""
        self.doomed: dict[int, dict[int, dict[int, set[int]]]] = {}
        """Branch -> level above the leaves -> page -> entries: to get a new key."""
        self.found: set[bytes] = set()
        self.survivors = self.pages = 0

    def doom(self, slots: Iterable[bytes]) -> None:
        """Lays out the paths."""
        self.wanted = tuple(dict.fromkeys(slots))
        pages = {number: FANOUT ** (branch.depth - 1) for number, branch in self.tree.top.branches.items()}
        self.leaves = {
            place: leaf for place, leaf in leaves_of(self.wanted).items() if place[1] < pages.get(place[0], 0)
        }
        for number, leaf in self.leaves:
            levels, page = self.doomed.setdefault(number, {}), leaf
            for level in range(1, self.tree.top.branches[number].depth):
                levels.setdefault(level, {}).setdefault(page // FANOUT, set()).add(page % FANOUT)
                page //= FANOUT

    def visit(self, row: PageRow | None, key: bytearray) -> tuple[bytearray, Rewrite]:
        """Re-keys a page and what is below it: its new key, and its row as it is to be written."""
        if row is None:
            raise Broken("key_store_altered")
        head = self.tree.head
        page = open_page(row.sealed, head, place=row.place, epoch=row.epoch, key=key)
        branch, level, number = parts_of(row.place)
        if level:
            self._inner(page, sorted(self.doomed.get(branch, {}).get(level, {}).get(number, ())))
        else:
            self._leaf(page, self.leaves.get((branch, number), []))
        wipe(page.key)
        page.key = bytearray(secrets.token_bytes(KEY_BYTES))
        page.epoch = head.epoch + 1
        change = Rewrite(row, page.epoch, page.sealed(head))
        fresh = bytearray(page.key)
        page.wipe()
        self.pages += 1
        return fresh, change

    def _leaf(self, page: Page, asked: list[bytes]) -> None:
        named = self.tree.named(page, asked)
        self.found.update(named)
        gone = sorted(set(named.values()))
        before = page.count
        for index in gone:
            page.clear(index)
        self.survivors += before - len(gone)
        self.chain.add(page, gone)

    def _inner(self, page: Page, entries: list[int]) -> None:
        branch, level, number = parts_of(page.place)
        children = [at for at in (range(FANOUT) if self.whole else entries) if page.holds(at)]
        first = place_of(branch, level - 1, number * FANOUT)
        rows = read_pages(self.session, [first + at for at in children])
        changes: list[Rewrite] = []
        for at in children:
            former = page.entry(at)
            assert former is not None
            with wiped(former):
                fresh, change = self.visit(rows.pop(first + at, None), former)
            page.put(at, fresh)
            wipe(fresh)
            changes.append(change)
        rewrite_pages(self.session, changes)
        self.chain.add(page, children)
