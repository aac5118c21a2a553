"""Fonts embedded by their used glyphs alone are the fonts that fpdf2 would have embedded after reading them whole."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from fontTools.cffLib import CFFFontSet
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont
from fpdf import FPDF

from jiyao.common import fonts
from jiyao.common.cff_cut import CidFont
from jiyao.common.embedding import embed, written
from jiyao.common.sfnt import Sfnt, sfnt

TEXT = "关于报送样张资料的函〔2026〕7号，机密★5年。ABC xyz，「」𠮷㐀é"
STRANGE = "".join(map(chr, (0, 1, 0xD800, 0xE000, 0xFFFF, 0x1F600, 0x10FFFF)))


@pytest.fixture(scope="module", params=[("sans", "regular"), ("serif", "bold")], ids=lambda p: "-".join(p))
def face(request: pytest.FixtureRequest) -> fonts.Face:
    found = fonts.face(*request.param)
    if "CFF " not in sfnt(found.path, found.index).tables:
        pytest.skip("no CFF font is installed")
    return found


@pytest.fixture(scope="module")
def whole(face: fonts.Face) -> TTFont:
    return TTFont(str(face.path), fontNumber=face.index, lazy=True)


def drawn(face: fonts.Face, *, quick: bool) -> bytes:
    pdf = FPDF(unit="mm")
    pdf.set_creation_date(datetime(2026, 1, 1, tzinfo=UTC))
    pdf.add_page()
    if quick:
        embed(pdf, "f", face)
    else:
        pdf.add_font("f", fname=face.path, collection_font_number=face.index)
    pdf.set_font("f", size=14)
    pdf.text(10, 30, TEXT)
    return written(pdf)


def words(data: bytes) -> str:
    return str(pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range())


def test_characters_and_widths_are_those_of_the_font(face: fonts.Face, whole: TTFont) -> None:
    known, widths, font = whole.getBestCmap(), whole["hmtx"].metrics, sfnt(face.path, face.index)
    for code in {*map(ord, TEXT + STRANGE), *range(0, 0x30000, 397)}:
        glyph = font.glyph(code)
        assert bool(glyph) == (code in known) == face.has(chr(code)), hex(code)
        if glyph:
            assert (whole.getGlyphID(known[code]), widths[known[code]][0]) == (glyph, font.width(glyph))


def test_what_is_cut_out_is_drawn_alike(face: fonts.Face, whole: TTFont) -> None:
    font = sfnt(face.path, face.index)
    glyphs = sorted({0, *(font.glyph(ord(char)) for char in TEXT)})
    small = CFFFontSet()
    small.decompile(BytesIO(CidFont(font.table("CFF ")).cut(glyphs)), None)
    top, big = small.topDictIndex[0], whole["CFF "].cff.topDictIndex[0]
    names = [whole.getGlyphName(glyph) for glyph in glyphs]
    assert top.charset == names and top.ROS == big.ROS
    for name in names:
        pens = RecordingPen(), RecordingPen()
        for one, pen in zip((top, big), pens, strict=True):
            one.CharStrings[name].draw(pen)
        assert pens[0].value == pens[1].value, name


def test_the_pdf_says_the_same_and_looks_the_same(face: fonts.Face) -> None:
    quick, plain = drawn(face, quick=True), drawn(face, quick=False)
    pages = [pypdfium2.PdfDocument(data)[0].render(scale=1.5).to_numpy() for data in (quick, plain)]
    assert np.array_equal(*pages) and pages[0].min() < 90
    assert words(quick) == words(plain) == TEXT
    described = [
        re.findall(rb"/(?:BaseFont|Ascent|Descent|CapHeight|Flags|ItalicAngle|StemV|FontBBox|W) .*", data)
        for data in (quick, plain)
    ]
    assert described[0] == described[1] and len(described[0]) >= 9
    assert quick == drawn(face, quick=True)


def test_other_kinds_of_fonts_are_read_whole(tmp_path: Path) -> None:
    """A TrueType font, whose characters stand in a table of 16 bits."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    for move, place in ((pen.moveTo, (0, 0)), (pen.lineTo, (0, 900)), (pen.lineTo, (900, 0))):
        move(place)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "a", "b", "c"])
    builder.setupCharacterMap({0x41: "a", 0x42: "b", 0x4E00: "c"})
    builder.setupGlyf(dict.fromkeys((".notdef", "a", "b", "c"), pen.glyph()))
    builder.setupHorizontalMetrics({".notdef": (500, 0), "a": (600, 0), "b": (700, 0), "c": (1000, 0)})
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": "Small", "styleName": "Regular", "fullName": "Small"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(str(tmp_path / "small.ttf"))
    face = fonts.Face(path=tmp_path / "small.ttf", index=0, family="Small")
    assert [face.has(char) for char in "AB一C丁\0𠮷"] == [True, True, True, False, False, False, False]
    assert (face.advance("A"), face.advance("一"), face.advance("C")) == (0.6, 1.0, 1.0)
    pdf = FPDF(unit="mm")
    pdf.add_page()
    embed(pdf, "f", face)
    pdf.set_font("f", size=14)
    pdf.text(10, 30, "AB一")
    assert words(written(pdf)) == "AB一"


def test_what_is_no_font_is_said(tmp_path: Path) -> None:
    path = tmp_path / "no.otf"
    path.write_bytes(b"\0" * 64)
    with pytest.raises(ValueError, match="no OpenType font"):
        Sfnt(path)
