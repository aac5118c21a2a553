"""The room's registers as tables for the shelf."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..pipeline import registers
from . import show
from .frame import FILE, Room, argument, enter, option

register = Room("register")


@register.command("export")
@argument("name", metavar="|".join(registers.NAMES))
@option("--format", "form", type=click.Choice(["xlsx", "csv", "pdf"]), default="xlsx")
@option("--out", required=True, type=FILE, metavar="F")
def register_export(name: str, form: str, out: Path) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("register")
        return registers.export_register(station, actor, name=name, form=form, out=out)

    show.run(work, show.record)
