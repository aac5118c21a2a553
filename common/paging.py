"""How much a list gives at once: lists are bounded, and who wants all of it gets one page after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

PAGE: Final = 100
"""Lines of a list when nobody says how many."""
HEAVY: Final = 20
"""The same where every line tells of many things: rounds, destructions, batches."""
MOST: Final = 1000
"""Lines that are in memory at once."""
_Row = TypeVar("_Row")


def cut(
    rows: Sequence[_Row], limit: int, key: Callable[[_Row], str | int]
) -> tuple[list[_Row], dict[str, Any]]:
    """A page of rows of which one more than `limit` was asked for, and what says whether and where it goes on.

    Returns:
        The rows; `{"more": bool, "next": key of the last row, None on the last page}`.
    """
    shown = list(rows[:limit])
    more = len(rows) > limit
    return shown, {"more": more, "next": key(shown[-1]) if more and shown else None}
