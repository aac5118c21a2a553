"""New keys: in the next free entry of their group's open leaf, so that what falls due together lies together.

Writes the leaf, and the pages above it only where a leaf is new. A page keeps its key here and gets a new nonce.
Entries are given out in order and never twice: a leaf's own record counts them, under the same seal as the keys."""

from __future__ import annotations

import secrets

from sqlalchemy.orm import Session

from ..common.errors import Broken
from .keystore import NO_ROTATION, Branch
from .suite import KEY_BYTES
from .tree import KeyTree
from .tree_page import FANOUT, LEAF_KEYS, Page, Slot, parts_of, place_of
from .tree_rows import (
    PageRow,
    Rewrite,
    branch_named,
    group_page,
    insert_pages,
    keep_group,
    last_leaf,
    name_branch,
    rewrite_pages,
)
from .wipe import wipe, wiped

LASTING = 0
"""The branch of the registry key: nothing in it is ever destroyed."""
COMMON = "common"
"""The branch of keys for which none is named."""
_AT_ONCE = 64


def found_tree(tree: KeyTree, session: Session) -> None:
    """The lasting branch with the registry key, in its fixed slot."""
    name_branch(session, LASTING, "lasting")
    top, registry = _new(tree, LASTING, 0, 0), _fresh()
    with wiped(registry):
        top.put(0, registry)
    top.used = 1
    tree.grow(LASTING, Branch(1, bytearray(top.key)))
    flush(tree, session)


def add_keys(tree: KeyTree, session: Session, count: int, *, branch: str, group: str) -> tuple[bytes, ...]:
    """New keys in new slots: their ids. The caller writes the top again when it has changed.

    What a rotation carried is no longer the whole: its check is lifted.

    Raises:
        Broken: `key_store_altered`, when a free entry is not free.
        Unexpected: `key_store_raced`.
    """
    number = branch_named(session, branch)
    if number is None:
        number = max(tree.top.branches) + 1
        name_branch(session, number, branch)
    hint = group_page(session, number, group)
    leaf = tree.page(number, 0, hint) if hint is not None else None
    following: int | None = None
    slots: list[bytes] = []
    while len(slots) < count:
        if leaf is None or leaf.used == LEAF_KEYS:
            following = last_leaf(session, number) + 1 if following is None else following + 1
            leaf = _page(tree, number, 0, following)
        slots += _fill(tree, leaf, count - len(slots))
        if len(tree.changed()) > _AT_ONCE:
            flush(tree, session)
            tree.close_leaves()
            leaf = None if following is None else tree.page(number, 0, following)
    flush(tree, session)
    if following is not None:
        keep_group(session, number, group, following, known=hint is not None)
    tree.top.carried = NO_ROTATION
    return tuple(slots)


def _fill(tree: KeyTree, leaf: Page, wanted: int) -> list[bytes]:
    """Keys in the leaf's next entries, as many as it takes: their slots."""
    branch, _, number = parts_of(leaf.place)
    first, slots = leaf.used, []
    for index in range(first, min(LEAF_KEYS, first + wanted)):
        if leaf.holds(index):
            raise Broken("key_store_altered")
        key = _fresh()
        with wiped(key):
            leaf.put(index, key)
            slots.append(tree.id_of(Slot(branch, number, index), key))
    leaf.used = first + len(slots)
    return slots


def flush(tree: KeyTree, session: Session) -> None:
    """Writes what has changed."""
    fresh, rewritten = [], []
    for page in tree.changed():
        sealed = page.sealed(tree.head)
        if page.stored is None:
            fresh.append(PageRow(page.place, page.epoch, sealed))
        else:
            rewritten.append(Rewrite(PageRow(page.place, page.epoch, page.stored), page.epoch, sealed))
        page.stored, page.dirty = sealed, False
    rewrite_pages(session, rewritten)
    insert_pages(session, fresh)


def _page(tree: KeyTree, branch: int, level: int, number: int) -> Page:
    """The page, made with what leads to it where it is missing."""
    top = tree.top.branches.get(branch)
    if top is None:
        page = _new(tree, branch, 0, 0)
        tree.grow(branch, Branch(1, bytearray(page.key)))
        return page
    while number >= FANOUT ** (top.depth - 1 - level):
        above = _new(tree, branch, top.depth, 0)
        above.put(0, top.key)
        wipe(top.key)
        top = Branch(top.depth + 1, bytearray(above.key))
        tree.grow(branch, top)
    found = tree.page(branch, level, number)
    if found is not None:
        return found
    parent = _page(tree, branch, level + 1, number // FANOUT)
    page = _new(tree, branch, level, number)
    parent.put(number % FANOUT, page.key)
    return page


def _new(tree: KeyTree, branch: int, level: int, number: int) -> Page:
    key = _fresh()
    with wiped(key):
        return tree.adopt(Page(place_of(branch, level, number), key=key, epoch=tree.head.epoch))


def _fresh() -> bytearray:
    return bytearray(secrets.token_bytes(KEY_BYTES))
