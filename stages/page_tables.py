"""Ruled tables on a page that was read: pieces cut where a rule divides them, put into cells, cells in order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from time import monotonic

from ..formats.opened import Picture
from ..formats.ruled import STAMP_MM, Grid
from ..formats.ruled_cells import Place, joined
from ..models.page import Box, Cell, Table
from .engines.engine import Engine, Quad, RawLine
from .engines.recognise import cut_out
from .page_join import APART, Row
from .page_placed import Piece, height_of
from .page_prepare import Prepared
from .page_rows import read_rows
from .page_table_rows import with_own_rows

OVER = 0.7
"""A piece is cut where a rule stands this many of its heights inside it; less is the room an engine leaves around."""
BESIDE = 0.1
"""Heights left off at either side of a rule, so that it is not read as a stroke."""
KEPT = 0.6
"""Parts that read to fewer of the characters than this are not believed; the text is shared out instead."""
NARROW = 0.55
"""Advance of a digit or a Latin letter against that of a Chinese character."""
_STAMP = re.compile(r"收文|收件|来文登记")


@dataclass(frozen=True, slots=True)
class Filled:
    """A table with the lines of each of its cells, top to bottom."""

    grid: Grid
    cells: tuple[tuple[Place, tuple[Row, ...]], ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """The lines row by row: what stands side by side in one line each is one line, as on the page.

        Where a cell of a row has several lines, its cells come one after another.
        """
        lines: list[Row] = []
        for _, group in groupby(self.cells, key=lambda cell: cell[0].row):
            cells = list(group)
            if all(len(rows) <= 1 and not any(row.vertical for row in rows) for _, rows in cells):
                beside = [row for _, rows in cells for row in rows]
                lines += [side_by_side(beside)] if beside else []
            else:
                lines += [row for _, rows in cells for row in rows]
        return tuple(lines)


def cut_at_rules(
    raws: Sequence[RawLine], grids: Sequence[Grid], picture: Picture, engine: Engine, *, deadline: float
) -> list[RawLine]:
    """The pieces, those that run across a rule between two cells cut there and each part read again.

    Args:
        raws: as an engine read them on `picture`.
        grids: the tables on it.
        picture: the straightened page, height x width x 3, RGB.
        engine: reads the parts.
        deadline: on the monotonic clock; beyond it the text is shared out by widths.

    Raises:
        EngineFault: the engine failed on a part.
    """
    found: list[RawLine] = []
    for raw in raws:
        places = [] if raw.vertical else _rules_across(raw.quad, grids)
        found += _parts(raw, places, picture, engine, deadline) if places else [raw]
    return found


def fill(grids: Sequence[Grid], pieces: Sequence[Piece], *, dpi: float) -> tuple[list[Filled], list[Piece]]:
    """Tables with their text, and the pieces that stand in none. A piece belongs to the cell around its middle.

    A grid without a word is a drawing, and a small one that says 收文 a receiving stamp; neither is a table.
    """
    tables: list[Filled] = []
    outside = list(pieces)
    for grid in grids:
        inside: dict[int, list[Piece]] = {}
        for piece in outside:
            x, y = _middle(piece.raw.quad)
            place = next((place for place, cell in enumerate(grid.cells) if cell.around(x, y)), None)
            if place is not None:
                inside.setdefault(place, []).append(piece)
        if not inside or _is_stamp(grid, inside, dpi):
            continue
        taken = {id(piece) for cell in inside.values() for piece in cell}
        outside = [piece for piece in outside if id(piece) not in taken]
        cells = tuple((cell, read_rows(inside.get(i, []))) for i, cell in enumerate(grid.cells))
        tables.append(Filled(grid, with_own_rows(cells)))
    return tables, outside


def in_order(rows: Sequence[Row], tables: Sequence[Filled]) -> list[Row | Filled]:
    """The lines beside the tables with the tables among them: each behind the last line that stands above it."""
    order: list[Row | Filled] = list(rows)
    for table in tables:
        grid = table.grid
        behind = 0
        for place, item in enumerate(order):
            left, right, middle = _reach(item)
            if middle < (grid.top + grid.bottom) / 2 and left < grid.right and right > grid.left:
                behind = place + 1
        order.insert(behind, table)
    return order


def side_by_side(rows: Sequence[Row]) -> Row:
    """Lines of cells that stand beside one another as one line, their texts apart."""
    if len(rows) == 1:
        return rows[0]
    told = any(row.characters for row in rows)
    scores: list[float] = []
    for row in rows:
        own = row.characters or (round(row.confidence, 2),) * len(row.text)
        scores += [min(*scores[-1:], *own[:1], 1.0)] * (len(APART) if scores else 0) + list(own)
    counts = [max(1, len(row.text)) for row in rows]
    return Row(
        text=APART.join(row.text for row in rows),
        pieces=tuple(piece for row in rows for piece in row.pieces),
        confidence=sum(row.confidence * count for row, count in zip(rows, counts, strict=True)) / sum(counts),
        characters=tuple(scores) if told else (),
        runs=tuple(run for row in rows for run in row.runs),
    )


def table_of(filled: Filled, prepared: Prepared) -> Table:
    """The table on the page as it came."""
    grid = filled.grid
    return Table(
        box=_box(grid, prepared),
        cells=tuple(
            Cell(
                row=place.row, column=place.column, rows=place.rows, columns=place.columns,
                text=joined([row.text for row in rows]), box=_box(place, prepared),
            )
            for place, rows in filled.cells
        ),
    )  # fmt: skip


def _box(place: Grid | Place, prepared: Prepared) -> Box:
    left, top, right, bottom = place.left, place.top, place.right, place.bottom
    return prepared.box([((left, top), (right, top), (right, bottom), (left, bottom))])


def _middle(quad: Quad) -> tuple[float, float]:
    return sum(x for x, _ in quad) / 4, sum(y for _, y in quad) / 4


def _reach(item: Row | Filled) -> tuple[float, float, float]:
    """Left, right and the middle between top and bottom, pixels."""
    if isinstance(item, Filled):
        return item.grid.left, item.grid.right, (item.grid.top + item.grid.bottom) / 2
    points = [point for piece in item.pieces for point in piece.raw.quad]
    down = [y for _, y in points]
    return min(x for x, _ in points), max(x for x, _ in points), (min(down) + max(down)) / 2


def _is_stamp(grid: Grid, inside: dict[int, list[Piece]], dpi: float) -> bool:
    mm = dpi / 25.4
    if grid.right - grid.left > STAMP_MM[0] * mm or grid.bottom - grid.top > STAMP_MM[1] * mm:
        return False
    return any(_STAMP.search(piece.raw.text) for cell in inside.values() for piece in cell)


def _rules_across(quad: Quad, grids: Sequence[Grid]) -> list[float]:
    """Where, as parts of the piece's length, rules between cells cross it."""
    left, right, (_, y) = quad[0][0], quad[1][0], _middle(quad)
    length, least = right - left, OVER * height_of(quad)
    if length <= 2 * least:
        return []
    sides = {
        side
        for grid in grids
        if grid.top <= y <= grid.bottom
        for cell in grid.cells
        if cell.top <= y < cell.bottom
        for side in (cell.left, cell.right)
        if left + least < side < right - least
    }
    return sorted((side - left) / length for side in sides)


