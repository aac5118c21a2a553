"""Measures the registry at its full size: lists, look-ups and register pages of a million documents.

Everything is asked for as the commands ask, words opened, ledger entry written. Baseline: the same number of rows by
their primary key in plain SQL, nothing opened.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from ...common.clock import iso
from ...common.paging import HEAVY
from ...models.level import Level
from ...models.tables import Document, Reading
from ..copies import copies
from ..desk import custody, deadlines, matter_book, urging
from ..destruction import batch as destruction
from ..papers import documents, incidents
from ..persons import approvals, deputies, people, readers
from ..persons.actors import Actor
from ..registers import NAMES
from ..registers.export import show_register
from ..registers.look import Scope
from ..review import batches, review
from ..rounds import circulation_list, lending, lists, transport
from ..station.station import Station
from . import fill as bench_fill
from . import plans
from .race import Race, Races, Unit, seconds, timed
from .room import bench_station

FULL, QUICK = 1_000_000, 20_000
PAGE = 50
Ask = Callable[[], dict[str, Any]]


def registry(folder: Path, quick: bool, seed: int) -> Races:
    """Milliseconds of each list, look-up and register page: pages of 50 lines, medians of warm runs. Before them what
    filling takes, and behind them how many of all their queries read a large table row by row.

    Baseline: 50 rows (one for a look-up) by primary key, plain SQL.
    """
    size = QUICK if quick else FULL
    with bench_station(folder) as (station, actor):
        took, filled = timed(lambda: bench_fill.fill(station, documents=size, seed=seed))
        first = documents.list_documents(station, actor, limit=PAGE)["documents"]
        bench_fill.with_files(station, [row["id"] for row in first])
        with station.read() as session:
            middle = session.scalars(
                select(Document.id).order_by(Document.year, Document.seq).offset(size // 2).limit(PAGE)
            ).all()
        note = f"{filled.documents} documents, {filled.copies} copies"
        yield _told("fill", "s", took, note)
        yield _told("file", "MiB", _mebibytes(station), note)
        yield _told("memory", "MiB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "filling")
        faults: list[str] = []
        for name, rows, ask in questions(station, actor, size, list(middle), str(first[0]["title"])):
            with plans.queries(station) as seen:
                ask()
            faults += [
                f"{name}: {fault}"
                for statement, values in dict(seen).items()
                for fault in plans.scans(station, statement, values)
            ]
            ids = list(middle)[: rows or 1]
            yield Race(
                name=f"registry.{name}", unit="ms", against=f"{len(ids)} rows by primary key, plain SQL",
                product=partial(_ms, ask), baseline=partial(_ms, partial(_plain, station, ids)),
                rounds=5, note=note,
            )  # fmt: skip
        yield _told("scans", "queries", float(len(faults)), "; ".join(faults))


def _told(name: str, unit: Unit, value: float, note: str) -> Race:
    """A figure that is known already and has nothing beside it."""
    return Race(
        name=f"registry.{name}", unit=unit, against="", product=lambda: value, baseline=None, rounds=1, note=note,
        better="less",
    )  # fmt: skip


def _mebibytes(station: Station) -> float:
    with station.read() as session:
        pages, size = (
            session.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("page_count", "page_size")
        )
        return float(pages * size / 2**20)


def questions(
    station: Station, actor: Actor, size: int, middle: list[str], title: str
) -> Iterator[tuple[str, int, Ask]]:
    """Name, lines, and the question, of a registry that `fill` has filled.

    Args:
        middle: documents from its middle. title: of a document that stands in it.
    """
    listed = partial(documents.list_documents, station, actor, limit=PAGE)
    yield "documents", PAGE, listed
    yield "documents.status", PAGE, partial(listed, status="archived")
    yield "documents.level", PAGE, partial(listed, level=Level.STATE_SECRET)
    yield "documents.both", PAGE, partial(listed, level=Level.STATE_SECRET, status="archived")
    yield "documents.offset", PAGE, partial(listed, offset=size // 2)
    yield "documents.after", PAGE, partial(listed, after=middle[0])
    yield "documents.query", PAGE, partial(listed, query=title[4:10])
    yield "documents.number", PAGE, partial(listed, query=f"{size // 2:07d}.pdf")
    yield "documents.organ", PAGE, partial(listed, organ=_organ(station, actor, middle[0]))
    yield "documents.none", PAGE, partial(listed, query="查无此文")
    yield "documents.show", 1, partial(documents.show_document, station, actor, document=middle[0])
    copied = partial(copies.list_copies, station, actor, limit=PAGE)
    yield "copies", PAGE, copied
    yield "copies.document", 1, partial(copied, document=middle[0])
    yield "copies.holder", PAGE, partial(copied, holder="bench-7")
    yield "copies.overdue", PAGE, partial(copied, overdue=True)
    carried = partial(custody.list_carriers, station, actor, limit=PAGE)
    yield "carriers", PAGE, carried
    yield "carriers.document", 1, partial(carried, document=middle[0])
    yield "carriers.holder", PAGE, partial(carried, holder="bench-0")
    yield "carriers.room", PAGE, partial(carried, holder="bench")
    yield "carriers.state", PAGE, partial(carried, state="out")
    yield "carriers.trail", 1, partial(custody.trail, station, actor, object_id=f"{middle[0]}-Z1")
    yield "carriers.out", PAGE, partial(custody.outstanding, station, actor, limit=PAGE)
    counted = partial(custody.count, station, actor)
    month = iso(station.clock.now() - timedelta(days=400))
    yield "count", 1, counted
    yield "count.document", 1, partial(counted, document=middle[0])
    yield "count.holder", 1, partial(counted, holder="bench-7")
    yield "count.top", 1, partial(counted, level=Level.STATE_TOP)
    yield "count.level", 1, partial(counted, level=Level.STATE_CONFIDENTIAL)
    yield (
        "count.month",
        1,
        partial(counted, since=month, until=iso(station.clock.now() - timedelta(days=370))),
    )
    yield "due", PAGE, partial(deadlines.due, station, actor, limit=PAGE)
    yield "matters", PAGE, partial(matter_book.list_matters, station, actor, limit=PAGE)
    yield "matters.all", PAGE, partial(matter_book.list_matters, station, actor, ended=True, limit=PAGE)
    yield "approvals", PAGE, partial(approvals.list_approvals, station, actor, limit=PAGE)
    yield from _more(station, actor, size, middle)
    year = station.clock.now().date() - timedelta(days=1500)
    for name in NAMES:
        page = partial(show_register, station, actor, name=name)
        yield f"register.{name}", PAGE, page
        if name not in ("destruction", "incidents", "clear"):
            yield f"register.{name}.middle", PAGE, partial(page, scope=Scope(since=year))
    month_of = Scope(since=year, until=year + timedelta(days=30), department="7处")
    yield (
        "register.copies.department",
        PAGE,
        partial(show_register, station, actor, name="copies", scope=month_of),
    )
    yield (
        "register.inbound.department",
        PAGE,
        partial(show_register, station, actor, name="inbound", scope=month_of),
    )


def _more(station: Station, actor: Actor, size: int, middle: list[str]) -> Iterator[tuple[str, int, Ask]]:
    """Searches with hits everywhere, whole years counted, what a reader sees, and the lists of rounds and persons."""
    listed = partial(documents.list_documents, station, actor, limit=PAGE)
    yield "documents.common", PAGE, partial(listed, query="工作")
    yield "documents.common.last", PAGE, partial(listed, query="工作", status="pending")
    yield "documents.common.after", PAGE, partial(listed, query="工作", after=middle[0])
    yield "documents.organ.level", PAGE, partial(listed, organ="局", level=Level.STATE_TOP)
    yield "documents.batch", PAGE, partial(listed, batch=f"B{size // 2 - size // 2 % 50:08d}")
    yield (
        "documents.readers",
        1,
        partial(readers.readers_of, station, actor, document=_secret(station, middle)),
    )
    now = station.clock.now()
    counted = partial(custody.count, station, actor)
    year_ago = iso(now - timedelta(days=365))
    yield "count.year", 1, partial(counted, since=year_ago)
    yield "count.year.level", 1, partial(counted, since=year_ago, level=Level.STATE_CONFIDENTIAL)
    yield "count.room", 1, partial(counted, holder="bench", level=Level.INTERNAL)
    yield (
        "due.quarter",
        PAGE,
        partial(deadlines.due, station, actor, on=now.date() + timedelta(days=90), limit=PAGE),
    )
    later, far = ((now.date() + timedelta(days=days)).isoformat() for days in (-30, 45))
    for name, behind in (("due.after", later), ("due.quarter.after", far)):
        quarter = partial(deadlines.due, station, actor, on=now.date() + timedelta(days=90), limit=PAGE)
        yield name, PAGE, partial(quarter, after=f"{behind}/retention_end/")
    me = replace(actor, person="bench-7", roles=frozenset({"reader"}))
    mine = partial(documents.list_documents, station, me, limit=PAGE)
    yield "reader.documents", PAGE, mine
    yield "reader.query", PAGE, partial(mine, query="工作")
    yield "reader.copies", PAGE, partial(copies.list_copies, station, me, limit=PAGE)
    yield "reader.carriers", PAGE, partial(custody.list_carriers, station, me, limit=PAGE)
    yield "reader.matters", PAGE, partial(matter_book.list_matters, station, me, limit=PAGE)
    yield "reader.approvals", PAGE, partial(approvals.list_approvals, station, me, limit=PAGE)
    yield "reader.due", PAGE, partial(deadlines.due, station, me, limit=PAGE)
    yield "review", PAGE, partial(review.list_reviews, station, actor, limit=PAGE)
    yield "batches", HEAVY, partial(batches.list_batches, station, actor)
    for ended in (False, True):
        whole = ".all" if ended else ""
        yield f"circulations{whole}", HEAVY, partial(circulation_list.list_open, station, actor, ended=ended)
        yield f"transport{whole}", HEAVY, partial(transport.list_runs, station, actor, ended=ended)
        for kind in ("clearing", "recall", "archiving"):
            yield f"{kind}{whole}", HEAVY, partial(lists.list_lists, station, actor, kind=kind, ended=ended)
    yield "loans", PAGE, partial(lending.list_loans, station, actor, limit=PAGE)
    yield "loans.overdue", PAGE, partial(lending.list_loans, station, actor, overdue=True, limit=PAGE)
    yield "incidents", PAGE, partial(incidents.list_incidents, station, limit=PAGE)
    yield "destructions", HEAVY, partial(destruction.list_batches, station)
    yield "persons", PAGE, partial(people.list_persons, station, limit=PAGE)
    yield "accounts", PAGE, partial(people.list_accounts, station, limit=PAGE)
    yield "deputies", PAGE, partial(deputies.list_deputies, station, actor, limit=PAGE)
    yield "urge", PAGE, partial(urging.overdue, station, actor, limit=PAGE)


def _secret(station: Station, among: list[str]) -> str:
    """One of these documents that somebody is on record for."""
    with station.read() as session:
        found = session.scalars(
            select(Reading.document_id).where(Reading.document_id.in_(among)).limit(1)
        ).first()
        return str(found or among[0])


def _organ(station: Station, actor: Actor, document: str) -> str:
    return str(documents.show_document(station, actor, document=document)["organ"])


def _ms(ask: Callable[[], object]) -> float:
    return 1000 * seconds(ask)


def _plain(station: Station, ids: list[str]) -> None:
    with station.read() as session:
        for document in ids:
            session.execute(text("SELECT * FROM documents WHERE id = :id"), {"id": document}).one()
