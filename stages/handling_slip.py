"""The handling slip 收文处理签: the sheet that goes with a paper from the office director to leaders, readers, handler,
with what was signed so far and lines for what is still to be signed by hand.

Source: 001-D§2, 001-C§3.1 (R-009), 004-B§4.1 (distribution scope, reading limit; R-010), 001-D§5 (results of urging;
R-070). The sheet proves nothing by itself: the register and the ledger do, whose checkpoint stands at its foot.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from ..watermark.pen import Pen

TITLE: Final = "收文处理签"
HIDDEN: Final = "（按密级不显示）"
_PAGE = (210.0, 297.0)
_LEFT, _RIGHT = 18.0, 192.0
_BOTTOM = 276.0
_RED = (150, 30, 30)
_LINE = (90, 90, 90)
_GRAY = (100, 100, 100)
_LABEL = 24.0
_POINTS, _LEADING = 10.5, 5.2
_LEAST_READERS = 12
_READER_LINE = 6.4
_COLUMNS = (0.0, 24.0, 45.0, 66.0)
_HEADS = ("传阅人", "送阅", "签名", "收回")
_MOST_LINES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a person wrote in a step, with name and day."""

    text: str
    name: str
    day: str
    """As printed, `2026-11-02`; empty while it is to be signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One line of the circulation columns."""

    name: str
    given: str = ""
    """Day on which it was handed over, as printed; empty while it is to come."""
    back: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingSlip:
    """What the sheet shows. Empty values are left as lines to be filled in by hand."""

    unit: str
    number: str
    """收文编号."""
    sender: str
    doc_number: str
    title: str
    level: str
    """Level with its period, or the level that protects meanwhile."""
    urgency: str
    copies: str
    serials: str
    received: str
    scope: str = ""
    """发授范围."""
    read_by: str = ""
    """阅读时限, the last day."""
    handle_by: str = ""
    """承办时限."""
    handler: str = ""
    proposals: tuple[Signed, ...] = ()
    instructions: tuple[Signed, ...] = ()
    distributions: tuple[Signed, ...] = ()
    outcomes: tuple[Signed, ...] = ()
    urgings: tuple[Signed, ...] = ()
    readers: tuple[Reader, ...] = ()
    step: str = ""
    """The step that is awaited, in words."""
    day: date
    checkpoint: str
    """Number of entries and root of the ledger."""
    printed_by: str = ""


def draw_handling_slip(slip: HandlingSlip) -> bytes:
    """The sheet as a PDF of A4 pages; what does not fit goes on to a further page.

    Raises:
        MissingTool: `font_missing`, `glyph_missing`. Refused: `mark_too_long`.
    """
    return _Sheet(slip).draw()


