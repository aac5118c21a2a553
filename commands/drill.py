"""Drills of the marks 标识演练: test pages, what came back of them, figures by device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..common.messages import say
from ..pipeline.copies import mark_drill
from . import show
from .frame import FILE, Room, argument, current, enter, option

drill = Room("drill")


@drill.command("make")
@option("--out", required=True, type=FILE, metavar="F.pdf")
@option("--sheets", type=click.IntRange(1, 12), default=4)
def make(out: Path, sheets: int) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("drill")
        return mark_drill.make(station, actor, out=out, sheets=sheets)

    show.run(work, lambda value: show.closing("drill_made", file=value["file"], pages=value["pages"]))


@drill.command("read")
@argument("files", metavar="FILE…", nargs=-1, required=True, type=FILE)
@option("--device", required=True, metavar="NAME")
def read(files: tuple[Path, ...], device: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("drill")
        return mark_drill.read(station, actor, files=files, device=device)

    show.run(work, _draw_device)


@drill.command("report")
@option("--out", type=FILE, metavar="F.pdf")
def report(out: Path | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("drill")
        return mark_drill.report(station, actor, out=out, lang=current().lang)

    show.run(work, _draw_all)


def _draw_device(value: dict[str, Any]) -> None:
    keys = ("step", "tried", "read", "rate", "at_least", "score")
    show.table(
        keys,
        [
            [say(f"drill_step_{step}", current().lang), row["tried"], row["read"], f"{row['rate']:.0%}",
             f"{row['at_least']:.0%}", row["score"]]
            for step, row in value["steps"].items()
        ],
        title=show.clean(value["device"]),
    )  # fmt: skip
    for problem in value.get("problems", ()):
        show.plain(f"{problem['file']}: {say(problem['code'], current().lang)}")
    _suggest(value)


def _draw_all(value: dict[str, Any]) -> None:
    for device in value["devices"]:
        _draw_device(device)
    if len(value["devices"]) > 1:
        _suggest(value)
    if value["file"]:
        show.closing("drill_report_written", file=value["file"])


def _suggest(value: dict[str, Any]) -> None:
    best = value.get("recommended")
    if best:
        show.closing("drill_recommended", profile=say(f"drill_step_{best}", current().lang))
    else:
        show.closing("drill_none_enough")
