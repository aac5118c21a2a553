"""L3, shifted glyphs: each glyph of a page stands 0.05 mm to the left or right of its place, by a keyed sign.

Survives what takes the tint: a black-and-white photocopy, the cleaned page of a scanning app. It is read against the
page as it was before (glyphs_read.py), so what is kept of that page must be kept like the copy. Where glyphs are, which
sign each has: docs/spec/mark.md.

Threat model. The paper is in the attacker's hands; he lacks the station's key, so he cannot know the signs of a copy
he does not hold. Two copies laid over each other show where they differ, and so half of the signs; retyping or reading
the text by machine and setting it anew takes everything. Glyphs are found on pictures of outside files: every array
here is bounded by the picture's size.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture

STEPS_MM = (0.05, 0.04)
"""How far a glyph is moved to the right or left, and down or up."""
MOST_GLYPHS = 20_000
"""Glyphs of one page that get a sign; those behind keep their place."""
_INK = 0.72
"""Share of the paper's brightness below which a point is ink."""
_LARGEST_MM, _SMALLEST_MM = 14.0, 0.8
_REACH_MM = 2.4
"""Gap up to which what stands side by side is taken for one row."""
_WIDE = 1.08
"""A glyph is at most so much wider than its row is high; what touches may be wider."""
_GAP = 0.4
"""Parts of one glyph are at most this share of the row's height apart."""
_TAPS = 4
_EDGE_MM = 0.25
_PLAIN_RING = 0.62

Plane = NDArray[Any]


