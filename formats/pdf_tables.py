"""Ruled tables of a PDF page that has its own text: rules from the page's paths, characters into cells.

Nothing is drawn: paths of straight strokes and thin filled boxes are rules. Their number is bounded, as a hostile page
may have millions.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pypdfium2.raw as raw
from numpy.typing import NDArray

from ..models.page import Box, Cell, Line, Table
from .lines import Glyph, build_lines
from .ruled import Grid, grids_between
from .ruled_cells import Place, joined

MOST_SEGMENTS = 6000
FEWEST_LEVEL, FEWEST_UPRIGHT = 2, 1
"""Rules across and down that a table has at least; an official paper's own rules all run across."""
THICK = 4.0
"""Points; thicker boxes are areas."""
SHORT = 4.0
"""Points; shorter strokes are drawings. A border may be drawn cell by cell."""
FINE, LARGEST = 2.5, 2500.0
"""Pixels a mm on which rules are put together, and the longest side in pixels."""
MM_PER_POINT = 25.4 / 72

Point = tuple[float, float]
At = Callable[[float, float], Point]


def tables_in(paths: Sequence[Any], at: At, width: float, height: float) -> tuple[Grid, ...]:
    """The ruled tables of a page, from top to bottom, in points from its top left.

    Args:
        paths: PDFium's path objects of the page itself.
        at: from page space to points from the top left.
        width: of the page as shown, points.
        height: likewise.
    """
    level: list[tuple[Point, Point]] = []
    upright: list[tuple[Point, Point]] = []
    left = MOST_SEGMENTS
    for path in paths:
        count = raw.FPDFPath_CountSegments(path)
        left -= max(count, 1)
        if left < 0:
            break
        for start, end in _rules(path, count, at):
            if abs(start[0] - end[0]) >= max(SHORT, abs(start[1] - end[1]) * 20):
                level.append((start, end))
            elif abs(start[1] - end[1]) >= max(SHORT, abs(start[0] - end[0]) * 20):
                upright.append((start, end))
    if len(level) < FEWEST_LEVEL or len(upright) < FEWEST_UPRIGHT:
        return ()
    scale = min(FINE * MM_PER_POINT, LARGEST / max(width, height))
    across = _painted(level, width, height, scale)
    down = _painted(upright, width, height, scale)
    grids = grids_between(across, down, mm=scale / MM_PER_POINT)
    return tuple(grid.scaled(1 / scale) for grid in grids)


def lines_in_tables(
    glyphs: list[Glyph], grids: Sequence[Grid], width: float, height: float
) -> tuple[tuple[Line, ...], tuple[Table, ...]]:
    """All lines of the page, those in tables with the role `cell`, cell by cell; and the tables that have text."""
    outside = glyphs
    tables: list[Table] = []
    inner: list[list[Line]] = []
    for grid in grids:
        inside: dict[int, list[Glyph]] = {}
        rest: list[Glyph] = []
        for glyph in outside:
            place = _place_of(grid, (glyph.left + glyph.right) / 2, (glyph.top + glyph.bottom) / 2)
            if place is None:
                rest.append(glyph)
            else:
                inside.setdefault(place, []).append(glyph)
        if not inside:
            continue
        outside = rest
        found = [build_lines(inside.get(index, []), width, height) for index in range(len(grid.cells))]
        tables.append(
            Table(
                box=_box(grid, width, height),
                cells=tuple(
                    Cell(
                        row=cell.row, column=cell.column, rows=cell.rows, columns=cell.columns,
                        text=joined([line.text for line in own]), box=_box(cell, width, height),
                    )
                    for cell, own in zip(grid.cells, found, strict=True)
                ),
            )
        )  # fmt: skip
        inner.append([replace(line, role="cell") for own in found for line in own])
    lines = list(build_lines(outside, width, height))
    for table, own in zip(tables, inner, strict=True):
        lines[_behind(lines, table.box) : _behind(lines, table.box)] = own
    return tuple(lines), tuple(tables)


def _behind(lines: list[Line], box: Box) -> int:
    """Behind the last line that stands above the box, inside its width."""
    above = [
        place + 1
        for place, line in enumerate(lines)
        if line.box.centre[1] < box.centre[1] and line.box.left < box.right and line.box.right > box.left
    ]
    return above[-1] if above else 0


def _place_of(grid: Grid, x: float, y: float) -> int | None:
    if not grid.around(x, y):
        return None
    return next((index for index, cell in enumerate(grid.cells) if cell.around(x, y)), None)


def _box(place: Grid | Place, width: float, height: float) -> Box:
    def share(value: float, whole: float) -> float:
        return round(min(max(value / whole, 0.0), 1.0), 5)

    return Box(
        share(place.left, width), share(place.top, height), share(place.right, width), share(place.bottom, height)
    )  # fmt: skip


def _rules(path: Any, count: int, at: At) -> list[tuple[Point, Point]]:
    """Straight strokes of a path, and the middle lines of its thin filled boxes."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    matrix = raw.FS_MATRIX()
    if not raw.FPDFPath_GetDrawMode(path, ctypes.byref(fill), ctypes.byref(stroke)):
        return []
    if not (fill.value or stroke.value) or not raw.FPDFPageObj_GetMatrix(path, ctypes.byref(matrix)):
        return []
    x, y = ctypes.c_float(), ctypes.c_float()
    found: list[tuple[Point, Point]] = []
    outline: list[Point] = []
    for index in range(count):
        segment = raw.FPDFPath_GetPathSegment(path, index)
        kind = raw.FPDFPathSegment_GetType(segment)
        raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        point = at(
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        if kind == raw.FPDF_SEGMENT_MOVETO:
            found += _of_outline(outline, stroked=bool(stroke.value))
            outline = [point]
        else:
            outline.append(point)
            if raw.FPDFPathSegment_GetClose(segment):
                outline.append(outline[0])
    return found + _of_outline(outline, stroked=bool(stroke.value))


def _of_outline(outline: list[Point], *, stroked: bool) -> list[tuple[Point, Point]]:
    if len(outline) < 2:
        return []
    left, right = min(x for x, _ in outline), max(x for x, _ in outline)
    top, bottom = min(y for _, y in outline), max(y for _, y in outline)
    if min(right - left, bottom - top) <= THICK:
        if right - left > bottom - top:
            return [((left, (top + bottom) / 2), (right, (top + bottom) / 2))]
        return [(((left + right) / 2, top), ((left + right) / 2, bottom))]
    return list(pairwise(outline)) if stroked else []


def _painted(
    rules: list[tuple[Point, Point]], width: float, height: float, scale: float
) -> NDArray[np.uint8]:
    high, wide = max(1, round(height * scale)), max(1, round(width * scale))
    mask = np.zeros((high, wide), np.uint8)
    for (x0, y0), (x1, y1) in rules:
        left, right = sorted((x0, x1))
        top, bottom = sorted((y0, y1))
        if right < 0 or bottom < 0 or left > width or top > height:
            continue
        # a rule is as long as it is drawn, and one pixel thick
        first, last = max(0, int(top * scale)), min(high - 1, int(bottom * scale))
        mask[first : last + 1, max(0, int(left * scale)) : min(wide - 1, int(right * scale)) + 1] = 1
    return mask
