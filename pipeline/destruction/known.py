"""Rows of many documents read at once, for the checks of a batch: a few questions instead of some for each document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.tables import Artefact, Carrier, Copy, Document, Hold, Incident, Matter
from ..learning import station_model

_PART = 500
"""Documents in one question: what every database takes."""


@dataclass(slots=True)
class Known:
    """What the checks ask of many documents, read in a few questions instead of some for each."""

    documents: dict[str, Document] = field(default_factory=dict)
    copies: dict[str, list[Copy]] = field(default_factory=dict)
    carriers: dict[str, list[Carrier]] = field(default_factory=dict)
    holds: dict[str, list[Hold]] = field(default_factory=dict)
    incidents: dict[str, list[Incident]] = field(default_factory=dict)
    matters: dict[str, list[str]] = field(default_factory=dict)
    models: frozenset[str] = frozenset()
    """Documents that a model was made of."""


def know(session: Session, documents: Sequence[str]) -> Known:
    """Reads it. The rows stay at hand as long as this does."""
    known = Known()
    models: set[str] = set()
    names = list(dict.fromkeys(documents))
    for start in range(0, len(names), _PART):
        part = names[start : start + _PART]
        known.documents |= {
            row.id: row for row in session.scalars(select(Document).where(Document.id.in_(part)))
        }
        for copy in session.scalars(select(Copy).where(Copy.document_id.in_(part)).order_by(Copy.number)):
            known.copies.setdefault(copy.document_id, []).append(copy)
        for carrier in session.scalars(
            select(Carrier).where(Carrier.document_id.in_(part)).order_by(Carrier.id)
        ):
            known.carriers.setdefault(str(carrier.document_id), []).append(carrier)
        for hold in session.scalars(
            select(Hold).where(Hold.document_id.in_(part), Hold.lifted_at.is_(None)).order_by(Hold.id)
        ):
            known.holds.setdefault(hold.document_id, []).append(hold)
        for incident in session.scalars(
            select(Incident).where(Incident.document_id.in_(part), Incident.state == "open")
        ):
            known.incidents.setdefault(str(incident.document_id), []).append(incident)
        for matter, document in session.execute(
            select(Matter.id, Matter.document_id).where(Matter.document_id.in_(part), Matter.state == "open")
        ):
            known.matters.setdefault(str(document), []).append(matter)
        models |= set(
            session.scalars(
                select(Artefact.document_id).where(
                    Artefact.document_id.in_(part), Artefact.kind == station_model.KIND
                )
            )
        )
    known.models = frozenset(models)
    return known
