"""What tests of the flow of papers share: matters begun and carried on, papers drafted and reviewed."""

from __future__ import annotations

from typing import Any

from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period
from jiyao.pipeline.desk import matter_book
from jiyao.pipeline.papers import documents
from room_kit import Room


def begin(room: Room, kind: str, by: str = "clerk", **given: Any) -> str:
    words, items = given.pop("words", {}), given.pop("items", ())
    value = matter_book.open_matter(
        room.station, room.as_(by, "matter.open"), kind, items=items, words=words, **given
    )
    return str(value["id"])


def do(room: Room, matter: str, by: str, result: str = "done", **words: str) -> dict[str, Any]:
    return matter_book.do_step(
        room.station, room.as_(by, "matter.do"), matter=matter, result=result, words=words
    )


def flow(room: Room, document: str) -> dict[str, Any]:
    value = documents.show_document(room.station, room.as_("clerk", "documents"), document=document)
    return dict(value["flow"])


def inbound(room: Room, document: str) -> str:
    """A paper that was proposed on and instructed; it waits to be distributed."""
    matter = begin(room, "inbound", document=document, words={"scope": "局领导、办公室"})
    do(room, matter, "dir", opinion="拟请分管领导阅示，由业务科承办。")
    do(room, matter, "lead", instruction="同意，请按期办结。")
    return matter


DRAFT = {
    "title": "关于样例事项的请示", "level": "秘密", "period": "5年", "basis": "样例保密事项范围第1条",
    "scope": "市局、县局", "copies": "3", "may_copy": "no",
}  # fmt: skip
MARK = Mark(Level.STATE_CONFIDENTIAL, Period("years", number=5), star=True)


def signed(room: Room, **changed: str) -> str:
    """An outbound paper that was signed off and waits for its final version."""
    matter = begin(room, "outbound", by="plain", words={**DRAFT, **changed})
    do(room, matter, "rev", opinion="标注合规")
    do(room, matter, "det")
    do(room, matter, "rel", opinion="可以印发")
    do(room, matter, "lead", copies="2")
    return matter


def final(room: Room, *, mark: Mark | None = MARK) -> str:
    """The final paper as ingest takes it in; it waits to be confirmed."""
    level = mark.level if mark else Level.INTERNAL
    document = room.paper(DRAFT["title"], level=level, mark=mark)
    room.change(document, origin="self")
    return document


def reviewed(room: Room, document: str, way: str) -> str:
    matter = begin(
        room, "release_review", document=document, words={"way": way, "to": "某单位", "purpose": "工作需要"}
    )
    do(room, matter, "rel", opinion="不含不宜提供的内容")
    return matter
