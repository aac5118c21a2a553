"""Speed, as ratios against named baselines. Needs no station."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..common.messages import say
from ..pipeline.bench.run import measure
from . import show
from .frame import Act, argument, current, option


@click.command("bench", cls=Act)
@argument("names", metavar="[NAME…]", nargs=-1)
@option("--quick", is_flag=True)
@option("--seed", type=click.IntRange(0, 99_999_999), default=1)
def bench(names: tuple[str, ...], quick: bool, seed: int) -> None:
    show.run(lambda: measure(names, quick=quick, seed=seed, told=_tell), _draw)


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
                row["name"], _value(row), row["unit"], _figure(row["baseline"]), _figure(row["ratio"], "× "),
                say(f"bench_{row['better']}", lang), _against(row), row["note"],
            )
            for row in value["results"]
        ],
    )  # fmt: skip
    show.closing("done_bench", seconds=value["seconds"], **value["machine"])


def _value(row: dict[str, Any]) -> str:
    worse = "" if row["p95"] is None else f" (p95 {row['p95']:g})"
    return f"{row['value']:g}{worse}"


def _figure(value: float | None, before: str = "") -> str:
    return "—" if value is None else f"{before}{value:g}"


def _against(row: dict[str, Any]) -> str:
    missing = row["missing"]
    return say(missing, current().lang, what=row["against"]) if missing else str(row["against"])
