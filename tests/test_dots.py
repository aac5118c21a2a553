"""The dots: set where paper is clear, found again where a tint is gone, and never read from what is not ours."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pytest

from copy_kit import KEY, SERIAL, TAG, Page, bare, letter, spec
from jiyao.common.errors import Refused
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.open import open_document
from jiyao.models.level import Level
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.samples.leaks import FAMILIES, mixed, photocopy
from jiyao.stages.read_marks import read_marks
from jiyao.stages.stamp import draw
from jiyao.stages.stamp_jpeg import jpeg_of
from jiyao.stages.stamp_tint import Tinter, checked
from jiyao.watermark import dots, dots_confirm, dots_read, tint_read
from jiyao.watermark.layout import lay_out
from jiyao.watermark.payload import forensic_id
from jiyao.watermark.tint import TintKey
from jiyao.watermark.trace import judge

TINT = TintKey(bytes(range(32)))
ID = forensic_id(KEY, SERIAL)
A4 = {"width_mm": 210.0, "height_mm": 297.0}
VECTORS = Path(__file__).parent / "vectors" / "dots.json"


def dotted(page: Page, id: int = ID) -> Page:
    return dots.set_dots(page, dots.dots(TINT, id, page, **A4), **A4)


@cache
def marked() -> Page:
    return dotted(bare())


@pytest.mark.req("R-060", "R-061")
@pytest.mark.parametrize(("scan", "share"), [(200, 0.25), (300, 0.12)])
def test_the_number_survives_a_black_and_white_photocopy(scan: int, share: float) -> None:
    leaked = photocopy(marked(), random.Random(f"{scan}:{share}"), dpi=scan, share=share)
    assert set(np.unique(leaked)) <= {0, 255}
    reading = dots_read.read(leaked, TINT)
    assert reading is not None and reading.id == ID and reading.z >= dots_read.ACCEPTED_Z


@pytest.mark.req("R-060", "R-061")
@pytest.mark.parametrize("way", ["upside down", "on its side", "mirrored"])
def test_whichever_way_it_lies(way: str) -> None:
    part = marked()[:700, :700]
    turned = {"upside down": part[::-1, ::-1], "on its side": np.rot90(part), "mirrored": part[:, ::-1]}[way]
    reading = dots_read.read(np.ascontiguousarray(turned), TINT)
    assert reading is not None and reading.id == ID


@pytest.mark.req("R-061")
@pytest.mark.parametrize("family", ["photo", "crop-10", "clipped"])
def test_the_number_survives_what_a_tint_survives_and_what_it_does_not(family: str) -> None:
    reading = dots_read.read(FAMILIES[family][0](marked(), random.Random(7)), TINT)
    assert reading is not None and reading.id == ID


@pytest.mark.req("R-061")
@pytest.mark.parametrize("what", ["unmarked", "blank", "another station", "noise", "tiny", "dots by chance"])
def test_no_answer_where_there_is_none(what: str) -> None:
    rng = np.random.default_rng(5)
    picture = {
        "unmarked": lambda: bare()[:1200, :900],
        "blank": lambda: np.full((1200, 900, 3), 255, np.uint8),
        "another station": lambda: marked()[:700, :700],
        "noise": lambda: rng.integers(0, 255, (900, 700, 3), np.uint8),
        "tiny": lambda: np.full((5, 3, 3), 200, np.uint8),
        "dots by chance": lambda: dots.set_dots(
            np.full((1169, 827, 3), 255, np.uint8), rng.uniform(0, 200, (3000, 2)), **A4
        ),
    }[what]()
    key = TintKey(b"another station's key of 32 byte") if what == "another station" else TINT
    assert dots_read.read(picture, key) is None


@pytest.mark.req("R-061")
def test_mixed_copies_name_only_those_mixed() -> None:
    other = forensic_id(KEY, SERIAL + 1)
    top = [page[:800, :900] for page in (marked(), dotted(bare(), other))]
    ids = [forensic_id(KEY, serial) for serial in range(1000, 1100)] + [ID, other]
    found = dots_read.suspects(dots_read.look(mixed(top, "bands"), TINT)[1], TINT, ids)
    assert {reading.id for reading in found} == {ID, other}


@pytest.mark.req("R-055", "R-060")
@pytest.mark.parametrize("flatten", [True, False], ids=["pictures", "text kept"])
def test_copies_with_the_profile_carry_both_layers(flatten: bool) -> None:
    source = letter()
    given = {"flatten": flatten, "forensic_id": ID, "tint_key": TINT.key.hex()}
    opened = open_document(source, limits=DEFAULT_LIMITS)
    try:
        tinted = draw(opened, spec(**given), source=source)
        copy = draw(opened, spec(**given, profile="dots"), source=source)
    finally:
        opened.close()
    assert len(copy) < (1.6 * len(tinted) if flatten else len(tinted) + 40_000)
    document = pypdfium2.PdfDocument(copy)
    words = document[0].get_textpage().get_text_bounded()
    assert ("样张材料" in words) is not flatten
    page = np.array(document[0].render(scale=200 / 72, rev_byteorder=True).to_numpy()[:, :, :3], np.uint8)
    assert tint_read.confirm(page, TINT, ID, **A4)
    assert dots_confirm.confirm(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), TINT, ID, **A4)
    scan = photocopy(page, random.Random(3), share=0.2)
    suspect = open_document(cv2.imencode(".png", scan)[1].tobytes(), limits=DEFAULT_LIMITS)
    try:
        marks = read_marks(suspect, tint=TINT)
    finally:
        suspect.close()
    verdict = judge([mark for mark in marks if mark.channel == "forensic"], key=KEY, tag=TAG)
    assert (verdict.verdict, verdict.serial) == ("copy", SERIAL)
    assert {mark.layer for mark in marks if mark.channel == "forensic"} == {"dots"}
    assert verdict.false_rate is not None and verdict.false_rate < 1e-15


@pytest.mark.req("R-055")
def test_dots_that_cannot_be_read_back_are_not_issued() -> None:
    made = spec(forensic_id=ID, tint_key=TINT.key.hex(), profile="dots")
    tinter, sheet = Tinter.of(made), lay_out(210, 297, np.zeros((9, 6), np.bool_))
    assert tinter is not None and tinter.dotter is not None

    def cleaned(picture: Page) -> bytes:
        return jpeg_of(np.asarray(cv2.medianBlur(picture, 5), np.uint8), colour=True)

    with pytest.raises(Refused) as caught:
        checked(tinter, np.full_like(bare(), 255), sheet, number=4, pack=cleaned)
    assert caught.value.code == "dots_not_read_back" and caught.value.facts["page"] == 4


@pytest.mark.req("R-055")
def test_no_dot_stands_in_a_line_of_text_or_near_it() -> None:
    page = bare()
    ink = page.min(axis=2) < 128
    points = dots.dots(TINT, ID, page, **A4)
    assert len(points) > 4000
    for x, y in points:
        row, column = round(y / 297 * len(ink)), round(x / 210 * ink.shape[1])
        assert not ink[max(0, row - 4) : row + 5, max(0, column - 9) : column + 10].any(), (x, y)
    dark = np.full_like(page, 90)
    assert len(dots.dots(TINT, ID, dark, **A4)) == 0


@pytest.mark.req("R-055")
def test_the_policy_says_how_strongly_copies_are_marked() -> None:
    shipped = parse_policy(default_policy_text())
    assert shipped.mark_profile(Level.INTERNAL) == "normal" == shipped.mark_profile(None)
    assert shipped.mark_profile(Level.parse("绝密")) == "strong"
    text = default_policy_text().replace("{min_rank: 90, profile: strong}", "{min_rank: 50, profile: dots}")
    assert parse_policy(text).mark_profile(Level.parse("公司机密")) == "dots"


def test_vectors() -> None:
    """The specification's own: whoever sets dots from it sets these."""
    vectors = json.loads(VECTORS.read_text())
    fixed = dots.DotKey(TintKey(bytes.fromhex(vectors["key"])))
    id = int(vectors["id"], 16)
    assert fixed.ranks.ravel()[:16].tolist() == vectors["ranks"]
    assert fixed.sync.ravel()[:64].tolist() == vectors["known"]
    page = fixed.page(id, 119, 84)
    assert page[0, :8].tolist() == vectors["corner"] and page[118, 76:].tolist() == vectors["far"]
    blank = np.full((1169, 827, 3), 255, np.uint8)
    points = dots.dots(fixed.key, id, blank, **A4)
    assert len(points) == 118 * 84 and np.round(points[:4], 4).tolist() == vectors["points"]
