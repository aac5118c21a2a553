"""What an Office file holds beside its pages: macros, links, embedded files, comments, what is hidden or deleted.

Looked for in the bytes and by plain patterns, without a parser's tree: sheets run to hundreds of megabytes. What is
found is reported, never opened or followed. The binary kinds (OLE2) say by their streams and records what can be
said surely; the rest is looked for in the package that LibreOffice makes of them (`office.py`).

Threat model: see `archive.py` for packages; OLE2 streams are read by olefile, which only walks the container.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import Literal

from ..common.limits import Limits
from ..models.incoming import Kind
from ..models.page import Finding
from .archive import checked_names
from .fault import FormatFault, guarded
from .hidden import hidden_text
from .office_cells import HIDDEN_ROWS, HIDDEN_SHEET, hidden_cells, part_of, words_of

_EXTERNAL = re.compile(rb"<(?:\w+:)?Relationship\b[^<>]*\bTargetMode\s*=\s*[\"']External[\"'][^<>]*>")
_TYPE = re.compile(rb"\bType\s*=\s*[\"'][^\"']*/([A-Za-z]{1,40})[\"']")
_HIDDEN_SLIDE = re.compile(rb"<(?:\w+:)?sld\b[^<>]*\bshow\s*=\s*[\"'](?:0|false)[\"']")
_LOCKED = re.compile(rb"<(?:\w+:)?(?:sheetProtection|workbookProtection|modifyVerifier|documentProtection)\b")
_ODF_HIDDEN = re.compile(rb"(?:text:display=\"none\"|text:condition=|<text:hidden-(?:text|paragraph))")
_ODF_HIDDEN_TABLE = re.compile(rb"table:display=\"false\"|table:visibility=\"(?:collapse|filter)\"")
_ODF_HIDDEN_SLIDE = re.compile(rb"presentation:visibility=\"hidden\"")
_ODF_LINK = re.compile(rb"xlink:href=\"(?:https?|ftp|file|smb)[:/]", re.IGNORECASE)
_ODF_SECTION_LINK = re.compile(
    rb"<(?:text:section-source|table:table-source|text:dde-connection|office:dde-source)\b"
)
_RTF_LINK = re.compile(rb"\\\*\\template\b|\bINCLUDE(?:TEXT|PICTURE)\b|\bLINK\s", re.IGNORECASE)
_RTF_DDE = re.compile(rb"\bDDE(?:AUTO)?\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Inside:
    """What was found."""

    signature: Literal["none", "present"]
    protection: Literal["none", "owner", "read"]
    active: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Found:
    active: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    signed: bool = False
    locked: bool = False

    def count(self, code: str, number: int) -> None:
        if number:
            self.findings.append(Finding(code, detail=str(number)))

    def inside(self) -> Inside:
        worrying = ", ".join(sorted(name for name in self.active if name != "external_link"))
        if worrying:
            self.findings.append(Finding("active_content", detail=worrying))
        if "external_link" in self.active:
            self.findings.append(Finding("external_links"))
        return Inside(
            signature="present" if self.signed else "none",
            protection="owner" if self.locked else "none",
            active=tuple(sorted(self.active)),
            findings=tuple(self.findings),
        )


def look_inside(data: bytes, kind: Kind, limits: Limits) -> Inside:
    """What the original holds beside its pages.

    Raises:
        FormatFault: `damaged_file`, `encrypted_file`, `unpack_bomb`, `hostile_markup`.
    """
    found = _Found()
    if kind == "rtf":
        _rtf(data, found)
    elif data.startswith(b"PK"):
        names = checked_names(data, limits)
        with guarded(kind), zipfile.ZipFile(io.BytesIO(data)) as package:
            (_opendocument if kind in ("odt", "ods", "odp") else _openxml)(package, sorted(names), found)
    else:
        _binary(data, kind, found)
    return found.inside()


def _openxml(package: zipfile.ZipFile, names: list[str], found: _Found) -> None:
    """SpreadsheetML and PresentationML (ECMA-376 part 1, 18 and 19)."""
    sheets = rows = slides = 0
    comments = False
    for name in names:
        lower = name.lower()
        if lower.endswith("vbaproject.bin") or "/macrosheets/" in lower:
            found.active.add("macro")
        elif "/activex/" in lower:
            found.active.add("activex")
        elif "/embeddings/" in lower:
            found.active.add("embedded_object")
        elif lower.startswith("_xmlsignatures/"):
            found.signed = True
        elif lower.endswith(".rels"):
            _relations(part_of(package, name), found)
        elif "comments" in lower and lower.endswith(".xml"):
            comments = True
        elif lower in ("xl/connections.xml",) or lower.startswith(("xl/querytables/", "xl/externallinks/")):
            found.active.add("external_data")
            if lower.endswith(".xml") and b"ddeLink" in part_of(package, name):
                found.active.add("dde")
        elif lower in ("xl/workbook.xml", "ppt/presentation.xml"):
            part = part_of(package, name)
            sheets += len(HIDDEN_SHEET.findall(part))
            found.locked |= _LOCKED.search(part) is not None
        elif lower.startswith("xl/worksheets/") and lower.endswith(".xml"):
            part = part_of(package, name)
            rows += len(HIDDEN_ROWS.findall(part))
            found.locked |= _LOCKED.search(part) is not None
        elif lower.startswith("ppt/slides/") and lower.endswith(".xml"):
            slides += len(_HIDDEN_SLIDE.findall(part_of(package, name)))
        elif lower.startswith("ppt/notesslides/") and lower.endswith(".xml"):
            _notes(part_of(package, name), found)
    found.count("hidden_sheets", sheets)
    found.count("hidden_rows", rows)
    found.count("hidden_slides", slides)
    if sheets or rows:
        words = hidden_cells(package, frozenset(names))
        found.findings += [item for item in hidden_text(words) if item.code == "hidden_mark"]
    if comments:
        found.findings.append(Finding("comments_inside"))


def _notes(part: bytes, found: _Found) -> None:
    words = words_of(b"".join(re.findall(rb"<a:t>[^<]*</a:t>", part)))
    if len(words.strip()) > 4:  # a slide number alone is no note
        found.findings += [
            Finding("speaker_notes"),
            *(f for f in hidden_text(words) if f.code == "hidden_mark"),
        ]


def _relations(part: bytes, found: _Found) -> None:
    for relation in _EXTERNAL.findall(part):
        kind = _TYPE.search(relation)
        last = kind.group(1).decode().lower() if kind else "unknown"
        found.active.add("external_link" if last == "hyperlink" else f"external_{last[:20]}")


def _opendocument(package: zipfile.ZipFile, names: list[str], found: _Found) -> None:
    """OpenDocument 1.3 part 3."""
    if "META-INF/manifest.xml" in names and b"encryption-data" in part_of(package, "META-INF/manifest.xml"):
        raise FormatFault("encrypted_file", "ODF")
    found.signed = "META-INF/documentsignatures.xml" in names
    if any(
        name.startswith(("Basic/", "Scripts/")) and name.endswith((".xml", ".py", ".js", ".bsh"))
        for name in names
    ):
        found.active.add("macro")
    if any(re.match(r"Object \d+/content\.xml$|ObjectReplacements/|Object \d+$", name) for name in names):
        found.active.add("embedded_object")
    for name in ("content.xml", "styles.xml"):
        if name not in names:
            continue
        part = part_of(package, name)
        if b"<office:event-listeners" in part:
            found.active.add("event_macro")
        if _ODF_SECTION_LINK.search(part):
            found.active.add("external_data")
        if _ODF_LINK.search(part):
            found.active.add("external_link")
        if b"<office:annotation" in part:
            found.findings.append(Finding("comments_inside"))
        if b"<text:tracked-changes" in part and b"<text:deletion" in part:
            found.findings.append(Finding("tracked_changes", detail=str(part.count(b"<text:deletion"))))
        found.count("hidden_rows", len(_ODF_HIDDEN_TABLE.findall(part)))
        found.count("hidden_slides", len(_ODF_HIDDEN_SLIDE.findall(part)))
        if _ODF_HIDDEN.search(part):
            found.findings.append(Finding("hidden_text"))
            found.findings += [item for item in hidden_text(words_of(part)) if item.code == "hidden_mark"]
        found.locked |= b'text:protected="true"' in part or b'table:protected="true"' in part


def _rtf(data: bytes, found: _Found) -> None:
    """Control words of RTF 1.9.1."""
    if b"\\objdata" in data or b"\\object" in data:
        found.active.add("embedded_object")
    if _RTF_LINK.search(data):
        found.active.add("external_data")
    if _RTF_DDE.search(data):
        found.active.add("dde")
    if b"HYPERLINK" in data:
        found.active.add("external_link")
    found.locked = any(word in data for word in (b"\\enforceprot1", b"\\readprot", b"\\formprot"))


# ---------------------------------------------------------------- OLE2

_FIB_FLAGS = 0x0A
_FIB_ENCRYPTED = 0x0100
_BIFF_FILEPASS = 0x002F
_BIFF_BOUNDSHEET = 0x0085
_BIFF_PROTECT = 0x0012
_BIFF_LOOKED_AT = 4000


def _binary(data: bytes, kind: Kind, found: _Found) -> None:
    """Word, Excel and PowerPoint of 97 to 2003 ([MS-DOC], [MS-XLS], [MS-PPT])."""
    import olefile

    with guarded(kind), olefile.OleFileIO(io.BytesIO(data)) as streams:
        paths = ["/".join(path).lower() for path in streams.listdir()]
        if any("vba" in path.split("/") or path.startswith(("macros/", "_vba_project")) for path in paths):
            found.active.add("macro")
        if any(path.startswith(("objectpool/", "mbd")) for path in paths):
            found.active.add("embedded_object")
        found.signed = any(path.startswith(("_signatures", "_xmlsignatures")) for path in paths)
        if any("encryptedsummary" in path for path in paths):
            raise FormatFault("encrypted_file", kind)
        if kind == "doc" and streams.exists("WordDocument"):
            head = streams.openstream("WordDocument").read(32)
            if int.from_bytes(head[_FIB_FLAGS : _FIB_FLAGS + 2], "little") & _FIB_ENCRYPTED:
                raise FormatFault("encrypted_file", kind)
        if kind == "xls":
            name = next((name for name in ("Workbook", "Book") if streams.exists(name)), None)
            if name is not None:
                _biff(streams.openstream(name).read(), found)


def _biff(stream: bytes, found: _Found) -> None:
    """The records at the start of a workbook ([MS-XLS] 2.1.4): encryption, protection, hidden and macro sheets."""
    at = hidden = 0
    for _ in range(_BIFF_LOOKED_AT):
        if at + 4 > len(stream):
            break
        kind = int.from_bytes(stream[at : at + 2], "little")
        size = int.from_bytes(stream[at + 2 : at + 4], "little")
        body = stream[at + 4 : at + 4 + size]
        if kind == _BIFF_FILEPASS:
            raise FormatFault("encrypted_file", "xls")
        if kind == _BIFF_BOUNDSHEET and len(body) >= 6:
            hidden += body[4] & 0x03 != 0
            if body[5] in (1, 6):
                found.active.add("macro")
        if kind == _BIFF_PROTECT and body[:1] == b"\x01":
            found.locked = True
        at += 4 + size
    found.count("hidden_sheets", hidden)
