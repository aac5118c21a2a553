"""Page preparation and the reading of documents, with a stand-in for the engine: no model is loaded."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from drawn_page import BLACK, RED, SEAL_MM, Pictures, official_page, scanned
from jiyao.common.limits import DEFAULT_LIMITS, Limits
from jiyao.formats.fault import FormatFault
from jiyao.formats.open import open_document
from jiyao.formats.opened import Picture
from jiyao.models.outcome import Done, Doubt, Failure
from jiyao.models.page import Box, Finding, Line
from jiyao.stages import ocr as stage
from jiyao.stages import page_prepare
from jiyao.stages.engines.choose import Choice
from jiyao.stages.engines.engine import EngineFault, EngineTimeout, RawLine
from jiyao.stages.engines.model_files import ORIENTATION, lack_of
from jiyao.stages.ocr import choose_dpi, ocr
from jiyao.stages.page_blank import is_blank
from jiyao.stages.page_deseal import deseal, find_seals
from jiyao.stages.page_deskew import find_skew
from jiyao.stages.page_flatten import flatten
from jiyao.stages.page_ink import find_ink
from jiyao.stages.page_prepare import Prepared, prepare

DPI = 200.0
SCALE = DPI / 25.4
A4 = (297 * 8, 210 * 8)


class Reader:
    """An engine that answers what it is told to, and remembers the pictures it was given."""

    name = "rapidocr"
    name_version = "stand-in 1"
    flat = False

    def __init__(self, answer: Callable[[Picture], tuple[RawLine, ...]]) -> None:
        self.answer = answer
        self.seen: list[Picture] = []

    def missing(self) -> None:
        return None

    def available(self) -> bool:
        return True

    def without(self) -> None:
        return None

    def read_strip(self, strip: Picture, *, seconds: float) -> RawLine | None:
        return None

    def read(self, picture: Picture, *, seconds: float) -> tuple[RawLine, ...]:
        assert 0 < seconds <= DEFAULT_LIMITS.seconds_per_page
        self.seen.append(picture)
        return self.answer(picture)


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Reader]:
    def install(answer: Callable[[Picture], tuple[RawLine, ...]]) -> Reader:
        engine = Reader(answer)
        monkeypatch.setattr(stage, "choose", lambda asked: Choice(engine=engine, why="ocr_chosen_asked"))
        return engine

    return install


def raw(text: str, left: float, top: float, right: float, bottom: float, confidence: float = 0.95) -> RawLine:
    return RawLine(text, ((left, top), (right, top), (right, bottom), (left, bottom)), confidence)


def white(height: int = 2339, width: int = 1654) -> Picture:
    return np.full((height, width, 3), 255, np.uint8)


def read(opened, **changes):
    return ocr(opened, **{"engine": "auto", "first": 1, "last": 99, "limits": DEFAULT_LIMITS} | changes)


# Seals


def seals(picture: Picture) -> list[Box]:
    return list(find_seals(picture, dpi=DPI))


def test_the_seal_is_found_where_it_is_and_the_letterhead_is_not_one() -> None:
    (seal,) = seals(scanned(official_page(), skew=1.5, jpeg=60))
    assert seal.centre[0] * 210 == pytest.approx(SEAL_MM[0], abs=3.5)
    assert seal.centre[1] * 297 == pytest.approx(SEAL_MM[1], abs=3.5)
    assert (seal.right - seal.left) * 210 == pytest.approx(2 * SEAL_MM[2], abs=2)
    assert seals(scanned(official_page(seal=False))) == []


def test_only_the_red_inside_the_seal_goes() -> None:
    before = scanned(official_page(), jpeg=80)
    after = deseal(before, dpi=DPI)
    (seal,) = after.seals
    height, width = before.shape[:2]
    part = after.picture[
        int(seal.top * height) : int(seal.bottom * height), int(seal.left * width) : int(seal.right * width)
    ].astype(int)
    assert (part[:, :, 0] - part[:, :, 2]).max() <= 60
    assert part.min() < 70, "the writing under the seal is still dark"
    bare = scanned(official_page(seal=False)).astype(int)
    plain = int((seal.top - 0.01) * height)
    assert np.abs(after.picture[:plain].astype(int) - before[:plain].astype(int)).max() == 0
    rows = slice(int(204 * SCALE), int(220 * SCALE))
    columns = slice(int(135 * SCALE), int(165 * SCALE))
    assert np.abs(after.picture[rows, columns].astype(int) - bare[rows, columns]).mean() < 22


@pytest.mark.parametrize(
    ("shape", "size_mm"),
    [("rectangle", 40.0), ("ellipse", 18.0), ("ellipse", 80.0), ("line", 50.0)],
)
def test_other_red_things_are_no_seals(shape: str, size_mm: float) -> None:
    page = Image.new("RGB", (1654, 2339), "white")
    draw = ImageDraw.Draw(page)
    size = size_mm * SCALE
    if shape == "line":
        draw.line([300, 900, 300 + size, 900], fill=RED, width=8)
    else:
        getattr(draw, shape)([400, 900, 400 + size, 900 + size], outline=RED, width=10)
    assert seals(np.asarray(page)) == []


def test_a_black_seal_is_left_alone() -> None:
    picture = scanned(official_page(), one_bit=True)
    done = deseal(picture, dpi=DPI)
    assert done.seals == ()
    assert done.picture is picture


# Skew


@pytest.mark.parametrize("degrees", [-9.0, -2.4, -0.5, 0.0, 1.0, 3.0, 7.5])
@pytest.mark.parametrize("one_bit", [False, True])
def test_the_skew_is_found(degrees: float, one_bit: bool) -> None:
    picture = scanned(official_page(100.0), skew=degrees, noise=6, one_bit=one_bit)
    assert find_skew(find_ink(picture, dpi=100)) == pytest.approx(degrees, abs=0.15)


def test_black_borders_do_not_pull_the_page_round() -> None:
    picture = np.pad(scanned(official_page(100.0), skew=2.0), ((30, 60), (50, 0), (0, 0)))
    assert find_skew(find_ink(picture, dpi=100)) == pytest.approx(2.0, abs=0.15)


def test_a_page_without_rows_is_not_turned() -> None:
    rng = np.random.default_rng(3)
    noise = (rng.random((900, 700, 1)) < 0.02).repeat(3, axis=2)
    assert find_skew(find_ink(np.where(noise, 0, 255).astype(np.uint8), dpi=100)) == 0.0


# Blank pages


@pytest.mark.parametrize("shade", [255, 225, 140])
def test_blank_pages(shade: int) -> None:
    rng = np.random.default_rng(5)
    page = np.clip(shade + rng.normal(0, 6, (1170, 827, 1)), 0, 255).astype(np.uint8).repeat(3, axis=2)
    page[::90, ::70] = 30
    page[:, :25] = 0
    page[20:1150, 40:42] = 60  # the edge of the sheet
    for down in (430, 740):
        cv2.circle(page, (70, down), 12, (25, 25, 25), -1)  # punched
    assert is_blank(find_ink(page, dpi=100))


def test_a_page_number_alone_is_not_blank() -> None:
    page = Image.new("RGB", (1654, 2339), "white")
    ImageDraw.Draw(page).rectangle([1300, 2180, 1310, 2204], fill=BLACK)
    assert not is_blank(find_ink(np.asarray(page), dpi=DPI))


# Flattening


def test_a_shadow_goes_and_the_strokes_stay_grey() -> None:
    page = scanned(official_page(100.0, seal=False)).astype(float)
    shadow = np.linspace(1.0, 0.4, page.shape[1])[None, :, None]
    flat = flatten((page * shadow).astype(np.uint8))
    assert np.percentile(flat, 20) > 225
    assert flat.min() < 90
    assert len(np.unique(flat)) > 50


# The way back


@cache
def turned_and_straightened(turns: int) -> Prepared:
    return prepare(scanned(official_page(50.0, seal=False), skew=2.0), dpi=50, turns=turns)


@given(st.integers(0, 3), st.floats(0.1, 0.9), st.floats(0.1, 0.9))
def test_boxes_come_back_to_the_page_as_it_came(turns: int, x: float, y: float) -> None:
    prepared = turned_and_straightened(turns)
    width, height = prepared.size
    forth = np.linalg.inv(prepared.back)
    at = forth @ np.array([x * width, y * height, 1.0])
    corner = (at[0] - 1, at[1] - 1), (at[0] + 1, at[1] - 1), (at[0] + 1, at[1] + 1), (at[0] - 1, at[1] + 1)
    box = prepared.box([corner])
    assert box.centre == pytest.approx((x, y), abs=0.005)


def test_the_turned_picture_is_the_one_its_matrix_describes() -> None:
    page = white(60, 100)
    page[10:14, 80:84] = 0
    for turns in range(4):
        prepared = prepare(page, dpi=300, turns=turns)
        down, across = np.nonzero(prepared.picture[:, :, 0] < 128)
        place = prepared.back @ np.array([across.mean() + 0.5, down.mean() + 0.5, 1.0])
        assert place[:2] == pytest.approx((82, 12), abs=0.6)


# Documents


def test_the_sound_text_layer_is_used_and_no_engine_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(asked: str) -> Choice:
        raise AssertionError

    monkeypatch.setattr(stage, "choose", never)
    lines = (Line(text="关于开展检查的通知", box=Box(0.1, 0.1, 0.9, 0.2)),)
    outcome = read(Pictures((white(), white()), text={1: lines}), engine="rapidocr")
    assert isinstance(outcome, Done)
    first, second = outcome.value.pages
    assert (first.source, first.engine, first.lines, first.confidence) == (
        "text_layer",
        "text-layer",
        lines,
        1.0,
    )
    assert (second.source, second.engine, second.lines) == ("none", "", ())
    assert outcome.value.findings == (Finding(code="blank_page", page=2),)


def test_a_blank_document_is_a_question() -> None:
    outcome = read(Pictures((white(),)))
    assert isinstance(outcome, Doubt)
    assert outcome.questions == ("blank_page",)


@pytest.mark.req("R-023")
def test_lines_under_the_seal_are_named(reader: Callable[..., Reader]) -> None:
    engine = reader(
        lambda picture: (
            raw("省人民政府：", 230, 1180, 560, 1230),
            raw("青山省测试事务厅", 1000, 1600, 1360, 1655),
            raw("-1-", 1300, 2180, 1394, 2220),
        )
    )
    outcome = read(Pictures((scanned(official_page()),)))
    assert isinstance(outcome, Done)
    (page,) = outcome.value.pages
    assert page.steps == ("deseal 1",)
    assert page.engine == engine.name_version
    assert [line.text for line in page.lines] == ["省人民政府：", "青山省测试事务厅", "— 1 —"]
    assert page.lines[0].box.left == pytest.approx(230 / 1654, abs=1e-6)
    assert [(finding.code, finding.detail) for finding in outcome.value.findings] == [
        ("covered_by_seal", "青山省测试事务厅")
    ]


@pytest.mark.parametrize("model", [True, False])
def test_a_page_on_its_head_is_turned(
    reader: Callable[..., Reader], model: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the orientation model; without it by reading it, and trying the other ways when that goes badly."""
    if not model:
        monkeypatch.setattr(page_prepare, "find_turn", lambda *_: None)
    elif lack_of(ORIENTATION):
        pytest.skip(f"no orientation model: {lack_of(ORIENTATION)}")
    upright = scanned(official_page(seal=False))

    def answer(picture: Picture) -> tuple[RawLine, ...]:
        good = (
            picture[: picture.shape[0] // 3].min(axis=2).mean()
            < picture[-picture.shape[0] // 3 :].min(axis=2).mean()
        )
        return (raw("一行读得清楚的文字", 100, 100, 600, 140, 0.98 if good else 0.4),)

    engine = reader(answer)
    outcome = read(Pictures((np.ascontiguousarray(np.rot90(upright, 2)),)))
    assert isinstance(outcome, Done)
    (page,) = outcome.value.pages
    assert page.steps == ("turn 180",)
    assert page.lines[0].box.right == pytest.approx(1 - 100 / 1654, abs=0.002)
    assert len(engine.seen) == (1 if model else 2)


def test_low_confidence_is_a_question(reader: Callable[..., Reader]) -> None:
    reader(lambda picture: (raw("看不太清楚的文字", 230, 1180, 560, 1230, 0.5),))
    outcome = read(Pictures((scanned(official_page(seal=False)),)))
    assert isinstance(outcome, Doubt)
    assert outcome.questions == ("low_confidence_page",)
    assert outcome.value.pages[0].lines


def test_ink_without_text_is_a_question(reader: Callable[..., Reader]) -> None:
    reader(lambda picture: ())
    outcome = read(Pictures((scanned(official_page(seal=False)),)))
    assert isinstance(outcome, Doubt)
    assert outcome.questions == ("no_text_found",)
    assert outcome.value.pages[0].source == "none"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (EngineTimeout(), "ocr_page_timeout"),
        (EngineFault("ocr_page_failed"), "ocr_page_failed"),
    ],
)
def test_an_unread_page_is_named_and_the_others_are_read(
    reader: Callable[..., Reader], fault: EngineFault, code: str
) -> None:
    pages = (scanned(official_page(100.0)), scanned(official_page(100.0, seal=False)))

    def answer(picture: Picture) -> tuple[RawLine, ...]:
        if len(engine.seen) == 1:
            raise fault
        return (raw("第二页的一行文字", 100, 100, 300, 120),)

    engine = reader(answer)
    outcome = read(Pictures(pages, dpi=100))
    assert isinstance(outcome, Doubt)
    assert outcome.questions == (code,)
    assert [page.source for page in outcome.value.pages] == ["none", "ocr"]
    assert outcome.value.findings[0] == Finding(code=code, page=1)
    engine.seen.clear()
    assert read(Pictures(pages[:1], dpi=100)) == Failure(code="ocr_nothing_read", detail=code)


