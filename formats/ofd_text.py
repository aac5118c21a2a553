"""The text of one OFD page: characters placed, weeded of what nobody sees, judged, set in lines.

Threat model: TextCode says what a machine reads, the glyphs say what a person sees, and the two may differ
(CGTransform with glyphs of other characters); text may be transparent, white on white, painted over, clipped
away, or stand beyond the paper. Such text is counted, reported, and never read as the page's text.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..models.page import Box, Line
from .lines import Glyph, build_lines, colour_of
from .ofd_font import Embedded, advance
from .ofd_geometry import Rect, common, covered_by
from .ofd_objects import Image, Path, Text, TextRun, Thing
from .ofd_path import holds, polylines, rectangle
from .soundness import TextFacts, unsound

POINTS_PER_MM = 72 / 25.4
_ASCENT = 0.88
_FAINT = 16
"""Opacity of 255 below which nobody sees the ink."""
_PALE = 245
_MONOSPACED = 0.62
_COVER = 0.5
_FOREIGN_SHARE = 0.05
_OUTLINES = 12
"""Filled curves as high as type: beyond these the page has words that are drawn, not written."""
_LETTER_MM = (1.8, 30.0)

FontOf = Callable[[Text], Embedded | None]


@dataclass(frozen=True, slots=True)
class PageText:
    """`lines` is None when there is no text or it is unsound; `hidden`: the characters left out as unseen."""

    lines: tuple[Line, ...] | None
    unsound: str | None
    hidden: str
    largest: float
    """Share of the page under its largest picture."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """A character on the page: its glyph, and the run it is part of when it stands turned or upright in a column."""

    glyph: Glyph
    order: int
    note: bool


def page_text(things: Sequence[Thing], width: float, height: float, font_of: FontOf) -> PageText:
    """The text of a page of `width` x `height` mm."""
    grounds = _grounds(things, width, height)
    level: list[_Mark] = []
    apart: list[tuple[list[_Mark], bool]] = []
    foreign = told = 0
    unseen: list[str] = []
    noted = 0
    for order, thing in enumerate(things):
        if not isinstance(thing, Text):
            continue
        font = font_of(thing)
        bad, known = _foreign(thing, font)
        foreign, told = foreign + bad, told + known
        hidden_run = not thing.visible or not _inked(thing)
        for run in thing.runs:
            marks = [_mark(thing, run, index, order, font) for index in range(len(run.chars))]
            shown: list[_Mark] = []
            for mark in marks:
                if mark is None:
                    continue
                if hidden_run or not _seen(mark, thing, grounds, width, height):
                    unseen.append(mark.glyph.char)
                    noted += thing.note
                else:
                    shown.append(mark)
            _sort(thing, shown, level, apart)
    body = [mark.glyph for mark in level if not mark.note]
    notes = [mark.glyph for mark in level if mark.note]
    text = "".join(glyph.char for glyph in body)
    text += "".join(mark.glyph.char for run, _ in apart for mark in run)
    share, largest, covered = _pictures(things, width, height)
    if not text and not notes and not unseen:
        return PageText(None, None, "", largest)
    hidden = "".join(unseen)
    reason = unsound(TextFacts(text=text, unseen=len(unseen) - noted, covered=covered, picture_share=share))
    if reason is None and foreign > told * _FOREIGN_SHARE:
        reason = "glyphs_differ"
    if reason is None and _outlined(things, len(text)):
        reason = "outlines"
    if reason or not (text + "".join(glyph.char for glyph in notes)).strip():
        return PageText(None, reason, hidden, largest)
    wide, high = width * POINTS_PER_MM, height * POINTS_PER_MM
    lines = build_lines(body, wide, high)
    lines += tuple(_apart(run, wide, high, vertical=vertical) for run, vertical in apart)
    lines += tuple(_as_note(line) for line in build_lines(notes, wide, high))
    return PageText(lines, None, hidden, largest)


def _inked(thing: Text) -> bool:
    return any(ink is not None and ink.alpha >= _FAINT for ink in (thing.fill, thing.stroke))


def _mark(thing: Text, run: TextRun, index: int, order: int, font: Embedded | None) -> _Mark | None:
    char = run.chars[index]
    if char.isspace() or char in "\u200b\u200c\u200d\ufeff\u2060":
        return None
    x, y = run.places[index]
    wide = _advance(char, run.glyphs[index], font) * thing.stretch
    if index + 1 < len(run.chars):
        step = (run.places[index + 1][0] - x) / max(thing.size, 1e-6)
        if wide < step <= max(wide * 1.35 + 0.05, _MONOSPACED) and char.isascii():
            wide = step  # letters set a little wider than our font has them are still one word
    size = thing.size
    if thing.turn in (90, 270):
        box = Rect(x, y - size * _ASCENT, size, max(wide * size, 1e-6))
    else:
        box = Rect(x, y - size * _ASCENT, max(wide * size, 1e-6), size)
    around = covered_by(box, thing.matrix)
    base = thing.matrix.at(x, y)
    ink = thing.fill or thing.stroke
    glyph = Glyph(
        char="\ufffd" if 0xD800 <= ord(char) < 0xE000 else char,
        left=around.x * POINTS_PER_MM,
        top=around.y * POINTS_PER_MM,
        right=(around.x + around.width) * POINTS_PER_MM,
        bottom=(around.y + around.height) * POINTS_PER_MM,
        base=base[1] * POINTS_PER_MM,
        size=max(size * thing.matrix.down * POINTS_PER_MM, 0.1),
        colour=colour_of(*ink.rgb) if ink is not None else "black",
    )
    return _Mark(glyph=glyph, order=order, note=thing.note)


def _advance(char: str, glyph: int | None, font: Embedded | None) -> float:
    if font is not None:
        number = glyph if glyph is not None else font.glyph(char)
        if number is not None and 0 < font.advances.get(number, 0.0) < 3:
            return font.advances[number]
    return advance(char)


def _sort(thing: Text, shown: list[_Mark], level: list[_Mark], apart: list[tuple[list[_Mark], bool]]) -> None:
    """Level characters to the page's rows; columns and turned runs to themselves."""
    if not shown:
        return
    if not thing.matrix.upright or thing.turn:
        stacked = all(
            abs(b.glyph.left - a.glyph.left) < 0.3 * a.glyph.size for a, b in itertools.pairwise(shown)
        )
        apart.append((shown, stacked and len(shown) > 1 and bool(thing.turn)))
        return
    column: list[_Mark] = []
    for mark in shown:
        if column and not _below(column[-1].glyph, mark.glyph):
            _end(column, level, apart)
            column = []
        column.append(mark)
    _end(column, level, apart)


