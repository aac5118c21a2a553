"""The content of a DOCX as a flat list of blocks, in reading order.

Deleted text of tracked changes, hidden text and comments are left out of the text and reported: what a reader of
the paper does not see is no text of the paper (`docx_hidden.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .docx_hidden import Unseen, is_struck, is_unseen, lies_off_page
from .docx_numbering import Numbering, W
from .docx_style import Align, Look, StyleBook, attr, length, whole
from .lines import Colour

PAGE_BREAK, RENDERED_BREAK, PAGE_NUMBER, PAGE_TOTAL = "\f", "\v", "\ue000", "\ue001"

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_V = "{urn:schemas-microsoft-com:vml}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_EMU_PER_POINT = 12_700
DEFAULT_SIZE = 10.5


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph. `text` may hold the break and page number signs above. Lengths in points."""

    text: str
    size: float = DEFAULT_SIZE
    align: Align = "both"
    colour: Colour = "black"
    first: float = 0.0
    left: float = 0.0
    right: float = 0.0
    before: float = 0.0
    after: float = 0.0
    pitch: float | None = None
    break_before: bool = False
    art: bool = False
    """Words drawn as a picture; in a header, a watermark."""


@dataclass(frozen=True, slots=True)
class PictureBlock:
    """A picture in the flow: relationship id in its part, size in points."""

    part: Any
    relation: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Row:
    """A table row: (width share, blocks) of each cell. `ruled`: of a table with lines between its columns.

    `table` numbers the tables of the document, `index` the rows of the table; `columns` says where each cell begins
    and how many columns it takes.
    """

    cells: tuple[tuple[float, tuple[Block, ...]], ...]
    ruled: bool = False
    table: int = 0
    index: int = 0
    columns: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SectionEnd:
    """Closes a section: its properties hold for what came before."""

    properties: Any
    new_page: bool


Block = Paragraph | PictureBlock | Row | SectionEnd


@dataclass(slots=True)
class _Text:
    """A paragraph being gathered."""

    parts: list[str] = field(default_factory=list)
    sizes: Counter[float] = field(default_factory=Counter)
    colours: Counter[Colour] = field(default_factory=Counter)
    floats: list[Block] = field(default_factory=list)
    fields: list[list[str]] = field(default_factory=list)


