"""Names in the order a person gives them: 2 before 10."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"(\d+)")
_LONGEST = 4000
"""Python refuses to turn longer runs of digits into a number."""

NaturalKey = list[tuple[int, int, str]]


def natural_key(name: str) -> NaturalKey:
    """Sorts runs of digits by their value, before letters; the rest by code point."""
    return [
        (0, int(part), "") if part.isdecimal() and len(part) < _LONGEST else (1, 0, part)
        for part in _DIGITS.split(name)
        if part
    ]
