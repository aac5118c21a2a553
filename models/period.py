"""Secrecy period 保密期限: a number of years or months, for ever, until a date, or until a condition.

Not to be mixed with the retention period 保管期限 (`models.retention`): the two terms are types of their own, and so
are their ends.
Source: 保守国家秘密法 (2024) art. 20; 实施条例 (2024) art. 19; forms of marking: GB/T 9704.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, NewType

Day = date
"""The type, since `Period` has a field of that name."""
SecrecyEnd = NewType("SecrecyEnd", date)
"""The first day no longer protected. No `RetentionEnd` serves in its place."""
Start = Literal["signed", "notified", "received"]
"""What the first day is: 成文日期, 通知之日, or the day of receipt, in place of a notification without a date."""


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
    """A change of a term (保密法 art. 20, 24): extended, declassified early, or its condition came true.

    An extension is decided before the old end; all three are acts of named persons, never of the machine.
    """

    kind: Literal["extend", "early_declassify", "condition_met"]
    decided: Day
    ends: Day
    """The new first day no longer protected."""


@dataclass(frozen=True, slots=True)
class SecrecyTerm:
    """A secrecy term in force: its period, where it starts (成文日期, else 通知之日), and what was changed since.

    Not a retention term: the two are never converted into each other.

    Raises:
        TypeError: made of anything but a secrecy period.
    """

    period: Period
    starts: Day | None
    started_by: Start = "signed"
    changes: tuple[PeriodChange, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.period, Period):
            raise TypeError("a secrecy term is made of a secrecy period")

    @property
    def ends(self) -> SecrecyEnd | None:
        """The first day no longer protected after all changes; None while no date follows.

        A change counts when it was decided before the end then in force; an extension only moves it later, an early
        declassification only nearer, neither before it was decided. A term that ended stays ended; one without an end
        cannot be extended.
        """
        end = self.period.ends(self.starts) if self.starts or self.period.kind == "until" else None
        for change in sorted(self.changes, key=lambda one: one.decided):
            if end is not None and change.decided >= end:
                break
            moved = max(change.ends, change.decided)
            if end is None:
                end = None if change.kind == "extend" else moved
            elif (moved > end) == (change.kind == "extend"):
                end = moved
        return SecrecyEnd(end) if end is not None else None

    @property
    def marked(self) -> Period:
        """The period as a mark says it now: as determined, or after a change whole years or months, else a date."""
        end = self.ends
        if end is None or replace(self, changes=()).ends == end:
            return self.period
        if self.starts is not None:
            months = (end.year - self.starts.year) * 12 + end.month - self.starts.month
            if months > 0 and add_months(self.starts, months) == end:
                # a year and more is said in whole years, less in months (标志规定)
                if months % 12 == 0:
                    return Period("years", number=months // 12)
                if months < 12:
                    return Period("months", number=months)
        last = end - timedelta(days=1)
        return Period("until", date=f"{last.year}年{last.month}月{last.day}日")

    def state(self, on: Day) -> Literal["running", "open", "ended"]:
        """`open`: no date follows yet (长期, a condition). It ends by itself on its last day (保密法 art. 24)."""
        end = self.ends
        return "open" if end is None else "ended" if end <= on else "running"

    def notices(self, days: Iterable[int]) -> tuple[Day, ...]:
        """The days on which its end is announced, so many days before; none from before its start."""
        end = self.ends
        if end is None:
            return ()
        found = {_days_before(end, number) for number in days}
        return tuple(sorted(day for day in found if self.starts is None or day >= self.starts))

    def ask_by(self, days: int) -> Day | None:
        """The day by which the determiner must have been asked whether to extend it; None while no date follows.

        So many days before the end, or its first day where it is shorter than that.
        """
        end = self.ends
        if end is None:
            return None
        asked = _days_before(end, days)
        return asked if self.starts is None or asked >= self.starts else min(self.starts, end)


def term_of(
    period: Period, *, signed: Day | None, notified: Day | None = None, received: Day | None = None
) -> SecrecyTerm:
    """The term that starts on 成文日期, or where none is marked on the day of the notification (实施条例 art. 19).

    Where neither is known, the day of receipt is the day on which this room was notified.
    """
    starts: tuple[tuple[Day | None, Start], ...] = (
        (signed, "signed"), (notified, "notified"), (received, "received"),
    )  # fmt: skip
    for day, started_by in starts:
        if day is not None:
            return SecrecyTerm(period, day, started_by)
    return SecrecyTerm(period, None)


def next_turn(start: Day, months: int, on: Day) -> Day:
    """The next day, from `on`, that lies a whole number of times so many months after `start`."""
    turns = max(1, ((on.year - start.year) * 12 + on.month - start.month) // months)
    while add_months(start, turns * months) < on:
        turns += 1
    return add_months(start, turns * months)


def _days_before(day: Day, days: int) -> Day:
    return day - timedelta(days=min(days, (day - date.min).days))


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
