"""What a DOCX holds that a reader of the paper does not see: hidden, white and tiny text, boxes beside the page,
deleted text, comments, charts; and fields that would fetch something.

Gathered while the text is read; told as findings, with a flag when a secrecy mark is among the words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..models.page import Finding
from .docx_numbering import W
from .docx_style import Look, is_on
from .hidden import hidden_text

_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_V = "{urn:schemas-microsoft-com:vml}"
TINY = 2.0
"""Points: nobody reads that."""
_FAR = 15_200_000
"""EMU: wider than A3 lies."""
_MARGIN = 1_900_000
_FAR_POINTS = 1200.0
_FETCHING = {"DDE": "dde", "DDEAUTO": "dde", "INCLUDETEXT": "external_field", "INCLUDEPICTURE": "external_field",
             "LINK": "external_field", "IMPORT": "external_field", "DATABASE": "external_field"}  # fmt: skip
_MOST = 2_000
_LONGEST_STRUCK = 60


@dataclass(slots=True)
class Unseen:
    """What was come across."""

    active: set[str] = field(default_factory=set)
    charts: int = 0
    comments: int = 0
    _changes: int = 0
    _is_changed: bool = False
    _hidden: list[str] = field(default_factory=list)
    _other: list[str] = field(default_factory=list)
    _struck: list[str] = field(default_factory=list)
    _is_striking: bool = False

    def hidden(self, node: Any) -> None:
        """Text that is not seen."""
        words = _words(node, f"{W}t")
        if words.strip() and len(self._hidden) < _MOST:
            self._hidden.append(words)

    def struck(self, words: str) -> None:
        """A run with a line through it: its words are seen, and no longer hold. Runs that touch are one."""
        if self._is_striking and self._struck:
            self._struck[-1] += words
        elif words.strip() and len(self._struck) < _MOST:
            self._struck.append(words)
        self._is_striking = bool(self._struck)

    def struck_ends(self) -> None:
        """What is read from here on is not struck."""
        self._is_striking = False

    def deleted(self, node: Any) -> None:
        """A tracked deletion, or what was moved away."""
        self.changed()
        self._changes += 1
        if len(self._other) < _MOST:
            self._other.append(_words(node, f"{W}delText"))

    def changed(self) -> None:
        """A tracked change of any kind."""
        self._is_changed = True

    def commented(self, root: Any) -> None:
        """The comments of the document."""
        notes = list(root.iterfind(f"{W}comment"))
        self.comments += len(notes)
        self._other += [_words(note, f"{W}t") for note in notes[:_MOST]]

    def field(self, code: str) -> None:
        """A field's instruction."""
        words = code.split(maxsplit=1)
        if words and (kind := _FETCHING.get(words[0].upper())):
            self.active.add(kind)

    def findings(self) -> list[Finding]:
        """All of it, counted."""
        found = list(hidden_text("\n".join(self._hidden)))
        if self._is_changed:
            found.append(Finding("tracked_changes", detail=str(self._changes)))
        if self.comments:
            found.append(Finding("comments_inside", detail=str(self.comments)))
        if self.charts:
            found.append(Finding("chart_text_unread", detail=str(self.charts)))
        found += [item for item in hidden_text("\n".join(self._other)) if item.code == "hidden_mark"]
        found += [
            Finding("mark_struck", detail=words.strip()[:_LONGEST_STRUCK])
            for words in self._struck
            if any(item.code == "hidden_mark" for item in hidden_text(words))
        ]
        return list(dict.fromkeys(found))


def is_struck(properties: Any | None) -> bool:
    """Whether a run's own properties draw one line or two through it."""
    if properties is None:
        return False
    return any(is_on(properties.find(f"{W}{name}")) for name in ("strike", "dstrike"))


def is_unseen(run: Any, look: Look) -> bool:
    """Whether a run of that look is not to be seen: hidden, too small, or white on white."""
    if look.hidden or (look.size is not None and look.size <= TINY):
        return True
    return look.white is True and not _has_ground(run)


def lies_off_page(drawing: Any) -> bool:
    """Whether a drawing is anchored where no paper is, however large the sheet."""
    for anchor in drawing.iter(f"{_WP}anchor"):
        extent = anchor.find(f"{_WP}extent")
        for side, size in (("H", "cx"), ("V", "cy")):
            place = anchor.find(f"{_WP}position{side}")
            offset = None if place is None else _number(place.findtext(f"{_WP}posOffset"))
            if place is None or offset is None:
                continue
            end = offset + (_number(None if extent is None else extent.get(size)) or 0.0)
            before = 0 if place.get("relativeFrom") == "page" else -_MARGIN
            if end <= before or offset >= _FAR:
                return True
    for shape in drawing.iter(f"{_V}shape", f"{_V}rect", f"{_V}roundrect"):
        style = {
            part.partition(":")[0].strip(): part.partition(":")[2].strip()
            for part in shape.get("style", "").split(";")
        }
        for name in ("margin-left", "margin-top", "left", "top"):
            value = style.get(name, "")
            offset = _number(value.removesuffix("pt")) if value.endswith("pt") else None
            if offset is not None and abs(offset) >= _FAR_POINTS:
                return True
    return False


def _has_ground(run: Any) -> bool:
    """Whether something dark may lie behind the run: a shading, a highlight, a styled table, a filled box."""
    properties = run.find(f"{W}rPr")
    if properties is not None and (properties.find(f"{W}highlight") is not None or _is_shaded(properties)):
        return True
    for parent in run.iterancestors():
        if parent.tag == f"{W}p" and _is_shaded(parent.find(f"{W}pPr")):
            return True
        if parent.tag == f"{W}tc" and _is_shaded(parent.find(f"{W}tcPr")):
            return True
        if parent.tag == f"{W}tbl" and parent.find(f"{W}tblPr/{W}tblStyle") is not None:
            return True
        if parent.tag == f"{W}txbxContent":
            return True  # a box has a filling of its own
    return False


def _is_shaded(properties: Any | None) -> bool:
    shading = None if properties is None else properties.find(f"{W}shd")
    return shading is not None and shading.get(f"{W}fill", "auto").lower() not in ("auto", "ffffff")


def _words(node: Any, tag: str) -> str:
    return "".join(leaf.text or "" for leaf in node.iter(tag))


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
