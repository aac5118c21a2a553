"""The station itself: `init`, `doctor`, and the clock that two persons confirm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..common.messages import say
from ..models.level import Level
from ..pipeline.station import clocks, founding
from ..pipeline.station import doctor as doctors
from . import show
from .frame import FILE, LEVEL, Act, Room, current, enter, exclusive, option, secrets
from .frame import station as open_station


@click.command("init", cls=Act)
@option("--unit", default="本单位")
@option("--profile", type=click.Choice(founding.PROFILES), default="organ")
@option("--suite", type=click.Choice(["aes", "sm"]), default="aes")
@option("--root", default="file", metavar="file[:DIR]|pkcs11:URI")
@option("--mirror", type=FILE, multiple=True, metavar="DIR")
@option("--single-root", is_flag=True)
@option("--registry", metavar="URL")
@option("--station-level", type=LEVEL, default=founding.DEFAULT_LEVEL.value, metavar="LEVEL")
@option("--authorisation", metavar="REF")
@option("--sysadmin", default="sysadmin", metavar="N")
@option("--secadmin", default="secadmin", metavar="N")
@option("--auditor", default="auditor", metavar="N")
@option("--kdf", type=click.Choice(["normal", "test"]), default="normal")
def init(mirror: tuple[Path, ...], single_root: bool, station_level: Level, **rest: Any) -> None:
    exclusive(mirror=mirror, single_root=single_root)
    plan = founding.Plan(mirrors=mirror, single_root=single_root, station_level=station_level, **rest)
    show.run(lambda: founding.found_station(current().home, plan, secrets()), _draw_station)


def _draw_station(value: dict[str, Any]) -> None:
    show.record(
        value, ("home", "unit", "profile", "suite", "registry", "station_level", "policy", "accounts")
    )
    lang = current().lang
    show.table(
        ("root", "root_class", "reasons"),
        [
            (one["path"], one["class"], "；".join(say(code, lang) for code in one["reasons"]))
            for one in value["root"]["each"]
        ],
    )
    if value["root"]["class"] == "R5":
        show.plain(say("init_root_unproven", lang))
    show.closing("done_init", home=value["home"])


@click.command("doctor", cls=Act)
def doctor() -> None:
    show.run(lambda: doctors.examine(open_station(), lang=current().lang), _draw_checks)


def _draw_checks(value: dict[str, Any]) -> None:
    show.table(
        ("check", "ok", "detail", "fix"),
        [(item["name"], item["ok"], item["detail"], item["fix"]) for item in value["checks"]],
    )
    show.closing("done_doctor_ok" if value["ok"] else "done_doctor_bad")


clock = Room("clock")


@clock.command("show")
def clock_show() -> None:
    show.run(lambda: clocks.show(open_station()), _draw_clock)


@clock.command("confirm")
def clock_confirm() -> None:
    def work() -> dict[str, Any]:
        opened, actor = enter("clock.confirm")
        return clocks.confirm(opened, actor)

    show.run(work, _draw_clock)


def _draw_clock(value: dict[str, Any]) -> None:
    show.record(value)
