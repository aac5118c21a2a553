"""Folds of the paper, told from printed rules: a fold runs straight over the whole sheet, through both its margins.

No printer and hardly any form prints within a few millimetres of the edge, so a thin dark line that shows there on
both sides, and all the way between, is a fold, however dark a copier made it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

FROM_MM, TO_MM = 1.5, 8.5
"""Where the margins are looked at, from the edge of the paper; wide tables begin further in."""
STEEPEST = 0.03
"""Folds run along the sheet's sides, or nearly so: millimetres down per millimetre across."""
CLEAR = 6.0
"""Levels by which a fold stands out in a margin at least, …"""
NOISE = 5.0
"""… and times the scatter of that margin."""
IN_MARGIN, BETWEEN = 0.7, 0.75
"""Part of a margin, and of the way between, on which it shows."""
WEAKEST = 0.35
"""It shows where it is this part as dark as in the margins."""
MOST_PLACES = 12
HALF_MM = 0.5
"""A fold reaches so far to either side of its middle."""
DARKER, MORE = 1.4, 10.0
"""Ink on a fold so much darker than the fold itself is a rule that runs along it, and stays."""
APART_MM = 2.0

Mask = NDArray[np.uint8]
Sheet = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Corners of the paper on the picture, pixels: top left, top right, bottom right, bottom left."""


@dataclass(frozen=True, slots=True)
class Crease:
    """A fold from the left margin to the right: the height in pixels at both, and how dark it is there (levels)."""

    left: tuple[float, float]
    right: tuple[float, float]
    dark: float

    def height(self, across: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where it runs, pixels down for pixels across."""
        (x0, y0), (x1, y1) = self.left, self.right
        return np.asarray(y0 + (across - x0) * (y1 - y0) / max(1.0, x1 - x0), np.float64)


def without_creases(thin: Mask, mm: float, *, level: bool, sheet: Sheet | None = None) -> Mask:
    """The darkness of thin strokes with what belongs to folds taken out.

    Args:
        thin: how much darker than the paper beside it each pixel is, of strokes that run across (`level`) or down.
        mm: pixels a millimetre.
        level: whether they run across.
        sheet: where the paper lies on the picture; None: everywhere.
    """
    if sheet is None:
        high, wide = thin.shape
        sheet = ((0.0, 0.0), (wide, 0.0), (wide, high), (0.0, high))
    if not level:
        a, b, c, d = sheet
        turned = ((a[1], a[0]), (d[1], d[0]), (c[1], c[0]), (b[1], b[0]))
        found = without_creases(np.ascontiguousarray(thin.T), mm, level=True, sheet=turned)
        return np.ascontiguousarray(found.T)
    creases = find_creases(thin, mm, sheet)
    if not creases:
        return thin
    cleaned = thin.copy()
    across = np.arange(thin.shape[1])
    for crease in creases:
        middle = crease.height(across.astype(np.float64))
        for away in range(-round(HALF_MM * mm) - 1, round(HALF_MM * mm) + 2):
            down = np.clip(np.rint(middle + away).astype(int), 0, thin.shape[0] - 1)
            along = thin[down, across]
            cleaned[down, across] = np.where(along < DARKER * crease.dark + MORE, 0, along)
    return cleaned


def find_creases(thin: Mask, mm: float, sheet: Sheet) -> list[Crease]:
    """The folds that run across a level sheet."""
    top_left, top_right, bottom_right, bottom_left = sheet
    west = _margin(thin, mm, top_left, bottom_left, inward=1)
    east = _margin(thin, mm, top_right, bottom_right, inward=-1)
    lefts, rights = _places(west[0], mm), _places(east[0], mm)
    steepest = STEEPEST * thin.shape[1] + mm
    found: list[tuple[float, Crease]] = []
    for (y0, dark0), (y1, dark1) in product(lefts, rights):
        if abs(y0 - y1) > steepest:
            continue
        crease = Crease((float(west[1][y0]), float(y0)), (float(east[1][y1]), float(y1)), max(dark0, dark1))
        share = _share(thin, crease)
        if share >= BETWEEN:
            found.append((crease.dark * share, crease))
    kept: list[Crease] = []
    for _, crease in sorted(found, key=lambda one: -one[0]):
        # the shadow beside a fold is a second, weaker one
        if not any(_beside(crease, other, APART_MM * mm) for other in kept):
            kept.append(crease)
    return kept


def _beside(one: Crease, other: Crease, apart: float) -> bool:
    return abs(one.left[1] - other.left[1]) <= apart or abs(one.right[1] - other.right[1]) <= apart


def _margin(
    thin: Mask, mm: float, top: tuple[float, float], bottom: tuple[float, float], *, inward: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The strip along one side of the paper, row by row, and the middle of each row's strip."""
    high, wide = thin.shape
    rows = np.arange(high)
    edge = top[0] + (rows - top[1]) * (bottom[0] - top[0]) / max(1.0, bottom[1] - top[1])
    steps = inward * np.arange(round(FROM_MM * mm), round(TO_MM * mm) + 1)
    places = np.clip(np.rint(edge[:, None] + steps[None, :]).astype(int), 0, wide - 1)
    strip = np.asarray(thin[rows[:, None], places], np.float32)
    return strip, np.asarray(edge + inward * (FROM_MM + TO_MM) / 2 * mm, np.float64)


def _places(strip: NDArray[np.float32], mm: float) -> list[tuple[int, float]]:
    """The rows in which a margin shows a line from side to side, with its darkness; the clearest first."""
    # a line that is not quite level goes from one row to the next within the strip
    wider = np.asarray(cv2.dilate(strip, np.ones((3, 1), np.uint8)), np.float32)
    means = wider.mean(axis=1)
    usual = float(np.median(means))
    scatter = 1.48 * float(np.median(np.abs(means - usual)))
    clear = means - usual
    found: list[tuple[int, float]] = []
    for row in np.argsort(-clear).tolist():
        if clear[row] < max(CLEAR, NOISE * scatter) or len(found) >= MOST_PLACES:
            break
        if any(abs(row - other) < mm for other, _ in found):
            continue
        dark = float(np.median(wider[row]))
        shows = wider[row] > usual + WEAKEST * max(0.0, dark - usual)
        if dark > usual and shows.mean() >= IN_MARGIN:
            found.append((int(row), dark))
    return found


def _share(thin: Mask, crease: Crease) -> float:
    """On how much of the way from margin to margin it shows."""
    across = np.arange(max(0, int(crease.left[0])), min(thin.shape[1], int(crease.right[0]) + 1))
    if not len(across):
        return 0.0
    middle = np.rint(crease.height(across.astype(np.float64))).astype(int)
    near = [thin[np.clip(middle + away, 0, thin.shape[0] - 1), across] for away in range(-2, 3)]
    return float((np.max(near, axis=0) > max(8.0, 0.45 * crease.dark)).mean())
