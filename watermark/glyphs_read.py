"""Reads shifted glyphs: lays a picture on a page as it was, and measures how far each glyph stands from its place.

Knows no copies: what is measured is compared with the signs of the copies there are by whoever has the key
(`agreement`). Steps: points that look alike on both give a perspective (glyphs_place.py), blocks of the page laid on
the picture give a smooth field of what is left, and each glyph's own shift is what it has beyond its surroundings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .glyphs_place import Features, features

Plane = NDArray[Any]

_LONGEST = 2600
_SOFT = 1.1
_MARGIN = 4
_NEAR_MM, _WIDE_SHARE = 8.0, 0.02
"""How near glyphs are whose shifts have a part in common; how little what is farther away counts in it."""
_CLIP = 0.7
"""Standard deviations above which shifts count alike: all are of one size, so what is larger is noise."""


@dataclass(frozen=True)
class Leak:
    """A picture somebody found, its light evened out: ink 1, paper 0."""

    ink: Plane

    @cached_property
    def features(self) -> Features:
        """Its points."""
        return features(self.ink)


@dataclass(frozen=True, slots=True)
class Measured:
    """Shifts of a page's glyphs (n x 2: right, down), beyond their surroundings, evened out; 0 where a glyph was not
    seen. How many were seen.
    """

    shifts: NDArray[np.float32]
    seen: int


def leak_of(picture: NDArray[np.uint8]) -> Leak:
    """A picture (RGB) of any size, brought to at most 2600 pixels."""
    rate = _LONGEST / max(picture.shape[:2])
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if rate < 1:
        gray = cv2.resize(gray, None, fx=rate, fy=rate, interpolation=cv2.INTER_AREA)
    return Leak(ink_of(np.asarray(gray, np.uint8)))


def ink_of(gray: NDArray[np.uint8]) -> Plane:
    """How much of the paper's light is missing, 0 to 1, whatever the light."""
    side = max(15, round(max(gray.shape) / 60) | 1)
    small = cv2.resize(gray, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    kernel = np.ones((side // 4 | 1, side // 4 | 1), np.uint8)
    paper = cv2.GaussianBlur(cv2.dilate(small, kernel), (0, 0), side / 8)
    level = cv2.resize(paper, (gray.shape[1], gray.shape[0]), interpolation=cv2.INTER_LINEAR)
    ink: Plane = 1.0 - gray.astype(np.float32) / np.maximum(level.astype(np.float32), 20.0)
    return np.clip(ink, 0.0, 1.0)


def measure(leak: Leak, page: Plane, glyphs: NDArray[np.int32], matrix: Plane, per_mm: float) -> Measured:
    """How far each glyph stands from its place.

    Args:
        page: ink (0 to 1) of the page as it was, `per_mm` pixels a mm.
        glyphs: as `glyphs.boxes` found them on it.
        matrix: takes the page's pixels to the leak's (3 x 3).
    """
    soft = cv2.GaussianBlur(page, (0, 0), _SOFT)
    size = (page.shape[1], page.shape[0])
    laid = cv2.warpPerspective(
        leak.ink, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderValue=-1.0
    )
    seen = cv2.warpPerspective(
        np.ones_like(leak.ink), matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    shifts, sure = _coarse(cv2.GaussianBlur(laid, (0, 0), _SOFT), soft, seen, glyphs, per_mm)
    if np.count_nonzero(sure) < 8:
        return Measured(np.zeros((len(glyphs), 2), np.float32), 0)
    centres = np.stack([(glyphs[:, 0] + glyphs[:, 2]) / 2, (glyphs[:, 1] + glyphs[:, 3]) / 2], axis=1)
    field = _field(centres, shifts, sure, page.shape, per_mm)
    rows, columns = np.indices(page.shape, np.float32)
    at_x, at_y = columns + field[:, :, 0], rows + field[:, :, 1]
    below = matrix[2, 0] * at_x + matrix[2, 1] * at_y + matrix[2, 2]
    map_x = (matrix[0, 0] * at_x + matrix[0, 1] * at_y + matrix[0, 2]) / below
    map_y = (matrix[1, 0] * at_x + matrix[1, 1] * at_y + matrix[1, 2]) / below
    laid = cv2.remap(leak.ink, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_CUBIC)
    laid = cv2.GaussianBlur(laid, (0, 0), _SOFT)
    fine, good = _fine(laid, soft, seen, glyphs)
    good &= sure
    return _alone(centres, fine / per_mm, good, per_mm)


def agreement(measured: Sequence[NDArray[np.floating]], signs: Sequence[NDArray[np.int8]]) -> float:
    """z: how surely the shifts measured on some pages are those of the copy with these signs.

    For a copy that had no part in the picture it is a sum of independent signs of given sizes over its standard
    deviation, whatever was measured: P(z >= t) <= exp(-t * t / 2) (Hoeffding 1963, theorem 2).
    """
    total = sum(
        float((shifts * way[: len(shifts)]).sum()) for shifts, way in zip(measured, signs, strict=True)
    )
    spread = sum(float(np.square(shifts, dtype=np.float64).sum()) for shifts in measured) ** 0.5
    return total / spread if spread > 0 else 0.0


def _coarse(
    laid: Plane, soft: Plane, seen: Plane, glyphs: NDArray[np.int32], per_mm: float
) -> tuple[Plane, NDArray[np.bool_]]:
    """Shift of each glyph to whole pixels, searched two mm around at half size; which ones are sure."""
    half = cv2.resize(laid, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    page = cv2.resize(soft, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    reach = round(1.0 * per_mm)
    shifts, sure = np.zeros((len(glyphs), 2)), np.zeros(len(glyphs), bool)
    height, width = half.shape
    for number, (left, top, right, bottom) in enumerate((glyphs // 2).tolist()):
        x0, y0, x1, y1 = left - 1, top - 1, right + 2, bottom + 2
        if min(x0, y0) < reach or x1 + reach > width or y1 + reach > height:
            continue
        if seen[2 * top, 2 * left] < 0.5 or seen[2 * bottom, 2 * right] < 0.5:
            continue
        scores = cv2.matchTemplate(
            half[y0 - reach : y1 + reach, x0 - reach : x1 + reach], page[y0:y1, x0:x1], cv2.TM_CCOEFF_NORMED
        )
        _, best, _, (column, row) = cv2.minMaxLoc(scores)
        shifts[number] = 2 * (column - reach), 2 * (row - reach)
        sure[number] = best > 0.6
    return shifts, sure


def _field(
    centres: Plane, shifts: Plane, sure: NDArray[np.bool_], shape: tuple[int, ...], per_mm: float
) -> Plane:
    """The shifts for every pixel, smooth; glyphs that disagree with their surroundings do not count."""
    step = 4.0 * per_mm
    columns, rows = int(shape[1] / step) + 2, int(shape[0] / step) + 2
    at = np.clip(np.round(centres / step).astype(int), 0, [columns - 1, rows - 1])
    for _ in range(3):
        total = np.zeros((rows, columns, 3), np.float32)
        np.add.at(
            total,
            (at[sure, 1], at[sure, 0]),
            np.column_stack([shifts[sure], np.ones(np.count_nonzero(sure))]),
        )
        spread = cv2.GaussianBlur(total, (0, 0), 2.0, borderType=cv2.BORDER_CONSTANT)
        wide = cv2.GaussianBlur(total, (0, 0), 12.0, borderType=cv2.BORDER_CONSTANT)
        spread = np.asarray(spread + np.float32(0.02) * wide + np.float32(1e-6), np.float32)
        grid = np.asarray(spread[:, :, :2] / spread[:, :, 2:], np.float32)
        off = np.abs(shifts - grid[at[:, 1], at[:, 0]]).max(axis=1)
        near = np.asarray(off < max(2.5, 3.0 * float(np.median(off[sure])) if sure.any() else 2.5), bool)
        sure &= near
    across = (np.arange(shape[1], dtype=np.float32)) / np.float32(step)
    down = (np.arange(shape[0], dtype=np.float32)) / np.float32(step)
    map_x, map_y = np.meshgrid(np.clip(across, 0, columns - 1), np.clip(down, 0, rows - 1))
    return cv2.remap(grid, map_x, map_y, cv2.INTER_LINEAR)


def _fine(
    laid: Plane, soft: Plane, seen: Plane, glyphs: NDArray[np.int32]
) -> tuple[Plane, NDArray[np.bool_]]:
    """Shift of each glyph in parts of a pixel: least squares of ink on the page's ink, its slopes and a constant
    (Lucas and Kanade 1981), twice; which ones fit."""
    slope_x = cv2.Scharr(soft, cv2.CV_32F, 1, 0, scale=1 / 32)
    slope_y = cv2.Scharr(soft, cv2.CV_32F, 0, 1, scale=1 / 32)
    out, good = np.zeros((len(glyphs), 2)), np.zeros(len(glyphs), bool)
    height, width = laid.shape
    for number, (left, top, right, bottom) in enumerate(glyphs.tolist()):
        x0, y0, x1, y1 = (
            max(0, left - _MARGIN),
            max(0, top - _MARGIN),
            min(width, right + _MARGIN),
            min(height, bottom + _MARGIN),
        )
        if seen[y0:y1:8, x0:x1:8].min() < 0.5:
            continue
        model = np.stack(
            [part[y0:y1, x0:x1].ravel() for part in (soft, slope_x, slope_y)]
            + [np.ones((y1 - y0) * (x1 - x0), np.float32)]
        )
        there = laid[y0:y1, x0:x1].ravel()
        gain, by_x, by_y, _ = np.linalg.solve(model @ model.T + 1e-4 * np.eye(4), model @ there)
        if gain < 0.2:
            continue
        out[number] = -by_x / gain, -by_y / gain
        good[number] = np.abs(out[number]).max() < 3.0
    return out, good


def _alone(centres: Plane, values: Plane, good: NDArray[np.bool_], per_mm: float) -> Measured:
    """The values without what a glyph's surroundings have in common, clipped, in standard deviations."""
    shifts = np.zeros((len(values), 2), np.float32)
    places = np.flatnonzero(good)
    if len(places) < 8:
        return Measured(shifts, 0)
    apart = np.square(centres[places, None] - centres[None, places]).sum(axis=2) / (_NEAR_MM * per_mm) ** 2
    near = np.exp(-apart / 2)
    np.fill_diagonal(near, 0.0)
    for axis in (0, 1):
        here = values[places, axis]
        middle = float(np.median(here))
        share = near * (np.abs(here - middle) < 0.3)[None, :]
        common = (share @ here + _WIDE_SHARE * middle) / (share.sum(axis=1) + _WIDE_SHARE)
        left = here - common
        level = float(np.median(np.abs(left))) / 0.6745 + 1e-9
        even = np.clip(left / level, -_CLIP, _CLIP) * (np.abs(left) < 5 * level)
        shifts[places, axis] = even
    return Measured(shifts, len(places))
