"""Retention term 保管期限: how long a document is kept, when its years begin, and what they wait for.

Not to be mixed with the secrecy term 保密期限 (`models.period`): a paper may be declassified and kept for ever, or
still secret when its retention ends. Source: 国家档案局令第8号 art. 6, 令第10号 art. 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, NewType

from .suggestion import Retention

RetentionEnd = NewType("RetentionEnd", date)
"""The first day no longer kept. No `SecrecyEnd` serves in its place."""
State = Literal["running", "waiting", "ended", "permanent", "not_filed", "undated"]


@dataclass(frozen=True, slots=True)
class RetentionTerm:
    """A retention period and its clock: from the document's year, or from the year in which an event happened.

    Raises:
        TypeError: made of anything but a retention period.
    """

    retention: Retention
    document_day: date | None
    """成文日期, else the day of receipt."""
    event: str = ""
    """What the years wait for (合同履行完毕); empty: the document's own year. 永久 and 不归档 wait for nothing."""
    event_day: date | None = None
    """When it happened."""

    def __post_init__(self) -> None:
        if not isinstance(self.retention, Retention):
            raise TypeError("a retention term is made of a retention period")

    @property
    def starts(self) -> date | None:
        """1 January of the year after the document's or the event's year; None: no years, or not begun."""
        if not self.retention.years:
            return None
        day = self.event_day if self.event else self.document_day
        return date(day.year + 1, 1, 1) if day is not None else None

    @property
    def ends(self) -> RetentionEnd | None:
        """The first day no longer kept; None for 永久 and 不归档, and while the clock has not begun."""
        start = self.starts
        if start is None or not self.retention.years:
            return None
        return RetentionEnd(date(start.year + self.retention.years, 1, 1))

    def state(self, on: date) -> State:
        """`waiting`: for its event; `undated`: the document has no date."""
        if self.retention is Retention.PERMANENT:
            return "permanent"
        if self.retention is Retention.NOT_FILED:
            return "not_filed"
        end = self.ends
        if end is None:
            return "waiting" if self.event else "undated"
        return "ended" if end <= on else "running"
