"""Fonts for a PDF that is drawn with few of their glyphs.

fpdf2 reads a font whole when it is added and once more when it is embedded: half a second for each Chinese font. A
font of this module answers what a page asks from the mapped file, and when the PDF is written it gives fpdf2 a font
with the used glyphs alone to make its subset of. What is embedded are the same glyphs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from io import BytesIO
from struct import pack, pack_into, unpack_from
from typing import Any, TypeVar

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import FontDescriptorFlags, TextEmphasis
from fpdf.fonts import PDFFontDescriptor, SubsetMap, TTFFont

from .cff_cut import CidFont
from .fonts import Face
from .sfnt import Sfnt, sfnt

_Value = TypeVar("_Value")


def embed(pdf: FPDF, name: str, face: Face) -> None:
    """Makes the face known to the PDF under this name (lower case), for `set_font`."""
    font = sfnt(face.path, face.index)
    shapes = _cid(face)
    if shapes is None:
        pdf.add_font(name, fname=face.path, collection_font_number=face.index)
        return
    pdf.fonts[name] = _Quick(pdf, face, name, font, shapes)
    pdf._set_min_pdf_version("1.6")


def written(pdf: FPDF) -> bytes:
    """The finished PDF with the glyphs it uses."""
    for font in pdf.fonts.values():
        if isinstance(font, _Quick):
            font.settle()
    return bytes(pdf.output())


@cache
def _cid(face: Face) -> CidFont | None:
    font = sfnt(face.path, face.index)
    if "CFF " not in font.tables:
        return None
    try:
        return CidFont(font.table("CFF "))
    except ValueError:
        return None


@cache
def _full_name(face: Face) -> str:
    with TTFont(str(face.path), fontNumber=face.index, lazy=True) as font:
        return re.sub("[ ()]", "", str(font["name"].getBestFullName()))


class _Asked(dict[int, _Value]):
    """What fpdf2 reads of a font's characters, worked out when it asks; empty for one the font has not."""

    def __init__(self, ask: Callable[[int], _Value | None], *, otherwise: _Value | None = None) -> None:
        super().__init__()
        self._ask = ask
        self._otherwise = otherwise

    def __missing__(self, code: int) -> _Value:
        value = self._ask(code)
        if value is None:
            value = self._otherwise
        if value is None:
            raise KeyError(code)
        self[code] = value
        return value

    def get(self, code: int, default: Any = None) -> Any:
        try:
            return self[code]
        except KeyError:
            return default

    def __contains__(self, code: object) -> bool:
        return isinstance(code, int) and self.get(code) is not None


class _Quick(TTFFont):
    """A font that fpdf2 takes for one it has read."""

    def __init__(self, pdf: FPDF, face: Face, name: str, font: Sfnt, shapes: CidFont) -> None:
        self._font, self._shapes = font, shapes
        self.i = len(pdf.fonts) + 1
        self.type = "TTF"
        self.ttffile, self.fontkey, self.collection_font_number = face.path, name, face.index
        self.is_compressed = self.is_symbol = False
        self.is_cff = self.is_cid_keyed = True
        self.cff_ros = shapes.collection
        self.ttfont = None
        self._hbfont = self.color_font = None
        self.biggest_size_pt = 0.0
        self.palette_index = 0
        self.missing_glyphs = []
        self.name = _full_name(face)
        self.emphasis = TextEmphasis.coerce("")
        self.scale = 1000 / font.units
        self._measure()
        self.glyph_ids = _Asked(self._glyph)
        self.cmap = _Asked(self._called)
        self.cw = _Asked(self._wide, otherwise=self.desc.missing_width)
        # fpdf2 takes the first character of the font for the one that is missing.
        self.cmap[32]
        self.subset = SubsetMap(self)

    def settle(self) -> None:
        """Gives fpdf2 the font of the used glyphs to embed."""
        used = sorted({0, *(glyph for glyph in self.glyph_ids.values() if glyph)})
        small = BytesIO(_package(self._font, used, self._shapes.cut(used)))
        self.ttfont = TTFont(small, recalcTimestamp=False, recalcBBoxes=False)

    def _measure(self) -> None:
        """The numbers of the PDF's font descriptor (ISO 32000-1, table 122), as fpdf2 takes them."""
        font, scale = self._font, self.scale
        box = unpack_from(">4h", font.table("head"), 36)
        ascent, descent = unpack_from(">2h", font.table("hhea"), 4)
        post, os2 = font.table("post"), font.table("OS/2")
        slant, under, thick, fixed = unpack_from(">ihhI", post, 4)
        version, _, weight = unpack_from(">HhH", os2)
        capital = unpack_from(">h", os2, 88)[0] if version >= 2 else ascent
        flags = FontDescriptorFlags.SYMBOLIC
        if fixed:
            flags |= FontDescriptorFlags.FIXED_PITCH
        if slant:
            flags |= FontDescriptorFlags.ITALIC
        if weight >= 600:
            flags |= FontDescriptorFlags.FORCE_BOLD
        self.desc = PDFFontDescriptor(
            ascent=round(ascent * scale), descent=round(descent * scale), cap_height=round(capital * scale),
            flags=flags, font_b_box="[" + " ".join(f"{edge * scale:.0f}" for edge in box) + "]",
            italic_angle=slant >> 16, stem_v=round(50 + int((weight / 65) ** 2)),
            missing_width=round(scale * font.width(0)),
        )  # fmt: skip
        strike, struck = unpack_from(">2h", os2, 26)
        self.up, self.ut = round(under * scale), round(thick * scale)
        self.ss, self.sp = round(strike * scale), round(struck * scale)

    def _glyph(self, code: int) -> int | None:
        return self._font.glyph(code) or None

    def _called(self, code: int) -> str | None:
        glyph = self._font.glyph(code)
        return f"cid{self._shapes.cid(glyph):05d}" if glyph else None

    def _wide(self, code: int) -> int | None:
        glyph = self._font.glyph(code)
        return round(self.scale * self._font.width(glyph) + 0.001) if glyph else None


def _package(font: Sfnt, glyphs: Sequence[int], shapes: bytes) -> bytes:
    """An OpenType font of these glyphs with the tables that its outlines need."""
    head, count = {tag: bytearray(font.table(tag)) for tag in ("head", "hhea", "maxp")}, len(glyphs)
    pack_into(">H", head["hhea"], 34, count)
    pack_into(">H", head["maxp"], 4, count)
    tables = {
        "CFF ": shapes,
        **head,
        "hmtx": b"".join(pack(">Hh", font.width(glyph), 0) for glyph in glyphs),
        "post": pack(">I", 0x00030000) + bytes(font.table("post")[4:32]),
    }
    entries, body = b"", b""
    start = 12 + 16 * len(tables)
    for tag, data in sorted(tables.items()):
        entries += pack(">4sIII", tag.encode(), 0, start + len(body), len(data))
        body += bytes(data) + bytes(-len(data) % 4)
    return pack(">4sHHHH", b"OTTO", len(tables), 0, 0, 0) + entries + body
