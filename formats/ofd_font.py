"""Fonts of an OFD for measuring and drawing: the embedded ones where they load, else the machine's.

Threat model: font programs are hostile input too: fontTools takes the tables apart under `guarded`, FreeType
draws inside the worker only. A font that does not load is replaced, and the caller is told.
"""

from __future__ import annotations

import io
import logging
import struct
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from fontTools import agl
from fontTools.cffLib import CFFFontSet
from fontTools.ttLib import TTFont
from fontTools.ttLib.sfnt import SFNTWriter
from PIL import ImageFont

from ..common import fonts
from ..common.errors import MissingTool
from .fault import FormatFault, guarded
from .ofd_resources import FontFace

_MAX_FONT = 48 * 1024 * 1024
_PRIVATE = 0xF0000
"""Glyph n of an embedded font is drawn as the character `_PRIVATE` + n."""
_MAX_GLYPHS = 65_000
_LEFT_OUT = frozenset(
    {"GSUB", "GPOS", "GDEF", "kern", "DSIG", "hdmx", "VDMX", "LTSH", "EBDT", "EBLC", "EBSC", "CBDT", "CBLC"}
)
_SANS = (
    "黑", "雅黑", "等线", "圆", "幼圆", "hei", "gothic", "sans", "arial", "helvetica", "yahei", "dengxian", "verdana",
    "tahoma", "calibri",
)  # fmt: skip
_BOLD = ("bold", "heavy", "black", "小标宋", "大标宋", "xiaobiaosong", "xbs", "粗")


@dataclass(frozen=True, slots=True)
class Embedded:
    """A font program of the file. `program` is one that Pillow can draw any glyph of."""

    program: bytes
    codes: dict[int, int]
    """Unicode to glyph number, as the font itself says; empty when it says nothing."""
    chars: dict[int, str]
    """Glyph number to all characters that it is drawn for."""
    count: int
    advances: dict[int, float]
    """Glyph number to width in ems."""

    def glyph(self, char: str) -> int | None:
        """The glyph of a character by the font's own map."""
        return self.codes.get(ord(char))

    def says_other(self, char: str, glyph: int) -> bool:
        """The font knows the glyph, as a character that looks otherwise than `char`."""
        known = self.chars.get(glyph, "")
        folded = unicodedata.normalize("NFKC", char)
        return bool(known) and all(unicodedata.normalize("NFKC", other) != folded for other in known)


def load_embedded(program: bytes) -> Embedded | None:
    """An embedded TrueType, OpenType or bare CFF font with a map that reaches every glyph; None when it does not load.

    Raises:
        FormatFault: `unpack_bomb`, `hostile_markup`, where the parser ran out of memory or stack.
    """
    if len(program) > _MAX_FONT or len(program) < 12:
        return None
    logging.getLogger("fontTools").setLevel(logging.CRITICAL)  # its warnings are about the file
    try:
        with guarded("OFD font"):
            return _load(program)
    except FormatFault as fault:
        if fault.code != "damaged_file":
            raise
        return None


def _load(program: bytes) -> Embedded:
    loaded = _bare(program) if program[:2] == b"\x01\x00" and program[2:3] <= b"\x10" else _sfnt(program)
    face = ImageFont.truetype(io.BytesIO(loaded.program), 16)
    face.getbbox(private(min(1, loaded.count - 1)))
    return loaded


def _sfnt(program: bytes) -> Embedded:
    """A TrueType or OpenType font. Its tables are copied as they are: taking outlines apart would cost a minute."""
    font = TTFont(io.BytesIO(program), fontNumber=0, lazy=True)
    count = min(int(font["maxp"].numGlyphs), _MAX_GLYPHS)
    font.setGlyphOrder([str(index) for index in range(int(font["maxp"].numGlyphs))])
    best = (font.getBestCmap() or {}) if "cmap" in font else {}
    codes = {int(code): int(name) for code, name in best.items() if 0 < int(name) < count}
    units = font["head"].unitsPerEm or 1000
    advances = {int(name): wide / units for name, (wide, _) in font["hmtx"].metrics.items()}
    kept = [tag for tag in font.reader.keys() if tag not in _LEFT_OUT]  # noqa: SIM118  (a reader is no dict)
    tables = {str(tag): bytes(font.reader[tag]) for tag in kept}
    tables["cmap"] = _private_map(count)
    return Embedded(
        program=_written(tables, font.sfntVersion), codes=codes, chars=_by_glyph(codes), count=count,
        advances=advances,
    )  # fmt: skip


