"""Holds 冻结: put on by a leader, lifted by two persons."""

from __future__ import annotations

from typing import Any

from ..pipeline.papers import hold as holds
from . import show
from .documents import draw_document
from .frame import Room, argument, enter, option

hold = Room("hold")


@hold.command("add")
@argument("document", metavar="DOC")
@option("--reason", required=True, metavar="T")
def hold_add(document: str, reason: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("hold.add")
        return holds.add_hold(station, actor, document=document, reason=reason)

    show.run(work, draw_document)


@hold.command("lift")
@argument("document", metavar="DOC")
@option("--reason", required=True, metavar="T")
def hold_lift(document: str, reason: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("hold.lift")
        return holds.lift_hold(station, actor, document=document, reason=reason)

    show.run(work, draw_document)
