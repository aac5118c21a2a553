"""Says which of a PDF's own pages may stay in its copies, because they provably hide nothing, and makes them ready,
once for a document. The marks are put on by stamp_overlay.py.

Threat model. A born-digital page can hide text: invisible render mode, paper-coloured type, boxes or pictures
over text, clipped pictures, layers, spoken replacement text, annotations, metadata, unused resources. Telling
all of these apart is not tried. A page is kept only when it consists of text and lines alone, uses nothing on
the list below, and every character shows on its picture; and of a kept page only named operators and
resources go into a *new* page. Any other page becomes a picture.

A page becomes a picture when it has: pictures, forms, shadings, patterns, soft masks, Type 3 fonts, layers,
annotations, a filled shape painted over text, a character outside the page, under 3 points, not filled,
nearly transparent or without contrast on the picture; or when it cannot be parsed.

Accepted: an embedded font may hold glyphs the page does not show; a character map may call a glyph by another
name than it looks.
"""

from __future__ import annotations

import ctypes
import io
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pypdfium2
import pypdfium2.raw as raw
from pypdf import PageObject, PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ContentStream, DictionaryObject

from ..formats.opened import Picture
from ..watermark.layout import Sheet, dpi_of
from .stamp_glyph_spread import Spread, written
from .stamp_glyph_text import Operations, place_of
from .stamp_glyphs import Shifter
from .stamp_objects import Carrier, Objects

