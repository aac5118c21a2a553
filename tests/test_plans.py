"""No everyday list reads a whole table: the plan of every query of every paged command is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, text

from jiyao.models.level import Level
from jiyao.pipeline.bench import fill as bench_fill
from jiyao.pipeline.copies import copies
from jiyao.pipeline.desk import custody, deadlines, matter_book
from jiyao.pipeline.papers import documents
from jiyao.pipeline.persons import approvals
from jiyao.pipeline.registers import NAMES
from jiyao.pipeline.registers.export import show_register
from jiyao.pipeline.registers.look import Scope
from jiyao.pipeline.station.station import Station
from room_kit import Room

LARGE = frozenset(
    (
        "documents", "copies", "carriers", "movements", "timers", "events", "matters", "matter_items", "matter_steps",
        "approvals", "artefacts", "circle_members", "clear_places", "ledger_entries", "receipts", "scans",
        "search_slots",
    )
)  # fmt: skip
PARTIAL = (
    "ix_documents_event",
    "ix_documents_terms_open",
    "ix_documents_unfiled",
    "ix_copies_out",
    "ix_carriers_away",
)
"""Indexes of the few rows for which a clock has no date."""
COUNTED = ("SELECT count", "GROUP BY")
"""What counts all rows walks an index from end to end."""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    made = Room(tmp_path_factory.mktemp("plans"))
    bench_fill.fill(made.station, documents=2000)
    return made


@contextmanager
def queries(station: Station) -> Iterator[list[tuple[str, Any]]]:
    """Every SELECT that runs, with its values."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _k: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            seen.append((statement, values))

    event.listen(station.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(station.engine, "before_cursor_execute", note)


def scans(station: Station, statement: str, values: Any) -> list[str]:
    """The large tables that a query reads row by row; with their index where one is walked from end to end."""
    names = dict(re.findall(r"(\w+) AS (\w+)", statement))
    with station.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    found = []
    for row in plan:
        match = re.match(r"SCAN (\w+)(.*)", row[-1])
        table = match and next((old for old, new in names.items() if new == match[1]), match[1])
        if match and table in LARGE:
            page = " LIMIT " in statement and not any("TEMP B-TREE" in one[-1] for one in plan)
            counted = "USING" in match[2] and any(one in statement for one in COUNTED)
            if not page and not counted and not match[2].endswith(PARTIAL):
                found.append(row[-1])
    return found


def asked(room: Room) -> Iterator[tuple[str, Callable[[], Any]]]:
    station, document = room.station, _middle(room)
    clerk, reader = room.as_("clerk", "documents"), room.as_("reader", "documents")
    for actor in (clerk, reader):
        listed = partial(documents.list_documents, station, actor, limit=20)
        yield "documents", listed
        yield "documents --status", partial(listed, status="archived")
        yield "documents --level", partial(listed, level=Level.STATE_SECRET)
        yield "documents --level --status", partial(listed, level=Level.STATE_SECRET, status="archived")
        yield "documents --batch", partial(listed, batch="B2026-00000")
        yield "documents --offset", partial(listed, offset=500)
        yield "documents --after", partial(listed, after=document)
        yield "documents --query", partial(listed, query="工作", organ="局")
        yield "due", partial(deadlines.due, station, actor)
        yield "due --on", partial(deadlines.due, station, actor, on=date(2027, 6, 1))
        yield "copies", partial(copies.list_copies, station, actor, limit=20)
        yield "carriers", partial(custody.list_carriers, station, actor, limit=20)
    copied = partial(copies.list_copies, station, clerk, limit=20)
    yield "documents show", partial(documents.show_document, station, clerk, document=document)
    yield "copies --document", partial(copied, document=document)
    yield "copies --holder", partial(copied, holder="bench-7")
    yield "copies --overdue", partial(copied, overdue=True)
    carried = partial(custody.list_carriers, station, clerk, limit=20)
    yield "carriers --document", partial(carried, document=document)
    yield "carriers --holder", partial(carried, holder="bench-0")
    yield "carriers --state", partial(carried, state="out")
    yield "carriers trail", partial(custody.trail, station, clerk, object_id=f"{document}-Z1")
    yield "carriers out", partial(custody.outstanding, station, clerk, limit=20)
    yield "carriers count", partial(custody.count, station, clerk)
    yield "carriers count --document", partial(custody.count, station, clerk, document=document)
    yield "carriers count --holder", partial(custody.count, station, clerk, holder="bench-7")
    yield "matters", partial(matter_book.list_matters, station, clerk, limit=20)
    yield "matters --all", partial(matter_book.list_matters, station, clerk, ended=True, limit=20)
    yield "approvals", partial(approvals.list_approvals, station, clerk, limit=20)
    for name in NAMES:
        page = partial(show_register, station, clerk, name=name)
        yield f"register {name}", partial(page, scope=Scope(limit=20))
        yield f"register {name} --since", partial(page, scope=Scope(limit=20, since=date(2024, 1, 1)))


def _middle(room: Room) -> str:
    with room.station.read() as session:
        return str(session.execute(text("SELECT id FROM documents WHERE seq = 1000")).scalar_one())


@pytest.mark.parametrize("known", [True, False], ids=["statistics", "none"])
def test_no_everyday_query_reads_a_whole_table(room: Room, known: bool) -> None:
    """Whether the database knows how its rows lie (`ANALYZE`), or nobody ever told it."""
    if not known:
        with room.station.engine.connect() as connection:
            connection.exec_driver_sql("DELETE FROM sqlite_stat1")
            connection.commit()
        room.station.engine.dispose()
    faults = []
    for name, ask in asked(room):
        with queries(room.station) as seen:
            ask()
        faults += [
            f"{name}: {fault}\n    {' '.join(statement.split())[-300:]}"
            for statement, values in dict(seen).items()
            for fault in scans(room.station, statement, values)
        ]
    assert not faults, "\n".join(faults)


def test_a_scan_is_told(room: Room) -> None:
    assert scans(room.station, "SELECT * FROM documents WHERE pages = 3", ())
    assert not scans(room.station, "SELECT * FROM documents WHERE id = 'x'", ())


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
