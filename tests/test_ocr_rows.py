"""Reading order: rows, columns, joined pieces. Boxes only, nothing is drawn."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiyao.stages.engines.engine import Quad, RawLine
from jiyao.stages.page_placed import Piece, slope
from jiyao.stages.page_rows import read_rows
from jiyao.stages.page_type import Type


def piece(
    text: str, left: float, top: float, *, size: float = 40.0, width: float | None = None, colour="black"
) -> Piece:
    right, bottom = left + (size * len(text) if width is None else width), top + size
    quad: Quad = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Piece(RawLine(text, quad, 0.9), Type(size_mm=5.6, colour=colour))


def turned(one: Piece, degrees: float) -> Piece:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    points = [(x * cosine - y * sine, x * sine + y * cosine) for x, y in one.raw.quad]
    return Piece(RawLine(one.raw.text, tuple(points), one.raw.confidence), one.type)  # type: ignore[arg-type]


def texts(pieces: list[Piece]) -> list[str]:
    return [row.text for row in read_rows(pieces)]


HEAD = [
    piece("000123", 200, 100, width=120),
    piece("机密", 200, 160),
    piece("★", 282, 162),
    piece("20年", 324, 158, width=100),
    piece("青测发〔2024〕17号", 260, 400),
    piece("签发人：张三", 1150, 398),
    piece("正文第一行比较长一些用来定坡度的文字若干若干", 220, 520),
    piece("— 1 —", 1300, 2200, width=110),
]
READ = [
    "000123",
    "机密★20年",
    "青测发〔2024〕17号  签发人：张三",
    "正文第一行比较长一些用来定坡度的文字若干若干",
    "— 1 —",
]


def test_pieces_of_a_row_are_joined_and_its_two_ends_kept_apart() -> None:
    assert texts(HEAD) == READ


@given(st.permutations(HEAD), st.floats(-8, 8))
def test_order_depends_neither_on_skew_nor_on_the_order_given(pieces: list[Piece], degrees: float) -> None:
    assert texts([turned(one, degrees) for one in pieces]) == READ


@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=25),
    st.floats(-8, 8),
    st.floats(1.3, 2.5),
    st.randoms(use_true_random=False),
)
def test_rows_of_any_page_survive_skew(cells: list[int], degrees: float, pitch: float, random) -> None:
    rows = [
        [piece(f"行{row:02}格{cell}的文字", 100 + cell * 480, row * 40 * pitch) for cell in range(count)]
        for row, count in enumerate(cells)
    ]
    flat = [turned(one, degrees) for row in rows for one in row]
    random.shuffle(flat)
    assert texts(flat) == ["  ".join(one.raw.text for one in row) for row in rows]


def test_slope_is_that_of_the_long_pieces() -> None:
    long = [turned(piece("很长的一行文字在这里", 100, 100 * row), 2.0) for row in range(5)]
    assert math.degrees(slope([one.raw.quad for one in [*long, piece("短", 5, 5)]])) == pytest.approx(
        2.0, abs=0.01
    )


def test_two_columns_are_read_one_after_the_other() -> None:
    title = piece("横贯两栏的标题行文字很长很长很长很长很长很长很长", 300, 20)
    left = [piece(f"左栏第{row}行的文字排满了这一栏", 100, 120 + 60 * row, width=600) for row in range(8)]
    right = [piece(f"右栏第{row}行的文字排满了这一栏", 800, 121 + 60 * row, width=600) for row in range(8)]
    mixed = [one for pair in zip(left, right, strict=True) for one in pair]
    assert texts([*mixed, title]) == [one.raw.text for one in [title, *left, *right]]


def test_the_cells_of_a_table_stay_in_their_rows() -> None:
    cells = [
        piece(text, x, 100 + 60 * row)
        for row in range(8)
        for text, x in ((f"项目{row}", 100), (f"数量{row}", 600), (f"备注{row}", 1100))
    ]
    assert texts(cells) == [f"项目{row}  数量{row}  备注{row}" for row in range(8)]


def test_a_stamp_beside_the_text_is_a_line_of_its_own() -> None:
    beside = [piece("正文的一行文字", 100, 100), piece("收文", 900, 90, size=60, colour="other")]
    assert texts(beside) == ["正文的一行文字", "收文"]


def test_dashes_stay_with_their_page_number() -> None:
    flat = [
        piece("一", 100, 118, size=3, width=40),
        piece("1", 160, 100, width=20),
        piece("一", 200, 118, size=3),
    ]
    assert texts(flat) == ["一1一"]


def test_upright_text_joins_nothing() -> None:
    side = Piece(RawLine("骑缝章字", ((10, 0), (50, 0), (50, 400), (10, 400)), 0.8), Type(None, None))
    assert texts([side, piece("正文", 60, 180)]) in (["骑缝章字", "正文"], ["正文", "骑缝章字"])


def test_no_pieces_no_rows() -> None:
    assert read_rows([]) == ()
