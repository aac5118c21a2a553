"""What a PDF hides or does: encryption, signatures, scripts, launches, attachments, broken structure (pypdf).

Threat model: object graphs loop, nest and lie. The walk is bounded in objects and pages; whatever pypdf
cannot follow is reported as repaired structure, never guessed.
"""

from __future__ import annotations

import io
import logging
import re
from dataclasses import dataclass
from typing import Any, Literal

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from ..models.page import Finding

_MAX_OBJECTS = 20_000
_MAX_DEPTH = 40
_MAX_PAGES_LOOKED_AT = 300
_ACTIONS = {
    "/JavaScript": "javascript",
    "/Launch": "launch",
    "/SubmitForm": "submit_form",
    "/ImportData": "import_data",
    "/GoToR": "remote_goto",
    "/GoToE": "embedded_goto",
    "/Rendition": "rich_media",
    "/RichMediaExecute": "rich_media",
}
_ANNOTATIONS = {
    "/FileAttachment": "attachment",
    "/RichMedia": "rich_media",
    "/Screen": "rich_media",
    "/Movie": "rich_media",
    "/Sound": "rich_media",
    "/3D": "rich_media",
}
_DRAWN_COMMENTS = frozenset({"/Ink", "/Redact"})
_COMMENTS = _DRAWN_COMMENTS | {
    "/Text", "/FreeText", "/Popup", "/Highlight", "/Underline", "/StrikeOut", "/Squiggly", "/Caret", "/Stamp",
    "/Square", "/Circle", "/Line", "/Polygon", "/PolyLine",
}  # fmt: skip
"""Annotations by which people speak about a paper (ISO 32000-1, 12.5.6.2, markup annotations)."""
_REVISION = re.compile(rb"startxref\s+(\d+)\s+%%EOF")


@dataclass(frozen=True, slots=True)
class Structure:
    """The facts. `lost_content`: the structure is broken and a page has no content stream."""

    encrypted: bool
    signature: Literal["none", "present"]
    active: tuple[str, ...]
    findings: tuple[Finding, ...]
    lost_content: bool = False


class _Walk:
    """A bounded walk over the object graph that notes what is active."""

    def __init__(self) -> None:
        self.active: set[str] = set()
        self.signed = False
        self.attachments = 0
        self.comments = 0
        self._seen: set[tuple[int, int]] = set()
        self._count = 0

    def visit(self, node: Any, depth: int = 0) -> None:
        key = (getattr(node, "idnum", 0), getattr(node, "generation", 0))
        if key != (0, 0):
            if key in self._seen:
                return
            self._seen.add(key)
        self._count += 1
        if depth > _MAX_DEPTH or self._count > _MAX_OBJECTS:
            return
        try:
            node = node.get_object() if hasattr(node, "get_object") else node
        except (PyPdfError, ValueError, TypeError, KeyError, RecursionError):
            return
        if isinstance(node, dict):
            self._note(node)
            for name, value in node.items():
                if name not in ("/Parent", "/P", "/Pg", "/StructTreeRoot", "/Font", "/XObject", "/Contents"):
                    self.visit(value, depth + 1)
        elif isinstance(node, list):
            for value in node:
                self.visit(value, depth + 1)

    def _note(self, node: dict[str, Any]) -> None:
        action = _plain(node.get("/S"))
        if action in _ACTIONS and ("/JS" in node or action != "/JavaScript"):
            self.active.add(_ACTIONS[action])
        kind = _plain(node.get("/Subtype"))
        if kind in _ANNOTATIONS:
            self.active.add(_ANNOTATIONS[kind])
        if kind in _COMMENTS and (_plain(node.get("/Contents")).strip() or kind in _DRAWN_COMMENTS):
            self.comments += 1
        if _plain(node.get("/Type")) == "/Filespec" and "/EF" in node:
            self.active.add("attachment")
            self.attachments += 1
        if "/XFA" in node:
            self.active.add("xfa")
        if _plain(node.get("/Type")) in ("/Sig", "/DocTimeStamp") or (
            _plain(node.get("/FT")) == "/Sig" and "/V" in node
        ):
            self.signed = True


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else ""


def look_at(data: bytes, password: str | None) -> Structure:
    """The structure of a PDF that a viewer could open; never raises for what a file may hold."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its warnings quote the file
    reader, repaired = _reader(data)
    if reader is None:
        return Structure(
            encrypted=b"/Encrypt" in data,
            signature="none",
            active=(),
            findings=(Finding("structure_repaired"),),
        )
    walk = _Walk()
    lost, layers = False, 0
    try:
        encrypted = bool(reader.is_encrypted)
        if encrypted:
            reader.decrypt(password or "")
        root = reader.root_object
        layers = _layers_off(root)
        for part in ("/OpenAction", "/AA", "/Names", "/AcroForm", "/AF", "/Collection"):
            if part in root:
                walk.visit(dict.get(root, part))
        for index, page in enumerate(reader.pages):
            if index >= _MAX_PAGES_LOOKED_AT:
                break
            lost = lost or "/Contents" not in page
            for part in ("/AA", "/Annots", "/AF"):
                if part in page:
                    walk.visit(dict.get(page, part))
    except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError, NotImplementedError,
            IndexError, AssertionError, OverflowError, OSError):  # fmt: skip
        repaired = True
        encrypted = b"/Encrypt" in data
    findings: list[Finding] = [Finding("structure_repaired")] if repaired else []
    if walk.attachments:
        findings.append(Finding("attachments_inside", detail=str(walk.attachments)))
    if walk.comments:
        findings.append(Finding("comments_inside", detail=str(walk.comments)))
    if layers:
        findings.append(Finding("hidden_layers", detail=str(layers)))
    if earlier := _earlier_revisions(data):
        findings.append(Finding("earlier_revisions", detail=str(earlier)))
    if walk.active - {"attachment"}:
        findings.append(Finding("active_content", detail=", ".join(sorted(walk.active - {"attachment"}))))
    return Structure(
        encrypted=encrypted,
        signature="present" if walk.signed else "none",
        active=tuple(sorted(walk.active)),
        findings=tuple(findings),
        lost_content=repaired and lost,
    )


def _layers_off(root: Any) -> int:
    """How many optional content groups are off when the file is opened (ISO 32000-1, 8.11.4)."""
    properties = root.get("/OCProperties")
    if not isinstance(properties, dict):
        return 0
    usual = properties.get("/D")
    if not isinstance(usual, dict):
        return 0
    every, off, on = (
        _list(found) for found in (properties.get("/OCGs"), usual.get("/OFF"), usual.get("/ON"))
    )
    return max(0, len(every) - len(on)) if _plain(usual.get("/BaseState")) == "/OFF" else len(off)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _earlier_revisions(data: bytes) -> int:
    """Whole states of the file before the last one (incremental updates, ISO 32000-1, 7.5.6).

    A linearised file has two ends from the start (its first points at 0 or at the table in front); that is none.
    """
    ends = [int(found[1]) for found in _REVISION.finditer(data)]
    if b"/Linearized" in data[:1024] and ends:
        ends = ends[1:]
    return max(0, len(dict.fromkeys(ends)) - 1)


def _reader(data: bytes) -> tuple[PdfReader | None, bool]:
    """A reader, and whether it had to be lenient."""
    for strict in (True, False):
        try:
            reader = PdfReader(io.BytesIO(data), strict=strict)
            if not reader.is_encrypted:
                len(reader.pages)
            return reader, not strict
        except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError,
                NotImplementedError, IndexError, AssertionError, OverflowError, OSError):  # fmt: skip
            continue
    return None, True
