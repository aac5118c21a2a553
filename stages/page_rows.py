"""Reading order: pieces of text to rows, rows to columns, and the pieces of a row to one line.

Engines cut a row where they like and sort by their own rules, which a skew of a few degrees upsets. Here the
pieces are turned back by the slope of their own baselines before they are sorted, so the order does not
depend on how the page lay.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from .engines.engine import Quad, RawLine
from .page_type import Type

SAME_ROW = 0.5
"""Two pieces stand in one row when their heights overlap by this share of the lower one."""
CLOSE = 1.0
"""Gap, in heights of the type, up to which two pieces are one run of text."""
WORD_GAP = 0.25
OTHER_SIZE = 1.7
"""Type so much larger than its neighbour is another line: a stamp beside the text."""
TALL = 1.5
FLAT = 0.4
"""A piece so much lower than its neighbour is a dash or a full stop, and says nothing of the type's size."""
APART = "  "
"""Between the two ends of a row: 发文字号 and 签发人, 印发机关 and 印发日期."""

GUTTER_FROM, GUTTER_TO = 0.3, 0.7
FEWEST_IN_COLUMN = 6
FILLED = 0.6
"""Share of a column's width that its typical line fills; cells of a table fill less and stay in rows."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What an engine read, with its type measured."""

    raw: RawLine
    type: Type


