"""No everyday list reads a whole table: the plan of every query of every question that `bench registry` asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from jiyao.models.level import Level
from jiyao.pipeline.bench import fill as bench_fill
from jiyao.pipeline.bench import plans, registry
from jiyao.pipeline.copies import copies
from jiyao.pipeline.desk import custody, deadlines
from jiyao.pipeline.papers import documents
from jiyao.pipeline.persons import people
from jiyao.pipeline.registers import NAMES, export
from jiyao.pipeline.registers.export import show_register
from jiyao.pipeline.registers.look import Scope
from room_kit import Room


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    made = Room(tmp_path_factory.mktemp("plans"))
    bench_fill.fill(made.station, documents=2000)
    with made.station.write() as session:
        people.new_person(made.station, session, person="bench", name="bench", clearance="core", dept=None)
    return made


def asked(room: Room) -> Iterator[tuple[str, Callable[[], Any]]]:
    station, middle = room.station, _middle(room)
    clerk, reader = room.as_("clerk", "documents"), room.as_("reader", "documents")
    for name, _, ask in registry.questions(station, clerk, 2000, middle, "关于工作样例事项的通知"):
        yield name, ask
    listed = partial(documents.list_documents, station, reader, limit=20)
    yield "reader --status", partial(listed, status="archived")
    yield "reader --level --status", partial(listed, level=Level.STATE_SECRET, status="archived")
    yield "reader --offset", partial(listed, offset=500)
    yield "reader --organ", partial(listed, query="工作", organ="局")
    yield "reader due --on", partial(deadlines.due, station, reader, on=date(2027, 6, 1))
    yield "due --on", partial(deadlines.due, station, clerk, on=date(2027, 6, 1))
    yield "due --after", partial(deadlines.due, station, clerk, on=date(2027, 6, 1), after="2026-12-01/x/y")
    yield "copies --after", partial(copies.list_copies, station, clerk, limit=20, after=f"{middle[0]}-C1")
    yield "carriers out --after", partial(custody.outstanding, station, clerk, after=f"{middle[0]}-Z1")
    for name in NAMES:
        scope = Scope(limit=20, since=date(2024, 1, 1))
        yield f"register {name} --since", partial(show_register, station, clerk, name=name, scope=scope)


def _middle(room: Room) -> list[str]:
    with room.station.read() as session:
        rows = session.execute(text("SELECT id FROM documents WHERE seq BETWEEN 1000 AND 1049 ORDER BY seq"))
        return [str(one) for one in rows.scalars()]


@pytest.mark.parametrize("known", [True, False], ids=["statistics", "none"])
def test_no_everyday_query_reads_a_whole_table(
    room: Room, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the database knows how its rows lie (`ANALYZE`), or nobody ever told it."""
    # of so few papers a page of fifty lines is so much that walking through is the best way
    for module in (registry, export):
        monkeypatch.setattr(module, "PAGE", 20)
    if not known:
        with room.station.engine.connect() as connection:
            connection.exec_driver_sql("DELETE FROM sqlite_stat1")
            connection.commit()
        room.station.engine.dispose()
    faults = []
    for name, ask in asked(room):
        with plans.queries(room.station) as seen:
            ask()
        faults += [
            f"{name}: {fault}\n    {' '.join(statement.split())[-300:]}"
            for statement, values in dict(seen).items()
            for fault in plans.scans(room.station, statement, values)
        ]
    assert not faults, "\n".join(faults)


def test_a_scan_is_told(room: Room) -> None:
    assert plans.scans(room.station, "SELECT * FROM documents WHERE pages = 3", ())
    assert not plans.scans(room.station, "SELECT * FROM documents WHERE id = 'x'", ())


def test_what_was_filled_in_adds_up_and_is_found(room: Room) -> None:
    clerk = room.as_("clerk", "documents")
    listed = documents.list_documents(room.station, clerk, limit=1)
    assert listed["total"] == 2000
    title = listed["documents"][0]["title"]
    found = documents.list_documents(room.station, clerk, query=title)
    assert title in {row["title"] for row in found["documents"]}
    counted = custody.count(room.station, clerk)
    assert counted["originals"]["entered"] == 2000 and counted["copies"]["entered"] == 6000
    assert counted["differences"] == []


def test_a_search_is_the_same_page_by_page_and_whole(room: Room) -> None:
    """What is found stands in the order of the list, whichever pages of the book it comes from."""
    clerk = room.as_("clerk", "documents")
    for wanted in (
        {"query": "工作"},
        {"organ": "局", "level": Level.STATE_TOP},
        {"query": "的函", "status": "archived"},
    ):
        ask: Any = partial(documents.list_documents, room.station, clerk, **wanted)
        plain: Any = partial(
            documents.list_documents, room.station, clerk,
            **{name: value for name, value in wanted.items() if name in ("level", "status")},
        )  # fmt: skip
        rows, after = [], None
        while True:
            page = plain(limit=1000, after=after)
            rows += page["documents"]
            after = page["next"]
            if not page["more"]:
                break
        sought = str(wanted.get("query") or wanted.get("organ"))
        there = [
            row["id"] for row in rows if sought in str(row["title"] if "query" in wanted else row["organ"])
        ]
        found, after = [], None
        while True:
            page = ask(limit=170, after=after)
            found += [row["id"] for row in page["documents"]]
            after = page["next"]
            if not page["more"]:
                break
        assert found == there and len(there) > 5
        assert [row["id"] for row in ask(limit=3, offset=2)["documents"]] == there[2:5]
