"""A second look at a small place: its ink, found where a detector saw nothing, and a strip of it read on its own."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from .engines.engine import Engine, RawLine

FINEST_DPI = 200.0
"""Ink is looked for at this resolution or less."""
PAPER_MM = 5.0
"""Ink is what is darker than the paper within this distance."""
LEAST_CONTRAST = 26.0
DEEP = 0.27
"""Of the page's own contrast: fainter ink is noise, or shines through."""

Mask = NDArray[np.uint8]
PixelBox = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


def small_ink(part: Picture, mm: float, *, depth: float) -> tuple[Mask, float]:
    """1 where there is ink, and the factor by which the mask is smaller than the part.

    Args:
        part: of a page, height x width x 3, RGB.
        mm: its pixels a millimetre.
        depth: contrast of the page, levels of 255.
    """
    scale = min(1.0, FINEST_DPI / 25.4 / mm)
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    side = round(PAPER_MM * mm * scale) | 1
    darker = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((side, side), np.uint8))
    return np.asarray(darker > max(LEAST_CONTRAST, DEEP * min(depth, 220.0)), np.uint8), scale


def read_strip_of(
    box: PixelBox, *, within: PixelBox, room: float, picture: Picture, engine: Engine, seconds: float
) -> RawLine | None:
    """What stands in a box, read with paper around it: `room` pixels above and below, twice that at its sides.

    Args:
        box: of the ink.
        within: the strip does not reach beyond this box.
        room: pixels.
        picture: the page.
        engine: reads the strip.
        seconds: longest time for it.

    Raises:
        EngineFault: the engine failed.
    """
    more = max(1, round(room))
    left, right = max(within[0], box[0] - 2 * more), min(within[2], box[2] + 2 * more)
    top, bottom = max(within[1], box[1] - more), min(within[3], box[3] + more)
    part = picture[top:bottom, left:right]
    return engine.read_strip(np.ascontiguousarray(part), seconds=seconds) if part.size else None


def around(boxes: Sequence[PixelBox]) -> PixelBox:
    """The box around boxes."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
