"""The lines of a level page as strips of one height, found without a model: for an engine that loses lines on pages.

Tesseract's own search for lines drops lines of a page, reads rules as characters, and knows type of one size best.
Here rules and frames are taken out, ink that stands close together in a row becomes a piece, and every piece is drawn
at the height of type that the engine reads best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the page."""

LONGEST_STROKE = 1 / 8, 1 / 12
"""Straight ink longer than this (parts of the page's width across, of its height down) is a rule, not a stroke."""
TALLEST = 1 / 8
"""Ink in one piece that is higher than this part of the page is a picture or a frame."""
FRAME, HOLLOW = 1 / 60, 0.09
"""Ink in one piece so wide and high (parts of the page's height) that fills so little of its box is a frame."""
REACH = 1.1
"""Pieces of ink nearer than this, in heights of the type, are one piece of text."""
JOIN = 0.9
SAME_ROW = 0.5
TALLER = 1.35
"""So many times the higher of two pieces the joined one may be."""
LOW, NARROW = 0.3, 0.6
"""Ink lower and narrower than this, in heights of the type, is a speck."""
USUAL = 1 / 60
"""Height of type in parts of the page's, where no line is long enough to measure it."""
MOST_STRIPS = 500
"""A page with more of them is a drawing, or noise."""
INNER = 2
"""Pixels of the page kept around a piece."""
BUSY, GAP, CORE, MOST_OF_IT = 0.2, 0.12, 0.85, 0.7
"""A row of pixels with less ink than this part of the busiest ones does not belong to the type; gaps in it are as high
as `GAP`, in heights of the piece, at most. Type that is no higher than `CORE` of its piece, and has most of its ink, is
cut out: what hangs on above and below are pieces of a seal's ring, of a scribble, of the next line."""
LEAST_TYPE, LEAST_SIZE = 8, 10
"""Pixels, of a piece and of a page's type. Nobody reads smaller Chinese type; ink so low is noise, or the remains of
lines that stand upright."""

NOISY, PALE = 1.7, 48
"""Levels of grain, at the median, from which the paper of a page is noisy, and of its darkest ink (one pixel in a
hundred): dark ground that was brought up to white shows its grain and makes the ink paler. (Measured, grain and ink:
office scans, faxes, folds below 1.5; the grainiest other scans 2.2; copies of copies 0.7 to 1.9 and 3 to 9; dark pages
1.9 to 4.3 and 92 to 126.)"""
SOFT, SOFTER = 0.8, 1.2
"""Widths of smoothing, pixels."""
INK, PAPER, BELOW_PAPER = 2, 60, 15
"""Percentiles of a noisy page that become black and, less so many levels, white."""

Drawn = Literal["paper", "soft", "stark"]
"""A page as it is; smoothed; smoothed, with its ink black and its paper white."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A piece of text. `box`: left, top, right, bottom in pixels of the page. `picture`: it, drawn at one height, with
    white around it; its pixel (x, y) is the page's `left + x / scale`, `top + y / scale`."""

    box: Box
    picture: Grey
    left: float
    scale: float


@dataclass(frozen=True, slots=True)
class Lines:
    """`paper`: the page without rules and frames. `boxes`: of the pieces of text, from the top down."""

    paper: Grey
    boxes: tuple[Box, ...]
    size: float
    """Height of the page's type, pixels."""
    soft: Grey | None = None
    stark: Grey | None = None
    """Of a noisy page alone."""

    def strip(self, box: Box, *, height: int, around: tuple[int, int], drawn: Drawn = "paper") -> Strip:
        """A piece drawn with type `height` pixels high; `around`: pixels of white below and above, left and right;
        `drawn`: how, on a noisy page."""
        page = {"paper": self.paper, "soft": self.soft, "stark": self.stark}[drawn]
        return _strip(self.paper if page is None else page, box, size=self.size, height=height, around=around)


