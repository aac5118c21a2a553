"""What tests of the two terms do to a paper: show it, set its values, write down an event, ask what is due."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from jiyao.pipeline.desk import deadlines
from jiyao.pipeline.levels import term_events
from jiyao.pipeline.papers import documents
from jiyao.pipeline.review import review
from room_kit import Room


def show(room: Room, document: str, user: str = "clerk") -> dict[str, Any]:
    return documents.show_document(room.station, room.as_(user, "documents"), document=document)


def put(room: Room, document: str, user: str, **given: Any) -> dict[str, Any]:
    return review.set_values(
        room.station, room.as_(user, "review"), document=document, reason="核定", **given
    )


def happen(room: Room, document: str, user: str, happening: str, on: str, **given: Any) -> dict[str, Any]:
    if "until" in given:
        given["until"] = date.fromisoformat(given["until"])
    return term_events.record(
        room.station, room.as_(user, "documents.event"), document=document,
        happening=cast(Any, happening), on=date.fromisoformat(on), reason="依据来函", **given,
    )  # fmt: skip


def kinds(room: Room, on: str, document: str | None = None) -> list[tuple[str, str]]:
    value = deadlines.due(room.station, room.as_("arch", "due"), on=date.fromisoformat(on))
    return [
        (one["kind"], one["due"]) for one in value["items"] if document is None or one["document"] == document
    ]
