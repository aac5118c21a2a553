"""Second looks: page numbers in thin type, folds over tables, figures alone in cells, worn dates."""

from __future__ import annotations

import time
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from drawn_page import BLACK, Pictures, font, scanned
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.opened import Picture
from jiyao.formats.ruled import find_grids
from jiyao.formats.ruled_creases import find_creases, without_creases
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.stages.engines.engine import EngineFault, RawLine
from jiyao.stages.engines.rapid import RapidEngine
from jiyao.stages.fields_date import near_dates, worn_date
from jiyao.stages.ocr import transcribe
from jiyao.stages.page_cells import lost_in_cells
from jiyao.stages.page_foot import find_number
from jiyao.stages.page_prepare import prepare
from jiyao.stages.page_printed import number_of, printed_of
from jiyao.stages.page_roles import assign_roles
from table_kit import Drawn, blank, draw

GRID = Drawn(
    rows=(60, 70, 80, 90), columns=(28, 40, 110, 120, 130),
    texts={(0, 1): ("项目名称",), (1, 1): ("现场核验",), (2, 1): ("设备更新",), (1, 2): ("7",), (2, 3): ("4",)},
)  # fmt: skip


class Says:
    """Reads every strip as the next of some texts, and counts them."""

    name, name_version, flat = "says", "says 1", False

    def __init__(self, *texts: str, confidence: float = 0.95) -> None:
        self.texts, self.confidence, self.asked = list(texts), confidence, 0

    def read_strip(self, strip: Picture, *, seconds: float) -> RawLine | None:
        self.asked += 1
        if not self.texts:
            return None
        text = self.texts[(self.asked - 1) % len(self.texts)]
        if text == "fault":
            raise EngineFault("ocr_page_failed")
        return RawLine(text, ((0, 0), (1, 0), (1, 1), (0, 1)), self.confidence)


def numbered(text: str, *, mm: float = 3.7, x: float = 170.0) -> Image.Image:
    page, scale = blank(), 200 / 25.4
    pen = ImageDraw.Draw(page)
    for line in range(20):
        pen.text((28 * scale, (40 + 10 * line) * scale), "为进一步规范样张管理现将有关情况请示", fill=BLACK,
                 font=font(5.6, 200))  # fmt: skip
    pen.text((x * scale, 275 * scale), text, fill=BLACK, font=font(mm, 200, weight="ExtraLight"))
    return page


@pytest.mark.req("R-020")
def test_a_number_is_taken_where_two_readings_agree_and_only_there() -> None:
    page = prepare(np.asarray(numbered("— 3 —")), dpi=200)
    found = find_number([], page, Says("一3一", "3"), seconds=5)
    assert found is not None and found[0].raw.text == "— 3 —"
    assert find_number([], page, Says("一3一", "8"), seconds=5) is None
    assert find_number([], page, Says("三", "3"), seconds=5) is None
    bare = prepare(np.asarray(numbered("3")), dpi=200)
    assert find_number([], bare, Says("3"), seconds=5) is not None
    assert find_number([], bare, Says("3", confidence=0.7), seconds=5) is None


@pytest.mark.req("R-020")
def test_without_ink_at_the_foot_nobody_is_asked() -> None:
    asked = Says("— 3 —")
    assert find_number([], prepare(np.asarray(numbered("")), dpi=200), asked, seconds=5) is None
    assert asked.asked == 0


@pytest.mark.req("R-020")
def test_thin_page_numbers_are_read_on_pages_of_several() -> None:
    engine = RapidEngine()
    if not engine.available():
        pytest.skip(f"RapidOCR cannot work here: {engine.missing()}")
    pages = tuple(scanned(numbered(f"— {n} —", mm=3.2), noise=6) for n in (3, 2))
    read = transcribe(Pictures(pages), engine="rapidocr", first=1, last=2, limits=DEFAULT_LIMITS)
    assert [printed_of(page)[0] for page in read.pages] == [3, 2]


def foot(*numbers: str) -> Transcript:
    return Transcript(
        tuple(
            Page(number=i, width_mm=210, height_mm=297, source="ocr", engine="e", confidence=1.0,
                 lines=(Line("正文", Box(0.1, 0.3, 0.9, 0.32)), Line(text, Box(0.5, 0.93, 0.51, 0.945))))
            for i, text in enumerate(numbers, 1)
        )
    )  # fmt: skip


@pytest.mark.req("R-020")
def test_bare_figures_are_page_numbers_where_they_count_the_pages() -> None:
    counted = assign_roles(foot("1", "2", "4", "3", "5"))
    assert [page.printed_number for page in counted.pages] == [1, 2, 4, 3, 5]
    assert {page.lines[1].role for page in counted.pages} == {"page_number"}
    assert assign_roles(counted) == counted
    loose = assign_roles(foot("7", "40", "12"))
    assert [page.printed_number for page in loose.pages] == [None] * 3


@pytest.mark.parametrize(
    ("text", "told"),
    [("·2·", (2, None)), ("第3页（共8页）", (3, 8)), ("共 8 页 第 3 页", (3, 8)), ("3/8", (3, 8)), ("9/8", None),
     ("一 4 —", (4, None)), ("2.", None), ("Page 3 of 8", (3, 8)), ("第三条", None), ("", None)],
)  # fmt: skip
def test_forms_of_page_numbers(text: str, told: tuple[int, int | None] | None) -> None:
    assert number_of(text) == told


