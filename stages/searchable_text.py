"""Where unseen text goes on a page: each run on its own baseline, as long and as high as it stands."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..models.page import Box, Line, Page
from .searchable_font import ASCENT, EM, Codes, advance

POINTS = 72 / 25.4
APART = "  "
LEAST_MM = 0.5
STEEP = 0.2
"""Nearer to 45 degrees than this (cosine of twice the angle), a box does not tell what size turned in it."""


def text_layer(page: Page, codes: Codes) -> str:
    """Operators that write the page's text unseen (render mode 3), in points from its lower left corner as shown."""
    written = [_run(text, box, line, page, codes) for line in page.lines for text, box in _runs(line)]
    operators = "\n".join(text for text in written if text)
    return f"BT 3 Tr\n{operators}\nET" if operators else ""


def _runs(line: Line) -> Iterator[tuple[str, Box]]:
    texts = line.text.split(APART)
    if line.parts and len(texts) == len(line.parts):
        yield from zip(texts, line.parts, strict=True)
    else:
        yield line.text, line.box


def _run(text: str, box: Box, line: Line, page: Page, codes: Codes) -> str:
    if not text.strip():
        return ""
    wide, high = (box.right - box.left) * page.width_mm, (box.bottom - box.top) * page.height_mm
    x, y = (box.left + box.right) / 2 * page.width_mm, (box.top + box.bottom) / 2 * page.height_mm
    along, across = _unturned(wide, high, page.direction)
    angle = math.radians(page.direction)
    if line.vertical:
        return _column(text, x, y, along, across, angle, page, codes)
    total = sum(advance(character) for character in text)
    size = max(across, LEAST_MM)
    # From the middle of the box back to the start of its baseline.
    down = size * (ASCENT / EM - 0.5)
    start = _moved(x, y, -along / 2, down, angle)
    return _show(text, start, size, 100 * max(along, LEAST_MM) / (total * size), angle, page, codes)


def _column(
    text: str, x: float, y: float, along: float, across: float, angle: float, page: Page, codes: Codes
) -> str:
    """Each character on its own, one below the other."""
    size = max(across / len(text), LEAST_MM)
    shown = []
    for index, character in enumerate(text):
        middle = (index + 0.5) * size - across / 2
        start = _moved(x, y, -along / 2, middle + size * (ASCENT / EM - 0.5), angle)
        scale = 100 * max(along, LEAST_MM) / (advance(character) * size)
        shown.append(_show(character, start, size, scale, angle, page, codes))
    return "\n".join(shown)


def _show(
    text: str, start: tuple[float, float], size: float, scale: float, angle: float, page: Page, codes: Codes
) -> str:
    cosine, sine = math.cos(angle), math.sin(angle)
    left, base = start[0] * POINTS, (page.height_mm - start[1]) * POINTS
    return (
        f"/JyText {size * POINTS:.3f} Tf {scale:.3f} Tz "
        f"{cosine:.5f} {-sine:.5f} {sine:.5f} {cosine:.5f} {left:.3f} {base:.3f} Tm <{codes.encode(text)}> Tj"
    )


def _moved(x: float, y: float, along: float, down: float, angle: float) -> tuple[float, float]:
    cosine, sine = math.cos(angle), math.sin(angle)
    return x + along * cosine - down * sine, y + along * sine + down * cosine


def _unturned(wide: float, high: float, direction: float) -> tuple[float, float]:
    """Length and height of what fills a box of `wide` x `high` when turned by `direction` degrees."""
    cosine, sine = abs(math.cos(math.radians(direction))), abs(math.sin(math.radians(direction)))
    spread = cosine**2 - sine**2
    if abs(spread) < STEEP:
        return wide, high
    along, across = (wide * cosine - high * sine) / spread, (high * cosine - wide * sine) / spread
    shorter = min(wide, high)
    return max(along, shorter / 4), max(across, shorter / 4)
