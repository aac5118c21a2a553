"""Secrecy periods as a person types them or a register keeps them."""

from __future__ import annotations

from ...models.period import Period
from ...stages.mark_grammar import read_term


def parse_period(text: str) -> Period | None:
    """The period of its words on paper (`20年`, `6个月`, `长期`, `至2030年12月31日`, `启用前`); None for none."""
    found = read_term(text)
    return found[0] if found else None
