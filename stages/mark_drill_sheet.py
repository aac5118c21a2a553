"""标识演练报告: what this room's devices leave of the marks, as a paper for the room."""

from __future__ import annotations

from typing import Any

from ..common.messages import Lang, say
from ..watermark.pen import Pen

_LEFT, _RIGHT, _BOTTOM = 20.0, 190.0, 278.0
_COLUMNS = (20.0, 62.0, 92.0, 118.0, 150.0)


def draw_drill_report(value: dict[str, Any], head: dict[str, str], *, lang: Lang) -> bytes:
    """The figures of `mark_drill.report` as a PDF.

    Raises:
        MissingTool: `font_missing`, `glyph_missing`.
    """
    sheet = _Sheet(lang)
    sheet.begin()
    sheet.pen.fitted(_LEFT, _RIGHT, 34, sheet.worded("title"), 20, align="centre", bold=True, style="serif")
    sheet.y = 42
    sheet.words("　".join(filter(None, (head["unit"], head["at"], head["by"]))), 9.5)
    sheet.words(sheet.worded("meaning"), 9.5)
    best = value["recommended"]
    sheet.words(
        sheet.worded("recommended", profile=say(f"drill_step_{best}", lang))
        if best
        else sheet.worded("none"),
        12,
        bold=True,
    )
    for device in value["devices"]:
        sheet.device(device)
    return sheet.pen.output()


class _Sheet:
    def __init__(self, lang: Lang) -> None:
        self.pen, self.lang, self.y = Pen(), lang, 30.0

    def worded(self, code: str, **facts: object) -> str:
        return say(f"drill_report_{code}", self.lang, **facts)

    def begin(self) -> None:
        self.pen.page(210.0, 297.0)
        self.y = 22.0

    def words(self, text: str, points: float, *, bold: bool = False) -> None:
        for line in self.pen.wrapped(text, points, _RIGHT - _LEFT, bold=bold):
            if self.y > _BOTTOM:
                self.begin()
            self.y += points * 0.56
            self.pen.text(_LEFT, self.y, line, points, bold=bold)
        self.y += 2.5

    def row(self, cells: list[str], *, bold: bool = False) -> None:
        if self.y + 7 > _BOTTOM:
            self.begin()
        self.y += 6.5
        for left, right, cell in zip(_COLUMNS, (*_COLUMNS[1:], _RIGHT), cells, strict=True):
            self.pen.fitted(left, right - 1, self.y, cell, 10, bold=bold)
        self.pen.rule(_LEFT, _RIGHT, self.y + 1.8, 0.15, (160, 160, 160))

    def device(self, device: dict[str, Any]) -> None:
        if self.y + 50 > _BOTTOM:
            self.begin()
        self.y += 4
        self.words(f"{device['device']}（{device['last'][:10]}）", 12, bold=True)
        self.row(
            [self.worded(f"col_{name}") for name in ("step", "pages", "rate", "least", "score")], bold=True
        )
        for step, row in device["steps"].items():
            wrong = self.worded("wrong", count=row["wrong"]) if row["wrong"] else ""
            self.row(
                [
                    say(f"drill_step_{step}", self.lang), f"{row['read']}/{row['tried']}", f"{row['rate']:.0%}",
                    f"{row['at_least']:.0%}", f"{row['score']:.1f} {wrong}",
                ]
            )  # fmt: skip
        self.y += 2
        best = device["recommended"]
        self.words(
            self.worded("device", profile=say(f"drill_step_{best}", self.lang))
            if best
            else self.worded("device_none"),
            10,
        )
