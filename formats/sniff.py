"""What a file is, by its content alone; its name is never looked at.

Threat model: names and declared types lie, and one file can be several formats at once. A strong
signature at offset 0 wins over anything found later, so that a program or archive that merely contains a
PDF header is not opened as a PDF; what else a file is valid as is reported (`also`).
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import cast

from ..models.incoming import Kind
from .fault import FormatFault, guarded

HEADER_WINDOW = 1024
"""A PDF header may stand anywhere in the first KiB (ISO 32000-1, annex H, note 13)."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"MZ", "exe"),
    (b"\x7fELF", "exe"),
    (b"{\\rtf", "rtf"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"%!PS", "postscript"),
    (b"\xc5\xd0\xd3\xc6", "postscript"),
)
OFFICE = frozenset({"doc", "rtf", "odt", "ods", "odp", "xls", "xlsx", "ppt", "pptx"})
"""Read by way of LibreOffice. WPS files (.wps .et .dps) are of these kinds by their content."""
_READABLE = frozenset({"pdf", "docx", "ofd", "tiff", "jpeg", "png", "bmp", "gif", "webp", "jp2"}) | OFFICE
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORD_TYPES = (
    b"wordprocessingml.document.main+xml",
    b"wordprocessingml.template.main+xml",
    b"ms-word.document.macroEnabled.main+xml",
    b"ms-word.template.macroEnabledTemplate.main+xml",
)
_OPENDOCUMENT = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
}
_MAX_MIMETYPE = 200
_PDF_INSIDE = re.compile(rb"\bendobj\b|\bstartxref\b|/Type\s*/XRef")
_MAX_ENTRIES = 20_000
_MAX_TYPES = 1 << 20


@dataclass(frozen=True, slots=True)
class Sniffed:
    """`kind`: the format; `also`: other formats the same bytes are valid as."""

    kind: Kind
    also: tuple[str, ...] = ()


def sniff(data: bytes) -> Sniffed:
    """The format of `data`.

    Raises:
        FormatFault: `empty_file`, `unsupported_format` (detail: the format's name), `damaged_file` (an
            archive or PDF without its skeleton), `encrypted_file` (an OLE2 encrypted package or archive).
    """
    if not data:
        raise FormatFault("empty_file")
    name = sniff_name(data)
    if name not in _READABLE:
        raise FormatFault("unsupported_format", name)
    also = ("zip",) if not data.startswith(b"PK") and _ends_as_zip(data) else ()
    return Sniffed(kind=cast(Kind, name), also=also)


def sniff_name(data: bytes) -> str:
    """The format's name, also of one that is not read (`zip`, `html` …).

    Raises:
        FormatFault: `damaged_file`, `encrypted_file`, `unpack_bomb`.
    """
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data.startswith(_OLE2):
        return _ole2(data)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data.startswith(b"BM") and _is_bmp(data):
        return "bmp"
    if b"%PDF-" in data[:HEADER_WINDOW]:
        return "pdf"
    return _weak(data)


def _is_bmp(data: bytes) -> bool:
    return len(data) >= 18 and int.from_bytes(data[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)


def _ole2(data: bytes) -> str:
    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if holds("EncryptedPackage"):
        raise FormatFault("encrypted_file", "OOXML")
    if holds("WordDocument"):
        return "doc"
    if holds("PowerPoint Document"):
        return "ppt"  # looked for first: a presentation may embed sheets
    if holds("Workbook") or holds("Book"):
        return "xls"
    return "msg" if holds("__substg1.0_") or holds("__properties_version1.0") else "ole2"


def _zip(data: bytes) -> str:
    with guarded("ZIP"), zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if len(entries) > _MAX_ENTRIES:
            raise FormatFault("unpack_bomb", f"{len(entries)} > {_MAX_ENTRIES}")
        names = {entry.filename for entry in entries}
        if any(name.lower() == "ofd.xml" for name in names):
            return "ofd"
        types = next((entry for entry in entries if entry.filename == "[Content_Types].xml"), None)
        if types is None:
            if (opendocument := _opendocument(archive)) is not None:
                return opendocument
            return "docx" if "word/document.xml" in names else "zip"
        if types.flag_bits & 1:
            raise FormatFault("encrypted_file", "ZIP")
        if types.file_size > _MAX_TYPES:
            raise FormatFault("unpack_bomb", "content types")
        return _office(archive.read(types), names)


def _opendocument(archive: zipfile.ZipFile) -> str | None:
    """The kind an ODF package says it is (ODF 1.3 part 2, 3.3); None for another package."""
    if "mimetype" not in archive.namelist():
        return None
    with archive.open("mimetype") as source:
        words = source.read(_MAX_MIMETYPE)
    return next((kind for word, kind in _OPENDOCUMENT.items() if words.startswith(word)), None)


def _office(types: bytes, names: set[str]) -> str:
    plain = types.replace(b"\x00", b"")
    if any(word in plain for word in _WORD_TYPES) or "word/document.xml" in names:
        return "docx"
    if b"presentationml" in plain or b"ms-powerpoint.presentation" in plain:
        return "pptx"  # looked for first: a presentation may embed sheets
    if b"spreadsheetml" in plain or b"ms-excel" in plain:
        return "xlsx"
    return "zip"


def _weak(data: bytes) -> str:
    head = data[:4096]
    bare = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if bare.startswith(b"<") and (b"<html" in bare or b"<!doctype html" in bare or b"<body" in bare):
        return "html"
    if bare.startswith((b"<?xml", b"<svg")):
        return "xml"
    if _PDF_INSIDE.search(data):
        raise FormatFault("damaged_file", "PDF")
    if bare.startswith((b"received:", b"return-path:", b"mime-version:", b"from: ", b"message-id:")):
        return "eml"
    return "text" if _is_text(head) else "unknown"


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if any(byte < 9 or 13 < byte < 27 for byte in head):
        return False
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):
            try:
                head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return True
    return False


def _ends_as_zip(data: bytes) -> bool:
    return b"PK\x05\x06" in data[-65_557:] and b"PK\x01\x02" in data
