"""Matters: what takes several acts of several persons, step by step as the policy says."""

from __future__ import annotations

from functools import partial
from typing import Any

from . import show
from .frame import FIELD, Room, argument, bounded, enter, option

matter = Room("matter")
_COLUMNS = ("id", "kind", "document", "state", "step", "waits_for", "opened_at", "opened_by")


@matter.command("open")
@argument("kind", metavar="KIND")
@option("--document", metavar="D")
@option("--item", "items", multiple=True, metavar="KIND:ID")
@option("--word", "words", multiple=True, type=FIELD, metavar="N=V")
@option("--result", default="done", metavar="R")
def matter_open(
    kind: str, document: str | None, items: tuple[str, ...], words: tuple[tuple[str, str], ...], result: str
) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.desk import matter_book

        station, actor = enter("matter.open")
        return matter_book.open_matter(
            station, actor, kind, document=document, items=items, words=dict(words), result=result
        )

    show.run(work, show.record)


@matter.command("do")
@argument("id_", metavar="ID")
@option("--step", metavar="STEP")
@option("--result", default="done", metavar="R")
@option("--word", "words", multiple=True, type=FIELD, metavar="N=V")
def matter_do(id_: str, step: str | None, result: str, words: tuple[tuple[str, str], ...]) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.desk import matter_book

        station, actor = enter("matter.do")
        return matter_book.do_step(station, actor, matter=id_, step=step, result=result, words=dict(words))

    show.run(work, show.record)


@matter.command("cancel")
@argument("id_", metavar="ID")
@option("--reason", required=True, metavar="T")
def matter_cancel(id_: str, reason: str) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.desk import matter_book

        station, actor = enter("matter.do")
        return matter_book.cancel(station, actor, matter=id_, reason=reason)

    show.run(work, show.record)


@matter.command("list")
@option("--kind", metavar="KIND")
@option("--document", metavar="D")
@option("--all", "ended", is_flag=True)
@bounded()
@option("--after", metavar="ID")
def matter_list(limit: int, after: str | None, **given: Any) -> None:
    def work() -> show.Ask:
        from ..pipeline.desk import matter_book

        station, actor = enter("matter.list")
        return partial(matter_book.list_matters, station, actor, **given)

    show.listing(work, "matters", show.rows("matters", _COLUMNS), limit=limit, after=after)


@matter.command("show")
@argument("id_", metavar="ID")
def matter_show(id_: str) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.desk import matter_book

        station, actor = enter("matter.list")
        return matter_book.show(station, actor, matter=id_)

    show.run(work, show.record)


@matter.command("kinds")
def matter_kinds() -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.desk import matter_book

        station, _ = enter("matter.list")
        return matter_book.kinds(station)

    keys = ("kind", "zh", "steps")
    show.run(work, lambda value: show.table(keys, [[row[key] for key in keys] for row in value["kinds"]]))
