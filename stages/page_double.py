"""Two pages on one scan: an opened book, or two A4 sheets on A3."""

from __future__ import annotations

import numpy as np

from .page_ink import Mask

FLATTEST, LONGEST = 1.2, 1.75
"""Width by height of two pages side by side; A4 twice is 1.41."""
LEAST_MM = 190.0
"""No narrower scan holds two pages of text (two of A6 are 210 wide)."""
FROM, TO = 0.44, 0.56
"""Where the fold lies, as part of the width."""
GUTTER = 0.045
"""The two inner margins together, as part of the width; the space between the columns of one page is narrower."""
FOLD = 0.012
"""A line or shadow of this width in the middle of the gutter is the fold."""
LEAST_HALF = 0.03
"""A half counts as a page when its rows of ink take this part of the height."""
DUST = 0.004
"""A column of pixels with less ink than this is empty."""


def find_gutter(ink: Mask, *, dpi: float) -> float | None:
    """Where two pages meet, as part of the width; None when this is one page.

    Args:
        ink: the upright, level page, True where there is ink.
        dpi: its pixels an inch.
    """
    height, width = ink.shape
    if not FLATTEST <= width / height <= LONGEST or width / dpi * 25.4 < LEAST_MM:
        return None
    columns = ink.mean(axis=0)
    first, last = round(FROM * width), round(TO * width)
    empty = columns[first:last] <= DUST
    _bridge(empty, round(FOLD * width))
    start, length = _longest(empty)
    if length < GUTTER * width:
        return None
    middle = first + start + length / 2
    halves = ink[:, : round(middle)], ink[:, round(middle) :]
    if any((half.any(axis=1)).mean() < LEAST_HALF for half in halves):
        return None
    return float(middle / width)


def _bridge(empty: np.ndarray[tuple[int], np.dtype[np.bool_]], widest: int) -> None:
    """Counts one narrow line of ink between empty columns as empty."""
    edges = np.flatnonzero(np.diff(np.concatenate(([1], empty, [1])).astype(np.int8)))
    for start, end in zip(edges[::2], edges[1::2], strict=False):
        if end - start <= widest and start > 0 and end < len(empty):
            empty[start:end] = True


def _longest(empty: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[int, int]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], empty, [0])).astype(np.int8)))
    runs = list(zip(edges[::2], edges[1::2], strict=True))
    if not runs:
        return 0, 0
    start, end = max(runs, key=lambda run: run[1] - run[0])
    return int(start), int(end - start)
