"""Drawing of forms: text, tables and page breaks in millimetres, every glyph checked before it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal

from fpdf import FPDF

from ..common import fonts
from ..common.embedding import embed, written
from ..common.messages import say

Align = Literal["L", "C"]
_POINT = 25.4 / 72
_LEADING = 1.35
_PAD = 1.0
_SHORT, _REMEMBERED = 24, 20_000
"""Texts up to this length come again and again in tables; so many are kept with their lines."""


@dataclass(frozen=True, slots=True)
class Column:
    """A table column: heading, width in millimetres, alignment."""

    head: str
    width: float
    align: Align = "L"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside the PDF."""

    name: str
    data: bytes
    mime: str


def label(code: str, **facts: object) -> str:
    """The Chinese word of the form."""
    return say(f"form_{code}", "zh", **facts)


class Form:
    """One PDF in the making. Positions in millimetres from the top left."""

    def __init__(self, *, at: datetime, title: str, footer: str, watermark: str = "") -> None:
        self._pdf = FPDF(unit="mm", format="A4")
        self._pdf.set_auto_page_break(False)
        self._pdf.set_creation_date(at)
        self._pdf.set_title(title)
        self._pdf.set_producer("jiyao")
        self._pdf.set_lang("zh-CN")
        self._pdf.set_line_width(0.2)
        self._at = at
        self._footer = footer
        self._watermark = watermark
        self._faces = {False: fonts.faces("serif"), True: fonts.faces("sans", "bold")}
        self._names: dict[fonts.Face, str] = {}
        self._widths: dict[tuple[bool, str], float] = {}
        self._wrapped: dict[tuple[str, float, float, bool], list[str]] = {}
        self._picked: dict[tuple[bool, str], fonts.Face] = {}
        self.y = 0.0
        self.margin = 15.0

    @property
    def width(self) -> float:
        """Between the margins."""
        return float(self._pdf.w) - 2 * self.margin

    @property
    def bottom(self) -> float:
        """Lowest y of the body."""
        return float(self._pdf.h) - 16

    def page(self, *, landscape: bool = False) -> None:
        """Starts a page."""
        self._pdf.add_page(orientation="L" if landscape else "P")
        self.margin = 10.0 if landscape else 18.0
        self.y = 16.0

    def wrap(self, text: str, size: float, width: float, *, bold: bool = False) -> list[str]:
        """Lines of at most `width` millimetres; breaks anywhere, as Chinese does, not inside short words."""
        if len(text) <= _SHORT:
            asked = (text, size, width, bold)
            known = self._wrapped.get(asked)
            if known is None and len(self._wrapped) < _REMEMBERED:
                known = self._wrapped[asked] = self._wrap(text, size, width, bold=bold)
            if known is not None:
                return known
        return self._wrap(text, size, width, bold=bold)

    def _wrap(self, text: str, size: float, width: float, *, bold: bool) -> list[str]:
        lines, line, used = [], "", 0.0
        limit = width / (size * _POINT)
        for token in _tokens(fonts.clean(text)):
            wide = self._ems(token, bold)
            pieces = [token] if wide <= limit else list(token)
            for piece in pieces:
                ems = self._ems(piece, bold)
                if line and used + ems > limit:
                    lines.append(line.rstrip())
                    line, used = "", 0.0
                    if piece == " ":
                        continue
                line, used = line + piece, used + ems
        return [*lines, line.rstrip()] if line.strip() or not lines else lines

    def text(self, text: str, x: float, y: float, size: float, *, bold: bool = False) -> None:
        """One line of clean text; `y` is its top."""
        base = y + size * _POINT * 1.05
        for run in self._runs(text, bold):
            self._pdf.set_font(self._name(run.face), size=size)
            self._pdf.text(x, base, run.text)
            x += self._ems(run.text, bold) * size * _POINT

    def centred(self, text: str, size: float, *, bold: bool = False) -> None:
        """One line in the middle of the page; moves down."""
        wide = self._ems(fonts.clean(text), bold) * size * _POINT
        self.text(fonts.clean(text), self.margin + (self.width - wide) / 2, self.y, size, bold=bold)
        self.y += size * _POINT * 1.9

    def paragraph(self, text: str, size: float = 9, *, bold: bool = False) -> None:
        """A block of text over the full width; moves down, breaks pages."""
        step = size * _POINT * _LEADING
        for line in self.wrap(text, size, self.width, bold=bold):
            if self.y + step > self.bottom:
                self.page(landscape=self._pdf.w > self._pdf.h)
            self.text(line, self.margin, self.y, size, bold=bold)
            self.y += step

    def heading(self, text: str) -> None:
        """A small heading; keeps some room below it."""
        if self.y + 24 > self.bottom:
            self.page(landscape=self._pdf.w > self._pdf.h)
        self.y += 3
        self.paragraph(text, 10.5, bold=True)
        self.y += 1

    def table(
        self, columns: Sequence[Column], rows: Sequence[Sequence[str]], *, size: float = 8, heads: bool = True
    ) -> None:
        """A ruled table; rows grow with their text, the heading is repeated on each page."""
        head = [column.head for column in columns]
        if heads:
            self._row(columns, head, size, bold=True)
        for row in rows:
            cells = self._cells(columns, row, size, bold=False)
            if self.y + _height(cells, size) > self.bottom:
                self.page(landscape=self._pdf.w > self._pdf.h)
                if heads:
                    self._row(columns, head, size, bold=True)
            self._draw(columns, cells, size, bold=False)

    def pairs(self, rows: Sequence[tuple[str, str]], *, label_width: float = 34, size: float = 9.5) -> None:
        """A form of two columns: label and value."""
        columns = (Column("", label_width, "C"), Column("", self.width - label_width))
        self.table(columns, rows, size=size, heads=False)

    def box(self, text: str, *, size: float = 9) -> None:
        """A red frame at the right: where the seal stands."""
        wide = 78.0
        lines = self.wrap(text, size, wide - 6)
        high = len(lines) * size * _POINT * _LEADING + 6
        if self.y + high > self.bottom:
            self.page()
        x = self.margin + self.width - wide
        self._pdf.set_draw_color(190, 30, 30)
        self._pdf.set_text_color(190, 30, 30)
        self._pdf.set_line_width(0.6)
        self._pdf.rect(x, self.y, wide, high)
        for number, line in enumerate(lines):
            self.text(line, x + 3, self.y + 3 + number * size * _POINT * _LEADING, size)
        self._pdf.set_line_width(0.2)
        self._pdf.set_draw_color(0)
        self._pdf.set_text_color(0)
        self.y += high + 3

    def finish(self, attachments: Sequence[Attachment]) -> bytes:
        """Footers, attachments, bytes. The same input gives the same bytes."""
        self._foot()
        for item in attachments:
            self._pdf.embed_file(
                bytes=item.data, basename=item.name, mime_type=item.mime, modification_date=self._at,
                creation_date=self._at, compress=True,
            )  # fmt: skip
        return written(self._pdf)

    def _foot(self) -> None:
        total = len(self._pdf.pages)
        for number in range(1, total + 1):
            page = self._pdf.pages[number]
            self._pdf.w_pt, self._pdf.h_pt = page.dimensions()
            width, height = (side / self._pdf.k for side in page.dimensions())
            self._pdf.page, self._pdf.w, self._pdf.h = number, width, height
            # The library remembers the font of the page drawn last; this page has not heard of it.
            self._pdf.font_family = ""
            foot = fonts.clean(f"{self._footer}　　{label('page', page=number, pages=total)}")
            wide = self._ems(foot, False) * 8 * _POINT
            self.text(foot, (width - wide) / 2, height - 12, 8)
            if self._watermark:
                self._across(width, height)

    def _across(self, width: float, height: float) -> None:
        """The mark of a specimen, aslant over the page; it stands in the text too."""
        size = 64.0
        mark = fonts.clean(self._watermark)
        wide = self._ems(mark, True) * size * _POINT
        self._pdf.set_text_color(225, 170, 170)
        with self._pdf.rotation(35, width / 2, height / 2), self._pdf.local_context(fill_opacity=0.45):
            self.text(mark, (width - wide) / 2, height / 2 - size * _POINT / 2, size, bold=True)
        self._pdf.set_text_color(0)

    def _row(self, columns: Sequence[Column], row: Sequence[str], size: float, *, bold: bool) -> None:
        cells = self._cells(columns, row, size, bold=bold)
        if self.y + _height(cells, size) > self.bottom:
            self.page(landscape=self._pdf.w > self._pdf.h)
        self._draw(columns, cells, size, bold=bold)

    def _cells(
        self, columns: Sequence[Column], row: Sequence[str], size: float, *, bold: bool
    ) -> list[list[str]]:
        pairs = zip(columns, row, strict=True)
        return [self.wrap(text, size, column.width - 2 * _PAD, bold=bold) for column, text in pairs]

    def _draw(
        self, columns: Sequence[Column], cells: Sequence[Sequence[str]], size: float, *, bold: bool
    ) -> None:
        high, step = _height(cells, size), size * _POINT * _LEADING
        x = self.margin
        for column, lines in zip(columns, cells, strict=True):
            self._pdf.rect(x, self.y, column.width, high)
            top = self.y + (high - len(lines) * step) / 2
            for number, line in enumerate(lines):
                wide = self._ems(line, bold) * size * _POINT
                shift = (column.width - wide) / 2 if bold or column.align == "C" else _PAD
                if line:
                    self.text(line, x + shift, top + number * step, size, bold=bold)
            x += column.width
        self.y += high

    def _runs(self, text: str, bold: bool) -> list[fonts.Run]:
        cut = groupby(text, key=lambda char: self._pick(char, bold))
        return [fonts.Run(text="".join(chars), face=face) for face, chars in cut]

    def _pick(self, char: str, bold: bool) -> fonts.Face:
        known = self._picked.get((bold, char))
        if known is None:
            known = self._picked[bold, char] = fonts.pick(char, self._faces[bold])
        return known

    def _ems(self, text: str, bold: bool) -> float:
        total = 0.0
        for char in text:
            wide = self._widths.get((bold, char))
            if wide is None:
                wide = self._widths[bold, char] = self._pick(char, bold).advance(char)
            total += wide
        return total

    def _name(self, face: fonts.Face) -> str:
        name = self._names.get(face)
        if name is None:
            name = self._names[face] = f"f{len(self._names)}"
            embed(self._pdf, name, face)
        return name


def _height(cells: Sequence[Sequence[str]], size: float) -> float:
    return max(len(lines) for lines in cells) * size * _POINT * _LEADING + 2 * _PAD


def _tokens(text: str) -> list[str]:
    """Chinese characters one by one, Latin words and numbers whole."""
    tokens: list[str] = []
    for char in text:
        word = char.isascii() and not char.isspace()
        if word and tokens and tokens[-1][-1].isascii() and not tokens[-1][-1].isspace():
            tokens[-1] += char
        else:
            tokens.append(char)
    return tokens
