"""Batches: their count, separator sheets, handing over and closing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ..common.paging import HEAVY
from ..pipeline.review import batches
from . import show
from .frame import FILE, Room, argument, bounded, enter, option

batch = Room("batch")
_COUNTS = ("envelopes", "documents", "pages", "confirmed", "waiting", "refused", "unread")


@batch.command("list")
@bounded(HEAVY)
@option("--after", metavar="BATCH")
def batch_list(limit: int, after: str | None) -> None:
    def work() -> show.Ask:
        return partial(batches.list_batches, *enter("batch"))

    show.listing(work, "batches", _draw_list, limit=limit, after=after)


@batch.command("show")
@argument("batch_", metavar="BATCH")
def batch_show(batch_: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("batch")
        return batches.show_batch(station, actor, batch=batch_)

    show.run(work, _draw)


@batch.command("sheet")
@argument("ids", metavar="BATCH|RECEIPT…", nargs=-1, required=True)
@option("--out", required=True, type=FILE, metavar="F")
@option("--count", type=click.IntRange(min=1, max=batches.MOST_SHEETS), metavar="N")
@option("--pages", type=click.IntRange(min=1, max=9999), multiple=True, metavar="P")
def batch_sheet(ids: tuple[str, ...], out: Path, count: int | None, pages: tuple[int, ...]) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("batch.desk")
        return batches.write_separators(station, actor, ids=ids, out=out, count=count, pages=pages)

    show.run(work, lambda value: show.record(value, ("file", "sha256")))


@batch.command("handover")
@argument("batch_", metavar="BATCH")
@option("--to", metavar="PERSON")
def batch_handover(batch_: str, to: str | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("batch.desk")
        return batches.hand_over(station, actor, batch=batch_, to=to)

    show.run(work, _draw)


@batch.command("close")
@argument("batch_", metavar="BATCH")
@option("--envelopes", type=click.IntRange(min=0), metavar="N")
@option("--documents", type=click.IntRange(min=0), metavar="N")
@option("--pages", type=click.IntRange(min=0), metavar="N")
@option("--reason", metavar="T")
def batch_close(batch_: str, **rest: Any) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("batch.desk")
        return batches.close(station, actor, batch=batch_, **rest)

    show.run(work, _draw)


def _draw_list(value: dict[str, Any]) -> None:
    columns = ("batch", "batch_name", "at", "holder", "state", *_COUNTS)
    rows = [
        {**item, **item["counts"], "batch_name": item["name"], "state": show.status_word(item["state"])}
        for item in value["batches"]
    ]
    show.table(columns, [[row[name] for name in columns] for row in rows])


def _draw(value: dict[str, Any]) -> None:
    show.record(
        {**value, **value["counts"], "batch_name": value["name"], "state": show.status_word(value["state"])},
        ("batch", "batch_name", "at", "by", "holder", "offered_to", "state", *_COUNTS),
    )
    columns = ("id", "status", "pages", "must_review", "urgency", "title", "source_name")
    show.table(
        columns,
        [
            [show.status_word(row[name]) if name == "status" else row[name] for name in columns]
            for row in value["documents"]
        ],
    )
