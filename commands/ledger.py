"""The ledger, for those who check it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..pipeline.station import ledgers
from ..pipeline.station import segments as segment_room
from ..pipeline.station import witness as witnesses
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


@ledger.command("consistency")
@argument("old", metavar="SIZE", type=click.IntRange(min=0))
@option("--new", type=click.IntRange(min=0), metavar="SIZE")
def ledger_consistency(old: int, new: int | None) -> None:
    def work() -> dict[str, Any]:
        station, _ = enter("ledger")
        return ledgers.consistency(station, old=old, new=new)

    show.run(work, show.record)


@ledger.command("slip")
@option("--out", required=True, type=FILE, metavar="F")
def ledger_slip(out: Path) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("ledger")
        return witnesses.write_slip(station, actor, out=out)

    show.run(work, show.record)


@ledger.command("check")
@argument("code", metavar="CODE")
def ledger_check(code: str) -> None:
    def work() -> dict[str, Any]:
        station, _ = enter("ledger")
        return witnesses.check_slip(station, code=code)

    show.run(work, show.record)


@ledger.command("witness")
@argument("code", metavar="CODE")
def ledger_witness(code: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("ledger")
        return witnesses.witness(station, actor, code=code)

    show.run(work, show.record)


@ledger.command("segment")
@option("--until", required=True, type=click.IntRange(min=1), metavar="SEQ")
@option("--out", required=True, type=FILE, metavar="F")
def ledger_segment(until: int, out: Path) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("ledger")
        return segment_room.write(station, actor, until=until, out=out)

    show.run(work, show.record)


@ledger.command("release")
@argument("file", metavar="F", type=FILE)
def ledger_release(file: Path) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("ledger")
        return segment_room.release(station, actor, file=file)

    show.run(work, show.record)


def _draw_verified(value: dict[str, Any]) -> None:
    show.record(value, ("ok", "entries", "root", "first_bad", "heads", "unsigned"))
    for flaw in value["flaws"]:
        show.plain(f"{flaw['part']} {flaw['seq']} {flaw['code']}")
