"""Killed, or let down by the disk, at single system calls of a destruction: before or after, never in between.

Every `fsync`, `rename`, `pwrite` and `unlink` that the execution of a batch makes is a point. In `make test-full` all
of them are tried, else a sample drawn anew from a fixed seed. After each: the document is wholly there or gone for
good from every copy ever made, all others open, nothing is certified, and another try ends as it should.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crash_kit import Point, calls_in, missing, points, traced
from jiyao.common.errors import JiyaoError
from jiyao.models.tables import Certificate
from jiyao.pipeline.papers import documents
from jiyao.pipeline.station import ledgers
from room_kit import Room, transplant
from thief_kit import root_files, spied

SEED = 20261122
SAMPLE = 8
FAULTS = ("KILL", "EIO", "ENOSPC")
GONE = "将被销毁的正文：乌有县虚构渠段的水位数字全部作废不再使用。"
STAYS = "留存件的正文：与销毁无关，任何时候都要能打开。"

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "")


class Waiting:
    """A room whose batch waits for the second operator, and the calls that the execution then makes."""

    def __init__(self, base: Path) -> None:
        room = Room(base / "waiting")
        self.base = room.base
        self.gone, self.stays = room.expired(text=GONE), room.document(text=STAYS)
        self.copy = room.copy(self.gone, status="returned")
        self.batch = room.until("supervised", self.gone)
        room.execute(self.batch, "op1")
        room.station.engine.dispose()
        counted = self.again(base / "counted")
        log = base / "calls"
        assert self.execution(counted, None, log) == 0
        self.points = points(calls_in(log), FAULTS)

    def again(self, base: Path) -> Room:
        transplant(self.base, base)
        return Room(base)

    def execution(self, room: Room, point: Point | None, log: Path) -> int:
        """The second operator's call in a process of its own."""
        room.station.engine.dispose()

        def ready() -> None:
            room.open()
            room.as_("op2", "destroy.execute")

        return traced(ready, lambda: room.execute(self.batch, "op2"), point, log)


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


def survives(waiting: Waiting, point: Point, base: Path) -> Room:
    """One fault, and everything that must hold after it; the room, with its batch verified."""
    room = waiting.again(base)
    outcome = waiting.execution(room, point, base / "calls")
    assert (outcome == -9) if point.fault == "KILL" else outcome in (0, 1), point
    stolen = base / "stolen"
    transplant(room.base, stolen)

    room.open()
    state = room.show(waiting.batch)
    alive = text(room, waiting.gone)
    assert alive in (None, GONE) and text(room, waiting.stays) == STAYS, point
    assert state["state"] in ("executing", "verified") and state["certificate"] is None, point
    if alive is None:
        opened = spied([waiting.base / "home", stolen / "home", room.home], root_files(room))
        assert any(STAYS.encode() in value for value in opened), "the thief's reader must work"
        assert not any(GONE.encode() in value for value in opened), point

    value = room.execute(waiting.batch, "op2") if state["state"] == "executing" else state
    assert (value["state"], value["phase"]) == ("verified", "verified"), (point, value)
    assert text(room, waiting.gone) is None and text(room, waiting.stays) == STAYS, point
    opened = spied([waiting.base / "home", stolen / "home", room.home], root_files(room))
    assert any(STAYS.encode() in text for text in opened)
    assert not any(GONE.encode() in text for text in opened), point
    assert all(status.clean for status in room.station.vault.root_status()), point
    assert ledgers.verify_log(room.station)["ok"], point
    with room.station.read() as session:
        assert session.scalar(select(func.count()).select_from(Certificate)) == 0
    room.station.engine.dispose()
    return room


def certified_once(waiting: Waiting, room: Room) -> None:
    """The two supervisors attest: one certificate."""
    room.open()
    room.attest(waiting.batch, "sup1")
    assert room.attest(waiting.batch, "sup2")["state"] == "certified"
    with room.station.read() as session:
        assert session.scalar(select(func.count()).select_from(Certificate)) == 1


@pytest.mark.req("R-116", "R-117", "R-127")
def test_any_call_may_be_the_last(waiting: Waiting, tmp_path: Path) -> None:
    kinds = {point.call for point in waiting.points}
    assert {"pwrite64", "unlink"} <= kinds and kinds & {"fsync", "fdatasync"}, "the run was not seen"
    for point in random.Random(SEED).sample(waiting.points, SAMPLE):  # noqa: S311 (a sample, no secret)
        room = survives(waiting, point, tmp_path / str(point))
    certified_once(waiting, room)


@pytest.mark.full
@pytest.mark.req("R-116", "R-117", "R-127")
def test_every_call_may_be_the_last(waiting: Waiting, tmp_path: Path) -> None:
    for point in waiting.points:
        certified_once(waiting, survives(waiting, point, tmp_path / str(point)))
