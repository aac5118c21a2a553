"""Keeps a PDF's own pages in a copy where they provably hide nothing; puts the marks on as text and lines.

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
from collections.abc import Callable
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as raw
from numpy.typing import NDArray
from pypdf import PageObject, PdfReader, PdfWriter, Transformation
from pypdf.errors import PyPdfError
from pypdf.generic import (
    ArrayObject,
    ContentStream,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NullObject,
    RectangleObject,
    StreamObject,
)

from ..common.errors import Refused
from ..formats.opened import Picture
from ..models.copy import CopySpec
from ..watermark.layout import Sheet, dpi_of
from ..watermark.picture_pdf import COPY_KEY, PicturePage, write_pictures
from ..watermark.visible import draw_marks
from .stamp_dots import LOOK_DPI, Dotter
from .stamp_glyph_text import Matrix, Operations, place_of
from .stamp_glyphs import Shifter
from .stamp_tint import Tinter

_POINTS = 72 / 25.4
_LOOK_SCALE = 2.0
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
_NEVER_CARRIED = frozenset(("/Metadata", "/PieceInfo", "/LastModified", "/OC", "/AA", "/A", "/Parent"))
_DEEPEST = 12

Drawn = Callable[[frozenset[int]], dict[int, PicturePage]]


def keep_pages(
    source: bytes,
    sheets: tuple[Sheet, ...],
    spec: CopySpec,
    *,
    drawn: Drawn,
    shifter: Shifter | None = None,
    bare: Callable[[int], Picture] | None = None,
) -> bytes:
    """The copy as a new PDF. `drawn` gives pictures of all pages but those named to it; `shifter` shifts glyphs, for
    which `bare` draws a page on its sheet without any mark.

    Raises:
        MissingTool, Refused: as `watermark.visible.draw_marks`; `tint_not_read_back`,
            `dots_not_read_back`.
    """
    writer = PdfWriter()
    clean = _clean_pages(source, sheets, writer, shifter, bare)
    pictures = drawn(frozenset(clean))
    unique = list(dict.fromkeys(sheets[number - 1] for number in sorted(clean)))
    marks = PdfReader(io.BytesIO(draw_marks(unique, spec))).pages if unique else []
    tinter = Tinter.of(spec)
    counts: dict[int, int] = {}
    tints = {sheet: tinter.overlay(sheet) for sheet in unique} if tinter else {}
    for number, sheet in enumerate(sheets, start=1):
        if number in clean:
            page = _compose(clean[number], sheet, marks[unique.index(sheet)])
            if sheet in tints:
                page.merge_page(tints[sheet])
            writer.add_page(page)
        else:
            single = write_pictures([pictures[number]], copy=spec.barcode)
            writer.add_page(PdfReader(io.BytesIO(single)).pages[0])
    if tinter is not None and tinter.dotter is not None:
        counts = _dotted(writer, tinter.dotter, sheets, sorted(clean))
    writer.metadata = None
    writer.add_metadata({f"/{COPY_KEY}": spec.barcode})
    if writer._info is not None:
        for key in [key for key in writer._info if key != f"/{COPY_KEY}"]:
            del writer._info[key]
    out = io.BytesIO()
    writer.write(out)
    data = out.getvalue()
    if tinter is not None and clean:
        first = min(clean)
        shown = _shown(data, first)
        if not tinter.reads(shown, sheets[first - 1]):
            raise Refused("tint_not_read_back", page=first)
        if shifter is not None and not shifter.reads(shown, first):
            for number in clean:
                shifter.carried.pop(number, None)
        if tinter.dotter is not None:
            fullest = max(counts, key=lambda number: counts[number])
            picture = _shown(data, fullest, LOOK_DPI / 72)
            if not tinter.dotter.reads(picture, sheets[fullest - 1], counts[fullest]):
                raise Refused("dots_not_read_back", page=fullest)
    return data


def _dotted(
    writer: PdfWriter, dotter: Dotter, sheets: tuple[Sheet, ...], numbers: list[int]
) -> dict[int, int]:
    """Sets dots on these pages, where they are clear once drawn; how many on each."""
    out = io.BytesIO()
    writer.write(out)
    data, counts = out.getvalue(), {}
    for number in numbers:
        picture = _shown(data, number, LOOK_DPI / 72)
        counts[number] = dotter.lay_over(writer, number, picture, sheets[number - 1])
    return counts


def _shown(pdf: bytes, number: int, scale: float = _LOOK_SCALE) -> Picture:
    document = pypdfium2.PdfDocument(pdf)
    try:
        bitmap = document[number - 1].render(scale=scale, rev_byteorder=True)
        return np.array(bitmap.to_numpy()[:, :, :3], np.uint8)
    finally:
        document.close()


def _clean_pages(
    source: bytes,
    sheets: tuple[Sheet, ...],
    writer: PdfWriter,
    shifter: Shifter | None,
    bare: Callable[[int], Picture] | None,
) -> dict[int, PageObject]:
    """Page number to a new page with only what is allowed, for the pages that hide nothing."""
    clean: dict[int, PageObject] = {}
    carrier, count = _Carrier(writer), len(sheets)
    try:
        reader = PdfReader(io.BytesIO(source))
        if "/OCProperties" in reader.root_object or reader.is_encrypted or len(reader.pages) != count:
            return clean
        shown = pypdfium2.PdfDocument(source)
    except (PyPdfError, pypdfium2.PdfiumError, ValueError, KeyError, RecursionError):
        return clean
    try:
        for number in range(1, count + 1):
            try:
                rebuilt = _rebuilt(reader, reader.pages[number - 1], carrier)
            except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue
            if rebuilt is not None and _all_shows(shown, number):
                page, body = rebuilt
                clean[number] = page
                if shifter is not None and bare is not None:
                    sheet = sheets[number - 1]
                    place = _on_sheet(page, sheet)
                    body = shifter.text(number, body, page["/Resources"], place, sheet, bare)
                page[NameObject("/Contents")] = _packed(body, reader)
    finally:
        shown.close()
    return clean


def _on_sheet(page: PageObject, sheet: Sheet) -> Matrix:
    box, rate = page.mediabox, dpi_of(sheet) / 25.4
    edges = (float(box.left), float(box.bottom), float(box.right), float(box.top))
    at = sheet.content
    return place_of(edges, page.rotation, at.width * rate, at.left * rate, at.top * rate)


def _packed(operations: Operations, reader: PdfReader) -> StreamObject:
    body = ContentStream(None, reader)
    body.operations = operations
    packed = StreamObject()
    packed.set_data(body.get_data())
    return packed


def _rebuilt(reader: PdfReader, page: PageObject, carrier: _Carrier) -> tuple[PageObject, Operations] | None:
    """A new page without its contents, and the operators they may consist of."""
    if page.get("/Annots") or page.get("/UserUnit", 1) != 1:
        return None
    contents = page.get_contents()
    if contents is None:
        return None
    stream = ContentStream(contents, reader)
    kept = []
    names: dict[str, set[str]] = {kind: set() for kind in _RESOURCES}
    for operands, operator in stream.operations:
        if operator in _MARKED:
            continue
        if operator not in _OPERATORS:
            return None
        kind = {b"Tf": "/Font", b"gs": "/ExtGState", b"CS": "/ColorSpace", b"cs": "/ColorSpace"}.get(operator)
        if kind is not None:
            names[kind].add(str(operands[0]))
        kept.append((operands, operator))
    resources = _resources(page, names, carrier)
    if resources is None:
        return None
    box = RectangleObject([float(edge) for edge in page.cropbox])
    rebuilt = PageObject(None, None)
    rebuilt.update(
        {
            NameObject("/Type"): NameObject("/Page"),
            NameObject("/MediaBox"): box,
            NameObject("/Resources"): resources,
        }
    )
    if page.rotation % 360:
        rebuilt.rotate(page.rotation % 360)
    return rebuilt, kept


def _resources(page: PageObject, names: dict[str, set[str]], carrier: _Carrier) -> DictionaryObject | None:
    """Only the resources that are used, bare of metadata; None when one of them could hide something."""
    source = page.get("/Resources")
    available = source.get_object() if source is not None else DictionaryObject()
    kept = DictionaryObject()
    for kind, wanted in names.items():
        group = available.get(kind)
        entries = group.get_object() if group is not None else DictionaryObject()
        chosen = DictionaryObject()
        for name in sorted(wanted):
            if name not in entries:
                if kind == "/ColorSpace" and name.startswith(("/Device", "/Pattern")):
                    if name == "/Pattern":
                        return None
                    continue
                return None
            if _could_hide(kind, entries[name].get_object()):
                return None
            chosen[NameObject(name)] = carrier.carry(entries.raw_get(name))
        if chosen:
            kept[NameObject(kind)] = chosen
    return kept


def _could_hide(kind: str, value: Any) -> bool:
    if kind == "/Font":
        return value.get("/Subtype") not in ("/Type0", "/TrueType", "/Type1", "/MMType1")
    if kind == "/ExtGState":
        return value.get("/SMask", "/None") != "/None" or "/Font" in value
    return "/Pattern" in str(value)[:200]


class _Carrier:
    """Takes objects into the new file, each once, without the keys that carry other content."""

    def __init__(self, writer: PdfWriter) -> None:
        self._writer = writer
        self._carried: dict[tuple[int, int], IndirectObject] = {}

    def carry(self, value: Any, depth: int = 0) -> Any:
        """The object as it stands in the new file.

        Raises:
            ValueError: when it is nested too deep (or in a ring).
        """
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
        if isinstance(value, IndirectObject):
            key = (value.idnum, value.generation)
            if key not in self._carried:
                taken = self.carry(value.get_object(), depth + 1)
                self._carried[key] = (
                    taken if isinstance(taken, IndirectObject) else self._writer._add_object(taken)
                )
            return self._carried[key]
        if isinstance(value, StreamObject):
            stream = StreamObject()
            stream.update(self._entries(value, depth, skip=("/Length", "/Filter", "/DecodeParms")))
            stream.set_data(value.get_data())
            return self._writer._add_object(stream.flate_encode())
        if isinstance(value, DictionaryObject):
            return DictionaryObject(self._entries(value, depth))
        if isinstance(value, ArrayObject):
            return ArrayObject([self.carry(item, depth + 1) for item in value])
        return value if value is not None else NullObject()

    def _entries(self, value: DictionaryObject, depth: int, skip: tuple[str, ...] = ()) -> dict[Any, Any]:
        return {
            NameObject(key): self.carry(value.raw_get(key), depth + 1)
            for key in value
            if key not in _NEVER_CARRIED and key not in skip
        }


def _compose(page: PageObject, sheet: Sheet, marks: PageObject) -> PageObject:
    if page.rotation:
        page.transfer_rotation_to_content()
    composed = PageObject.create_blank_page(width=sheet.width * _POINTS, height=sheet.height * _POINTS)
    box = page.mediabox
    factor = sheet.content.width * _POINTS / float(box.width)
    bottom = (sheet.height - sheet.content.top - sheet.content.height) * _POINTS
    move = (
        Transformation()
        .translate(-float(box.left), -float(box.bottom))
        .scale(factor, factor)
        .translate(sheet.content.left * _POINTS, bottom)
    )
    composed.merge_transformed_page(page, move)
    composed.merge_page(marks)
    composed.pop("/Annots", None)
    return composed


def _all_shows(shown: pypdfium2.PdfDocument, number: int) -> bool:
    """Whether the page is text and lines only, and every character can be seen on it."""
    page = shown[number - 1]
    try:
        if not _only_text_and_lines(page):
            return False
        bitmap = page.render(scale=_LOOK_SCALE, rev_byteorder=True, may_draw_forms=False)
        picture = np.array(bitmap.to_numpy()[:, :, :3], np.int16)
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


def _shows(page: Any, textpage: Any, index: int, picture: NDArray[np.int16]) -> bool:
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
