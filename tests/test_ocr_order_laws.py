"""Laws of reading order and joining, for any pieces."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from jiyao.stages.engines.engine import Quad, RawLine
from jiyao.stages.page_placed import Piece
from jiyao.stages.page_rows import read_rows
from jiyao.stages.page_type import Type

WORDS = st.text(st.sampled_from("密级发文2024〔〕号 ,Ab—é"), min_size=1, max_size=12)


def piece(text: str, left: float, top: float, wide: float, high: float, *, vertical: bool = False) -> Piece:
    quad: Quad = ((left, top), (left + wide, top), (left + wide, top + high), (left, top + high))
    return Piece(RawLine(text, quad, 0.9, (0.9,) * len(text), vertical=vertical), Type(5.6, "black"))


PIECES = st.builds(
    piece, WORDS, st.floats(0, 1500), st.floats(0, 2200), st.floats(5, 900), st.floats(5, 400),
    vertical=st.booleans(),
)  # fmt: skip


@given(st.lists(PIECES, max_size=25), st.randoms(use_true_random=False))
def test_nothing_is_lost_or_added_and_the_order_given_does_not_matter(pieces: list[Piece], random) -> None:
    rows = read_rows(pieces)
    given_ = Counter(c for one in pieces for c in one.raw.text if not c.isspace())
    assert Counter(c for row in rows for c in row.text if not c.isspace()) == given_
    assert Counter(id(one) for row in rows for one in row.pieces) == Counter(map(id, pieces))
    for row in rows:
        assert len(row.characters) in (0, len(row.text))
        assert [one for run in row.runs for one in run] == list(row.pieces)
    mixed = random.sample(pieces, len(pieces))
    assert [row.text for row in read_rows(mixed)] == [row.text for row in rows]


@given(
    st.lists(st.integers(2, 20), min_size=1, max_size=8),
    st.data(),
)
def test_vertical_columns_from_right_to_left_whatever_the_jitter(lengths: list[int], data) -> None:
    jitter = st.floats(-6, 6)
    columns = [
        piece(
            f"列{n}" + "字" * size, 1400 - 100 * n + data.draw(jitter), 200 + data.draw(jitter), 44,
            46 * (size + 2), vertical=True,
        )
        for n, size in enumerate(lengths)
    ]  # fmt: skip
    rows = read_rows(data.draw(st.permutations(columns)))
    assert [row.text for row in rows] == [one.raw.text for one in columns]
    assert all(row.vertical for row in rows)
