"""An even grey page out of an unevenly lit one. Grey, not black and white: thin strokes survive."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture

SMALL_SIDE = 640
"""Pixels of the longer side at which the paper is estimated; it has no detail worth more."""
REACH = 1 / 32
"""How far, in parts of the longer side, paper is looked for around a stroke."""
DARKEST = 24
"""Paper is never taken for darker than this, so that a black border stays black."""


def flatten(picture: Picture) -> NDArray[np.uint8]:
    """Divides the page's brightness by that of the paper around each point.

    Args:
        picture: height x width x 3, RGB.

    Returns:
        height x width, grey: paper near 255, strokes as dark against it as they were.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    scale = min(1.0, SMALL_SIDE / max(height, width))
    small = cv2.resize(
        grey, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    reach = max(3, round(max(small.shape) * REACH)) | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    paper = np.maximum(cv2.medianBlur(np.asarray(paper, dtype=np.uint8), reach), DARKEST).astype(np.uint8)
    whole = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(grey, whole, scale=250), dtype=np.uint8)
