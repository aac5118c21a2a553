"""Killed, or let down by the disk, at single system calls of a destruction: before or after, never in between.

Every `fsync`, `rename`, `pwrite`, `unlink` and `ftruncate` that the execution of a batch makes is a point: those of
the registry's log and file (the tree's pages and the store's value among them), of the root files and of the sealed
files. At each the process is killed, or the call fails once or from then on. In `make test-full` all of them are
tried, else a sample drawn anew from a fixed seed. After each: original and copy are wholly there or gone for good
from every copy ever made, all others open, nothing is certified, and another try ends as it should.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crash_kit import Point, calls_in, missing, numbers, points, traced, written
from jiyao.common.errors import JiyaoError
from jiyao.models.tables import Artefact, Certificate
from jiyao.pipeline.papers import documents
from jiyao.pipeline.station import ledgers
from room_kit import Room, transplant
from thief_kit import root_files, spied

SEED = 20261122
SAMPLE = 8
FAULTS = ("KILL", "EIO", "ENOSPC", "EIO+", "ENOSPC+")
GONE = "将被销毁的正文：乌有县虚构渠段的水位数字全部作废不再使用。"
STAYS = "留存件的正文：与销毁无关，任何时候都要能打开。"
COPIED = "将被销毁的份：发出去又收回来的那一份的底样，也要一起销毁。".encode()

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "")


class Roots(Room):
    """A room with a third root."""

    @property
    def roots(self) -> tuple[Path, ...]:  # type: ignore[override]
        return tuple(sorted(self.base.glob("home.root*")))

    def third(self) -> None:
        shutil.copytree(self.roots[1], self.base / "home.root.third")
        path = self.home / "station.json"
        plain = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(plain | {"mirrors": [str(root) for root in self.roots[1:]]}), "utf-8")
        self.open()


class Waiting:
    """A room whose batch waits for the second operator, and the calls that the execution then makes.

    `away`: the last root is not there when it is executed.
    """

    def __init__(self, base: Path, *, roots: int = 2, away: bool = False) -> None:
        self.away = away
        room = Roots(base / "waiting")
        if roots == 3:
            room.third()
        self.base = room.base
        self.gone, self.stays = room.expired(text=GONE), room.document(text=STAYS)
        self.copy = room.copy(self.gone, status="returned", data=COPIED)
        self.batch = room.until("supervised", self.gone)
        room.execute(self.batch, "op1")
        room.station.engine.dispose()
        log = base / "calls"
        assert self.execution(self.again(base / "counted"), None, log) == 0
        self.calls, self.written = calls_in(log), written(log)
        self.points = points(self.calls, FAULTS)
        self.wipe = Point("pwrite64", numbers(log, "pwrite64", "jyr")[roots], "EIO")
        """The first write over a former root: those that stage the next one come before, one for each root."""

    def again(self, base: Path) -> Path:
        transplant(self.base, base)
        if self.away:
            (base / self.last).rename(base / "away")
        return base

    @property
    def last(self) -> str:
        """The root that is away."""
        return max(path.name for path in self.base.glob("home.root*"))

    def execution(self, base: Path, point: Point | None, log: Path) -> int:
        """The second operator's call in a process of its own."""
        here: list[Room] = []

        def ready() -> None:
            here.append(Roots(base))
            here[0].as_("op2", "destroy.execute")

        return traced(ready, lambda: here[0].execute(self.batch, "op2"), point, log)


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    yield Waiting(tmp_path_factory.mktemp("syscalls"))


def text(room: Room, document: str) -> str | None:
    try:
        value = documents.text_of(room.station, room.as_("clerk", "text"), document=document)
    except JiyaoError as error:
        assert error.exit_code == 3
        return None
    return str(value["pages"][0]["text"])


def wholly(room: Room, document: str) -> str:
    """`before` when every sealed file of the document and of its copies opens, `after` when none does."""
    opened = set()
    with room.station.read() as session, room.station.vault.lease():
        for row in session.scalars(select(Artefact).where(Artefact.document_id == document)):
            try:
                room.station.vault.get(session, row.key_slot, row.path)
                opened.add(row.state == "live")
            except JiyaoError as error:
                assert error.exit_code == 3, error
                opened.add(False)
                assert row.state != "live"
    assert len(opened) == 1, "some of it is there, some is not"
    return "before" if opened.pop() else "after"


def stolen_from(waiting: Waiting, room: Room, homes: list[Path]) -> None:
    """With every copy of the home and today's roots the survivor opens, and nothing of what was destroyed."""
    opened = spied([waiting.base / "home", *homes, room.home], root_files(room))
    assert any(STAYS.encode() in value for value in opened), "the thief's reader must work"
    assert not any(GONE.encode() in value or COPIED in value for value in opened)


