"""Issued copies: marks on every page, nothing hidden survives, and the barcode is read back after abuse."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from pypdf import PdfReader

import copy_kit as kit
from jiyao.common.errors import MissingTool, Refused
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.open import open_document
from jiyao.models.copy import CopySpec
from jiyao.models.level import Level
from jiyao.models.period import Period
from jiyao.stages.read_marks import read_marks
from jiyao.stages.stamp import draw, draw_pages
from jiyao.watermark import barcode
from jiyao.watermark.trace import TraceVerdict, judge
from jiyao.watermark.visible import level_mark

GOVDOC = Path(__file__).resolve().parents[2] / "shared" / "data" / "official" / "govdoc-cn"


def copied(source: bytes, spec: CopySpec) -> bytes:
    opened = open_document(source, limits=DEFAULT_LIMITS)
    try:
        return draw(opened, spec, limits=DEFAULT_LIMITS, source=source)
    finally:
        opened.close()


def traced(data: bytes) -> TraceVerdict:
    opened = open_document(data, limits=DEFAULT_LIMITS)
    try:
        return judge(read_marks(opened, source=data), key=kit.KEY, tag=kit.TAG)
    finally:
        opened.close()


@cache
def flat() -> bytes:
    return copied(kit.letter(), kit.spec())


@cache
def vector() -> bytes:
    return copied(kit.letter(2), kit.spec(flatten=False))


@cache
def page() -> kit.Page:
    return kit.picture(flat())


ATTACKS: dict[str, Callable[[kit.Page], kit.Page]] = {
    "as it is": lambda p: p,
    "jpeg 20": lambda p: kit.jpeg(p, 20),
    "half size": lambda p: kit.scaled(p, 0.5),
    "gray": lambda p: np.repeat(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2),
    "one bit": kit.one_bit,
    "one bit, 150 dpi": lambda p: kit.one_bit(kit.scaled(p, 0.75)),
    "turned 7": lambda p: kit.turned(p, 7),
    "turned 90": lambda p: np.ascontiguousarray(np.rot90(p)),
    "upside down": lambda p: np.ascontiguousarray(np.rot90(p, 2)),
    "turned 33, jpeg 50": lambda p: kit.jpeg(kit.turned(p, 33), 50),
    "warp, jpeg 50": lambda p: kit.jpeg(kit.warped(p, 0.12), 50),
    "print-scan 200": lambda p: kit.print_scan(p, 200),
    "print-scan 150": lambda p: kit.print_scan(p, 150),
    "uneven light": lambda p: kit.jpeg(kit.uneven(p), 60),
    "negative": lambda p: 255 - p,
    **{
        f"warp, jpeg 50, quarter {which}": lambda p, which=which: kit.jpeg(  # type: ignore[misc]
            kit.quarter(kit.warped(p, 0.06, seed=which), which), 50
        )
        for which in range(4)
    },
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_read_back(attack: str) -> None:
    found = barcode.read(ATTACKS[attack](page()), seconds=20)
    assert kit.spec().barcode in {code.text for code in found}


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_quarter_picture_is_traced(kind: str) -> None:
    torn = kit.jpeg(kit.quarter(kit.warped(page(), 0.06), 1), 50)
    data = cv2.imencode(f".{kind}", cv2.cvtColor(torn, cv2.COLOR_RGB2BGR))[1].tobytes()
    verdict = traced(data)
    assert (verdict.verdict, verdict.serial) == ("copy", kit.SERIAL)


def test_box_lies_on_the_code() -> None:
    boxes = [code.box for code in barcode.read(page(), seconds=10)]
    half = [code.box for code in barcode.read(kit.scaled(page(), 0.5), seconds=10)]
    assert any(abs(a.left - b.left) < 0.02 and abs(a.top - b.top) < 0.02 for a in boxes for b in half)


def test_unmarked_page_says_none() -> None:
    blank = np.full((1400, 1000, 3), 255, np.uint8)
    assert barcode.read(blank, seconds=5) == ()
    assert barcode.read(blank[:8, :8], seconds=5) == ()


@pytest.mark.req("R-055", "R-057", "R-060")
def test_kept_pages_stay_text_and_show_the_marks() -> None:
    assert len(PdfReader(io.BytesIO(vector())).pages) == 2
    for number in (1, 2):
        text = kit.text_of(vector(), number)
        for words in (
            "关于做好样张材料清点工作的通知",
            "机密★20年",
            "第 3 号",
            "欧阳样张",
            "2025年11月22日",
            "严禁复印外传",
        ):
            assert words.replace(" ", "") in text
    verdict = traced(vector())
    assert (verdict.verdict, verdict.serial) == ("copy", kit.SERIAL)
    assert {c.channel: c.value for c in verdict.channels if c.found}["visible"] == "D-2025-000012 3"


@pytest.mark.req("R-055")
@pytest.mark.parametrize(
    ("level", "period", "words"),
    [
        (Level.STATE_SECRET, Period(kind="years", number=20), "机密★20年"),
        (Level.STATE_TOP, None, "绝密★"),
        (Level.COMPANY_SECRET, None, "公司机密"),
        (Level.SOE_CORE, Period(kind="years", number=5), "核心商密 5年"),
        (Level.INTERNAL, None, "内部"),
    ],
)
def test_star_stands_for_state_secrets_only(level: Level, period: Period | None, words: str) -> None:
    assert level_mark(level, period) == words


def streams(pdf: bytes) -> bytes:
    """The file and all its unpacked streams."""
    out = [pdf]
    for found in re.finditer(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            out.append(zlib.decompressobj().decompress(found.group(1)))
        except zlib.error:
            continue
    return b"\n".join(out)


@pytest.mark.parametrize("flatten", [True, False])
def test_nothing_hidden_survives(flatten: bool) -> None:
    source = kit.with_hidden(kit.letter())
    assert kit.SECRET.encode() in streams(source)
    out = copied(source, kit.spec(flatten=flatten))
    assert kit.SECRET.encode() not in streams(out)
    reader = PdfReader(io.BytesIO(out))
    assert set(reader.root_object) <= {"/Type", "/Pages"}
    assert dict(reader.metadata or {}) == {"/JiyaoCopy": kit.spec().barcode}
    assert out.count(b"%%EOF") == 1
    for shown in reader.pages:
        assert not {"/Annots", "/AA", "/Metadata", "/PieceInfo"} & set(shown)
    assert bool(kit.text_of(out)) is not flatten


HIDING = {
    "invisible mode": b"BT /H 12 Tf 3 Tr 100 400 Td (%b) Tj ET",
    "white on white": b"BT /H 12 Tf 1 g 100 780 Td (%b) Tj ET",
    "under a box": b"BT /H 12 Tf 0 g 100 780 Td (%b) Tj ET 0 g 90 770 200 30 re f",
    "under a white box": b"BT /H 12 Tf 0 g 100 780 Td (%b) Tj ET 1 g 90 770 200 30 re f",
    "off the page": b"BT /H 12 Tf 0 g 100 -300 Td (%b) Tj ET",
    "tiny": b"BT /H 0.6 Tf 0 g 100 700 Td (%b) Tj ET",
    "clipped away": b"q 10 10 5 5 re W n BT /H 12 Tf 0 g 100 780 Td (%b) Tj ET Q",
}


@pytest.mark.parametrize("how", HIDING)
def test_page_that_hides_text_becomes_a_picture(how: str) -> None:
    source = kit.with_drawing(kit.letter(), HIDING[how].replace(b"%b", kit.SECRET.encode()))
    out = copied(source, kit.spec(flatten=False))
    assert kit.SECRET.encode() not in streams(out)
    assert kit.text_of(out) == ""


def test_replacement_text_is_dropped_from_kept_pages() -> None:
    drawing = f"/Span <</ActualText ({kit.SECRET})>> BDC BT /H 12 Tf 100 700 Td (seen) Tj ET EMC".encode()
    out = copied(kit.with_drawing(kit.letter(), drawing), kit.spec(flatten=False))
    assert kit.SECRET.encode() not in streams(out)
    assert "seen" in kit.text_of(out)


def test_nothing_is_covered() -> None:
    """Text at the paper's edge is moved inwards whole: what is dark on the source is dark on the copy."""
    source = kit.letter(full=True)
    shown = kit.picture(copied(source, kit.spec()))
    band = round(22 / 25.4 * 200)
    inner = shown[band:-band]
    original = kit.picture(source)
    smaller = cv2.resize(
        original, None, fx=inner.shape[0] / original.shape[0], fy=inner.shape[0] / original.shape[0]
    )
    left = (inner.shape[1] - smaller.shape[1]) // 2
    dark = cv2.erode((smaller.min(axis=2) < 60).astype(np.uint8), np.ones((3, 3))) > 0
    there = inner[: dark.shape[0], left : left + dark.shape[1]].min(axis=2)
    assert (there[dark[: there.shape[0]]] < 160).mean() > 0.98


