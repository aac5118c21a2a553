"""The content of a DOCX as a flat list of blocks, in reading order.

Deleted text of tracked changes, hidden text and comments are left out of the text and reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .docx_numbering import Numbering, W
from .lines import Colour, colour_of

Align = Literal["left", "center", "right", "both"]
PAGE_BREAK, RENDERED_BREAK, PAGE_NUMBER, PAGE_TOTAL = "\f", "\v", "\ue000", "\ue001"

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_V = "{urn:schemas-microsoft-com:vml}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_EMU_PER_POINT = 12_700
_TWIPS = 20.0
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


@dataclass(frozen=True, slots=True)
class PictureBlock:
    """A picture in the flow: relationship id in its part, size in points."""

    part: Any
    relation: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Row:
    """A table row: (width share, blocks) of each cell."""

    cells: tuple[tuple[float, tuple[Block, ...]], ...]


@dataclass(frozen=True, slots=True)
class SectionEnd:
    """Closes a section: its properties hold for what came before."""

    properties: Any
    new_page: bool


Block = Paragraph | PictureBlock | Row | SectionEnd


@dataclass(frozen=True, slots=True)
class _Look:
    """What a style says, inherited."""

    size: float | None = None
    align: Align | None = None
    colour: Colour | None = None
    hidden: bool = False
    first: float | None = None
    first_chars: float | None = None
    left: float | None = None
    right: float | None = None
    before: float | None = None
    after: float | None = None
    pitch: float | None = None
    list_id: str | None = None
    depth: int = 0
    page_before: bool = False


@dataclass(slots=True)
class _Text:
    """A paragraph being gathered."""

    parts: list[str] = field(default_factory=list)
    sizes: Counter[float] = field(default_factory=Counter)
    colours: Counter[Colour] = field(default_factory=Counter)
    floats: list[Block] = field(default_factory=list)
    fields: list[list[str]] = field(default_factory=list)


class Reader:
    """Reads parts of one document; `flags` gathers finding codes on the way."""

    def __init__(self, *, styles: Any | None, numbering: Any | None) -> None:
        self.flags: set[str] = set()
        self._numbering = Numbering(numbering)
        self._styles = (
            {} if styles is None else {s.get(f"{W}styleId", ""): s for s in styles.iter(f"{W}style")}
        )
        self._looks: dict[str, _Look] = {}
        self._base = self._defaults(styles)
        self._plain = next(
            (key for key, s in self._styles.items()
             if s.get(f"{W}type") == "paragraph" and s.get(f"{W}default") in ("1", "true", "on")), "",
        )  # fmt: skip

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
                self.flags.add("tracked_changes")
            elif name == f"{_MC}AlternateContent":
                chosen = _choice(node)
                if chosen is not None:
                    yield from self.blocks(chosen, part)
            elif name == f"{W}sectPr":
                yield SectionEnd(node, new_page=False)

    def _paragraph(self, node: Any, part: Any) -> Iterator[Block]:
        properties = node.find(f"{W}pPr")
        look = self._paragraph_look(properties)
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

    def _inline(self, node: Any, part: Any, look: _Look, text: _Text) -> None:
        name = node.tag
        if name == f"{W}r":
            self._run(node, part, look, text)
        elif name in (f"{W}del", f"{W}moveFrom"):
            self.flags.add("tracked_changes")
        elif name == f"{W}fldSimple":
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
                self.flags.add("tracked_changes")
            for child in node:
                self._inline(child, part, look, text)
        elif name == f"{W}commentRangeStart":
            self.flags.add("comments_inside")

    def _run(self, node: Any, part: Any, look: _Look, text: _Text) -> None:
        properties = node.find(f"{W}rPr")
        style = _attr(properties, "rStyle")
        own = _merge(look, self._style_look(style)) if style else look
        own = _merge(own, _run_look(properties))
        if own.hidden:
            if any(child.tag == f"{W}t" and (child.text or "").strip() for child in node):
                self.flags.add("hidden_text")
            return
        start = len(text.parts)
        for child in node:
            self._run_child(child, part, look, text)
        letters = sum(len(piece.strip()) for piece in text.parts[start:])
        if letters:
            text.sizes[own.size or DEFAULT_SIZE] += letters
            text.colours[own.colour or "black"] += letters

    def _run_child(self, child: Any, part: Any, look: _Look, text: _Text) -> None:
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
        elif name == f"{W}commentReference":
            self.flags.add("comments_inside")

    def _field(self, kind: str | None, text: _Text) -> None:
        if kind == "begin":
            text.fields.append(["", "code"])
        elif kind == "separate" and text.fields:
            text.fields[-1][1] = "result"
        elif kind == "end" and text.fields:
            sign = _field_sign(text.fields.pop()[0])
            if sign:
                text.parts.append(sign)

    def _drawing(self, node: Any, part: Any, text: _Text) -> None:
        boxes = list(node.iter(f"{W}txbxContent"))
        for box in boxes:
            if not any(_inside(box, other) for other in boxes if other is not box):
                text.floats += [
                    block for block in self.blocks(box, part) if isinstance(block, Paragraph | Row)
                ]
        for art in node.iter(f"{_V}textpath"):
            words = art.get("string", "").strip()
            if words:
                text.floats.append(Paragraph(text=_clean(words), size=26.0, align="center"))
        extent = next(node.iter(f"{_WP}extent"), None)
        for relation, shape in _picture_relations(node):
            width, height = _extent(extent) if extent is not None else _vml_size(shape)
            text.floats.append(PictureBlock(part=part, relation=relation, width=width, height=height))

    def _table(self, node: Any, part: Any) -> Iterator[Row]:
        grid = [_length(column.get(f"{W}w")) or 0.0 for column in node.iterfind(f"{W}tblGrid/{W}gridCol")]
        for row in node.iter(f"{W}tr"):
            if next(row.iterancestors(f"{W}tbl"), None) is not node:
                continue
            cells: list[tuple[float, tuple[Block, ...]]] = []
            column = 0
            for cell in row.iter(f"{W}tc"):
                if next(cell.iterancestors(f"{W}tr"), None) is not row:
                    continue
                span = _whole(_attr(cell.find(f"{W}tcPr"), "gridSpan"), 1)
                width = sum(grid[column : column + span]) or 1.0
                column += span
                cells.append((width, tuple(self.blocks(cell, part))))
            total = sum(width for width, _ in cells) or 1.0
            if cells:
                yield Row(tuple((width / total, blocks) for width, blocks in cells))

    def _defaults(self, styles: Any | None) -> _Look:
        if styles is None:
            return _Look()
        base = styles.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr")
        paragraph = styles.find(f"{W}docDefaults/{W}pPrDefault/{W}pPr")
        return _merge(_run_look(base), _own_paragraph_look(paragraph))

    def _style_look(self, style: str, depth: int = 0) -> _Look:
        if style in self._looks:
            return self._looks[style]
        node = self._styles.get(style)
        if node is None or depth > 20:
            return _Look()
        parent = _attr(node, "basedOn")
        look = self._style_look(parent, depth + 1) if parent else _Look()
        look = _merge(look, _own_paragraph_look(node.find(f"{W}pPr")))
        look = _merge(look, _run_look(node.find(f"{W}rPr")))
        self._looks[style] = look
        return look

    def _paragraph_look(self, properties: Any | None) -> _Look:
        style = _attr(properties, "pStyle") or self._plain
        look = _merge(self._base, self._style_look(style)) if style else self._base
        return _merge(look, _own_paragraph_look(properties))


def _merge(under: _Look, over: _Look) -> _Look:
    given = {
        name: getattr(over, name)
        for name in _Look.__slots__
        if getattr(over, name) is not None and name not in ("hidden", "depth", "page_before")
    }
    return replace(
        under,
        **given,
        hidden=under.hidden or over.hidden,
        depth=over.depth if over.list_id is not None else under.depth,
        page_before=under.page_before or over.page_before,
    )


def _run_look(properties: Any | None) -> _Look:
    if properties is None:
        return _Look()
    half = _attr(properties, "sz")
    return _Look(
        size=min(max(_whole(half, 21) / 2, 1.0), 400.0) if half else None,
        colour=_colour(_attr(properties, "color")),
        hidden=_on(properties.find(f"{W}vanish")),
    )


def _own_paragraph_look(properties: Any | None) -> _Look:
    if properties is None:
        return _Look()
    indent, spacing = properties.find(f"{W}ind"), properties.find(f"{W}spacing")
    listed = properties.find(f"{W}numPr")
    align = _attr(properties, "jc")
    return _Look(
        align={"center": "center", "right": "right", "end": "right", "left": "left", "start": "left"}.get(
            align, "both"
        )  # type: ignore[arg-type]
        if align
        else None,
        first=_get(indent, "firstLine"),
        first_chars=None
        if indent is None or indent.get(f"{W}firstLineChars") is None
        else _whole(indent.get(f"{W}firstLineChars"), 0) / 100,
        left=_get(indent, "left") if _get(indent, "left") is not None else _get(indent, "start"),
        right=_get(indent, "right") if _get(indent, "right") is not None else _get(indent, "end"),
        before=_get(spacing, "before"),
        after=_get(spacing, "after"),
        pitch=_pitch(spacing),
        list_id=_attr(listed, "numId"),
        depth=_whole(_attr(listed, "ilvl"), 0),
        page_before=_on(properties.find(f"{W}pageBreakBefore")),
    )


def _pitch(spacing: Any | None) -> float | None:
    """Line pitch in points, or minus a multiple of single spacing."""
    line = None if spacing is None else spacing.get(f"{W}line")
    if spacing is None or line is None:
        return None
    if spacing.get(f"{W}lineRule", "auto") == "auto":
        return -max(_whole(line, 240) / 240, 0.5)
    return max(_whole(line, 240) / _TWIPS, 1.0)


def _picture_relations(node: Any) -> Iterator[tuple[str, Any]]:
    for blip in node.iter(f"{_A}blip"):
        if blip.get(f"{_R}embed"):
            yield blip.get(f"{_R}embed"), blip
    for data in node.iter(f"{_V}imagedata"):
        if data.get(f"{_R}id"):
            yield data.get(f"{_R}id"), data


def _extent(extent: Any) -> tuple[float, float]:
    return _whole(extent.get("cx"), 0) / _EMU_PER_POINT, _whole(extent.get("cy"), 0) / _EMU_PER_POINT


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


def _inside(node: Any, other: Any) -> bool:
    return any(parent is other for parent in node.iterancestors())


def _field_sign(code: str) -> str:
    words = code.split()
    return {"PAGE": PAGE_NUMBER, "NUMPAGES": PAGE_TOTAL, "SECTIONPAGES": PAGE_TOTAL}.get(
        words[0].upper() if words else "", ""
    )


def _clean(text: str) -> str:
    return "".join(" " if char in "\t\r\n" else char for char in text if char >= " " or char in "\t\r\n")


def _attr(node: Any | None, name: str) -> str:
    child = None if node is None else node.find(f"{W}{name}")
    return "" if child is None else child.get(f"{W}val", "")


def _on(node: Any | None) -> bool:
    return node is not None and node.get(f"{W}val", "1") not in ("0", "false", "off")


def _get(node: Any | None, name: str) -> float | None:
    return None if node is None else _length(node.get(f"{W}{name}"))


def _length(twips: str | None) -> float | None:
    try:
        return min(max(float(twips or "") / _TWIPS, -1000.0), 5000.0)
    except ValueError:
        return None


def _whole(text: str | None, default: int) -> int:
    try:
        return int(float(text or ""))
    except (ValueError, OverflowError):
        return default


def _colour(value: str) -> Colour | None:
    if len(value) != 6:
        return None
    try:
        return colour_of(int(value[:2], 16), int(value[2:4], 16), int(value[4:], 16))
    except ValueError:
        return None
