"""What stands by hand in a page's margin is shown, never guessed at (R-023)."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiyao.formats.opened import Picture
from jiyao.formats.ruled import Grid
from jiyao.formats.ruled_cells import Place
from jiyao.stages.engines.detect import _boxes
from jiyao.stages.engines.engine import RawLine
from jiyao.stages.page_handwriting import written
from jiyao.stages.page_join import Row
from jiyao.stages.page_placed import Piece
from jiyao.stages.page_rows import read_rows
from jiyao.stages.page_tails import cut_tails
from jiyao.stages.page_type import Type

WIDTH, HEIGHT = 1654.0, 2339.0


def piece(text: str, left: float, top: float, *, score: float, right: float | None = None) -> Piece:
    end = right or left + 30 * len(text)
    quad = ((left, top), (end, top), (end, top + 30), (left, top + 30))
    return Piece(raw=RawLine(text=text, quad=quad, confidence=score), type=Type(4.0, "black"))


def body(lines: int = 6) -> list[Piece]:
    return [
        piece("各处室要认真落实有关要求", 220, 400 + 60 * n, score=0.99, right=1430) for n in range(lines)
    ]


def found(*pieces: Piece) -> list[str]:
    rows: tuple[Row, ...] = read_rows([*body(), *pieces])
    return sorted(one.raw.text for one in written(rows, width=WIDTH, high=HEIGHT))


@pytest.mark.req("R-023")
def test_a_scribble_takes_its_margin_with_it() -> None:
    assert found(piece("生4可", 1480, 300, score=0.6), piece("W", 1500, 360, score=0.99)) == ["W", "生4可"]


def test_print_in_a_margin_stays() -> None:
    stamp = piece("收文第0024号", 1440, 300, score=0.99)
    assert found(stamp) == []
    assert found(stamp, piece("五4", 1500, 500, score=0.5)) == ["五4"]


def test_page_numbers_and_the_text_itself_stay() -> None:
    scribble = piece("五4", 1500, 500, score=0.5)
    assert found(scribble, piece("— 2 —", 1500, 2200, score=0.7), piece("附件", 220, 900, score=0.6)) == [
        "五4"
    ]


@given(st.integers(0, 6), st.floats(0, 1))
def test_without_a_scribble_nothing_goes(lines: int, score: float) -> None:
    rows = read_rows([*body(lines), piece("通知", 300, 200, score=score)])
    assert written(rows, width=WIDTH, high=HEIGHT) == []


def test_a_number_scribbled_in_the_margin_is_no_page_number() -> None:
    assert found(piece("五4", 1500, 500, score=0.5), piece("27", 1500, 700, score=0.99)) == ["27", "五4"]


class Engine:
    """Reads a strip by its width: what print and scribble would say."""

    name = name_version = "told"

    def __init__(self, kept: float, tail: float) -> None:
        self.kept, self.tail = kept, tail

    def read_strip(self, strip: Picture, *, seconds: float) -> RawLine:
        wide = strip.shape[1] > 400
        text, score = ("柯政函〔2023〕34号", self.kept) if wide else ("套≠", self.tail)
        edge = ((0.0, 0.0),) * 4
        return RawLine(text=text, quad=edge, confidence=score, characters=(score,) * len(text))


def line_and_scribble() -> tuple[Picture, RawLine]:
    picture = np.full((100, 800, 3), 255, np.uint8)
    picture[20:60, 20:600:3] = 0
    picture[15:65, 640:760:3] = 0
    quad = ((10.0, 10.0), (770.0, 10.0), (770.0, 70.0), (10.0, 70.0))
    scores = (*(0.99,) * 12, 0.6, 0.7)
    return picture, RawLine(text="柯政函〔2023〕34号套≠", quad=quad, confidence=0.95, characters=scores)


@pytest.mark.req("R-023")
def test_a_scribble_behind_a_line_is_cut_from_it() -> None:
    picture, raw = line_and_scribble()
    line, tail = cut_tails(picture, [raw], Engine(0.99, 0.5), deadline=monotonic() + 60)
    assert (line.text, tail.text) == ("柯政函〔2023〕34号", "套≠")
    assert 590 < line.quad[1][0] < 650 and line.quad[1][0] == tail.quad[0][0]


@pytest.mark.parametrize(("kept", "tail"), [(0.9, 0.5), (0.99, 0.95)])
def test_print_is_not_cut(kept: float, tail: float) -> None:
    picture, raw = line_and_scribble()
    assert cut_tails(picture, [raw], Engine(kept, tail), deadline=monotonic() + 60) == [raw]


def test_a_line_that_rises_to_a_scribble_is_found_in_two_parts() -> None:
    marked = np.zeros((320, 640), np.float32)
    marked[100:108, 40:480] = 0.9
    marked[90:100, 480:600] = 0.9
    boxes = sorted(_boxes(marked, across=1.0, down=1.0, size=(640, 320)), key=lambda quad: quad[0][0])
    assert len(boxes) == 2
    assert boxes[0][0][0] < 45 and 470 < boxes[0][1][0] < 505
    assert boxes[1][0][0] > 460 and boxes[1][1][0] > 595


def test_the_last_column_of_a_table_is_no_margin() -> None:
    cell = Place(0, 3, 1, 1, WIDTH * 0.84, 300, WIDTH * 0.97, 340)
    grid = Grid(WIDTH * 0.1, 300, WIDTH * 0.97, 340, (cell,))
    column = piece("说明", WIDTH * 0.88, 305, score=0.9, right=WIDTH * 0.93)
    scribble = piece("了彐二", WIDTH * 0.9, 500, score=0.5, right=WIDTH * 0.96)
    rows = read_rows([*body(), column, scribble])
    assert column in written(rows, width=WIDTH, high=HEIGHT)
    assert written(rows, width=WIDTH, high=HEIGHT, grids=[grid]) == [scribble]


def test_a_line_that_runs_into_a_scribble_does_not_stretch_the_block() -> None:
    lines = [piece("各处室要认真落实有关要求", 240, 400 + 60 * n, score=0.99, right=1400) for n in range(4)]
    into = piece("注意：监考人员当众拆封作答一律用黑色笔写在答题纸上", 40, 700, score=0.99, right=1400)
    scribbles = [piece("旺F", 60, 500, score=0.87), piece("4牛", 60, 560, score=0.75)]
    rows = read_rows([*lines, into, *scribbles])
    assert written(rows, width=WIDTH, high=HEIGHT) == scribbles
