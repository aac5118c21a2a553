"""The operators of a page that stays text with its glyphs moved: made ready once for a document, written for each copy.

Every glyph is moved for itself: by the numbers between the strings of TJ, which are taken back at the string's end, so
that no line grows, and by the rise. What the copy's signs do not touch is written beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .stamp_glyph_text import SHOWS, Font, Operations, Shown, raw_string
from .stamp_objects import plain


@dataclass(frozen=True, slots=True)
class _Run:
    """One operator that shows text, of which some characters are moved."""

    first: int
    """Its first character among those of the page's runs."""
    codes: str
    """Of all its characters, hex."""
    digits: int
    """Of a code."""
    numbers: dict[int, str]
    """Numbers of the array, by the character before which they stand."""
    rise: float


@dataclass(frozen=True)
class Spread:
    """A page's operators, ready to be written with any signs."""

    of: NDArray[np.intp]
    """The glyph of each character of the runs; -1: it stays."""
    factors: NDArray[np.float64]
    """By which a mm to the right and down is multiplied for it (n x 2): thousandths, rise."""
    parts: tuple[bytes | _Run, ...]

    def written(self, steps: NDArray[np.floating]) -> bytes:
        """The operators with each glyph moved (n x 2: mm to the right and down)."""
        by = (
            np.where(self.of[:, None] >= 0, steps[self.of], 0.0) * self.factors
            if len(steps)
            else 0 * self.factors
        )
        across, down = np.round(by[:, 0], 1).tolist(), by[:, 1].tolist()
        return b"".join(
            part if isinstance(part, bytes) else _shown(part, across, down).encode() for part in self.parts
        )


@dataclass(slots=True)
class _Making:
    of: list[int] = field(default_factory=list)
    factors: list[tuple[float, float]] = field(default_factory=list)
    parts: list[bytes | _Run] = field(default_factory=list)
    plain: list[bytes] = field(default_factory=list)


def written(operations: Operations) -> bytes:
    """Operators as they stand in a page."""
    return b"".join(map(_operation, operations))


def spread(
    operations: Operations, fonts: dict[str, Font | None], shown: Sequence[Shown], of: NDArray[np.intp]
) -> Spread:
    """Makes a page ready. `of`: the glyph of each character in `shown`, -1 for one that stays."""
    moved: dict[int, dict[int, tuple[int, Shown]]] = {}
    for one, glyph in zip(shown, of.tolist(), strict=True):
        if glyph >= 0:
            moved.setdefault(one.operation, {})[one.code] = (glyph, one)
    making = _Making()
    font: Font | None = None
    rise, stack = 0.0, []
    for number, (operands, operator) in enumerate(operations):
        if operator == b"Tf":
            font = fonts.get(str(operands[0]))
        elif operator == b"Ts":
            rise = float(operands[0])
        elif operator == b"q":
            stack.append((font, rise))
        elif operator == b"Q" and stack:
            font, rise = stack.pop()
        if operator not in SHOWS or number not in moved or font is None or not _whole(operands[-1], font):
            making.plain.append(_operation((operands, operator)))
            continue
        if operator == b'"':
            making.plain += [_operation(([operands[0]], b"Tw")), _operation(([operands[1]], b"Tc"))]
        if operator in (b"'", b'"'):
            making.plain.append(b"T*\n")
        making.parts += [
            b"".join(making.plain),
            _run(operands[-1], operator, font, rise, moved[number], making),
        ]
        making.plain.clear()
    making.parts.append(b"".join(making.plain))
    factors = np.array(making.factors, np.float64).reshape(-1, 2)
    return Spread(np.array(making.of, np.intp), factors, tuple(making.parts))


def _whole(text: Any, font: Font) -> bool:
    """Whether every string falls into whole codes."""
    items = text if isinstance(text, list) else [text]
    return all(len(data) % font.bytes_a_code == 0 for item in items if (data := raw_string(item)) is not None)


def _run(
    text: Any, operator: bytes, font: Font, rise: float, moved: dict[int, tuple[int, Shown]], making: _Making
) -> _Run:
    first, codes, count = len(making.of), bytearray(), 0
    numbers: dict[int, str] = {}
    for item in text if operator == b"TJ" else [text]:
        data = raw_string(item)
        if data is None:
            numbers[count] = f"{numbers.get(count, '')} {plain(item).decode('ascii')}".strip()
            continue
        for start in range(0, len(data), font.bytes_a_code):
            glyph, one = moved.get(count, (-1, None))
            making.of.append(glyph)
            making.factors.append((one.across, one.down) if one else (0.0, 0.0))
            codes += data[start : start + font.bytes_a_code]
            count += 1
    return _Run(first, codes.hex(), 2 * font.bytes_a_code, numbers, rise)


def _shown(run: _Run, across: list[float], down: list[float]) -> str:
    """One show operator as several: a new one where the rise changes."""
    out: list[str] = []
    array: list[str] = []
    codes, digits, numbers = run.codes, run.digits, run.numbers
    at, height, begun = 0.0, 0.0, 0
    count = len(codes) // digits
    for number in range(count):
        low, step = down[run.first + number], round(across[run.first + number] - at, 1)
        other, turns = number in numbers, abs(low - height) > 1e-6
        if (other or turns or step) and begun < number:
            array.append(f"<{codes[begun * digits : number * digits]}>")
            begun = number
        if other:
            array.append(numbers[number])
        if turns:
            if array:
                out.append(f"[{' '.join(array)}] TJ\n")
                array.clear()
            out.append(f"{run.rise + low:.4f} Ts\n")
            height = low
        if step:
            array.append(f"{step:.1f}")
            at += step
    if begun < count:
        array.append(f"<{codes[begun * digits :]}>")
    if count in numbers:
        array.append(numbers[count])
    if abs(at) > 0.05:
        array.append(f"{-at:.1f}")
    if array:
        out.append(f"[{' '.join(array)}] TJ\n")
    if height:
        out.append(f"{run.rise:.4f} Ts\n")
    return "".join(out)


def _operation(operation: tuple[Any, bytes]) -> bytes:
    operands, operator = operation
    return b" ".join([*map(plain, operands), operator]) + b"\n"
