"""The cells of a table looked at once more, those with ink in which nothing was read: single figures and dashes.

A detector that sees the whole page at once passes over a figure that stands alone in a narrow column. Each strip is
read twice, in two scales; what both readings say is taken, nothing else. A dash alone is told by its shape.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from time import monotonic

import cv2
import numpy as np

from ..formats.opened import Picture
from ..formats.ruled import Grid
from ..formats.ruled_cells import Place
from .engines.engine import Engine, EngineFault, Quad, RawLine
from .page_again import Mask, PixelBox, around, read_strip_of, small_ink
from .page_placed import Piece
from .page_prepare import Prepared
from .page_type import measure_type

BESIDE_MM = 0.7
"""Left off at the sides of a cell: its rules."""
LOWEST_MM, HIGHEST_MM = 1.2, 7.0
"""Height of the signs that are looked at; lower ink is a speck, a dash or part of a rule."""
SPECK_MM = 0.5
WIDEST_MM = 16.0
"""Of what stands in such a cell. Longer text is found by the detector, or is handwriting."""
LEAST_INK, MOST_INK = 0.05, 0.75
"""Part of the box around the ink that is inked."""
MOST_CELLS = 60
"""So many cells of a page are looked at."""
ROOMS = (0.45, 0.22)
"""Paper around the two strips, in heights of the ink."""
LEAST, LEAST_CHINESE = 0.6, 0.85
"""How sure both readings are; figures and Latin letters, Chinese characters."""
LONGEST = 6
DASH_MM = 1.8, 9.0
"""Length of a dash that fills a cell of which there is nothing to say."""
DASH_LONG, DASH_FULL = 4.0, 0.6
"""How many times longer than high it is, at least; part of its box that is inked."""
DASH_MIDDLE = 0.3
"""How far from the middle of its cell it may lie, in the cell's heights."""
DASH_MEAN_MM, FAINTER = 1.2, 0.6
"""Where none is seen, a dash is looked for in the mean along such a length, with less contrast."""
DASH_SURE = 0.9
NUMERALS = frozenset("二三四五六七八九十")


def lost_in_cells(
    pieces: Sequence[Piece], grids: Sequence[Grid], prepared: Prepared, engine: Engine, *, deadline: float
) -> list[Piece]:
    """What stands in cells of which nothing was read; only in tables of which something was.

    Args:
        pieces: as read on the page.
        grids: its tables.
        prepared: the page.
        engine: reads the strips.
        deadline: on the monotonic clock; beyond it nothing is read.
    """
    found: list[Piece] = []
    try:
        for cell, box, dash in _unread(pieces, grids, prepared):
            left = deadline - monotonic()
            if left <= 0 or len(found) >= MOST_CELLS:
                break
            raw = _as_dash(box) if dash else _read(box, cell, prepared.picture, engine, left)
            if raw is not None:
                kind = measure_type(prepared.picture, raw.quad, raw.text, dpi=prepared.dpi)
                found.append(Piece(raw=raw, type=kind))
    except EngineFault:  # what was read before stands: a second look never loses a page
        return found
    return found


def _unread(
    pieces: Sequence[Piece], grids: Sequence[Grid], prepared: Prepared
) -> Iterator[tuple[PixelBox, PixelBox, bool]]:
    """Cells (without their rules), the box of the ink in them, pixels, and whether that is a dash."""
    mm = prepared.dpi / 25.4
    extents = [_extent(piece.raw.quad) for piece in pieces]
    tried = 0
    for grid in grids:
        own = [box for box in extents if grid.around((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)]
        if not own:
            continue
        part, x, y = _cut(prepared.picture, grid, mm)
        if part.size == 0:
            continue
        ink, scale = small_ink(part, mm, depth=prepared.depth)
        # a dash that is faint, or broken, shows in the mean along it, in which noise is less, too
        along = (max(1, round(DASH_MEAN_MM * mm)) | 1, 1)
        level, _ = small_ink(np.asarray(cv2.blur(part, along), np.uint8), mm, depth=FAINTER * prepared.depth)
        for cell in grid.cells:
            if any(_covers(box, cell) for box in own):
                continue
            inner = _inner(cell, mm)
            box = _signs(ink, inner, x, y, scale, mm)
            if box is not None and tried < MOST_CELLS:
                tried += 1
                yield inner, box, False
            elif (
                box is None
                and (dash := _dash(ink, inner, x, y, scale, mm) or _dash(level, inner, x, y, scale, mm))
                and not _counts(pieces, extents, cell)
            ):
                yield inner, dash, True


def _cut(picture: Picture, grid: Grid, mm: float) -> tuple[Picture, int, int]:
    high, wide = picture.shape[:2]
    left, top = max(0, int(grid.left - mm)), max(0, int(grid.top - mm))
    return picture[top : min(high, int(grid.bottom + mm)), left : min(wide, int(grid.right + mm))], left, top


def _inner(cell: Place, mm: float) -> PixelBox:
    beside = BESIDE_MM * mm
    return (
        round(cell.left + beside), round(cell.top + beside),
        round(cell.right - beside), round(cell.bottom - beside),
    )  # fmt: skip


def _cell_ink(ink: Mask, inner: PixelBox, x: int, y: int, scale: float) -> tuple[int, int, Mask]:
    """Left and top of a cell in the mask, and its part of it."""
    left, top = (max(0, round((inner[i] - from_) * scale)) for i, from_ in ((0, x), (1, y)))
    right, bottom = (max(0, round((inner[i] - from_) * scale)) for i, from_ in ((2, x), (3, y)))
    return left, top, ink[top:bottom, left:right]


def _strokes(part: Mask) -> list[list[int]]:
    """Left, top, width, height and inked pixels of each connected piece of ink; empty where there is none."""
    if part.size == 0 or not part.any():
        return []
    _, _, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(part), connectivity=8)
    found: list[list[int]] = stats[1:].tolist()
    return found


