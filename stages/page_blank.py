"""Whether a page has anything on it that could be read."""

from __future__ import annotations

import cv2
import numpy as np

from .page_ink import Ink

LEAST_MM = 1.2
"""A stroke of type is at least this high or wide; smaller is dust."""


def is_blank(ink: Ink) -> bool:
    """True when no stroke on the page is of the size of type (dust, show-through and borders do not count).

    A lone page number is not blank: it is read.
    """
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink.mask.astype(np.uint8), connectivity=8)
    if count == 1:
        return True
    pixels = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    return not bool((pixels / ink.dpi * 25.4 >= LEAST_MM).any())