def _parts(
    raw: RawLine, places: list[float], picture: Picture, engine: Engine, deadline: float
) -> list[RawLine]:
    shared = _share_out(raw, places)
    beside = BESIDE * height_of(raw.quad) / max(1.0, raw.quad[1][0] - raw.quad[0][0])
    ends = [0.0, *places, 1.0]
    read: list[RawLine] = []
    for start, end in pairwise(ends):
        quad = _between(raw.quad, start + beside * (start > 0), end - beside * (end < 1))
        strip = cut_out(picture, quad)
        left = deadline - monotonic()
        if left <= 0:
            return shared
        part = None if strip is None else engine.read_strip(strip, seconds=left)
        if part is not None:
            read.append(replace(part, quad=quad))
    return read if sum(len(part.text) for part in read) >= KEPT * len(raw.text) else shared


def _share_out(raw: RawLine, places: list[float]) -> list[RawLine]:
    """The piece's own text, each character where it should stand by its width."""
    wide = [1.0 if unicodedata.east_asian_width(one) in ("W", "F", "A") else NARROW for one in raw.text]
    whole = sum(wide) or 1.0
    ends = [0.0, *places, 1.0]
    texts = [""] * (len(ends) - 1)
    scores: list[list[float]] = [[] for _ in texts]
    told = len(raw.characters) == len(raw.text)
    passed = 0.0
    for index, character in enumerate(raw.text):
        middle = (passed + wide[index] / 2) / whole
        part = sum(middle >= place for place in places)
        texts[part] += character
        scores[part] += [raw.characters[index]] if told else []
        passed += wide[index]
    return [
        replace(raw, text=text, quad=_between(raw.quad, start, end), characters=tuple(score))
        for text, score, (start, end) in zip(texts, scores, pairwise(ends), strict=True)
        if text.strip()
    ]


def _between(quad: Quad, start: float, end: float) -> Quad:
    (a, b), (c, d), (e, f), (g, h) = quad
    return (
        (a + (c - a) * start, b + (d - b) * start), (a + (c - a) * end, b + (d - b) * end),
        (g + (e - g) * end, h + (f - h) * end), (g + (e - g) * start, h + (f - h) * start),
    )  # fmt: skip