def _signs(ink: Mask, inner: PixelBox, x: int, y: int, scale: float, mm: float) -> PixelBox | None:
    """The box around the signs in a cell, None where there is none or what there is looks otherwise."""
    left, top, part = _cell_ink(ink, inner, x, y, scale)
    strokes = _strokes(part)
    unit = mm * scale
    signs: list[PixelBox] = []
    tall = False
    high, wide = part.shape
    for across, down, width, height, _area in strokes:
        if max(width, height) < SPECK_MM * unit:
            continue
        along = (width <= 2 or height <= 2) and (
            down <= 1 or down + height >= high - 1 or across <= 1 or across + width >= wide - 1
        )
        if along:  # what is left of a rule that is not quite straight
            continue
        signs.append((across, down, across + width, down + height))
        tall = tall or height >= LOWEST_MM * unit
    if not signs or not tall:
        return None
    a, b, c, d = around(signs)
    if d - b > HIGHEST_MM * unit or c - a > WIDEST_MM * unit:
        return None
    if not LEAST_INK <= float(part[b:d, a:c].mean()) <= MOST_INK:
        return None
    return (
        round((left + a) / scale) + x, round((top + b) / scale) + y,
        round((left + c) / scale) + x, round((top + d) / scale) + y,
    )  # fmt: skip


def _dash(ink: Mask, inner: PixelBox, x: int, y: int, scale: float, mm: float) -> PixelBox | None:
    """The box of a single stroke that lies in the middle of a cell and ends within it."""
    left, top, part = _cell_ink(ink, inner, x, y, scale)
    strokes = _strokes(part)
    unit, (high, wide) = mm * scale, part.shape
    seen = [row for row in strokes if max(row[2], row[3]) >= SPECK_MM * unit]
    inside = [row for row in seen if row[0] > 0 and row[0] + row[2] < wide]
    if len(seen) != 1 or not inside:
        return None
    across, down, width, height, area = inside[0]
    if not DASH_MM[0] * unit <= width <= DASH_MM[1] * unit or width < DASH_LONG * height:
        return None
    if area < DASH_FULL * width * height or abs(down + height / 2 - high / 2) > DASH_MIDDLE * high:
        return None
    return (
        round((left + across) / scale) + x, round((top + down) / scale) + y,
        round((left + across + width) / scale) + x, round((top + down + height) / scale) + y,
    )  # fmt: skip


def _counts(
    pieces: Sequence[Piece], extents: Sequence[tuple[float, float, float, float]], cell: Place
) -> bool:
    """Whether Chinese numerals stand in the cell's column: then a stroke is a 一, which is not told from a dash."""
    return any(
        piece.raw.text.strip() in NUMERALS and cell.left <= (box[0] + box[2]) / 2 <= cell.right
        for piece, box in zip(pieces, extents, strict=True)
    )


def _as_dash(box: PixelBox) -> RawLine:
    a, b, c, d = (float(side) for side in box)
    # as high as a line of type, so that it is measured like its neighbours
    more = max(0.0, ((c - a) - (d - b)) / 2)
    quad = ((a, b - more), (c, b - more), (c, d + more), (a, d + more))
    return RawLine(text="—", quad=quad, confidence=DASH_SURE, characters=(DASH_SURE,))


def _read(box: PixelBox, cell: PixelBox, picture: Picture, engine: Engine, seconds: float) -> RawLine | None:
    """The text on which both strips agree."""
    seen: list[tuple[str, RawLine]] = []
    for room in ROOMS:
        raw = read_strip_of(
            box, within=cell, room=room * (box[3] - box[1]), picture=picture, engine=engine, seconds=seconds
        )
        text = "" if raw is None else unicodedata.normalize("NFKC", raw.text).strip()
        if raw is None or not text or len(text) > LONGEST or not any(one.isalnum() for one in text):
            return None
        seen.append((text, raw))
    (text, first), (again, second) = seen
    lower = min(first.confidence, second.confidence)
    if text != again or lower < (LEAST if text.isascii() else LEAST_CHINESE):
        return None
    a, b, c, d = (float(side) for side in box)
    sure = round((first.confidence + second.confidence) / 2, 3)
    return RawLine(
        text=text, quad=((a, b), (c, b), (c, d), (a, d)), confidence=sure,
        characters=(round(sure, 2),) * len(text),
    )  # fmt: skip


def _extent(quad: Quad) -> tuple[float, float, float, float]:
    across, down = [x for x, _ in quad], [y for _, y in quad]
    return min(across), min(down), max(across), max(down)


def _covers(box: tuple[float, float, float, float], cell: Place) -> bool:
    """Whether a piece stands in the cell, be it in part."""
    wide = min(box[2], cell.right) - max(box[0], cell.left)
    high = min(box[3], cell.bottom) - max(box[1], cell.top)
    shorter = min(box[2] - box[0], cell.right - cell.left), min(box[3] - box[1], cell.bottom - cell.top)
    return wide > 0.35 * shorter[0] and high > 0.35 * shorter[1]