def _below(upper: Glyph, lower: Glyph) -> bool:
    step = lower.base - upper.base
    return abs(lower.left - upper.left) < 0.25 * upper.size and 0.6 * upper.size < step < 3 * upper.size


def _end(column: list[_Mark], level: list[_Mark], apart: list[tuple[list[_Mark], bool]]) -> None:
    if len(column) > 1:
        apart.append((column, True))
    else:
        level += column


def _apart(run: list[_Mark], wide: float, high: float, *, vertical: bool) -> Line:
    glyphs = [mark.glyph for mark in run]
    return Line(
        text="".join(glyph.char for glyph in glyphs),
        box=Box(
            left=_share(min(g.left for g in glyphs), wide),
            top=_share(min(g.top for g in glyphs), high),
            right=_share(max(g.right for g in glyphs), wide),
            bottom=_share(max(g.bottom for g in glyphs), high),
        ),
        size_mm=round(glyphs[0].size / POINTS_PER_MM, 2),
        colour=glyphs[0].colour,
        role="stamp" if run[0].note else "body",
        vertical=vertical,
    )


def _as_note(line: Line) -> Line:
    return Line(text=line.text, box=line.box, size_mm=line.size_mm, colour=line.colour, role="stamp")


def _share(value: float, whole: float) -> float:
    return round(min(max(value / whole, 0.0), 1.0), 5)


@dataclass(frozen=True, slots=True)
class _Ground:
    """An area painted at its turn; `pale` when it looks like bare paper, `hides` what was painted before."""

    order: int
    box: Rect
    pale: bool
    hides: bool


class _Grounds:
    """All such areas of a page, in the order they are painted; a page of tables has thousands."""

    def __init__(self, found: list[_Ground]) -> None:
        self._found = found
        boxes = [(g.box.x, g.box.y, g.box.x + g.box.width, g.box.y + g.box.height) for g in found]
        self._edges = np.array(boxes, dtype=np.float64).reshape(-1, 4)

    def at(self, x: float, y: float) -> list[_Ground]:
        """Those over and under a point."""
        if not self._found:
            return []
        edges = self._edges
        inside = (edges[:, 0] <= x) & (x <= edges[:, 2]) & (edges[:, 1] <= y) & (y <= edges[:, 3])
        return [self._found[index] for index in np.flatnonzero(inside)]


