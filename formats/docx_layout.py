"""A simple page layout for DOCX: enough for lines with boxes, a page count, and pages that can be drawn.

Not Word's layout: widths are those of full-width type (one em) and an average Latin letter, so that
pages come out the same on every machine, with or without fonts. Where Word left its own page breaks in
the file (`lastRenderedPageBreak`) these decide, and a page that would run over is set tighter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ..models.page import Role
from .docx_numbering import W
from .docx_read import (
    PAGE_BREAK,
    PAGE_NUMBER,
    PAGE_TOTAL,
    RENDERED_BREAK,
    Block,
    Paragraph,
    PictureBlock,
    Row,
    SectionEnd,
)
from .fault import FormatFault
from .lines import Glyph, is_narrow

_SINGLE = 1.3
_NO_LINE_START = frozenset("，。、；：？！）》〉」』】〕’”％,.;:?!)]}")
_TWIPS = 20.0
_CELL_MARGIN = 4.0
_TIGHTEST = 0.45
_LETTERHEAD = 20.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """Paper and margins in points; header and footer blocks of the section."""

    width: float = 595.3
    height: float = 841.9
    top: float = 72.0
    bottom: float = 72.0
    left: float = 90.0
    right: float = 90.0
    header: tuple[Block, ...] = ()
    footer: tuple[Block, ...] = ()
    first: tuple[tuple[Block, ...], tuple[Block, ...]] | None = None
    """Header and footer of the section's first page, where they differ; the same of even pages."""
    even: tuple[tuple[Block, ...], tuple[Block, ...]] | None = None


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """A cell of a ruled table on a page; lengths in points from the top left."""

    table: int
    row: int
    column: int
    columns: int
    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """A picture on a page; lengths in points from the top left."""

    block: PictureBlock
    left: float
    top: float
    width: float
    height: float


@dataclass(slots=True)
class LaidPage:
    """Rows of glyphs (each row one visual line, with its role), pictures and cells of one page."""

    sheet: Sheet
    rows: list[list[Glyph]] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    pictures: list[PlacedPicture] = field(default_factory=list)
    cells: list[PlacedCell] = field(default_factory=list)
    begins: bool = False
    """The first page of its section."""

    def add(self, row: list[Glyph], role: Role = "body") -> None:
        """Sets a row below what stands; an empty one is nothing."""
        if row:
            self.rows.append(row)
            self.roles.append(role)


def sheet_of(properties: Any, header: tuple[Block, ...], footer: tuple[Block, ...]) -> Sheet:
    """Paper and margins of a `sectPr`; implausible values become those of A4."""
    size, margins = properties.find(f"{W}pgSz"), properties.find(f"{W}pgMar")
    sheet = Sheet(header=header, footer=footer)
    width, height = _points(size, "w", sheet.width), _points(size, "h", sheet.height)
    if not (100 <= width <= 3000 and 100 <= height <= 3000):
        width, height = sheet.width, sheet.height
    edges = {
        name: _points(margins, name, getattr(sheet, name)) for name in ("top", "bottom", "left", "right")
    }
    if edges["left"] + edges["right"] > width * 0.85 or edges["top"] + edges["bottom"] > height * 0.85:
        edges = {"top": height * 0.1, "bottom": height * 0.1, "left": width * 0.1, "right": width * 0.1}
    return replace(
        sheet,
        width=width,
        height=height,
        top=edges["top"],
        bottom=edges["bottom"],
        left=edges["left"],
        right=edges["right"],
    )


def lay_out(sections: list[tuple[Sheet, list[Block], bool]], *, max_pages: int) -> list[LaidPage]:
    """All pages of the document. A section is (sheet, blocks, starts on a new page).

    Raises:
        FormatFault: `too_many_pages`.
    """
    rendered = any(_has_rendered_break(block) for _, blocks, _ in sections for block in blocks)
    setter = _Setter(rendered, max_pages)
    for sheet, blocks, new_page in sections:
        setter.begin(sheet, new_page)
        for block in blocks:
            setter.put(block)
    setter.end_page()
    total = len(setter.pages)
    for number, page in enumerate(setter.pages, start=1):
        _furnish(page, number, total)
    return setter.pages


