"""What falls due: the desk's clocks, and what the terms of documents ask for."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from ..common.messages import say
from ..pipeline.desk import deadlines
from . import show
from .frame import DATE, Act, current, enter, option

_KEYS = ("due", "days", "kind", "id", "holder", "role", "action")


@click.command("due", cls=Act)
@option("--on", type=DATE, metavar="DATE")
@option("--limit", type=click.IntRange(min=0), metavar="N")
def due(on: date | None, limit: int | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("due")
        return deadlines.due(station, actor, on=on, limit=limit)

    show.run(work, _draw)


def _draw(value: dict[str, Any]) -> None:
    show.table(_KEYS, [[row[key] for key in _KEYS] for row in value["items"]])
    if value["calendar_unknown"]:
        click.echo(
            say("calendar_unknown", current().lang, years="、".join(map(str, value["calendar_unknown"]))),
            err=True,
        )