def test_a_page_that_cannot_be_drawn_is_named() -> None:
    class Torn(Pictures):
        def render(self, number: int, dpi: int) -> Picture:
            raise FormatFault("damaged_file", "page 1")

    lines = (Line(text="通知", box=Box(0.1, 0.1, 0.9, 0.2)),)
    outcome = read(Torn((white(), white()), text={2: lines}))
    assert isinstance(outcome, Doubt)
    assert outcome.questions == ("page_not_drawn",)
    assert outcome.value.findings == (Finding(code="page_not_drawn", page=1, detail="damaged_file"),)


def test_only_the_pages_asked_for_are_read_with_what_the_format_noticed_on_them() -> None:
    noticed = tuple(Finding(code="hidden_text", page=number) for number in (1, 2, None))
    outcome = read(Pictures((white(),) * 3, findings=noticed), first=2, last=2)
    assert [page.number for page in outcome.value.pages] == [2]
    assert [(finding.code, finding.page) for finding in outcome.value.findings] == [
        ("hidden_text", 2),
        ("blank_page", 2),
    ]


def test_a_fax_with_flat_pixels_is_read_at_its_true_shape(reader: Callable[..., Reader]) -> None:
    engine = reader(lambda picture: (raw("传真的一行文字", 100, 100, 600, 140),))
    flat = scanned(official_page(seal=False))[::2]
    read(Pictures((np.ascontiguousarray(flat),), shape_mm=(210.0, 297.0)))
    assert engine.seen[0].shape[:2] == pytest.approx((2339, 1654), abs=4)


