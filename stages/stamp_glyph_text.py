"""Where the characters of a page that stays text stand, by its operators, and which glyph of the drawn page each is.

How they are moved: stamp_glyph_spread.py.

Threat model. The operators come from an outside file and were let through by stamp_vector.py. A font whose codes or
widths are not understood, text that does not run from left to right on the page, and unreadable numbers leave their
characters where they are: nothing is guessed. Loops are bounded by the operators there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pypdf.generic import TextStringObject

Matrix = tuple[float, float, float, float, float, float]
Operations = list[tuple[Any, bytes]]

_UNIT: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_LEAN = 0.4
_TURN = 0.02
_UP, _DOWN = 0.85, -0.15
"""A glyph's box above and below the baseline, of its size."""
_MOST_CODES = 60_000
_MOST_CMAP = 2_000_000
_UNICODE = ("/UniGB-UCS2-H", "/UniGB-UTF16-H", "/UniCNS-UCS2-H", "/UniJIS-UCS2-H")
"""Codes are characters; what is not in the first 256 is a full square wide."""
SHOWS = frozenset((b"Tj", b"TJ", b"'", b'"'))
"""The operators that show text."""


@dataclass(frozen=True, slots=True)
class Font:
    """How a font's strings fall into codes, and how wide they are (thousandths of the size)."""

    bytes_a_code: int
    widths: dict[int, float]
    usual: float

    def width(self, code: int) -> float:
        """Of a code."""
        return self.widths.get(code, self.usual)


@dataclass(frozen=True, slots=True)
class Shown:
    """One character that is shown: the operator it stands in, its place there, and its box on the page."""

    operation: int
    code: int
    box: tuple[float, float, float, float]
    """Left, top, right, bottom in the caller's pixels."""
    across: float
    """Thousandths (of a TJ number) that move it a mm to the right."""
    down: float
    """Rise that moves it a mm down."""


@dataclass(frozen=True, slots=True)
class _State:
    matrix: Matrix = _UNIT
    font: Font | None = None
    size: float = 0.0
    between: float = 0.0
    words: float = 0.0
    wide: float = 1.0
    leading: float = 0.0
    rise: float = 0.0


def font_of(value: Any) -> Font | None:
    """A font of a PDF (its dictionary); None when its strings are not understood."""
    kind = value.get("/Subtype")
    if kind == "/Type0":
        return _composite(value)
    if kind not in ("/TrueType", "/Type1", "/MMType1") or "/Widths" not in value:
        return None
    first = int(value.get("/FirstChar", 0))
    listed = [float(width) for width in value["/Widths"]]
    return Font(1, {first + place: width for place, width in enumerate(listed[:256])}, 0.0)


def characters(
    operations: Operations, fonts: dict[str, Font | None], place: Matrix, per_mm: float
) -> list[Shown]:
    """Every character whose place is known and that runs from left to right.

    Args:
        place: takes points of the page's own space to pixels (y down), without turning. per_mm: pixels a mm.
    """
    return list(_Walk(operations, fonts, place, per_mm).run())


