"""Trace 溯源: a lead, not a finding."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..common.messages import say
from ..pipeline.copies import tracing
from . import show
from .frame import FILE, Act, argument, current, enter, option


@click.command("trace", cls=Act)
@argument("files", metavar="FILE…", nargs=-1, required=True, type=FILE)
@option("--reason", required=True, metavar="T")
@option("--thorough", is_flag=True)
@option("--report", type=FILE, metavar="F.pdf")
def trace(files: tuple[Path, ...], reason: str, thorough: bool, report: Path | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("trace")
        with _steps() as step:
            return tracing.trace(
                station, actor, files=files, reason=reason, thorough=thorough, report=report,
                lang=current().lang, step=step,
            )  # fmt: skip

    show.run(work, _draw)


@contextmanager
def _steps() -> Iterator[tracing.Step]:
    """A bar on the terminal, when somebody looks and more than one file is given."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(say("progress_trace", current().lang), total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _draw(value: dict[str, Any]) -> None:
    keys = ("file", "verdict", "copy", "document", "number", "recipient", "issued_at", "confidence")
    show.table(keys, [[row[key] for key in keys] for row in value["results"]])
    for row in value["results"]:
        if row["verdict"] == "copy":
            show.closing("trace_lead", number=row["number"], holder=row["holder_name"])
        elif row["verdict"] == "candidates":
            show.closing("trace_candidates", count=len(row["candidates"]))
        elif row["problem"]:
            problem = say(row["problem"], current().lang, detail=row["problem_detail"])
            show.closing("trace_unreadable", file=Path(row["file"]).name, problem=problem)
        else:
            show.closing("trace_none")
        if "glyphs_not_all_searched" in row["findings"]:
            show.closing("glyphs_not_all_searched")
        for part in row["regions"]:
            show.closing("trace_regions", page=part["page"])
            show.table(("region_letter", "copy"), sorted(part["letters"].items()))
            for line in part["rows"]:
                show.plain(line)
    joint = value["together"]
    if joint:
        show.closing("trace_together", count=len(joint["files"]))
        if joint["verdict"] == "copy":
            show.closing("trace_lead", number=joint["number"], holder=joint["holder_name"])
        else:
            show.closing("trace_candidates", count=len(joint["candidates"]))
    if value["report"]:
        show.closing("trace_report_written", file=value["report"]["file"])
