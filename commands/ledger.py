"""The ledger, for those who check it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..pipeline.station import ledgers
from . import show
from .frame import FILE, Room, argument, enter, option

ledger = Room("ledger")


@ledger.command("verify")
def ledger_verify() -> None:
    def work() -> dict[str, Any]:
        station, _ = enter("ledger")
        return ledgers.verify_log(station)

    show.run(work, _draw_verified)


@ledger.command("head")
def ledger_head() -> None:
    def work() -> dict[str, Any]:
        station, _ = enter("ledger")
        return ledgers.head(station)

    show.run(work, show.record)


@ledger.command("proof")
@argument("seq", metavar="SEQ", type=click.IntRange(min=0))
def ledger_proof(seq: int) -> None:
    def work() -> dict[str, Any]:
        station, _ = enter("ledger")
        return ledgers.proof(station, seq=seq)

    show.run(work, show.record)


@ledger.command("export")
@option("--out", required=True, type=FILE, metavar="F")
@option("--since", type=click.IntRange(min=0), default=1, metavar="SEQ")
def ledger_export(out: Path, since: int) -> None:
    def work() -> dict[str, Any]:
        station, _ = enter("ledger")
        return ledgers.export(station, out=out, since=since)

    show.run(work, show.record)


def _draw_verified(value: dict[str, Any]) -> None:
    show.record(value, ("ok", "entries", "root", "first_bad", "heads", "unsigned"))
    for flaw in value["flaws"]:
        show.plain(f"{flaw['part']} {flaw['seq']} {flaw['code']}")