def test_large_pages_are_drawn_coarser() -> None:
    assert choose_dpi(210, 297, limits=DEFAULT_LIMITS) == 300
    assert choose_dpi(297, 420, limits=DEFAULT_LIMITS) == 300
    poster = choose_dpi(841, 1189, limits=DEFAULT_LIMITS)
    assert 841 * 1189 / 25.4**2 * poster**2 <= stage.MOST_PIXELS
    assert choose_dpi(210, 297, limits=Limits(page_pixels=1_000_000)) == pytest.approx(103, abs=2)
    assert choose_dpi(10, 5000, limits=DEFAULT_LIMITS) >= 30


# With the real formats


def packed(kind: str, **options: object) -> bytes:
    page = Image.fromarray(scanned(official_page(100.0, seal=False)))
    if kind == "turned":
        exif = Image.Exif()
        exif[0x0112] = 6
        page, kind, options = page.rotate(90, expand=True), "JPEG", {"exif": exif, "dpi": (100, 100)}
    data = io.BytesIO()
    page.save(data, kind, **options)
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "height"),
    [
        (lambda: packed("turned"), 1169),
        (lambda: packed("PDF", resolution=100), 1169),
        (lambda: packed("TIFF", dpi=(100, 100)), 1169),
    ],
    ids=["JPEG turned by EXIF", "scanned PDF", "TIFF"],
)
def test_real_files_arrive_upright_and_at_their_best_resolution(
    reader: Callable[..., Reader], data: Callable[[], bytes], height: int
) -> None:
    engine = reader(lambda picture: (raw("读得清楚的一行文字", 100, 100, 400, 130),))
    opened = open_document(data(), limits=DEFAULT_LIMITS)
    outcome = read(opened)
    opened.close()
    assert isinstance(outcome, Done)
    assert outcome.value.pages[0].width_mm == pytest.approx(210, abs=1)
    assert len(engine.seen) == 1
    picture = engine.seen[0]
    assert picture.shape[0] == pytest.approx(height, abs=4)
    letterhead = picture[int(0.23 * height) : int(0.27 * height)].astype(int)
    assert ((letterhead[:, :, 0] - letterhead[:, :, 2]) > 80).any(), "the red letterhead is at the top"
