"""Proof after a destruction: the key is nowhere (V1), and no surviving key opens what is left (V2).

A witness takes the keys before they are destroyed, looks for them afterwards, and is wiped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..common.errors import Broken, NotThere
from ..common.needles import Needles
from .blob import key_commits, open_blob
from .tree import KeyTree, keys_of
from .tree_page import Slot
from .tree_rows import nearest_leaves
from .wipe import wiped

_AROUND = 4


class KeyWitness:
    """Holds the keys of slots that are about to be destroyed, in memory only. Use as a context manager."""

    def __init__(self, keys: Mapping[str, bytearray]) -> None:
        self._keys = dict(keys)

    def __enter__(self) -> KeyWitness:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots watched."""
        return tuple(self._keys)

    def found_in(self, files: Iterable[Path]) -> tuple[tuple[Path, str], ...]:
        """Where key bytes (raw or as hex) of a slot stand in a file: (file, slot). Files that went away are
        skipped.

        Slot ids themselves are no secret: the register and the inventory name them.
        """
        shapes, slots = [], []
        for slot, key in self._keys.items():
            hexed = key.hex().encode()
            shapes += [bytes(key), hexed, hexed.upper()]
            slots += [slot] * 3
        needles = Needles(shapes)
        return tuple(
            (path, slot)
            for path in files
            if path.is_file()
            for slot in dict.fromkeys(slots[number] for number in needles.in_file(path))
        )

    def opens(self, slot: str, sealed: bytes, *, name: str) -> bool:
        """Whether the watched key opens the envelope (a control: it must, before)."""
        try:
            open_blob(sealed, key=self._keys[slot], slot=bytes.fromhex(slot), name=name)
        except Broken:
            return False
        return True

    def wipe(self) -> None:
        """Overwrites the keys."""
        for key in self._keys.values():
            key[:] = bytes(len(key))
        self._keys.clear()


def take_witness(tree: KeyTree, slots: Iterable[str]) -> KeyWitness:
    """A witness of these slots.

    Raises:
        NotThere: `key_destroyed`, when a slot is empty already.
    """
    keys = {}
    for slot in slots:
        key = tree.key(bytes.fromhex(slot))
        if key is None:
            raise NotThere("key_destroyed", slot=slot)
        keys[slot] = key
    return KeyWitness(keys)


def opened_by(tree: KeyTree, sealed: bytes, *, slot: str, name: str) -> tuple[str, ...]:
    """The slots whose key opens an envelope sealed for `slot`.

    Tried are the slot's own place and the keys on the leaf pages around it (up to 4, some 1 000 keys), which is every
    key of its branch in a small station. In a large one the work stays bounded; a key further off can open it only if
    one key was given out twice.
    """
    wanted = bytes.fromhex(slot)
    own = Slot.of(wanted)
    openers: list[str] = []
    if own is None:
        return ()
    for number in nearest_leaves(tree.source, own.branch, own.page, _AROUND):
        leaf = tree.page(own.branch, 0, number)
        for index, key in keys_of(leaf) if leaf is not None else ():
            place = Slot(own.branch, number, index)
            with wiped(key):
                if key_commits(sealed, key=key, slot=wanted) or place == own:
                    try:
                        open_blob(sealed, key=key, slot=wanted, name=name)
                    except Broken:
                        continue
                    openers.append(tree.id_of(place, key).hex())
    return tuple(openers)
