"""A classification mark as it stands on a paper (密级标志)."""

from __future__ import annotations

from dataclasses import dataclass

from .level import Level
from .period import Period


@dataclass(frozen=True, slots=True)
class Mark:
    """A read mark. `period` is None when the paper names none (then the level's maximum holds)."""

    level: Level
    period: Period | None = None
    star: bool = False
    """A ★ stands between level and period: the national mark."""
    owner: str | None = None
    """Owner's short name before a 商密 mark."""
    wording: str | None = None
    """The words of an internal or public mark, as printed."""
    raw: str = ""
    """As read, before any repair."""