@dataclass(frozen=True, slots=True)
class GlyphKey:
    """What a station's key (32 bytes, the tint's) fixes: the sign of every glyph of every copy."""

    key: bytes

    def signs(self, id: int, page: int, count: int) -> NDArray[np.int8]:
        """Right and down (+1) or left and up (-1) for the first glyphs of a page (from 1) of the copy with this number:
        `count` x 2.
        """
        name = f"jiyao/glyphs/v1/{id:012x}/{page}"
        seed = hmac.digest(self.key, name.encode(), "sha256")
        bits = np.unpackbits(np.frombuffer(hashlib.shake_256(seed).digest(-(-count // 4)), np.uint8))
        return (1 - 2 * bits[: 2 * count].astype(np.int8)).astype(np.int8).reshape(count, 2)


def boxes(picture: Picture, per_mm: float) -> NDArray[np.int32]:
    """The glyphs of an upright page (height x width x 3, RGB), row by row from the left.

    Args:
        per_mm: pixels a mm; 8 is usual.

    Returns:
        n x 4: left, top, right, bottom in pixels (right and bottom not included). What touches counts as one glyph,
        and parts of a glyph that stand side by side are taken together as far as they fit a square of the row.
    """
    whole = _ink(picture, per_mm)
    x, y, width, height = cv2.boundingRect(whole)
    if not width or not height:
        return np.zeros((0, 4), np.int32)
    ink = np.ascontiguousarray(whole[y : y + height, x : x + width])
    found, labels, sizes, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_32S)
    del found
    largest = round(_LARGEST_MM * per_mm)
    small = (sizes[:, cv2.CC_STAT_WIDTH] <= largest) & (sizes[:, cv2.CC_STAT_HEIGHT] <= largest)
    small &= sizes[:, cv2.CC_STAT_AREA] >= max(3.0, 0.05 * per_mm**2)
    small[0] = False
    marked = np.take(small.view(np.uint8), np.asarray(labels, np.int32))
    glyphs, others = marked.view(bool), ink ^ marked
    wide = cv2.dilate(marked, np.ones((1, round(_REACH_MM * per_mm) | 1), np.uint8))
    count, rows, places, _ = cv2.connectedComponentsWithStats(wide, connectivity=8, ltype=cv2.CV_32S)
    out: list[tuple[int, int, int, int]] = []
    order = np.lexsort((places[1:, cv2.CC_STAT_LEFT], places[1:, cv2.CC_STAT_TOP])) + 1
    del count
    for label in order:
        left, top, width, height = (int(value) for value in places[label, :4])
        if height < _SMALLEST_MM * per_mm or height > 2 * largest:
            continue
        part = (rows[top : top + height, left : left + width] == label) & glyphs[
            top : top + height, left : left + width
        ]
        out += [(left + a, top + y0, left + b, top + y1) for a, y0, b, y1 in _glyphs_of_row(part, per_mm)]
        if len(out) > MOST_GLYPHS:
            break
    every = np.array(out[:MOST_GLYPHS], np.int32).reshape(-1, 4)
    return every[_alone(every, others, marked, per_mm)] + np.array([x, y, x, y], np.int32)


def shifted(picture: Picture, glyphs: NDArray[np.int32], signs: NDArray[np.int8], per_mm: float) -> Picture:
    """The page with every glyph moved by its two signs (n x 2), as `boxes` found them."""
    out = picture.copy()
    reach = max(1, round(_EDGE_MM * per_mm))
    height, width = picture.shape[:2]
    kernels = {
        (axis, sign): _kernel(sign * step * per_mm) for axis, step in enumerate(STEPS_MM) for sign in (-1, 1)
    }
    for (left, top, right, bottom), (across, down) in zip(glyphs.tolist(), signs.tolist(), strict=True):
        # what is moved takes its soft edge along
        x0, y0, x1, y1 = (
            max(0, left - reach),
            max(0, top - reach),
            min(width, right + reach),
            min(height, bottom + reach),
        )
        # a view into the page: the filter sees what stands around
        out[y0:y1, x0:x1] = cv2.sepFilter2D(
            picture[y0:y1, x0:x1], -1, kernels[0, across], kernels[1, down], borderType=cv2.BORDER_REPLICATE
        )
    return out


def _kernel(shift: float) -> NDArray[np.float32]:
    """A windowed sinc that moves pixels forward by `shift`, at most two."""
    reach = np.arange(-_TAPS, _TAPS + 1, dtype=np.float64) + shift
    taps = np.sinc(reach) * np.sinc(reach / 3.0) * (np.abs(reach) < 3.0)
    kernel: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return kernel


def _ink(picture: Picture, per_mm: float) -> NDArray[np.uint8]:
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(luma, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    side = max(3, round(6.0 * per_mm / 4) | 1)
    paper = cv2.blur(cv2.dilate(small, np.ones((side, side), np.uint8)), (side, side))
    level = cv2.resize(paper, (luma.shape[1], luma.shape[0]), interpolation=cv2.INTER_LINEAR)
    dark = cv2.compare(luma, cv2.convertScaleAbs(level, alpha=_INK), cv2.CMP_LT)
    return np.minimum(np.asarray(dark, np.uint8), np.uint8(1))


def _glyphs_of_row(part: NDArray[np.bool_], per_mm: float) -> list[tuple[int, int, int, int]]:
    """Left, top, right, bottom of the glyphs of one row's ink."""
    height = part.shape[0]
    edges = np.flatnonzero(np.diff(np.concatenate(([0], part.any(axis=0).astype(np.int8), [0]))))
    starts, ends = edges[::2].tolist(), edges[1::2].tolist()
    joined: list[list[int]] = []
    for start, end in zip(starts, ends, strict=True):
        if joined and end - joined[-1][0] <= _WIDE * height and start - joined[-1][1] <= _GAP * height:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    smallest, largest = _SMALLEST_MM * per_mm, _LARGEST_MM * per_mm
    out = []
    for start, end in joined:
        lines = np.flatnonzero(part[:, start:end].any(axis=1))
        top, bottom = int(lines[0]), int(lines[-1]) + 1
        if smallest <= end - start <= largest and smallest <= bottom - top <= largest:
            out.append((start, top, end, bottom))
    return out


def _alone(
    every: NDArray[np.int32], others: NDArray[np.uint8], marked: NDArray[np.uint8], per_mm: float
) -> NDArray[np.bool_]:
    """Glyphs into whose box no line, picture or seal reaches, and that are neither blots nor screens."""
    reach = max(1, round(0.12 * per_mm))
    alone = np.zeros(len(every), bool)
    for number, (left, top, right, bottom) in enumerate(every.tolist()):
        part = slice(max(0, top - reach), bottom + reach), slice(max(0, left - reach), right + reach)
        own = marked[part]
        alone[number] = cv2.countNonZero(others[part]) == 0 and cv2.countNonZero(own) < _PLAIN_RING * own.size
    return alone
