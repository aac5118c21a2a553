"""Backup and restore: sealed files and the registry, never the root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..common.clock import SystemClock
from ..common.errors import UsageFault
from ..pipeline.station import backup as backups
from ..pipeline.station import drill
from . import show
from .frame import FILE, Act, Option, Room, argument, current, enter, option, secrets

backup = Room("backup")


@backup.command("create")
@option("--out", required=True, type=FILE, metavar="F")
@option("--tree", is_flag=True)
def backup_create(out: Path, tree: bool) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("backup")
        return backups.create(station, actor, out=out, tree=tree)

    show.run(work, show.record)


@backup.command("verify")
@argument("file", metavar="F", type=FILE)
@option("--files", multiple=True, type=FILE, metavar="F")
def backup_verify(file: Path, files: tuple[Path, ...]) -> None:
    show.run(lambda: backups.verify(file, files=files), show.record)


@backup.command("drill")
@argument("file", metavar="F", type=FILE)
@option("--files", multiple=True, type=FILE, metavar="F")
def backup_drill(file: Path, files: tuple[Path, ...]) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("backup")
        return drill.run(station, actor, file=file, files=files, secrets=secrets())

    show.run(work, show.record)


def _restore(file: Path, **given: Any) -> None:
    def work() -> dict[str, Any]:
        call = current()
        if call.user is None:
            raise UsageFault("no_user")
        return backups.restore(
            call.home, file, user=call.user, secrets=secrets(), clock=SystemClock(), **given
        )

    show.run(work, show.record)


def _command() -> Act:
    params: list[click.Parameter] = [
        click.Argument(["file"], metavar="F", type=FILE),
        Option(["--files"], multiple=True, type=FILE, metavar="F"),
        Option(["--slip"], metavar="CODE"),
        Option(["--accept-loss"], is_flag=True),
        Option(["--registry"], metavar="URL"),
    ]
    return Act("restore", callback=_restore, params=params)


restore = _command()
backup.add_command(_command())
