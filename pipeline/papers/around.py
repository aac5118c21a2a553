"""What stands around documents in the registry: read at once for all rows of a list, not row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.tables import Artefact, Carrier, Clear, Copy, Document, Event, Hold, Scan
from ..intake.judgement import Judgement, load_judgements
from ..station.station import Station

_PART = 400
"""Documents in one question: what every database takes."""


@dataclass(slots=True)
class Around:
    """By the document's number; a document of which there is nothing has no entry."""

    judgements: dict[str, Judgement] = field(default_factory=dict)
    """Only of documents whose words may be seen."""
    parts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    carriers: dict[str, list[Carrier]] = field(default_factory=lambda: defaultdict(list))
    scanned: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Carriers that have a scan of their own."""
    copies: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    holds: dict[str, list[Hold]] = field(default_factory=lambda: defaultdict(list))
    clear: dict[str, list[Clear]] = field(default_factory=lambda: defaultdict(list))
    changed: set[str] = field(default_factory=set)
    """Documents whose secrecy term somebody changed."""


def around(station: Station, session: Session, rows: Sequence[Document], opened: Collection[str]) -> Around:
    """What stands around these rows; judgements only of those `opened`."""
    found = Around()
    for ids in _parts([row.id for row in rows]):
        found.judgements |= load_judgements(station, session, [name for name in ids if name in opened])
        for parent, name in session.execute(
            select(Document.parent_id, Document.id).where(Document.parent_id.in_(ids))
        ):
            found.parts[str(parent)].append(name)
        for names in found.parts.values():
            names.sort()
        for carrier in session.scalars(
            select(Carrier).where(Carrier.document_id.in_(ids)).order_by(Carrier.id)
        ):
            found.carriers[str(carrier.document_id)].append(carrier)
        for document, scanned in session.execute(
            select(Scan.document_id, Scan.carrier_id)
            .join(Artefact, Scan.artefact_id == Artefact.id)
            .where(Scan.document_id.in_(ids), Scan.kind == "carrier", Artefact.state == "live")
        ):
            found.scanned[document].add(str(scanned))
        for document, name in session.execute(
            select(Copy.document_id, Copy.id).where(Copy.document_id.in_(ids)).order_by(Copy.number)
        ):
            found.copies[document].append(name)
        for hold in session.scalars(
            select(Hold).where(Hold.document_id.in_(ids), Hold.lifted_at.is_(None)).order_by(Hold.id)
        ):
            found.holds[hold.document_id].append(hold)
        for place in session.scalars(select(Clear).where(Clear.document_id.in_(ids)).order_by(Clear.id)):
            found.clear[place.document_id].append(place)
        found.changed |= set(
            session.scalars(
                select(Event.document_id).where(Event.document_id.in_(ids), Event.what == "term").distinct()
            )
        )
    return found


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _PART):
        yield values[start : start + _PART]
