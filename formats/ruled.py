"""Ruled tables: rules on a picture, rules to a grid, and the grid's cells with what they span.

Rules are thin and long; a grid needs two rows and two columns whose rules meet. A lone rule (版头 分隔线, 版记), a
frame around a page and the squares of manuscript paper (稿纸) are no tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .ruled_cells import Place, Rules, cells_between
from .ruled_creases import Sheet, without_creases
from .ruled_faint import with_faint

FINEST_DPI = 150.0
"""Rules are looked for at this resolution or less, by a whole factor below the picture's own."""
THICKEST_MM = 2.6
"""Wider ink is an area: a photograph, a black border, a bar."""
LEAST_CONTRAST = 34
"""Levels by which a rule is darker than the paper at its sides."""
RULE_MM = 5.0
"""A rule runs so far without a break; strokes of ordinary type do not."""
GAP_MM = 2.5
"""Breaks up to this are mended."""
LONG_MM = 7.0
"""A grid has at least one rule of this length in both directions: the cheap first question."""
SAME_MM = 1.4
"""Rules nearer than this are one: the two of a double rule, the ends of a broken one."""
LEAST_WIDTH_MM, LEAST_HEIGHT_MM = 30.0, 8.0
NARROWEST_MM, LOWEST_MM = 3.5, 3.2
"""Cells are at least so wide and high."""
MOST_EDGES = 150
MOST_GRIDS = 12
SQUARE_MM = 12.0
MANY = 60
UNEVEN, SQUARE, MOST_SQUARES = 0.12, 0.35, 0.75
"""Squares of manuscript paper are so nearly of one width, so nearly as high, and so large a part of it (gaps between
its lines are cells, too)."""
STAMP_MM = (85.0, 45.0)
"""A grid in colour of at most this width and height was stamped on."""
COLOURED = 48

Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's outline and its cells row by row, in pixels of the picture it was found on."""

    left: float
    top: float
    right: float
    bottom: float
    cells: tuple[Place, ...]

    def around(self, x: float, y: float) -> bool:
        """Whether the point lies in the table."""
        return self.left <= x <= self.right and self.top <= y <= self.bottom

    def scaled(self, factor: float) -> Grid:
        """The grid in other units."""
        return Grid(
            self.left * factor, self.top * factor, self.right * factor, self.bottom * factor,
            tuple(cell.moved(0.0, 0.0, factor) for cell in self.cells),
        )  # fmt: skip


