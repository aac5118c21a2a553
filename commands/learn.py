"""Learning from confirmed documents, which model is in use, and how often persons agreed with the machine."""

from __future__ import annotations

from typing import Any

import click

from . import show
from .frame import Room, enter, option

_LEVEL = ("suggested", "waiting", "confirmed", "up", "down", "other", "abstained", "agreement")
_RETENTION = ("suggested", "waiting", "confirmed", "longer", "shorter", "abstained", "agreement")
_MODEL = ("model", "version", "state", "since", "by", "approval", "approved_by", "documents", "levels")
_SHORT = ("model", "state", "since", "by", "approved_by", "documents", "until", "ended_by")


@click.pass_context
def _learn(context: click.Context) -> None:
    if context.invoked_subcommand is not None:
        return

    def work() -> dict[str, Any]:
        from ..pipeline.learning import retraining

        station, actor = enter("learn")
        return retraining.learn(station, actor)

    show.run(work, _draw_model)


learn = Room("learn", invoke_without_command=True, callback=_learn)


@learn.command("request")
@option("--note", metavar="T")
def learn_request(note: str | None) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.learning import retraining

        station, actor = enter("learn.request")
        return retraining.request(station, actor, note=note)

    show.run(work, show.record)


@learn.command("show")
def learn_show() -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.learning import station_model

        station, actor = enter("learn.show")
        return station_model.show(station, actor)

    show.run(work, _draw_models)


@learn.command("withdraw")
@option("--reason", required=True, metavar="T")
def learn_withdraw(reason: str) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.learning import station_model

        station, actor = enter("learn.withdraw")
        return station_model.withdraw(station, actor, reason=reason)

    show.run(work, _draw_models)


@learn.command("report")
@option("--month", metavar="YYYY-MM")
def learn_report(month: str | None) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.learning import learning

        station, actor = enter("learn.report")
        return learning.report(station, actor, month=month)

    show.run(work, _draw)


def _draw(value: dict[str, Any]) -> None:
    for name, key, columns in (("levels", "level", _LEVEL), ("retention", "retention", _RETENTION)):
        shown = ("month", key, "rule", *columns)
        show.table(shown, [[row[column] for column in shown] for row in value[name]])
    show.record({"documents": value["documents"], **value["totals"]["level"]})


def _draw_model(value: dict[str, Any]) -> None:
    show.record(value, (*_MODEL, "not_read", "skipped"))
    _draw_figures(value["figures"])


def _draw_models(value: dict[str, Any]) -> None:
    show.record(value, ("in_use", "shipped"))
    show.table(_SHORT, [[row[name] for name in _SHORT] for row in value["models"]])
    for row in value["models"]:
        if row["version"] == value["in_use"]:
            _draw_figures(row["figures"])


def _draw_figures(figures: dict[str, Any]) -> None:
    """Each measure before and after, on the station's own papers and on the judged set."""
    rows = [
        (which, name, before, figures[which]["after"][name])
        for which in ("own", "judged")
        for name, before in figures[which]["before"].items()
    ]
    show.table(("measured_on", "measure", "measured_before", "measured_after"), rows)
