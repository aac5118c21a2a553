"""Where the ink of a page is: the mask that deskewing and the blank page test look at."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from ..formats.pixels import blobs, shrink

Mask = NDArray[np.bool_]

MASK_DPI = 100.0
"""Enough for lines of type, a tenth of the work of the full page."""
WIDEST_STROKE_MM = 8.0
"""Dark areas wider than this are paper (a shadow, the black border of a scan), not strokes."""
BORDER_SHARE = 0.25
"""A dark piece at the edge that runs along more than this of it is the border of the scan."""
LEAST_CONTRAST = 36
DARKER = 0.78


@dataclass(frozen=True, slots=True)
class Ink:
    """`mask`: True where there is ink, at `dpi` pixels an inch (both ways). `depth`: how much darker than the paper
    its darker half is (levels of 255); 0 without ink."""

    mask: Mask
    dpi: float
    depth: float = 0.0


def find_ink(picture: Picture, *, dpi: float) -> Ink:
    """Strokes darker than the paper around them, without the black borders of a scan.

    Args:
        picture: height x width x 3, RGB.
        dpi: pixels an inch of `picture`.
    """
    scale = min(1.0, MASK_DPI / dpi)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    small = shrink(np.asarray(grey, np.uint8), size)
    reach = max(3, round(WIDEST_STROKE_MM / 25.4 * dpi * scale)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (reach, reach))
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel).astype(np.int16)
    ink = (small < paper * DARKER) & (paper - small > LEAST_CONTRAST)
    mask = _without_borders(ink)
    depth = float(np.percentile((paper - small)[mask], 75)) if mask.any() else 0.0
    return Ink(mask=mask, dpi=dpi * scale, depth=depth)


def _without_borders(ink: Mask) -> Mask:
    height, width = ink.shape
    labels, stats = blobs(ink)
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    upright = ((left == 0) | (left + wide == width)) & (high > height * BORDER_SHARE)
    lying = ((top == 0) | (top + high == height)) & (wide > width * BORDER_SHARE)
    border = upright | lying
    border[0] = False
    if not border.any():
        return ink
    return np.asarray(ink & ~border[labels])