class _Setter:
    """The page being set: where the next line goes."""

    def __init__(self, rendered: bool, max_pages: int) -> None:
        self.pages: list[LaidPage] = []
        self._rendered = rendered
        self._max_pages = max_pages
        self._sheet = Sheet()
        self._y = 0.0
        self._open = False

    def begin(self, sheet: Sheet, new_page: bool) -> None:
        """Starts a section."""
        if self._open and not new_page:
            return
        self.end_page()
        self._sheet = sheet
        self._new_page()
        self.pages[-1].begins = True

    def put(self, block: Block) -> None:
        """Sets one block where the page stands."""
        if isinstance(block, Paragraph):
            self._paragraph(block)
        elif isinstance(block, PictureBlock):
            self._picture(block)
        elif isinstance(block, Row):
            self._row(block)

    def end_page(self) -> None:
        """Closes the page; a page that ran over is set tighter."""
        if not self._open:
            return
        self._open = False
        page, sheet = self.pages[-1], self._sheet
        floor = sheet.height - sheet.bottom
        if self._y > floor + 1 and page.rows:
            factor = (floor - sheet.top) / (self._y - sheet.top)
            page.rows = [[_pulled(glyph, sheet.top, factor) for glyph in row] for row in page.rows]
            page.cells = [
                replace(
                    cell,
                    top=sheet.top + (cell.top - sheet.top) * factor,
                    bottom=sheet.top + (cell.bottom - sheet.top) * factor,
                )
                for cell in page.cells
            ]

    def _new_page(self) -> None:
        if len(self.pages) >= self._max_pages:
            raise FormatFault("too_many_pages", f"> {self._max_pages}")
        self.pages.append(LaidPage(self._sheet))
        self._y = self._sheet.top
        self._open = True

    def _turn(self) -> None:
        self.end_page()
        self._new_page()

    def _is_fresh(self) -> bool:
        return not self.pages[-1].rows and not self.pages[-1].pictures

    def _room(self, wanted: float) -> None:
        """Turns the page when the next thing does not fit."""
        depth = self._sheet.height - self._sheet.bottom - self._sheet.top
        over = depth * (1 / _TIGHTEST - 1) if self._rendered else 0.0
        if self._y + wanted > self._sheet.top + depth + over and not self._is_fresh():
            self._turn()

    def _paragraph(self, block: Paragraph) -> None:
        if block.break_before and not self._is_fresh():
            self._turn()
        self._y += block.before
        sheet = self._sheet
        pitch = block.pitch or _SINGLE * block.size
        width = max(sheet.width - sheet.left - sheet.right - block.left - block.right, 4 * block.size)
        first = block.first
        for sign, piece in _at_breaks(block.text):
            if (sign == PAGE_BREAK or (sign == RENDERED_BREAK and self._rendered)) and not self._is_fresh():
                self._turn()
            for line in wrap(piece, block.size, width, first):
                self._room(pitch)
                left = sheet.left + block.left
                self.pages[-1].add(set_line(line, block, left, width, self._y + pitch * 0.78, first))
                self._y += pitch
                first = 0.0
        self._y += block.after

    def _picture(self, block: PictureBlock) -> None:
        sheet = self._sheet
        most = (sheet.width - 20, sheet.height - 20)
        width, height = max(block.width, 1.0), max(block.height, 1.0)
        scale = min(1.0, most[0] / width, most[1] / height)
        width, height = width * scale, height * scale
        self._room(min(height, sheet.height - sheet.top - sheet.bottom))
        left = min(sheet.left, sheet.width - width - 10)
        top = min(self._y, sheet.height - height - 10)
        self.pages[-1].pictures.append(PlacedPicture(block, max(left, 0), max(top, 0), width, height))
        self._y = max(self._y, top + height)

    def _row(self, row: Row) -> None:
        """A table row; when it is higher than a page its cells simply follow each other."""
        sheet = self._sheet
        width = sheet.width - sheet.left - sheet.right
        cells = []
        left = sheet.left
        for share, blocks in row.cells:
            cells.append(
                (left + _CELL_MARGIN, max(width * share - 2 * _CELL_MARGIN, 8.0), tuple(_flat(blocks)))
            )
            left += width * share
        heights = [_height(blocks, inner) for _, inner, blocks in cells]
        if max(heights, default=0.0) > (sheet.height - sheet.top - sheet.bottom) * 0.9:
            for _, _, blocks in cells:
                for block in blocks:
                    self.put(block)
            return
        self._room(max(heights, default=0.0))
        top = self._y
        for start, inner, blocks in cells:
            y = top
            for block in blocks:
                if isinstance(block, PictureBlock):
                    scale = min(1.0, inner / max(block.width, 1.0))
                    size = max(block.width, 1.0) * scale, max(block.height, 1.0) * scale
                    self.pages[-1].pictures.append(PlacedPicture(block, start, y, *size))
                    y += size[1]
                elif isinstance(block, Paragraph):
                    pitch = block.pitch or _SINGLE * block.size
                    for index, line in enumerate(
                        wrap(_no_breaks(block.text), block.size, inner, block.first)
                    ):
                        first = block.first if index == 0 else 0.0
                        placed = set_line(line, block, start, inner, y + pitch * 0.78, first)
                        self.pages[-1].add(placed, "cell" if row.ruled else "body")
                        y += pitch
        self._y = top + max(heights, default=0.0)
        if row.ruled:
            self.pages[-1].cells += [
                PlacedCell(
                    table=row.table, row=row.index, column=column, columns=span,
                    text="\n".join(_no_breaks(b.text).strip() for b in blocks if isinstance(b, Paragraph)).strip(),
                    left=start - _CELL_MARGIN, top=top, right=start + inner + _CELL_MARGIN, bottom=self._y,
                )
                for (start, inner, blocks), (column, span) in zip(cells, row.columns, strict=False)
            ]  # fmt: skip


