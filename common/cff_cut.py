"""Cuts a few glyphs out of a big CID-keyed CFF font without reading the others.

Glyphs, subroutines and names stay byte for byte what they are; only the indices are made anew. What is left is a
complete font, small enough for a careful tool to work on in no time. Source: Adobe Technical Note 5176, The Compact
Font Format Specification, 4 December 2003 (sections 4, 5, 9, 13, 15, 18, 19).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack, unpack_from

_CHARSET, _CHARSTRINGS, _PRIVATE, _SUBRS = b"\x0f", b"\x11", b"\x12", b"\x13"
_ROS, _FD_ARRAY, _FD_SELECT = b"\x0c\x1e", b"\x0c\x24", b"\x0c\x25"
_STANDARD_STRINGS = 391
_Dict = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class _Index:
    """An INDEX where it lies: item `n` is read when asked for."""

    data: memoryview
    at: int
    count: int
    step: int

    @classmethod
    def read(cls, data: memoryview, at: int) -> _Index:
        count = int.from_bytes(data[at : at + 2], "big")
        return cls(data, at, count, data[at + 2] if count else 1)

    def _offset(self, number: int) -> int:
        place = self.at + 3 + self.step * number
        return int.from_bytes(self.data[place : place + self.step], "big")

    @property
    def _base(self) -> int:
        return self.at + 2 + self.step * (self.count + 1)

    @property
    def end(self) -> int:
        return self._base + self._offset(self.count) if self.count else self.at + 2

    def __getitem__(self, number: int) -> bytes:
        return bytes(self.data[self._base + self._offset(number) : self._base + self._offset(number + 1)])

    def raw(self) -> bytes:
        return bytes(self.data[self.at : self.end])


class CidFont:
    """A CID-keyed CFF table, read where it lies."""

    def __init__(self, data: memoryview) -> None:
        """Raises ValueError when the font is not keyed by CIDs."""
        self._data = data
        self._names = _Index.read(data, data[2])
        self._tops = _Index.read(data, self._names.end)
        self._strings = _Index.read(data, self._tops.end)
        self._global = _Index.read(data, self._strings.end)
        self._top = _pairs(self._tops[0])
        keyed = dict(self._top)
        if _ROS not in keyed:
            raise ValueError("not keyed by CIDs")
        registry, ordering, supplement = _numbers(keyed[_ROS])
        self.collection = (self._string(registry), self._string(ordering), supplement)
        """Registry, ordering and supplement of the CIDs."""
        self._glyphs = _Index.read(data, _numbers(keyed[_CHARSTRINGS])[0])
        self._fonts = _Index.read(data, _numbers(keyed[_FD_ARRAY])[0])
        self._cids = _Charset(data, _numbers(keyed[_CHARSET])[0], self._glyphs.count)
        self._select = _Select(data, _numbers(keyed[_FD_SELECT])[0], self._glyphs.count)

    def _string(self, number: int) -> str:
        if number < _STANDARD_STRINGS:
            raise ValueError("a standard string for a collection of characters")
        return self._strings[number - _STANDARD_STRINGS].decode("latin-1")

    def cid(self, glyph: int) -> int:
        """The CID of a glyph."""
        return self._cids[glyph]

    def cut(self, glyphs: Sequence[int]) -> bytes:
        """The font with these glyphs alone, in this order; the first must be 0 (`.notdef`)."""
        kept = sorted({self._select[glyph] for glyph in glyphs})
        select = b"\0" + bytes(kept.index(self._select[glyph]) for glyph in glyphs)
        charset = b"\0" + b"".join(pack(">H", self._cids[glyph]) for glyph in glyphs[1:])
        shapes = _index([self._glyphs[glyph] for glyph in glyphs])
        head = b"\x01\0\x04\x04" + self._names.raw()
        rest = self._strings.raw() + self._global.raw()
        start = len(head) + len(_index([self._filled({})])) + len(rest)
        places = {_CHARSET: start, _FD_SELECT: start + len(charset)}
        places[_CHARSTRINGS] = places[_FD_SELECT] + len(select)
        places[_FD_ARRAY] = places[_CHARSTRINGS] + len(shapes)
        fonts = self._hinting(kept, places[_FD_ARRAY])
        return head + _index([self._filled(places)]) + rest + charset + select + shapes + fonts

    def _filled(self, places: dict[bytes, int]) -> bytes:
        moved = (_CHARSET, _FD_SELECT, _CHARSTRINGS, _FD_ARRAY)
        return _dict([(key, _long(places.get(key, 0)) if key in moved else raw) for key, raw in self._top])

    def _hinting(self, kept: Sequence[int], at: int) -> bytes:
        """The Font DICTs and, behind them, their Private DICTs with their subroutines."""
        dicts = [_pairs(self._fonts[number]) for number in kept]
        privates = [self._private(*_numbers(dict(pairs)[_PRIVATE])) for pairs in dicts]

        def written(places: Sequence[int]) -> bytes:
            return _index(
                [
                    _dict([(k, _long(len(own)) + _long(place) if k == _PRIVATE else raw) for k, raw in pairs])
                    for pairs, (own, _), place in zip(dicts, privates, places, strict=True)
                ]
            )

        places, end = [], at + len(written([0] * len(kept)))
        for own, subrs in privates:
            places.append(end)
            end += len(own) + len(subrs)
        return written(places) + b"".join(own + subrs for own, subrs in privates)

    def _private(self, size: int, offset: int) -> tuple[bytes, bytes]:
        pairs = _pairs(bytes(self._data[offset : offset + size]))
        raw = dict(pairs).get(_SUBRS)
        if raw is None:
            return _dict(pairs), b""
        length = len(_dict([(key, _long(0) if key == _SUBRS else value) for key, value in pairs]))
        own = _dict([(key, _long(length) if key == _SUBRS else value) for key, value in pairs])
        return own, _Index.read(self._data, offset + _numbers(raw)[0]).raw()


class _Charset:
    """CIDs by glyph (section 13): formats 0, 1 and 2."""

    def __init__(self, data: memoryview, at: int, count: int) -> None:
        self._firsts, self._cids = [0], [0]
        kind, place, glyph = data[at], at + 1, 1
        while glyph < count:
            (cid,) = unpack_from(">H", data, place)
            self._firsts.append(glyph)
            self._cids.append(cid)
            if kind == 0:
                glyph, place = glyph + 1, place + 2
            elif kind == 1:
                glyph, place = glyph + 1 + data[place + 2], place + 3
            else:
                glyph, place = glyph + 1 + unpack_from(">H", data, place + 2)[0], place + 4

    def __getitem__(self, glyph: int) -> int:
        run = bisect_right(self._firsts, glyph) - 1
        return self._cids[run] + glyph - self._firsts[run]


class _Select:
    """Font DICT by glyph (section 19): formats 0 and 3."""

    def __init__(self, data: memoryview, at: int, count: int) -> None:
        if data[at] == 0:
            self._firsts, self._fonts = list(range(count)), list(data[at + 1 : at + 1 + count])
        else:
            (ranges,) = unpack_from(">H", data, at + 1)
            cells = [unpack_from(">HB", data, at + 3 + 3 * number) for number in range(ranges)]
            self._firsts, self._fonts = [first for first, _ in cells], [font for _, font in cells]

    def __getitem__(self, glyph: int) -> int:
        return self._fonts[bisect_right(self._firsts, glyph) - 1]


def _pairs(raw: bytes) -> _Dict:
    """Operators of a DICT with their operands as they are written (section 4)."""
    found: _Dict = []
    at = begin = 0
    while at < len(raw):
        byte = raw[at]
        if byte <= 21:
            wide = 2 if byte == 12 else 1
            found.append((raw[at : at + wide], raw[begin:at]))
            at = begin = at + wide
        elif byte == 30:
            at += 1
            while raw[at] & 0x0F != 0x0F and raw[at] >> 4 != 0x0F:
                at += 1
            at += 1
        else:
            at += {28: 3, 29: 5}.get(byte, 1 if byte <= 246 else 2)
    return found


def _numbers(raw: bytes) -> list[int]:
    """Operands that are whole numbers."""
    found, at = [], 0
    while at < len(raw):
        byte = raw[at]
        if byte == 28:
            found.append(int.from_bytes(raw[at + 1 : at + 3], "big", signed=True))
        elif byte == 29:
            found.append(int.from_bytes(raw[at + 1 : at + 5], "big", signed=True))
        elif byte <= 246:
            found.append(byte - 139)
        elif byte <= 250:
            found.append((byte - 247) * 256 + raw[at + 1] + 108)
        else:
            found.append(-(byte - 251) * 256 - raw[at + 1] - 108)
        at += {28: 3, 29: 5}.get(byte, 1 if byte <= 246 else 2)
    return found


def _dict(pairs: _Dict) -> bytes:
    return b"".join(raw + key for key, raw in pairs)


def _long(number: int) -> bytes:
    return b"\x1d" + number.to_bytes(4, "big")


def _index(items: Sequence[bytes]) -> bytes:
    offsets, end = [1], 1
    for item in items:
        end += len(item)
        offsets.append(end)
    return pack(">HB", len(items), 4) + b"".join(pack(">I", o) for o in offsets) + b"".join(items)