def _bare(program: bytes) -> Embedded:
    """A CFF program without its OpenType wrapping (Adobe TN 5176), as makers cut it out of a PDF; wrapped again."""
    fonts_inside = CFFFontSet()
    fonts_inside.decompile(io.BytesIO(program), None)
    top = fonts_inside.topDictIndex[0]
    names = list(top.charset)
    count = min(len(names), _MAX_GLYPHS)
    codes: dict[int, int] = {}
    for index, name in enumerate(names[:count]):
        char = "" if name.startswith("cid") else agl.toUnicode(name)
        if index and len(char) == 1:
            codes.setdefault(ord(char), index)
    units = (
        round(1 / top.FontMatrix[0]) if getattr(top, "FontMatrix", None) and top.FontMatrix[0] > 0 else 1000
    )
    units = min(max(units, 16), 16384)
    head = struct.pack(
        ">IIIIHHqqhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 3, units, 0, 0, 0, -units // 5, units, units,
        0, 8, 2, 0, 0,
    )  # fmt: skip
    hhea = struct.pack(
        ">IhhhHhhhhhhhhhhhH", 0x10000, units * 88 // 100, -units * 12 // 100, 0, units, 0, 0, units, 1, 0, 0,
        0, 0, 0, 0, 0, count,
    )  # fmt: skip
    tables = {
        "CFF ": program,
        "head": head,
        "hhea": hhea,
        "hmtx": struct.pack(">Hh", units, 0) * count,
        "maxp": struct.pack(">IH", 0x5000, count),
        "cmap": _private_map(count),
    }
    return Embedded(
        program=_written(tables, "OTTO"), codes=codes, chars=_by_glyph(codes), count=count, advances={}
    )


def _by_glyph(codes: dict[int, int]) -> dict[int, str]:
    chars: dict[int, str] = {}
    for code, glyph in codes.items():
        chars[glyph] = chars.get(glyph, "") + chr(code)
    return chars


def _private_map(count: int) -> bytes:
    """A cmap table of one group (format 12): every glyph in its order, from `_PRIVATE` on."""
    group = struct.pack(">HHIIIIII", 12, 0, 28, 0, 1, _PRIVATE, _PRIVATE + count - 1, 0)
    return struct.pack(">HHHHI", 0, 1, 3, 10, 12) + group


def _written(tables: dict[str, bytes], version: str) -> bytes:
    out = io.BytesIO()
    writer = SFNTWriter(out, len(tables), version)
    for tag, data in tables.items():
        writer[tag] = data
    writer.close()
    return out.getvalue()


def private(glyph: int) -> str:
    """The character that draws glyph number `glyph` of an `Embedded.program`."""
    return chr(_PRIVATE + glyph)


def machine_faces(font: FontFace, *, bold: bool) -> tuple[fonts.Face, ...]:
    """The machine's fonts to try for a font that is only named.

    Raises:
        MissingTool: `font_missing`.
    """
    name = f"{font.name} {font.family}".lower()
    style: fonts.Style = "sans" if any(word in name for word in _SANS) else "serif"
    heavy = bold or any(word in name for word in _BOLD)
    return fonts.faces(style, "bold" if heavy else "regular")


@lru_cache(maxsize=4096)
def advance(char: str) -> float:
    """Width of a character in ems by the machine's fonts; a plain guess without any."""
    if ord(char) >= 0x2E80:
        return 1.0
    try:
        found = next((face for face in fonts.faces("serif") if face.has(char)), None)
    except MissingTool:
        found = None
    return found.advance(char) if found is not None else 0.5
