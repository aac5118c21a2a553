"""Fonts of an OFD for measuring and drawing: the embedded ones where they load, else the machine's.

Threat model: font programs are hostile input too: fontTools takes the tables apart under `guarded`, FreeType
draws inside the worker only. A font that does not load is replaced, and the caller is told.
"""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._c_m_a_p import cmap_format_12
from PIL import ImageFont

from ..common import fonts
from ..common.errors import MissingTool
from .fault import FormatFault, guarded
from .ofd_resources import FontFace

_MAX_FONT = 48 * 1024 * 1024
_PRIVATE = 0xF0000
"""Glyph n of an embedded font is drawn as the character `_PRIVATE` + n."""
_MAX_GLYPHS = 65_000
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
    """An embedded TrueType or OpenType font with a map that reaches every glyph; None when it does not load.

    Raises:
        FormatFault: `unpack_bomb`, `hostile_markup`, where the parser ran out of memory or stack.
    """
    if len(program) > _MAX_FONT or len(program) < 12:
        return None
    try:
        with guarded("OFD font"):
            return _load(program)
    except FormatFault as fault:
        if fault.code != "damaged_file":
            raise
        return None


def _load(program: bytes) -> Embedded:
    font = TTFont(io.BytesIO(program), fontNumber=0, lazy=True)
    order = font.getGlyphOrder()
    count = min(len(order), _MAX_GLYPHS)
    numbers = {name: index for index, name in enumerate(order)}
    codes: dict[int, int] = {}
    if "cmap" in font:
        for code, name in (font.getBestCmap() or {}).items():
            if numbers.get(name, 0) > 0:
                codes[int(code)] = numbers[name]
    units = font["head"].unitsPerEm or 1000
    advances = {
        numbers[name]: wide / units for name, (wide, _) in font["hmtx"].metrics.items() if name in numbers
    }
    table = cmap_format_12(12)
    table.platformID, table.platEncID, table.format, table.reserved = 3, 10, 12, 0
    table.length = table.language = table.nGroups = 0
    table.cmap = {_PRIVATE + index: order[index] for index in range(count)}
    holder = font.get("cmap", None)
    if holder is None:
        from fontTools.ttLib import newTable

        holder = font["cmap"] = newTable("cmap")
        holder.tableVersion = 0
    holder.tables = [table]
    for name in ("GSUB", "GPOS", "GDEF", "kern", "DSIG", "hdmx", "VDMX", "LTSH"):
        if name in font:
            del font[name]
    out = io.BytesIO()
    font.save(out, reorderTables=False)
    drawable = out.getvalue()
    ImageFont.truetype(io.BytesIO(drawable), 16).getbbox(chr(_PRIVATE + min(1, count - 1)))
    chars: dict[int, str] = {}
    for code, glyph in codes.items():
        chars[glyph] = chars.get(glyph, "") + chr(code)
    return Embedded(program=drawable, codes=codes, chars=chars, count=count, advances=advances)


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
