"""Tesseract's lines: readings that vote, stars and page numbers told by their shape, figures by the Latin model."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from time import monotonic

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from drawn_page import font
from jiyao.stages.engines import tesseract
from jiyao.stages.engines.agreement import NOTHING, Reading, agree
from jiyao.stages.engines.page_strips import Box, Grey, Lines, find_lines
from jiyao.stages.engines.strip_marks import between_dashes, cut_at_signs
from jiyao.stages.engines.tesseract import TesseractEngine
from jiyao.stages.engines.tesseract_program import Word, reads_latin

DPI = 200.0


def reading(text: str, score: float = 0.7) -> Reading:
    return Reading(text, (score,) * len(text))


readings = st.builds(
    lambda pairs: Reading("".join(letter for letter, _ in pairs), tuple(score for _, score in pairs)),
    st.lists(st.tuples(st.sampled_from("机密国务院办公厅20年，"), st.floats(0, 1)), max_size=12),
)


class TestAgreement:
    """Readings of one strip vote."""

    @given(st.lists(readings, max_size=4))
    def test_every_character_comes_from_a_reading_and_has_a_score(self, several: list[Reading]) -> None:
        one = agree(several)
        assert len(one.text) == len(one.scores)
        assert all(0 <= score <= 1 for score in one.scores)
        assert set(one.text) <= {letter for other in several for letter in other.text}
        assert bool(one.text) or not any(other.text for other in several) or len(several) > 1

    @given(readings, st.integers(2, 4))
    def test_readings_that_agree_make_it_surer(self, one: Reading, count: int) -> None:
        together = agree([one] * count)
        assert together.text == one.text
        assert all(more >= less - 1e-9 for more, less in zip(together.scores, one.scores, strict=True))

    @pytest.mark.parametrize(
        ("several", "text"),
        [
            (("质检员", "质栓员", "质检员"), "质检员"),
            (("六月中旬", "六月中名", "六月中旬"), "六月中旬"),
            (("加和急", "加急", "加急"), "加急"),
            (("加急", "加急，", "加急"), "加急"),
            (("一总体情况", "一、总体情况", "一、总体情况"), "一、总体情况"),
        ],
    )
    def test_two_outvote_a_third(self, several: tuple[str, ...], text: str) -> None:
        for order in (several, several[::-1]):
            assert agree([reading(one) for one in order]).text == text
        assert agree([reading(one, 0.5 if one == text else 0.8) for one in several]).text == text

    def test_who_found_no_line_says_nothing_against_it(self) -> None:
        assert agree([NOTHING, reading("特此通知。", 0.9), reading("特此通知。", 0.9)]).sure > 0.95
        alone = agree([NOTHING, reading("特此通知。", 0.9)])
        assert alone.text == "特此通知。"
        assert alone.sure < 0.8
        assert agree([]) == agree([NOTHING, NOTHING]) == NOTHING

    def test_readings_that_share_nothing_are_not_believed(self) -> None:
        assert agree([reading("琴省到", 0.6), reading("玖开", 0.5)]).sure < 0.5


def drawn(text: str, *, face: str = "Serif", weight: str = "Regular", mm: float = 5.64) -> tuple[Grey, Box]:
    """A line as an office scan shows it, and where it stands."""
    page = Image.new("L", (900, 200), 255)
    ImageDraw.Draw(page).text((100, 80), text, font=font(mm, DPI, face=face, weight=weight), fill=20)
    noise = np.random.default_rng(7).normal(0, 8, (200, 900))
    grey = np.clip(np.asarray(page, dtype=np.float64) + noise, 0, 255).astype(np.uint8)
    down, across = np.nonzero(np.asarray(page) < 128)
    return grey, (int(across.min()), int(down.min()), int(across.max()) + 1, int(down.max()) + 1)


faces = pytest.mark.parametrize(
    ("face", "weight"), [("Serif", "Regular"), ("Sans", "Regular"), ("Sans", "Bold")]
)


@faces
@pytest.mark.parametrize("sign", ["★", "▲"])
@pytest.mark.req("R-023")
def test_a_mark_is_cut_at_its_sign(sign: str, face: str, weight: str) -> None:
    grey, box = drawn(f"机密{sign}20年", face=face, weight=weight)
    pieces, signs = cut_at_signs(grey, [box])
    ((place, told),) = signs.items()
    assert told == sign
    assert [piece[0] < place[0] for piece in pieces] == [True, False]
    assert 0.3 < (place[0] - box[0]) / (box[2] - box[0]) < 0.5


@faces
@pytest.mark.parametrize("text", ["机密大20年文木女", "太平天国（水火）米来", "秘密△10年◆●☆", "第2026—12号"])
def test_nothing_else_is_a_sign(text: str, face: str, weight: str) -> None:
    grey, box = drawn(text, face=face, weight=weight)
    assert cut_at_signs(grey, [box]) == ((box,), {})


@pytest.mark.parametrize("text", ["— 1 —", "— 12 —", "—108—"])
def test_a_page_number_stands_between_its_dashes(text: str) -> None:
    grey, box = drawn(text)
    digits = between_dashes(grey, box)
    assert digits is not None
    assert box[0] + 20 < digits[0] < digits[2] < box[2] - 20
    assert digits[3] - digits[1] > 20


@pytest.mark.parametrize("text", ["一二一", "2024年", "一、总则", "—", "12—", "1—2—3", "——"])
def test_other_pieces_are_no_page_numbers(text: str) -> None:
    grey, box = drawn(text)
    assert between_dashes(grey, box) is None


LINES = (
    "机密★20年",
    "青测发〔2024〕17号",
    "特此通知。",
    "1602.55",
    "XZ-2025-082",
    "二〇〇四年一月五日",
    "一、总体情况",
)


@pytest.mark.req("R-023")
def test_short_lines_figures_and_the_page_number_are_read() -> None:
    engine = TesseractEngine()
    lack = engine.missing() or (None if reads_latin() else "no model for Latin letters")
    if lack:
        pytest.skip(f"tesseract is not ready: {lack}")
    page = Image.new("RGB", (1654, 1100), "white")
    draw = ImageDraw.Draw(page)
    for at, text in enumerate(LINES):
        draw.text((220, 180 + 90 * at), text, font=font(5.64, DPI), fill=(20, 20, 20))
    draw.text((800, 1040), "— 3 —", font=font(4.94, DPI), fill=(20, 20, 20))
    read = engine.read(np.asarray(page), seconds=30)
    rows: dict[int, list[tuple[float, str]]] = {}
    for piece in read:
        middle = (piece.quad[0][1] + piece.quad[2][1]) / 2
        rows.setdefault(round((middle - 195) / 90), []).append((piece.quad[0][0], piece.text))
        assert len(piece.characters) == len(piece.text)
    plain = [
        "".join(text for _, text in sorted(rows.get(at, []))).replace(" ", "") for at in range(len(LINES))
    ]
    right = [unicodedata.normalize("NFKC", text) for text in LINES]
    assert [unicodedata.normalize("NFKC", text) for text in plain] == right
    assert [piece.text for piece in read if piece.text.startswith("—")] == ["—3—"]


def test_an_empty_page_has_no_lines() -> None:
    assert find_lines(np.full((400, 300), 255, np.uint8)) is None


@pytest.mark.parametrize(("grey", "expected"), [(180, True), (230, False)], ids=["worn", "faint"])
def test_worn_strokes_are_drawn_darker_where_that_reads_more_surely(
    monkeypatch: pytest.MonkeyPatch, grey: int, expected: bool
) -> None:
    seen: list[int] = []

    def run_each(
        pictures: Sequence[Grey], *, psm: int, seconds: float, language: str = ""
    ) -> list[tuple[Word, ...]]:
        assert psm and seconds > 0
        seen.extend(int(one.min()) for one in pictures)
        return [
            (Word(1, (1, 1, 1), 0, 0, 9, 9, 0.9 if 60 < one.min() < 120 else 0.5, "核定储备规模"),)
            for one in pictures
        ]

    monkeypatch.setattr(tesseract.program, "run_each", run_each)
    monkeypatch.setattr(tesseract.program, "reads_latin", lambda: False)
    paper = np.full((400, 600), 250, np.uint8)
    boxes = tuple((40, top, 400, top + 30) for top in range(40, 340, 60))
    for left, top, right, bottom in boxes:
        paper[top:bottom:3, left:right] = grey
    lines = Lines(paper=paper, boxes=boxes, size=30.0)
    read = tesseract._read(lines, boxes, deadline=monotonic() + 60)
    assert {one.text for one in read} == {"核定储备规模"}
    darkened = 255 * (grey / 255) ** 3
    assert (abs(seen[-1] - darkened) < abs(seen[-1] - grey)) is expected


class TestPieces:
    """What hangs on to a line is cut off; what stands as print does is no guess."""

    def test_a_line_keeps_its_size_where_a_ring_hangs_on_to_it(self) -> None:
        page = np.vstack(
            [drawn(text)[0] for text in ("云梦能源集团第二发电公司", "特此报告，请审阅批示为盼")]
        )
        clean = find_lines(page)
        assert clean is not None
        first = clean.boxes[0]
        middle, top = (first[0] + first[2]) // 2, first[1]
        for across in (-60, 0, 60):
            end = (middle + across, top - 34 + abs(across) // 6)
            cv2.line(page, (middle + across, top + 8), end, (0.0,), 2)
        hung = find_lines(page)
        assert hung is not None
        assert min(abs(box[1] - top) for box in hung.boxes) <= 3
        assert max(box[3] - box[1] for box in hung.boxes) <= 1.3 * (first[3] - first[1])

    def test_a_heading_read_unsurely_is_print_and_a_scribble_is_not(self) -> None:
        of = tesseract._piece((0, 0, 160, 40), reading("一、总则", 0.55), size=40.0)
        assert of.confidence >= 0.8
        assert max(of.characters) < 0.6
        for box, text in (
            ((0, 0, 400, 40), "一、总则"),
            ((0, 0, 160, 80), "一、总则"),
            ((0, 0, 90, 40), "wm|1"),
        ):
            assert tesseract._piece(box, reading(text, 0.55), size=40.0).confidence < 0.6
        assert tesseract._piece((0, 0, 160, 40), reading("一、总则", 0.4), size=40.0).confidence < 0.5
        assert tesseract._piece((0, 0, 160, 40), reading("一、总则", 0.55)).confidence < 0.6

    @pytest.mark.parametrize("read", ["政函【2023】77号", "政函[2023]】77号", "政函【[2023〕 77号"])
    def test_brackets_around_a_year_vote_for_the_same(self, read: str) -> None:
        one = tesseract._with_brackets(reading(read))
        assert one.text.replace(" ", "") == "政函〔2023〕77号"
        assert len(one.scores) == len(one.text)
        assert tesseract._with_brackets(reading("统计(2023)")).text == "统计(2023)"


def test_a_noisy_page_is_smoothed_and_a_clean_one_is_not() -> None:
    clean, _ = drawn("关于召开会议的通知")
    rng = np.random.default_rng(5)
    pale = np.clip(110 + clean.astype(np.float64) * 0.55 + rng.normal(0, 6, clean.shape), 0, 255).astype(
        np.uint8
    )
    dark, light = find_lines(pale), find_lines(cv2.GaussianBlur(clean, (0, 0), 1.0))
    assert dark is not None
    assert light is not None
    assert light.stark is None
    assert dark.stark is not None
    assert dark.soft is not None
    assert dark.soft[:60].std() < dark.paper[:60].std() / 2
    assert dark.stark[:60].mean() > 250
    assert dark.stark.min() < 20


def test_ink_too_small_to_be_type_is_not_read() -> None:
    specks = np.full((900, 600), 255, np.uint8)
    for row in range(100, 800, 40):
        for across in range(100, 500, 8):
            specks[row : row + 6, across : across + 4] = 0
    lines = find_lines(specks)
    assert lines is not None
    assert lines.boxes == ()
    assert TesseractEngine().read(cv2.cvtColor(specks, cv2.COLOR_GRAY2RGB), seconds=5) == ()
