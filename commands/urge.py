"""Urging: reminders of running clocks, what the urged say to it, and who is late with what."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from . import show
from .frame import Act, argument, bounded, enter, exclusive, option

_KEYS = ("id", "kind", "document", "due", "days", "holder", "name", "reminders", "told")


@click.command("urge", cls=Act)
@argument("ids", metavar="[ID…]", nargs=-1)
@option("--reason", metavar="T")
@option("--answer", metavar="T")
@option("--by", type=click.Choice(["person", "department"]), default="person")
@bounded()
@option("--after", metavar="N")
def urge(
    ids: tuple[str, ...], reason: str | None, answer: str | None, by: str, limit: int, after: str | None
) -> None:
    exclusive(reason=reason, answer=answer)

    def work() -> dict[str, Any]:
        from ..pipeline.desk import urging

        if answer is not None:
            station, actor = enter("urge.answer")
            return urging.answer(station, actor, ids=ids, text=answer)
        station, actor = enter("urge")
        return urging.urge(station, actor, ids=ids, reason=reason)

    def late() -> show.Ask:
        from ..pipeline.desk import urging

        return partial(urging.overdue, *enter("urge"), by=by)

    if ids or answer is not None:
        show.run(work, _draw)
    else:
        show.listing(late, "groups", _draw, limit=limit, after=after)


def _draw(value: dict[str, Any]) -> None:
    if "groups" not in value:
        rows = value.get("urged") or value.get("answered") or []
        show.table(_KEYS, [[row.get(key) for key in _KEYS] for row in rows])
        return
    keys = ("who", *_KEYS[:-1])
    rows = [{"who": group["who"], **item} for group in value["groups"] for item in group["items"]]
    show.table(keys, [[row.get(key) for key in keys] for row in rows])
