"""The page number looked for once more, where a page of several gave none: thin or small type at its foot or head.

A detector that sees the whole page at once passes over a figure or two. Here the ink itself says where something
stands alone below (or above) the text; only that is cut out and read, each strip twice. A number is taken where both
readings agree, so none is made up where there is no ink that reads as one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ..formats.opened import Picture
from ..formats.pixels import blobs
from .engines.engine import Engine, EngineFault, Quad, RawLine
from .page_again import Mask, PixelBox, around, read_strip_of, small_ink
from .page_placed import Piece
from .page_prepare import Prepared
from .page_printed import number_of
from .page_read import Read
from .page_rows import read_rows
from .page_type import measure_type

ZONE = 0.13
"""Share of the page at its head and foot where page numbers stand."""
SPECK_MM = 0.55
DASH_MM = (1.0, 13.0)
"""Length of the dashes beside a number, thinner than …"""
FLAT_MM = 1.3
FIGURE_MM = (1.3, 6.0)
"""Height of figures: 小五 is 3.2 mm and its figures 2.1."""
GAP_MM = 4.4
"""Between the characters of one page number; wider is a new one."""
WIDEST_MM = 48.0
ALONE_MM = 2.0
"""So far from other ink above and below, and thrice as far to the sides, a number stands."""
EDGE_MM = 2.5
MOST_TRIED = 3
MOST_SIGNS = 16
ROOM = 0.45
"""Paper kept around a strip, in heights of its figures."""
TIGHT = 0.25
"""The same for the second reading, which sees the figures in another scale."""
SHORT = 6
"""Pieces read before that are no longer may be the number, misread; longer ones are text."""
LEAST, LEAST_BARE = 0.5, 0.9
"""Both readings are at least so sure; of figures without anything beside them, which a scratch may look like."""
_NOT_TEXT = re.compile(r"[\W\d_一二丨lIoOBSZ]{1,8}")


@dataclass(frozen=True, slots=True)
class _Spot:
    """Ink that stands alone: its box, that of its figures without the dashes, and whether dashes stand beside."""

    whole: PixelBox
    figures: PixelBox
    dashed: bool


def with_number(read: Read, engine: Engine, *, seconds: float) -> Read:
    """The page with its number, if one is found where none was read; double pages stay as they are.

    Args:
        read: a page of several.
        engine: reads the strips.
        seconds: for each of them.
    """
    if len(read.sides) != 1:
        return read
    side = read.sides[0]
    pieces = [piece for row in side.rows for piece in row.pieces]
    high = side.prepared.picture.shape[0]
    for piece in pieces:
        middle = sum(y for _, y in piece.raw.quad) / 4 / high
        if not ZONE < middle < 1 - ZONE and number_of(piece.raw.text) is not None:
            return read
    try:
        found = find_number(pieces, side.prepared, engine, seconds=seconds)
    except EngineFault:  # what was read before stands: a second look never loses a page
        return read
    if found is None:
        return read
    number, same = found
    gone = {id(piece) for piece in same}
    rows = read_rows([*(piece for piece in pieces if id(piece) not in gone), number])
    return replace(read, sides=(replace(side, rows=rows),), steps=(*read.steps, "page_number"))


def find_number(
    pieces: Sequence[Piece], prepared: Prepared, engine: Engine, *, seconds: float
) -> tuple[Piece, tuple[Piece, ...]] | None:
    """The page's number and the pieces it stands in place of (the same ink, misread), None without one.

    Args:
        pieces: what was read on the page.
        prepared: the level page.
        engine: reads the strips.
        seconds: for each of them.

    Raises:
        EngineFault: the engine failed on a strip.
    """
    for foot in (True, False):
        for spot in _spots(pieces, prepared, foot=foot):
            raw = _read(spot, prepared.picture, engine, seconds)
            if raw is None:
                continue
            kind = measure_type(prepared.picture, raw.quad, raw.text, dpi=prepared.dpi)
            if kind.colour == "red":
                continue
            same = tuple(piece for piece in pieces if _meet(_extent(piece.raw.quad), spot.whole, 0))
            return Piece(raw=raw, type=kind), same
    return None


def _spots(pieces: Sequence[Piece], prepared: Prepared, *, foot: bool) -> list[_Spot]:
    """The likeliest places first: with dashes beside, then lowest (at the head: highest)."""
    picture = prepared.picture
    height = picture.shape[0]
    top, bottom = (round((1 - ZONE) * height), height) if foot else (0, round(ZONE * height))
    ink, scale = small_ink(picture[top:bottom], prepared.dpi / 25.4, depth=prepared.depth)
    mm = prepared.dpi * scale / 25.4
    texts = [_extent(piece.raw.quad) for piece in pieces if not _may_be_number(piece.raw.text)]
    known = [
        (round(a * scale), round((b - top) * scale), round(c * scale), round((d - top) * scale))
        for a, b, c, d in texts
        if d > top and b < bottom
    ]
    for left, upper, right, lower in known:
        ink[max(0, upper) : max(0, lower), max(0, left) : max(0, right)] = 0
    found = list(_groups(ink, known, mm))
    found.sort(key=lambda spot: (not spot.dashed, -spot.whole[3] if foot else spot.whole[1]))
    return [
        _Spot(_back(spot.whole, scale, top), _back(spot.figures, scale, top), spot.dashed)
        for spot in found[:MOST_TRIED]
    ]


def _groups(ink: Mask, known: Sequence[PixelBox], mm: float) -> Iterator[_Spot]:
    """Rows of a few signs that stand alone and have the size of a page number."""
    _, stats = blobs(ink)
    wide = ink.shape[1]
    edge = EDGE_MM * mm
    signs: list[PixelBox] = []
    for left, top, across, down, _area in stats[1:].tolist():
        if max(across, down) < SPECK_MM * mm:
            continue
        box = (left, top, left + across, top + down)
        if left < edge or box[2] > wide - edge or down > FIGURE_MM[1] * mm * 1.5:
            continue
        signs.append(box)
    if len(signs) > 400:
        return
    signs.sort()
    rows: list[list[PixelBox]] = []
    for box in signs:
        row = next((row for row in rows if _follows(row, box, mm)), None)
        if row is None:
            rows.append([box])
        else:
            row.append(box)
    boxes = [around(row) for row in rows]
    for place, row in enumerate(rows):
        spot = _spot(row, mm)
        if spot is None or spot.whole[3] - spot.whole[1] > FIGURE_MM[1] * mm:
            continue
        others = [box for other, box in enumerate(boxes) if other != place and _sizeable(box, mm)]
        if not any(_near(spot.whole, other, ALONE_MM * mm) for other in (*others, *known)):
            yield spot


def _follows(row: list[PixelBox], box: PixelBox, mm: float) -> bool:
    left, top, right, bottom = around(row)
    middle = (box[1] + box[3]) / 2
    inside = top - 0.6 * mm <= middle <= bottom + 0.6 * mm or box[1] <= (top + bottom) / 2 <= box[3]
    return inside and box[0] - right <= GAP_MM * mm and left <= box[2]


def _spot(row: list[PixelBox], mm: float) -> _Spot | None:
    figures = [
        box for box in row
        if FIGURE_MM[0] * mm <= box[3] - box[1] <= FIGURE_MM[1] * mm and box[2] - box[0] <= FIGURE_MM[1] * mm
    ]  # fmt: skip
    whole = around(row)
    if not figures or len(row) > MOST_SIGNS or whole[2] - whole[0] > WIDEST_MM * mm:
        return None
    inner = around(figures)
    dashes = [
        box for box in row
        if box[3] - box[1] <= FLAT_MM * mm
        and DASH_MM[0] * mm <= box[2] - box[0] <= DASH_MM[1] * mm
        and inner[1] < (box[1] + box[3]) / 2 < inner[3]
    ]  # fmt: skip
    before = any(box[2] <= inner[0] + mm for box in dashes)
    behind = any(box[0] >= inner[2] - mm for box in dashes)
    return _Spot(whole, inner, before and behind)


def _read(spot: _Spot, picture: Picture, engine: Engine, seconds: float) -> RawLine | None:
    """The number as read on two strips of different scale that agree; of a dashed one, once without its dashes."""
    high, wide = picture.shape[:2]
    within = (0, 0, wide, high)
    figures = spot.figures[3] - spot.figures[1]
    first = read_strip_of(
        spot.whole, within=within, room=ROOM * figures, picture=picture, engine=engine, seconds=seconds
    )
    if first is None and not spot.dashed:
        return None
    inner = spot.figures if spot.dashed else spot.whole
    second = read_strip_of(
        inner, within=within, room=TIGHT * figures, picture=picture, engine=engine, seconds=seconds
    )
    seen = [
        (told, raw)
        for raw in (first, second)
        if raw is not None and (told := number_of(_bare(raw.text) if spot.dashed else raw.text)) is not None
    ]
    if len(seen) < 2 or any(one[0] != other[0] for one, other in pairwise(seen)):
        return None
    best = max((raw for _, raw in seen), key=lambda raw: raw.confidence)
    lower = min(raw.confidence for _, raw in seen)
    bare = not spot.dashed and all(_tidy(raw.text).isdigit() for _, raw in seen)
    if lower < (LEAST_BARE if bare else LEAST):
        return None
    text = f"— {seen[0][0][0]} —" if spot.dashed else _tidy(seen[0][1].text)
    a, b, c, d = spot.whole
    quad: Quad = (float(a), float(b)), (float(c), float(b)), (float(c), float(d)), (float(a), float(d))
    sure = round((best.confidence + lower) / 2, 3)
    return RawLine(text=text, quad=quad, confidence=sure, characters=(round(sure, 2),) * len(text))


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _bare(text: str) -> str:
    """What stands between dashes, however they were read."""
    return _tidy(text).strip(" —-–―−~_=一·.")


def _may_be_number(text: str) -> bool:
    return len(text) <= SHORT and _NOT_TEXT.fullmatch(text) is not None


def _extent(quad: Quad) -> PixelBox:
    across, down = [x for x, _ in quad], [y for _, y in quad]
    return round(min(across)), round(min(down)), round(max(across)), round(max(down))


def _sizeable(box: PixelBox, mm: float) -> bool:
    return max(box[2] - box[0], box[3] - box[1]) >= FIGURE_MM[0] * mm


def _near(one: PixelBox, other: PixelBox, room: float) -> bool:
    return (
        one[0] - 3 * room < other[2] and other[0] < one[2] + 3 * room
        and one[1] - room < other[3] and other[1] < one[3] + room
    )  # fmt: skip


def _meet(one: PixelBox, other: PixelBox, room: int) -> bool:
    return (
        one[0] - room < other[2] and other[0] < one[2] + room
        and one[1] - room < other[3] and other[1] < one[3] + room
    )  # fmt: skip


def _back(box: PixelBox, scale: float, top: int) -> PixelBox:
    left, upper, right, lower = (round(side / scale) for side in box)
    return left, upper + top, right, lower + top
