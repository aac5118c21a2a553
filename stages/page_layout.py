"""A page's rows as the lines of a transcript, with its tables and what stayed unread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..formats.ruled import Grid
from ..models.page import Line, Role, Table, Unread
from .page_handwriting import guesses, holes, unread_place, written
from .page_join import Row
from .page_prepare import Prepared
from .page_rows import read_rows
from .page_tables import Filled, fill, in_order, table_of


@dataclass(frozen=True, slots=True)
class Laid:
    """What stands on a page; `direction` as in `Page`."""

    lines: tuple[Line, ...]
    tables: tuple[Table, ...]
    unread: tuple[Unread, ...]
    direction: float


def lay_out(rows: Sequence[Row], prepared: Prepared, grids: Sequence[Grid] = ()) -> Laid:
    """Takes guesses, handwriting and holes out, fills `grids`, and places everything on the page as it came."""
    doubtful = guesses(rows)
    high, wide = prepared.picture.shape[:2]
    hand = written(rows, width=wide, high=high, but=doubtful, grids=grids)
    taken = {id(piece) for piece in (*doubtful, *hand, *holes(rows, prepared))}
    if taken:
        rows = read_rows([piece for row in rows for piece in row.pieces if id(piece) not in taken])
    order: list[Row | Filled] = [*rows]
    tables: list[Filled] = []
    if grids:
        pieces = [piece for row in rows for piece in row.pieces]
        tables, outside = fill(grids, pieces, dpi=prepared.dpi)
        order = in_order(read_rows(outside), tables) if tables else order
    lines: list[Line] = []
    for item in order:
        if isinstance(item, Filled):
            lines += [line_of(row, prepared, role="cell") for row in item.rows]
        else:
            lines.append(line_of(item, prepared))
    return Laid(
        lines=tuple(lines),
        tables=tuple(table_of(table, prepared) for table in tables),
        unread=(
            *(unread_place(piece, prepared) for piece in doubtful),
            *(unread_place(piece, prepared, by_hand=True) for piece in hand),
        ),
        direction=direction_of(prepared),
    )


def line_of(row: Row, prepared: Prepared, *, role: Role = "body") -> Line:
    """The row with boxes in fractions of the page as it came."""
    largest = max(row.pieces, key=lambda piece: len(piece.raw.text))
    runs = row.runs if len(row.runs) > 1 else ()
    return Line(
        text=row.text,
        box=prepared.box(piece.raw.quad for piece in row.pieces),
        confidence=row.confidence,
        size_mm=largest.type.size_mm,
        colour=largest.type.colour,
        characters=row.characters,
        role=role,
        vertical=row.vertical,
        parts=tuple(prepared.box(piece.raw.quad for piece in run) for run in runs),
    )


def direction_of(prepared: Prepared) -> float:
    """Degrees clockwise in which the prepared page's rows run on the page as it came, one decimal."""
    height, width = prepared.picture.shape[:2]
    ends = np.array([[width * 0.25, width * 0.75], [height / 2, height / 2], [1.0, 1.0]])
    back = prepared.back @ ends
    (x0, x1), (y0, y1) = back[0] / back[2], back[1] / back[2]
    return round(math.degrees(math.atan2(y1 - y0, x1 - x0)), 2) + 0.0
