"""Takes a red seal off the writing under it (署名 and 成文日期, GB/T 9704-2012 §7.3.5).

Only a round red mark of a seal's size is touched, and inside it only its red is taken away: the red channel
shows black ink dark and red ink bright. The red letterhead and rules stay. It cannot work on grey or
black-and-white scans, where the seal has the colour of the ink.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from ..formats.pixels import blobs, shrink
from ..models.page import Box

LEAST_MM, MOST_MM = 27.0, 58.0
"""Diameters of official and company seals, with a millimetre or two for ink and scanning."""
MASK_DPI = 75.0
REDDER = 36
"""How far red stands above green and blue in seal ink, also after JPEG and on yellowed paper."""
PINK = 14
"""The same for the soft edges of its strokes; paper and black ink are less red, stained paper included."""
BRIGHT = 245.0
GAP_MM = 2.6
"""Ring, star and characters of a seal are closer together than this; a row of body text is not red."""
LEAST_ROUND, MOST_ROUND = 0.84, 1.10
"""Area of the hull against that of the ellipse in its box: 1 for a circle, 1.27 for a square stamp."""
SLIMMEST = 0.82
SECTORS = 48
LEAST_RING = 0.6
"""Share of the ring's directions in which red was found: a round logo or a red picture seldom has a ring."""
APART_MM, LEAST_BETWEEN = 14.0, 0.7
"""Middles of two seals: so far apart at least, in mm and in radii of the larger one."""
VOTES = 14.0
MOST_RINGS = 60
RING_MM = 1.2
"""How far from a circle its ink may lie."""
LEAST_DRAWN = 0.8
"""Share of a circle's directions with ink, where rings are looked for in red that is not round as a whole."""
MARGIN = 1.06
"""Ink bleeds a little beyond the measured circle."""
LEAST_DEPTH = 40
"""Levels between writing and seal in the red channel; below it, lifting would lift the writing as well."""


@dataclass(frozen=True, slots=True)
class Desealed:
    """The page without its seals' red, and where they are (fractions of the page)."""

    picture: Picture
    seals: tuple[Box, ...]


def deseal(picture: Picture, *, dpi: float) -> Desealed:
    """Finds round red seals and takes their red away.

    Args:
        picture: height x width x 3, RGB.
        dpi: pixels an inch.
    """
    seals = tuple(find_seals(picture, dpi=dpi))
    return Desealed(picture=clean_seals(picture, seals) if seals else picture, seals=seals)


def clean_seals(picture: Picture, seals: Iterable[Box]) -> Picture:
    """A copy of the page (any resolution) without the red inside `seals`."""
    cleaned = picture.copy()
    for box in seals:
        _clean(cleaned, box)
    return cleaned


