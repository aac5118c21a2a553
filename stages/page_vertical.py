"""Vertical text: columns from right to left, each read downwards; a note along the edge stays out of the body."""

from __future__ import annotations

from .page_join import Row, join
from .page_placed import Placed

SAME_COLUMN = 0.5
"""Two pieces stand in one column when their widths overlap by this share of the narrower one."""
ONE_COLUMN_GAP = 4.0
"""Widest gap inside a column, in widths of the type; what stands farther apart are two columns."""
SAME_BANK = 0.5
"""Two columns stand in one bank (上栏, 下栏) when their heights overlap by this share of the shorter one."""


def read_columns(upright: list[Placed]) -> list[tuple[Placed, Row]]:
    """Vertical pieces as lines in reading order, each with its first piece."""
    columns: list[list[Placed]] = []
    for one in sorted(upright, key=lambda one: (one.top, -one.across)):
        near = [column for column in columns if _same_column(column[-1], one)]
        if near:
            min(near, key=lambda column: abs(column[-1].across - one.across)).append(one)
        else:
            columns.append([one])
    ordered = [column for bank in _banks(columns) for column in bank]
    return [(column[0], join(column)) for column in ordered]


def _same_column(above: Placed, below: Placed) -> bool:
    shared = min(above.right, below.right) - max(above.left, below.left)
    narrower = min(above.width, below.width)
    gap = below.top - above.bottom
    return shared >= SAME_COLUMN * narrower and -0.5 * narrower <= gap <= ONE_COLUMN_GAP * narrower


def _banks(columns: list[list[Placed]]) -> list[list[list[Placed]]]:
    """Columns side by side make a bank; banks from top to bottom, their columns from right to left."""
    banks: list[list[list[Placed]]] = []
    for column in sorted(columns, key=lambda column: (column[0].top, -column[0].across)):
        for bank in banks:
            if any(_beside(other, column) for other in bank):
                bank.append(column)
                break
        else:
            banks.append([column])
    for bank in banks:
        bank.sort(key=lambda column: -column[0].across)
    return banks


def _beside(one: list[Placed], other: list[Placed]) -> bool:
    top, bottom = max(one[0].top, other[0].top), min(one[-1].bottom, other[-1].bottom)
    shorter = min(one[-1].bottom - one[0].top, other[-1].bottom - other[0].top)
    return bottom - top >= SAME_BANK * shorter


def order(level: list[tuple[Placed, Row]], upright: list[tuple[Placed, Row]]) -> list[Row]:
    """All lines of a page: a vertical page begins with what stands above it, else vertical lines come last."""
    if _characters(upright) <= _characters(level):
        return [row for _, row in (*level, *upright)]
    middle = sum(first.middle * len(row.text) for first, row in upright) / _characters(upright)
    above = [row for first, row in level if first.middle < middle]
    below = [row for first, row in level if first.middle >= middle]
    return [*above, *(row for _, row in upright), *below]


def _characters(lines: list[tuple[Placed, Row]]) -> int:
    return sum(len(row.text) for _, row in lines)
