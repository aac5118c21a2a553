"""What a reviewer should look at, as a value: characters, fields and pages below their thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .page import Box


@dataclass(frozen=True, slots=True)
class DoubtItem:
    """One question to a person.

    `name`: of the field, else empty. `text`: what was read. `reasons`: message codes. `score`: 0..1, how sure
    the reading is. `gain`: errors caught for each second of looking, by which a list is ordered, most first.
    """

    what: Literal["page", "field", "text", "unread"]
    page: int
    text: str
    score: float
    gain: float
    name: str = ""
    box: Box | None = None
    alternatives: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
