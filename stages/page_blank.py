"""Whether a page has anything on it that could be read."""

from __future__ import annotations

import numpy as np

from ..formats.pixels import blobs
from .page_ink import Ink

LEAST_MM = 1.2
"""A stroke of type is at least this high or wide; smaller is dust."""
EDGE_MM = 3.0
"""Nothing is printed so near the edge of a sheet; a scanner leaves its traces there."""
HOLE_MM = (3.5, 9.0)
"""Diameter of the holes of a punch or a staple's eyelet, …"""
HOLE_EDGE_MM = 25.0
"""… which stand this near to an edge."""
ROUND_FILL = (0.6, 0.95)
"""Part of its box that a hole fills: pi / 4, cut and blurred."""
LINE_MM = 1.0
LINE_SHARE = 0.3
"""A line thinner than `LINE_MM` and this part of the page long, near the edge, is the edge of a sheet."""


def is_blank(ink: Ink) -> bool:
    """True when no stroke on the page is of the size of type.

    Dust, show-through, borders, punch holes and the edges of sheets do not count. A lone page number is not blank:
    it is read.
    """
    margin = round(EDGE_MM / 25.4 * ink.dpi)
    height, width = ink.mask.shape
    inner = np.zeros_like(ink.mask)
    inside = (slice(margin, height - margin), slice(margin, width - margin))
    inner[inside] = ink.mask[inside]
    _, stats = blobs(inner)
    return not any(_is_stroke(*(int(value) for value in part), ink=ink) for part in stats[1:])


def _is_stroke(left: int, top: int, wide: int, high: int, area: int, *, ink: Ink) -> bool:
    scale = 25.4 / ink.dpi
    height, width = ink.mask.shape
    longer, shorter = max(wide, high) * scale, min(wide, high) * scale
    if longer < LEAST_MM:
        return False
    if min(left, top, width - left - wide, height - top - high) * scale > HOLE_EDGE_MM:
        return True
    hole = HOLE_MM[0] <= shorter and longer <= HOLE_MM[1] and shorter > 0.75 * longer
    if hole and ROUND_FILL[0] <= area / (wide * high) <= ROUND_FILL[1]:
        return False
    return not (shorter <= LINE_MM and max(wide / width, high / height) >= LINE_SHARE)
