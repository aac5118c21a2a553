"""Review: what waits for a person; accept it, or set another value with a reason."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ..common.errors import PartlyDone
from ..models.level import Level
from ..models.suggestion import Retention
from ..pipeline.review import review as reviews
from . import show
from .documents import draw_document, draw_list
from .frame import FIELD, FILE, LEVEL, Room, argument, bounded, current, enter, option

review = Room("review")


@review.command("list")
@bounded()
@option("--after", metavar="DOC")
def review_list(limit: int, after: str | None) -> None:
    def work() -> show.Ask:
        return partial(reviews.list_reviews, *enter("review"))

    show.listing(work, "documents", lambda value: draw_list(value["documents"]), limit=limit, after=after)


@review.command("show")
@argument("document", metavar="DOC")
def review_show(document: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("review")
        return reviews.show_review(station, actor, document=document)

    show.run(work, draw_document)


@review.command("accept")
@argument("documents", metavar="DOC…", nargs=-1, required=True)
def review_accept(documents: tuple[str, ...]) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("review.accept")
        value = reviews.accept(station, actor, documents=documents)
        if wrong := len(value.get("problems", ())):
            raise PartlyDone("partly_done", value=value, wrong=wrong)
        return value

    show.run(work, _draw_accepted)


@review.command("set")
@argument("document", metavar="DOC")
@option("--level", type=LEVEL, metavar="LEVEL")
@option("--period", metavar="P")
@option("--retention", type=click.Choice([item.value for item in Retention]))
@option("--field", type=FIELD, multiple=True, metavar="N=V")
@option("--misread", is_flag=True)
@option("--reason", required=True, metavar="T")
def review_set(
    level: Level | None, retention: str | None, field: tuple[tuple[str, str], ...], **rest: Any
) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("review")
        return reviews.set_values(
            station, actor, level=level, retention=Retention(retention) if retention else None,
            fields=dict(field), **rest,
        )  # fmt: skip

    show.run(work, draw_document)


@review.command("sheet")
@argument("batch", metavar="BATCH")
@option("--out", required=True, type=FILE, metavar="F")
def review_sheet(batch: str, out: Path) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("review")
        # drawing loads OpenCV and fpdf2, half a second that the other commands of this room need not wait
        from ..pipeline.review import review_sheets

        return review_sheets.write_sheet(station, actor, batch=batch, out=out, lang=current().lang)

    show.run(work, show.record)


@review.command("split")
@argument("document", metavar="DOC")
@option("--at", type=click.IntRange(min=2), multiple=True, required=True, metavar="PAGE")
def review_split(document: str, at: tuple[int, ...]) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("review.edit")
        # workers, and the libraries they are watched with, are loaded by none of the other commands
        from ..pipeline.review import stack_edit

        return stack_edit.split_document(station, actor, document=document, at=at)

    show.run(work, lambda value: draw_list(value["documents"]))


@review.command("merge")
@argument("documents", metavar="DOC…", nargs=-1, required=True)
def review_merge(documents: tuple[str, ...]) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("review.edit")
        from ..pipeline.review import stack_edit

        return stack_edit.merge_documents(station, actor, documents=documents)

    show.run(work, lambda value: draw_list(value["documents"]))


def _draw_accepted(value: dict[str, Any]) -> None:
    if "documents" not in value:
        draw_document(value)
        return
    draw_list(value["documents"])
    if value["problems"]:
        show.table(("document", "code"), [(item["document"], item["code"]) for item in value["problems"]])
