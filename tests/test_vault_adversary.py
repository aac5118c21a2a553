"""The attacker of the threat model: every byte ever written, today's root, the passphrase, the formats' own
reader.

Every version of home is kept, before and after; the attacker opens whatever the specifications allow. A
destroyed document must not open, every other one must. The control gives the attacker an old image of the
root file besides, and there the same search must succeed: else the search itself would prove nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

import vault_reader
from jiyao.pipeline.station.registry import reading
from jiyao.vault.erase import Grade
from jiyao.vault.root import RootFile
from vault_kit import PASSPHRASE, Room


class Attacker:
    """Collects, then tries everything with everything."""

    def __init__(self) -> None:
        self.values: list[bytes] = []
        self.pages: set[vault_reader.PageRow] = set()
        self.blobs: list[bytes] = []
        self.roots: list[bytes] = []
        self.everything: list[bytes] = []

    def look(self, room: Room, name: str) -> None:
        copy = room.snapshot(name)
        self.values.append(room.sealed_value()[1])
        with closing(sqlite3.connect(copy / "registry.db")) as database:
            self.values += [row[0] for row in database.execute("SELECT sealed FROM key_store")]
            self.pages |= set(database.execute("SELECT place, epoch, sealed FROM key_pages"))
        for path in copy.rglob("*"):
            if path.is_file():
                image = path.read_bytes()
                self.everything.append(image)
                if path.suffix == ".jyb":
                    self.blobs.append(image)

    def recovered(self, roots: Iterable[bytes]) -> set[bytes]:
        keys: set[bytes] = set()
        for image in roots:
            for root in vault_reader.read_root(image).values():
                keys.add(root)
                for value in set(self.values):
                    try:
                        keys |= {
                            key for _, key in vault_reader.read_key_tree(value, self.pages, root, PASSPHRASE)
                        }
                    except vault_reader.Unreadable:
                        continue
        texts: set[bytes] = set()
        for sealed in set(self.blobs):
            for key in keys:
                try:
                    texts.add(vault_reader.read_blob(sealed, key))
                except vault_reader.Unreadable:
                    continue
        return texts


@pytest.mark.req("R-116", "R-127", "R-146")
def test_nothing_ever_written_opens_a_destroyed_document(tmp_path: Path) -> None:
    room, attacker = Room(tmp_path), Attacker()
    vault = room.create()
    old_roots: list[bytes] = []

    def now() -> None:
        attacker.look(room, f"at-{len(attacker.values)}")
        old_roots.append(RootFile(room.roots[0]).path.read_bytes())

    papers = {}
    for number in range(24):
        text = f"第{number}号文件的正文：只此一处出现的句子{number}。".encode() * 5
        papers[number] = (*room.put(vault, text), text)
        if number % 4 == 0:
            now()
    gone = [number for number in papers if number % 3 == 0]
    witness_slots = [papers[number][0] for number in gone]
    with reading(room.engine) as session:
        witness = vault.witness(session, witness_slots)
    now()
    for batch in (gone[:1], gone[1:5], gone[5:]):
        assert room.destroy(vault, [papers[number][0] for number in batch]).complete
        now()
        for number in batch:
            assert vault.erase_blob(papers[number][1]).grade in set(Grade) - {Grade.FAILED, Grade.ABSENT}
        now()
        slot = room.put(vault, b"mail that came after")[0]
        assert slot not in witness_slots

    dead = {papers[number][2] for number in gone}
    alive = {papers[number][2] for number in papers if number not in gone}
    current = [RootFile(folder).path.read_bytes() for folder in room.roots]
    assert attacker.recovered(current) & dead == set()
    assert attacker.recovered(current) >= alive
    assert attacker.recovered([*current, *old_roots]) >= dead | alive, "the control must succeed"

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 50 and witness.found_in(files) == ()
    for image in attacker.everything:
        for text in dead:
            assert text[:16] not in image and text.decode().encode("utf-16-le")[:16] not in image
    for number in papers:
        if number not in gone:
            slot, path, text = papers[number]
            assert room.get(vault, slot, path) == text


def test_the_products_own_verification(tmp_path: Path) -> None:
    """V1 finds a key that was left lying about, V2 an envelope that some key still opens."""
    room = Room(tmp_path)
    vault = room.create()
    slot, path = room.put(vault, b"text")
    sealed = (room.blobs / path).read_bytes()
    former = room.sealed_value()
    assert vault.opens_former(*former)
    with reading(room.engine) as session:
        assert vault.opened_by(session, sealed, slot=slot, name=path) == (slot,)
        with vault.witness(session, [slot]) as witness:
            assert witness.opens(slot, sealed, name=path)
            key = bytes(witness._keys[slot])
            (tmp_path / "raw").write_bytes(b"x" * 5000 + key + b"y")
            (tmp_path / "hex").write_text("key=" + key.hex().upper())
            (tmp_path / "empty").write_bytes(b"")
            files = [tmp_path / name for name in ("raw", "hex", "empty", "never-there")]
            assert {found.name for found, _ in witness.found_in(files)} == {"raw", "hex"}
        assert witness.slots == ()
    room.destroy(vault, [slot])
    with reading(room.engine) as session:
        assert vault.opened_by(session, sealed, slot=slot, name=path) == ()
        assert not vault.has_slot(session, slot)
    assert not vault.opens_former(*former) and vault.opens_former(*room.sealed_value())
