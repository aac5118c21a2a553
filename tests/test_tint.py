"""The tint: spread over copies, read back from what became of them, and never from what is not ours."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copy_kit import KEY, SERIAL, TAG, Page, bare, letter, spec
from jiyao.common.errors import Refused
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.open import open_document
from jiyao.models.copy import ReadMark
from jiyao.samples.leaks import FAMILIES, mixed
from jiyao.stages.read_marks import read_marks
from jiyao.stages.stamp import draw, draw_pages
from jiyao.stages.stamp_jpeg import jpeg_of
from jiyao.stages.stamp_tint import Tinter, checked
from jiyao.watermark import code, tint_read
from jiyao.watermark.layout import lay_out
from jiyao.watermark.payload import forensic_id
from jiyao.watermark.tint import LATTICE, PagePattern, TintKey, embed
from jiyao.watermark.trace import judge

TINT = TintKey(bytes(range(32)))
ID = forensic_id(KEY, SERIAL)
VECTORS = Path(__file__).parent / "vectors" / "tint.json"


@cache
def marked() -> Page:
    tone = PagePattern(TINT, 210, 297).tone(ID)
    return embed(bare(), tone, width_mm=210, height_mm=297)


ATTACKS = [
    (family, number)
    for family, attacks in FAMILIES.items()
    if family != "clipped"
    for number in range(len(attacks))
]


@pytest.mark.req("R-060", "R-061")
@pytest.mark.parametrize(("family", "number"), ATTACKS)
def test_the_number_survives(family: str, number: int) -> None:
    leaked = FAMILIES[family][number](marked(), random.Random(f"{family}:{number}"))
    reading = tint_read.read(leaked, TINT)
    assert reading is not None and reading.id == ID and reading.z >= tint_read.ACCEPTED_Z


@pytest.mark.req("R-061")
def test_paper_clipped_to_white_says_nothing() -> None:
    for number, attack in enumerate(FAMILIES["clipped"]):
        assert tint_read.read(attack(marked(), random.Random(number)), TINT) is None


@pytest.mark.req("R-061")
@pytest.mark.parametrize(
    "what", ["unmarked", "blank", "another station", "noise", "tiny", "one colour, dark"]
)
def test_no_answer_where_there_is_none(what: str) -> None:
    pictures: dict[str, Callable[[], Page]] = {
        "unmarked": bare,
        "blank": lambda: np.full((1200, 900, 3), 255, np.uint8),
        "another station": marked,
        "noise": lambda: np.random.default_rng(3).integers(0, 255, (900, 700, 3), np.uint8),
        "tiny": lambda: np.full((5, 3, 3), 200, np.uint8),
        "one colour, dark": lambda: np.zeros((600, 600, 3), np.uint8),
    }
    key = TintKey(b"another station's key of 32 byte") if what == "another station" else TINT
    assert tint_read.read(pictures[what](), key) is None


@pytest.mark.req("R-061")
def test_a_copy_stands_out_among_many_and_mixed_copies_name_only_those_mixed() -> None:
    other = forensic_id(KEY, SERIAL + 1)
    second = embed(bare(), PagePattern(TINT, 210, 297).tone(other), width_mm=210, height_mm=297)
    mean = mixed([marked(), second], "average")
    ids = [forensic_id(KEY, serial) for serial in range(1000, 1200)] + [ID, other]
    found = tint_read.suspects(mean, TINT, ids)
    assert {id for id, _ in found} == {ID, other} and min(z for _, z in found) > 20
    marks = [
        ReadMark(page=1, channel="forensic", value=f"{id:012x}", score=z, coded=False) for id, z in found
    ]
    verdict = judge(marks, key=KEY, tag=TAG)
    assert verdict.verdict == "candidates" and {item.serial for item in verdict.candidates} == {
        SERIAL,
        SERIAL + 1,
    }
    alone = judge(marks[:1], key=KEY, tag=TAG)
    assert alone.verdict == "candidates", "a fingerprint without its number is no answer"


@pytest.mark.req("R-055", "R-060")
@pytest.mark.parametrize("flatten", [True, False], ids=["pictures", "text kept"])
def test_copies_carry_it(flatten: bool) -> None:
    source = letter()
    opened = open_document(source, limits=DEFAULT_LIMITS)
    try:
        plain = draw(opened, spec(flatten=flatten), source=source)
        tinted = draw(opened, spec(flatten=flatten, forensic_id=ID, tint_key=TINT.key.hex()), source=source)
    finally:
        opened.close()
    assert len(tinted) < (1.6 * len(plain) if flatten else len(plain) + 100_000)
    document = pypdfium2.PdfDocument(tinted)
    picture = document[0].render(scale=110 / 72, rev_byteorder=True).to_numpy()[:, :, :3]
    reading = tint_read.read(np.array(picture, np.uint8), TINT)
    assert reading is not None and reading.id == ID
    words = document[0].get_textpage().get_text_bounded()
    assert ("样张材料" in words) is not flatten


@pytest.mark.req("R-055", "R-060")
def test_png_copies_carry_it_and_the_worker_reads_it() -> None:
    opened = open_document(letter(), limits=DEFAULT_LIMITS)
    try:
        (page,) = draw_pages(opened, spec(forensic_id=ID, tint_key=TINT.key.hex()))
    finally:
        opened.close()
    picture = cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_COLOR)
    middle = np.ascontiguousarray(picture[500:1400, 300:1300])
    crop = cv2.imencode(".jpg", middle, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()
    suspect = open_document(crop, limits=DEFAULT_LIMITS)
    try:
        marks = read_marks(suspect, tint=TINT)
    finally:
        suspect.close()
    verdict = judge(marks, key=KEY, tag=TAG)
    assert (verdict.verdict, verdict.id, verdict.serial) == ("copy", ID, SERIAL)
    assert verdict.false_rate is not None and verdict.false_rate < 1e-9
    forensic = next(item for item in verdict.channels if item.channel == "forensic")
    assert forensic.found and forensic.value == f"{ID:012x}" and forensic.score >= 9


@pytest.mark.req("R-061")
def test_channels_that_disagree_name_both() -> None:
    marks = [
        ReadMark(page=1, channel="forensic", value=f"{forensic_id(KEY, 8):012x}", score=30.0),
        ReadMark(page=1, channel="barcode", value=spec().barcode),
    ]
    verdict = judge(marks, key=KEY, tag=TAG)
    assert verdict.verdict == "candidates" and {item.serial for item in verdict.candidates} == {8, SERIAL}


@pytest.mark.req("R-055")
def test_what_cannot_be_read_back_is_not_issued() -> None:
    made = spec(forensic_id=ID, tint_key=TINT.key.hex())
    tinter, sheet = Tinter.of(made), lay_out(210, 297, np.zeros((9, 6), np.bool_))
    assert tinter is not None
    harmless = partial(jpeg_of, colour=True)
    data = checked(tinter, bare(), sheet, number=7, pack=harmless)
    assert tinter.reads(
        np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8), sheet
    )
    with pytest.raises(Refused) as caught:
        checked(
            tinter,
            bare(),
            sheet,
            number=7,
            pack=lambda picture: harmless(np.where(picture > 128, 255, 0).astype(np.uint8)),
        )
    assert caught.value.code == "tint_not_read_back" and caught.value.facts["page"] == 7


@pytest.mark.req("R-061")
def test_the_specification_asks_for_no_key_in_its_picture() -> None:
    made = spec(forensic_id=ID, tint_key=TINT.key.hex())
    assert TINT.key.hex() not in repr(made) and Tinter.of(spec()) is None


# ---------------------------------------------------------------- the code and its vectors


@given(id=st.integers(0, 2**48 - 1), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_code_words_survive_noise(id: int, seed: int) -> None:
    word = code.encode(id) + np.random.default_rng(seed).normal(0, 0.7, code.CODE_BITS)
    assert code.decode(word) == (id or None)


def test_noise_is_no_number() -> None:
    noise = np.random.default_rng(9).normal(0, 1, (40, code.CODE_BITS))
    assert all(code.decode(word) is None for word in noise)
    with pytest.raises(ValueError, match="48 bits"):
        code.encode(1 << 48)


def test_vectors() -> None:
    """The specification's own: whoever draws the tint from it draws this one."""
    vectors = json.loads(VECTORS.read_text())
    key = TintKey(bytes.fromhex(vectors["key"]))
    id = int(vectors["id"], 16)
    assert [list(wave) for wave in LATTICE] == vectors["lattice"]
    assert key.stream("phases", 16).tolist() == vectors["phases"]
    bits = "".join("0" if sign > 0 else "1" for sign in code.encode(id))
    assert f"{int(bits, 2):066x}" == vectors["code_word"]
    assert key.places[0].tolist() == vectors["places_first_row"]
    assert key.tile(id)[0].tolist() == vectors["tile_first_row"]
    chips = key.fingerprint(id, 100, 70)
    assert (
        chips[0, :8].tolist() == vectors["print_corner"] and chips[99, 62:].tolist() == vectors["print_far"]
    )
    assert code.decode(-code.encode(id).astype(float)) is None, "a failing case: every bit turned"
