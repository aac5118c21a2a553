"""签收: an envelope enters the register at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..models.level import Level
from ..pipeline.intake.receipt import CARRIERS, Arrival
from ..pipeline.intake.receipt import receive as take
from . import show
from .frame import FILE, LEVEL, Act, enter, option


@click.command("receive", cls=Act)
@option("--from", "organ", required=True, metavar="ORGAN")
@option("--channel", default="", metavar="C")
@option("--envelope", default="", metavar="NO")
@option("--seal", type=click.Choice(["intact", "broken"]), default="intact")
@option("--title", metavar="T")
@option("--number", metavar="N")
@option("--level", type=LEVEL, metavar="LEVEL")
@option("--serial", multiple=True, metavar="S")
@option("--copies", type=click.IntRange(min=1), metavar="K")
@option("--pages", type=click.IntRange(min=1, max=9999), metavar="P")
@option("--urgency", metavar="U")
@option("--carrier", default="paper", metavar="|".join(CARRIERS))
@option("--counted", type=click.IntRange(min=0), metavar="K")
@option("--for", "addressee", metavar="PERSON")
@option("--unscanned", is_flag=True)
@option("--slip", type=FILE, metavar="FILE")
def receive(
    serial: tuple[str, ...], copies: int | None, level: Level | None, slip: Path | None, **rest: Any
) -> None:
    arrival = Arrival(serials=serial, copies=copies or max(1, len(serial)), level=level, **rest)

    def work() -> dict[str, Any]:
        station, actor = enter("receive")
        return take(station, actor, arrival, slip_to=slip)

    show.run(work, _draw)


def _draw(value: dict[str, Any]) -> None:
    show.record(value, ("receipt", "id", "at", "slip"))
    show.closing("done_receive", id=value["id"], slip=value["slip"])
