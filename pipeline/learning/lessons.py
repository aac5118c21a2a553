"""Which documents may teach a model of this station: confirmed and living ones, decided by persons from the content.

What a mark, a source or the unit's list decided says nothing of the content (and is not learnt from in the release
either). What may never teach is policy data: levels and subjects that the matrix denies for the act `learn`, overlays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused
from ...models.level import Level
from ...models.tables import DestructionItem, Document, Hold, Incident
from ...stages.topic_learn import topics_of
from ..persons import approvals
from ..station.station import Station

if TYPE_CHECKING:
    from ...models.policy.schema import Profile

ACT = "learn"
"""Of the approval matrix."""
_CONFIRMED = ("registered", "archived")
_BY_CONTENT = frozenset({"content", "none"})


@dataclass(frozen=True, slots=True)
class Listed:
    """Documents that may teach, the newest first, and how many may not, by reason."""

    rows: tuple[Document, ...]
    skipped: Mapping[str, int]

    @property
    def levels(self) -> dict[str, int]:
        """Level -> documents."""
        counted = Counter(Level.parse(str(row.level_code)).value for row in self.rows)
        return dict(sorted(counted.items()))

    @property
    def value(self) -> dict[str, Any]:
        """As it is told."""
        return {"documents": len(self.rows), "levels": self.levels, "skipped": dict(self.skipped)}


def may_teach(station: Station, session: Session, among: Iterable[str] | None = None) -> Listed:
    """Confirmed, living documents whose level persons decided by content; `among`: of these only."""
    wanted = select(Document).where(Document.status.in_(_CONFIRMED), Document.confirmed.is_(True))
    chosen = None if among is None else frozenset(among)
    skipped: Counter[str] = Counter()
    found: list[Document] = []
    for row in session.scalars(wanted.order_by(Document.year.desc(), Document.seq.desc())):
        if chosen is not None and row.id not in chosen:
            continue
        why = _against(station, session, row)
        if why is None and len(found) >= station.policy.learning.most_documents:
            why = "enough"
        if why is None:
            found.append(row)
        else:
            skipped[why] += 1
    counted = Counter(row.level_code for row in found)
    least = station.policy.learning.least_per_level
    kept = tuple(row for row in found if counted[row.level_code] >= least)
    if len(kept) < len(found):
        skipped["few_of_level"] = len(found) - len(kept)
    return Listed(kept, dict(sorted(skipped.items())))


def _against(station: Station, session: Session, row: Document) -> str | None:
    """Why a document may not teach; None when it may."""
    policy = station.policy
    if row.level_code is None:
        return "no_level"
    level = Level.parse(row.level_code)
    interim = Level.parse(row.interim_code) if row.interim_code else None
    if policy.rank(policy.highest(level, interim)) > policy.rank(station.level):
        return "above_station"
    if approvals.matrix_row(station, ACT, row).mode == "deny":
        return "not_allowed"
    if policy.learning.not_overlays & set(row.overlays.split(",")):
        return "overlay"
    if row.level_basis not in _BY_CONTENT or row.read_level_code is not None:
        return "decided_by_mark"
    if not topics_of(level, policy, cast("Profile", station.settings.profile)):
        return "no_topic"
    held = select(Hold.id).where(Hold.document_id == row.id, Hold.lifted_at.is_(None))
    incident = select(Incident.id).where(Incident.document_id == row.id, Incident.state == "open")
    listed = select(DestructionItem.id).where(
        DestructionItem.item_id == row.id, DestructionItem.open.is_(True)
    )
    for code, question in (("held", held), ("incident", incident), ("in_destruction", listed)):
        if session.scalars(question.limit(1)).first() is not None:
            return code
    return None


def require_enough(station: Station, listed: Listed) -> None:
    bounds = station.policy.learning
    if len(listed.rows) < bounds.least_documents or len(listed.levels) < bounds.least_levels:
        raise Refused(
            "learn_too_few", documents=len(listed.rows), levels=len(listed.levels), least=bounds.least_documents,
            least_levels=bounds.least_levels, least_per_level=bounds.least_per_level,
        )  # fmt: skip
