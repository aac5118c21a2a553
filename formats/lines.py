"""Placed characters to visual lines in reading order.

Chinese is set without spaces, and type setters stretch it: a gap counts as a space only where Latin
words meet or where a whole character would fit, and as the end of the line piece where several would.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

from ..models.page import Box, Line

Colour = Literal["black", "red", "other"]

_SAME_ROW = 0.35
"""Baselines nearer than this share of the type size stand in one row."""
_LATIN_GAP = 0.18
_WIDE_GAP = 0.8
_SPLIT_GAP = 3.0
_MIN_COLUMN_ROWS = 8
MM_PER_POINT = 25.4 / 72


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character. Lengths in points, origin at the page's top left; `base` is the baseline."""

    char: str
    left: float
    top: float
    right: float
    bottom: float
    base: float
    size: float
    colour: Colour = "black"


def build_lines(glyphs: list[Glyph], width: float, height: float) -> tuple[Line, ...]:
    """The glyphs of one page (of `width` x `height` points) as lines, top to bottom, column by column."""
    pieces = [piece for row in _rows(glyphs) for piece in _split(row)]
    return _set(_in_columns(pieces, width), width, height)


def row_lines(row: list[Glyph], width: float, height: float) -> tuple[Line, ...]:
    """One known row of glyphs, left to right, as lines divided at its wide gaps."""
    return _set(_split(row), width, height)


def _set(pieces: list[list[Glyph]], width: float, height: float) -> tuple[Line, ...]:
    lines = (_line(piece, width, height) for piece in pieces)
    return tuple(line for line in lines if line.text)


def colour_of(red: int, green: int, blue: int) -> Colour:
    """The colour's plain name; a red letterhead or seal is pure enough to tell."""
    if max(red, green, blue) < 110:
        return "black"
    return "red" if red > 140 and green < 100 and blue < 100 else "other"


def _rows(glyphs: list[Glyph]) -> list[list[Glyph]]:
    rows: list[list[Glyph]] = []
    for glyph in sorted(glyphs, key=lambda item: (item.base, item.left)):
        for row in reversed(rows[-4:]):
            head = row[0]
            size = max(min(glyph.size, head.size), 0.5 * max(glyph.size, head.size))
            if abs(glyph.base - head.base) <= _SAME_ROW * size:
                row.append(glyph)
                break
        else:
            rows.append([glyph])
    return [sorted(row, key=lambda item: item.left) for row in rows]


def _split(row: list[Glyph]) -> list[list[Glyph]]:
    """Pieces of a row divided by wide gaps; a word stretched evenly over the row stays whole."""
    kept: list[Glyph] = []
    for glyph in row:
        twin = next((old for old in kept[-3:] if old.char == glyph.char), None)
        if twin and abs(twin.left - glyph.left) < 0.15 * glyph.size:  # bold made by printing twice
            continue
        kept.append(glyph)
    inked = [glyph for glyph in kept if not glyph.char.isspace()]
    gaps = [(b.left - a.right) / max(a.size, b.size, 0.1) for a, b in pairwise(inked)]
    stretched = len(gaps) >= 2 and min(gaps) > _WIDE_GAP and max(gaps) - min(gaps) < 0.5
    pieces: list[list[Glyph]] = [[]]
    for index, glyph in enumerate(inked):
        if index and gaps[index - 1] > _SPLIT_GAP and not stretched:
            pieces.append([])
        pieces[-1].append(glyph)
    return [piece for piece in pieces if piece]


def _in_columns(pieces: list[list[Glyph]], width: float) -> list[list[Glyph]]:
    """Reading order: rows top to bottom, but where two columns run side by side the left one first."""
    cut = width / 2
    left = [p for p in pieces if p[-1].right <= cut + 6 and p[-1].right - p[0].left > width * 0.2]
    right = [p for p in pieces if p[0].left >= cut - 6 and p[-1].right - p[0].left > width * 0.2]
    across = [p for p in pieces if p[0].left < cut - 12 and p[-1].right > cut + 12]
    if len(left) < _MIN_COLUMN_ROWS or len(right) < _MIN_COLUMN_ROWS or len(across) > len(left):
        return pieces
    ordered: list[list[Glyph]] = []
    waiting: list[list[Glyph]] = []
    for piece in pieces:
        if piece[0].left >= cut - 12:
            waiting.append(piece)
            continue
        if piece[-1].right > cut + 12:
            ordered += waiting
            waiting = []
        ordered.append(piece)
    return ordered + waiting


def _line(piece: list[Glyph], width: float, height: float) -> Line:
    size = median(glyph.size for glyph in piece)
    shares = Counter(glyph.colour for glyph in piece)
    return Line(
        text=_text(piece),
        box=Box(
            left=_share(min(g.left for g in piece), width),
            top=_share(min(g.top for g in piece), height),
            right=_share(max(g.right for g in piece), width),
            bottom=_share(max(g.bottom for g in piece), height),
        ),
        confidence=1.0,
        size_mm=round(size * MM_PER_POINT, 2),
        colour=shares.most_common(1)[0][0],
    )


def _share(value: float, whole: float) -> float:
    return round(min(max(value / whole, 0.0), 1.0), 5)


def _text(piece: list[Glyph]) -> str:
    gaps = [(b.left - a.right) / max(a.size, b.size, 0.1) for a, b in pairwise(piece)]
    stretched = len(gaps) >= 2 and min(gaps) > 0.4 and max(gaps) - min(gaps) < 0.5
    out = [piece[0].char]
    for gap, before, glyph in zip(gaps, piece, piece[1:], strict=False):
        latin = is_narrow(before.char) and is_narrow(glyph.char)
        if (latin and gap > _LATIN_GAP) or (not latin and gap > _WIDE_GAP and not stretched):
            out.append(" ")
        out.append(glyph.char)
    return "".join(out).strip()


def is_narrow(char: str) -> bool:
    """Whether the character belongs to a script that divides words by spaces."""
    width = unicodedata.east_asian_width(char)
    return width in ("N", "Na", "H") or (width == "A" and char.isalpha())