def find_lines(grey: Grey) -> Lines | None:
    """The pieces of text on an upright, level, evenly lit page; None where there are none, or far too many; without any
    where its ink is too small to be type."""
    high, wide = grey.shape
    noisy = _is_noisy(grey)
    soft = _smoothed(grey, SOFTER) if noisy else cv2.GaussianBlur(grey, (3, 3), 0)
    _, dark = cv2.threshold(soft, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    rules = _rules(np.asarray(dark, dtype=np.uint8))
    paper = grey.copy()
    paper[rules > 0] = 255
    text, frames = _text(np.asarray(cv2.bitwise_and(dark, cv2.bitwise_not(rules)), dtype=np.uint8))
    paper[frames] = 255
    rough = _blobs(text, wide // 40)
    tall = [box[3] - box[1] for box in rough if box[2] - box[0] > 3 * (box[3] - box[1]) > 3 * high // 400]
    # of a small part of a page its height tells nothing
    measured = len(tall) >= (3 if high * USUAL >= LEAST_SIZE else 1)
    size = float(np.median(tall)) if measured else high * USUAL
    if measured and size < LEAST_SIZE:
        return Lines(paper=paper, boxes=(), size=size)
    boxes = [
        _core(text, box, size) for box in _joined(_blobs(text, round(size * REACH)), size)
        if max(box[2] - box[0], box[3] - box[1]) >= LEAST_TYPE
    ]  # fmt: skip
    if not 0 < len(boxes) <= MOST_STRIPS:
        return None
    return Lines(
        paper=paper, boxes=tuple(sorted(boxes, key=lambda box: (box[1], box[0]))), size=size,
        soft=_smoothed(paper, SOFTER) if noisy else None, stark=_stark(paper) if noisy else None,
    )  # fmt: skip


def _is_noisy(paper: Grey) -> bool:
    levels = paper.astype(np.float32)
    grain = np.abs(levels - cv2.GaussianBlur(levels, (0, 0), 1.5))[::2, ::2]
    return float(np.median(grain)) >= NOISY and float(np.percentile(paper[::2, ::2], 1)) >= PALE


def _smoothed(paper: Grey, wide: float) -> Grey:
    return np.asarray(cv2.GaussianBlur(paper, (0, 0), wide), dtype=np.uint8)


def _stark(paper: Grey) -> Grey:
    soft = _smoothed(paper, SOFT)
    ink, white = (float(level) for level in np.percentile(soft[::2, ::2], (INK, PAPER)))
    levels = (np.arange(256) - ink) * 255 / max(1.0, white - BELOW_PAPER - ink)
    return np.asarray(cv2.LUT(soft, np.clip(levels, 0, 255).astype(np.uint8)), dtype=np.uint8)


def _rules(dark: Grey) -> Grey:
    high, wide = dark.shape
    across, down = max(60, int(wide * LONGEST_STROKE[0])), max(60, int(high * LONGEST_STROKE[1]))
    level = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, across), np.uint8))
    upright = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((down, 1), np.uint8))
    return np.asarray(cv2.dilate(cv2.bitwise_or(level, upright), np.ones((3, 3), np.uint8)), dtype=np.uint8)


