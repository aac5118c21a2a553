"""Takes the heavy parts of a black seal off the writing under it: on copies, faxes and grey scans a seal has no colour.

Ring and star are thicker than the strokes of type, so what is thick inside the ring goes. The seal's own characters are
as thin as the writing and stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from ..formats.pixels import blobs
from ..models.page import Box
from .page_deseal import LEAST_MM, MOST_MM, ellipse_of
from .page_ink import Ink

THICK_MM = 0.8
"""Strokes of type are thinner (宋体 0.5 mm at 3号, 黑体 0.7), rings of seals thicker (1 to 1.2 mm)."""
GAP_MM = 1.2
"""The ring is broken where it was stamped lightly or a copier lost it."""
SOFT_MM = 0.25
"""The edge of what is taken off."""
WIDEST_MM = 130.0
"""A piece of ring and writing larger than this is a picture or a frame."""
VOTES = 24.0
RING_MM = 1.2
"""How far from the circle its ink may lie."""
SECTORS = 60
LEAST_RING = 0.85
"""Part of the directions in which the ring was found."""
MOST_FILLED = 0.4
"""Of the box: a ring with a star fills a quarter; a dark picture fills more."""


def find_black_seals(ink: Ink) -> Iterator[Box]:
    """Boxes of the round rings 27-58 mm across, drawn with a heavy line."""
    pixels = ink.dpi / 25.4
    thick = cv2.morphologyEx(ink.mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(THICK_MM * pixels))
    closed = cv2.morphologyEx(thick, cv2.MORPH_CLOSE, _disc(GAP_MM * pixels))
    height, width = closed.shape
    _, stats = blobs(np.asarray(closed, np.uint8))
    for index in range(1, len(stats)):
        left, top, wide, high, area = (int(value) for value in stats[index])
        longer, shorter = max(wide, high) / pixels, min(wide, high) / pixels
        if shorter < LEAST_MM or longer > WIDEST_MM or area > MOST_FILLED * wide * high:
            continue
        # Writing that touches the ring is part of the piece: the ring is looked for inside it.
        for x, y, radius in _circles(
            np.asarray(thick[top : top + high, left : left + wide], np.uint8), pixels
        ):
            yield Box(
                left=max(0.0, (left + x - radius) / width),
                top=max(0.0, (top + y - radius) / height),
                right=min(1.0, (left + x + radius) / width),
                bottom=min(1.0, (top + y + radius) / height),
            )


def _circles(thick: NDArray[np.uint8], pixels: float) -> Iterator[tuple[float, float, float]]:
    """Middles and outer radii of rings on which there is ink nearly all the way round."""
    edge = round(GAP_MM * pixels)
    framed = cv2.copyMakeBorder(thick * 255, *(edge,) * 4, cv2.BORDER_CONSTANT, value=(0.0,))
    found = cv2.HoughCircles(
        framed, cv2.HOUGH_GRADIENT, dp=1.5, minDist=LEAST_MM * pixels, param1=100, param2=VOTES,
        minRadius=int(LEAST_MM / 2 * pixels), maxRadius=int(MOST_MM / 2 * pixels) + 1,
    )  # fmt: skip
    down, across = np.nonzero(framed)
    for x, y, radius in [] if found is None else found[0].tolist():
        away = np.hypot(across - x, down - y)
        near = np.abs(away - radius) <= RING_MM * pixels
        angles = np.arctan2(down[near] - y, across[near] - x)
        sectors = np.unique(((angles + np.pi) / (2 * np.pi) * SECTORS).astype(int) % SECTORS)
        if len(sectors) >= LEAST_RING * SECTORS:
            outer = float(np.percentile(away[near], 90))
            yield x - edge, y - edge, outer


def clean_black_seals(picture: Picture, seals: Iterable[Box], *, dpi: float) -> Picture:
    """A copy of the page (any resolution) with paper in place of all heavy strokes inside `seals`."""
    cleaned = picture.copy()
    height, width = picture.shape[:2]
    pixels = dpi / 25.4
    for box in seals:
        middle, half = ellipse_of(box, width=width, height=height)
        top, bottom = max(0, int(middle[1] - half[1])), min(height, int(middle[1] + half[1]) + 1)
        left, right = max(0, int(middle[0] - half[0])), min(width, int(middle[0] + half[0]) + 1)
        part = cleaned[top:bottom, left:right]
        grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
        level, dark = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
        y, x = np.ogrid[top:bottom, left:right]
        inside = np.square((x - middle[0]) / half[0]) + np.square((y - middle[1]) / half[1]) <= 1
        heavy = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, _disc(THICK_MM * pixels))
        heavy = cv2.dilate(heavy, _disc(2 * SOFT_MM * pixels))
        paper = np.median(part[grey > level], axis=0) if (grey > level).any() else np.full(3, 255.0)
        part[(heavy > 0) & inside] = paper.astype(np.uint8)
    return cleaned


def _disc(size: float) -> Picture:
    side = max(3, round(size)) | 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), dtype=np.uint8)
