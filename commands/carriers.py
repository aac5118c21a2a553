"""Originals: what moves them, where they are, what is not back, whether the count adds up."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import click

from ..models.level import Level
from . import show
from .frame import DATE, FIELD, FILE, LEVEL, Room, argument, bounded, enter, option

carriers = Room("carriers")
_COLUMNS = ("object", "kind", "document", "level", "serial", "state", "holder", "place")


@carriers.command("move")
@argument("act", metavar="ACT")
@argument("objects", metavar="ID…", nargs=-1, required=True)
@option("--to", "taker", metavar="PERSON")
@option("--with", "escorts", multiple=True, metavar="PERSON")
@option("--place", metavar="P")
@option("--due", type=DATE, metavar="DATE")
@option("--word", "words", multiple=True, type=FIELD, metavar="N=V")
def carriers_move(
    act: str, objects: tuple[str, ...], taker: str | None, escorts: tuple[str, ...], place: str | None,
    due: date | None, words: tuple[tuple[str, str], ...],
) -> None:  # fmt: skip
    def work() -> dict[str, Any]:
        from ..pipeline.desk import custody
        from ..pipeline.desk.movements import Hand

        station, actor = enter("carriers.move")
        hand = Hand(taker=taker, together_with=escorts, place=place, due=due, words=dict(words))
        return custody.move(station, actor, act, objects, hand)

    show.run(work, _draw)


@carriers.command("list")
@option("--document", metavar="D")
@option("--holder", metavar="P")
@option("--state", metavar="S")
@bounded()
@option("--after", metavar="ID")
def carriers_list(limit: int, after: str | None, **given: Any) -> None:
    def work() -> show.Ask:
        from ..pipeline.desk import custody

        station, actor = enter("carriers.list")
        return partial(custody.list_carriers, station, actor, **given)

    show.listing(work, "objects", _draw, limit=limit, after=after)


@carriers.command("trail")
@argument("object_id", metavar="ID")
@bounded()
@option("--after", metavar="N")
def carriers_trail(object_id: str, limit: int, after: str | None) -> None:
    def work() -> show.Ask:
        from ..pipeline.desk import custody

        station, actor = enter("carriers.list")
        return partial(custody.trail, station, actor, object_id=object_id)

    keys = ("at", "act", "before", "after", "giver", "taker", "by", "place", "approval")
    show.listing(work, "movements", show.rows("movements", keys), limit=limit, after=after)


@carriers.command("out")
@bounded()
@option("--after", metavar="ID")
@option("--out", type=FILE, metavar="F")
def carriers_out(limit: int, after: str | None, out: Path | None) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.desk import custody

        station, actor = enter("carriers.out")
        value = custody.outstanding(station, actor, limit=limit, after=after)
        if out is None:
            return value
        from ..pipeline.rounds import list_sheets

        return {**value, **list_sheets.write_list(station, actor, kind="closing", value=value, out=out)}

    keys = ("object", "document", "level", "state", "holder", "due", "days", "overnight", "cabinet")
    show.run(work, lambda value: show.table(keys, [[row[key] for key in keys] for row in value["items"]]))


@carriers.command("count")
@option("--document", metavar="D")
@option("--level", type=LEVEL, metavar="LEVEL")
@option("--holder", metavar="P")
@option("--since", metavar="TIME")
@option("--until", metavar="TIME")
@option("--audit", is_flag=True)
def carriers_count(
    document: str | None,
    level: Level | None,
    holder: str | None,
    since: str | None,
    until: str | None,
    audit: bool,
) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.desk import custody

        station, actor = enter("carriers.out")
        return custody.count(
            station,
            actor,
            document=document,
            level=level,
            holder=holder,
            since=since,
            until=until,
            audit=audit,
        )

    show.run(work, _draw_count)


def _draw(value: dict[str, Any]) -> None:
    show.table(_COLUMNS, [[row[key] for key in _COLUMNS] for row in value["objects"]])


def _draw_count(value: dict[str, Any]) -> None:
    for kind in ("originals", "copies"):
        click.echo(f"{kind}: " + " ".join(f"{name}={number}" for name, number in value[kind].items()))
