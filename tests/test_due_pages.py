"""What falls due is read off indexes: the same answers as looking at every document."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from jiyao.common.clock import today
from jiyao.models.tables import Document
from jiyao.pipeline.bench import fill as bench_fill
from jiyao.pipeline.desk import deadlines, handling
from jiyao.pipeline.levels import terms
from room_kit import Room


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    made = Room(tmp_path_factory.mktemp("due"))
    bench_fill.fill(made.station, documents=1200, seed=3)
    with made.station.write() as session:
        rows = session.scalars(select(Document).order_by(Document.seq)).all()
        for number, row in enumerate(rows):
            if number % 11 == 0:
                row.archived_at, row.status = None, "registered"
            if number % 13 == 0:
                row.retention_event = "合同履行完毕"
            if number % 17 == 0:
                row.retention, row.signed_date = "10年", "2012-05-31"
            if number % 19 == 0:
                row.retention_open = True
            if number % 23 == 0:
                row.level_code, row.period, row.declassified_mark_on = "W", "5年", None
            if number % 29 == 0:
                row.level_code, row.period, row.declassified_mark_on = "S1", "2个月", None
                row.signed_date = (today(made.clock) + timedelta(days=number % 60 - 50)).isoformat()
            if number % 31 == 0:
                row.appraised_at = row.received_at
            if number % 37 == 0:
                row.appraised_at = "2099-01-01T00:00:00+08:00"
            # as whoever changes a date leaves the row: both terms worked out anew
            terms.recount(made.station, session, row)
    return made


def everything(room: Room, days: int) -> list[tuple[str, str, str]]:
    """Each confirmed document looked at, none left out."""
    station, until = room.station, today(room.clock) + timedelta(days=days)
    with station.read() as session:
        rows = session.scalars(
            select(Document).where(
                Document.confirmed.is_(True), Document.status.in_(("registered", "archived"))
            )
        ).all()
        ids = [row.id for row in rows]
        ended = handling.handling_ended(session, ids)
        items = [
            item
            for row in rows
            for item in (
                *deadlines._secrecy(station, session, row, ids),
                *deadlines._retention(station, row, ended.get(row.id)),
            )
        ]
    return sorted((one["due"], one["kind"], one["id"]) for one in items if one["due"] <= until.isoformat())


@pytest.mark.parametrize("days", [-400, -30, 0, 9, 26, 45, 400])
def test_nothing_that_is_due_is_left_out(room: Room, days: int) -> None:
    until = today(room.clock) + timedelta(days=days)
    with room.station.read() as session:
        items = deadlines.items_until(room.station, session, until)
    assert sorted((one["due"], one["kind"], one["id"]) for one in items) == everything(room, days)


def test_the_earliest_are_the_first_of_all(room: Room) -> None:
    clerk, until = room.as_("clerk", "due"), today(room.clock) + timedelta(days=60)
    whole = deadlines.due(room.station, clerk, on=until, limit=5000)["items"]
    assert len(whole) > 100
    for limit in (0, 1, 7, 50, len(whole) + 5):
        told = deadlines.due(room.station, clerk, on=until, limit=limit)
        assert told["items"] == whole[:limit] and told["more"] == (limit < len(whole))
    pages, after = [], None
    for _ in whole:
        told = deadlines.due(room.station, clerk, on=until, limit=37, after=after)
        pages, after = pages + told["items"], told["next"]
        if not told["more"]:
            break
    assert pages == whole
