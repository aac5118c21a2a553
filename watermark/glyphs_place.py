"""Finds on which page a picture lies: points of both that look alike, and the perspective that takes one to the other.

Words repeat, so of the points that look alike many lie elsewhere on the page: only how they lie to each other tells
one page from another. `likeness` asks that of many pages in about a millisecond each, `place` of a few in full. Neither
knows any copy or sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]

_FEATURES = 1500
_CHOICE, _CELLS = 4, 16
"""Points looked at for each that is kept; parts of a picture's longer side that get as many of them."""
_INLIERS = 14
_ALIKE = 80
"""Bits of 256 in which two points that look alike may differ, where they are where they should be."""
_SURELY = 100
"""Points that agree by the first guess so that no other need be made."""
_ONES = np.ones(4, np.int64)
_SKETCH, _OF_PAGE = 250, 350
"""Points of each of two scales by which a picture is compared with many pages; points of a page that are asked."""
_RATIO, _SKETCH_TRIES, _SKETCH_REACH = 0.85, 300, 6.0


@dataclass(frozen=True, slots=True)
class Features:
    """Points of a picture and what they look like (n x 2 pixels; n x 32 bytes)."""

    points: NDArray[np.float32]
    marks: NDArray[np.uint8]


def pack(one: Features) -> bytes:
    """Points as bytes: their places (f32, right and down), then their marks."""
    return one.points.astype("<f4").tobytes() + one.marks.tobytes()


def unpack_points(data: bytes, at: int, count: int) -> tuple[Features, int]:
    """So many points from bytes, from a place on; the place behind them.

    Raises:
        ValueError: the bytes are too few.
    """
    end = at + count * 40
    if count < 0 or len(data) < end:
        raise ValueError("points cut off")
    places = np.frombuffer(data, "<f4", 2 * count, at).astype(np.float32).reshape(-1, 2)
    return Features(places, np.frombuffer(data, np.uint8, 32 * count, at + 8 * count).reshape(-1, 32)), end


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


def sketch(ink: Plane) -> Features:
    """A few points of a picture's ink, at its own scale and at half of it: what is scanned finely is small there."""
    half: Plane = cv2.resize(ink, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    fine, coarse = features(ink, _SKETCH), features(half, _SKETCH)
    return Features(
        np.concatenate([fine.points, coarse.points * np.float32(2)]),
        np.concatenate([fine.marks, coarse.marks]),
    )


def likeness(leak: Features, page: Features) -> int:
    """How many points of a picture's sketch lie on a page as one similarity has them; of a page that it does not show
    about five do. The highest of many tells which page to look at, not whether it is the page.
    """
    if min(len(leak.points), len(page.points)) < 2:
        return 0
    marks = page.marks[:_OF_PAGE]
    apart, which = cv2.batchDistance(leak.marks, marks, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=2)[:2]
    near = np.flatnonzero(apart[:, 0] < _RATIO * apart[:, 1])
    if len(near) < 3:
        return 0
    found, agree = cv2.estimateAffinePartial2D(
        page.points[which[near, 0]], leak.points[near], method=cv2.RANSAC, ransacReprojThreshold=_SKETCH_REACH,
        maxIters=_SKETCH_TRIES, confidence=0.99, refineIters=0,
    )  # fmt: skip
    return 0 if found is None else int(agree.sum())


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
