"""溯源报告: a trace for whoever has to decide. What was read, how sure that is, and what it does not say.

It shows the leaked pictures, so it is a sensitive paper itself. Words in Chinese or English; nothing of the document
but what the leak shows (and the master page, where the person who asked may read it).
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from ..common.messages import Lang, say
from ..watermark.pen import Colour, Pen
from .trace_picture import Shown

_PAGE = (210.0, 297.0)
_LEFT, _RIGHT, _TOP, _BOTTOM = 20.0, 190.0, 24.0, 280.0
_RED: Colour = (150, 30, 30)
_GRAY: Colour = (110, 110, 110)
_GAP = 6.0
_HIGH = 105.0
_KEYED = 38
"""No bound below 2^-128 is claimed: so much the keyed functions are good for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetItem:
    """One file of the report, or several together: `result` as `trace` answers, `weak` leads as sentences' facts."""

    name: str
    result: dict[str, Any]
    shown: Shown | None
    tried: tuple[str, ...]
    weak: tuple[dict[str, Any], ...] = ()


def draw_report(head: dict[str, str], items: Sequence[SheetItem], *, lang: Lang) -> bytes:
    """The report as a PDF; `head`: `unit`, `at`, `by`, `report`.

    Raises:
        MissingTool: `font_missing`, `glyph_missing`.
    """
    sheet = _Sheet(lang, head)
    sheet.begin()
    sheet.title()
    for number, item in enumerate(items, 1):
        sheet.item(number, item)
    return sheet.pen.output()


def in_words(rate: float, lang: Lang) -> str:
    """A bound of a probability, as a power of ten and in words."""
    if rate <= 0:
        rate = 1e-300
    power = math.floor(-math.log10(min(1.0, rate)))
    return say("trace_rate_none", lang) if power < 1 else say("trace_rate", lang, power=min(power, _KEYED))


