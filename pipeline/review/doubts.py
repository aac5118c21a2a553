"""What a person should still look at in one document; what a person has set is settled."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.doubt import DoubtItem
from ...models.tables import Document, Event
from ...stages.doubts import list_doubts
from ..intake.judgement import Judgement, load_judgement, load_transcript
from ..intake.register_entry import EVENT
from ..station.station import Station

_KEPT_AS = {"serials": "serial"}
"""Names under which `review set` knows a field, where its evidence has another."""


def doubts_of(
    station: Station, session: Session, row: Document, *, judgement: Judgement | None = None
) -> tuple[DoubtItem, ...]:
    """The questions about a document, in the order that saves most time; none once it is destroyed.

    Raises:
        Broken: what is sealed was altered.
    """
    judgement = judgement or load_judgement(station, session, row.id)
    transcript = load_transcript(station, session, row.id)
    if judgement is None or transcript is None:
        return ()
    settled = _settled(station, session, row)
    asked = list_doubts(transcript, judgement.fields)
    return tuple(item for item in asked if item.what != "field" or item.name not in settled)


def plain(item: DoubtItem) -> dict[str, Any]:
    """As in `review show`: the box as `[left, top, right, bottom]`, fractions of the page."""
    box = [item.box.left, item.box.top, item.box.right, item.box.bottom] if item.box else None
    return asdict(item) | {
        "box": box, "alternatives": list(item.alternatives), "reasons": list(item.reasons),
    }  # fmt: skip


def _settled(station: Station, session: Session, row: Document) -> frozenset[str]:
    """Fields to which a person has given a value."""
    events = session.scalars(
        select(Event).where(Event.document_id == row.id, Event.act == "set", Event.what == "field")
    )
    names = (station.unseal(session, EVENT, event.sealed, bind=row.id)["field"] for event in events)
    return frozenset(_KEPT_AS.get(name, name) for name in names)
