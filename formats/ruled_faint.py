"""Rules where they grow faint: a worn cartridge, a stain or a low resolution takes stretches of a rule away.

Beside noise a stretch of a rule is too faint to be told pixel by pixel; the mean along a few millimetres tells it. Type
in a line has such a mean, too, so nothing begins here: only what goes on from a rule that was drawn clearly is taken.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

MEAN_MM = 4.0
"""Darkness is averaged over this length of the rule …"""
WIDER_MM = 1.2
"""… and what is wider than this across it is no rule."""
LEAST, PART = 5.0, 0.15
"""Levels by which the mean stands out: at least, and as a part of what the clear rules of the page have."""
NOISE = 5.0
"""Times the scatter of the paper, too …"""
PAPER = 5
"""… of which each fifth row and column is looked at."""
RUN_MM = 5.0
"""A faint stretch runs so far."""
GAP_MM = 2.5
"""Breaks up to this are mended."""
CLEAR_MM = 10.0
"""A clear stretch of this length has something to go on from."""

Mask = NDArray[np.uint8]


def with_faint(clear: Mask, thin: Mask, mm: float, *, level: bool) -> Mask:
    """The clear rules, and what goes on from the long ones of them.

    Beyond the end of a rule that may be strokes of text, too: where a table ends its clear rules tell.

    Args:
        clear: 1 where a rule was found.
        thin: how much darker than the paper beside it each pixel is, of strokes that run across (`level`) or down.
        mm: pixels a millimetre.
        level: whether they run across.
    """
    stroke = _stroke(CLEAR_MM * mm, level=level)
    seeds: Mask = np.asarray(cv2.morphologyEx(clear, cv2.MORPH_OPEN, stroke), np.uint8)
    if not seeds.any():
        return clear
    mean = _mean_beside(clear, thin, _odd(MEAN_MM * mm), level=level)
    wide = cv2.morphologyEx(mean, cv2.MORPH_OPEN, _stroke(WIDER_MM * mm, level=not level))
    mean = mean - wide
    paper = mean[::PAPER, ::PAPER]
    usual = float(np.median(paper))
    scatter = 1.48 * float(np.median(np.abs(paper - usual)))
    least = max(LEAST, PART * float(np.percentile(thin[seeds > 0], 75)), usual + NOISE * scatter)
    mask = clear | np.asarray(mean > least, np.uint8)
    long: Mask = np.asarray(
        cv2.morphologyEx(mask, cv2.MORPH_OPEN, _stroke(RUN_MM * mm, level=level)), np.uint8
    )
    runs = cv2.morphologyEx(seeds | long, cv2.MORPH_CLOSE, _stroke(GAP_MM * mm, level=level))
    _, labels = cv2.connectedComponents(np.asarray(runs, np.uint8), connectivity=8)
    own = np.zeros(int(labels.max()) + 1, np.uint8)
    own[np.unique(labels[seeds > 0])] = 1
    own[0] = 0
    return np.asarray(clear | own[labels], np.uint8)


def _mean_beside(clear: Mask, thin: Mask, length: int, *, level: bool) -> NDArray[np.float32]:
    """Mean darkness along the rule of what is not clear; of a gap in it, be it small, that of the gap itself."""
    size = (length, 1) if level else (1, length)
    near = cv2.dilate(clear, _stroke(3, level=not level))
    other = np.asarray(1 - near, np.uint8)
    sums = cv2.boxFilter(thin * other, cv2.CV_32F, size, normalize=False)
    counts = cv2.boxFilter(other, cv2.CV_32F, size, normalize=False)
    return np.asarray(sums / np.maximum(counts, 1), np.float32)


def _stroke(length: float, *, level: bool) -> Mask:
    size = _odd(length)
    return np.ones((1, size) if level else (size, 1), np.uint8)


def _odd(size: float) -> int:
    return max(1, round(size)) | 1