class _Sheet:
    """Where the pen stands while the sheet grows."""

    def __init__(self, slip: HandlingSlip) -> None:
        self._pen = Pen()
        self._slip = slip
        self._y = 0.0
        self._pages = 0

    def draw(self) -> bytes:
        slip = self._slip
        self._new_page()
        self._row(("收文编号", slip.number), ("收文日期", slip.received))
        self._row(("来文单位", slip.sender), ("来文字号", slip.doc_number))
        self._block("文件标题", (slip.title,), least=1)
        self._row(("密　　级", slip.level), ("紧急程度", slip.urgency))
        self._row(("份　　数", slip.copies), ("来文份号", slip.serials))
        self._row(("发授范围", slip.scope), ("阅读时限", slip.read_by))
        self._said("拟办意见", slip.proposals, least=4)
        self._said("领导批示", slip.instructions, least=7)
        self._said("分　　发", slip.distributions, least=1)
        self._readers()
        self._row(("承 办 人", slip.handler), ("承办时限", slip.handle_by))
        self._said("催办情况", slip.urgings, least=1, signed=False)
        self._said("承办结果", slip.outcomes, least=5)
        return self._pen.output()

    def _new_page(self) -> None:
        pen, slip = self._pen, self._slip
        self._pages += 1
        pen.page(*_PAGE)
        pen.fitted(_LEFT, _RIGHT, 18, slip.unit, 13, align="centre", style="serif")
        head = TITLE if self._pages == 1 else f"{TITLE}（续 {self._pages}）"
        pen.fitted(_LEFT, _RIGHT, 29, head, 21, align="centre", bold=True, style="serif", colour=_RED)
        pen.fitted(_RIGHT - 60, _RIGHT, 18, slip.level, 12, align="right", bold=True)
        pen.rule(_LEFT, _RIGHT, 33, 0.6, _RED)
        self._y = 33.0
        stands = f"现办：{slip.step}　" if slip.step else ""
        made = f"{stands}{slip.day.isoformat()} 打印　第 {self._pages} 页"
        pen.fitted(_LEFT, _RIGHT, 284, made, 8.5, align="right", colour=_GRAY)
        pen.fitted(_LEFT, _RIGHT - 75, 284, f"打印人：{slip.printed_by}", 8.5, colour=_GRAY)
        pen.fitted(_LEFT, _RIGHT, 289, f"台账检查点：{slip.checkpoint}", 7.5, colour=_GRAY)

    def _need(self, height: float) -> None:
        if self._y + height > _BOTTOM:
            self._new_page()

    def _frame(self, height: float, *, marks: tuple[float, ...] = (_LEFT, _LEFT + _LABEL, _RIGHT)) -> None:
        pdf = self._pen.pdf
        pdf.set_draw_color(*_LINE)
        pdf.set_line_width(0.2)
        for x in marks:
            pdf.line(x, self._y, x, self._y + height)
        self._pen.rule(_LEFT, _RIGHT, self._y + height, 0.2, _LINE)
        self._y += height

    def _label(self, x: float, text: str, height: float) -> None:
        self._pen.fitted(
            x + 1, x + _LABEL - 1, self._y + height / 2 + 1.4, text, 10, bold=True, align="centre"
        )

    def _row(self, left: tuple[str, str], right: tuple[str, str]) -> None:
        """Two labelled values side by side."""
        middle = 116.0
        wide = (middle - _LEFT - _LABEL - 3, _RIGHT - middle - _LABEL - 3)
        cells = [
            _shortened(self._pen.wrapped(value, _POINTS, width))
            for (_, value), width in zip((left, right), wide, strict=True)
        ]
        height = max(9.0, _LEADING * max(map(len, cells)) + 3.6)
        self._need(height)
        for (name, _), x, lines in zip((left, right), (_LEFT, middle), cells, strict=True):
            self._label(x, name, height)
            base = self._y + (height - _LEADING * len(lines)) / 2 + 3.9
            for line in lines:
                self._pen.text(x + _LABEL + 1.5, base, line, _POINTS, style="serif")
                base += _LEADING
        self._frame(height, marks=(_LEFT, _LEFT + _LABEL, middle, middle + _LABEL, _RIGHT))

    def _block(self, name: str, lines: tuple[str, ...], *, least: int) -> None:
        """One label beside lines of text; a long text goes on to the next page."""
        wide = _RIGHT - _LEFT - _LABEL - 4
        left = [piece for line in lines for piece in self._pen.wrapped(line, _POINTS, wide)]
        while True:
            room = int((_BOTTOM - self._y - 4) / _LEADING)
            if room < min(max(len(left), least), 4):
                self._new_page()
                continue
            piece, left = left[:room], left[room:]
            height = max(9.0, _LEADING * max(len(piece), least) + 4)
            self._label(_LEFT, name, height)
            base = self._y + 5.6
            for line in piece:
                self._pen.text(_LEFT + _LABEL + 2, base, line, _POINTS, style="serif")
                base += _LEADING
            self._frame(height)
            if not left:
                return

    def _said(self, name: str, words: tuple[Signed, ...], *, least: int, signed: bool = True) -> None:
        lines = [f"{one.text}　　{one.name}　{one.day}" if signed else one.text for one in words]
        self._block(name, tuple(lines), least=max(least, len(lines)))

    def _readers(self) -> None:
        """The circulation columns: name, handed over, signature, back; in two halves side by side."""
        rows = [*self._slip.readers]
        rows += [Reader(name="")] * max(0, _LEAST_READERS - len(rows))
        if len(rows) % 2:
            rows.append(Reader(name=""))
        half = len(rows) // 2
        self._need(3 * _READER_LINE)
        self._reader_line(_HEADS, _HEADS, bold=True)
        for left, right in zip(rows[:half], rows[half:], strict=True):
            if self._y + _READER_LINE > _BOTTOM:
                self._new_page()
                self._reader_line(_HEADS, _HEADS, bold=True)
            self._reader_line(
                (left.name, left.given, "", left.back), (right.name, right.given, "", right.back), bold=False
            )

    def _reader_line(self, left: tuple[str, ...], right: tuple[str, ...], *, bold: bool) -> None:
        middle = (_LEFT + _RIGHT) / 2
        marks = [_RIGHT]
        for start, cells in ((_LEFT, left), (middle, right)):
            marks += [start + x for x in _COLUMNS]
            for text, x, end in zip(cells, _COLUMNS, (*_COLUMNS[1:], middle - _LEFT), strict=True):
                self._pen.fitted(
                    start + x + 1, start + end - 1, self._y + 4.6, text, 9.5, align="centre", bold=bold
                )
        self._frame(_READER_LINE, marks=tuple(marks))


def _shortened(lines: tuple[str, ...]) -> tuple[str, ...]:
    """At most eight lines; what is left out is said to be."""
    return lines if len(lines) <= _MOST_LINES else (*lines[: _MOST_LINES - 1], "……（余略）")
