"""Reads shifted glyphs: lays a picture on a page as it was, and measures how far each glyph stands from its place.

Knows no copies: what is measured is compared with the signs of the copies there are by whoever has the key
(`agreement`). Steps: points that look alike on both (ORB) give a perspective, blocks of the page laid on the picture
give a smooth field of what is left, and each glyph's own shift is what it has beyond its surroundings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]

_FEATURES = 1500
_CHOICE, _CELLS = 4, 16
"""Points looked at for each that is kept; parts of a picture's longer side that get as many of them."""
_LONGEST = 2600
_INLIERS = 14
_ALIKE = 80
"""Bits of 256 in which two points that look alike may differ, where they are where they should be."""
_SURELY = 100
"""Points that agree by the first guess so that no other need be made."""
_ONES = np.ones(4, np.int64)
_SOFT = 1.1
_MARGIN = 4
_NEAR_MM, _WIDE_SHARE = 8.0, 0.02
"""How near glyphs are whose shifts have a part in common; how little what is farther away counts in it."""
_CLIP = 0.7
"""Standard deviations above which shifts count alike: all are of one size, so what is larger is noise."""


@dataclass(frozen=True, slots=True)
class Features:
    """Points of a picture and what they look like (n x 2 pixels; n x 32 bytes)."""

    points: NDArray[np.float32]
    marks: NDArray[np.uint8]


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


def features(ink: Plane, most: int = _FEATURES) -> Features:
    """The strongest points of a picture's ink, from all its parts alike: a seal must not take them all."""
    picture = np.asarray(255 - cv2.GaussianBlur(ink, (0, 0), 1.5) * 255, np.uint8)
    finder = cv2.ORB.create(
        nfeatures=_CHOICE * most, scaleFactor=1.25, nlevels=8, patchSize=41, edgeThreshold=21, fastThreshold=6
    )
    every = finder.detect(picture, None)
    if len(every) > most:
        cell = max(24.0, max(ink.shape) / _CELLS)
        taken: dict[tuple[int, int], int] = {}
        ranked: list[tuple[int, int, cv2.KeyPoint]] = []
        for point in sorted(every, key=lambda point: -point.response):
            place = int(point.pt[0] / cell), int(point.pt[1] / cell)
            rank = taken[place] = taken.get(place, 0) + 1
            ranked.append((rank, len(ranked), point))
        every = tuple(point for _, _, point in sorted(ranked, key=lambda item: item[:2])[:most])
    points, marks = finder.compute(picture, every)
    if marks is None:
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8))
    return Features(np.array([point.pt for point in points], np.float32), np.asarray(marks, np.uint8))


def place(leak: Features, page: Features, *, least: int = _INLIERS) -> tuple[Plane, int] | None:
    """The perspective that takes points of the page to the leak's, and how many agree; None if too few do.

    Words repeat on a page, so of the points that look alike many lie elsewhere. A first guess, a similarity or a
    perspective, comes from those that look like one point alone; by it each point is looked for again where it should
    be, twice. The guess that gathers more points wins.
    """
    if min(len(leak.points), len(page.points)) < least:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(leak.marks, page.marks, k=2)
    near = [a for a, b in pairs if a.distance < 0.85 * b.distance or a.distance < 30]
    if len(near) < least:
        return None
    here = np.array([leak.points[a.queryIdx] for a in near])
    there = np.array([page.points[a.trainIdx] for a in near])
    similar, _ = cv2.estimateAffinePartial2D(
        there, here, method=cv2.RANSAC, ransacReprojThreshold=6.0, maxIters=4000, confidence=0.999
    )
    best = None if similar is None else _grown(leak, page, np.vstack([similar, [0.0, 0.0, 1.0]]), least)
    if best is not None and best[1] >= _SURELY:
        return best
    matrix, _ = cv2.findHomography(
        there, here, method=cv2.USAC_MAGSAC, ransacReprojThreshold=4.0, maxIters=4000
    )
    other = None if matrix is None else _grown(leak, page, np.asarray(matrix, float), least)
    if best is None or other is None:
        return best or other
    return max(best, other, key=lambda grown: grown[1])


def _grown(leak: Features, page: Features, matrix: Plane, least: int) -> tuple[Plane, int] | None:
    """The perspective through all points that look alike near where the guess puts them; None where it is none."""
    count = 0
    for reach in (12.0, 6.0):
        if not _plausible(matrix, leak):
            return None
        at = cv2.perspectiveTransform(page.points[None], matrix.astype(np.float32))[0]
        near = np.abs(leak.points[:, 0, None] - at[None, :, 0]) < reach
        near &= np.abs(leak.points[:, 1, None] - at[None, :, 1]) < reach
        rows, columns = np.nonzero(near)
        if len(rows) < least:
            return None
        differ = leak.marks.view(np.uint64)[rows] ^ page.marks.view(np.uint64)[columns]
        unlike = np.bitwise_count(differ) @ _ONES
        order = np.argsort(unlike, kind="stable")
        order = order[unlike[order] < _ALIKE]
        _, first = np.unique(rows[order], return_index=True)
        pick = order[np.sort(first)]
        _, first = np.unique(columns[pick], return_index=True)
        pick = pick[np.sort(first)]
        if len(pick) < least:
            return None
        better, mask = cv2.findHomography(
            page.points[columns[pick]], leak.points[rows[pick]], method=cv2.USAC_MAGSAC,
            ransacReprojThreshold=3.0, maxIters=2000,
        )  # fmt: skip
        if better is None:
            return None
        matrix, count = np.asarray(better, float), int(mask.sum())
    return (matrix, count) if count >= least and _plausible(matrix, leak) else None


def _plausible(matrix: Plane, leak: Features) -> bool:
    """Whether a page can look so: not from its back, and nowhere much larger than elsewhere."""
    back = np.linalg.inv(matrix) if abs(np.linalg.det(matrix)) > 1e-12 else None
    if back is None:
        return False
    low, high = leak.points.min(axis=0), leak.points.max(axis=0)
    corners = np.array([low, (high[0], low[1]), high, (low[0], high[1])], np.float64)
    depth = corners @ back[2, :2] + back[2, 2]
    if depth.min() <= 0 < depth.max() or np.abs(depth).min() < 1e-6:
        return False
    on_page = cv2.perspectiveTransform(corners[None], back)[0]
    sides = np.roll(on_page, -1, axis=0) - on_page
    crosses = sides[:, 0] * np.roll(sides[:, 1], -1) - sides[:, 1] * np.roll(sides[:, 0], -1)
    lengths = np.linalg.norm(sides, axis=1) / np.maximum(
        np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1), 1.0
    )
    return bool(
        (crosses > 0).all()
        and lengths.min() > 0.1
        and lengths.max() < 10.0
        and lengths.max() < 3.0 * lengths.min()
    )


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
