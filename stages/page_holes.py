"""Punched holes: dark or grey discs at the edge of the page, which engines read as letters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ..formats.opened import Picture
from ..formats.pixels import blobs
from ..models.page import Box
from .page_ink import Ink

LEAST_MM, MOST_MM = 4.5, 8.5
"""Across; holes of ISO 838 punches are 6 mm wide."""
EDGE_MM = 22.0
"""ISO 838: middles 12 mm from the edge; more where the page was copied askew."""
LEAST_FILLED = 0.7
"""Of the box: a disc fills 0.79, no character of type as large does."""
LEAST_ROUND = 0.85
SOFT = 1.35
"""How much wider than the disc its shadow is."""


def find_holes(ink: Ink) -> Iterator[Box]:
    """Boxes of filled round marks of a hole's size along the four edges."""
    pixels = ink.dpi / 25.4
    height, width = ink.mask.shape
    _, stats = blobs(ink.mask)
    for left, top, wide, high, area in stats[1:].tolist():
        lower, longer = min(wide, high) / pixels, max(wide, high) / pixels
        if not (lower >= LEAST_MM and longer <= MOST_MM and lower >= LEAST_ROUND * longer):
            continue
        x, y = left + wide / 2, top + high / 2
        at_edge = min(x, y, width - x, height - y) <= EDGE_MM * pixels
        if at_edge and LEAST_FILLED <= area / (wide * high) <= 0.9:
            yield Box(
                left=left / width, top=top / height, right=(left + wide) / width, bottom=(top + high) / height
            )


def fill_holes(picture: Picture, holes: Iterable[Box]) -> Picture:
    """A copy of the page (any resolution) with the paper around in place of the holes."""
    filled = picture.copy()
    height, width = picture.shape[:2]
    for box in holes:
        x, y = box.centre[0] * width, box.centre[1] * height
        reach = max((box.right - box.left) * width, (box.bottom - box.top) * height) / 2 * SOFT
        top, bottom = max(0, int(y - 1.6 * reach)), min(height, int(y + 1.6 * reach) + 1)
        left, right = max(0, int(x - 1.6 * reach)), min(width, int(x + 1.6 * reach) + 1)
        part = filled[top:bottom, left:right]
        down, across = np.ogrid[top:bottom, left:right]
        inside = np.hypot(across - x, down - y) <= reach
        if (~inside).any():
            part[inside] = np.median(part[~inside], axis=0).astype(np.uint8)
    return filled