_LOOK_SCALE, _MOST_LOOKED_AT = 2.0, 12_000_000
_LEAST_CONTRAST = 40
_LEAST_TYPE_POINTS = 3.0
_LEAST_ALPHA = 100
_COVER_POINTS = 2.5
_OPERATORS = frozenset(
    b"w J j M d ri i gs q Q cm m l c v y h re S s f F f* B B* b b* n W W* BT ET Tc Tw Tz TL Tf Tr Ts Td TD Tm"
    b" T* Tj TJ ' \" CS cs SC SCN sc scn G g RG rg K k".split()
)
_MARKED = frozenset((b"BMC", b"BDC", b"EMC", b"MP", b"DP", b"BX", b"EX"))
_RESOURCES = ("/Font", "/ExtGState", "/ColorSpace")
_NAMING = {b"Tf": "/Font", b"gs": "/ExtGState", b"CS": "/ColorSpace", b"cs": "/ColorSpace"}
_ODD = (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page that hides nothing, with only what is allowed."""

    box: tuple[float, float, float, float]
    """Left, bottom, right, top in points: what is seen of it."""
    turn: int
    """Degrees clockwise at which it is shown."""
    resources: bytes
    """Of its dictionary."""
    body: bytes
    """Its operators, packed."""
    spread: Spread | None
    """The same, to be written with a copy's glyphs moved; None where none is."""


@dataclass(frozen=True, slots=True)
class KeptPages:
    """What the copies of one document share: its pages that stay text, by number, and the objects these use."""

    pages: dict[int, KeptPage]
    objects: tuple[bytes, ...]


def keep_pages(
    source: bytes,
    numbers: range,
    sheet_of: Callable[[int], Sheet],
    *,
    shifter: Shifter | None = None,
    bare: Callable[[int], Picture] | None = None,
    tick: Callable[[], None] = lambda: None,
) -> KeptPages:
    """The pages of a PDF that may stay as they are, each on its sheet. `shifter` says which glyphs can be moved, for
    which `bare` draws a page on its sheet without any mark; `tick` is told of each page.
    """
    kept: dict[int, KeptPage] = {}
    objects = Objects()
    carrier, count = Carrier(objects), len(numbers)
    try:
        reader = PdfReader(io.BytesIO(source))
        if "/OCProperties" in reader.root_object or reader.is_encrypted or len(reader.pages) != count:
            return KeptPages({}, ())
        shown = pypdfium2.PdfDocument(source)
    except (PyPdfError, pypdfium2.PdfiumError, ValueError, KeyError, RecursionError):
        return KeptPages({}, ())
    try:
        for number in numbers:
            sheet = sheet_of(number)
            tick()
            try:
                page = reader.pages[number - 1]
                operations = _allowed(reader, page)
                if operations is None or not _all_shows(shown, number):
                    continue
                resources = _resources(page, operations, carrier)
                box = _seen(page)
                fonts = {name: font.get_object() for name, font in _group(page, "/Font").items()}
            except _ODD:
                continue
            if resources is None:
                continue
            turn, spread = page.rotation % 360, None
            if shifter is not None and bare is not None:
                at, rate = sheet.content, dpi_of(sheet) / 25.4
                place = place_of(box, turn, at.width * rate, at.left * rate, at.top * rate)
                spread = shifter.text(number, operations, fonts, place, sheet, bare)
            kept[number] = KeptPage(box, turn, resources, zlib.compress(written(operations), 6), spread)
    finally:
        shown.close()
    return KeptPages(kept, objects.bodies)


def _allowed(reader: PdfReader, page: PageObject) -> Operations | None:
    """The operators that the page may consist of, each `q` with its `Q`; None when it has others."""
    if page.get("/Annots") or page.get("/UserUnit", 1) != 1 or page.rotation % 90:
        return None
    contents = page.get_contents()
    if contents is None:
        return None
    kept: Operations = []
    deep, in_text = 0, False
    for operands, operator in ContentStream(contents, reader).operations:
        if operator in _MARKED:
            continue
        if operator not in _OPERATORS:
            return None
        if operator == b"Q" and not deep:  # what surrounds the page is not its own to take away
            continue
        deep += (operator == b"q") - (operator == b"Q")
        in_text = operator == b"BT" or (in_text and operator != b"ET")
        kept.append((operands, operator))
    return [*kept, *([([], b"ET")] if in_text else []), *[([], b"Q")] * deep]


def _seen(page: PageObject) -> tuple[float, float, float, float]:
    """What is shown of the page: its crop box, as far as it lies within its media box."""
    (left, bottom, right, top), (low, under, high, over) = (
        (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        for x0, y0, x1, y1 in ([float(edge) for edge in box] for box in (page.cropbox, page.mediabox))
    )
    box = (max(left, low), max(bottom, under), min(right, high), min(top, over))
    if box[0] >= box[2] or box[1] >= box[3]:
        raise ValueError("nothing is seen")
    return box


def _group(page: PageObject, kind: str) -> DictionaryObject:
    """A page's resources of a kind."""
    source = page.get("/Resources")
    available = source.get_object() if source is not None else DictionaryObject()
    group = available.get(kind)
    return cast(DictionaryObject, group.get_object() if group is not None else DictionaryObject())


def _resources(page: PageObject, operations: Operations, carrier: Carrier) -> bytes | None:
    """Only the resources that are used, bare of metadata; None when one of them could hide something."""
    names: dict[str, set[str]] = {kind: set() for kind in _RESOURCES}
    for operands, operator in operations:
        if operator in _NAMING:
            names[_NAMING[operator]].add(str(operands[0]))
    chosen: dict[str, list[tuple[str, Any]]] = {}
    for kind, wanted in names.items():
        entries = _group(page, kind)
        for name in sorted(wanted):
            if name not in entries:
                if kind == "/ColorSpace" and name.startswith(("/Device", "/Pattern")):
                    if name == "/Pattern":
                        return None
                    continue
                return None
            if _could_hide(kind, entries[name].get_object()):
                return None
            chosen.setdefault(kind, []).append((name, entries.raw_get(name)))
    return carrier.groups(chosen)


def _could_hide(kind: str, value: Any) -> bool:
    if kind == "/Font":
        return value.get("/Subtype") not in ("/Type0", "/TrueType", "/Type1", "/MMType1")
    if kind == "/ExtGState":
        return value.get("/SMask", "/None") != "/None" or "/Font" in value
    return "/Pattern" in str(value)[:200]


def _all_shows(shown: pypdfium2.PdfDocument, number: int) -> bool:
    """Whether the page is text and lines only, and every character can be seen on it."""
    page = shown[number - 1]
    try:
        if not _only_text_and_lines(page):
            return False
        width, height = page.get_size()
        scale = min(_LOOK_SCALE, math.sqrt(_MOST_LOOKED_AT / max(1.0, width * height)))
        bitmap = page.render(scale=scale, rev_byteorder=True, may_draw_forms=False)
        picture = np.array(bitmap.to_numpy()[:, :, :3], np.uint8)
        textpage = page.get_textpage()
        try:
            count = raw.FPDFText_CountChars(textpage)
            return all(_shows(page, textpage, index, picture) for index in range(count))
        finally:
            textpage.close()
    except pypdfium2.PdfiumError:
        return False
    finally:
        page.close()


def _only_text_and_lines(page: Any) -> bool:
    texts: list[tuple[float, float, float, float]] = []
    for thing in page.get_objects(max_depth=1):
        bounds = thing.get_bounds()
        if thing.type == raw.FPDF_PAGEOBJ_TEXT:
            if raw.FPDFTextObj_GetTextRenderMode(thing.raw) not in (0, 1, 2):
                return False
            texts.append(bounds)
            continue
        covering = _covers(thing, bounds) and any(_overlap(bounds, text) for text in texts)
        if thing.type != raw.FPDF_PAGEOBJ_PATH or covering:
            return False
    return True


def _covers(thing: Any, bounds: tuple[float, float, float, float]) -> bool:
    if thing.type != raw.FPDF_PAGEOBJ_PATH:
        return True
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(thing.raw, ctypes.byref(fill), ctypes.byref(stroke))
    return fill.value != 0 and min(bounds[2] - bounds[0], bounds[3] - bounds[1]) > _COVER_POINTS


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.5 and min(a[3], b[3]) - max(a[1], b[1]) > 0.5


def _shows(page: Any, textpage: Any, index: int, picture: Picture) -> bool:
    code = raw.FPDFText_GetUnicode(textpage, index)
    if raw.FPDFText_IsGenerated(textpage, index) == 1 or code in (0, 2, 0xFEFF) or chr(code).isspace():
        return True
    if raw.FPDFText_GetFontSize(textpage, index) <= 0:
        return False
    parts = [ctypes.c_uint() for _ in range(4)]
    raw.FPDFText_GetFillColor(textpage, index, *(ctypes.byref(part) for part in parts))
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    raw.FPDFText_GetCharBox(
        textpage, index, ctypes.byref(left), ctypes.byref(right), ctypes.byref(bottom), ctypes.byref(top)
    )
    loose = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(loose))
    if parts[3].value < _LEAST_ALPHA or abs(loose.top - loose.bottom) < _LEAST_TYPE_POINTS:
        return False
    height, width = picture.shape[:2]
    corners = []
    for x, y in ((left.value, top.value), (right.value, bottom.value)):
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, ctypes.byref(across), ctypes.byref(down))
        corners.append((across.value, down.value))
    x0, x1 = sorted(corner[0] for corner in corners)
    y0, y1 = sorted(corner[1] for corner in corners)
    if x0 < -2 or y0 < -2 or x1 > width + 2 or y1 > height + 2:
        return False
    piece = picture[max(0, y0 - 1) : y1 + 2, max(0, x0 - 1) : x1 + 2]
    return piece.size > 0 and int((piece.max(axis=(0, 1)) - piece.min(axis=(0, 1))).max()) >= _LEAST_CONTRAST
