"""What a black seal covers: completed where the paper itself says what stands there, and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from jiyao.formats.opened import Picture
from jiyao.models.page import Box
from jiyao.stages.engines.engine import RawLine
from jiyao.stages.engines.likelihood import log_likelihood
from jiyao.stages.page_covered import completed
from jiyao.stages.page_handwriting import guesses
from jiyao.stages.page_placed import Piece
from jiyao.stages.page_prepare import Prepared
from jiyao.stages.page_rows import read_rows
from jiyao.stages.page_type import Type

PAGE: Picture = np.full((1000, 800, 3), 255, np.uint8)
SEAL = Box(0.5, 0.5, 0.75, 0.7)
"""400 to 600 across, 500 to 700 down."""


def prepared(*steps: str) -> Prepared:
    return Prepared(
        picture=PAGE, dpi=120.0, size=(800, 1000), back=np.eye(3), seals=(SEAL,), steps=steps, blank=False
    )


def piece(text: str, left: float, top: float, *, pitch: float = 25.0, score: float = 0.99) -> Piece:
    right = left + pitch * len(text)
    quad = ((left, top), (right, top), (right, top + 30), (left, top + 30))
    return Piece(RawLine(text, quad, score, (score,) * len(text)), Type(5.6, "black"))


class Weigher:
    """Likelihoods as they are given; of texts that are not, little."""

    def __init__(self, **costs: float) -> None:
        self.costs = costs

    def weigh(self, strip: Picture, texts: Sequence[str]) -> tuple[float, ...]:
        assert strip.size
        return tuple(-self.costs.get(text.replace("(", "").replace(")", ""), 40.0) for text in texts)


def read(own: str, *others: str, left: float = 420.0, steps: str = "deseal black 1", **costs: float) -> Piece:
    pieces = [piece(own, left, 590), *(piece(one, 100, 60 + 50 * at) for at, one in enumerate(others))]
    engine = Weigher(**costs)
    found = completed(pieces, prepared(steps), PAGE, engine, deadline=time.monotonic() + 60)
    assert [one.raw.text for one in found[1:]] == list(others)
    return found[0]


@pytest.mark.req("R-020")
def test_a_name_that_the_page_says_elsewhere_is_completed_with_doubt() -> None:
    costs = {"鹿县人民政": 1.0, "蕉鹿县人民政府": 12.0}
    found = read("鹿县人民政", "蕉鹿县人民政府办公室", **costs)
    assert found.raw.text == "蕉鹿县人民政府"
    assert found.raw.characters == (0.3, 0.99, 0.99, 0.99, 0.99, 0.99, 0.3)
    assert read("鹿县人民政", "焦城县人民政府办公室", **costs).raw.text == "鹿县人民政"


@pytest.mark.req("R-020")
@pytest.mark.parametrize(
    ("own", "likely", "expected"),
    [
        ("217年4月4", {"2017年4月4日": 9.0}, "2017年4月4日"),
        ("17年11月1", {"2017年11月1日": 9.0, "2017年11月11日": 10.5}, "17年11月1"),
        ("17年11月1日", {"2017年11月1日": 9.0, "2017年11月11日": 10.5}, "2017年11月1日"),
        ("2017年2月28日", {"2017年2月23日": 0.0}, "2017年2月28日"),
        ("17年13月4", {"2017年1月4日": 0.0}, "17年13月4"),
        ("217年4月4", {"2017年4月4日": 30.0}, "217年4月4"),
    ],
    ids=["torn", "two fit", "日 was read", "whole", "no month", "not there"],
)
def test_a_date_is_completed_where_one_alone_fits(own: str, likely: dict[str, float], expected: str) -> None:
    assert read(own, **{own: 1.0, **likely}).raw.text == expected


def test_what_stands_clear_of_the_seal_is_left_as_it_was_read() -> None:
    costs = {"水月织有限公司东会": 1.0, "水月纺织有限公司股东会": 5.0}
    assert (
        read("水月织有限公司东会", "水月纺织有限公司股东会文件", **costs).raw.text == "水月纺织有限公司股东会"
    )
    aside = read("水月织有限公司东会", "水月纺织有限公司股东会文件", left=100.0, **costs)
    assert aside.raw.text == "水月织有限公司东会"
    red = read("水月织有限公司东会", "水月纺织有限公司股东会文件", steps="deseal 1", **costs)
    assert red.raw.text == "水月织有限公司东会"


def test_a_name_read_in_full_stays_though_the_page_has_a_longer_one() -> None:
    found = read("鹿县人民政府", "鹿县人民政府办公室", 鹿县人民政府办公室=0.0, 鹿县人民政府=0.1)
    assert found.raw.text == "鹿县人民政府"


@pytest.mark.parametrize("text", [(), (1,), (1, 2), (1, 1), (2, 1, 2)])
def test_the_likelihood_is_the_sum_over_all_paths(text: tuple[int, ...]) -> None:
    steps = np.random.default_rng(len(text)).dirichlet((1, 1, 1), 5).astype(np.float32)
    whole = 0.0
    for path in product(range(3), repeat=5):
        new = [one for at, one in enumerate(path) if one and (at == 0 or path[at - 1] != one)]
        if tuple(new) == text:
            whole += float(np.prod([steps[at, one] for at, one in enumerate(path)]))
    assert np.exp(log_likelihood(steps, text)) == pytest.approx(whole, rel=1e-4)


def test_a_faint_line_in_several_pieces_is_read_or_unread_as_a_whole() -> None:
    sure = piece("清楚的正文一行文字", 100, 100)
    faint = [piece("样张", 100, 300, score=0.82), piece("虚构文件", 200, 300, score=0.85)]
    worse, better = piece("不具何效力", 330, 300, score=0.4), piece("不具任何效", 330, 300, score=0.78)
    assert {one.raw.text for one in guesses(read_rows([sure, *faint, worse]))} == {
        "样张",
        "虚构文件",
        "不具何效力",
    }
    assert guesses(read_rows([sure, *faint, better])) == []
    label = piece("签发人：", 100, 500)
    hand = piece("了二彐", 220, 500, score=0.5)
    assert [one.raw.text for one in guesses(read_rows([sure, label, hand]))] == ["了二彐"]
