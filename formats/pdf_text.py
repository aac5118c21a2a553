"""The text of one PDF page: PDFium's characters, placed, weeded of what nobody sees, judged, set in lines."""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as raw

from ..models.page import Box, Line, Table
from .fault import FormatFault
from .lines import Glyph, build_lines, colour_of
from .pdf_ink import without_ink
from .pdf_tables import lines_in_tables, tables_in
from .soundness import TextFacts, unsound

_BLANKS = frozenset({0x20, 0x0D, 0x0A, 0x09, 0xA0, 0x3000})
_GRID = 1_000_000
_INVISIBLE_MODES = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)
_MAX_OBJECTS = 20_000
_MAX_LATER = 200
_RULE = 4.0
"""Points; thinner paths are rules and hide no text."""
_LEAST_TYPE = 1.5
"""Points; smaller type is not meant to be read."""
_PALE, _FAINT = 235, 25
"""Of 255: fill from which text is white paper, and opacity below which it does not show."""


@dataclass(frozen=True, slots=True)
class PageText:
    """`lines` is None when there is no text or it is unsound; `hidden`: the characters left out as invisible."""

    lines: tuple[Line, ...] | None
    unsound: str | None
    hidden: str
    characters: int
    tables: tuple[Table, ...] = ()
    picture_share: float = 0.0
    """Share (0..1) of the page that pictures cover; told where the text is sound."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Page space to points from the top left, as the page is shown (crop box and rotation applied)."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def along(self, x: float, y: float) -> tuple[float, float]:
        return self.a * x + self.c * y, self.b * x + self.d * y


def page_text(page: Any, width: float, height: float, *, most: int) -> PageText:
    """Text of a PDFium page of `width` x `height` points as shown.

    Raises:
        FormatFault: `too_large` when the page has more than `most` characters; `damaged_file`.
    """
    textpage = page.get_textpage()
    try:
        count = raw.FPDFText_CountChars(textpage)
        if count < 0:
            raise FormatFault("damaged_file", "text")
        if count > most:
            raise FormatFault("too_large", "text")
        frame = _frame(page, width, height)
        found = _collect(textpage.raw, count, frame, width, height)
    finally:
        textpage.close()
    if not found.upright and not found.turned and not found.unseen:
        return PageText(lines=None, unsound=None, hidden="", characters=count)
    painted = _painted(page, width, height, frame)
    upright, turned, unseen = _weed(page, found, [] if painted.covered else painted.later)
    visible = "".join(glyph.char for glyph in upright) + "".join(g.char for run in turned for g in run)
    facts = TextFacts(
        text=visible, unseen=len(unseen), covered=painted.covered, picture_share=painted.picture_share
    )
    reason = unsound(facts)
    if reason or not visible.strip():
        return PageText(lines=None, unsound=reason, hidden=unseen, characters=count)
    grids = tables_in(painted.paths, frame.at, width, height)
    if grids:
        lines, tables = lines_in_tables(upright, grids, width, height)
    else:
        lines, tables = build_lines(upright, width, height), ()
    lines += tuple(_turned_line(run, width, height) for run in turned)
    return PageText(
        lines=lines, unsound=None, hidden=unseen, characters=count, tables=tables,
        picture_share=painted.picture_share,
    )  # fmt: skip


def _frame(page: Any, width: float, height: float) -> _Frame:
    def device(x: float, y: float) -> tuple[float, float]:
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page, 0, 0, _GRID, _GRID, 0, x, y, ctypes.byref(across), ctypes.byref(down))
        return across.value * width / _GRID, down.value * height / _GRID

    zero, right, up = device(0, 0), device(1000, 0), device(0, 1000)
    return _Frame(
        a=(right[0] - zero[0]) / 1000,
        b=(right[1] - zero[1]) / 1000,
        c=(up[0] - zero[0]) / 1000,
        d=(up[1] - zero[1]) / 1000,
        e=zero[0],
        f=zero[1],
    )


@dataclass(slots=True)
class _Found:
    """Characters of a page: upright ones, runs of turned ones, those nobody can see, those nobody may be able to."""

    upright: list[Glyph] = field(default_factory=list)
    turned: list[list[Glyph]] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    pale: set[int] = field(default_factory=set)
    """Identities of glyphs set in white or nearly."""


def _collect(textpage: Any, count: int, frame: _Frame, width: float, height: float) -> _Found:
    found = _Found()
    cells = _Cells()
    fresh = True
    high = 0
    for index in range(count):
        code = raw.FPDFText_GetUnicode(textpage, index)
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
        high = 0
        if code in _BLANKS or raw.FPDFText_IsGenerated(textpage, index) == 1:
            fresh = fresh or code in (0x0D, 0x0A)
            continue
        char = _shown(code)
        glyph, level, pale = _glyph(textpage, index, char, frame, cells)
        if glyph is None or glyph.size < _LEAST_TYPE or not _is_seen(textpage, index, glyph, width, height):
            found.unseen.append(char)
            continue
        if pale:
            found.pale.add(id(glyph))
        if level:
            found.upright.append(glyph)
            continue
        if fresh or not found.turned:
            found.turned.append([])
        fresh = False
        found.turned[-1].append(glyph)
    return found


def _weed(
    page: Any, found: _Found, later: list[tuple[float, float, float, float]]
) -> tuple[list[Glyph], list[list[Glyph]], str]:
    """The glyphs that leave ink, and all that nobody sees as one text."""
    everything = [*found.upright, *(glyph for run in found.turned for glyph in run)]
    doubted = [
        glyph for glyph in everything if id(glyph) in found.pale or any(_lies_in(glyph, box) for box in later)
    ]
    lost = {id(doubted[place]) for place in without_ink(page, doubted)}
    unseen = [*found.unseen, *(glyph.char for glyph in everything if id(glyph) in lost)]
    if not lost:
        return found.upright, found.turned, "".join(unseen)
    upright = [glyph for glyph in found.upright if id(glyph) not in lost]
    turned = [kept for run in found.turned if (kept := [glyph for glyph in run if id(glyph) not in lost])]
    return upright, turned, "".join(unseen)


def _lies_in(glyph: Glyph, box: tuple[float, float, float, float]) -> bool:
    x, y = (glyph.left + glyph.right) / 2, (glyph.top + glyph.bottom) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _shown(code: int) -> str:
    if code == 0 or code > 0x10FFFF:
        return "\ufffd"
    if code in (0xAD, 0x02, 0xFFFE):  # soft hyphen, and PDFium's own marks for a broken word
        return "-"
    return chr(code)


class _Cells:
    """Places that PDFium writes its answers to; made once for all glyphs of a page."""

    __slots__ = ("box", "colours", "matrix", "origin")

    def __init__(self) -> None:
        self.box, self.matrix = raw.FS_RECTF(), raw.FS_MATRIX()
        self.origin = (ctypes.c_double(), ctypes.c_double())
        self.colours = (ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint())


def _glyph(
    textpage: Any, index: int, char: str, frame: _Frame, cells: _Cells
) -> tuple[Glyph | None, bool, bool]:
    """The glyph (None when transparent), whether it stands level, and whether it is set in white."""
    box, matrix, (x, y) = cells.box, cells.matrix, cells.origin
    if not raw.FPDFText_GetLooseCharBox(textpage, index, box):
        return None, True, False
    if not raw.FPDFText_GetCharOrigin(textpage, index, x, y):
        x.value = y.value = 0.0
    if not raw.FPDFText_GetMatrix(textpage, index, matrix):
        matrix.a = matrix.b = matrix.c = matrix.d = 0.0
    first, second = frame.at(box.left, box.bottom), frame.at(box.right, box.top)
    base = frame.at(x.value, y.value)
    across, down = frame.along(matrix.a, matrix.b)
    level = across > 0 and abs(down) < 0.2 * across
    size = raw.FPDFText_GetFontSize(textpage, index) * math.hypot(matrix.c, matrix.d)
    if not 0.5 < size < 2000:
        size = max(abs(second[1] - first[1]) / 1.2, 0.5)
    red, green, blue, alpha = cells.colours
    if not raw.FPDFText_GetFillColor(textpage, index, red, green, blue, alpha):
        red.value = green.value = blue.value = alpha.value = 0
    glyph = Glyph(
        char=char,
        left=min(first[0], second[0]),
        right=max(first[0], second[0]),
        top=min(first[1], second[1]),
        bottom=max(first[1], second[1]),
        base=base[1],
        size=size,
        colour=colour_of(red.value, green.value, blue.value),
    )
    if alpha.value == 0 and _has_fill(textpage, index):
        return None, level, False
    return glyph, level, min(red.value, green.value, blue.value) >= _PALE or alpha.value < _FAINT


def _has_fill(textpage: Any, index: int) -> bool:
    holder = raw.FPDFText_GetTextObject(textpage, index)
    return bool(holder) and raw.FPDFTextObj_GetTextRenderMode(holder) in (
        raw.FPDF_TEXTRENDERMODE_FILL,
        raw.FPDF_TEXTRENDERMODE_FILL_CLIP,
    )


def _is_seen(textpage: Any, index: int, glyph: Glyph, width: float, height: float) -> bool:
    x, y = (glyph.left + glyph.right) / 2, (glyph.top + glyph.bottom) / 2
    if not (0 <= x <= width and 0 <= y <= height):
        return False
    holder = raw.FPDFText_GetTextObject(textpage, index)
    return not holder or raw.FPDFTextObj_GetTextRenderMode(holder) not in _INVISIBLE_MODES


@dataclass(frozen=True, slots=True)
class _Painted:
    """What is on a page beside its text. `later`: boxes (points, from the top left) painted after some text; `paths`:
    PDFium's path objects."""

    picture_share: float
    covered: bool
    later: list[tuple[float, float, float, float]]
    paths: list[Any]


