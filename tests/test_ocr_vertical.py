"""Columns of upright characters: cut into cells, told from lines that lie on their side, kept apart from the body."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiyao.formats.opened import Picture
from jiyao.stages.engines.engine import Quad, RawLine
from jiyao.stages.page_upright import cut_cells, side_by_side, stands_upright, upright_columns

TALL: Quad = ((100.0, 50.0), (140.0, 50.0), (140.0, 450.0), (100.0, 450.0))


class Reader:
    """Says the same of every strip, and counts them."""

    name = name_version = "reader"
    flat = False

    def __init__(self, text: str, confidence: float) -> None:
        self.said, self.asked = RawLine(text, TALL, confidence), 0

    def without(self) -> str | None:
        return None

    def missing(self) -> str | None:
        return None

    def available(self) -> bool:
        return True

    def read(self, picture: Picture, *, seconds: float) -> tuple[RawLine, ...]:
        return ()

    def read_strip(self, strip: Picture, *, seconds: float) -> RawLine | None:
        self.asked += 1
        return self.said


def page() -> Picture:
    picture = np.full((500, 300, 3), 250, np.uint8)
    for at in range(8):
        picture[55 + at * 50 : 90 + at * 50, 103:138] = 20
    return picture


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(1, 30)), min_size=1, max_size=30), st.integers(8, 50)
)
def test_every_row_with_ink_is_in_exactly_one_cell(runs: list[tuple[int, int]], size: int) -> None:
    rows = np.concatenate([np.repeat([True, False], run) for run in runs])
    cells = cut_cells(rows, size=size)
    counted = np.zeros(len(rows), int)
    for start, end in cells:
        counted[start:end] += 1
    assert counted.max() <= 1
    assert (counted[rows] == 1).all()
    assert cells == sorted(cells)


def test_characters_are_set_side_by_side_without_the_rule_beside_them() -> None:
    column = page()[50:450, 98:142].copy()
    column[:, 0:2] = (200, 20, 20)
    strip = side_by_side(column)
    assert strip is not None
    ink = (strip.min(axis=2) < 120).any(axis=0)
    assert np.count_nonzero(np.diff(ink.astype(int)) == 1) == 8
    assert strip.shape[1] > 6 * strip.shape[0]


@pytest.mark.parametrize(
    ("upright", "sure", "turned", "vertical", "text"),
    [
        ("关于开展检查的通知", 0.99, "关于开展检查的通知", True, "关于开展检查的通知"),
        ("关于开展检查的通知", 0.99, "关于开展检奋的通知", True, "关于开展检查的通知"),
        ("知通的查检展开于关", 0.99, "关于开展检查的通知", False, "关于开展检查的通知"),
        ("工有香", 0.5, "关于开展检查的通知", False, "关于开展检查的通知"),
    ],
)
def test_a_column_reads_alike_both_ways(
    upright: str, sure: float, turned: str, vertical: bool, text: str
) -> None:
    (read,) = upright_columns(
        page(), [RawLine(turned, TALL, 0.95)], Reader(upright, sure), deadline=monotonic() + 9
    )
    assert (read.vertical, read.text, read.quad) == (vertical, text, TALL)


def test_level_pieces_cost_nothing_and_few_tall_ones_are_tried() -> None:
    reader = Reader("乱", 0.4)
    level = RawLine("正文一行", ((0.0, 0.0), (200.0, 0.0), (200.0, 40.0), (0.0, 40.0)), 0.9)
    assert upright_columns(page(), [level], reader, deadline=monotonic() + 9) == [level]
    assert reader.asked == 0
    tall = [RawLine(f"竖的一行{n}", TALL, 0.9) for n in range(10)]
    assert upright_columns(page(), tall, reader, deadline=monotonic() + 9) == tall
    assert reader.asked == 3
    assert upright_columns(page(), tall, reader, deadline=monotonic() - 1) == tall


def test_a_page_laid_on_its_side_is_known_by_its_columns() -> None:
    lying = np.ascontiguousarray(np.rot90(page()))
    high = page().shape[1]
    quad: Quad = ((50.0, high - 140.0), (450.0, high - 140.0), (450.0, high - 100.0), (50.0, high - 100.0))
    raws = [RawLine("关于开展检查的通知", quad, 0.99)]
    assert stands_upright(lying, raws, Reader("关于开展检查的通知", 0.98), deadline=monotonic() + 9)
    assert not stands_upright(lying, raws, Reader("知通的查检展开于关", 0.98), deadline=monotonic() + 9)
    assert not stands_upright(lying, [], Reader("关于", 0.98), deadline=monotonic() + 9)
