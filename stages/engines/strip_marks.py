"""Marks that Tesseract cannot read: the star of a 密级, the triangle of a 商密, the dashes around a page number.

All are told by their shape. The piece is cut there, so that the engine sees characters of its own kind alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .page_strips import Box, Grey

SIDE = 48
"""Pixels to which ink is brought before it is compared with a sign."""
STAR, TRIANGLE = "★", "▲"
ALIKE = 0.8
"""Common part of ink and sign in all that either covers; 大 and 文 of the boldest type stay below 0.6."""
HIGH, SHAPE = (0.45, 1.25), (0.8, 1.3)
"""Height of a sign in heights of its line, and width by height."""
SMALLEST = 9
"""Pixels of the smallest sign that still has its shape."""
INNER_POINT = 0.382
"""Radius of a star's inner corners, the outer ones at 1 (both sides of the pentagram meet there)."""
DASH_LOW, DASH_WIDE = 0.3, 0.45
"""A dash is at most so high and at least so wide, in heights of the piece's tallest ink."""
OFF_MIDDLE = 0.3
"""How far from the middle of the digits it may stand, in their heights."""


def cut_at_signs(paper: Grey, boxes: Iterable[Box]) -> tuple[tuple[Box, ...], dict[Box, str]]:
    """The boxes, cut where a sign stands in one of several characters; and the signs' own boxes, with what they are.

    Args:
        paper: the page, dark on white.
        boxes: left, top, right, bottom of the pieces of text, pixels.
    """
    pieces: list[Box] = []
    signs: dict[Box, str] = {}
    for box in boxes:
        found = _signs(paper, box)
        signs |= found
        left, top, right, bottom = box
        for sign in found:
            if sign[0] - left > (bottom - top) / 4:
                pieces.append((left, top, sign[0], bottom))
            left = sign[2]
        if right - left > (bottom - top) / 4 or not found:
            pieces.append((left, top, right, bottom))
    return tuple(pieces), signs


def between_dashes(paper: Grey, box: Box) -> Box | None:
    """Where the digits of `— 12 —` stand; None when the piece is nothing like it."""
    left, top, _, _ = box
    parts = sorted(_ink(paper, box), key=lambda part: part[0])
    if len(parts) < 3:
        return None
    high = max(bottom - upper for _, upper, _, bottom in parts)
    first, *inner, last = parts
    middle = (min(part[1] for part in inner) + max(part[3] for part in inner)) / 2
    for start, upper, end, lower in (first, last):
        low = lower - upper <= DASH_LOW * high and end - start >= DASH_WIDE * high
        if not low or abs((upper + lower) / 2 - middle) > OFF_MIDDLE * high:
            return None
    if any(part[0] < first[2] or part[2] > last[0] for part in inner):
        return None
    return (
        left + min(part[0] for part in inner), top + min(part[1] for part in inner),
        left + max(part[2] for part in inner), top + max(part[3] for part in inner),
    )  # fmt: skip


def _signs(paper: Grey, box: Box) -> dict[Box, str]:
    left, top, right, bottom = box
    high = bottom - top
    if right - left < 2 * high:
        return {}
    found: dict[Box, str] = {}
    for start, upper, end, lower in sorted(_ink(paper, box)):
        tall, wide = lower - upper, end - start
        if tall < SMALLEST or not HIGH[0] * high <= tall <= HIGH[1] * high:
            continue
        part = paper[top + upper : top + lower, left + start : left + end]
        sign = _sign(part) if SHAPE[0] * tall <= wide <= SHAPE[1] * tall else None
        if sign is not None:
            found[(left + start, top, left + end, bottom)] = sign
    return found


def _ink(paper: Grey, box: Box) -> list[Box]:
    """Boxes of the connected ink of a piece, within it; specks left out."""
    left, top, right, bottom = box
    part = paper[top:bottom, left:right]
    if part.size == 0:
        return []
    _, dark = cv2.threshold(part, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    least = max(2, (bottom - top) ** 2 // 300)
    return [(x, y, x + wide, y + high) for x, y, wide, high, area in stats[1:].tolist() if area >= least]


def _sign(part: Grey) -> str | None:
    large = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    _, dark = cv2.threshold(large, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    ink = dark > 0
    for sign, shape in _shapes().items():
        if int((ink & shape).sum()) >= ALIKE * int((ink | shape).sum()):
            return sign
    return None


@cache
def _shapes() -> dict[str, NDArray[np.bool_]]:
    """The signs as they fill a square."""
    angles = np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2 == 0, 1.0, INNER_POINT)
    star = np.stack([radii * np.sin(angles), -radii * np.cos(angles)], axis=1)
    return {STAR: _filled(star), TRIANGLE: _filled(np.array([(0.5, 0.0), (1.0, 1.0), (0.0, 1.0)]))}


def _filled(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    least, most = points.min(axis=0), points.max(axis=0)
    corners = ((points - least) / (most - least) * (SIDE - 1)).round().astype(np.int32)
    drawn = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(drawn, [corners], (1.0,))
    return drawn > 0
