"""Urging: reminders of running clocks, what the urged say to it, and who is late with what."""

from __future__ import annotations

from typing import Any

import click

from . import show
from .frame import Act, argument, enter, exclusive, option

_KEYS = ("id", "kind", "document", "due", "days", "holder", "name", "reminders", "told")


@click.command("urge", cls=Act)
@argument("ids", metavar="[ID…]", nargs=-1)
@option("--reason", metavar="T")
@option("--answer", metavar="T")
@option("--by", type=click.Choice(["person", "department"]), default="person")
def urge(ids: tuple[str, ...], reason: str | None, answer: str | None, by: str) -> None:
    exclusive(reason=reason, answer=answer)

    def work() -> dict[str, Any]:
        from ..pipeline.desk import urging

        if answer is not None:
            station, actor = enter("urge.answer")
            return urging.answer(station, actor, ids=ids, text=answer)
        station, actor = enter("urge")
        if ids:
            return urging.urge(station, actor, ids=ids, reason=reason)
        return urging.overdue(station, actor, by=by)

    show.run(work, _draw)


def _draw(value: dict[str, Any]) -> None:
    if "groups" not in value:
        rows = value.get("urged") or value.get("answered") or []
        show.table(_KEYS, [[row.get(key) for key in _KEYS] for row in rows])
        return
    keys = ("who", *_KEYS[:-1])
    rows = [{"who": group["who"], **item} for group in value["groups"] for item in group["items"]]
    show.table(keys, [[row.get(key) for key in keys] for row in rows])
