"""What goes round and comes back: circulation, borrowing, transport, clearing, recall, filing by list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import click

from ..common.paging import HEAVY
from . import show
from .frame import DATE, FILE, Room, argument, bounded, enter, option

PAGES = click.IntRange(min=0, max=99999)
circulate = Room("circulate")
borrow = Room("borrow")
transport = Room("transport")
clearing = Room("clearing")
recall = Room("recall")
filing = Room("filing")
_READERS = ("seq", "person", "name", "state", "due", "given", "received", "back", "pages", "keeper")
_LOANS = ("object", "document", "level", "serial", "holder", "due", "days", "in_room_only", "same_day")


def _do(
    act: str,
    room: str,
    name: str,
    draw: Callable[[dict[str, Any]], object],
    *,
    sheet: str | None = None,
    out: Path | None = None,
    **given: Any,
) -> None:
    """Enters for an act and calls the named function of a module of the rounds (or of papers: filing); with `out` its
    answer is printed as a list, too.
    """

    def work() -> dict[str, Any]:
        from importlib import import_module

        station, actor = enter(act)
        module = import_module(f"..pipeline.{'papers' if room == 'filing' else 'rounds'}.{room}", __package__)
        value: dict[str, Any] = getattr(module, name)(station, actor, **given)
        if sheet is None or out is None:
            return value
        from ..pipeline.rounds import list_sheets

        return {**value, **list_sheets.write_list(station, actor, kind=sheet, value=value, out=out)}

    show.run(work, draw)


def _list(
    act: str,
    room: str,
    name: str,
    rows: str,
    keys: tuple[str, ...],
    *,
    limit: int,
    after: str | None,
    **given: Any,
) -> None:
    """As `_do`, of a list page by page."""

    def work() -> show.Ask:
        from importlib import import_module

        module = import_module(f"..pipeline.rounds.{room}", __package__)
        return partial(getattr(module, name), *enter(act), **given)

    show.listing(work, rows, show.rows(rows, keys), limit=limit, after=after)


# ---------------------------------------------------------------- circulation


@circulate.command("start")
@argument("document", metavar="DOC")
@option("--to", "readers", multiple=True, required=True, metavar="PERSON")
@option("--object", "thing", metavar="Z|C")
def circulate_start(**given: Any) -> None:
    _do("circulate", "circulation", "start", _draw_list, **given)


@circulate.command("give")
@argument("matter", metavar="M")
@option("--place", metavar="P")
@option("--pages", type=PAGES, metavar="N")
def circulate_give(**given: Any) -> None:
    _do("circulate", "circulation", "give", _draw_list, **given)


@circulate.command("receive")
@argument("matter", metavar="M")
@option("--paper", "on_paper", is_flag=True)
def circulate_receive(**given: Any) -> None:
    _do("circulate.receive", "circulation", "receive", _draw_list, **given)


@circulate.command("back")
@argument("matter", metavar="M")
@option("--pages", type=PAGES, required=True, metavar="N")
@option("--irregular", metavar="T")
def circulate_back(**given: Any) -> None:
    _do("circulate", "circulation", "back", _draw_list, **given)


@circulate.command("skip")
@argument("matter", metavar="M")
@option("--reason", required=True, metavar="T")
@option("--later", is_flag=True)
def circulate_skip(**given: Any) -> None:
    _do("circulate", "circulation", "skip", _draw_list, **given)


@circulate.command("keep")
@argument("matter", metavar="M")
@option("--keeper", required=True, metavar="PERSON")
@option("--reason", required=True, metavar="T")
@option("--place", metavar="P")
def circulate_keep(**given: Any) -> None:
    _do("circulate", "circulation", "keep", _draw_list, **given)


@circulate.command("add")
@argument("matter", metavar="M")
@option("--to", "readers", multiple=True, required=True, metavar="PERSON")
def circulate_add(**given: Any) -> None:
    _do("circulate", "circulation", "add", _draw_list, **given)


@circulate.command("stop")
@argument("matter", metavar="M")
@option("--reason", required=True, metavar="T")
def circulate_stop(**given: Any) -> None:
    _do("circulate", "circulation", "stop", _draw_list, **given)


@circulate.command("show")
@argument("matter", metavar="M")
@option("--out", type=FILE, metavar="F")
def circulate_show(matter: str, out: Path | None) -> None:
    _do("circulate.show", "circulation_list", "show", _draw_list, sheet="circulation", out=out, matter=matter)


@circulate.command("list")
@option("--document", metavar="D")
@option("--all", "ended", is_flag=True)
@bounded(HEAVY)
@option("--after", metavar="M")
def circulate_list(**given: Any) -> None:
    keys = ("matter", "document", "object", "state", "step", "holder", "due", "as_read")
    _list("circulate.show", "circulation_list", "list_open", "circulations", keys, **given)


# ---------------------------------------------------------------- borrowing


@borrow.command("lend")
@argument("objects", metavar="Z…", nargs=-1, required=True)
@option("--to", required=True, metavar="PERSON")
@option("--precautions", required=True, metavar="T")
@option("--due", type=DATE, metavar="DATE")
@option("--place", metavar="P")
@option("--unit", metavar="ORGAN")
@option("--letter", metavar="N")
@option("--content", metavar="T")
def borrow_lend(**given: Any) -> None:
    _do("borrow", "lending", "lend", _rows("loans", _LOANS), **given)


@borrow.command("back")
@argument("objects", metavar="Z…", nargs=-1, required=True)
@option("--pages", type=PAGES, required=True, metavar="N")
@option("--place", metavar="P")
@option("--irregular", metavar="T")
def borrow_back(**given: Any) -> None:
    keys = ("object", "document", "level", "serial", "state", "holder", "place")
    _do("borrow", "lending", "back", _rows("objects", keys), **given)


@borrow.command("extend")
@argument("thing", metavar="Z|C")
@option("--due", type=DATE, required=True, metavar="DATE")
@option("--reason", required=True, metavar="T")
def borrow_extend(thing: str, due: date, reason: str) -> None:
    _do("borrow", "lending", "extend", show.record, thing=thing, due=due, reason=reason)


@borrow.command("list")
@option("--overdue", is_flag=True)
@bounded()
@option("--after", metavar="Z")
def borrow_list(**given: Any) -> None:
    _list("borrow.list", "lending", "list_loans", "loans", _LOANS, **given)


# ---------------------------------------------------------------- transport


@transport.command("pack")
@argument("objects", metavar="[Z…]", nargs=-1)
@option("--list", "cleared", metavar="M")
@option("--to", "organ", required=True, metavar="ORGAN")
@option("--channel", required=True, metavar="C")
@option("--bag", required=True, metavar="N")
@option("--escort", "escorts", multiple=True, required=True, metavar="PERSON")
@option("--for", "purpose", type=click.Choice(["return_to_issuer", "hand_over", "come_back"]), required=True)
def transport_pack(**given: Any) -> None:
    _do("transport", "transport", "pack", _draw_run, **given)


@transport.command("take")
@argument("run", metavar="M")
@option("--escort", metavar="PERSON")
def transport_take(**given: Any) -> None:
    _do("transport.take", "transport", "take", _draw_run, **given)


@transport.command("depart")
@argument("run", metavar="M")
def transport_depart(**given: Any) -> None:
    _do("transport", "transport", "depart", _draw_run, **given)


@transport.command("unpack")
@argument("run", metavar="M")
@option("--reason", required=True, metavar="T")
def transport_unpack(**given: Any) -> None:
    _do("transport", "transport", "unpack", _draw_run, **given)


@transport.command("arrive")
@argument("run", metavar="M")
@option("--receipt-no", required=True, metavar="N")
@option("--pages", type=PAGES, metavar="N")
@option("--brought-back", is_flag=True)
def transport_arrive(**given: Any) -> None:
    _do("transport", "transport", "arrive", _draw_run, **given)


@transport.command("show")
@argument("run", metavar="M")
@option("--out", type=FILE, metavar="F")
def transport_show(run: str, out: Path | None) -> None:
    _do("transport.take", "transport", "show", _draw_run, sheet="transport", out=out, run=run)


@transport.command("list")
@option("--all", "ended", is_flag=True)
@bounded(HEAVY)
@option("--after", metavar="M")
def transport_list(**given: Any) -> None:
    keys = ("run", "state", "step", "organ", "channel", "bag", "departed", "arrived", "late")
    _list("rounds.show", "transport", "list_runs", "runs", keys, **given)


# ---------------------------------------------------------------- clearing


@clearing.command("require")
@argument("objects", metavar="Z…", nargs=-1, required=True)
@option("--due", type=DATE, required=True, metavar="DATE")
@option("--source", required=True, metavar="T")
def clearing_require(**given: Any) -> None:
    _do("clearing", "clearing", "require", _rows("objects", ("object", "document", "holder", "due")), **given)


@clearing.command("start")
@argument("objects", metavar="[Z…]", nargs=-1)
@option("--to", "organ", required=True, metavar="ORGAN")
@option("--by", type=DATE, metavar="DATE")
def clearing_start(**given: Any) -> None:
    _do("clearing", "clearing", "start", _draw_items, **given)


@clearing.command("count")
@argument("matter", metavar="M")
@option("--counted", type=PAGES, required=True, metavar="N")
@option("--missing", multiple=True, metavar="Z")
def clearing_count(**given: Any) -> None:
    _do("clearing", "clearing", "count", _draw_items, **given)


@clearing.command("hand-over")
@argument("matter", metavar="M")
@option("--receipt-no", required=True, metavar="N")
@option("--with", "carried_by", multiple=True, metavar="PERSON")
def clearing_hand_over(**given: Any) -> None:
    _do("clearing", "clearing", "hand_over", _draw_items, **given)


@clearing.command("stop")
@argument("matter", metavar="M")
@option("--reason", required=True, metavar="T")
def clearing_stop(**given: Any) -> None:
    _do("clearing", "clearing", "stop", _draw_items, **given)


@clearing.command("show")
@argument("matter", metavar="M")
@option("--out", type=FILE, metavar="F")
def clearing_show(matter: str, out: Path | None) -> None:
    _do(
        "rounds.show", "lists", "show", _draw_items, sheet="clearing", out=out, kind="clearing", matter=matter
    )


@clearing.command("list")
@option("--all", "ended", is_flag=True)
@bounded(HEAVY)
@option("--after", metavar="M")
def clearing_list(**given: Any) -> None:
    keys = ("list", "state", "step", "organ", "opened_at")
    _list("rounds.show", "lists", "list_lists", "lists", keys, kind="clearing", **given)


# ---------------------------------------------------------------- recall


@recall.command("start")
@option("--occasion", required=True, metavar="T")
@option("--document", "documents", multiple=True, metavar="D")
@option("--object", "objects", multiple=True, metavar="Z|C")
@option("--due", type=DATE, metavar="DATE")
def recall_start(**given: Any) -> None:
    _do("recall", "recall", "start", _draw_items, **given)


@recall.command("back")
@argument("matter", metavar="M")
@argument("objects", metavar="Z|C…", nargs=-1, required=True)
@option("--pages", type=PAGES, required=True, metavar="N")
@option("--place", metavar="P")
def recall_back(**given: Any) -> None:
    _do("recall", "recall", "back", _draw_items, **given)


@recall.command("close")
@argument("matter", metavar="M")
def recall_close(**given: Any) -> None:
    _do("recall", "recall", "close", _draw_items, **given)


@recall.command("settle")
@argument("matter", metavar="M")
@option("--decision", required=True, metavar="T")
def recall_settle(**given: Any) -> None:
    _do("recall", "recall", "settle", _draw_items, **given)


@recall.command("show")
@argument("matter", metavar="M")
@option("--out", type=FILE, metavar="F")
def recall_show(matter: str, out: Path | None) -> None:
    _do("rounds.show", "lists", "show", _draw_items, sheet="recall", out=out, kind="recall", matter=matter)


@recall.command("list")
@option("--all", "ended", is_flag=True)
@bounded(HEAVY)
@option("--after", metavar="M")
def recall_list(**given: Any) -> None:
    keys = ("list", "state", "step", "occasion", "opened_at")
    _list("rounds.show", "lists", "list_lists", "lists", keys, kind="recall", **given)


# ---------------------------------------------------------------- filing


@filing.command("start")
@argument("documents", metavar="[DOC…]", nargs=-1)
def filing_start(**given: Any) -> None:
    _do("filing", "filing", "start", _draw_filing, **given)


@filing.command("check")
@argument("matter", metavar="M")
@argument("document", metavar="DOC")
@option("--place", metavar="P")
@option("--number", metavar="N")
@option("--pages", type=PAGES, metavar="N")
@option("--differs", metavar="T")
def filing_check(**given: Any) -> None:
    _do("filing", "filing", "check", _draw_filing, **given)


@filing.command("receive")
@argument("matter", metavar="M")
def filing_receive(**given: Any) -> None:
    _do("filing", "filing", "receive", _draw_filing, **given)


@filing.command("show")
@argument("matter", metavar="M")
@option("--out", type=FILE, metavar="F")
def filing_show(matter: str, out: Path | None) -> None:
    _do(
        "rounds.show",
        "lists",
        "show",
        _draw_filing,
        sheet="archiving",
        out=out,
        kind="archiving",
        matter=matter,
    )


@filing.command("list")
@option("--all", "ended", is_flag=True)
@bounded(HEAVY)
@option("--after", metavar="M")
def filing_list(**given: Any) -> None:
    keys = ("list", "state", "step", "opened_by", "opened_at")
    _list("rounds.show", "lists", "list_lists", "lists", keys, kind="archiving", **given)


# ---------------------------------------------------------------- drawing


def _rows(name: str, keys: tuple[str, ...]) -> Callable[[dict[str, Any]], object]:
    return lambda value: show.table(keys, [[row.get(key) for key in keys] for row in value[name]])


def _draw(value: dict[str, Any], name: str, keys: tuple[str, ...]) -> None:
    show.record({key: item for key, item in value.items() if key != name and not isinstance(item, list)})
    show.table(keys, [[row.get(key) for key in keys] for row in value[name]])


def _draw_list(value: dict[str, Any]) -> None:
    _draw(value, "readers", _READERS)


def _draw_run(value: dict[str, Any]) -> None:
    _draw(value, "items", ("object", "level", "state"))
    keys = ("person", "name", "signed", "paper")
    show.table(keys, [[row.get(key) for key in keys] for row in value["escorts"]])


def _draw_items(value: dict[str, Any]) -> None:
    _draw(value, "items", ("object", "document", "level", "serial", "title", "holder", "state", "incident"))


def _draw_filing(value: dict[str, Any]) -> None:
    _draw(
        value,
        "items",
        ("document", "level", "retention", "title", "pages", "number", "place", "differs", "state"),
    )
