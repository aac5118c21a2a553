"""What does not fit together on one paper: said as doubts, never corrected.

Codes: `printed_before_signed`, `number_year_differs`, `number_out_of_range`, `impossible_date`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from ..models.fields import FieldEvidence, FieldName


def cross_doubts(
    evidence: tuple[FieldEvidence, ...],
    *,
    number_year: int | None,
    signed: date | None,
    printed: date | None,
) -> tuple[FieldEvidence, ...]:
    """The evidence, with a doubt on each of the two fields that contradict one another."""
    doubts: list[tuple[FieldName, str]] = []
    if signed and printed and printed < signed:
        doubts += [("printed_date", "printed_before_signed"), ("date", "printed_before_signed")]
    if number_year is not None and signed is not None and not _agree(number_year, signed):
        doubts += [("doc_number", "number_year_differs"), ("date", "number_year_differs")]
    return tuple(_with(item, doubts) for item in evidence)


def _agree(year: int, signed: date) -> bool:
    """A number is taken in the year of signing; around New Year either may come first."""
    if year == signed.year:
        return True
    return (year == signed.year - 1 and signed.month <= 2) or (year == signed.year + 1 and signed.month == 12)


def _with(item: FieldEvidence, doubts: list[tuple[FieldName, str]]) -> FieldEvidence:
    more = tuple(code for name, code in doubts if name == item.name and code not in item.doubt)
    if not more:
        return item
    return replace(item, doubt=(*item.doubt, *more), score=round(item.score * 0.7, 4))