class _Sheet:
    def __init__(self, lang: Lang, head: dict[str, str]) -> None:
        self.pen, self.lang, self.head, self.y, self.number = Pen(), lang, head, _TOP, 0

    def worded(self, code: str, **facts: object) -> str:
        return say(f"trace_report_{code}", self.lang, **facts)

    def begin(self) -> None:
        self.pen.page(*_PAGE)
        self.number += 1
        self.y = _TOP
        self.pen.fitted(_LEFT, _RIGHT, 14, self.worded("sensitive"), 9, colour=_RED)
        foot = self.worded("foot", report=self.head["report"], page=self.number)
        self.pen.fitted(_LEFT, _RIGHT, 289, foot, 8, colour=_GRAY, align="centre")

    def room(self, height: float) -> None:
        if self.y + height > _BOTTOM:
            self.begin()

    def words(
        self, text: str, points: float = 10, *, bold: bool = False, colour: Colour = (20, 20, 20)
    ) -> None:
        step = points * 0.56
        for line in self.pen.wrapped(text, points, _RIGHT - _LEFT, bold=bold):
            self.room(step)
            self.y += step
            self.pen.text(_LEFT, self.y, line, points, bold=bold, colour=colour)
        self.y += 1.6

    def pair(self, name: str, value: str) -> None:
        lines = self.pen.wrapped(value, 10, _RIGHT - _LEFT - 40)
        self.room(5.6 * len(lines))
        for number, line in enumerate(lines):
            self.y += 5.6
            if number == 0:
                self.pen.fitted(_LEFT, _LEFT + 38, self.y, name, 10, colour=_GRAY)
            self.pen.text(_LEFT + 40, self.y, line, 10)

    def title(self) -> None:
        self.y += 6
        self.pen.fitted(
            _LEFT, _RIGHT, self.y, self.worded("title"), 22, align="centre", bold=True, style="serif"
        )
        self.y += 4
        self.pen.rule(_LEFT, _RIGHT, self.y, 0.5, _RED)
        self.y += 3
        for name in ("report", "unit", "at", "by"):
            if self.head.get(name):
                self.pair(self.worded(f"head_{name}"), self.head[name])
        self.y += 3
        self.words(self.worded("lead"), 12, bold=True, colour=_RED)
        self.words(self.worded("meaning"), 9.5)

    def item(self, number: int, item: SheetItem) -> None:
        self.room(70)
        self.y += 4
        self.pen.rule(_LEFT, _RIGHT, self.y, 0.25, _GRAY)
        self.y += 1
        self.words(f"{number}. {item.name}", 13, bold=True)
        self._verdict(item)
        self._pictures(item)
        self._channels(item)
        self._candidates(item.result)
        for lead in item.weak:
            self.words(self.worded("weak", **lead), 10)

    def _verdict(self, item: SheetItem) -> None:
        result = item.result
        self.words(self.worded(f"verdict_{result['verdict']}"), 12, bold=True)
        if result["verdict"] == "copy":
            for name in ("number", "copy", "document", "recipient", "holder_name", "issued_at"):
                if result.get(name) is not None:
                    self.pair(self.worded(f"of_{name}"), str(result[name]))
        if result["verdict"] != "none" and result["false_rate"] is not None:
            self.y += 1
            self.words(self.worded("false_rate", words=in_words(result["false_rate"], self.lang)))
        elif result["verdict"] != "none":
            self.words(self.worded("unchecked"))
        if result.get("problem"):
            told = say(str(result["problem"]), self.lang, detail=result.get("problem_detail") or "-")
            self.words(self.worded("problem", problem=told))
        for code in result["findings"]:
            self.words(say(code, self.lang), 9.5)

    def _pictures(self, item: SheetItem) -> None:
        shown = item.shown
        if shown is None:
            return
        half = (_RIGHT - _LEFT - _GAP) / 2
        self.room(_HIGH + 14)
        self.y += 3
        lowest = self.y
        for left, data, word in (
            (_LEFT, shown.leak, "leak" if shown.placed else "leak_alone"),
            (_LEFT + half + _GAP, shown.placed, "over_master" if shown.master else "placed"),
        ):
            if not data:
                continue
            with Image.open(io.BytesIO(data)) as picture:
                wide, high = picture.size
            scale = min(half / wide, _HIGH / high)
            self.pen.pdf.image(io.BytesIO(data), x=left, y=self.y, w=wide * scale, h=high * scale)
            bottom = self.y + high * scale + 1
            for line in self.pen.wrapped(self.worded(word, page=shown.master), 8.5, half):
                bottom += 4
                self.pen.text(left, bottom, line, 8.5, colour=_GRAY)
            lowest = max(lowest, bottom)
        self.y = lowest + 3

    def _channels(self, item: SheetItem) -> None:
        self.room(34)
        self.words(self.worded("channels"), 10.5, bold=True)
        for channel in item.result["channels"]:
            said = self.worded("found" if channel["found"] else "not_found")
            score = f"（{self.worded('score')} {channel['score']:.1f}）" if channel["found"] else ""
            value = f" {channel['value']}" if channel["value"] else ""
            layer = channel.get("layer")
            said = f"{said}，{self.worded(f'layer_{layer}')}" if channel["found"] and layer else said
            self.pair(self.worded(f"channel_{channel['channel']}"), f"{said}{score}{value}")
        self.y += 1.5
        self.words(
            self.worded("tried", what="、".join(self.worded(f"tried_{one}") for one in item.tried)),
            9,
            colour=_GRAY,
        )

    def _candidates(self, result: dict[str, Any]) -> None:
        if not result["candidates"]:
            return
        self.room(20)
        self.words(self.worded("candidates"), 10.5, bold=True)
        for candidate in result["candidates"]:
            score = f"{self.worded('score')} {candidate['score']:.2f}"
            self.pair(str(candidate["copy"]), f"{candidate['recipient']}（{score}）")
        for part in result["regions"]:
            self.y += 2
            self.room(8 * len(part["rows"]) + 12)
            self.words(self.worded("map", page=part["page"]), 9.5)
            letters = "；".join(f"{letter} {copy}" for letter, copy in sorted(part["letters"].items()))
            self.words(letters, 9, colour=_GRAY)
            self._map(part["rows"])

    def _map(self, rows: Sequence[str]) -> None:
        side = 6.0
        for row in rows:
            for at, letter in enumerate(row):
                left = _LEFT + at * side
                self.pen.frame(left, self.y, side, side, 0.15, (170, 170, 170))
                if letter != ".":
                    self.pen.fitted(left, left + side, self.y + 4.2, letter, 9, align="centre", bold=True)
            self.y += side
        self.y += 3
