"""Speed, as ratios against named baselines. Needs no station."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..common.messages import say
from ..pipeline.bench import measure
from . import show
from .frame import Act, argument, current, option


@click.command("bench", cls=Act)
@argument("names", metavar="[NAME…]", nargs=-1)
@option("--quick", is_flag=True)
def bench(names: tuple[str, ...], quick: bool) -> None:
    show.run(lambda: measure(names, quick=quick, told=_tell), _draw)


def _tell(name: str) -> None:
    if sys.stderr.isatty() or current().verbose:
        click.echo(say("progress_bench", current().lang, name=name), err=True)


def _draw(value: dict[str, Any]) -> None:
    keys = ("measurement", "value", "unit_of_measure", "baseline", "ratio", "better", "against", "note")
    lang = current().lang
    show.table(
        keys,
        [
            (
                row["name"], f"{row['value']:g}", row["unit"], f"{row['baseline']:g}", f"× {row['ratio']:g}",
                say(f"bench_{row['better']}", lang), row["against"], row["note"],
            )
            for row in value["results"]
        ],
    )  # fmt: skip
    show.closing("done_bench", seconds=value["seconds"], **value["machine"])
