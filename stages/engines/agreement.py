"""What several readings of one strip say together: place by place the character with most confidence behind it.

A reader's own confidence tells little (measured with Tesseract: names read right at 0.5, characters made out of
scribbles at 0.5, too), but two readings of the strip at different sizes seldom make the same error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from math import prod

DISSENT = 0.75
"""What a character is worth whose place another reading fills otherwise, …"""
ALONE = 0.6
"""… and one that no other reading has."""
UNANIMOUS, AS_SURE = 3, 0.9
"""What so many readings say alike is as sure as this, be they as unsure as they like."""
LEAST_WEIGHT = 0.4
"""Added to the confidence of each vote: two that agree outweigh a surer one that is alone."""

Vote = tuple[str, float]
"""A character, or none, and how sure its reading is of it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`scores`: one for each character of `text`, 0..1."""

    text: str
    scores: tuple[float, ...]

    @property
    def sure(self) -> float:
        """Mean of the scores, 0 without text."""
        return sum(self.scores) / len(self.scores) if self.scores else 0.0


NOTHING = Reading("", ())


def agree(readings: Sequence[Reading]) -> Reading:
    """One reading out of several. Characters that more than one of them has are surer than in any, others less sure.

    Readings are aligned to the one with most confident characters; a single one comes back as it is. Whoever read
    nothing at all found no line, and says nothing against what others found.
    """
    given = len(readings)
    readings = [one for one in readings if one.text]
    if not readings:
        return NOTHING
    if len(readings) == 1:
        (only,) = readings
        return only if given == 1 else Reading(only.text, tuple(DISSENT * score for score in only.scores))
    base = max(readings, key=lambda one: sum(one.scores))
    places: list[list[Vote]] = [[vote] for vote in zip(base.text, base.scores, strict=True)]
    gaps: list[list[list[Vote]]] = [[] for _ in range(len(base.text) + 1)]
    others = [one for one in readings if one is not base]
    for other in others:
        _cast(base, other, places, gaps)
    text: list[str] = []
    scores: list[float] = []
    for at, gap in enumerate(gaps):
        columns = [list(column) for column in zip_longest(*gap, fillvalue=("", 0.0))] if gap else []
        if at < len(places):
            columns.append(places[at])
        for column in columns:
            column += _silent(column, base, others)
            character, score = _elected(column)
            if character:
                text.append(character)
                scores.append(score)
    return Reading("".join(text), tuple(scores))


def _cast(base: Reading, other: Reading, places: list[list[Vote]], gaps: list[list[list[Vote]]]) -> None:
    """Adds the votes of `other` to the characters of `base` and to the gaps before them."""
    matcher = SequenceMatcher(None, base.text, other.text, autojunk=False)
    for _, start, end, first, last in matcher.get_opcodes():
        both = min(end - start, last - first)
        for step in range(both):
            places[start + step].append((other.text[first + step], other.scores[first + step]))
        for at in range(start + both, end):
            places[at].append(("", other.sure))
        if last - first > both:
            gaps[start + both].append(list(zip(other.text, other.scores, strict=True))[first + both : last])


def _silent(column: list[Vote], base: Reading, others: Sequence[Reading]) -> list[Vote]:
    """Votes for nothing, of the readings that have nothing in a gap which others fill."""
    missing = 1 + len(others) - len(column)
    sure = sum(one.sure for one in (base, *others)) / (1 + len(others))
    blanks = sum(vote == ("", 0.0) for vote in column)
    column[:] = [vote for vote in column if vote != ("", 0.0)]
    return [("", sure)] * (missing + blanks)


def _elected(column: Sequence[Vote]) -> Vote:
    weights: dict[str, float] = {}
    for character, score in column:
        weights[character] = weights.get(character, 0.0) + score + LEAST_WEIGHT
    best = max(weights, key=lambda character: weights[character])
    scores = [score for character, score in column if character == best]
    together = 1 - prod(1 - score for score in scores)
    if len(scores) == len(column):
        return best, max(together, AS_SURE) if len(scores) >= UNANIMOUS else together
    return best, together * (DISSENT if len(scores) > 1 else ALONE)