def folded(page: Image.Image, *, dark: int, x: float = 70.0, y: float = 75.0) -> Picture:
    scale = 200 / 25.4
    shade = Image.new("L", page.size, 0)
    pen = ImageDraw.Draw(shade)
    pen.line([0, y * scale, page.width, (y + 1.5) * scale], fill=dark, width=3)
    pen.line([x * scale, 0, (x + 2) * scale, page.height], fill=dark, width=3)
    pixels = np.asarray(page).astype(np.int16) - np.asarray(shade)[..., None].astype(np.int16)
    return np.clip(pixels, 0, 255).astype(np.uint8)


@pytest.mark.req("R-020")
@pytest.mark.parametrize("dark", [60, 120])
def test_folds_across_a_table_make_no_cells(dark: int) -> None:
    page = blank()
    draw(page, GRID)
    (grid,) = find_grids(folded(page, dark=dark), dpi=200)
    assert [(cell.row, cell.column, cell.rows, cell.columns) for cell in grid.cells] == list(GRID.cells)


def test_a_wide_table_is_not_taken_for_folds() -> None:
    page = blank()
    wide = Drawn(rows=(12, 100, 200, 285), columns=(10, 60, 120, 200))
    draw(page, wide)
    (grid,) = find_grids(np.asarray(page), dpi=200)
    assert len(grid.cells) == 9


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_folds_are_only_ever_taken_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    thin = (rng.integers(0, 255, (60, 80)) * (rng.random((60, 80)) < 0.3)).astype(np.uint8)
    thin[rng.integers(0, 60)] = rng.integers(0, 255)
    for level in (True, False):
        cleaned = without_creases(thin, 2.0, level=level)
        assert cleaned.shape == thin.shape and (cleaned <= thin).all()
    sheet = ((0.0, 0.0), (80.0, 0.0), (80.0, 60.0), (0.0, 60.0))
    assert find_creases(np.zeros_like(thin), 2.0, sheet) == []


@pytest.mark.req("R-020")
def test_narrow_columns_of_figures_are_a_table() -> None:
    page = blank()
    columns = (28, 37, 130, 139, 148, 160, 167)
    draw(page, Drawn(rows=tuple(range(40, 184, 8)), columns=columns))
    (grid,) = find_grids(np.asarray(page), dpi=200)
    assert len(grid.cells) == 17 * 6


@pytest.mark.req("R-020")
def test_only_cells_with_ink_and_no_text_are_read_again() -> None:
    page = blank()
    pieces = draw(page, GRID)
    prepared = prepare(np.asarray(page), dpi=200)
    grids = find_grids(prepared.picture, dpi=200)
    known = [piece for piece in pieces if piece.raw.text not in ("7", "4")]
    until = time.monotonic() + 60
    engine = Says("7")
    found = lost_in_cells(known, grids, prepared, engine, deadline=until)  # type: ignore[arg-type]
    assert [piece.raw.text for piece in found] == ["7", "7"] and engine.asked == 4
    places = [[cell for cell in grids[0].cells if cell.around(*piece.raw.quad[0])] for piece in found]
    assert [(cell.row, cell.column) for (cell,) in places] == [(1, 2), (2, 3)]
    for other in (Says("7", "1"), Says("*"), Says("7", confidence=0.4), Says("fault"), Says()):
        assert lost_in_cells(known, grids, prepared, other, deadline=until) == []  # type: ignore[arg-type]
    assert lost_in_cells(pieces, grids, prepared, Says("7"), deadline=until) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(("other", "dashes"), [("甲", 2), ("二", 1)])
def test_a_stroke_alone_in_a_cell_is_a_dash_unless_its_column_counts(other: str, dashes: int) -> None:
    page = blank()
    texts = {(0, 0): ("—",), (1, 0): (other,), (0, 1): ("项目名称",), (2, 2): ("—",), (1, 2): ("7",)}
    drawn = draw(page, Drawn(rows=(60, 70, 80, 90), columns=(28, 60, 110, 130), texts=texts))
    prepared = prepare(np.asarray(page), dpi=200)
    grids = find_grids(prepared.picture, dpi=200)
    known = [piece for piece in drawn if piece.raw.text != "—"]
    engine, until = Says(), time.monotonic() + 60
    found = lost_in_cells(known, grids, prepared, engine, deadline=until)  # type: ignore[arg-type]
    assert [piece.raw.text for piece in found] == ["—"] * dashes and engine.asked == 0


@pytest.mark.req("R-023")
@pytest.mark.parametrize(
    ("read", "year", "day"),
    [("2022年月9", 2022, date(2022, 7, 9)), ("202046月19日", 2020, date(2020, 6, 19)),
     ("202111月2日", 2021, date(2021, 11, 2)), ("二〇〇人年八承十五日", 2008, date(2008, 8, 15)),
     ("22024年2月", None, date(2024, 2, 9))],
)  # fmt: skip
def test_worn_dates_offer_the_days_they_may_have_been(read: str, year: int | None, day: date) -> None:
    assert day in worn_date(read, year=year)


@settings(max_examples=15, deadline=None)
@given(st.dates(date(1990, 1, 1), date(2040, 12, 31)), st.integers(0, 11))
def test_a_date_that_lost_one_sign_is_among_the_days_offered(day: date, at: int) -> None:
    text = f"{day.year}年{day.month}月{day.day}日"
    worn = text[:at] + text[at + 1 :]
    if len(near_dates(worn, year=day.year)) < 16:
        assert day in near_dates(worn, year=day.year)
    offered = near_dates(worn, year=day.year)
    assert all(one.year == day.year for one in offered) and len(set(offered)) == len(offered)
    assert all(isinstance(one, date) for pair in pairwise(offered) for one in pair)


def test_words_offer_no_day() -> None:
    assert near_dates("镜花市应急管理局", year=2024) == ()
    assert near_dates("关于印发样张的通知日", year=2024) == ()