def glyph_of(shown: Sequence[Shown], boxes: NDArray[np.int32], size: tuple[int, int]) -> NDArray[np.intp]:
    """For each character the glyph of the drawn page (row of `boxes`) that takes most of its box; -1 for none."""
    field = np.full((size[1] // 2 + 1, size[0] // 2 + 1), -1, np.int32)
    for number, (left, top, right, bottom) in enumerate((boxes // 2).tolist()):
        field[top : bottom + 1, left : right + 1] = number
    if not shown:
        return np.zeros(0, np.intp)
    places = np.array([one.box for one in shown]) / 2
    share = (np.arange(7) + 0.5) / 7
    at_x = places[:, 0, None] + share * (places[:, 2] - places[:, 0])[:, None]
    at_y = places[:, 1, None] + share * (places[:, 3] - places[:, 1])[:, None]
    columns = np.clip(at_x.astype(int), 0, field.shape[1] - 1)
    rows = np.clip(at_y.astype(int), 0, field.shape[0] - 1)
    seen = field[rows[:, :, None], columns[:, None, :]].reshape(len(shown), -1)
    out = np.full(len(shown), -1, np.intp)
    for number, values in enumerate(seen):
        inside = values[values >= 0]
        if len(inside):
            counts = np.bincount(inside - inside.min())
            out[number] = int(counts.argmax()) + int(inside.min())
    return out


def place_of(
    box: tuple[float, float, float, float], turn: int, width_px: float, left: float, top: float
) -> Matrix:
    """What takes points of a PDF page to pixels of the sheet it stands on.

    Args:
        box: left, bottom, right, top of the page, in points. turn: degrees clockwise at which it is shown.
        width_px, left, top: of the page on the sheet, in pixels.
    """
    x0, y0, x1, y1 = box
    rate = width_px / ((y1 - y0) if turn % 180 else (x1 - x0))
    plain: dict[int, Matrix] = {
        0: (1, 0, 0, -1, -x0, y1), 90: (0, 1, 1, 0, -y0, -x0), 180: (-1, 0, 0, 1, x1, -y0),
        270: (0, -1, -1, 0, y1, x1),
    }  # fmt: skip
    return _times(plain[turn % 360], (rate, 0.0, 0.0, rate, left, top))


class _Walk:
    """Goes through a page's operators and keeps the state of its text (ISO 32000-1, 9.3 and 9.4)."""

    def __init__(
        self, operations: Operations, fonts: dict[str, Font | None], place: Matrix, per_mm: float
    ) -> None:
        self._operations, self._fonts, self._place, self._per_mm = operations, fonts, place, per_mm
        self._state = _State()
        self._stack: list[_State] = []
        self._line: Matrix = _UNIT
        self._text: Matrix | None = _UNIT
        self._count = 0

    def run(self) -> Iterable[Shown]:
        for number, (operands, operator) in enumerate(self._operations):
            if operator in SHOWS:
                if operator == b'"':
                    self._set(words=float(operands[0]), between=float(operands[1]))
                if operator in (b"'", b'"'):
                    self._next_line(0.0, -self._state.leading)
                yield from self._show(number, operands[-1] if operator == b"TJ" else [operands[-1]])
                if self._count > _MOST_CODES:
                    return
            else:
                self._other(operands, operator)

    def _set(self, **values: Any) -> None:
        self._state = replace(self._state, **values)

    def _other(self, operands: Any, operator: bytes) -> None:
        if operator == b"q":
            self._stack.append(self._state)
        elif operator == b"Q":
            self._state = self._stack.pop() if self._stack else self._state
        elif operator == b"cm":
            self._set(matrix=_times(_matrix(operands), self._state.matrix))
        elif operator == b"BT":
            self._line = self._text = _UNIT
        elif operator == b"Tm":
            self._line = self._text = _matrix(operands)
        elif operator in (b"Td", b"TD"):
            if operator == b"TD":
                self._set(leading=-float(operands[1]))
            self._next_line(float(operands[0]), float(operands[1]))
        elif operator == b"T*":
            self._next_line(0.0, -self._state.leading)
        elif operator == b"Tf":
            self._set(font=self._fonts.get(str(operands[0])), size=float(operands[1]))
        elif operator in _NUMBERS:
            name, scale = _NUMBERS[operator]
            self._set(**{name: float(operands[0]) * scale})

    def _next_line(self, right: float, up: float) -> None:
        self._line = self._text = _times((1.0, 0.0, 0.0, 1.0, right, up), self._line)

    def _show(self, number: int, items: Iterable[Any]) -> Iterable[Shown]:
        state, font = self._state, self._state.font
        if font is None or self._text is None:
            self._text = None  # how far an unknown font goes on is not known: until the next line
            return
        whole = _times(_times(self._text, state.matrix), self._place)
        a, b, c, d, e, f = whole
        step = state.size * state.wide
        upright = a * step > 0 and d * state.size < 0 and abs(b) < _TURN * abs(a) and abs(c) < _LEAN * abs(d)
        go, code_number = 0.0, 0
        for item in items:
            data = raw_string(item)
            if data is None:
                go -= float(item) / 1000 * step
                continue
            for start in range(0, len(data), font.bytes_a_code):
                code = int.from_bytes(data[start : start + font.bytes_a_code], "big")
                wide = font.width(code) / 1000 * step
                if upright and wide > 0:
                    x = e + a * go + c * state.rise
                    y = f + b * go + d * state.rise
                    box = (x, y + d * _UP * state.size, x + a * wide, y + d * _DOWN * state.size)
                    across, down = -1000 * self._per_mm / (a * step), self._per_mm / d
                    yield Shown(number, code_number, box, across, down)
                space = state.words if font.bytes_a_code == 1 and code == 32 else 0.0
                go += wide + (state.between + space) * state.wide
                code_number += 1
                self._count += 1
        self._text = _times((1.0, 0.0, 0.0, 1.0, go, 0.0), self._text)


_NUMBERS: dict[bytes, tuple[str, float]] = {
    b"Tc": ("between", 1.0), b"Tw": ("words", 1.0), b"Tz": ("wide", 0.01), b"TL": ("leading", 1.0),
    b"Ts": ("rise", 1.0),
}  # fmt: skip


def _composite(value: Any) -> Font | None:
    """Type 0 with codes of two bytes, set from left to right."""
    encoding = value.get("/Encoding")
    cids: dict[int, int] | None = None
    if not isinstance(encoding, str):
        cids = _cmap(encoding.get_object())
        if cids is None:
            return None
    elif encoding in _UNICODE:
        return Font(2, dict.fromkeys(range(256), 500.0), 1000.0)
    elif encoding != "/Identity-H":
        return None
    below = value["/DescendantFonts"][0].get_object()
    usual = float(below.get("/DW", 1000))
    widths: dict[int, float] = {}
    listed = below.get("/W")
    items = list(listed.get_object()) if listed is not None else []
    at = 0
    while at + 1 < len(items):
        first, then = int(items[at]), items[at + 1].get_object()
        if isinstance(then, list):
            widths.update({first + place: float(width) for place, width in enumerate(then)})
            at += 2
            continue
        if at + 2 >= len(items) or not 0 <= int(then) - first < 65536:
            break
        widths.update(dict.fromkeys(range(first, int(then) + 1), float(items[at + 2])))
        at += 3
    if cids is not None:
        widths = {code: widths.get(cid, usual) for code, cid in cids.items()}
    return Font(2, widths, usual)


def _cmap(stream: Any) -> dict[int, int] | None:
    """Code to CID of an embedded CMap whose codes all have two bytes; None for any other (Adobe TN 5014)."""
    if int(stream.get("/WMode", 0)) or "/UseCMap" in stream:
        return None
    data = stream.get_data()
    if len(data) > _MOST_CMAP or b"usecmap" in data or re.search(rb"/WMode\s+1", data):
        return None
    spaces = b"".join(re.findall(rb"begincodespacerange(.*?)endcodespacerange", data, re.DOTALL))
    ends = re.findall(rb"<([0-9A-Fa-f]+)>", spaces)
    if not ends or any(len(end) != 4 for end in ends):
        return None
    cids: dict[int, int] = {}
    for part in re.findall(rb"begincidchar(.*?)endcidchar", data, re.DOTALL):
        for code, cid in re.findall(rb"<([0-9A-Fa-f]{4})>\s*(\d{1,5})", part):
            cids[int(code, 16)] = int(cid)
    for part in re.findall(rb"begincidrange(.*?)endcidrange", data, re.DOTALL):
        for first, last, cid in re.findall(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]{4})>\s*(\d{1,5})", part):
            start = int(first, 16)
            cids.update({code: int(cid) + code - start for code in range(start, int(last, 16) + 1)})
    return cids


def raw_string(item: Any) -> bytes | None:
    """The bytes of a string; None for a number."""
    if isinstance(item, TextStringObject):
        return item.original_bytes
    return bytes(item) if isinstance(item, bytes) else None


def _matrix(operands: Any) -> Matrix:
    a, b, c, d, e, f = (float(value) for value in operands)
    return a, b, c, d, e, f


def _times(one: Matrix, other: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    p, q, r, s, t, u = other
    return (
        a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s,
        e * p + f * r + t, e * q + f * s + u,
    )  # fmt: skip
