"""Commands of the contract that are not yet built: they say so and exit 2."""

from __future__ import annotations

import click

from ..common.errors import UsageFault
from .frame import Room, later

inventory = Room("inventory")
inventory.later("start", "scan", "close")

drill = Room("drill")
drill.later("make", "read")

vault = Room("vault")
vault.later("rekey")

due = later("due", "due")
serve = later("serve", "serve")


@click.pass_context
def _learn(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        raise UsageFault("not_yet_built", what="learn")


learn = Room("learn", invoke_without_command=True, callback=_learn)
learn.later("report")