def test_scan_is_copied_and_read_back() -> None:
    out = copied(kit.scan(), kit.spec())
    verdict = traced(out)
    assert (verdict.verdict, verdict.serial) == ("copy", kit.SERIAL)
    assert len(out) < 3_000_000


def test_png_pages() -> None:
    source = kit.letter(2)
    opened = open_document(source, limits=DEFAULT_LIMITS)
    pages = draw_pages(opened, kit.spec(format="png"))
    assert len(pages) == 2
    assert all(one.startswith(b"\x89PNG") and b"pHYs" in one[:64] and b"tEXt" not in one for one in pages)
    assert traced(pages[1]).serial == kit.SERIAL


@pytest.mark.req("R-060")
def test_rare_name_prints_or_fails() -> None:
    out = copied(kit.letter(), kit.spec(recipient="𠮷田样张", flatten=False))
    assert "𠮷田样张" in kit.text_of(out)
    with pytest.raises(MissingTool) as fault:
        copied(kit.letter(), kit.spec(recipient="样\U00031350张"))
    assert fault.value.code == "glyph_missing"


def test_direction_marks_do_not_reorder_a_name() -> None:
    out = copied(kit.letter(), kit.spec(recipient="样张\u202e\u200b甲\n乙", flatten=False))
    text = kit.text_of(out)
    assert "\u202e" not in text
    assert "样张甲" in text


def test_endless_name_is_refused() -> None:
    with pytest.raises(Refused) as fault:
        copied(kit.letter(), kit.spec(recipient="样" * 300, due=date(2026, 1, 5)))
    assert fault.value.code == "mark_too_long"


@pytest.mark.skipif(not GOVDOC.exists(), reason="shared/data/official is absent")
def test_real_paper() -> None:
    source = (GOVDOC / "397.pdf").read_bytes()
    out = copied(source, kit.spec(flatten=False))
    before, after = PdfReader(io.BytesIO(source)), PdfReader(io.BytesIO(out))
    assert len(before.pages) == len(after.pages)
    assert "纳税信用" in kit.text_of(out)
    assert traced(out).serial == kit.SERIAL
