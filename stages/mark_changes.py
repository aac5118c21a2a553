"""What several marks on one paper mean together: those of its parts, and those that were struck, changed or lifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from ..models.level import Level
from ..models.mark import Mark, MarkChange
from ..models.period import Period
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


def mark_of_parts(
    own: Mark | None, parts: Sequence[Mark], *, signed: date | None, policy: Policy
) -> Mark | None:
    """The mark that a paper bears with its parts: the highest level and the longest period among all (标志规定 art. 8).

    A mark without a period has its level's maximum. A condition cannot be compared: of the highest mark it stays.
    """
    marks = [*([own] if own else []), *parts]
    if not marks:
        return None
    highest = max(marks, key=lambda one: (policy.rank(one.level), _months(one, signed, policy)))
    if any(one.level.family is not highest.level.family for one in marks) or (
        highest.period is not None and highest.period.kind == "condition"
    ):
        return highest
    longest = max(marks, key=lambda one: _months(one, signed, policy))
    if longest is highest or _months(longest, signed, policy) <= _months(highest, signed, policy):
        return highest
    years = policy.max_years(longest.level)
    period = longest.period or (Period("years", number=years) if years else None)
    return replace(highest, period=period)


def _months(mark: Mark, signed: date | None, policy: Policy) -> float:
    """Length of a mark's period in months, for comparing; -1 where it cannot be told."""
    period = mark.period
    if period is None:
        return 12.0 * (policy.max_years(mark.level) or 0)
    match period.kind:
        case "forever":
            return float("inf")
        case "years":
            return 12.0 * (period.number or 0)
        case "months":
            return float(period.number or 0)
        case "days":
            return (period.number or 0) / 30.4
        case "until":
            try:
                ends = period.ends(signed or date.min)
            except (ValueError, OverflowError):
                return -1.0
            return -1.0 if ends is None or signed is None else (ends - signed).days / 30.4
        case _:
            return -1.0
