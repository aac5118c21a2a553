"""The room's registers: page by page on the screen, or as files for the shelf."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from ..pipeline.registers import NAMES
from . import show
from .frame import DATE, FILE, Room, argument, enter, option

register = Room("register")


@register.command("export")
@argument("name", metavar="|".join(NAMES))
@option("--format", "form", type=click.Choice(["xlsx", "csv", "pdf"]), default="xlsx")
@option("--out", required=True, type=FILE, metavar="F")
@option("--since", type=DATE, metavar="DATE")
@option("--until", type=DATE, metavar="DATE")
@option("--department", metavar="TEXT")
def register_export(
    name: str, form: str, out: Path, since: date | None, until: date | None, department: str | None
) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.registers import export
        from ..pipeline.registers.look import Scope

        station, actor = enter("register")
        scope = Scope(since=since, until=until, department=department)
        return export.export_register(station, actor, name=name, form=form, out=out, scope=scope)

    show.run(work, show.record)


@register.command("show")
@argument("name", metavar="|".join(NAMES))
@option("--since", type=DATE, metavar="DATE")
@option("--until", type=DATE, metavar="DATE")
@option("--department", metavar="TEXT")
@option("--after", metavar="KEY")
@option("--limit", type=click.IntRange(min=1, max=1000), metavar="N")
def register_show(name: str, **given: Any) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.registers import export
        from ..pipeline.registers.look import Scope

        station, actor = enter("register")
        return export.show_register(station, actor, name=name, scope=Scope(**given))

    show.run(work, _draw)


def _draw(value: dict[str, Any]) -> None:
    heads = value["columns"]
    show.table(heads, [[row[head] for head in heads] for row in value["rows"]], title=value["title"])
    if value["next"]:
        show.closing("register_more", next=value["next"])
