"""Whether a page that was just made shows its dots: read where the grid is known to lie, without a search.

Every place of the grid is looked at where its dot may stand, at four points: what is dark at one and light at the other
three is a dot. dots_read.py reads what somebody found.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .dots import DOT_MM, GRID_MM, MOVED, PLACES, DotKey
from .dots_read import Signs, number
from .tint import TintKey

Plane = NDArray[Any]

_LEAST = 40
"""Levels by which a dot is darker than the other three points."""
_CORNERS = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]])
"""Of the four points: across, down."""


def confirm(page: NDArray[np.uint8], key: TintKey, id: int, *, width_mm: float, height_mm: float) -> bool:
    """Whether a whole page (gray) shows this copy's dots: number and fingerprint."""
    fixed = DotKey(key)
    reading = number(_signs(page, width_mm=width_mm, height_mm=height_mm), fixed)
    return reading is not None and reading.id == id


def _signs(page: NDArray[np.uint8], *, width_mm: float, height_mm: float) -> Signs:
    """What stands at each place of the grid, by tile."""
    height, width = page.shape
    rows, columns = int(height_mm / GRID_MM), int(width_mm / GRID_MM)
    side = max(2, round(DOT_MM * width / width_mm)) + 1
    mean = cv2.blur(page, (side | 1, side | 1))
    seen = np.empty((4, rows, columns))
    for point, (across, down) in enumerate(_CORNERS):
        x = (np.arange(columns) + 0.5 + across * MOVED) * GRID_MM / width_mm * width
        y = (np.arange(rows) + 0.5 + down * MOVED) * GRID_MM / height_mm * height
        seen[point] = mean[np.ix_(_within(y, height), _within(x, width))]
    darkest = seen.argmin(axis=0)
    ordered = np.sort(seen, axis=0)
    clear = (ordered[1] - ordered[0] > _LEAST) & (ordered[3] - ordered[1] < _LEAST)
    grid = _CORNERS[darkest] * clear[:, :, None]
    tiles = [-(-count // PLACES) for count in (rows, columns)]
    padded = np.zeros((tiles[0] * PLACES, tiles[1] * PLACES, 2))
    padded[:rows, :columns] = grid
    shaped = padded.reshape(tiles[0], PLACES, tiles[1], PLACES, 2).swapaxes(1, 2).reshape(*tiles, -1)
    return Signs(shaped, int(clear.sum()))


def _within(values: Plane, most: int) -> NDArray[np.intp]:
    return np.clip(np.floor(values), 0, most - 1).astype(np.intp)
