"""Old marks struck out by hand or in print: a thin line of ink through the box of a mark (标志规定 art. 8).

Type has no stroke longer than about one character, so what is left of a line of type after opening it with a
horizontal bar longer than that is a ruled line. It strikes the words when it runs through the middle of their height:
below stands an underline, above the rule of a table. A line drawn by hand may slope: the strip is sheared a little
either way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture, Sheet
from ..models.page import Box, Finding, Line
from .mark_grammar import read_mark
from .sheet import Whole

UPPER_SHARE = 0.45
"""Marks stand in the upper part of a page."""
MOST_CHARACTERS = 26
LONGEST_TYPE = 1.15
"""Longest level stroke of type, in heights of its line."""
LEAST_COVER = 0.62
"""Share of a run's width that the line must cross without a break."""
MIDDLE = (0.22, 0.80)
"""Where in the height of the line it must run, on average."""
THICKEST = 0.2
"""A stroke thicker than this share of the height is a bar that covers, not a line that strikes."""
_SLOPES = (0.0, *(sign * step * 0.02 for step in range(1, 8) for sign in (1, -1)))
_LIKE_MARK = re.compile(r"[密★☆商]|[绝机秘][^于会关]|\d+[年午]|长期|内部")
_HEIGHT = 48
"""Pixels that a line is brought to: enough for a thin pen."""

_Mask = NDArray[np.uint8]


def may_be_mark(line: Line) -> bool:
    """Whether a line is short, high on its page, and has a sign of a mark."""
    if line.box.top > UPPER_SHARE or line.vertical or len(line.text) > MOST_CHARACTERS:
        return False
    return _LIKE_MARK.search(line.text) is not None


def struck_marks(picture: Picture | Sheet, lines: Sequence[Line], *, page: int) -> tuple[Finding, ...]:
    """`mark_struck` for each run of a mark-like line that a line crosses; the detail is its words as read.

    Args:
        picture: height x width x 3, RGB, the page that the boxes of `lines` refer to.
    """
    sheet = Whole(picture) if isinstance(picture, np.ndarray) else picture
    found: list[Finding] = []
    for line in lines:
        if not may_be_mark(line):
            continue
        for text, box in _runs(line):
            if len(text) > 1 and _is_struck(sheet, box):
                found.append(Finding("mark_struck", page=page, detail=text, box=box))
    return tuple(found)


def _runs(line: Line) -> list[tuple[str, Box]]:
    """The runs of a line that stand apart, with their places; marks set close to one another are divided by letters."""
    texts = [part for part in re.split(r"\s{2,}|\u3000+", line.text.strip()) if part]
    if len(texts) == len(line.parts) and len(texts) > 1:
        return [pair for text, box in zip(texts, line.parts, strict=True) for pair in _marks_in(text, box)]
    return _marks_in(line.text.strip(), line.box)


def _marks_in(text: str, box: Box) -> list[tuple[str, Box]]:
    """Two marks that were read as one run, by the width of their characters; else the run as it is."""
    for at in [
        found.start() for found in re.finditer(r"[绝机秘]\s*密|核心|普通|公司[绝机秘]|工作秘密", text)
    ][1:]:
        first, second = text[:at].strip(" 　,，、;；"), text[at:]
        if read_mark(first) is None and not _LIKE_MARK.search(first):
            continue
        share = _width(text[:at]) / max(1.0, _width(text))
        cut = box.left + (box.right - box.left) * share
        return [
            (first, Box(box.left, box.top, cut, box.bottom)),
            (second, Box(cut, box.top, box.right, box.bottom)),
        ]
    return [(text, box)]


def _width(text: str) -> float:
    return sum(0.5 if char.isascii() else 1.0 for char in text)


def _is_struck(sheet: Sheet, box: Box) -> bool:
    ink = _ink_of(sheet, box)
    if ink is None:
        return False
    height, width = ink.shape
    bar = round(max(height * LONGEST_TYPE, width * LEAST_COVER))
    if width < bar * 1.1:
        return False
    return any(_line_through(ink, slope, bar) for slope in _SLOPES)


def _ink_of(sheet: Sheet, box: Box) -> _Mask | None:
    """The ink inside a box as 0 and 1, `_HEIGHT` pixels high; None when there is nothing to look at."""
    high, wide = sheet.shape
    top, bottom = max(0, int(box.top * high)), min(high, int(np.ceil(box.bottom * high)))
    left, right = max(0, int(box.left * wide)), min(wide, int(np.ceil(box.right * wide)))
    if bottom - top < 8 or right - left < 16:
        return None
    piece = sheet.cut(top, bottom, left, right)
    # red pens are as dark as black ones in the darkest channel
    dark = piece.min(axis=2)
    scale = _HEIGHT / dark.shape[0]
    size = (max(16, round(dark.shape[1] * scale)), _HEIGHT)
    dark = cv2.resize(dark, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    paper = float(np.percentile(dark, 92))
    if paper - float(dark.min()) < 40:
        return None
    middle, _ = cv2.threshold(dark, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(dark < max(middle, paper * 0.71), dtype=np.uint8)


def _line_through(ink: _Mask, slope: float, bar: int) -> bool:
    height, width = ink.shape
    if slope:
        shear = np.array([[1.0, 0.0, 0.0], [-slope, 1.0, slope * width / 2]], dtype=np.float32)
        ink = np.asarray(cv2.warpAffine(ink, shear, (width, height), flags=cv2.INTER_NEAREST), dtype=np.uint8)
    # a pen skips and trembles: small gaps are closed, and the line is made a little thicker before the bar is laid on
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, 3), dtype=np.uint8))
    opened = cv2.morphologyEx(
        cv2.dilate(closed, np.ones((3, 1), dtype=np.uint8)), cv2.MORPH_OPEN, np.ones((1, bar), dtype=np.uint8)
    )
    if not opened.any():
        return False
    low, upper = round(MIDDLE[0] * height), round(MIDDLE[1] * height)
    inside = np.asarray(opened[low:upper], dtype=bool)
    crossed = inside.any(axis=0)
    if crossed.mean() < LEAST_COVER:
        return False
    thickness = inside.sum() / max(1, crossed.sum()) - 2
    return bool(thickness <= THICKEST * height)
