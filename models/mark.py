"""A classification mark as it stands on a paper (密级标志)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .level import Level
from .page import Box
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


@dataclass(frozen=True, slots=True)
class MarkChange:
    """What page 1 says was done to a mark. Never lowers a paper by itself: a person decides.

    struck: a line runs through it; former: named as 原…; changed: 变更为 `to`; declassified: 解密.
    """

    kind: Literal["struck", "former", "changed", "declassified"]
    mark: Mark | None
    """The old mark, where it can still be read."""
    raw: str
    page: int = 1
    box: Box | None = None
    to: Mark | None = None
    """The new mark, of `changed`."""
    on: str | None = None
    """The date beside it, as printed."""
    organ: str | None = None
    """Who changed it, where the stamp says so."""
