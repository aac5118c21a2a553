"""Secrecy period 保密期限: a number of years or months, for ever, until a date, or until a condition.

Not to be mixed with the retention period 保管期限 (`models.suggestion.Retention`).
Source: 保守国家秘密法 (2024) art. 20; 实施条例 (2024) art. 19; forms of marking: GB/T 9704.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from typing import Literal

Day = date
"""The type, since `Period` has a field of that name."""


@dataclass(frozen=True, slots=True)
class Period:
    """One secrecy period. Exactly the field that `kind` names is set."""

    kind: Literal["years", "months", "days", "forever", "until", "condition"]
    number: int | None = None
    date: str | None = None
    """As on paper: `2030年`, `2030年12月`, `2030年12月31日`."""
    condition: str | None = None

    def __str__(self) -> str:
        """As on paper: `20年`, `6个月`, `长期`, `至2030年12月31日`, `启用前`."""
        match self.kind:
            case "years":
                return f"{self.number}年"
            case "months":
                return f"{self.number}个月"
            case "days":
                return f"{self.number}日"
            case "forever":
                return "长期"
            case "until":
                return f"至{self.date}"
            case "condition":
                return str(self.condition)

    def ends(self, start: Day | None) -> Day | None:
        """The first day no longer protected, counted from the issue date; None when no date follows.

        Months clamp to the month's end; ten years from 2024-05-01 end on 2034-05-01 (policy.md section 2).
        A date without its day or month lasts to the end of it.
        """
        if self.kind == "until":
            return _day_after(self.date or "")
        if start is None:
            return None
        match self.kind:
            case "years":
                return add_months(start, 12 * (self.number or 0))
            case "months":
                return add_months(start, self.number or 0)
            case "days":
                return date.fromordinal(start.toordinal() + (self.number or 0))
            case _:
                return None


@dataclass(frozen=True, slots=True)
class PeriodChange:
    """A change of a term by its determiner or the superior (保密法 art. 24): extended, or declassified early.

    An extension is decided before the old end; both are acts of named persons, never of the machine.
    """

    kind: Literal["extend", "early_declassify"]
    decided: Day
    ends: Day
    """The new first day no longer protected."""


@dataclass(frozen=True, slots=True)
class SecrecyTerm:
    """A secrecy term in force: its period, where it starts (成文日期, else 通知之日), and what was changed since.

    Not a retention term: the two are never converted into each other.
    """

    period: Period
    starts: Day | None
    started_by: Literal["signed", "notified"] = "signed"
    changes: tuple[PeriodChange, ...] = ()

    @property
    def ends(self) -> Day | None:
        """The first day no longer protected after all changes; None while no date follows.

        A change counts when it was decided before the end then in force; an extension only moves it later, an early
        declassification only nearer. A term that ended stays ended.
        """
        end = self.period.ends(self.starts) if self.starts or self.period.kind == "until" else None
        for change in sorted(self.changes, key=lambda one: one.decided):
            if end is not None and change.decided >= end:
                break
            if end is None or (change.ends > end) == (change.kind == "extend"):
                end = change.ends
        return end


def term_of(period: Period, *, signed: Day | None, notified: Day | None = None) -> SecrecyTerm:
    """The term that starts on 成文日期, or where none is marked on the day of the notification (实施条例 art. 19)."""
    if signed is None and notified is not None:
        return SecrecyTerm(period, notified, "notified")
    return SecrecyTerm(period, signed)


def add_months(start: date, months: int) -> date:
    """`start` plus whole months, clamped to the end of the month."""
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def _day_after(text: str) -> date | None:
    numbers = [int(part) for part in text.replace("年", " ").replace("月", " ").replace("日", " ").split()]
    if len(numbers) == 1:
        return date(numbers[0] + 1, 1, 1)
    if len(numbers) == 2:
        return add_months(date(numbers[0], numbers[1], 1), 1)
    if len(numbers) == 3:
        return date.fromordinal(date(*numbers).toordinal() + 1)
    return None