class Reader:
    """Reads parts of one document; `unseen` gathers on the way what a reader of the paper does not see."""

    def __init__(self, *, styles: Any | None, numbering: Any | None) -> None:
        self.unseen = Unseen()
        self._tables = 0
        self._numbering = Numbering(numbering)
        self._styles = StyleBook(styles)

    def blocks(self, container: Any, part: Any) -> Iterator[Block]:
        """The blocks of a body, cell, header, footnote or text box."""
        for node in container:
            name = node.tag
            if name == f"{W}p":
                yield from self._paragraph(node, part)
            elif name == f"{W}tbl":
                yield from self._table(node, part)
            elif name == f"{W}sdt":
                content = node.find(f"{W}sdtContent")
                if content is not None:
                    yield from self.blocks(content, part)
            elif name in (f"{W}ins", f"{W}moveTo", f"{W}customXml", f"{W}smartTag"):
                yield from self.blocks(node, part)
            elif name in (f"{W}del", f"{W}moveFrom"):
                self.unseen.deleted(node)
            elif name == f"{W}altChunk":
                self.unseen.active.add("alt_chunk")
            elif name == f"{_MC}AlternateContent":
                chosen = _choice(node)
                if chosen is not None:
                    yield from self.blocks(chosen, part)
            elif name == f"{W}sectPr":
                yield SectionEnd(node, new_page=False)

    def _paragraph(self, node: Any, part: Any) -> Iterator[Block]:
        properties = node.find(f"{W}pPr")
        look = self._styles.of_paragraph(properties)
        text = _Text()
        for child in node:
            self._inline(child, part, look, text)
        yield from text.floats
        words = "".join(text.parts)
        if look.list_id and look.list_id != "0" and words.strip():
            words = self._numbering.label(look.list_id, look.depth) + words
        size = text.sizes.most_common(1)[0][0] if text.sizes else look.size or DEFAULT_SIZE
        first = look.first_chars * size if look.first_chars is not None else look.first or 0.0
        yield Paragraph(
            text=words,
            size=size,
            align=look.align or "both",
            colour=text.colours.most_common(1)[0][0] if text.colours else "black",
            first=first,
            left=look.left or 0.0,
            right=look.right or 0.0,
            before=look.before or 0.0,
            after=look.after or 0.0,
            pitch=look.pitch if look.pitch is None or look.pitch > 0 else -look.pitch * 1.3 * size,
            break_before=look.page_before,
        )
        section = None if properties is None else properties.find(f"{W}sectPr")
        if section is not None:
            kind = section.find(f"{W}type")
            yield SectionEnd(section, new_page=kind is None or kind.get(f"{W}val") != "continuous")

    def _inline(self, node: Any, part: Any, look: Look, text: _Text) -> None:
        name = node.tag
        if name == f"{W}r":
            self._run(node, part, look, text)
        elif name in (f"{W}del", f"{W}moveFrom"):
            self.unseen.deleted(node)
        elif name == f"{W}fldSimple":
            self.unseen.field(node.get(f"{W}instr", ""))
            sign = _field_sign(node.get(f"{W}instr", ""))
            if sign:
                text.parts.append(sign)
                return
            for child in node:
                self._inline(child, part, look, text)
        elif name == f"{_MC}AlternateContent":
            chosen = _choice(node)
            for child in chosen if chosen is not None else ():
                self._inline(child, part, look, text)
        elif name in (f"{_M}oMath", f"{_M}oMathPara"):
            text.parts.append("".join(leaf.text or "" for leaf in node.iter(f"{_M}t")))
        elif name in (f"{W}hyperlink", f"{W}ins", f"{W}moveTo", f"{W}smartTag", f"{W}sdt", f"{W}sdtContent",
                      f"{W}customXml", f"{W}dir", f"{W}bdo"):  # fmt: skip
            if name in (f"{W}ins", f"{W}moveTo"):
                self.unseen.changed()
            for child in node:
                self._inline(child, part, look, text)

    def _run(self, node: Any, part: Any, look: Look, text: _Text) -> None:
        properties = node.find(f"{W}rPr")
        own = self._styles.of_run(look, properties)
        if is_unseen(node, own):
            self.unseen.hidden(node)
            return
        start = len(text.parts)
        for child in node:
            self._run_child(child, part, look, text)
        if is_struck(properties):
            self.unseen.struck("".join(text.parts[start:]))
        else:
            self.unseen.struck_ends()
        letters = sum(len(piece.strip()) for piece in text.parts[start:])
        if letters:
            text.sizes[own.size or DEFAULT_SIZE] += letters
            text.colours[own.colour or "black"] += letters

    def _run_child(self, child: Any, part: Any, look: Look, text: _Text) -> None:
        name = child.tag
        if name == f"{W}fldChar":
            self._field(child.get(f"{W}fldCharType"), text)
        elif name == f"{W}instrText":
            if text.fields:
                text.fields[-1][0] += child.text or ""
        elif name == f"{W}t":
            if not any(state[1] == "result" and _field_sign(state[0]) for state in text.fields):
                text.parts.append(_clean(child.text or ""))
        elif name in (f"{W}tab", f"{W}ptab"):
            text.parts.append("\t")
        elif name == f"{W}br":
            text.parts.append(PAGE_BREAK if child.get(f"{W}type") == "page" else "\n")
        elif name == f"{W}cr":
            text.parts.append("\n")
        elif name == f"{W}lastRenderedPageBreak":
            text.parts.append(RENDERED_BREAK)
        elif name == f"{W}noBreakHyphen":
            text.parts.append("-")
        elif name == f"{W}sym":
            text.parts.append("□")
        elif name in (f"{W}drawing", f"{W}pict", f"{W}object"):
            self._drawing(child, part, text)
        elif name == f"{_MC}AlternateContent":
            chosen = _choice(child)
            for inner in chosen if chosen is not None else ():
                self._run_child(inner, part, look, text)
        elif name == f"{W}ruby":
            for base in child.iterfind(f"{W}rubyBase/{W}r"):
                self._run(base, part, look, text)

    def _field(self, kind: str | None, text: _Text) -> None:
        if kind == "begin":
            text.fields.append(["", "code"])
        elif kind == "separate" and text.fields:
            text.fields[-1][1] = "result"
        elif kind == "end" and text.fields:
            code = text.fields.pop()[0]
            self.unseen.field(code)
            sign = _field_sign(code)
            if sign:
                text.parts.append(sign)

    def _drawing(self, node: Any, part: Any, text: _Text) -> None:
        if lies_off_page(node):
            self.unseen.hidden(node)
            return
        if any(next(node.iter(tag), None) is not None for tag in (_CHART, _DIAGRAM)):
            self.unseen.charts += 1
        boxes = [box for box in node.iter(f"{W}txbxContent") if not _is_fallback(box, node)]
        for box in boxes:
            if not any(_inside(box, other) for other in boxes if other is not box):
                text.floats += [
                    block for block in self.blocks(box, part) if isinstance(block, Paragraph | Row)
                ]
        for art in node.iter(f"{_V}textpath"):
            words = art.get("string", "").strip()
            if words:
                text.floats.append(Paragraph(text=_clean(words), size=26.0, align="center", art=True))
        extent = next(node.iter(f"{_WP}extent"), None)
        for relation, shape in _picture_relations(node):
            width, height = _extent(extent) if extent is not None else _vml_size(shape)
            text.floats.append(PictureBlock(part=part, relation=relation, width=width, height=height))

    def _table(self, node: Any, part: Any) -> Iterator[Row]:
        grid = [length(column.get(f"{W}w")) or 0.0 for column in node.iterfind(f"{W}tblGrid/{W}gridCol")]
        ruled = self._styles.is_ruled(node)
        self._tables += 1
        table, index = self._tables, -1
        for row in node.iter(f"{W}tr"):
            if next(row.iterancestors(f"{W}tbl"), None) is not node:
                continue
            index += 1
            columns: list[tuple[int, int]] = []
            cells: list[tuple[float, tuple[Block, ...]]] = []
            column = 0
            for cell in row.iter(f"{W}tc"):
                if next(cell.iterancestors(f"{W}tr"), None) is not row:
                    continue
                span = whole(attr(cell.find(f"{W}tcPr"), "gridSpan"), 1)
                width = sum(grid[column : column + span]) or 1.0
                columns.append((column, span))
                column += span
                cells.append((width, tuple(self.blocks(cell, part))))
            total = sum(width for width, _ in cells) or 1.0
            if cells:
                shares = tuple((width / total, blocks) for width, blocks in cells)
                yield Row(shares, ruled=ruled, table=table, index=index, columns=tuple(columns))