def _text(dark: Grey) -> tuple[Grey, NDArray[np.bool_]]:
    """The ink without specks, frames and pictures; and where frames and pictures were."""
    high, wide = dark.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    across, down, area = (stats[:, at] for at in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    hollow = (down > high * FRAME) & (across > high * FRAME) & (area < HOLLOW * across * down)
    large = (down > high * TALLEST) | hollow
    large[0] = False
    kept = np.full(count, 255, np.uint8)
    kept[large | (area < max(4, 2 * (wide // 700) ** 2))] = 0
    kept[0] = 0
    return np.asarray(kept[labels], dtype=np.uint8), np.asarray(large[labels])


def _blobs(text: Grey, gap: int) -> list[Box]:
    """Boxes of the ink, what is `gap` pixels apart in a row taken together."""
    closed = cv2.morphologyEx(text, cv2.MORPH_CLOSE, np.ones((1, max(1, gap) | 1), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    return [(x, y, x + wide, y + high) for x, y, wide, high, _ in stats[1:].tolist()]


def _joined(boxes: Sequence[Box], size: float) -> list[Box]:
    """Parts of characters with their line: dots and strokes above and below, dashes and stops beside it."""
    rows: list[Box] = []
    for box in sorted(boxes, key=lambda box: box[0] - box[2]):
        place = next((at for at, row in enumerate(rows) if _belongs(box, row, size)), None)
        if place is None:
            rows.append(box)
        else:
            rows[place] = _around(rows[place], box)
    return [
        row for row in _merged(rows, size) if row[3] - row[1] > LOW * size or row[2] - row[0] > NARROW * size
    ]


def _merged(rows: list[Box], size: float) -> list[Box]:
    """Once more, as joined pieces have grown towards each other."""
    found: list[Box] = []
    for row in sorted(rows):
        place = next((at for at, other in enumerate(found) if _belongs(row, other, size)), None)
        if place is None:
            found.append(row)
        else:
            found[place] = _around(found[place], row)
    return found


def _core(text: Grey, box: Box, size: float) -> Box:
    """The piece without what hangs on to its type above and below."""
    left, top, right, bottom = box
    high = bottom - top
    if high <= TALLER * size or right - left < 2 * high:
        return box
    ink = (text[top:bottom, left:right] > 0).sum(axis=1)
    busy = (ink >= BUSY * np.percentile(ink, 90)).astype(np.uint8)[:, None]
    gap = np.ones((max(1, round(GAP * high)) | 1, 1), np.uint8)
    closed = cv2.morphologyEx(busy, cv2.MORPH_CLOSE, gap)
    count, labels = cv2.connectedComponents(closed, connectivity=4)
    runs = [np.flatnonzero(labels[:, 0] == at) for at in range(1, count)]
    best = max(runs, key=lambda rows: int(ink[rows].sum()), default=None)
    if best is None or not LOW * high <= len(best) <= CORE * high or ink[best].sum() < MOST_OF_IT * ink.sum():
        return box
    return left, top + int(best[0]), right, top + int(best[-1]) + 1


def _around(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _belongs(box: Box, row: Box, size: float) -> bool:
    high, of = box[3] - box[1], row[3] - row[1]
    shared = min(box[3], row[3]) - max(box[1], row[1])
    gap = max(box[0], row[0]) - min(box[2], row[2])
    both = max(box[3], row[3]) - min(box[1], row[1])
    if both > TALLER * max(high, of, size):
        return False
    if shared > SAME_ROW * min(high, of) and gap < JOIN * max(high, of, NARROW * size):
        return True
    return gap < 0 and shared > -0.25 * size and min(high, of) < NARROW * size


def _strip(paper: Grey, box: Box, *, size: float, height: int, around: tuple[int, int]) -> Strip:
    left, top, right, bottom = box
    # A dash is drawn among as much paper as type of the page's size would take.
    spare = max(0, round(0.8 * size) - (bottom - top)) // 2
    first, last = max(0, top - spare - INNER), min(paper.shape[0], bottom + spare + INNER)
    start, end = max(0, left - INNER), min(paper.shape[1], right + INNER)
    part = paper[first:last, start:end]
    scale = height / part.shape[0]
    drawn = cv2.resize(
        part, (max(8, round(part.shape[1] * scale)), height),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
    )  # fmt: skip
    down, across = around
    framed = cv2.copyMakeBorder(drawn, down, down, across, across, cv2.BORDER_CONSTANT, value=(255.0,))
    return Strip(
        box=box, picture=np.asarray(framed, dtype=np.uint8), left=start - across / scale, scale=scale
    )
