"""Trace 溯源: a lead, not a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..pipeline.copies import tracing
from . import show
from .frame import FILE, Act, argument, enter, option


@click.command("trace", cls=Act)
@argument("files", metavar="FILE…", nargs=-1, required=True, type=FILE)
@option("--reason", required=True, metavar="T")
def trace(files: tuple[Path, ...], reason: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("trace")
        return tracing.trace(station, actor, files=files, reason=reason)

    show.run(work, _draw)


def _draw(value: dict[str, Any]) -> None:
    keys = ("file", "verdict", "copy", "document", "number", "recipient", "issued_at", "confidence")
    show.table(keys, [[row[key] for key in keys] for row in value["results"]])
    for row in value["results"]:
        if row["verdict"] == "copy":
            show.closing("trace_lead", number=row["number"], holder=row["holder_name"])
        elif row["verdict"] == "candidates":
            show.closing("trace_candidates", count=len(row["candidates"]))
        else:
            show.closing("trace_none")
