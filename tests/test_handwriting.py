"""What stands by hand in a page's margin is shown, never guessed at (R-023)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiyao.stages.engines.engine import RawLine
from jiyao.stages.page_handwriting import written
from jiyao.stages.page_join import Row
from jiyao.stages.page_placed import Piece
from jiyao.stages.page_rows import read_rows
from jiyao.stages.page_type import Type

WIDTH = 1654.0


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
    return sorted(one.raw.text for one in written(rows, width=WIDTH))


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
    assert written(rows, width=WIDTH) == []