def find_seals(picture: Picture, *, dpi: float) -> Iterator[Box]:
    """Boxes of the round red marks 27-58 mm across."""
    scale = min(1.0, MASK_DPI / dpi)
    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = shrink(picture, size).astype(np.int16)
    red = (small[:, :, 0] - np.maximum(small[:, :, 1], small[:, :, 2])) > REDDER
    if not red.any():
        return
    pixels = dpi * scale / 25.4
    reach = max(3, round(GAP_MM * pixels)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    closed = cv2.morphologyEx(red.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    labels, stats = blobs(np.asarray(closed, np.uint8))
    for index in range(1, len(stats)):
        left, top, wide, high, _area = (int(value) for value in stats[index])
        longer, shorter = max(wide, high) / pixels, min(wide, high) / pixels
        if shorter < LEAST_MM:
            continue
        inside = (labels[top : top + high, left : left + wide] == index) & red[
            top : top + high, left : left + wide
        ]
        single = longer <= MOST_MM and shorter / longer >= SLIMMEST
        if single and is_round(inside):
            edges = [(float(left), float(top), float(left + wide), float(top + high))]
        else:
            edges = [
                (left + x - radius, top + y - radius, left + x + radius, top + y + radius)
                for x, y, radius in find_rings(inside, pixels)
            ]
        for west, north, east, south in edges:
            yield Box(
                left=max(0.0, west / size[0]), top=max(0.0, north / size[1]),
                right=min(1.0, east / size[0]), bottom=min(1.0, south / size[1]),
            )  # fmt: skip


def find_rings(red: NDArray[np.bool_], pixels: float) -> list[tuple[float, float, float]]:
    """Middles and outer radii of the rings in one piece of red: seals that touch or overlap, or touch red type.

    The surest ring first; where others lie over most of it they are the same one seen again.

    Args:
        red: the piece, True where it is red.
        pixels: to a millimetre.
    """
    edge = round(RING_MM * pixels) + 1
    framed = cv2.copyMakeBorder(red.astype(np.uint8) * 255, *(edge,) * 4, cv2.BORDER_CONSTANT, value=(0.0,))
    found = cv2.HoughCircles(
        cv2.GaussianBlur(framed, (0, 0), max(0.6, 0.2 * pixels)), cv2.HOUGH_GRADIENT, dp=1.5,
        minDist=APART_MM * pixels, param1=100, param2=VOTES,
        minRadius=int(LEAST_MM / 2 * pixels) - 1, maxRadius=int(MOST_MM / 2 * pixels) + 1,
    )  # fmt: skip
    down, across = np.nonzero(framed)
    rings: list[tuple[float, float, float, float]] = []
    for x, y, radius in [] if found is None else found[0, :MOST_RINGS].tolist():
        away, angles = np.hypot(across - x, down - y), np.arctan2(down - y, across - x)
        near = np.abs(away - radius) <= RING_MM * pixels
        sectors = ((angles[near] + np.pi) / (2 * np.pi) * SECTORS).astype(int) % SECTORS
        share = len(np.unique(sectors)) / SECTORS
        if share >= LEAST_DRAWN:
            rings.append((share, x - edge, y - edge, float(np.percentile(away[near], 90))))
    kept: list[tuple[float, float, float]] = []
    for _, x, y, radius in sorted(rings, reverse=True):
        if all(np.hypot(x - a, y - b) >= LEAST_BETWEEN * max(radius, c) for a, b, c in kept):
            kept.append((x, y, radius))
    return kept


def is_round(red: NDArray[np.bool_]) -> bool:
    """Whether the marks in this box make a ring or a disc that touches its four sides."""
    high, wide = red.shape
    down, across = np.nonzero(red)
    points = np.column_stack([across, down]).astype(np.int32)
    hull = cv2.contourArea(cv2.convexHull(points))
    if not LEAST_ROUND <= hull / (np.pi / 4 * wide * high) <= MOST_ROUND:
        return False
    x, y = (across - (wide - 1) / 2) / (wide / 2), (down - (high - 1) / 2) / (high / 2)
    ring = np.hypot(x, y) > 0.82
    sectors = ((np.arctan2(y[ring], x[ring]) + np.pi) / (2 * np.pi) * SECTORS).astype(int) % SECTORS
    return len(np.unique(sectors)) >= LEAST_RING * SECTORS


def _clean(picture: Picture, box: Box) -> None:
    """Inside the seal's ellipse, shows red ink as the red channel has it, lifted to the brightness of the paper.

    Pixels without red stay as they are: a patch whiter than the paper around it would cut a line in two for the
    engine that reads it.
    """
    height, width = picture.shape[:2]
    middle, half = ellipse_of(box, width=width, height=height)
    top, bottom = max(0, int(middle[1] - half[1])), min(height, int(middle[1] + half[1]) + 1)
    left, right = max(0, int(middle[0] - half[0])), min(width, int(middle[0] + half[0]) + 1)
    part = picture[top:bottom, left:right]
    y, x = np.ogrid[top:bottom, left:right]
    inside = np.square((x - middle[0]) / half[0]) + np.square((y - middle[1]) / half[1]) <= 1
    channels = part.astype(np.int16)
    shown = channels[:, :, 0]
    redness = shown - np.maximum(channels[:, :, 1], channels[:, :, 2])
    red, deep = inside & (redness > PINK), inside & (redness > REDDER)
    if not deep.any():
        return
    seal = float(np.percentile(shown[deep], 30))
    writing = float(np.percentile(shown[inside], 0.5))
    bare = shown[inside & ~red & (shown > writing + LEAST_DEPTH)]
    paper = float(np.median(bare)) if bare.size else BRIGHT
    lifted = shown.astype(np.float64)
    if seal - writing >= LEAST_DEPTH and paper > seal:
        lifted = writing + (lifted - writing) * ((paper - writing) / (seal - writing))
    part[red] = np.clip(lifted, 0, paper).astype(np.uint8)[red][:, None]


def ellipse_of(box: Box, *, width: int, height: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Middle and half axes in pixels of the ellipse that a seal in this box covers, soft edge included."""
    middle = box.centre
    half_wide, half_high = (box.right - box.left) / 2 * MARGIN, (box.bottom - box.top) / 2 * MARGIN
    return (middle[0] * width, middle[1] * height), (half_wide * width, half_high * height)
