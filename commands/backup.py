"""Backup and restore: sealed files and the registry, never the root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..common.clock import SystemClock
from ..common.errors import UsageFault
from ..pipeline.station import backup as backups
from . import show
from .frame import FILE, Act, Room, argument, current, enter, option, secrets

backup = Room("backup")
backup.later("drill")


@backup.command("create")
@option("--out", required=True, type=FILE, metavar="F")
def backup_create(out: Path) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("backup")
        return backups.create(station, actor, out=out)

    show.run(work, show.record)


@backup.command("verify")
@argument("file", metavar="F", type=FILE)
def backup_verify(file: Path) -> None:
    show.run(lambda: backups.verify(file), show.record)


def _restore(file: Path) -> None:
    def work() -> dict[str, Any]:
        call = current()
        if call.user is None:
            raise UsageFault("no_user")
        return backups.restore(call.home, file, user=call.user, secrets=secrets(), clock=SystemClock())

    show.run(work, show.record)


def _command() -> Act:
    return Act("restore", callback=_restore, params=[click.Argument(["file"], metavar="F", type=FILE)])


restore = _command()
backup.add_command(_command())
