"""Counting what is there against the register: begun, scanned, signed for by two, settled."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from ..common.paging import HEAVY
from ..models.level import Level
from . import show
from .frame import FILE, LEVEL, Room, argument, bounded, enter, exclusive, option

inventory = Room("inventory")
_HEAD = ("inventory", "state", "step", "counts", "signed_by")


@inventory.command("start")
@option("--holder", metavar="P")
@option("--place", metavar="P")
@option("--department", metavar="D")
@option("--level", type=LEVEL, metavar="LEVEL")
@option("--document", metavar="D")
def inventory_start(
    holder: str | None, place: str | None, department: str | None, level: Level | None, document: str | None
) -> None:
    exclusive(holder=holder, department=department)

    def work() -> dict[str, Any]:
        from ..pipeline.papers import inventory as counting

        station, actor = enter("inventory")
        return counting.start(
            station, actor, holder=holder, place=place, department=department, level=level, document=document
        )

    show.run(work, _draw)


@inventory.command("scan")
@argument("id_", metavar="ID")
@argument("codes", metavar="[CODE]…", nargs=-1)
def inventory_scan(id_: str, codes: tuple[str, ...]) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.papers import inventory as counting

        station, actor = enter("inventory")
        # a hand scanner types a line for each barcode
        read = codes or tuple(filter(None, map(str.strip, sys.stdin)))
        return counting.scan(station, actor, inventory=id_, codes=read)

    keys = ("code", "object", "state")
    show.run(work, lambda value: show.table(keys, [[row[key] for key in keys] for row in value["read"]]))


@inventory.command("close")
@argument("id_", metavar="ID")
@option("--disagree", metavar="T")
def inventory_close(id_: str, disagree: str | None) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.papers import inventory as counting

        station, actor = enter("inventory")
        return counting.close(station, actor, inventory=id_, disagree=disagree)

    show.run(work, _draw)


@inventory.command("settle")
@argument("id_", metavar="ID")
@option("--decision", required=True, metavar="T")
def inventory_settle(id_: str, decision: str) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.papers import inventory as counting

        station, actor = enter("inventory.settle")
        return counting.settle(station, actor, inventory=id_, decision=decision)

    show.run(work, _draw)


@inventory.command("show")
@argument("id_", metavar="ID")
@option("--out", type=FILE, metavar="F")
def inventory_show(id_: str, out: Path | None) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.papers import inventory as counting

        station, actor = enter("rounds.show")
        value = counting.show(station, actor, inventory=id_)
        if out is None:
            return value
        from ..pipeline.rounds import list_sheets

        return {**value, **list_sheets.write_list(station, actor, kind="inventory", value=value, out=out)}

    keys = ("object", "level", "serial", "holder", "place", "state")
    show.run(work, lambda value: show.table(keys, [[row.get(key) for key in keys] for row in value["items"]]))


@inventory.command("list")
@option("--all", "ended", is_flag=True)
@bounded(HEAVY)
@option("--after", metavar="M")
def inventory_list(ended: bool, limit: int, after: str | None) -> None:
    def work() -> show.Ask:
        from ..pipeline.papers import inventory as counting

        station, _ = enter("rounds.show")
        return partial(counting.list_counts, station, ended=ended)

    show.listing(work, "inventories", show.rows("inventories", _HEAD), limit=limit, after=after)


def _draw(value: dict[str, Any]) -> None:
    show.record(value, (*_HEAD, "missing", "unexpected", "moved"))
    if value["state"] == "open":
        click.echo(" ".join(value["missing"][:20]), err=True)
