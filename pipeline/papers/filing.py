"""Filing by list 归档移交清册: the room lists what is to be filed, the archivist checks it item by item with the papers
in hand, and signs for what he takes over (000-D§10; 004-B§4.7, §4.8; R-048 … R-052).

What differs from its entry stays with the room, with the reason; everything else is filed in one transaction with the
archivist's receipt, each at its place under its 档号.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.tables import Carrier, Document, Matter, MatterItem
from ..desk import handling, matters
from ..persons import access
from ..persons.actors import Actor, acting
from ..rounds.clearing import get
from ..station.station import Station
from . import archiving
from .documents import level_name, words_of

KIND = "archiving"
CHECKED, DIFFERS, FILED = "done", "differs", "filed"


def start(station: Station, actor: Actor, *, documents: Sequence[str] = ()) -> dict[str, Any]:
    """Lists documents for filing; without any, all whose handling has ended and that are kept.

    Raises:
        Refused: not confirmed, not for filing, still out, on another list. UsageFault: nothing to file.
    """
    with acting(station, actor, "filing.start", objects=tuple(documents)) as session:
        rows = [access.get_document(session, one) for one in documents] or _ready(session)
        if not rows:
            raise UsageFault("nothing_to_file")
        for row in rows:
            access.check_clearance(station, session, actor.person, row)
            other = _other_list(session, row)
            if other is not None:
                raise Refused("on_another_list", object=row.id, matter=other)
            archiving.check_ready(session, row)
        items = [("document", row.id) for row in rows]
        return list_json(station, session, actor, matters.start(station, session, actor, KIND, items=items))


def check(
    station: Station, actor: Actor, *, matter: str, document: str, place: str | None = None,
    number: str | None = None, pages: int | None = None, differs: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The archivist compares one item with its paper.

    Args:
        place, number: where it will stand, its 档号. pages: counted. differs: what is wrong; then it is not taken over.

    Raises:
        UsageFault: neither a place nor what differs; not on the list, or checked already.
    """
    with acting(station, actor, "filing.check", objects=(matter, document)) as session:
        row = get(session, matter, KIND)
        paper = access.get_document(session, document)
        access.check_clearance(station, session, actor.person, paper)
        if pages is not None and paper.pages and pages != paper.pages and not differs:
            raise Refused("filing_pages", document=document, counted=pages, pages=paper.pages)
        if not differs and not place:
            raise UsageFault("usage_missing", name="--place")
        words = {"item": document, "place": place, "number": number, "pages": pages, "differs": differs}
        result = DIFFERS if differs else CHECKED
        item = next((one for one in matters.items_of(session, row) if one.object_id == document), None)
        matters.advance(station, session, actor, row, step="check", result=result, words=words)
        if item is not None:
            item.facts = json.dumps({"pages": pages})
        return list_json(station, session, actor, row)


def receive(station: Station, actor: Actor, *, matter: str) -> dict[str, Any]:
    """The archivist signs for the checked items and files them.

    Raises:
        Refused: not every item is checked; as `documents archive`.
    """
    with acting(station, actor, "filing.receive", objects=(matter,)) as session:
        row = get(session, matter, KIND)
        said = _said(station, session, row)
        matters.advance(station, session, actor, row, step="receive", words={"received": station.now()})
        for item in matters.items_of(session, row):
            if item.state == CHECKED:
                words = said[item.object_id]
                paper = access.get_document(session, item.object_id)
                archiving.file_one(
                    station,
                    session,
                    actor,
                    paper,
                    place=words["place"],
                    number=words.get("number"),
                    matter=row.id,
                )
                item.state = FILED
        return list_json(station, session, actor, row)


# ---------------------------------------------------------------- parts


def _ready(session: Session) -> list[Document]:
    """Papers whose handling has ended and that are kept, on no list yet."""
    ended = handling.handling_ended(session)
    rows = session.scalars(
        select(Document)
        .where(
            Document.confirmed.is_(True), Document.status == "registered", Document.retention_open.is_(False),
            Document.retention.is_not(None), Document.retention != "不归档",
        )
        .order_by(Document.year, Document.seq)
    )  # fmt: skip
    return [row for row in rows if row.id in ended and _other_list(session, row) is None]


def _other_list(session: Session, row: Document) -> str | None:
    return session.scalars(
        select(MatterItem.matter_id)
        .join(Matter, Matter.id == MatterItem.matter_id)
        .where(Matter.kind == KIND, Matter.state == matters.OPEN, MatterItem.object_id == row.id)
    ).first()


def _said(station: Station, session: Session, row: Matter) -> dict[str, dict[str, Any]]:
    """What the archivist wrote down for each item."""
    steps = [step for step in matters.steps_of(session, row) if step.step == "check"]
    words = [matters.step_words(station, session, step) for step in steps]
    return {str(one["item"]): one for one in words}


def list_json(station: Station, session: Session, actor: Actor, row: Matter) -> dict[str, Any]:
    """A list as the command line shows it; titles only within the actor's clearance."""
    session.flush()
    said = _said(station, session, row)
    return {
        "list": row.id, "kind": row.kind, "state": row.state, "step": row.step, "opened_at": row.opened_at,
        "opened_by": row.opened_by,
        "received_by": next(
            (step.person for step in matters.steps_of(session, row) if step.step == "receive"), None
        ),
        "items": [_line(station, session, actor, item, said.get(item.object_id, {})) for item in
                  matters.items_of(session, row)],
    }  # fmt: skip


def _line(
    station: Station, session: Session, actor: Actor, item: MatterItem, said: dict[str, Any]
) -> dict[str, Any]:
    paper = session.get_one(Document, item.object_id)
    shown = access.may_see_titles(station, actor, paper)
    words = words_of(station, session, paper) if shown else {}
    originals = session.scalars(select(Carrier.id).where(Carrier.document_id == paper.id)).all()
    return {
        "document": paper.id, "state": item.state, "level": level_name(paper.level_code),
        "retention": paper.retention, "pages": paper.pages, "originals": len(originals),
        "title": words.get("title"), "doc_number": words.get("doc_number"), "date": paper.signed_date,
        **{name: said.get(name) if shown else None for name in ("place", "number", "differs")},
        "checked_by": item.person, "at": item.at,
    }  # fmt: skip