def _picture_relations(node: Any) -> Iterator[tuple[str, Any]]:
    for blip in node.iter(f"{_A}blip"):
        if blip.get(f"{_R}embed") and not _is_fallback(blip, node):
            yield blip.get(f"{_R}embed"), blip
    for data in node.iter(f"{_V}imagedata"):
        if data.get(f"{_R}id") and not _is_fallback(data, node):
            yield data.get(f"{_R}id"), data


def _extent(extent: Any) -> tuple[float, float]:
    return whole(extent.get("cx"), 0) / _EMU_PER_POINT, whole(extent.get("cy"), 0) / _EMU_PER_POINT


def _vml_size(data: Any) -> tuple[float, float]:
    found = {}
    for item in (data.getparent().get("style") or "").split(";"):
        name, _, value = item.partition(":")
        if name.strip() in ("width", "height") and value.strip().endswith("pt"):
            try:
                found[name.strip()] = float(value.strip()[:-2])
            except ValueError:
                continue
    return found.get("width", 100.0), found.get("height", 100.0)


def _choice(node: Any) -> Any | None:
    chosen = node.find(f"{_MC}Choice")
    return chosen if chosen is not None else node.find(f"{_MC}Fallback")


def _is_fallback(node: Any, top: Any) -> bool:
    """Whether it stands, below `top`, in what is for programs that cannot show the choice: it would be there twice."""
    for parent in node.iterancestors():
        if parent is top:
            return False
        if parent.tag == f"{_MC}Fallback" and parent.getparent().find(f"{_MC}Choice") is not None:
            return True
    return False


def _inside(node: Any, other: Any) -> bool:
    return any(parent is other for parent in node.iterancestors())


def _field_sign(code: str) -> str:
    words = code.split()
    return {"PAGE": PAGE_NUMBER, "NUMPAGES": PAGE_TOTAL, "SECTIONPAGES": PAGE_TOTAL}.get(
        words[0].upper() if words else "", ""
    )


def _clean(text: str) -> str:
    return "".join(" " if char in "\t\r\n" else char for char in text if char >= " " or char in "\t\r\n")
