"""The words in cells that a workbook hides (SpreadsheetML, ECMA-376 part 1, 18), by plain patterns over its parts."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from html import unescape

_PART_BYTES = 64 * 1024 * 1024
_MOST_CELLS = 200_000
_TAG = re.compile(rb"<[^<>]*>")
HIDDEN_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^<>]*\bstate\s*=\s*[\"'](?:hidden|veryHidden)[\"'][^<>]*>")
HIDDEN_ROWS = re.compile(rb"<(?:\w+:)?(?:row|col)\b[^<>]*\bhidden\s*=\s*[\"'](?:1|true)[\"']")
_ROW = re.compile(rb"<(?:\w+:)?row\b[^<>]*\bhidden\s*=\s*[\"'](?:1|true)[\"'][^<>]*>")
_ROW_END = re.compile(rb"</(?:\w+:)?row>")
_RELATION_OF = re.compile(rb"\b\w+:id\s*=\s*[\"']([^\"']{1,80})[\"']")
_SHARED = re.compile(rb"<(?:\w+:)?c\b[^<>]*\bt\s*=\s*[\"']s[\"'][^<>]*>\s*<(?:\w+:)?v>(\d{1,7})<")
_INLINE = re.compile(rb"<(?:\w+:)?t\b[^<>]*>[^<]*<")
_STRING = re.compile(rb"<(?:\w+:)?si\b[^<>]*>")
_STRING_END = re.compile(rb"</(?:\w+:)?si>")


def part_of(package: zipfile.ZipFile, name: str) -> bytes:
    """A part, up to a bound; UTF-16 as good as UTF-8 for ASCII patterns."""
    with package.open(name) as source:
        return source.read(_PART_BYTES).replace(b"\x00", b"")


def words_of(part: bytes) -> str:
    """The text of a part without its markup."""
    return unescape(_TAG.sub(b"", part).decode("utf-8", "replace"))


def hidden_cells(package: zipfile.ZipFile, names: frozenset[str]) -> str:
    """What stands in hidden sheets and hidden rows, a line a cell. Hidden columns are not told apart."""
    hidden = _hidden_sheets(package, names)
    pieces = []
    for name in sorted(names):
        if name.lower().startswith("xl/worksheets/") and name.lower().endswith(".xml"):
            part = part_of(package, name)
            pieces += [part] if name.lower() in hidden else list(_between(part, _ROW, _ROW_END))
    wanted = {int(number) for piece in pieces for number in _SHARED.findall(piece)[:_MOST_CELLS]}
    words = [words_of(text) for piece in pieces for text in _INLINE.findall(piece)[:_MOST_CELLS]]
    if wanted:
        for name in names:
            if name.lower() == "xl/sharedstrings.xml":
                strings = _between(part_of(package, name), _STRING, _STRING_END)
                words += [words_of(text) for number, text in enumerate(strings) if number in wanted]
    return "\n".join(word.rstrip("<") for word in words)


def _hidden_sheets(package: zipfile.ZipFile, names: frozenset[str]) -> set[str]:
    """Names of the parts of hidden sheets, in lower case."""
    books = {name.lower(): name for name in names}
    book, relations = books.get("xl/workbook.xml"), books.get("xl/_rels/workbook.xml.rels")
    if book is None or relations is None:
        return set()
    ids = {
        found.group(1)
        for sheet in HIDDEN_SHEET.findall(part_of(package, book))
        if (found := _RELATION_OF.search(sheet)) is not None
    }
    targets = part_of(package, relations)
    parts = set()
    for number in ids:
        relation = re.search(rb"<[^<>]*\bId\s*=\s*[\"']" + re.escape(number) + rb"[\"'][^<>]*>", targets)
        target = (
            None if relation is None else re.search(rb"\bTarget\s*=\s*[\"']([^\"']+)[\"']", relation.group())
        )
        if target is not None:
            path = target.group(1).decode("utf-8", "replace").lower()
            parts.add(path.lstrip("/") if path.startswith("/") else f"xl/{path}")
    return parts


def _between(part: bytes, start: re.Pattern[bytes], end: re.Pattern[bytes]) -> Iterator[bytes]:
    """What stands between each opening and the next closing tag, in one pass."""
    at = 0
    while (opening := start.search(part, at)) is not None:
        closing = end.search(part, opening.end())
        if closing is None or opening.group().endswith(b"/>"):
            at = opening.end()
            if closing is None:
                return
            yield b""
            continue
        yield part[opening.end() : closing.start()]
        at = closing.end()
