"""Tables whose rules grow faint, or are lost: still read row by row; text in columns is still read by column."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw

from drawn_page import BLACK, font, scanned
from jiyao.formats.opened import Picture
from jiyao.formats.ruled import Grid, find_grids
from jiyao.formats.ruled_cells import Place
from jiyao.formats.ruled_faint import with_faint
from jiyao.stages.page_join import Row
from jiyao.stages.page_placed import Piece
from jiyao.stages.page_rows import read_rows
from jiyao.stages.page_table_rows import with_own_rows
from jiyao.stages.page_tables import Filled, fill
from table_kit import Drawn, blank, draw, piece

DPI = 100.0
MM = DPI / 25.4
LIST = Drawn(
    rows=tuple(60.0 + 8 * step for step in range(7)),
    columns=(28, 60, 100, 150, 184),
    texts={(row, column): (f"{row}行{column}列",) for row in range(6) for column in range(4)},
)
BY_ROW = ["  ".join(f"{row}行{column}列" for column in range(4)) for row in range(6)]


def spans(grid: Grid) -> tuple[tuple[int, int, int, int], ...]:
    return tuple((cell.row, cell.column, cell.rows, cell.columns) for cell in grid.cells)


def worn(page: Image.Image, *, seed: int, left: float, wide: float, pale: float) -> Picture:
    """The page as a dark, noisy scan of 100 dpi with a pale streak down it; `left` and `wide` in mm."""
    levels = np.asarray(page).astype(np.float32)
    start, end = round(left * MM), round((left + wide) * MM)
    levels[:, start:end] += (255 - levels[:, start:end]) * pale
    levels = 90 + levels * (80 / 255)
    levels += np.random.default_rng(seed).normal(0, 5, levels.shape[:2])[..., None]
    return np.clip(levels, 0, 255).astype(np.uint8)


@pytest.mark.req("R-020")
@pytest.mark.parametrize(
    ("seed", "left", "wide", "whole"), [(1, 102, 46, True), (2, 62, 36, True), (3, 95, 75, False)]
)
def test_rows_are_read_where_a_streak_took_the_rules(
    seed: int, left: float, wide: float, whole: bool
) -> None:
    page = blank(DPI)
    pieces = draw(page, LIST, dpi=DPI)
    grids = find_grids(worn(page, seed=seed, left=left, wide=wide, pale=0.72), dpi=DPI)
    if whole:
        assert [spans(grid) for grid in grids] == [LIST.cells]
    ((filled,), outside) = fill(grids, pieces, dpi=DPI)
    assert not outside
    assert [row.text for row in filled.rows] == BY_ROW


def test_a_line_of_text_close_above_a_table_is_no_row_of_it() -> None:
    page = blank(150)
    draw(page, LIST, dpi=150)
    for down, anchor in ((59.9, "lb"), (108.1, "lt")):
        text = "一中国圖王田工書車軍上下十二三土士主五正"
        place = (30 * 150 / 25.4, down * 150 / 25.4)
        ImageDraw.Draw(page).text(place, text, fill=BLACK, font=font(5.6, 150, weight="Bold"), anchor=anchor)
    (grid,) = find_grids(scanned(page, noise=6), dpi=150)
    assert spans(grid) == LIST.cells


def test_nothing_goes_on_where_there_is_no_ink() -> None:
    clear = np.zeros((60, 400), np.uint8)
    clear[30, 20:150] = clear[30, 180:380] = 1
    thin = clear * np.uint8(120)
    assert (with_faint(clear, thin, 6.0, level=True) == clear).all()
    thin[30, 150:180] = 24
    assert with_faint(clear, thin, 6.0, level=True)[30, 20:380].all()


def cells(*places: tuple[int, int, int], lines: dict[tuple[int, int], list[float]]) -> Filled:
    """A grid of rows 20 high and columns 100 wide: (row, column, rows), and where lines stand in each cell."""
    made: list[tuple[Place, tuple[Row, ...]]] = []
    for row, column, rows in places:
        left, top = column * 100.0, row * 20.0
        pieces = [
            piece(f"{row}{column}{number}", left + 10, y - 4, left + 60, y + 4, 1.0)
            for number, y in enumerate(lines[row, column])
        ]
        made.append((Place(row, column, rows, 1, left, top, left + 100, top + 20 * rows), read_rows(pieces)))
    grid = Grid(0, 0, 200, 100, tuple(place for place, _ in made))
    return Filled(grid, with_own_rows(tuple(made)))


def test_lines_in_rows_of_their_own_are_cells() -> None:
    missed = cells(
        (0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 2), (2, 0, 1),
        lines={(0, 0): [10], (0, 1): [11], (1, 0): [30], (1, 1): [30, 51], (2, 0): [50]},
    )  # fmt: skip
    assert [row.text for row in missed.rows] == ["000  010", "100  110", "200  111"]
    assert [(place.row, place.column, place.rows) for place, _ in missed.cells] == [
        (0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1), (2, 0, 1), (2, 1, 1),
    ]  # fmt: skip


def test_lines_close_together_stay_one_cell() -> None:
    spanning = cells(
        (0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 2), (2, 0, 1),
        lines={(0, 0): [10], (0, 1): [11], (1, 0): [30], (1, 1): [35, 45], (2, 0): [50]},
    )  # fmt: skip
    assert [row.text for row in spanning.rows] == ["000  010", "100", "110", "111", "200"]


@pytest.mark.parametrize(("pitch", "divided"), [(10.0, True), (5.0, False)])
def test_a_rule_that_is_missing_from_end_to_end(pitch: float, divided: bool) -> None:
    high: list[tuple[Place, tuple[Row, ...]]] = []
    tops = (0.0, 20.0, 40.0, 60.0, 100.0)
    for row, (top, bottom) in enumerate(pairwise(tops)):
        for column in range(2):
            middle = (top + bottom) / 2
            places = [middle] if row < 3 else [middle - pitch, middle + pitch]
            pieces: list[Piece] = [
                piece(f"{row}{column}{n}", column * 100.0 + 10, y - 4, column * 100.0 + 60, y + 4, 1.0)
                for n, y in enumerate(places)
            ]
            place = Place(row, column, 1, 1, column * 100.0, top, column * 100.0 + 100, bottom)
            high.append((place, read_rows(pieces)))
    filled = Filled(Grid(0, 0, 200, 100, ()), with_own_rows(tuple(high)))
    last = ["300  310", "301  311"] if divided else ["300", "301", "310", "311"]
    assert [row.text for row in filled.rows][3:] == last


def line(text: str, left: float, down: float, wide: float) -> Piece:
    return piece(text, left, down, left + wide, down + 4, 10.0)


@pytest.mark.req("R-020")
@pytest.mark.parametrize("seed", range(6))
def test_text_in_columns_is_read_by_column_and_cells_without_rules_by_row(seed: int) -> None:
    rng = random.Random(seed)
    ends = [72.0 if number % 4 else rng.uniform(20, 70) for number in range(18)]
    text = [line(f"左{n:02}", 20, 30 + 7 * n, wide) for n, wide in enumerate(ends)]
    text += [line(f"右{n:02}", 104, 30 + 7 * n, wide) for n, wide in enumerate(reversed(ends))]
    rng.shuffle(text)
    order = [row.text for row in read_rows(text)]
    assert order == [f"左{n:02}" for n in range(18)] + [f"右{n:02}" for n in range(18)]
    widths = [rng.uniform(40, 66) for _ in range(18)]
    listed = [line(f"左{n:02}", 20, 30 + 7 * n, wide) for n, wide in enumerate(widths)]
    listed += [line(f"右{n:02}", 104, 30 + 7 * n, wide) for n, wide in enumerate(reversed(widths))]
    rng.shuffle(listed)
    assert [row.text for row in read_rows(listed)] == [f"左{n:02}  右{n:02}" for n in range(18)]