@dataclass(frozen=True, slots=True)
class Row:
    """One line in reading order: its text, the pieces it was joined from, and its confidence (0..1)."""

    text: str
    pieces: tuple[Piece, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class _Placed:
    """A piece in coordinates turned back to level, pixels."""

    piece: Piece
    left: float
    right: float
    middle: float
    height: float
    upright: bool

    @property
    def top(self) -> float:
        return self.middle - self.height / 2

    @property
    def bottom(self) -> float:
        return self.middle + self.height / 2


def read_rows(pieces: Sequence[Piece]) -> tuple[Row, ...]:
    """The page's lines in reading order; columns one after another, each row's pieces joined."""
    angle = slope([piece.raw.quad for piece in pieces])
    placed = [_place(piece, angle) for piece in pieces]
    return tuple(line for block in _columns(placed) for row in _rows(block) for line in _lines(row))


def slope(quads: Sequence[Quad]) -> float:
    """Radians by which the baselines run downhill to the right: the median, weighted by length."""
    found = []
    for quad in quads:
        (x0, y0), (x1, y1) = quad[0], quad[1]
        length = math.hypot(x1 - x0, y1 - y0)
        if length >= 3 * _height(quad) and abs(x1 - x0) > abs(y1 - y0):
            found.append((math.atan2(y1 - y0, x1 - x0), length))
    if not found:
        return 0.0
    found.sort()
    half, passed = sum(length for _, length in found) / 2, 0.0
    for angle, length in found:
        passed += length
        if passed >= half:
            return angle
    return found[-1][0]


def _height(quad: Quad) -> float:
    return (math.dist(quad[0], quad[3]) + math.dist(quad[1], quad[2])) / 2


def _place(piece: Piece, angle: float) -> _Placed:
    cosine, sine = math.cos(-angle), math.sin(-angle)
    turned = [(x * cosine - y * sine, x * sine + y * cosine) for x, y in piece.raw.quad]
    across = [x for x, _ in turned]
    width, height = max(across) - min(across), _height(piece.raw.quad)
    # An engine gives a vertical line as a tall quad: its "height" is then the run of the text.
    tall = max(y for _, y in turned) - min(y for _, y in turned)
    upright = len(piece.raw.text) > 1 and tall > TALL * max(width, 1.0)
    return _Placed(
        piece=piece,
        left=min(across),
        right=max(across),
        middle=sum(y for _, y in turned) / 4,
        height=max(tall if upright else height, 1.0),
        upright=upright,
    )


def _columns(placed: list[_Placed]) -> list[list[_Placed]]:
    """The blocks in order: the page as one, or between full-width lines its left, then its right column."""
    gutter = _gutter(placed)
    if gutter is None:
        return [placed]
    across = sorted((one for one in placed if one.left < gutter < one.right), key=lambda one: one.middle)
    blocks: list[list[_Placed]] = []
    edges = [-math.inf, *(one.middle for one in across), math.inf]
    for index, (above, below) in enumerate(pairwise(edges)):
        band = [one for one in placed if above < one.middle < below and not one.left < gutter < one.right]
        blocks.append([one for one in band if one.right <= gutter])
        blocks.append([one for one in band if one.left >= gutter])
        if index < len(across):
            blocks.append([across[index]])
    return [block for block in blocks if block]


def _gutter(placed: list[_Placed]) -> float | None:
    """Where a page of two columns of running text is divided, None when it is not such a page."""
    if len(placed) < 2 * FEWEST_IN_COLUMN:
        return None
    start, end = min(one.left for one in placed), max(one.right for one in placed)
    width = end - start
    places = [start + width * (GUTTER_FROM + (GUTTER_TO - GUTTER_FROM) * step / 80) for step in range(81)]
    crossings = [sum(one.left < place < one.right for one in placed) for place in places]
    fewest = min(crossings)
    if fewest > 0.2 * len(placed):
        return None
    candidates = [place for place, count in zip(places, crossings, strict=True) if count == fewest]
    place = candidates[len(candidates) // 2]
    for column, wide in (
        ([one for one in placed if one.right <= place], place - start),
        ([one for one in placed if one.left >= place], end - place),
    ):
        if len(column) < FEWEST_IN_COLUMN or median(one.right - one.left for one in column) < FILLED * wide:
            return None
    return place


def _rows(block: list[_Placed]) -> list[list[_Placed]]:
    rows: list[list[_Placed]] = []
    for one in sorted(block, key=lambda one: (one.top, one.left)):
        for row in reversed(rows):
            if _same_row(row[0], one):
                row.append(one)
                break
        else:
            rows.append([one])
    rows.sort(key=lambda row: row[0].middle)
    return [sorted(row, key=lambda one: one.left) for row in rows]


def _same_row(first: _Placed, other: _Placed) -> bool:
    if first.upright or other.upright:
        return False
    shared = min(first.bottom, other.bottom) - max(first.top, other.top)
    return shared >= SAME_ROW * min(first.height, other.height)


def _lines(row: list[_Placed]) -> list[Row]:
    """A row as one line, or as several where type of another colour or size stands apart in it."""
    groups: list[list[_Placed]] = [[row[0]]]
    for before, after in pairwise(row):
        if _one_line(before, after):
            groups[-1].append(after)
        else:
            groups.append([after])
    return [_join(group) for group in groups]


def _one_line(before: _Placed, after: _Placed) -> bool:
    if _gap(before, after) <= CLOSE:
        return True
    first, second = before.piece.type, after.piece.type
    if first.colour and second.colour and first.colour != second.colour:
        return False
    lower, higher = sorted((before.height, after.height))
    return higher <= OTHER_SIZE * lower or lower < FLAT * higher


def _gap(before: _Placed, after: _Placed) -> float:
    """Free space between two neighbours, in heights of the type."""
    lower, higher = sorted((before.height, after.height))
    return (after.left - before.right) / (higher if lower < FLAT * higher else lower)


def _join(group: list[_Placed]) -> Row:
    text = group[0].piece.raw.text.strip()
    for before, after in pairwise(group):
        new = after.piece.raw.text.strip()
        gap = _gap(before, after)
        if gap > CLOSE:
            text += APART
        elif gap > WORD_GAP and text[-1:].isascii() and new[:1].isascii():
            text += " "
        text += new
    counts = [len(one.piece.raw.text) for one in group]
    weighed = sum(one.piece.raw.confidence * count for one, count in zip(group, counts, strict=True))
    return Row(
        text=unicodedata.normalize("NFC", text),
        pieces=tuple(one.piece for one in group),
        confidence=weighed / sum(counts),
    )
