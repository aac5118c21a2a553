"""What falls due: the desk's clocks, and what the terms of documents ask for."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

import click

from ..common.messages import say
from ..pipeline.desk import deadlines
from . import show
from .frame import DATE, Act, bounded, current, enter, option

_KEYS = ("due", "days", "kind", "id", "holder", "role", "action")


@click.command("due", cls=Act)
@option("--on", type=DATE, metavar="DATE")
@bounded()
@option("--after", metavar="KEY")
def due(on: date | None, limit: int, after: str | None) -> None:
    def work() -> show.Ask:
        return partial(deadlines.due, *enter("due"), on=on)

    show.listing(work, "items", _draw, limit=limit, after=after)


def _draw(value: dict[str, Any]) -> None:
    show.table(_KEYS, [[row[key] for key in _KEYS] for row in value["items"]])
    if value["calendar_unknown"]:
        click.echo(
            say("calendar_unknown", current().lang, years="、".join(map(str, value["calendar_unknown"]))),
            err=True,
        )
