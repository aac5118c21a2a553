"""Learning from confirmed documents, and how often persons agreed with the machine."""

from __future__ import annotations

from typing import Any

import click

from ..common.errors import UsageFault
from . import show
from .frame import Room, enter, option

_LEVEL = ("suggested", "waiting", "confirmed", "up", "down", "other", "abstained", "agreement")
_RETENTION = ("suggested", "waiting", "confirmed", "longer", "shorter", "abstained", "agreement")


@click.pass_context
def _learn(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        raise UsageFault("not_yet_built", what="learn")


learn = Room("learn", invoke_without_command=True, callback=_learn)


@learn.command("report")
@option("--month", metavar="YYYY-MM")
def learn_report(month: str | None) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline import learning

        station, actor = enter("learn.report")
        return learning.report(station, actor, month=month)

    show.run(work, _draw)


def _draw(value: dict[str, Any]) -> None:
    for name, key, columns in (("levels", "level", _LEVEL), ("retention", "retention", _RETENTION)):
        shown = ("month", key, "rule", *columns)
        show.table(shown, [[row[column] for column in shown] for row in value[name]])
    show.record({"documents": value["documents"], **value["totals"]["level"]})
