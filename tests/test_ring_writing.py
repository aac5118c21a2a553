"""One character of a seal's ring is no line of the paper; one that belongs to a row is."""

from __future__ import annotations

import numpy as np
import pytest

from jiyao.models.page import Box
from jiyao.stages.engines.engine import RawLine
from jiyao.stages.page_layers import without_seal_text
from jiyao.stages.page_placed import Piece
from jiyao.stages.page_prepare import Prepared
from jiyao.stages.page_type import Type

PAGE = Prepared(
    picture=np.full((1000, 1000, 3), 255, np.uint8), dpi=120.0, size=(1000, 1000), back=np.eye(3),
    seals=(Box(0.5, 0.5, 0.7, 0.7),), steps=("deseal black 1",), blank=False,
)  # fmt: skip


def piece(text: str, left: float, top: float, wide: float) -> Piece:
    quad = ((left, top), (left + wide, top), (left + wide, top + 24), (left, top + 24))
    return Piece(RawLine(text, quad, 0.99, (0.99,) * len(text)), Type(5.6, "black"))


@pytest.mark.req("R-020")
@pytest.mark.parametrize(
    ("stray", "left", "top", "kept"),
    [
        ("胥", 506, 600, False),
        ("胥", 590, 600, True),
        ("2", 506, 600, True),
        ("府", 672, 566, True),
        ("局长", 506, 600, True),
        ("胥", 506, 720, True),
    ],
    ids=["on the ring", "in the middle", "a figure", "in the row of the name", "a word", "outside"],
)
def test_a_character_of_the_ring_is_left_out(stray: str, left: float, top: float, kept: bool) -> None:
    name, day = piece("南柯市人民政", 500, 562, 165), piece("2022年4月2日", 510, 636, 180)
    one = piece(stray, left, top, 24.0 * len(stray))
    assert (one in without_seal_text([name, one, day], PAGE)) is kept
