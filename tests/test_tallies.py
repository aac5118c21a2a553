"""Counts that are kept: after whatever moves, they are what all rows come to."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jiyao.models.level import Level
from jiyao.models.tables import Carrier, Copy, Document, Matter, Movement, Receipt, Tally, Timer
from jiyao.pipeline.bench import fill as bench_fill
from jiyao.pipeline.desk import custody, movements
from jiyao.pipeline.station import counts, tallies
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
            (None, times[-1]), ("2019", None), (None, None), (times[-1], times[0]), ("2020-02-01", "2022-03-01"),
            ("2020-02-29", "2020-03-31"), ("2020-01-31", "2022-03-02"), ("2021-12-01", None), ("9999-12-31", None),
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
                    plain = Counter(dict(iter(session.execute(rows))))
                    found = counts.counted(session, kind, level=level, since=since, until=until)
                    assert found == plain, (kind, level, since, until)
        for one in tallies.DATED.values():
            rows = session.execute(select(one.time, *map(one.column, one.said))).all()
            for since, until in spans:
                plain = Counter(
                    "/".join(said) for at, *said in rows if (since or "") <= at and (not until or at < until)
                )
                found = counts.happened(session, one.kind, since=since, until=until)
                assert found == plain, (one.kind, since, until)
        held = counts.counted(session, "copy", holder="bench-7", level="I")
        assert held and sum(held.values()) == movements.balance(
            session, "copy", holder="bench-7", level=Level.INTERNAL
        )["entered"]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_counts_of_days_follow_whatever_is_written(room: Room, seed: int) -> None:
    """Rows made, changed, changed back, taken away, in the order of chance; half of them not read before."""
    pick = random.Random(seed)
    documents = [room.document() for _ in range(2)]
    numbers = iter(range(1000))

    def make(session: Session) -> None:
        at = f"{pick.choice((2025, 2026))}-{pick.randint(1, 12):02d}-{pick.randint(1, 28):02d}T08:00:00+08:00"
        name = f"X{next(numbers)}"
        match pick.randrange(3):
            case 0:
                session.add(
                    Timer(clock="loan", object_kind="copy", object_id=name, started_at=at, due=at)
                    if pick.random() < 0.5
                    else Timer(
                        clock="x", object_kind="copy", object_id=name, started_at=at, due=at, state="met"
                    )
                )
            case 1:
                session.add(
                    Matter(
                        id=name, kind=pick.choice("ab"), state="open", opened_at=at, opened_by="p", sealed=b""
                    )
                )
            case _:
                session.add(Receipt(id=name, at=at, by="p", sealed=b""))

    def change(session: Session) -> None:
        row = pick.choice([*session.scalars(select(Timer)), *session.scalars(select(Matter)), *of(session)])
        if pick.random() < 0.5:
            session.expire(row)
        match row:
            case Timer():
                row.state = pick.choice(("running", "met", "late"))
                row.due = row.due if pick.random() < 0.5 else "2026-05-31T00:00:00+08:00"
            case Matter():
                row.kind = pick.choice("ab")
            case Document():
                row.status, row.level_code = pick.choice(("pending", "void")), pick.choice(("S1", "I", None))
        if not isinstance(row, Document) and pick.random() < 0.2:
            session.delete(row)

    def of(session: Session) -> list[Document]:
        return [session.get_one(Document, name) for name in documents]

    for _ in range(6):
        with room.station.write() as session:
            for _ in range(5):
                make(session)
                change(session)
                if pick.random() < 0.3:
                    session.flush()
        assert kept(room)
