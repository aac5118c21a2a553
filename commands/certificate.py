"""The certificate of destruction: written out, and verified by anyone."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import click

from ..common.clock import SystemClock
from ..pipeline.destruction import certificate as destruction_certificate
from ..pipeline.destruction import certificate_check
from . import show
from .frame import DATE, FILE, Room, argument, current, enter, option

certificate = Room("certificate")


@certificate.command("show")
@argument("batch", metavar="ID")
@option("--out", required=True, type=FILE, metavar="F")
def certificate_show(batch: str, out: Path) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("certificate")
        return destruction_certificate.write_certificate(station, actor, batch=batch, out=out)

    show.run(work, show.record)


@certificate.command("verify")
@argument("file", metavar="FILE", type=FILE)
@option("--trust", type=FILE, metavar="CA.pem")
@option("--proof", type=FILE, metavar="FILE")
@option("--title", type=FILE, metavar="FILE")
@option("--at", type=DATE, metavar="YYYY-MM-DD")
def certificate_verify(file: Path, at: date | None, **given: Path | None) -> None:
    now = SystemClock().now()
    day = now if at is None else datetime.combine(at, time(), tzinfo=now.tzinfo)
    show.run(lambda: certificate_check.verify_file(file, home=current().home, at=day, **given), _draw)


@certificate.command("title")
@argument("batch", metavar="ID")
@argument("item", metavar="N", type=click.IntRange(min=1))
@option("--out", required=True, type=FILE, metavar="F")
def certificate_title(batch: str, item: int, out: Path) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("certificate")
        return destruction_certificate.open_title(station, actor, batch=batch, item=item, out=out)

    show.run(work, show.record)


def _draw(value: dict[str, Any]) -> None:
    show.record(
        value, ("id", "valid", "intact", "complete", "trusted", "signer", "signed_at", "list_sha256", "items")
    )
    show.table(
        ("act", "role", "person", "at"),
        [(item["act"], item["role"], item["person"], item["at"]) for item in value["statements"]],
    )
    for code in value["reasons"]:
        show.closing(code)
    if value["sm2"]:
        show.closing(value["sm2"])
    for note in value["notes"]:
        show.closing(note["code"], day=note["day"])