def wrap(text: str, size: float, width: float, first: float) -> list[str]:
    """Text in lines of `width` points; closing marks may hang over the end, Latin words stay whole."""
    lines: list[str] = []
    for piece in text.split("\n"):
        line, used = "", first
        for char in piece:
            step = advance(char, size)
            if used + step > width + 0.01 and line.strip() and char not in _NO_LINE_START:
                keep = _word_start(line) if is_narrow(char) and not char.isspace() else len(line)
                lines.append(line[:keep])
                line = line[keep:].lstrip(" ")
                used = sum(advance(old, size) for old in line)
            line += char
            used += step
        lines.append(line)
        first = 0.0
    return lines


def _word_start(line: str) -> int:
    """Where the unfinished Latin word at the line's end begins; the end when it is too long."""
    start = len(line)
    while start > 0 and is_narrow(line[start - 1]) and not line[start - 1].isspace():
        start -= 1
    return start if start > 0 and len(line) - start <= 20 else len(line)


def advance(char: str, size: float) -> float:
    """Approximate width of a character in points."""
    if char == "\t":
        return 2 * size
    if char == " ":
        return 0.35 * size
    return 0.52 * size if is_narrow(char) else size


def set_line(line: str, look: Paragraph, left: float, width: float, base: float, first: float) -> list[Glyph]:
    """The glyphs of one wrapped line, aligned in its column."""
    stripped = line.rstrip()
    used = sum(advance(char, look.size) for char in stripped)
    x = left + first
    if look.align == "center":
        x = left + max((width - used) / 2, 0.0)
    elif look.align == "right":
        x = left + max(width - used, 0.0)
    row = []
    for char in stripped:
        step = advance(char, look.size)
        if not char.isspace():
            row.append(
                Glyph(
                    char=char,
                    left=x,
                    top=base - 0.88 * look.size,
                    right=x + step,
                    bottom=base + 0.14 * look.size,
                    base=base,
                    size=look.size,
                    colour=look.colour,
                )
            )
        x += step
    return row


