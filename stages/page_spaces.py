"""Chinese without stray spaces: a space that an engine put inside a piece stays only where the page shows one."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from .engines.engine import RawLine

REAL_GAP = 0.6
"""Least free space, in heights of the line, that counts as a space between Chinese characters."""
NEAR = 1.5
"""How far, in heights, the free space may lie from where the space stands in the text."""
NARROW_ADVANCE = 0.55
"""Advance of a digit or a Latin letter against that of a Chinese character."""


def tidy(picture: Picture, raw: RawLine) -> RawLine:
    """The piece without the spaces that are not on the page; confidences stay with their characters.

    Spaces between Latin words and figures are kept as the engine gave them.

    Args:
        picture: the straightened page, height x width x 3, RGB.
        raw: the piece, its corners in pixels of `picture`.
    """
    text = raw.text
    doubtful = [
        place
        for place, character in enumerate(text)
        if character.isspace() and not (_narrow(text[:place]) and _narrow(text[place + 1 :][::-1]))
    ]
    if not doubtful or not text.strip():
        return raw
    gaps = _free_places(picture, raw)
    ends = np.cumsum([_advance(character) for character in text])
    dropped = {place for place in doubtful if not _is_free(ends[place] / ends[-1], gaps)}
    if not dropped:
        return raw
    kept = [place for place in range(len(text)) if place not in dropped]
    told = len(raw.characters) == len(text)
    return replace(
        raw,
        text="".join(text[place] for place in kept),
        characters=tuple(raw.characters[place] for place in kept) if told else raw.characters,
    )


def _narrow(text: str) -> bool:
    return bool(text) and unicodedata.east_asian_width(text[-1]) in ("N", "Na", "H")


def _advance(character: str) -> float:
    return 1.0 if unicodedata.east_asian_width(character) in ("W", "F", "A") else NARROW_ADVANCE


def _free_places(picture: Picture, raw: RawLine) -> list[tuple[float, float, float]]:
    """Free stretches inside the piece: (from, to) as shares of its width, and the reach of `NEAR` likewise."""
    free, high = column_profile(picture, raw)
    if free.size == 0:
        return []
    least, reach = REAL_GAP * high, NEAR * high / free.size
    edges = np.flatnonzero(np.diff(np.concatenate(([0], free.astype(np.int8), [0]))))
    return [
        (start / free.size, end / free.size, reach)
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if end - start >= least and start > 0 and end < free.size
    ]


def _is_free(place: float, gaps: list[tuple[float, float, float]]) -> bool:
    return any(start - reach <= place <= end + reach for start, end, reach in gaps)


def column_profile(picture: Picture, raw: RawLine) -> tuple[NDArray[np.bool_], int]:
    """For each pixel column of the piece whether it is free of ink; and the piece's height in pixels."""
    height, width = picture.shape[:2]
    left, right = max(0, int(min(x for x, _ in raw.quad))), min(width, int(max(x for x, _ in raw.quad)) + 1)
    top, bottom = max(0, int(min(y for _, y in raw.quad))), min(height, int(max(y for _, y in raw.quad)) + 1)
    part = picture[top:bottom, left:right]
    if part.size == 0:
        return np.zeros(0, np.bool_), 0
    darkness = np.ascontiguousarray(part.min(axis=2))
    level, _ = cv2.threshold(darkness, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    # The outer rows of a piece show the neighbours' strokes and rules.
    inner = (darkness <= level)[part.shape[0] // 6 : max(1, part.shape[0] - part.shape[0] // 6)]
    return np.asarray(inner.sum(axis=0) <= max(1, inner.shape[0] // 30)), part.shape[0]
