"""Reading order: pieces of text to rows, rows to columns, and the pieces of a row to one line.

Engines cut a row where they like and sort by their own rules, which a skew of a few degrees upsets. Here the
pieces are turned back by the slope of their own baselines before they are sorted, so the order does not
depend on how the page lay.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .page_columns import divide
from .page_join import CLOSE, Row, gap_between, join
from .page_placed import FLAT, Piece, Placed, place_all
from .page_vertical import order, read_columns

SAME_ROW = 0.5
"""Two pieces stand in one row when their heights overlap by this share of the lower one."""
OTHER_SIZE = 1.7
"""Type so much larger than its neighbour is another line: a stamp beside the text."""


def read_rows(pieces: Sequence[Piece]) -> tuple[Row, ...]:
    """The page's lines in reading order; columns one after another, each row's pieces joined."""
    placed = place_all(pieces)
    level = [
        (group[0], join(group))
        for block in divide([one for one in placed if not one.upright])
        for row in _rows(block)
        for group in _lines(row)
    ]
    return tuple(order(level, read_columns([one for one in placed if one.upright])))


def _rows(block: list[Placed]) -> list[list[Placed]]:
    rows: list[list[Placed]] = []
    for one in sorted(block, key=lambda one: (one.top, one.left)):
        for row in reversed(rows):
            if _same_row(row[0], one):
                row.append(one)
                break
        else:
            rows.append([one])
    rows.sort(key=lambda row: row[0].middle)
    return [sorted(row, key=lambda one: one.left) for row in rows]


def _same_row(first: Placed, other: Placed) -> bool:
    shared = min(first.bottom, other.bottom) - max(first.top, other.top)
    return shared >= SAME_ROW * min(first.height, other.height)


def _lines(row: list[Placed]) -> list[list[Placed]]:
    """A row as one line, or as several where type of another colour or size stands apart in it."""
    groups: list[list[Placed]] = [[row[0]]]
    for before, after in pairwise(row):
        if _one_line(before, after):
            groups[-1].append(after)
        else:
            groups.append([after])
    return groups


def _one_line(before: Placed, after: Placed) -> bool:
    if gap_between(before, after) <= CLOSE:
        return True
    first, second = before.piece.type, after.piece.type
    if first.colour and second.colour and first.colour != second.colour:
        return False
    lower, higher = sorted((before.height, after.height))
    return higher <= OTHER_SIZE * lower or lower < FLAT * higher