def _furnish(page: LaidPage, number: int, total: int) -> None:
    """Adds header and footer, with the page's number in place.

    A letterhead is often set in the header of the first page: large or red type that stands on that page alone is
    text of the paper, and only what repeats, or is small, is a header.
    """
    sheet = page.sheet
    width = sheet.width - sheet.left - sheet.right
    header, footer, alone = sheet.header, sheet.footer, total == 1
    if page.begins and sheet.first is not None:
        (header, footer), alone = sheet.first, True
    elif number % 2 == 0 and sheet.even is not None:
        header, footer = sheet.even
    for blocks, from_top in ((header, True), (footer, False)):
        paragraphs = [b for b in _flat(blocks) if isinstance(b, Paragraph) and b.text.strip()]
        pitches = [_SINGLE * paragraph.size for paragraph in paragraphs]
        high = sum(pitches)
        y = (
            max(sheet.top * 0.6 - high / 2, 4.0)
            if from_top
            else sheet.height - max(sheet.bottom * 0.6, high + 4)
        )
        rows: list[list[Glyph]] = []
        roles: list[Role] = []
        for paragraph, pitch in zip(paragraphs, pitches, strict=True):
            text = (
                _no_breaks(paragraph.text).replace(PAGE_NUMBER, str(number)).replace(PAGE_TOTAL, str(total))
            )
            row = set_line(text.replace("\n", " "), paragraph, sheet.left, width, y + pitch * 0.78, 0.0)
            y += pitch
            if row:
                rows.append(row)
                letterhead = from_top and alone and number == 1 and _is_letterhead(paragraph)
                roles.append("body" if letterhead else "header" if from_top else "footer")
        page.rows = rows + page.rows if from_top else page.rows + rows
        page.roles = roles + page.roles if from_top else page.roles + roles


def _is_letterhead(paragraph: Paragraph) -> bool:
    return not paragraph.art and (paragraph.size >= _LETTERHEAD or paragraph.colour == "red")


def _height(blocks: tuple[Block, ...], width: float) -> float:
    total = 0.0
    for block in blocks:
        if isinstance(block, Paragraph):
            lines = wrap(_no_breaks(block.text), block.size, width, block.first)
            total += len(lines) * (block.pitch or _SINGLE * block.size)
        elif isinstance(block, PictureBlock):
            total += max(block.height, 1.0) * min(1.0, width / max(block.width, 1.0))
    return total


def _flat(blocks: Iterable[Block]) -> Iterable[Block]:
    """Blocks with nested tables unrolled, as cells hold them."""
    for block in blocks:
        if isinstance(block, Row):
            for _, inner in block.cells:
                yield from _flat(inner)
        elif not isinstance(block, SectionEnd):
            yield block


def _at_breaks(text: str) -> Iterable[tuple[str, str]]:
    """Pieces of a paragraph, each with the break that stands before it."""
    sign, start = "", 0
    for index, char in enumerate(text):
        if char in (PAGE_BREAK, RENDERED_BREAK):
            if index > start:
                yield sign, text[start:index]
            sign, start = (
                (PAGE_BREAK if PAGE_BREAK in (sign if index == start else "", char) else char),
                index + 1,
            )
    yield sign, text[start:]


def _no_breaks(text: str) -> str:
    return text.replace(PAGE_BREAK, "").replace(RENDERED_BREAK, "")


def _has_rendered_break(block: Block) -> bool:
    return isinstance(block, Paragraph) and RENDERED_BREAK in block.text


def _pulled(glyph: Glyph, top: float, factor: float) -> Glyph:
    def pull(y: float) -> float:
        return top + (y - top) * factor

    return replace(glyph, top=pull(glyph.top), bottom=pull(glyph.bottom), base=pull(glyph.base))


def _points(node: Any | None, name: str, default: float) -> float:
    try:
        value = float("" if node is None else node.get(f"{W}{name}", "")) / _TWIPS
    except ValueError:
        return default
    return abs(value)
