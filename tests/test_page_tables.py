"""Ruled tables on scanned pages: rules to cells, text to cells, and what is no table."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from drawn_page import RED, Pictures, font, official_page, scanned
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.open import open_document
from jiyao.formats.opened import Picture
from jiyao.formats.ruled import Grid, find_grids
from jiyao.formats.ruled_cells import joined
from jiyao.models.page import Box, Cell, Page, Table
from jiyao.pipeline.papers.documents import tables_of_page
from jiyao.samples.make import make_paper
from jiyao.samples.paper import Block, Paper
from jiyao.samples.render import render_with_text
from jiyao.stages.engines.engine import RawLine
from jiyao.stages.engines.rapid import RapidEngine
from jiyao.stages.ocr import transcribe
from jiyao.stages.page_layout import lay_out
from jiyao.stages.page_prepare import prepare
from jiyao.stages.page_rows import read_rows
from jiyao.stages.page_tables import cut_at_rules, fill
from table_kit import Drawn, Span, blank, draw, piece

FORM = Drawn(
    rows=(60, 70, 80, 90, 104),
    columns=(28, 58, 98, 128, 184),
    spans=((0, 0, 1, 4), (3, 1, 1, 3), (1, 0, 2, 1)),
    texts={
        (0, 0): ("文件登记表",), (1, 0): ("来文单位",), (1, 1): ("青山省测试厅",), (1, 2): ("文号",),
        (1, 3): ("青测发〔2024〕17号",), (2, 1): ("办公室",), (2, 2): ("份数",), (3, 0): ("事由",),
        (3, 1): ("关于做好样张登记", "管理工作的通知"),
    },
)  # fmt: skip


def spans(grid: Grid) -> tuple[Span, ...]:
    return tuple((cell.row, cell.column, cell.rows, cell.columns) for cell in grid.cells)


def page_of(*tables: Drawn, dpi: float = 200.0) -> Image.Image:
    page = blank(dpi)
    for table in tables:
        draw(page, table, dpi=dpi)
    return page


def grids_on(picture: Picture, dpi: float = 200.0) -> tuple[Grid, ...]:
    return find_grids(prepare(picture, dpi=dpi).picture, dpi=dpi)


@pytest.mark.req("R-020")
@pytest.mark.parametrize(
    ("skew", "noise", "one_bit", "dpi"),
    [(0, 0, False, 200), (2, 0, False, 200), (-2, 12, False, 200), (1, 0, True, 200), (0.4, 18, False, 150),
     (-1, 8, False, 300)],
)  # fmt: skip
def test_spans_are_found_on_skewed_noisy_and_faxed_pages(
    skew: float, noise: float, one_bit: bool, dpi: float
) -> None:
    picture = scanned(page_of(FORM, dpi=dpi), skew=skew, noise=noise, one_bit=one_bit)
    (grid,) = grids_on(picture, dpi)
    assert spans(grid) == FORM.cells


@pytest.mark.parametrize(
    "table",
    [
        replace(FORM, border=1.4), replace(FORM, border=0.35, double=True),
        replace(FORM, spans=FORM.spans[1:], open_sides=True),
        replace(FORM, rule=0.12), replace(FORM, colour=(90, 90, 90)), replace(FORM, colour=RED),
    ],
    ids=["thick", "double", "open sides", "hair lines", "grey", "red"],
)  # fmt: skip
def test_borders_of_every_kind(table: Drawn) -> None:
    (grid,) = grids_on(scanned(page_of(table)))
    assert spans(grid) == table.cells


def test_breaks_in_rules_are_mended() -> None:
    page = page_of(FORM)
    pen, scale = ImageDraw.Draw(page), 200 / 25.4
    for x in range(37, 180, 23):
        pen.rectangle([x * scale, 55 * scale, (x + 1.5) * scale, 110 * scale], fill="white")
    (grid,) = grids_on(scanned(page))
    assert spans(grid) == FORM.cells


def test_a_table_cut_by_the_edge_of_the_paper_is_closed_there() -> None:
    table = Drawn(rows=(60, 70, 80, 90), columns=(150, 170, 230))
    (grid,) = grids_on(scanned(page_of(table)))
    assert spans(grid) == table.cells
    table = Drawn(rows=(275, 285, 305), columns=(28, 100, 184))
    (grid,) = grids_on(scanned(page_of(table)))
    assert spans(grid) == table.cells


def test_several_tables_on_a_page_from_top_to_bottom() -> None:
    other = Drawn(rows=(150, 158, 166), columns=(28, 80, 130, 184))
    first, second = grids_on(scanned(page_of(other, FORM), skew=1))
    assert (spans(first), spans(second)) == (FORM.cells, other.cells)


@pytest.mark.parametrize("skew", [0, 1.5])
def test_rules_of_an_official_paper_are_no_table(skew: float) -> None:
    assert grids_on(scanned(official_page(), skew=skew)) == ()


def test_frames_stamps_and_manuscript_squares_are_no_tables() -> None:
    page = official_page().copy()
    pen, scale = ImageDraw.Draw(page), 200 / 25.4
    pen.rectangle([15 * scale, 15 * scale, 195 * scale, 282 * scale], outline=(18, 18, 18), width=4)
    assert grids_on(scanned(page)) == ()
    stamp = Drawn(rows=(12, 20, 28, 36), columns=(125, 145, 185), colour=(40, 60, 190))
    assert grids_on(scanned(page_of(stamp))) == ()
    squares = Drawn(rows=tuple(range(40, 260, 9)), columns=tuple(range(20, 192, 9)))
    assert grids_on(scanned(page_of(squares))) == ()


def test_large_characters_are_no_table() -> None:
    page = blank()
    ImageDraw.Draw(page).text((300, 500), "田国圖中甲田", fill=(0, 0, 0), font=font(22, 200, weight="Bold"))
    assert grids_on(scanned(page)) == ()


def test_a_black_receiving_stamp_is_no_table_once_it_is_read() -> None:
    stamp = Drawn(
        rows=(12, 20, 28, 36), columns=(125, 145, 185),
        texts={(0, 0): ("收文",), (1, 0): ("日期",), (2, 0): ("编号",), (2, 1): ("0501",)},
    )  # fmt: skip
    page = blank()
    pieces = draw(page, stamp)
    grids = grids_on(scanned(page))
    assert grids
    assert fill(grids, pieces, dpi=200.0) == ([], pieces)


def test_lines_of_a_table_are_cells_row_by_row_among_the_other_lines() -> None:
    page, scale = blank(), 200 / 25.4
    pieces = draw(page, FORM)
    above = piece("根据有关规定，现将登记情况报告如下。", 28, 40, 100, 45.6, scale)
    below = piece("特此报告。", 28, 120, 60, 125.6, scale)
    prepared = prepare(scanned(page), dpi=200.0)
    laid = lay_out(
        read_rows([below, *reversed(pieces), above]), prepared, find_grids(prepared.picture, dpi=200)
    )
    assert [(line.text, line.role) for line in laid.lines] == [
        (above.raw.text, "body"), ("文件登记表", "cell"), ("来文单位  青山省测试厅  文号  青测发〔2024〕17号", "cell"),
        ("办公室  份数", "cell"), ("事由", "cell"), ("关于做好样张登记", "cell"), ("管理工作的通知", "cell"),
        ("特此报告。", "body"),
    ]  # fmt: skip
    (table,) = laid.tables
    texts = {(cell.row, cell.column): cell.text for cell in table.cells}
    assert texts[3, 1] == "关于做好样张登记管理工作的通知"
    assert texts[2, 3] == ""
    assert (table.box.left, table.box.right) == pytest.approx((28 / 210, 184 / 210), abs=0.004)
    assert (table.box.top, table.box.bottom) == pytest.approx((60 / 297, 104 / 297), abs=0.004)


class Reader:
    """Reads strips by their width, so that it shows which part was cut out."""

    def read_strip(self, strip: Picture, *, seconds: float) -> RawLine | None:
        height, width = strip.shape[:2]
        quad = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
        return RawLine(text="字" * round(width / height), quad=quad, confidence=0.9)


@pytest.mark.parametrize("late", [False, True])
def test_a_piece_across_a_rule_is_cut_there(late: bool) -> None:
    table = Drawn(rows=(60, 70, 80), columns=(28, 68, 184))
    picture, scale = scanned(page_of(table)), 200 / 25.4
    grids = grids_on(picture)
    across = piece("甲乙丙丁戊己", 56, 62, 80, 66, scale).raw
    inside = piece("庚辛", 30, 72, 38, 76, scale).raw
    over = piece("壬癸", 62, 72, 69, 76, scale).raw
    deadline = time.monotonic() + (-1 if late else 60)
    parts = cut_at_rules([across, inside, over], grids, picture, Reader(), deadline=deadline)  # type: ignore[arg-type]
    assert [part.text for part in parts] == [
        *(["甲乙丙", "丁戊己"] if late else ["字字字"] * 2),
        "庚辛",
        "壬癸",
    ]
    assert parts[0].quad[1][0] <= 68 * scale + 2 <= parts[1].quad[0][0] + 4


def test_lines_of_a_cell_are_joined_with_blanks_only_between_latin_words() -> None:
    assert joined(["关于做好", "管理"]) == "关于做好管理"
    assert joined(["Beijing", "Daxing"]) == "Beijing Daxing"
    assert joined([]) == ""


@st.composite
def tables(draw_one: st.DrawFn) -> Drawn:
    """Random grids with one span, text in most cells."""
    rows, columns = [50.0], [25.0]
    for _ in range(draw_one(st.integers(2, 6))):
        rows.append(rows[-1] + draw_one(st.integers(7, 22)))
    for _ in range(draw_one(st.integers(2, 5))):
        columns.append(columns[-1] + draw_one(st.integers(16, 32)))
    row, column = draw_one(st.integers(0, len(rows) - 2)), draw_one(st.integers(0, len(columns) - 2))
    high, wide = (
        draw_one(st.integers(1, len(rows) - 1 - row)),
        draw_one(st.integers(1, len(columns) - 1 - column)),
    )
    made = Drawn(rows=tuple(rows), columns=tuple(columns), spans=((row, column, high, wide),))
    words = st.sampled_from(((), ("一二三",), ("王田国",), ("17",), ("工王主",)))
    return replace(made, texts={cell[:2]: draw_one(words) for cell in made.cells})


def divided(table: Drawn) -> bool:
    """Every edge has a rule somewhere, and two rows have two cells: else other edges describe the same drawing."""
    *_, rows, columns = table.spans[0]
    full = rows == len(table.rows) - 1 or columns == len(table.columns) - 1
    return not (full and (rows > 1 or columns > 1)) or (rows == 1 and len(table.rows) > 3)


@pytest.mark.req("R-020")
@settings(max_examples=14, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(tables().filter(divided), st.sampled_from((-2.0, 0.0, 0.7, 2.0)))
def test_a_drawn_grid_gives_back_its_cells(table: Drawn, skew: float) -> None:
    page = blank(150)
    pieces = draw(page, table, dpi=150)
    (grid,) = grids_on(scanned(page, skew=skew), 150)
    assert spans(grid) == table.cells
    if skew or not pieces:
        return
    ((filled,), outside) = fill([grid], pieces, dpi=150)
    assert not outside
    assert {(place.row, place.column): tuple(row.text for row in rows) for place, rows in filled.cells} == {
        cell[:2]: table.texts.get(cell[:2], ()) for cell in table.cells
    }


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 60))
def test_any_picture_is_looked_at_without_fault(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 2, (height, width, 3), dtype=np.uint8) * 255
    for dpi in (30.0, 200.0, 600.0):
        for grid in find_grids(
            cv2.resize(picture, None, fx=9, fy=9, interpolation=cv2.INTER_NEAREST), dpi=dpi
        ):
            assert len(grid.cells) >= 4


@pytest.mark.skipif(RapidEngine().missing() is not None, reason="RapidOCR is not installed")
@pytest.mark.req("R-020")
def test_a_form_is_read_into_its_cells() -> None:
    opened = Pictures((scanned(page_of(FORM), skew=1.2, noise=5),))
    (page,) = transcribe(opened, engine="rapidocr", first=1, last=1, limits=DEFAULT_LIMITS).pages
    (table,) = page.tables
    read = {(cell.row, cell.column): cell.text for cell in table.cells}
    assert read == {cell[:2]: "".join(FORM.texts.get(cell[:2], ())) for cell in FORM.cells}
    assert {line.role for line in page.lines} == {"cell"}


def paper_with(*rows: tuple[str, ...]) -> Paper:
    """A paper whose body is a sentence, a table and a sentence."""
    said = Block(kind="para", text="现将有关情况报告如下。")
    paper = make_paper(7, "train", layout="company")
    table = Block(kind="table", rows=rows)
    return replace(paper, body=(said, table, replace(said, text="特此报告。")), annexes=())


ROWS = (("序号", "名称", "份数"), ("1", "样张登记表", "17"), ("2", "", "3"), ("3", "样张目录", "21"))


@pytest.mark.req("R-020")
def test_a_table_of_a_pdf_with_text_has_its_cells_and_costs_no_drawing() -> None:
    rendered = render_with_text(paper_with(*ROWS), "pdf", "clean", 7)
    with closing(open_document(rendered.data, limits=DEFAULT_LIMITS)) as opened:
        page = transcribe(opened, engine="rapidocr", first=1, last=1, limits=DEFAULT_LIMITS).pages[0]
    assert page.source == "text_layer"
    (table,) = page.tables
    assert [cell.text for cell in table.cells] == [text for row in ROWS for text in row]
    assert [(cell.row, cell.column) for cell in table.cells] == [(i, j) for i in range(4) for j in range(3)]
    lines = [line.text for line in page.lines]
    start = lines.index("序号")
    assert lines[start - 1] == "现将有关情况报告如下。"
    assert lines[start : start + 11] == [text for row in ROWS for text in row if text]
    assert page.lines[start + 11].role != "cell"
    assert {line.text for line in page.lines if line.role == "cell"} == {
        text for row in ROWS for text in row if text
    }
    for cell, line in zip([cell for cell in table.cells if cell.text], page.lines[start:], strict=False):
        assert cell.box.left <= line.box.left
        assert line.box.right <= cell.box.right


def test_a_pdf_without_upright_rules_has_no_table() -> None:
    rendered = render_with_text(make_paper(7, "train", layout="upward"), "pdf", "clean", 7)
    with closing(open_document(rendered.data, limits=DEFAULT_LIMITS)) as opened:
        tables_found = [opened.tables(number) for number in range(1, opened.page_count + 1)]  # type: ignore[attr-defined]
    assert not any(tables_found)


def test_text_shows_tables_only_where_there_are_some() -> None:
    box = Box(0.1, 0.1, 0.9, 0.2)
    table = Table(box=box, cells=(Cell(row=0, column=1, text="名称", box=box, columns=2),))
    page = Page(
        number=1, width_mm=210, height_mm=297, lines=(), source="ocr", engine="", confidence=1.0, tables=(table,)
    )  # fmt: skip
    shown = {"row": 0, "column": 1, "rows": 1, "columns": 2, "text": "名称"}
    assert tables_of_page(page) == {"tables": [[shown]]}
    assert tables_of_page(replace(page, tables=())) == {}
