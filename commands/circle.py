"""The reading circle of a document."""

from __future__ import annotations

from datetime import date
from typing import Any

from ..pipeline.persons import circle as circles
from . import show
from .frame import DATE, Room, argument, enter, option

circle = Room("circle")


@circle.command("set")
@argument("document", metavar="DOC")
@argument("persons", metavar="PERSON…", nargs=-1, required=True)
@option("--until", type=DATE, metavar="DATE")
def circle_set(document: str, persons: tuple[str, ...], until: date | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("circle")
        return circles.set_circle(station, actor, document=document, persons=persons, until=until)

    show.run(work, _draw)


@circle.command("show")
@argument("document", metavar="DOC")
def circle_show(document: str) -> None:
    def work() -> dict[str, Any]:
        station, _ = enter("circle.show")
        return circles.show(station, document=document)

    show.run(work, _draw)


def _draw(value: dict[str, Any]) -> None:
    show.table(("person", "name"), list(value["names"].items()))
