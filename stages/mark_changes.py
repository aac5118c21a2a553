"""What marks that were struck, changed or lifted mean for a suggestion: evidence, and protection meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from ..models.level import Level
from ..models.mark import Mark, MarkChange
from ..models.policy.schema import Policy
from ..models.suggestion import Evidence

_RULE = {"struck": "M-STRUCK", "former": "M-FORMER", "changed": "M-CHANGED", "declassified": "M-LIFTED"}
_SOURCE = "BMF art.24; 1990 marking rules art.8"


def former_above(changes: Sequence[MarkChange], mark: Mark, policy: Policy) -> Level | None:
    """The highest old level, where it stands above the mark that holds: it protects until a person confirms."""
    old = policy.highest(*(one.mark.level if one.mark else None for one in changes))
    return old if policy.rank(old) > policy.rank(mark.level) else None


def change_evidence(changes: Sequence[MarkChange]) -> tuple[Evidence, ...]:
    """Each change with its words, date and organ, and where it stands."""
    return tuple(
        Evidence(
            "level", _RULE[one.kind], _SOURCE,
            " ".join(part for part in (one.raw, one.on or "", one.organ or "") if part), one.page, one.box, 0.7,
        )
        for one in changes
    )  # fmt: skip