def survives(waiting: Waiting, point: Point, base: Path) -> tuple[Room, str]:
    """One fault, and everything that must hold after it; the room, with its batch verified, and how it was found."""
    outcome = waiting.execution(waiting.again(base), point, base / "calls")
    assert (outcome == -9) if point.fault == "KILL" else outcome in (0, 1), point
    stolen = base / "stolen"
    transplant(base, stolen)

    room = Roots(base)
    state = room.show(waiting.batch)
    found = wholly(room, waiting.gone)
    assert text(room, waiting.gone) == (GONE if found == "before" else None), point
    assert text(room, waiting.stays) == STAYS, point
    # "failed": a sealed file could not be taken away; its key is gone, and the next try settles it
    assert state["state"] in ("executing", "verified", "failed") and state["certificate"] is None, point
    if found == "after":
        stolen_from(waiting, room, [stolen / "home"])

    value = state if state["state"] == "verified" else room.execute(waiting.batch, "op2")
    assert (value["state"], value["phase"]) == ("verified", "verified"), (point, value)
    if waiting.away:
        assert value["verdict"] == "pending_key_epoch", (point, value)
        room.station.engine.dispose()
        (base / "away").rename(base / waiting.last)
        room.open()
    if value["verdict"] == "pending_key_epoch":
        value = room.execute(waiting.batch, "op2")
    assert value["verdict"].startswith("complete"), (point, value)
    assert wholly(room, waiting.gone) == "after" and text(room, waiting.stays) == STAYS, point
    stolen_from(waiting, room, [stolen / "home"])
    assert all(status.clean for status in room.station.vault.root_status()), point
    assert ledgers.verify_log(room.station)["ok"], point
    with room.station.read() as session:
        assert session.scalar(select(func.count()).select_from(Certificate)) == 0
    room.station.engine.dispose()
    return room, found


def certified_once(waiting: Waiting, room: Room) -> None:
    """The two supervisors attest: one certificate."""
    room.open()
    room.attest(waiting.batch, "sup1")
    assert room.attest(waiting.batch, "sup2")["state"] == "certified"
    with room.station.read() as session:
        assert session.scalar(select(func.count()).select_from(Certificate)) == 1
    room.station.engine.dispose()


@pytest.mark.req("R-116", "R-117", "R-127")
def test_any_call_may_be_the_last(waiting: Waiting, tmp_path: Path) -> None:
    kinds = {point.call for point in waiting.points}
    assert {"pwrite64", "unlink", "rename", "fsync", "fdatasync", "ftruncate"} <= kinds, (
        "the run was not seen"
    )
    on = set(waiting.written)
    assert {("pwrite64", kind) for kind in ("db", "db-wal", "jyr", "jyb")} <= on, (
        "log, file, roots, sealed files"
    )
    assert {("fdatasync", "db"), ("fdatasync", "db-wal"), ("fsync", "jyr"), ("fsync", "jyb")} <= on
    sample = random.Random(SEED).sample(waiting.points, SAMPLE - 1)  # noqa: S311 (a sample, no secret)
    for point in sample:
        survives(waiting, point, tmp_path / str(point))
    room, found = survives(waiting, waiting.wipe, tmp_path / "wipe")
    assert found == "after"
    certified_once(waiting, room)


@pytest.mark.req("R-116", "R-127")
def test_the_control_finds_what_a_naive_store_destroyed(waiting: Waiting, tmp_path: Path) -> None:
    """Keys deleted and the database rewritten, files overwritten, but the root left as it is: the same thief, the same
    copies, and the document opens. What remains in the naive store itself looks clean."""
    room = Roots(waiting.again(tmp_path / "naive"))
    with room.station.read() as session:
        paths = session.scalars(select(Artefact.path).where(Artefact.document_id == waiting.gone)).all()
    room.station.engine.dispose()
    with closing(sqlite3.connect(room.home / "registry.db", isolation_level=None)) as database:
        database.execute("PRAGMA secure_delete = ON")
        database.execute("DELETE FROM key_pages WHERE substr(hex(place), 5, 2) = '00'")
        database.execute("VACUUM")
    for path in paths:
        sealed = room.home / "blobs" / path
        sealed.write_bytes(bytes(sealed.stat().st_size))
        sealed.unlink()
    assert not any(GONE.encode() in value for value in spied([room.home], root_files(room)))
    opened = spied([waiting.base / "home", room.home], root_files(room))
    assert any(GONE.encode() in value for value in opened) and COPIED * 50 in opened


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.req("R-116", "R-117", "R-127")
def test_every_call_may_be_the_last(waiting: Waiting, tmp_path: Path) -> None:
    tally: Counter[tuple[str, str, str]] = Counter()
    for number, point in enumerate(waiting.points):
        base = tmp_path / str(point)
        room, found = survives(waiting, point, base)
        tally[point.call, point.fault, found] += 1
        if number % 40 == 0:
            certified_once(waiting, room)
        shutil.rmtree(base)
    print(
        len(waiting.points),
        "points",
        dict(waiting.calls),
        dict(waiting.written),
        *sorted(tally.items()),
        sep="\n",
    )
    assert sum(tally.values()) == len(waiting.points)
    assert {found for _, _, found in tally} == {"before", "after"}


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.req("R-116", "R-117", "R-127")
@pytest.mark.parametrize("away", [False, True], ids=["three-roots", "one-of-three-away"])
def test_with_three_roots_any_call_may_be_the_last(tmp_path: Path, *, away: bool) -> None:
    """Sixty points, and all around the writes of the roots."""
    waiting = Waiting(tmp_path, roots=3, away=away)
    chosen = random.Random(SEED).sample(waiting.points, 60)  # noqa: S311 (a sample, no secret)
    syncs = [point for point in waiting.points if point.call == "fsync" and point.fault in ("KILL", "EIO+")]
    tally: Counter[str] = Counter()
    for point in dict.fromkeys([*chosen, *syncs]):
        base = tmp_path / str(point)
        _, found = survives(waiting, point, base)
        tally[found] += 1
        shutil.rmtree(base)
    print(dict(waiting.calls), dict(tally))
    assert set(tally) == {"before", "after"}
