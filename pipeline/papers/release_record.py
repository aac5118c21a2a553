"""Whether a document was reviewed for one way of leaving the unit (`leaving.py` tells how; R-170)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import Refused
from ...models.level import Level
from ...models.tables import Document, Matter
from ..desk import matters
from ..persons import approvals
from ..station.station import Station
from .inbound import OUTBOUND

KIND: Final = "release_review"
_MARK: Final = "release_review"
"""The word among `extra` of a row of the matrix."""
_OUTBOUND_COVERS: Final = ("dispatch", "provide_external")
"""Ways that the review within the unit's own outbound procedure is good for, while the level stands."""


def require_review(
    station: Station, session: Session, row: Document, way: str, *, always: bool = False
) -> str | None:
    """The matter of the review that covers this way of leaving; None where the matrix asks for none.

    Raises:
        Refused: `release_review_missing`.
    """
    if not always and _MARK not in approvals.matrix_row(station, way, row).extra:
        return None
    issued = outbound_of(session, row.id) if way in _OUTBOUND_COVERS else None
    if issued is not None and row.level_code:
        signed = matters.words_of(station, session, issued)
        if signed.get("level") == Level.parse(row.level_code).value:
            return issued.id
    oldest = (today(station.clock) - timedelta(days=station.policy.approval_days)).isoformat()
    wanted = approvals.bound_hash(station, way, (row,))
    rows = session.scalars(
        select(Matter)
        .where(Matter.document_id == row.id, Matter.kind == KIND, Matter.state == matters.CLOSED)
        .order_by(Matter.id.desc())
    )
    for matter in rows:
        words = matters.words_of(station, session, matter)
        if (matter.closed_at or "")[:10] >= oldest and (words["way"], words["bound"]) == (way, wanted):
            return matter.id
    raise Refused("release_review_missing", document=row.id, way=way)


def outbound_of(session: Session, document: str) -> Matter | None:
    """The outbound procedure that issued a document, once the final paper was taken in; None for what came in."""
    return session.scalars(
        select(Matter)
        .where(
            Matter.document_id == document,
            Matter.kind.in_(OUTBOUND),
            Matter.state.in_((matters.OPEN, matters.CLOSED)),
        )
        .order_by(Matter.id.desc())
    ).first()
