"""What a page needs of a font with sixty thousand glyphs, read where it lies: which glyph, how wide, which metrics.

Reading such a font whole, with all its names and widths, takes a quarter of a second, and every command that draws
a form would pay that for each of its fonts. Here a character costs a few look-ups in the mapped file. Only the
machine's own fonts are read, never one from a document. Source: OpenType 1.9, chapters `otff`, `cmap`, `hmtx`.
"""

from __future__ import annotations

import mmap
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from struct import Struct, unpack_from
from sys import byteorder

_BEST = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3), (0, 2), (0, 1), (0, 0))
"""Platform and encoding of the Unicode tables, the fullest first."""
_LONG, _SHORT = Struct(">I"), Struct(">H")


class Sfnt:
    """One font of a file, mapped and not read."""

    def __init__(self, path: Path, index: int = 0) -> None:
        """Raises ValueError when the file is no OpenType font, OSError when it cannot be read."""
        with path.open("rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        start = self._long(12 + 4 * index) if self.data[:4] == b"ttcf" else 0
        if self.data[start : start + 4] not in (b"OTTO", b"\0\1\0\0", b"true"):
            raise ValueError("no OpenType font")
        self.tables: Mapping[str, tuple[int, int]] = {
            tag.decode("latin-1"): (offset, length)
            for tag, _, offset, length in (
                unpack_from(">4sIII", self.data, start + 12 + 16 * number)
                for number in range(self._short(start + 4))
            )
        }
        self.units = self._short(self.tables["head"][0] + 18)
        self._metrics = self._short(self.tables["hhea"][0] + 34)
        self._widths = self.tables["hmtx"][0]
        self._glyph: dict[int, int] = {}
        self._cmap = self._best()
        self._starts = self._read_starts()

    def glyph(self, code: int) -> int:
        """Number of the character's glyph, 0 when the font has none."""
        found = self._glyph.get(code)
        if found is None:
            found = self._glyph[code] = self._look(code)
        return found

    def width(self, glyph: int) -> int:
        """Advance of a glyph in the font's units."""
        return self._short(self._widths + 4 * min(glyph, self._metrics - 1))

    def table(self, tag: str) -> memoryview:
        """A table where it lies in the file. Raises KeyError when the font has none of this name."""
        offset, length = self.tables[tag]
        return memoryview(self.data)[offset : offset + length]

    def _best(self) -> int:
        table = self.tables["cmap"][0]
        found: dict[tuple[int, int], int] = {}
        for number in range(self._short(table + 2)):
            platform, encoding, offset = unpack_from(">HHI", self.data, table + 4 + 8 * number)
            if self._short(table + offset) in (4, 12):
                found[platform, encoding] = table + offset
        for key in _BEST:
            if key in found:
                return found[key]
        raise ValueError("no Unicode table")

    def _read_starts(self) -> array[int]:
        """First characters of all groups (format 12), or last ones of all segments (format 4)."""
        at = self._cmap
        if self._short(at) == 12:
            cells = _numbers("I", self.data[at + 16 : at + 16 + 12 * self._long(at + 12)])
            return cells[0::3]
        return _numbers("H", self.data[at + 14 : at + 14 + self._short(at + 6)])

    def _look(self, code: int) -> int:
        at = self._cmap
        if self._short(at) == 12:
            group = bisect_right(self._starts, code) - 1
            if group < 0:
                return 0
            first, last, glyph = unpack_from(">III", self.data, at + 16 + 12 * group)
            return int(glyph + code - first) if code <= last else 0
        size = self._short(at + 6)
        segment = bisect_right(self._starts, code - 1)
        if code > 0xFFFF or 2 * segment >= size:
            return 0
        first = self._short(at + 16 + size + 2 * segment)
        if code < first:
            return 0
        delta = self._short(at + 16 + 2 * size + 2 * segment)
        place = at + 16 + 3 * size + 2 * segment
        leap = self._short(place)
        if not leap:
            return (code + delta) & 0xFFFF
        glyph = self._short(place + leap + 2 * (code - first))
        return (glyph + delta) & 0xFFFF if glyph else 0

    def _long(self, at: int) -> int:
        return int(_LONG.unpack_from(self.data, at)[0])

    def _short(self, at: int) -> int:
        return int(_SHORT.unpack_from(self.data, at)[0])


def _numbers(kind: str, raw: bytes) -> array[int]:
    cells = array(kind)
    cells.frombytes(raw)
    if byteorder == "little":
        cells.byteswap()
    return cells


@cache
def sfnt(path: Path, index: int = 0) -> Sfnt:
    """The font, mapped once in a process. Raises as `Sfnt`."""
    return Sfnt(path, index)
