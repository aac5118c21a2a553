"""What scans of strangers taught the layout: filing holes are no text."""

from __future__ import annotations

import numpy as np
import pytest

from jiyao.stages.engines.engine import RawLine
from jiyao.stages.page_layout import lay_out
from jiyao.stages.page_placed import Piece
from jiyao.stages.page_prepare import Prepared
from jiyao.stages.page_rows import read_rows
from jiyao.stages.page_type import Type


def piece(text: str, left: float, right: float, top: float) -> Piece:
    quad = ((left, top), (right, top), (right, top + 30), (left, top + 30))
    return Piece(RawLine(text, quad, 0.95), Type(5.6, "black"))


@pytest.mark.req("R-023")
def test_a_disc_at_the_edge_is_a_punch_hole_and_inside_the_text_it_is_not() -> None:
    blank = Prepared(
        picture=np.full((1000, 800, 3), 255, np.uint8), dpi=100.0, size=(800, 1000), back=np.eye(3), seals=(),
        steps=(), blank=False,
    )  # fmt: skip
    pieces = [
        piece("清楚的正文一行文字", 110, 600, 380), piece("●", 24, 48, 380), piece("●", 24, 48, 620),
        piece("●", 120, 145, 500), piece("会期半天", 160, 400, 500), piece("口", 30, 55, 700),
    ]  # fmt: skip
    laid = lay_out(read_rows(pieces), blank)
    text = "".join(line.text for line in laid.lines)
    assert text.count("●") == 1 and "口" in text and "清楚的正文一行文字" in text
    assert laid.unread == ()
