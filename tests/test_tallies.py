"""Counts that are kept: after whatever moves, they are what all rows come to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from jiyao.models.level import Level
from jiyao.models.tables import Carrier, Copy, Document, Movement, Tally
from jiyao.pipeline.bench import fill as bench_fill
from jiyao.pipeline.desk import custody, movements
from jiyao.pipeline.station import tallies
from room_kit import Room
from test_custody import carrier, move


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def kept(room: Room) -> bool:
    with room.station.write() as session:
        return tallies.recount(session)


@pytest.mark.req("R-012")
def test_whatever_moves_the_kept_counts_follow(room: Room) -> None:
    assert kept(room)
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    one, copy = carrier(room, document), room.copy(document, holder="p-reader")
    assert kept(room)
    move(room, "circulate", one, taker="p-reader")
    assert kept(room)
    with room.station.write() as session:
        session.get_one(Document, document).level_code = "S2"
        session.get_one(Copy, copy).status = "returned"
    assert kept(room)
    told = custody.count(room.station, room.as_("clerk", "carriers.out"), level=Level.STATE_SECRET)
    assert told["originals"]["entered"] == told["copies"]["entered"] == told["copies"]["returned"] == 1
    with room.station.write() as session:
        session.get_one(Carrier, one).document_id = None
    assert kept(room)


def test_an_audit_says_when_they_differ_and_puts_them_right(room: Room) -> None:
    clerk = room.as_("clerk", "carriers.out")
    carrier(room, room.document())
    assert custody.count(room.station, clerk, audit=True)["tallies_agree"]
    with room.station.write() as session:
        session.scalars(select(Tally)).first().number += 5  # type: ignore[union-attr]
    assert not custody.count(room.station, clerk, audit=True)["tallies_agree"]
    told = custody.count(room.station, clerk, audit=True)
    assert told["tallies_agree"] and told["originals"]["entered"] == 1


def test_they_answer_as_counting_rows_does(tmp_path: Path) -> None:
    room = Room(tmp_path)
    bench_fill.fill(room.station, documents=600, seed=5)
    with room.station.read() as session:
        times = session.scalars(
            select(Movement.at).where(Movement.before.is_(None)).order_by(Movement.at).offset(300).limit(900)
        ).all()
        spans = [
            (times[0], times[-1]), (times[0][:10], times[-1][:10]), (times[3], times[5]), (times[7], None),
            (None, times[-1]), ("2019", None), (None, None), (times[-1], times[0]),
        ]  # fmt: skip
        for kind, table, state in (("carrier", Carrier, Carrier.state), ("copy", Copy, Copy.status)):
            for level in (None, "S1"):
                for since, until in spans:
                    entered = select(Movement.object_id).where(Movement.before.is_(None))
                    entered = entered.where(Movement.at >= since) if since else entered
                    entered = entered.where(Movement.at < until) if until else entered
                    rows = select(state, func.count()).where(table.id.in_(entered)).group_by(state)
                    if level:
                        rows = rows.join(Document).where(Document.level_code == level)
                    plain = Counter(dict(session.execute(rows).tuples().all()))
                    found = tallies.counted(session, kind, level=level, since=since, until=until)
                    assert found == plain, (kind, level, since, until)
        for since, until in spans:
            acts = select(Movement.act, func.count()).group_by(Movement.act)
            acts = acts.where(Movement.at >= since) if since else acts
            acts = acts.where(Movement.at < until) if until else acts
            plain = Counter(dict(session.execute(acts).tuples().all()))
            assert tallies.moved(session, since=since, until=until) == plain, (since, until)
        held = tallies.counted(session, "copy", holder="bench-7", level="I")
        assert held and sum(held.values()) == movements.balance(
            session, "copy", holder="bench-7", level=Level.INTERNAL
        )["entered"]  # fmt: skip