def find_grids(picture: NDArray[np.uint8], *, dpi: float, sheet: Sheet | None = None) -> tuple[Grid, ...]:
    """The ruled tables on a level page, from top to bottom.

    Args:
        picture: height x width x 3, RGB.
        dpi: pixels an inch of `picture`.
        sheet: corners of the paper in pixels of `picture`, where it does not fill it: folds run to its edges.
    """
    factor = max(1, math.ceil(dpi / FINEST_DPI - 0.01))
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if factor > 1:
        height, width = grey.shape
        grey = cv2.resize(
            grey[: height // factor * factor or height, : width // factor * factor or width],
            (max(1, width // factor), max(1, height // factor)), interpolation=cv2.INTER_AREA,
        )  # fmt: skip
    mm = dpi / factor / 25.4
    a, b, c, d = sheet or ((0.0, 0.0),) * 4
    small = (
        None if sheet is None else (_less(a, factor), _less(b, factor), _less(c, factor), _less(d, factor))
    )
    upright, thin_upright = _rules(np.asarray(grey, np.uint8), mm, level=False, sheet=small)
    if not _has_long(upright, mm, level=False):
        return ()
    level, thin_level = _rules(np.asarray(grey, np.uint8), mm, level=True, sheet=small)
    if not _has_long(level, mm, level=True):
        return ()
    faint = level.copy(), upright.copy()
    down = _reach(upright, mm)
    faint[0][down] = with_faint(level[down], thin_level[down], mm, level=True)
    faint[1][down] = with_faint(upright[down], thin_upright[down], mm, level=False)
    found = grids_between(level, upright, mm=mm, faint=faint)
    return tuple(grid for one in found if not _stamped(grid := one.scaled(factor), picture, mm * factor))


def grids_between(
    level: Mask, upright: Mask, *, mm: float, faint: tuple[Mask, Mask] | None = None
) -> tuple[Grid, ...]:
    """The tables made by rules that run across (`level`) and down (`upright`); masks of one size, `mm` pixels a mm.

    `faint`: the same rules with what goes on from them less clearly. That joins parts of a table and divides cells;
    where its rows and columns lie the clear ones tell.
    """
    x, y, right, bottom = _extent(level, upright, _odd(1.2 * mm))
    part = (slice(y, bottom), slice(x, right))
    level, upright = level[part], upright[part]
    whole_level, whole_upright = (level, upright) if faint is None else (faint[0][part], faint[1][part])
    both = cv2.dilate(whole_level | upright, np.ones((_odd(1.2 * mm),) * 2, np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(both, connectivity=8)
    grids: list[Grid] = []
    for label in np.argsort(-stats[:, cv2.CC_STAT_AREA]):
        left, top, wide, high, _ = (int(value) for value in stats[label])
        if not label or wide < LEAST_WIDTH_MM * mm or high < LEAST_HEIGHT_MM * mm:
            continue
        if len(grids) >= MOST_GRIDS:
            break
        part = (slice(top, top + high), slice(left, left + wide))
        own = (labels[part] == label).astype(np.uint8)
        grid = _grid(level[part] & own, upright[part] & own, mm, (whole_level[part], whole_upright[part]))
        if grid is not None:
            grids.append(_moved(grid, left + x, top + y))
    inner = [one for one in grids if not any(one is not other and _inside(one, other) for other in grids)]
    return tuple(sorted(inner, key=lambda grid: (grid.top, grid.left)))


def _extent(level: Mask, upright: Mask, room: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is drawn in both, with `room` pixels around."""
    rows = np.flatnonzero(level.any(axis=1) | upright.any(axis=1))
    columns = np.flatnonzero(level.any(axis=0) | upright.any(axis=0))
    if not len(rows):
        return 0, 0, 1, 1
    return (
        max(0, int(columns[0]) - room), max(0, int(rows[0]) - room),
        int(columns[-1]) + 1 + room, int(rows[-1]) + 1 + room,
    )  # fmt: skip


def _less(point: tuple[float, float], factor: int) -> tuple[float, float]:
    return point[0] / factor, point[1] / factor


def _rules(grey: Mask, mm: float, *, level: bool, sheet: Sheet | None = None) -> tuple[Mask, Mask]:
    """1 where a thin dark stroke runs on, across or down, breaks in it mended; and how dark thin strokes are."""
    thick = _odd(THICKEST_MM * mm)
    across = np.ones((thick, 1) if level else (1, thick), np.uint8)
    thin = np.asarray(cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, across), np.uint8)
    thin = without_creases(thin, mm, level=level, sheet=sheet)
    mask: Mask = (thin > LEAST_CONTRAST).astype(np.uint8)
    # a rule that is not quite level goes from one row of pixels to the next
    wider = cv2.dilate(mask, np.ones((3, 1) if level else (1, 3), np.uint8))
    runs = cv2.morphologyEx(wider, cv2.MORPH_OPEN, _stroke(RULE_MM * mm, level=level))
    mended = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, _stroke(GAP_MM * mm, level=level))
    return np.asarray(mended, np.uint8), thin


def _stroke(length: float, *, level: bool) -> Mask:
    size = _odd(length)
    return np.ones((1, size) if level else (size, 1), np.uint8)


def _has_long(mask: Mask, mm: float, *, level: bool) -> bool:
    return bool(cv2.erode(mask, _stroke(LONG_MM * mm, level=level)).any())


def _reach(upright: Mask, mm: float) -> slice:
    """From the head of the highest long rule that runs down to the foot of the lowest: tables lie there."""
    rows = np.flatnonzero(cv2.erode(upright, _stroke(LONG_MM * mm, level=False)).any(axis=1))
    return slice(max(0, int(rows[0] - LONG_MM * mm)), int(rows[-1] + LONG_MM * mm) + 1)


def _grid(level: Mask, upright: Mask, mm: float, whole: tuple[Mask, Mask]) -> Grid | None:
    rows, columns = _edges(level, mm, level=True), _edges(upright, mm, level=False)
    high, wide = level.shape
    rows = _outer(rows, upright, high, mm, level=True)
    columns = _outer(columns, level, wide, mm, level=False)
    for _ in range(4):
        if len(rows) < 3 or len(columns) < 3 or max(len(rows), len(columns)) > MOST_EDGES:
            return None
        rules = Rules.between(*whole, rows, columns, reach=SAME_MM * mm)
        clear = Rules.between(level, upright, rows, columns, reach=SAME_MM * mm)
        kept_rows = [row for row in rules.useful_rows(LOWEST_MM * mm) if not clear.is_text_at(row)]
        kept_columns = rules.useful_columns(NARROWEST_MM * mm)
        if len(kept_rows) == len(rows) and len(kept_columns) == len(columns):
            break
        rows, columns = kept_rows, kept_columns
    cells = cells_between(rules)
    if not _is_table(cells, mm):
        return None
    return Grid(columns[0], rows[0], columns[-1], rows[-1], cells)


def _edges(mask: Mask, mm: float, *, level: bool) -> list[float]:
    """Where rules run, in pixels down (across for `upright` ones); rules close together are one."""
    _, _, stats, middles = cv2.connectedComponentsWithStats(mask, connectivity=8)
    lengths = stats[1:, cv2.CC_STAT_WIDTH if level else cv2.CC_STAT_HEIGHT]
    places = middles[1:, 1 if level else 0]
    least = RULE_MM * mm * 0.9
    found = sorted(
        (float(place), float(length))
        for place, length in zip(places, lengths, strict=True)
        if length >= least
    )
    groups: list[list[tuple[float, float]]] = []
    for one in found:
        if groups and one[0] - _middle(groups[-1]) <= SAME_MM * mm:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [_middle(group) for group in groups]


def _middle(group: list[tuple[float, float]]) -> float:
    return sum(place * length for place, length in group) / sum(length for _, length in group)


def _outer(edges: list[float], crossing: Mask, end: int, mm: float, *, level: bool) -> list[float]:
    """The edges with those that are not drawn: of a table open at its sides, or cut by the edge of the paper.

    Two rules at least must run on beyond the last drawn edge, and end together.
    """
    room = (LOWEST_MM if level else NARROWEST_MM) * mm
    inked = crossing if level else crossing.T
    starts, ends = [], []
    count, _, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(inked), connectivity=8)
    for label in range(1, count):
        starts.append(float(stats[label, cv2.CC_STAT_TOP]))
        ends.append(float(stats[label, cv2.CC_STAT_TOP] + stats[label, cv2.CC_STAT_HEIGHT]))
    made = list(edges)
    first, last = (edges[0], edges[-1]) if edges else (float(end), 0.0)
    least, most = min(starts, default=0.0), max(ends, default=0.0)
    if sum(start - least <= 2 * SAME_MM * mm for start in starts) >= 2 and first - least > room:
        made.insert(0, least)
    if sum(most - stop <= 2 * SAME_MM * mm for stop in ends) >= 2 and most - last > room:
        made.append(most)
    return made


def _is_table(cells: tuple[Place, ...], mm: float) -> bool:
    if len(cells) < 4:
        return False
    left, right = min(cell.left for cell in cells), max(cell.right for cell in cells)
    top, bottom = min(cell.top for cell in cells), max(cell.bottom for cell in cells)
    if right - left < LEAST_WIDTH_MM * mm or bottom - top < LEAST_HEIGHT_MM * mm:
        return False
    counts: dict[int, int] = {}
    for cell in cells:
        for row in range(cell.row, cell.row + cell.rows):
            counts[row] = counts.get(row, 0) + 1
    if sum(count >= 2 for count in counts.values()) < 2:
        return False
    return not (len(cells) > MANY and _squares(cells, mm))


def _squares(cells: tuple[Place, ...], mm: float) -> bool:
    """Manuscript paper: small squares of one size; tables of figures have a wider column, or cells of another shape."""
    wide = np.array([cell.right - cell.left for cell in cells])
    high = np.array([cell.bottom - cell.top for cell in cells])
    usual = float(np.median(wide))
    if usual > SQUARE_MM * mm:
        return False
    square = (np.abs(wide - usual) < UNEVEN * usual) & (np.abs(high - usual) < SQUARE * usual)
    return bool(square.mean() > MOST_SQUARES)


def _stamped(grid: Grid, picture: NDArray[np.uint8], mm: float) -> bool:
    """A small grid whose rules are in colour: a receiving stamp."""
    if grid.right - grid.left > STAMP_MM[0] * mm or grid.bottom - grid.top > STAMP_MM[1] * mm:
        return False
    part = picture[max(0, int(grid.top)) : int(grid.bottom) + 1, max(0, int(grid.left)) : int(grid.right) + 1]
    if part.size == 0:
        return True
    dark = part.min(axis=2)
    ink = part[dark <= (int(dark.min()) + int(np.percentile(dark, 90))) / 2].astype(np.int16)
    return bool(np.median(ink.max(axis=1) - ink.min(axis=1)) >= COLOURED)


def _inside(one: Grid, other: Grid) -> bool:
    """Whether a grid stands wholly in another one's outline, which is then a frame or has it as a cell."""
    return other.around(one.left, one.top) and other.around(one.right, one.bottom)


def _moved(grid: Grid, x: float, y: float) -> Grid:
    return Grid(
        grid.left + x, grid.top + y, grid.right + x, grid.bottom + y,
        tuple(cell.moved(x, y, 1.0) for cell in grid.cells),
    )  # fmt: skip


def _odd(size: float) -> int:
    return max(1, round(size)) | 1
