"""Days that come round: the day of the month and the month of an ISO date, as indexes have them and queries ask.

A database knows an index over an expression again only where the query says the same one, numbers and all.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, TextClause, func, literal_column, text

_DAY, _MONTH = (9, 2), (6, 2)
"""First letter and number of letters."""


def turning(date: str) -> tuple[TextClause, TextClause]:
    """Day and month of a date, for an index. `date`: a column, or an expression of columns."""
    day, month = (text(f"substr({date}, {first}, {letters})") for first, letters in (_DAY, _MONTH))
    return day, month


def day_of(date: Any) -> ColumnElement[str]:
    """Two digits."""
    return _part(date, *_DAY)


def month_of(date: Any) -> ColumnElement[str]:
    """Two digits."""
    return _part(date, *_MONTH)


def _part(date: Any, first: int, letters: int) -> ColumnElement[str]:
    part: ColumnElement[str] = func.substr(date, literal_column(str(first)), literal_column(str(letters)))
    return part
