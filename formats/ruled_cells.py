"""Between the rules of a grid: which stretches are drawn, and the cells that the drawn ones divide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

CLOSED = 0.5
"""Part of its width on which the first and the last row edge of a table are drawn …"""
DRAWN = 0.7
"""A rule is there between two others when it covers this part of the way."""

Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Place:
    """A cell: where it begins in rows and columns (from 0), how many it spans, and its sides in pixels."""

    row: int
    column: int
    rows: int
    columns: int
    left: float
    top: float
    right: float
    bottom: float

    def moved(self, x: float, y: float, factor: float) -> Place:
        """The cell with its sides moved, then scaled."""
        return Place(
            self.row, self.column, self.rows, self.columns,
            (self.left + x) * factor, (self.top + y) * factor,
            (self.right + x) * factor, (self.bottom + y) * factor,
        )  # fmt: skip

    def around(self, x: float, y: float) -> bool:
        """Whether the point lies in the cell."""
        return self.left <= x < self.right and self.top <= y < self.bottom


@dataclass(frozen=True, slots=True)
class Rules:
    """The edges of a grid in pixels, and what is drawn of them.

    `across[r, c]`: row edge r is drawn over column c; `down[r, c]`: column edge c is drawn along row r.
    """

    rows: tuple[float, ...]
    columns: tuple[float, ...]
    across: NDArray[np.bool_]
    down: NDArray[np.bool_]

    @staticmethod
    def between(
        level: Mask, upright: Mask, rows: list[float], columns: list[float], *, reach: float
    ) -> Rules:
        """Looks along every edge, `reach` pixels to both sides, for what is drawn between its neighbours."""
        return Rules(
            rows=tuple(rows),
            columns=tuple(columns),
            across=np.array([_drawn(_along(level, row, reach), columns, reach) for row in rows]),
            down=np.array([_drawn(_along(upright.T, column, reach), rows, reach) for column in columns]).T,
        )

    def useful_rows(self, least: float) -> list[float]:
        """Row edges of which something is drawn (or that close the grid), not nearer than `least` pixels."""
        return _useful(self.rows, self.across.sum(axis=1), least)

    def is_text_at(self, row: float) -> bool:
        """Whether an outermost row edge is strokes of a line of text: little of it is drawn, and the rules down the
        table do not run to it, neither those at its sides nor those between."""
        if row not in (self.rows[0], self.rows[-1]) or len(self.rows) < 3:
            return False
        place, following = (0, 1) if row == self.rows[0] else (-1, -2)
        wide = np.diff(self.columns)
        closed = float((self.across[place] * wide).sum() / wide.sum()) >= CLOSED
        sides = bool(self.down[place, 0] and self.down[place, -1])
        inner = bool(self.down[following].any() and (self.down[place] >= self.down[following]).all())
        return not (closed or sides or inner)

    def useful_columns(self, least: float) -> list[float]:
        """The same of column edges."""
        return _useful(self.columns, self.down.sum(axis=0), least)


def cells_between(rules: Rules) -> tuple[Place, ...]:
    """The cells row by row. What no rule divides is one cell if it is a rectangle, else several.

    A cell with fewer than two drawn sides stands beside the table and is left out.
    """
    high, wide = len(rules.rows) - 1, len(rules.columns) - 1
    taken = np.zeros((high, wide), np.bool_)
    found = []
    for row in range(high):
        for column in range(wide):
            if taken[row, column]:
                continue
            columns = 1
            while column + columns < wide and not (
                rules.down[row, column + columns] or taken[row, column + columns]
            ):
                columns += 1
            place = _place(rules, row, column, _depth(rules, taken, row, column, columns), columns)
            taken[row : row + place.rows, column : column + columns] = True
            if _sides(rules, place) >= 2:
                found.append(place)
    return tuple(found)


def joined(texts: Sequence[str]) -> str:
    """Lines of one cell as its text: a blank only between Latin words."""
    whole = ""
    for text in texts:
        both = whole[-1:] + text[:1]
        whole += (" " if len(both) == 2 and both.isascii() and both.isalnum() else "") + text
    return whole


def _depth(rules: Rules, taken: NDArray[np.bool_], row: int, column: int, columns: int) -> int:
    """How many rows down no rule divides the cell, neither across nor down."""
    rows = 1
    high = len(rules.rows) - 1
    span = slice(column, column + columns)
    while row + rows < high:
        divided = (
            rules.across[row + rows, span].any()
            or rules.down[row + rows, column + 1 : column + columns].any()
        )
        if divided or taken[row + rows, span].any():
            break
        rows += 1
    return rows


def _place(rules: Rules, row: int, column: int, rows: int, columns: int) -> Place:
    return Place(
        row, column, rows, columns,
        rules.columns[column], rules.rows[row], rules.columns[column + columns], rules.rows[row + rows],
    )  # fmt: skip


def _sides(rules: Rules, place: Place) -> int:
    lower, right = place.row + place.rows, place.column + place.columns
    sides = (
        rules.across[place.row, place.column : right],
        rules.across[lower, place.column : right],
        rules.down[place.row : lower, place.column],
        rules.down[place.row : lower, right],
    )
    return sum(bool(side.mean() >= 0.5) for side in sides)


def _along(mask: Mask, edge: float, reach: float) -> NDArray[np.bool_]:
    first, last = max(0, round(edge - reach)), min(mask.shape[0], round(edge + reach) + 1)
    return np.asarray(mask[first:last].any(axis=0))


def _drawn(ink: NDArray[np.bool_], edges: list[float], reach: float) -> list[bool]:
    total = np.concatenate(([0], np.cumsum(ink)))
    found = []
    for start, end in pairwise(edges):
        room = min(reach, (end - start) / 4)
        first, last = max(0, round(start + room)), min(len(ink), round(end - room))
        found.append(bool(last > first and total[last] - total[first] >= DRAWN * (last - first)))
    return found


def _useful(edges: tuple[float, ...], drawn: NDArray[np.int64], least: float) -> list[float]:
    last = len(edges) - 1
    kept: list[int] = []
    for place in range(len(edges)):
        if not drawn[place] and place not in (0, last):
            continue
        if kept and edges[place] - edges[kept[-1]] < least:
            # of two edges too near for a cell the better drawn one stays
            if drawn[place] > drawn[kept[-1]]:
                kept[-1] = place
            continue
        kept.append(place)
    return [edges[place] for place in kept]
