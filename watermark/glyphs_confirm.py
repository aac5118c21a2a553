"""Whether a page that was just made shows its glyphs' signs: read at the known place, against the page as it was.

Quick, since it is done for every page that is issued: no search, no smooth field, one estimate for each glyph, from how
the difference of the two pages goes along with the slopes of the ink. What somebody found reads glyphs_read.py.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]

_MARGIN = 1
_CLIP = 2.5


def shifts(copy: NDArray[np.uint8], page: NDArray[np.uint8], boxes: NDArray[np.int32]) -> NDArray[np.float64]:
    """How far each glyph stands from its place, in no unit (n x 2: right, down).

    Args:
        copy: the whole page as it is issued, gray.
        page: the same as it was, in the same pixels.
        boxes: as `glyphs.boxes` found them on it.
    """
    if len(boxes) == 0 or copy.shape != page.shape:
        return np.zeros((len(boxes), 2))
    reach = np.array([-_MARGIN, -_MARGIN, _MARGIN, _MARGIN])
    height, width = copy.shape
    corners = np.clip(boxes + reach, 0, [width, height, width, height])
    (x0, y0), (x1, y1) = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
    left, top, right, bottom = (corners - [x0, y0, x0, y0]).T
    before, after = page[y0:y1, x0:x1], copy[y0:y1, x0:x1]
    change = cv2.subtract(after, before, dtype=cv2.CV_16S)
    out = np.zeros((len(boxes), 2))
    for axis, (across, down) in enumerate(((1, 0), (0, 1))):
        slope = cv2.Sobel(before, cv2.CV_16S, across, down, ksize=3)
        total = cv2.integral(cv2.multiply(change, slope, dtype=cv2.CV_32F), sdepth=cv2.CV_64F)
        out[:, axis] = -(total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left])
    return out


def agreement(measured: NDArray[np.float64], signs: NDArray[np.int8]) -> float:
    """z, as `glyphs_read.agreement`: that the shifts are those of the copy with these signs (n x 2)."""
    z = 0.0
    values = np.zeros_like(measured)
    for axis in (0, 1):
        level = float(np.median(np.abs(measured[:, axis])))
        if level > 0:
            values[:, axis] = np.clip(measured[:, axis] / level, -_CLIP, _CLIP)
    spread = float(np.sqrt(np.square(values).sum()))
    if spread > 0:
        z = float((values * signs).sum()) / spread
    return z
