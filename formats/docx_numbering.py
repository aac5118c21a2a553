"""Automatic paragraph numbers of a DOCX: `一、`, `（二）`, `3.` stand in `numbering.xml`, not in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DIGITS = "〇一二三四五六七八九"
_PLACE = re.compile(r"%([1-9])")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
          (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Level:
    style: str
    text: str
    start: int


class Numbering:
    """Counts the numbered paragraphs of one document, in document order."""

    def __init__(self, root: Any | None) -> None:
        self._levels: dict[str, dict[int, _Level]] = {}
        self._abstract_of: dict[str, str] = {}
        self._counts: dict[str, dict[int, int]] = {}
        if root is None:
            return
        for abstract in root.iterfind(f"{W}abstractNum"):
            self._levels[abstract.get(f"{W}abstractNumId", "")] = {
                _number(level.get(f"{W}ilvl")): _Level(
                    style=_value(level, "numFmt") or "decimal",
                    text=_value(level, "lvlText") or "",
                    start=_number(_value(level, "start"), 1),
                )
                for level in abstract.iterfind(f"{W}lvl")
            }
        for num in root.iterfind(f"{W}num"):
            self._abstract_of[num.get(f"{W}numId", "")] = _value(num, "abstractNumId") or ""

    def label(self, num_id: str, depth: int) -> str:
        """The label of the next paragraph of this list and level; empty when there is none."""
        abstract = self._abstract_of.get(num_id)
        levels = self._levels.get(abstract or "")
        if abstract is None or not levels or depth not in levels:
            return ""
        counts = self._counts.setdefault(abstract, {})
        counts[depth] = counts.get(depth, levels[depth].start - 1) + 1
        for deeper in [key for key in counts if key > depth]:
            del counts[deeper]
        level = levels[depth]
        if level.style == "bullet":
            return "•"
        if level.style == "none":
            return _PLACE.sub("", level.text)

        def place(match: re.Match[str]) -> str:
            at = int(match.group(1)) - 1
            shown = levels.get(at, level)
            return spell(counts.get(at, shown.start), shown.style)

        return _PLACE.sub(place, level.text)


def spell(number: int, style: str) -> str:
    """A number as the list style writes it (ECMA-376 part 1, 17.18.59)."""
    if style in ("chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCounting",
                 "taiwaneseCountingThousand"):  # fmt: skip
        return _chinese(number)
    if style in ("ideographDigital", "japaneseDigitalTenThousand", "taiwaneseDigital"):
        return "".join(_DIGITS[int(digit)] for digit in str(number))
    if style in ("decimalEnclosedCircle", "decimalEnclosedCircleChinese") and 1 <= number <= 20:
        return chr(0x2460 + number - 1)
    if style in ("upperLetter", "lowerLetter") and number > 0:
        letter = chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 8)
        return letter.upper() if style == "upperLetter" else letter
    if style in ("upperRoman", "lowerRoman") and 0 < number < 4000:
        return _roman(number).upper() if style == "upperRoman" else _roman(number)
    return str(number).zfill(2) if style == "decimalZero" else str(number)


def _chinese(number: int) -> str:
    if not 0 < number < 10_000:
        return "〇" if number == 0 else str(number)
    out, gap = "", False
    for unit, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            out += ("〇" if gap and out else "") + _DIGITS[digit] + word
            gap = False
        else:
            gap = True
    return out[1:] if 10 <= number < 20 else out


def _roman(number: int) -> str:
    out = ""
    for value, letters in _ROMAN:
        while number >= value:
            out += letters
            number -= value
    return out


def _value(node: Any, name: str) -> str | None:
    child = node.find(f"{W}{name}")
    return None if child is None else child.get(f"{W}val")


def _number(text: str | None, default: int = 0) -> int:
    try:
        return int(text or "")
    except ValueError:
        return default
