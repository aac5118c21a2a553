"""The policy in force, checked and brought into force by two persons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..pipeline import policies
from . import show
from .frame import FILE, Room, argument, enter

policy = Room("policy")


@policy.command("show")
def policy_show() -> None:
    def work() -> dict[str, Any]:
        station, _ = enter("policy.show")
        return policies.show(station)

    show.run(work, show.record)


@policy.command("check")
@argument("file", metavar="FILE", type=FILE)
def policy_check(file: Path) -> None:
    show.run(lambda: policies.check(file), show.record)


@policy.command("activate")
@argument("file", metavar="FILE", type=FILE)
def policy_activate(file: Path) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("policy.activate")
        return policies.activate(station, actor, file=file)

    show.run(work, show.record)
