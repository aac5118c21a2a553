"""Size and colour of a line of type, measured on its ink."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from .engines.engine import Quad

Colour = Literal["black", "red", "other"]

WHOLE = 0.92
"""Share of the type size that the ink of a Chinese character fills."""
FIGURE = 0.72
"""The same for digits and Latin capitals."""
LEAST_INK = 12
LEAST_CONTRAST = 30
REDDER = 48
COLOURLESS = 48
FLAT = frozenset("一—-–－_ 、。，．·…,.")
"""Their ink tells nothing of the size of the type."""
ROW_INK = 0.06
"""A row counts to the height of the type when it has this share of the ink of the fullest row."""


@dataclass(frozen=True, slots=True)
class Type:
    """`size_mm`: the type size (字号) in mm; None (both) where the ink could not be told from the paper."""

    size_mm: float | None
    colour: Colour | None


def measure_type(picture: Picture, quad: Quad, text: str, *, dpi: float) -> Type:
    """Measures the ink inside a piece of text.

    Args:
        picture: the straightened page, height x width x 3, RGB.
        quad: corners of the piece in pixels of `picture`.
        text: what it reads; figures alone are lower than characters.
        dpi: pixels an inch of `picture`.
    """
    height, width = picture.shape[:2]
    left, right = max(0, int(min(x for x, _ in quad))), min(width, int(max(x for x, _ in quad)) + 1)
    top, bottom = max(0, int(min(y for _, y in quad))), min(height, int(max(y for _, y in quad)) + 1)
    part = picture[top:bottom, left:right]
    if part.size == 0:
        return Type(size_mm=None, colour=None)
    # The least of the three channels is low for black, red and blue ink alike, and high only for paper.
    darkness = np.ascontiguousarray(part.min(axis=2))
    level, _ = cv2.threshold(darkness, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink = darkness <= level
    paper = darkness[~ink]
    if ink.sum() < LEAST_INK or paper.size == 0 or paper.mean() - darkness[ink].mean() < LEAST_CONTRAST:
        return Type(size_mm=None, colour=None)
    deep = ink & (darkness <= np.percentile(darkness[ink], 60))
    return Type(size_mm=None if FLAT.issuperset(text) else _size(ink, text, dpi), colour=_colour(part[deep]))


def _size(ink: NDArray[np.bool_], text: str, dpi: float) -> float:
    rows = ink.sum(axis=1 if ink.shape[1] >= ink.shape[0] else 0)
    filled = np.flatnonzero(rows > ROW_INK * rows.max())
    high = float(filled[-1] - filled[0] + 1)
    share = WHOLE if any(unicodedata.east_asian_width(character) == "W" for character in text) else FIGURE
    return round(high / share / dpi * 25.4, 2)


def _colour(ink: NDArray[np.uint8]) -> Colour:
    red, green, blue = (float(value) for value in ink.reshape(-1, 3).mean(axis=0))
    if red - max(green, blue) >= REDDER:
        return "red"
    return "black" if max(red, green, blue) - min(red, green, blue) < COLOURLESS else "other"
