"""What the styles of a DOCX say about a paragraph or a run: size, colour, indents, spacing, lists."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from .docx_numbering import W
from .lines import Colour, colour_of

Align = Literal["left", "center", "right", "both"]
_TWIPS = 20.0
_DEEPEST = 20
_WHITE = 0xF0
_RULED_CELLS = 4
_ALIGNS: dict[str, Align] = {
    "center": "center", "right": "right", "end": "right", "left": "left", "start": "left",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """What a style says, inherited."""

    size: float | None = None
    align: Align | None = None
    colour: Colour | None = None
    hidden: bool = False
    white: bool | None = None
    """Set in white: seen only on a dark ground."""
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


class StyleBook:
    """The styles of one document, their inheritance followed."""

    def __init__(self, styles: Any | None) -> None:
        self._styles = (
            {} if styles is None else {s.get(f"{W}styleId", ""): s for s in styles.iter(f"{W}style")}
        )
        self._looks: dict[str, Look] = {}
        self._base = self._defaults(styles)
        self._plain = next(
            (
                key
                for key, s in self._styles.items()
                if s.get(f"{W}type") == "paragraph" and s.get(f"{W}default") in ("1", "true", "on")
            ),
            "",
        )

    def of_paragraph(self, properties: Any | None) -> Look:
        """The look of a paragraph with these `pPr`."""
        style = attr(properties, "pStyle") or self._plain
        look = _merge(self._base, self._style(style)) if style else self._base
        return _merge(look, _own_paragraph_look(properties))

    def of_run(self, paragraph: Look, properties: Any | None) -> Look:
        """The look of a run with these `rPr` in such a paragraph."""
        style = attr(properties, "rStyle")
        look = _merge(paragraph, self._style(style)) if style else paragraph
        return _merge(look, _run_look(properties))

    def is_ruled(self, table: Any) -> bool:
        """Whether a `tbl` has lines between its columns: by itself, by its style, or by its cells."""
        properties = table.find(f"{W}tblPr")
        own = None if properties is None else properties.find(f"{W}tblBorders")
        if own is not None:
            if _has_line(own, "insideV"):
                return True
        else:
            style, depth = attr(properties, "tblStyle"), 0
            while style and depth < _DEEPEST:
                node = self._styles.get(style)
                borders = None if node is None else node.find(f"{W}tblPr/{W}tblBorders")
                if borders is not None:
                    if _has_line(borders, "insideV"):
                        return True
                    break
                style, depth = attr(node, "basedOn"), depth + 1
        lined = [
            cell
            for cell in table.iter(f"{W}tcBorders")
            if _has_line(cell, "left") and _has_line(cell, "right")
        ]
        return len(lined) >= _RULED_CELLS

    def _defaults(self, styles: Any | None) -> Look:
        if styles is None:
            return Look()
        base = styles.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr")
        paragraph = styles.find(f"{W}docDefaults/{W}pPrDefault/{W}pPr")
        return _merge(_run_look(base), _own_paragraph_look(paragraph))

    def _style(self, style: str, depth: int = 0) -> Look:
        if style in self._looks:
            return self._looks[style]
        node = self._styles.get(style)
        if node is None or depth > _DEEPEST:
            return Look()
        parent = attr(node, "basedOn")
        look = self._style(parent, depth + 1) if parent else Look()
        look = _merge(look, _own_paragraph_look(node.find(f"{W}pPr")))
        look = _merge(look, _run_look(node.find(f"{W}rPr")))
        self._looks[style] = look
        return look


def _merge(under: Look, over: Look) -> Look:
    given = {
        name: getattr(over, name)
        for name in Look.__slots__
        if getattr(over, name) is not None and name not in ("hidden", "depth", "page_before")
    }
    return replace(
        under,
        **given,
        hidden=under.hidden or over.hidden,
        depth=over.depth if over.list_id is not None else under.depth,
        page_before=under.page_before or over.page_before,
    )


def _run_look(properties: Any | None) -> Look:
    if properties is None:
        return Look()
    half = attr(properties, "sz")
    return Look(
        size=min(max(whole(half, 21) / 2, 1.0), 400.0) if half else None,
        colour=_colour(attr(properties, "color")),
        hidden=is_on(properties.find(f"{W}vanish")),
        white=_is_white(attr(properties, "color")),
    )


def _own_paragraph_look(properties: Any | None) -> Look:
    if properties is None:
        return Look()
    indent, spacing = properties.find(f"{W}ind"), properties.find(f"{W}spacing")
    listed = properties.find(f"{W}numPr")
    align = attr(properties, "jc")
    return Look(
        align=_ALIGNS.get(align, "both") if align else None,
        first=_get(indent, "firstLine"),
        first_chars=None
        if indent is None or indent.get(f"{W}firstLineChars") is None
        else whole(indent.get(f"{W}firstLineChars"), 0) / 100,
        left=_get(indent, "left") if _get(indent, "left") is not None else _get(indent, "start"),
        right=_get(indent, "right") if _get(indent, "right") is not None else _get(indent, "end"),
        before=_get(spacing, "before"),
        after=_get(spacing, "after"),
        pitch=_pitch(spacing),
        list_id=attr(listed, "numId"),
        depth=whole(attr(listed, "ilvl"), 0),
        page_before=is_on(properties.find(f"{W}pageBreakBefore")),
    )


def _pitch(spacing: Any | None) -> float | None:
    """Line pitch in points, or minus a multiple of single spacing."""
    line = None if spacing is None else spacing.get(f"{W}line")
    if spacing is None or line is None:
        return None
    if spacing.get(f"{W}lineRule", "auto") == "auto":
        return -max(whole(line, 240) / 240, 0.5)
    return max(whole(line, 240) / _TWIPS, 1.0)


def attr(node: Any | None, name: str) -> str:
    """The `w:val` of the child of that name; empty when there is none."""
    child = None if node is None else node.find(f"{W}{name}")
    return "" if child is None else child.get(f"{W}val", "")


def _has_line(borders: Any, side: str) -> bool:
    line = borders.find(f"{W}{side}")
    return line is not None and line.get(f"{W}val", "nil") not in ("nil", "none")


def _is_white(value: str) -> bool | None:
    if not value:
        return None
    if len(value) != 6:
        return False
    try:
        return min(int(value[at : at + 2], 16) for at in (0, 2, 4)) >= _WHITE
    except ValueError:
        return False


def is_on(node: Any | None) -> bool:
    """Whether a switch stands there and is not off."""
    return node is not None and node.get(f"{W}val", "1") not in ("0", "false", "off")


def _get(node: Any | None, name: str) -> float | None:
    return None if node is None else length(node.get(f"{W}{name}"))


def length(twips: str | None) -> float | None:
    """Twips (1/20 pt) in points, kept within what a page can hold; None when it is no number."""
    try:
        points = float(twips or "") / _TWIPS
    except ValueError:
        return None
    return min(max(points, -1000.0), 5000.0) if math.isfinite(points) else None


def whole(text: str | None, default: int) -> int:
    """A whole number, or the default."""
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