def _painted(page: Any, width: float, height: float, frame: _Frame) -> _Painted:
    """Pictures' share of the page (overlap counts twice, capped), and what was painted over text."""
    share, covered, text_before = 0.0, False, False
    later: list[tuple[float, float, float, float]] = []
    paths: list[Any] = []
    for position, item in enumerate(page.get_objects(max_depth=3)):
        if position >= _MAX_OBJECTS:
            break
        if item.type == raw.FPDF_PAGEOBJ_TEXT:
            text_before = True
            continue
        if item.type not in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_SHADING):
            continue
        if item.type == raw.FPDF_PAGEOBJ_PATH and item.level == 0:
            paths.append(item)
        left, bottom, right, top = item.get_bounds()
        if item.type == raw.FPDF_PAGEOBJ_IMAGE:
            area = max(0.0, right - left) * max(0.0, top - bottom) / (width * height)
            share += area
            covered = covered or (text_before and area > 0.5)
        thick = min(right - left, top - bottom) > _RULE
        if text_before and thick and len(later) < _MAX_LATER:
            first, second = frame.at(left, bottom), frame.at(right, top)
            later.append(
                (min(first[0], second[0]), min(first[1], second[1]),
                 max(first[0], second[0]), max(first[1], second[1]))
            )  # fmt: skip
    return _Painted(min(share, 1.0), covered, later, paths)


def _turned_line(run: list[Glyph], width: float, height: float) -> Line:
    return Line(
        text="".join(glyph.char for glyph in run),
        box=Box(
            left=max(0.0, min(g.left for g in run) / width),
            top=max(0.0, min(g.top for g in run) / height),
            right=min(1.0, max(g.right for g in run) / width),
            bottom=min(1.0, max(g.bottom for g in run) / height),
        ),
        size_mm=round(run[0].size * 25.4 / 72, 2),
        colour=run[0].colour,
    )