def _grounds(things: Sequence[Thing], width: float, height: float) -> _Grounds:
    found = []
    for order, thing in enumerate(things):
        if not thing.visible:
            continue
        if isinstance(thing, Path) and thing.fill is not None and thing.fill.alpha >= 250:
            box = _plain_rectangle(thing)
            if box is not None:
                found.append(_Ground(order, box, min(thing.fill.rgb) >= _PALE, hides=True))
        elif isinstance(thing, Image) and thing.alpha >= 250 and not thing.mask and not thing.clips:
            box = covered_by(Rect(0, 0, 1, 1), thing.matrix)
            if box.area < 4 * width * height:
                found.append(_Ground(order, box, pale=False, hides=False))  # a seal's picture is clear
    return _Grounds(found)


def _plain_rectangle(path: Path) -> Rect | None:
    """The rectangle a path fills, when it fills one and is not clipped to another shape."""
    box = rectangle(path.data, path.matrix) if not path.clips else None
    if box is None:
        return None
    shown = common(common(box, path.boundary), path.window)
    return shown if shown is not None and shown.area > 0 else None


def _seen(mark: _Mark, thing: Text, grounds: _Grounds, width: float, height: float) -> bool:
    glyph = mark.glyph
    x = (glyph.left + glyph.right) / 2 / POINTS_PER_MM
    y = (glyph.top + glyph.bottom) / 2 / POINTS_PER_MM
    if not (0 <= x <= width and 0 <= y <= height):
        return False
    margin = (
        glyph.size / POINTS_PER_MM
    )  # makers write boundaries that cut their own letters; viewers show them
    if thing.boundary is not None and not thing.boundary.holds(x, y, margin):
        return False
    if thing.window is not None and not thing.window.holds(x, y):
        return False
    if not all(any(holds(*area, x, y) for area in clip.areas) for clip in thing.clips):
        return False
    under = grounds.at(x, y)
    if any(
        ground.hides and ground.order > mark.order and ground.box.height > 0.6 * margin for ground in under
    ):
        return False
    before = [ground for ground in under if ground.order < mark.order]
    return not _is_pale(thing) or (bool(before) and not before[-1].pale)


def _is_pale(thing: Text) -> bool:
    return all(ink is None or min(ink.rgb) >= _PALE for ink in (thing.fill, thing.stroke))


def _foreign(thing: Text, font: Embedded | None) -> tuple[int, int]:
    """How many characters have a glyph that the font says is another one, and how many could be compared."""
    bad = told = 0
    if font is None:
        return 0, 0
    for run in thing.runs:
        for char, glyph in zip(run.chars, run.glyphs, strict=True):
            if glyph is None or char.isspace():
                continue
            told += 1
            if glyph >= font.count:
                bad += 1
            else:
                bad += font.says_other(char, glyph)
    return bad, told


def _pictures(things: Sequence[Thing], width: float, height: float) -> tuple[float, float, bool]:
    """Share of the page under pictures (capped), under the largest, and whether one over most of it hides text."""
    share, largest, covered, text_before = 0.0, 0.0, False, False
    for thing in things:
        if isinstance(thing, Text):
            text_before = text_before or thing.visible
        elif isinstance(thing, Image) and thing.visible:
            area = min(covered_by(Rect(0, 0, 1, 1), thing.matrix).area / (width * height), 1.0)
            covered = covered or (text_before and area > _COVER and thing.alpha >= 250)
            if not thing.note:
                share += area
                largest = max(largest, area)
    return min(share, 1.0), largest, covered


def _outlined(things: Sequence[Thing], characters: int) -> bool:
    """Words that are drawn as shapes: the written text would be less than what a reader sees."""
    low, high = _LETTER_MM
    shapes = 0
    for thing in things:
        if isinstance(thing, Path) and thing.visible and thing.fill is not None and thing.fill.alpha > _FAINT:
            words = thing.data.split()
            if sum(word in ("B", "Q", "A") for word in words) >= 2:
                reach = [math.nan]
                outlines = polylines(thing.data, thing.matrix, fineness=1.0)
                if outlines:
                    ys = [y for points, _ in outlines for _, y in points]
                    reach = [max(ys) - min(ys)]
                shapes += low <= reach[0] <= high
    return shapes > max(_OUTLINES, characters // 2)
