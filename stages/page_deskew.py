"""Straightens a page: the angle at which its rows of ink are sharpest (projection profile)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .page_ink import Ink

WIDEST = 10.0
"""Degrees to either side that are tried; a page turned further was laid in wrongly and is not skew."""
COARSE, FINE = 0.5, 0.05
LEAST = 0.15
"""Degrees below which turning would blur more than it straightens (0.4 mm over the text width)."""
SHARPER = 1.25
"""The best angle must beat the typical one by this factor: a photograph or a drawing has no rows."""
MOST_POINTS = 20_000
FEWEST_POINTS = 200

Matrix = NDArray[np.float64]
"""3 x 3, from pixels of the page before to pixels of the page after (homogeneous coordinates)."""


def find_skew(ink: Ink) -> float:
    """Degrees by which the text runs downhill to the right (negative: uphill), 0 when there is no telling."""
    down, across = np.nonzero(ink.mask)
    if len(down) < FEWEST_POINTS:
        return 0.0
    step = max(1, len(down) // MOST_POINTS)
    y, x = down[::step].astype(np.float64), across[::step].astype(np.float64)
    coarse = np.arange(-WIDEST, WIDEST + COARSE / 2, COARSE)
    scores = np.array([_sharpness(y, x, angle) for angle in coarse])
    best = float(coarse[int(scores.argmax())])
    if scores.max() < SHARPER * float(np.median(scores)):
        return 0.0
    fine = np.arange(best - COARSE, best + COARSE + FINE / 2, FINE)
    angle = float(fine[int(np.argmax([_sharpness(y, x, tried) for tried in fine]))])
    return round(angle, 2)


def level(degrees: float, size: tuple[int, int]) -> tuple[Matrix, tuple[int, int]]:
    """How to turn a page of `size` (width, height) back by `degrees`, and the size that keeps every corner."""
    width, height = size
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    wide, high = round(width * cosine + height * sine), round(height * cosine + width * sine)
    turn[0, 2] += (wide - width) / 2
    turn[1, 2] += (high - height) / 2
    return np.vstack([turn, [0.0, 0.0, 1.0]]).astype(np.float64), (wide, high)


def _sharpness(y: NDArray[np.float64], x: NDArray[np.float64], degrees: float) -> float:
    slope = np.tan(np.radians(degrees))
    rows = y - x * slope
    counts = np.bincount((rows - rows.min()).astype(np.int64)).astype(np.float64)
    return float(np.square(np.diff(counts)).sum())
