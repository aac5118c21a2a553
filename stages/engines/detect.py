"""Where text stands on a page: PP-OCRv6's detector and the boxes around what it marks (DB, arXiv 1911.08947)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...formats.opened import Picture
from ...formats.pixels import shrink
from .engine import Quad
from .network import Network, Tensor

SIDE = 960
"""Pixels of the longer side the detector sees. At 736 it begins to lose text, 1280 gains nothing (measured)."""
STEP = 32
"""The network halves its input five times."""
MARKED = 0.3
"""A pixel this sure belongs to text."""
SURE = 0.5
"""A box whose pixels are less sure on the average is left out."""
GROWTH = 1.6
"""The network marks the core of a line; the box is that much wider all round (area by perimeter)."""
NARROWEST = 160
"""Pixels of the shorter side that the network needs."""
THINNEST = 3.0
MOST_BOXES = 3000

MOST_BENDS = 2
"""How often a piece is cut where it bends."""
LONG = 3.0
"""Shorter pieces, in their heights, are not cut: what is no line has many bends."""
NEARLY = 1.12
CUTS = 96
"""Places along a piece that are tried."""

Corners = NDArray[np.float64]
Contour = NDArray[np.int32]
Turned = tuple[tuple[float, float], tuple[float, float], float]
"""A turned box as OpenCV gives it: middle, width and height, degrees."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector ready to run."""

    network: Network

    def find(self, picture: Picture, *, side: int = SIDE) -> list[Quad]:
        """Quads around the pieces of text, in pixels of `picture` (height x width x 3, RGB), in no order."""
        height, width = picture.shape[:2]
        scale = min(1.0, side / max(height, width))
        wide, high = (max(STEP, round(int(length * scale) / STEP) * STEP) for length in (width, height))
        small = shrink(picture, (wide, high))
        right, below = max(0, NARROWEST - wide), max(0, NARROWEST - high)
        if right or below:
            # The network finds nothing on a picture of a few rows: paper is added on two sides.
            framed = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_REPLICATE)
            small = np.asarray(framed, np.uint8)
        # Trained on blue, green, red; brightness from -1 to 1.
        tensor = cv2.dnn.blobFromImage(small, scalefactor=1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
        marked = self.network.run(np.asarray(tensor, dtype=np.float32))[0, 0]
        return _boxes(marked, across=width / wide, down=height / high, size=(width, height))


def _boxes(marked: Tensor, *, across: float, down: float, size: tuple[int, int]) -> list[Quad]:
    mask = cv2.dilate((marked > MARKED).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours[:MOST_BOXES]:
        for middle, (wide, high), angle in _boxes_of(np.asarray(contour, np.int32), marked):
            grow = 2 * GROWTH * wide * high / (2 * (wide + high))
            corners = _corners(middle, wide + grow, high + grow, angle) * (across, down)
            corners[:, 0] = corners[:, 0].clip(0, size[0] - 1)
            corners[:, 1] = corners[:, 1].clip(0, size[1] - 1)
            quad = _ordered(corners)
            if (
                min(np.hypot(*np.subtract(quad[1], quad[0])), np.hypot(*np.subtract(quad[3], quad[0])))
                > THINNEST
            ):
                found.append(quad)
    return found


def _boxes_of(contour: Contour, marked: Tensor, *, bends: int = MOST_BENDS) -> list[Turned]:
    """The box around a piece that was marked; of a piece that bends, one for each straight part.

    A line of print and what was scribbled beside it, a little higher, are marked as one piece: the box around both is
    mostly paper, and the whole line would be left out for it.
    """
    middle, (wide, high), angle = cv2.minAreaRect(contour)
    box: Turned = ((middle[0], middle[1]), (wide, high), angle)
    if min(wide, high) < THINNEST:
        return []
    if _mean(marked, _corners(middle, wide, high, angle)) >= SURE:
        return [box]
    if not bends or max(wide, high) < LONG * min(wide, high) or _mean_inside(marked, contour) < SURE:
        return []
    return [part for half in _halves(contour) for part in _boxes_of(half, marked, bends=bends - 1)]


def _halves(contour: Contour) -> list[Contour]:
    """A piece cut across where the boxes around the two parts are smallest together."""
    left, top, wide, high = cv2.boundingRect(contour)
    filled = np.zeros((high, wide), np.uint8)
    cv2.fillPoly(filled, [np.asarray(contour, np.int32) - (left, top)], (1,))
    points = np.argwhere(filled)[:, ::-1].astype(np.int32)
    along = points[:, 0 if wide >= high else 1]
    corner = np.array((left, top))
    tried: list[tuple[float, int, list[Contour]]] = []
    for cut in np.linspace(0, max(wide, high), CUTS + 2)[1:-1]:
        parts = [points[along < cut], points[along >= cut]]
        if min(len(part) for part in parts) == 0:
            continue
        area = sum((size[0] + 1) * (size[1] + 1) for _, size, _ in map(cv2.minAreaRect, parts))
        longer = max(len(part) for part in parts)
        tried.append((area, longer, [np.asarray(part + corner, np.int32)[:, None] for part in parts]))
    least = min((area for area, _, _ in tried), default=0.0)
    # Where the line thins out towards the scribble its last character still belongs to it.
    return max(
        (one for one in tried if one[0] <= NEARLY * least), key=lambda one: one[1], default=(0, 0, [])
    )[2]


def _mean_inside(marked: Tensor, contour: Contour) -> float:
    """Mean of the pixels inside the piece itself."""
    left, top, wide, high = cv2.boundingRect(contour)
    inside = np.zeros((high, wide), np.uint8)
    cv2.fillPoly(inside, [np.asarray(contour, np.int32) - (left, top)], (1,))
    return float(cv2.mean(marked[top : top + high, left : left + wide], inside)[0])


def _corners(middle: Sequence[float], wide: float, high: float, angle: float) -> Corners:
    return np.asarray(cv2.boxPoints(((middle[0], middle[1]), (wide, high), angle)), dtype=np.float64)


def _mean(marked: Tensor, corners: Corners) -> float:
    """Mean of the pixels inside a quad."""
    height, width = marked.shape
    left, top = (max(0, int(value)) for value in np.floor(corners.min(axis=0)))
    right, bottom = (int(value) for value in np.ceil(corners.max(axis=0)))
    right, bottom = min(width - 1, right), min(height - 1, bottom)
    if right < left or bottom < top:
        return 0.0
    inside = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - (left, top)).astype(np.int32)], 1.0)
    return float(cv2.mean(marked[top : bottom + 1, left : right + 1], inside)[0])


def _ordered(corners: Corners) -> Quad:
    """Top left, top right, bottom right, bottom left."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    top_left, bottom_left = sorted(by_x[:2].tolist(), key=lambda point: point[1])
    top_right, bottom_right = sorted(by_x[2:].tolist(), key=lambda point: point[1])
    return (
        (top_left[0], top_left[1]), (top_right[0], top_right[1]),
        (bottom_right[0], bottom_right[1]), (bottom_left[0], bottom_left[1]),
    )  # fmt: skip
