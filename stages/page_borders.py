"""The black edge of a scan: a lid left open, a sheet smaller than the glass, the frame of a copier."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture

Mask = NDArray[np.bool_]

DARKEST = 100
"""No border is brighter, …"""
DARK_SHARE = 0.5
"""… nor brighter than this part of the paper."""
THICK_MM = 2.5
"""A dark piece that reaches the edge is taken for border where it is this thick (what lies outside counts as dark)."""
SOFT_MM = 0.8
"""The edge of a border is blurred; this much more is covered."""
MOST = 0.45
"""A page darker than this by area is a dark page, not a page in a frame."""
LEAST = 0.001
LETTERS_MM = 8.0
MOST_LETTERS = 0.04
"""Bright holes in a dark piece up to this share are specks; more are white letters on a banner, which stays."""


def find_borders(small: Picture, *, dpi: float) -> Mask | None:
    """True where the black border of the scan is; None without one.

    Args:
        small: the page at low resolution (100 dpi do), height x width x 3, RGB.
        dpi: its pixels an inch.
    """
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    paper = float(np.percentile(grey[::4, ::4], 80))
    dark = grey < min(DARKEST, DARK_SHARE * paper)
    if not any(edge.any() for edge in (dark[:2], dark[-2:], dark[:, :2], dark[:, -2:])):
        return None
    thick = max(3, round(THICK_MM / 25.4 * dpi)) | 1
    # Everything outside counts as dark, so that a strip of a pixel along the edge is as thick as a broad one.
    framed = cv2.copyMakeBorder(dark.astype(np.uint8), *(thick,) * 4, cv2.BORDER_CONSTANT, value=(1.0,))
    opened = cv2.morphologyEx(framed, cv2.MORPH_OPEN, np.ones((thick, thick), np.uint8))
    _, labels = cv2.connectedComponents(opened, connectivity=4)
    border = (labels == labels[0, 0])[thick:-thick, thick:-thick]
    if not LEAST <= border.mean() <= MOST:
        return None
    border = _without_banners(border, bright=grey > 0.7 * paper, dpi=dpi)
    if not border.any():
        return None
    reach = max(1, round(SOFT_MM / 25.4 * dpi)) * 2 + 1
    return np.asarray(cv2.dilate(border.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0)


def _without_banners(border: Mask, *, bright: Mask, dpi: float) -> Mask:
    reach = max(3, round(LETTERS_MM / 25.4 * dpi)) | 1
    closed = cv2.morphologyEx(border.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=4)
    kept = border.copy()
    for index in range(1, count):
        piece = labels == index
        area = int(stats[index][cv2.CC_STAT_AREA])
        if (piece & bright & ~border).sum() > MOST_LETTERS * area:
            kept &= ~piece
    return kept


def fill_borders(picture: Picture, border: Mask) -> Picture:
    """A copy of the page (any resolution) with paper where the border was."""
    height, width = picture.shape[:2]
    mask = cv2.resize(border.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    sample = picture[:: max(1, height // 200), :: max(1, width // 200)].reshape(-1, 3)
    bright = sample[sample.min(axis=1) >= np.percentile(sample.min(axis=1), 60)]
    filled = picture.copy()
    filled[mask] = np.median(bright, axis=0).astype(np.uint8)
    return filled
