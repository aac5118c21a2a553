"""Copies: issued to named persons, and followed until they are back."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import click

from ..common.errors import UsageFault
from ..pipeline.copies import copies as circulation
from ..pipeline.copies import printing as printing_room
from ..pipeline.copies.issuing import Folder, issue
from . import show
from .frame import DATE, FILE, Room, argument, bounded, enter, exclusive, option

copies = Room("copies")
_COLUMNS = ("copy", "document", "number", "recipient", "holder", "status", "issued_at", "due")


@copies.command("issue")
@argument("document", metavar="DOC")
@option("--to", multiple=True, required=True, metavar="PERSON")
@option("--due", type=DATE, metavar="DATE")
@option("--purpose", metavar="T")
@option("--print", "printing", is_flag=True)
@option("--printer", metavar="NAME")
@option("--out", type=FILE, metavar="DIR")
@option("--format", "form", type=click.Choice(["pdf", "png"]), default="pdf")
def copies_issue(
    document: str, to: tuple[str, ...], due: date | None, purpose: str | None, printing: bool,
    printer: str | None, out: Path | None, form: str,
) -> None:  # fmt: skip
    exclusive(print=printing, out=out)
    if out is None and not printing:
        raise UsageFault("usage_missing", name="--out")

    def work() -> dict[str, Any]:
        station, actor = enter("copies.issue")
        if out is None:
            return printing_room.print_copies(
                station, actor, document=document, to=to, printer=printer, due=due, purpose=purpose
            )
        return issue(
            station, actor, document=document, to=to, sink=Folder(out), due=due, purpose=purpose, form=form
        )

    show.run(work, _draw_issued)


@copies.command("list")
@option("--document", metavar="D")
@option("--holder", metavar="P")
@option("--overdue", is_flag=True)
@bounded()
@option("--after", metavar="COPY")
def copies_list(limit: int, after: str | None, **given: Any) -> None:
    def work() -> show.Ask:
        station, actor = enter("copies.list")
        return partial(circulation.list_copies, station, actor, **given)

    show.listing(work, "copies", _draw, limit=limit, after=after)


@copies.command("return")
@argument("copy", metavar="COPY…", nargs=-1, required=True)
def copies_return(copy: tuple[str, ...]) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("copies.return")
        return circulation.return_copies(station, actor, copies=copy)

    show.run(work, _draw)


@copies.command("recall")
@argument("copy", metavar="COPY…", nargs=-1, required=True)
def copies_recall(copy: tuple[str, ...]) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("copies.keep")
        return circulation.recall_copies(station, actor, copies=copy)

    show.run(work, _draw)


@copies.command("forward")
@argument("copy", metavar="COPY…", nargs=-1, required=True)
@option("--to", required=True, metavar="PERSON")
@option("--due", type=DATE, metavar="DATE")
def copies_forward(copy: tuple[str, ...], to: str, due: date | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("copies.keep")
        return circulation.forward_copies(station, actor, copies=copy, to=to, due=due)

    show.run(work, _draw)


@copies.command("spoiled")
@argument("run", metavar="RUN")
@option("--pages", required=True, type=click.IntRange(min=0, max=99999), metavar="N")
def copies_spoiled(run: str, pages: int) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("copies.issue")
        return printing_room.close_run(station, actor, run=run, spoiled=pages)

    show.run(work, show.record)


@copies.command("lost")
@argument("copy", metavar="COPY")
@option("--reason", required=True, metavar="T")
def copies_lost(copy: str, reason: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("copies.keep")
        return circulation.lose_copy(station, actor, copy=copy, reason=reason)

    show.run(work, _draw)


@copies.command("replace")
@argument("copy", metavar="COPY")
@option("--reason", required=True, metavar="T")
@option("--out", required=True, type=FILE, metavar="DIR")
def copies_replace(copy: str, reason: str, out: Path) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("copies.issue")
        return circulation.replace_copy(station, actor, copy=copy, reason=reason, sink=Folder(out))

    show.run(work, _draw_issued)


def _draw_issued(value: dict[str, Any]) -> None:
    keys = ("copy", "number", "recipient", "name", "pages", "file", "sha256")
    show.table(keys, [[row.get(key) for key in keys] for row in value["copies"]])


def _draw(value: dict[str, Any]) -> None:
    show.table(_COLUMNS, [[_column(row, key) for key in _COLUMNS] for row in value["copies"]])


def _column(row: dict[str, Any], key: str) -> Any:
    return show.status_word(row["status"]) if key == "status" else row[key]
