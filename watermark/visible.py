"""The marks a reader sees on every page of a copy: level and period, copy number, holder, date, caution.

Sources: 保守国家秘密法 (2024) art. 21 and 实施条例 (2024) art. 21 (level and period on the carrier);
GB/T 9704-2012 7.2.2 (★ between level and period, for state secrets only). A copy is numbered, registered and
managed like the original. The words of the marks are the room's own.

Threat model. Whoever holds the paper can cut, cover or retype visible marks; they warn and deter. A name that
cannot be printed is an error, never an empty box; control and bidirectional characters are taken out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from ..common.fonts import clean
from ..models.copy import CopySpec, FormerMark, MarkStyle
from ..models.level import Family, Level
from ..models.period import Period
from .barcode import modules
from .layout import EDGE_MM, Sheet
from .pen import SMALLEST_POINTS, Pen

STAR = "★"
NUMBER_LABEL = "复制件编号"
DOCUMENT_LABEL = "文件编号"
LIFTED = "解密"
_MOST_STRUCK = 2
_STRUCK = (70, 70, 70)
_WARN = (176, 16, 24)
_RULE = (150, 30, 30)
_TILE = (90, 90, 90)
_TILE_OPACITY = 0.13
_TILE_ANGLE = 30.0


def level_mark(level: Level, period: Period | None, style: MarkStyle = "prefixed_no_star") -> str:
    """The mark as printed: `机密★20年`, `机密★` (no period named), `公司机密 3年`, `内部`.

    Only state secrets bear the star, whatever words a company uses for its own (保守国家秘密法 art. 22).
    """
    if level.family is Family.STATE:
        return f"{level.value}{STAR}{period or ''}"
    words = _company_words(level, style) if level.family is Family.COMPANY else level.value
    return f"{words} {period}" if period else words


def _company_words(level: Level, style: MarkStyle) -> str:
    match style:
        case "bare_words":
            return level.value.removeprefix("公司")
        case "soe_shangmi":
            return (Level.SOE_CORE if level is Level.COMPANY_TOP else Level.SOE_ORDINARY).value
        case _:
            return level.value


def number_mark(number: int) -> str:
    """The copy number as printed: `第 3 号`."""
    return f"第 {number} 号"


def draw_marks(sheets: Sequence[Sheet], spec: CopySpec) -> bytes:
    """A PDF with one page of marks (on nothing) for each sheet, in order, its fonts embedded as subsets.

    Raises:
        MissingTool: `font_missing`, `glyph_missing`.
        Refused: `mark_too_long`, when a line does not fit at 5 points.
    """
    return _Marks(spec).draw(sheets)


class _Marks:
    """The words of one copy and how they are drawn."""

    def __init__(self, spec: CopySpec) -> None:
        marks = [*spec.former, FormerMark(spec.level, spec.period)]
        words = [level_mark(one.level, one.period, spec.mark_style) for one in marks]
        self._level = "" if spec.declassified else words.pop()
        self._struck = tuple(words[-_MOST_STRUCK:])
        self._lifted = f"{LIFTED} {_day(spec.declassified)}" if spec.declassified else ""
        self._number = number_mark(spec.number)
        recipient = clean(spec.recipient).strip()
        room = clean(f"{spec.unit}{spec.room}").strip()
        self._caution = f"{room}复制件　严禁复印外传"
        held = [f"{NUMBER_LABEL} {self._number}", f"持有人 {recipient}", f"签发日期 {_day(spec.issued)}"]
        if spec.due:
            held.append(f"清退期限 {_day(spec.due)}")
        self._held = "　".join(held)
        self._foot = (
            f"{DOCUMENT_LABEL} {clean(spec.document)}　"
            f"按原件管理，用毕退还{clean(spec.room).strip()}，不得留存、转借、自行销毁"
        )
        self._tile = f"{recipient}　{self._number}"
        self._modules = modules(spec.barcode)

    def draw(self, sheets: Sequence[Sheet]) -> bytes:
        pen = Pen()
        for sheet in sheets:
            pen.page(sheet.width, sheet.height)
            self._draw_tiles(pen, sheet)
            self._draw_bands(pen, sheet)
            for place in sheet.codes:
                pen.code(place.left, place.top, place.width, self._modules)
        return pen.output()

    def _draw_tiles(self, pen: Pen, sheet: Sheet) -> None:
        points = 15 * sheet.unit
        length = pen.width(self._tile, points)
        step_x = length + 26 * sheet.unit
        step_y = 44 * sheet.unit
        centre = (sheet.width / 2, sheet.height / 2)
        reach = math.hypot(*centre)
        rows, columns = int(reach / step_y) + 1, int(reach / step_x) + 2
        turn = pen.pdf.rotation(_TILE_ANGLE, *centre)
        with pen.faint(_TILE_OPACITY), turn:
            for row in range(-rows, rows + 1):
                shift = step_x / 2 if row % 2 else 0.0
                for column in range(-columns, columns + 1):
                    x, base = column * step_x + shift, row * step_y
                    if _inside(sheet, x, base, length, points * 25.4 / 72):
                        pen.text(centre[0] + x, centre[1] + base, self._tile, points, colour=_TILE)

    def _draw_bands(self, pen: Pen, sheet: Sheet) -> None:
        unit = sheet.unit
        corner = sheet.codes[0]
        left = corner.left + corner.width + 5 * unit
        right = sheet.width - left
        middle = sheet.width / 2
        head, foot = corner.top, sheet.height - EDGE_MM * unit - corner.height
        line = head + 6.2 * unit
        self._draw_level(pen, left, middle - unit, line, unit)
        pen.fitted(middle + unit, right, line, self._number, 17 * unit, bold=True, align="right")
        line = head + 13.8 * unit
        pen.fitted(left, right, line, self._caution, 10 * unit, bold=True, align="centre", colour=_WARN)
        pen.fitted(left, right, foot + 5.6 * unit, self._held, 10 * unit, bold=True, align="centre")
        pen.fitted(left, right, foot + 12.6 * unit, self._foot, 8 * unit, align="centre")
        pen.rule(left, right, head + 8.8 * unit, 0.35 * unit, _RULE)
        pen.rule(left, right, foot + 8.2 * unit, 0.25 * unit, _RULE)

    def _draw_level(self, pen: Pen, left: float, right: float, base: float, unit: float) -> None:
        """The mark that holds; before it those it took the place of, struck out; or the stamp 解密."""
        now = self._level or self._lifted
        parts = [(words, 11 * unit, False) for words in self._struck] + [
            (now, (17 if self._level else 12) * unit, True)
        ]
        gap = 2 * unit
        while len(parts) > 1 and _shrunk(pen, parts, gap, right - left) < SMALLEST_POINTS:
            parts = parts[1:]
        whole = sum(pen.width(words, points, bold=bold) + gap for words, points, bold in parts) - gap
        room = right - left
        if whole <= room or len(parts) == 1:
            shrink = 1.0
        else:
            shrink = (room - gap * (len(parts) - 1)) / (whole - gap * (len(parts) - 1)) * 0.995
        for words, points, bold in parts:
            size = points * shrink
            width = pen.width(words, size, bold=bold)
            if not bold:
                pen.fitted(left, left + width * 1.001, base, words, size, colour=_STRUCK)
                pen.rule(
                    left - 0.4 * unit, left + width + 0.4 * unit, base - size * 0.134, 0.4 * unit, _STRUCK
                )
            elif self._level:
                pen.fitted(
                    left, right if len(parts) == 1 else left + width * 1.001, base, words, size, bold=True
                )
            else:
                pen.fitted(left, left + width * 1.001, base, words, size, bold=True, colour=_WARN)
                pen.frame(
                    left - 0.8 * unit, base - size * 0.34, width + 1.6 * unit, size * 0.44, 0.35 * unit, _WARN
                )
            left += width + gap


def _shrunk(pen: Pen, parts: list[tuple[str, float, bool]], gap: float, room: float) -> float:
    """The smallest type that these words would have side by side, in points."""
    words = sum(pen.width(text, points, bold=bold) for text, points, bold in parts)
    return min(points for _, points, _ in parts) * min(1.0, (room - gap * (len(parts) - 1)) / words)


def _inside(sheet: Sheet, x: float, base: float, length: float, height: float) -> bool:
    """Whether a turned line, given from the sheet's middle, lies on the sheet: no letter is cut or unseen."""
    cos, sin = math.cos(math.radians(_TILE_ANGLE)), math.sin(math.radians(_TILE_ANGLE))
    corners = ((x, base), (x + length, base), (x, base - height), (x + length, base - height))
    return all(
        abs(a * cos + b * sin) < sheet.width / 2 - 1 and abs(b * cos - a * sin) < sheet.height / 2 - 1
        for a, b in corners
    )


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
