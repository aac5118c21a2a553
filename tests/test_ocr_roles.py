"""Roles of lines over the pages of a document, and guesses that are never text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.stages.engines.engine import RawLine
from jiyao.stages.page_layout import lay_out
from jiyao.stages.page_placed import Piece
from jiyao.stages.page_prepare import Prepared
from jiyao.stages.page_roles import assign_roles
from jiyao.stages.page_rows import read_rows
from jiyao.stages.page_type import Type

FOOT, BODY, HEAD = Box(0.45, 0.9, 0.55, 0.92), Box(0.15, 0.4, 0.8, 0.42), Box(0.3, 0.02, 0.7, 0.04)


def page(*lines: Line, number: int = 1) -> Page:
    return Page(
        number=number, width_mm=210, height_mm=297, lines=lines, source="ocr", engine="e", confidence=1.0
    )


@pytest.mark.parametrize(
    ("read", "text", "number", "total"),
    [
        ("-1-", "— 1 —", 1, None), ("— 12 —", "— 12 —", 12, None), ("一3一", "— 3 —", 3, None),
        ("-4", "— 4 —", 4, None),
        ("第 1 页 共 3 页", "第 1 页 共 3 页", 1, 3), ("1/3", "1/3", 1, 3),
    ],
)  # fmt: skip
def test_page_numbers(read: str, text: str, number: int, total: int | None) -> None:
    told = assign_roles(
        Transcript((page(Line("正文", BODY), Line(read, FOOT, 0.8, characters=(0.8,) * len(read))),))
    )
    one = told.pages[0]
    assert [(line.text, line.role) for line in one.lines] == [("正文", "body"), (text, "page_number")]
    assert (one.printed_number, one.printed_total) == (number, total)
    assert one.lines[1].confidence == 0.8
    assert len(one.lines[1].characters) == len(text)


@pytest.mark.parametrize(
    ("direction", "foot"),
    [
        (0.0, FOOT),
        (90.0, Box(0.08, 0.4, 0.1, 0.5)),
        (180.0, Box(0.4, 0.08, 0.5, 0.1)),
        (-90.0, Box(0.9, 0.4, 0.92, 0.5)),
    ],
)
def test_page_numbers_of_pages_that_lay_otherwise(direction: float, foot: Box) -> None:
    lying = replace(page(Line("-7-", foot)), direction=direction)
    (one,) = assign_roles(Transcript((lying,))).pages
    assert (one.printed_number, one.lines[0].role, one.lines[0].text) == (7, "page_number", "— 7 —")


@pytest.mark.parametrize("text", ["2024年1月2日", "17", "5/3", "-12345-", "电话 1"])
def test_what_is_no_page_number(text: str) -> None:
    assert assign_roles(Transcript((page(Line(text, FOOT)),))).pages[0].lines[0].role == "body"


def test_a_dashed_number_in_the_text_is_none() -> None:
    assert assign_roles(Transcript((page(Line("-1-", BODY)),))).pages[0].lines[0].role == "body"


def test_repeated_heads_are_headers_but_marks_are_not() -> None:
    pages = [page(Line(f"某项目简报 第{n}期", HEAD), Line("正文", BODY), number=n) for n in (1, 2, 3)]
    assert [one.lines[0].role for one in assign_roles(Transcript(tuple(pages))).pages] == ["header"] * 3
    assert assign_roles(Transcript((pages[0],))).pages[0].lines[0].role == "body"
    marked = tuple(page(Line("机密", HEAD), number=n) for n in (1, 2))
    assert assign_roles(Transcript(marked)).pages[0].lines[0].role == "body"


def test_a_receiving_stamp_is_known_by_colour_and_words() -> None:
    lines = (
        Line("收文日期：2024.3.1", Box(0.7, 0.05, 0.9, 0.07), colour="other"),
        Line("编号", Box(0.72, 0.08, 0.8, 0.1), colour="other"),
        Line("收文日期见附件", BODY, colour="black"),
    )
    told = assign_roles(Transcript((page(*lines),)))
    assert [line.role for line in told.pages[0].lines] == ["stamp", "stamp", "body"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["-1-", "简报", "正文", "1/2"]), st.sampled_from([FOOT, BODY, HEAD])),
        max_size=6,
    )
)
def test_twice_is_once_and_no_line_is_lost(lines: list[tuple[str, Box]]) -> None:
    before = Transcript(tuple(page(*(Line(*one) for one in lines), number=n) for n in (1, 2)))
    once = assign_roles(before)
    assert assign_roles(once) == once
    assert [len(one.lines) for one in once.pages] == [len(one.lines) for one in before.pages]


def test_a_guess_is_no_text() -> None:
    blank = Prepared(
        picture=np.full((1000, 800, 3), 255, np.uint8), dpi=100.0, size=(800, 1000), back=np.eye(3), seals=(),
        steps=(), blank=False,
    )  # fmt: skip

    def piece(text: str, top: float, score: float) -> Piece:
        quad = ((100.0, top), (500.0, top), (500.0, top + 30), (100.0, top + 30))
        return Piece(RawLine(text, quad, score), Type(5.6, "black"))

    rows = read_rows(
        [piece("清楚的正文一行文字", 100, 0.99), piece("书文品益制颈", 300, 0.5), piece("下：", 400, 0.7)]
    )
    laid = lay_out(rows, blank)
    assert [line.text for line in laid.lines] == ["清楚的正文一行文字", "下："]
    assert [(one.why, one.box.top) for one in laid.unread] == [("illegible", 0.3)]
