"""Rows of a ruled table whose rules did not come out: told by the lines of text that stand in rows of their own.

A pale stretch of a rule makes one cell of two, and their words would be read down the column. Lines of one cell stand
close together; lines that stand as far apart as the rows of the table, each in the middle of its row, are cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from ..formats.ruled_cells import Place
from .page_join import Row

CENTRED = 0.15
"""How far from the middle of its row a line may stand, in the row's height."""
PITCH = 0.75
"""Lines of several cells are so far apart at least, in heights of the table's other rows."""
FEWEST = 3
"""So many cells with a line tell how high rows are."""

Cells = tuple[tuple[Place, tuple[Row, ...]], ...]


def with_own_rows(cells: Cells) -> Cells:
    """The cells, those divided in which each line has a row of its own; row by row."""
    divided = _missed(_merged(cells))
    return tuple(sorted(divided, key=lambda cell: (cell[0].row, cell[0].column)))


def _merged(cells: Cells) -> Cells:
    """Cells that span rows and have one line in the middle of each of them."""
    edges: dict[int, float] = {}
    for place, _ in cells:
        edges |= {place.row: place.top, place.row + place.rows: place.bottom}
    found: list[tuple[Place, tuple[Row, ...]]] = []
    for place, lines in cells:
        own = [edges.get(row) for row in range(place.row, place.row + place.rows + 1)]
        bounds = [edge for edge in own if edge is not None]
        middles = [_middle(line) for line in lines]
        fits = (
            1 < place.rows == len(lines)
            and len(bounds) == len(own)
            and not any(line.vertical for line in lines)
            and all(
                abs(middle - (top + bottom) / 2) <= CENTRED * (bottom - top)
                for middle, (top, bottom) in zip(middles, pairwise(bounds), strict=True)
            )
        )
        if not fits:
            found.append((place, lines))
            continue
        for step, (line, (top, bottom)) in enumerate(zip(lines, pairwise(bounds), strict=True)):
            found.append((_part(place, place.row + step, top, bottom), (line,)))
    return tuple(found)


def _missed(cells: Cells) -> Cells:
    """Rows between which the rule is missing from end to end."""
    heights = [place.bottom - place.top for place, lines in cells if place.rows == 1 and len(lines) == 1]
    if len(heights) < FEWEST:
        return cells
    usual = median(heights)
    found: list[tuple[Place, tuple[Row, ...]]] = []
    more = 0
    for row in sorted({place.row for place, _ in cells}):
        own = [(place, lines) for place, lines in cells if place.row == row]
        crossed = any(place.rows > 1 and place.row <= row < place.row + place.rows for place, _ in cells)
        middles = [] if crossed else _shared(own, usual)
        if not middles:
            found += [(_down(place, more), lines) for place, lines in own]
            continue
        top, bottom = own[0][0].top, own[0][0].bottom
        bounds = [top, *((one + other) / 2 for one, other in pairwise(middles)), bottom]
        for place, lines in own:
            for step, (upper, lower) in enumerate(pairwise(bounds)):
                inside = tuple(line for line in lines if upper <= _middle(line) < lower)
                found.append((_part(place, row + more + step, upper, lower), inside))
        more += len(middles) - 1
    return tuple(found)


def _shared(own: Sequence[tuple[Place, tuple[Row, ...]]], usual: float) -> list[float]:
    """Where the lines stand that all cells of a row have in common; empty where they are lines of one row."""
    most = max(len(lines) for _, lines in own)
    full = [lines for _, lines in own if len(lines) == most]
    if most < 2 or len(full) < 2:
        return []
    middles = [median(_middle(lines[at]) for lines in full) for at in range(most)]
    least = min(after - before for before, after in pairwise(middles))
    high = own[0][0].bottom - own[0][0].top
    if least < PITCH * usual or abs(high - most * usual) > CENTRED * usual:
        return []
    aligned = all(
        not line.vertical and min(abs(_middle(line) - middle) for middle in middles) <= CENTRED * least
        for _, lines in own
        for line in lines
    )
    return middles if aligned else []


def _middle(line: Row) -> float:
    """Between the upper and the lower edge of a line, pixels."""
    down = [y for piece in line.pieces for _, y in piece.raw.quad]
    return (min(down) + max(down)) / 2


def _part(place: Place, row: int, top: float, bottom: float) -> Place:
    return Place(row, place.column, 1, place.columns, place.left, top, place.right, bottom)


def _down(place: Place, rows: int) -> Place:
    return Place(
        place.row + rows, place.column, place.rows, place.columns, place.left, place.top, place.right,
        place.bottom,
    )  # fmt: skip
