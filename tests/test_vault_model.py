"""The key tree against the flat store: the same things happen to both, and both must say the same of every key.

What can happen to a station: keys are added, copies get their own, something is destroyed, the machine stops in the
middle of it, the station is opened again, the registry is backed up and put back. At the end a thief, who kept every
row that was ever written and has today's root, must find nothing that was destroyed."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import vault_reader
from jiyao.common.errors import Broken
from jiyao.vault.flat_store import FlatStore
from jiyao.vault.head import FLAT, Row, StoreHead
from jiyao.vault.kdf import PROFILES
from jiyao.vault.root import RootFile
from jiyao.vault.suite import AES
from jiyao.vault.vault import Vault
from vault_kit import PASSPHRASE, UUID, Room, reading, writing


class _Stop(Exception):
    """The machine stops here."""


@dataclass
class Kept:
    """A backup: the registry's rows, and what the flat store was then."""

    rows: Any
    epoch: int
    row: Row
    head: StoreHead
    root: bytes
    papers: list[list[str]]


STOPS = ("staged", "uncommitted", "committed", "checked", "torn")


class Stations(RuleBasedStateMachine):
    room: Room
    vault: Vault
    flat: FlatStore

    @initialize()
    def found(self) -> None:
        self.base = Path(tempfile.mkdtemp())
        self.room = self._room()
        self.vault = self.room.create()
        head = StoreHead(AES, 1, UUID, PROFILES["test"], bytes(16))
        self.flat = FlatStore(head, bytearray(32), keep=lambda _: None)
        self.papers: list[list[str]] = []
        self.slots: set[str] = set()
        self.dead: set[str] = set()
        self.backups: list[Kept] = []
        self.values: set[bytes] = set()
        self.pages: set[vault_reader.PageRow] = set()

    # ------------------------------------------------------------ what happens

    @rule(count=st.integers(1, 3), level=st.sampled_from(("jm", "mm")), due=st.sampled_from(("", "y10.2036")))
    def arrive(self, count: int, level: str, due: str) -> None:
        self.papers.append(self._add(count, level, due))

    @precondition(lambda self: self.papers)
    @rule(data=st.data())
    def copied(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.papers)).extend(self._add(1, "jm", "copies"))

    @precondition(lambda self: self.papers)
    @rule(data=st.data(), stop=st.sampled_from((None, None, *STOPS)), whole=st.booleans())
    def destroy(self, data: st.DataObject, stop: str | None, whole: bool) -> None:
        doomed = data.draw(st.lists(st.sampled_from(range(len(self.papers))), max_size=3, unique=True))
        slots = [slot for number in doomed for slot in self.papers[number]]
        with suppress(_Stop):
            self._destroy(slots, stop, whole=whole)
        if stop in ("staged", "uncommitted"):
            self._open()
            return
        self.flat.destroy(bytes.fromhex(slot) for slot in slots)
        self.dead |= set(slots)
        self.papers = [paper for number, paper in enumerate(self.papers) if number not in doomed]
        if stop is not None:
            self._open()

    @rule()
    def opened_again(self) -> None:
        self._open()

    @rule()
    def backup(self) -> None:
        self.backups.append(
            Kept(self._rows(), self.flat.head.epoch, self.flat.row, self.flat.head, bytes(self.flat.root),
                 [list(paper) for paper in self.papers])
        )  # fmt: skip

    @precondition(lambda self: self.backups)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        kept = data.draw(st.sampled_from(self.backups))
        today = self._rows()
        self._put_back(kept.rows)
        if kept.epoch < self.flat.head.epoch:
            with pytest.raises(Broken, match="key_store_rolled_back"):
                self.room.open()
            self._put_back(today)
        else:
            self.flat.row, self.flat.head, self.flat.root = kept.row, kept.head, bytearray(kept.root)
            self.papers = [list(paper) for paper in kept.papers]
        self._open()

    # ------------------------------------------------------------ what must hold

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "flat"):
            return
        assert self.vault.epoch == self.flat.head.epoch
        table = self.flat.open()
        with reading(self.room.engine) as session, self.vault._lease.tree(session) as tree:
            for slot in self.slots:
                identifier = bytes.fromhex(slot)
                assert tree.key(identifier) == table.key(identifier)
        self.values.add(self.room.sealed_value()[1])
        self.pages |= set(self.room.pages())

    def teardown(self) -> None:
        if not hasattr(self, "flat"):
            return
        (root,) = vault_reader.read_root(RootFile(self.room.roots[0]).path.read_bytes()).values()
        found = set[str]()
        for value in self.values:
            with suppress(vault_reader.Unreadable):
                read = vault_reader.read_key_tree(value, self.pages, root, PASSPHRASE)
                found |= {slot.hex() for slot, _ in read}
        assert found.isdisjoint(self.dead)
        assert found >= {slot for paper in self.papers for slot in paper}
        self.room.engine.dispose()
        shutil.rmtree(self.base)

    # ------------------------------------------------------------ how

    def _room(self) -> Room:
        return Room(self.base, mirrors=0)

    def _rows(self) -> Any:
        """The registry as a backup holds it: a file of its own."""
        file = self.base / f"{uuid.uuid4()}.db"
        with (
            closing(sqlite3.connect(self.room.home / "registry.db")) as source,
            closing(sqlite3.connect(file)) as copy,
        ):
            source.backup(copy)
        return file

    def _put_back(self, rows: Any) -> None:
        """Such a registry in the place of today's."""
        self.room.engine.dispose()
        registry = self.room.home / "registry.db"
        for file in registry.parent.glob("registry.db*"):
            file.unlink()
        shutil.copy(rows, registry)
        self.room.connect()

    def _add(self, count: int, level: str, due: str) -> list[str]:
        with self.vault.lease(), writing(self.room.engine) as session:
            slots = list(self.vault.new_slots(session, count, branch=level, group=due))
            with self.vault._lease.tree(session) as tree:
                self.flat.add(
                    {bytes.fromhex(slot): tree.key(bytes.fromhex(slot)) or bytearray() for slot in slots}
                )
        assert self.slots.isdisjoint(slots), "an id is never given out twice"
        self.slots |= set(slots)
        return slots

    def _destroy(self, slots: Iterable[str], stop: str | None, *, whole: bool) -> None:
        def here(point: str) -> None:
            if stop == point:
                raise _Stop

        with self.vault.rotating():
            with writing(self.room.engine) as session:
                self.vault.stage_root(session)
                here("staged")
                done = self.vault.rewrite(session, list(slots), whole=whole)
                here("uncommitted")
            here("committed")
            with reading(self.room.engine) as second:
                self.vault.check(second, done)
                here("checked")
                if stop == "torn":
                    former = RootFile(self.room.roots[0])
                    index = next(
                        number for number in (0, 1) if former.view(number).epoch == done.epoch_before
                    )
                    with former.path.open("r+b") as file:
                        file.seek(index * 131072)
                        file.write(bytes(20))
                here("torn")
                assert self.vault.erase_old_root(second).complete

    def _open(self) -> None:
        self.room.engine.dispose()
        self.room.connect()
        self.vault = self.room.open()
        assert all(status.clean for status in self.vault.root_status())


assert Row.__dataclass_fields__["magic"].default != FLAT, "the two formats are never mistaken for one another"
QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much]
QUICK = [phase for phase in Phase if phase is not Phase.shrink]


@pytest.mark.req("R-116", "R-127", "R-146")
class TestStations(Stations.TestCase):
    settings = settings(
        max_examples=5, stateful_step_count=18, suppress_health_check=QUIET, phases=QUICK, deadline=None
    )


@pytest.mark.full
@pytest.mark.req("R-116", "R-127", "R-146")
class TestManyStations(Stations.TestCase):
    settings = settings(max_examples=150, stateful_step_count=40, suppress_health_check=QUIET, deadline=None)
