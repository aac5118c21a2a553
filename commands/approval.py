"""Approvals: asked for, given, refused; on paper, entered by one and checked by another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..common.paging import MOST
from ..pipeline.persons import approvals, paper_approval
from . import show
from .frame import FILE, Room, argument, bounded, enter, option

approval = Room("approval")
_COLUMNS = ("id", "act", "objects", "state", "needed", "given", "recipients", "requested_by", "expires")


@approval.command("request")
@argument("act", metavar="ACT")
@option("--document", multiple=True, required=True, metavar="D")
@option("--to", multiple=True, metavar="PERSON")
@option("--copies", type=click.IntRange(min=1, max=9999), metavar="K")
@option("--note", metavar="T")
def approval_request(
    act: str, document: tuple[str, ...], to: tuple[str, ...], copies: int | None, note: str | None
) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("approval.request")
        return approvals.request(
            station, actor, act=act, documents=document, recipients=to, copies=copies, note=note
        )

    show.run(work, _draw)


@approval.command("give")
@argument("id_", metavar="ID")
def approval_give(id_: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("approval.give")
        return paper_approval.give_or_check(station, actor, approval=id_)

    show.run(work, _draw)


@approval.command("refuse")
@argument("id_", metavar="ID")
@option("--reason", required=True, metavar="T")
def approval_refuse(id_: str, reason: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("approval.give")
        return approvals.refuse(station, actor, approval=id_, reason=reason)

    show.run(work, _draw)


@approval.command("list")
@option("--state", metavar="S")
@bounded()
@option("--before", metavar="ID")
def approval_list(state: str | None, limit: int, before: str | None) -> None:
    newest = 0 < limit <= MOST

    def work() -> show.Ask:
        station, actor = enter("approval.list")

        def ask(limit: int, after: str | None) -> dict[str, Any]:
            # all of them go from the first on: the newest stand last either way
            turn = {"before": after} if newest else {"before": before, "after": after or ""}
            return approvals.list_approvals(station, actor, state=state, limit=limit, **turn)

        return ask

    show.listing(
        work, "approvals", lambda value: _draw_all(value["approvals"]), limit=limit,
        after=before if newest else None, cursor="before",
    )  # fmt: skip


@approval.command("paper")
@argument("act", metavar="ACT")
@option("--document", multiple=True, required=True, metavar="D")
@option("--scan", required=True, type=FILE, metavar="FILE")
@option("--approver", required=True, metavar="PERSON")
def approval_paper(act: str, document: tuple[str, ...], scan: Path, approver: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("approval.paper")
        return paper_approval.enter(station, actor, act=act, documents=document, scan=scan, approver=approver)

    show.run(work, _draw)


@approval.command("check")
@argument("id_", metavar="ID")
def approval_check(id_: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("approval.paper")
        return paper_approval.check(station, actor, approval=id_)

    show.run(work, _draw)


def _draw(value: dict[str, Any]) -> None:
    show.record(value, _COLUMNS)


def _draw_all(rows: list[dict[str, Any]]) -> None:
    show.table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in rows])
