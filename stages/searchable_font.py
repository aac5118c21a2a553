"""A font without a stroke: two blank glyphs that stand for every character, so that unseen text can be selected.

Codes are those of Unicode's basic plane (ISO 32000-1, 9.7.4 and 9.10.3); characters beyond it take the codes of the
surrogates, which stand for nothing else. Embedded, with widths as in the file and a full ToUnicode map, as PDF/A asks.
"""

from __future__ import annotations

import io
import struct
from functools import cache

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

EM, HALF = 1000, 500
ASCENT, DESCENT = 880, -120
NAME = "JiyaoBlank"
_FIRST_SPARE, _SPARES = 0xD800, 2048
_NARROW = range(0x20, 0x7F)


class Codes:
    """The two-byte codes of one document's characters."""

    __slots__ = ("_beyond",)

    def __init__(self) -> None:
        self._beyond: dict[str, int] = {}

    def encode(self, text: str) -> str:
        """The text as hexadecimal codes; what has none (a lone surrogate) is left out."""
        return "".join(f"{code:04X}" for code in map(self._code, text) if code)

    def _code(self, character: str) -> int:
        code = ord(character)
        if code <= 0xFFFF:
            return 0 if _FIRST_SPARE <= code < _FIRST_SPARE + _SPARES or code >= 0xFFFE else code
        if character not in self._beyond and len(self._beyond) >= _SPARES:
            return 0
        return self._beyond.setdefault(character, _FIRST_SPARE + len(self._beyond))

    def map(self) -> bytes:
        """ToUnicode: each code to its character."""
        ranges = [
            f"<{high:02X}00> <{high:02X}FF> <{high:02X}00>" for high in range(256) if not 0xD8 <= high <= 0xDF
        ]
        chars = [
            f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>"
            for character, code in self._beyond.items()
        ]
        blocks = [
            f"{len(part)} {word}\n" + "\n".join(part) + f"\nend{word.removeprefix('begin')}"
            for word, lines in (("beginbfrange", ranges), ("beginbfchar", chars))
            for part in (lines[start : start + 100] for start in range(0, len(lines), 100))
        ]
        return (
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"
            "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
            "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
            + "\n".join(blocks)
            + "\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
        ).encode()


def advance(character: str) -> float:
    """Width of a character in ems."""
    return HALF / EM if ord(character) in _NARROW else 1.0


def put_font(writer: PdfWriter, codes: Codes) -> IndirectObject:
    """The font as an object of the document; call it when all text is encoded."""
    file = stream_of(font_file())
    file[NameObject("/Length1")] = NumberObject(len(font_file()))
    descriptor = _dictionary(
        Type="/FontDescriptor", FontName=f"/{NAME}", Flags=4, FontBBox=[0, DESCENT, EM, ASCENT], ItalicAngle=0,
        Ascent=ASCENT, Descent=DESCENT, CapHeight=ASCENT, StemV=80,
        FontFile2=writer._add_object(file.flate_encode()),
    )  # fmt: skip
    glyphs = struct.pack(">65536H", *(2 if code in _NARROW else 1 for code in range(65536)))
    system = DictionaryObject(
        {
            NameObject("/Registry"): TextStringObject("Adobe"),
            NameObject("/Ordering"): TextStringObject("Identity"),
            NameObject("/Supplement"): NumberObject(0),
        }
    )
    child = _dictionary(
        Type="/Font", Subtype="/CIDFontType2", BaseFont=f"/{NAME}", CIDSystemInfo=system, DW=EM,
        W=[_NARROW.start, _NARROW.stop - 1, HALF], FontDescriptor=writer._add_object(descriptor),
        CIDToGIDMap=writer._add_object(stream_of(glyphs).flate_encode()),
    )  # fmt: skip
    return writer._add_object(
        _dictionary(
            Type="/Font", Subtype="/Type0", BaseFont=f"/{NAME}", Encoding="/Identity-H",
            DescendantFonts=ArrayObject([writer._add_object(child)]),
            ToUnicode=writer._add_object(stream_of(codes.map()).flate_encode()),
        )
    )  # fmt: skip


@cache
def font_file() -> bytes:
    """The TrueType file: .notdef, a blank em and a blank half em."""
    builder = FontBuilder(EM, isTTF=True)
    names = [".notdef", "em", "half"]
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({0x3000: "em", 0x20: "half"})
    builder.setupGlyf({name: TTGlyphPen(None).glyph() for name in names})
    builder.setupHorizontalMetrics({".notdef": (EM, 0), "em": (EM, 0), "half": (HALF, 0)})
    builder.setupHorizontalHeader(ascent=ASCENT, descent=DESCENT)
    builder.setupNameTable({"familyName": NAME, "styleName": "Regular", "psName": NAME})
    builder.setupOS2(sTypoAscender=ASCENT, sTypoDescender=DESCENT, usWinAscent=ASCENT, usWinDescent=-DESCENT)
    builder.setupPost()
    builder.font["head"].created = builder.font["head"].modified = 0
    builder.font.recalcTimestamp = False
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()


def stream_of(data: bytes) -> StreamObject:
    """A stream of these bytes."""
    stream = StreamObject()
    stream.set_data(data)
    return stream


def _dictionary(**values: object) -> DictionaryObject:
    made = DictionaryObject()
    for name, value in values.items():
        item: object = value
        if isinstance(value, str):
            item = NameObject(value)
        elif isinstance(value, int):
            item = NumberObject(value)
        elif type(value) is list:
            item = ArrayObject(NumberObject(number) for number in value)
        made[NameObject(f"/{name}")] = item
    return made
