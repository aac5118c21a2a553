"""The printable review sheet: for each doubtful value the crop of the paper beside it, boxes to tick.

Threat model. Crops are document content: they come from sealed data, are handed on as bytes and never touch a
file here. `crops` parses hostile input and runs in the worker; `draw_sheet` gets only PNG bytes that it made.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date

import cv2
import numpy as np
from PIL import Image

from ..common.limits import DEFAULT_LIMITS, Limits
from ..formats.opened import OpenedDocument
from ..models.page import Box
from ..watermark.pen import Pen

CROP_DPI = 150
_PAGE = (210.0, 297.0)
_LEFT, _RIGHT = 15.0, 195.0
_TOP, _BOTTOM = 22.0, 280.0
_CROP_WIDTH, _CROP_HEIGHT = 78.0, 22.0
_VALUE_LEFT = 125.0
_MARGIN_MM = 2.0
MOST_CROPS = 400
_GRAY = (100, 100, 100)
_LINE = (160, 160, 160)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetItem:
    """One field: its name as printed, what was read, how sure (0..1), its crop as PNG, words of doubt."""

    field: str
    value: str
    confidence: float
    crop: bytes | None = None
    page: int | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetDocument:
    """One document's part of the sheet."""

    id: str
    items: tuple[SheetItem, ...]
    level: str = ""
    """Level and period as suggested or read, as printed."""
    note: str = ""


def crops(
    opened: OpenedDocument,
    boxes: tuple[tuple[int, Box], ...],
    *,
    limits: Limits = DEFAULT_LIMITS,
    dpi: int = CROP_DPI,
) -> tuple[bytes, ...]:
    """A PNG of each (page number, box), in order, with 2 mm around it; each page is drawn once.

    Raises:
        FormatFault: when a page cannot be drawn.
        ValueError: for a page that does not exist, or more than 400 boxes.
    """
    if len(boxes) > MOST_CROPS or any(
        not 1 <= page <= min(opened.page_count, limits.pages) for page, _ in boxes
    ):
        raise ValueError("pages or boxes out of range")
    pictures: list[bytes] = [b""] * len(boxes)
    for number in sorted({page for page, _ in boxes}):
        page = opened.render(number, dpi)
        width_mm, height_mm = opened.size_mm(number)
        for index, (wanted, box) in enumerate(boxes):
            if wanted == number:
                pictures[index] = _cut(page, box, width_mm, height_mm)
    return tuple(pictures)


def draw_sheet(
    documents: tuple[SheetDocument, ...], *, batch: str, day: date, unit: str = "", level: str = ""
) -> bytes:
    """The sheet as a PDF of A4 pages. `level`: the highest level on it, printed on every page.

    Raises:
        MissingTool: `font_missing`, `glyph_missing`.
        Refused: `mark_too_long`.
    """
    return _Sheet(batch=batch, day=day, unit=unit, level=level).draw(documents)


def _cut(page: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], box: Box, wide: float, high: float) -> bytes:
    height, width = page.shape[:2]
    extra_x, extra_y = _MARGIN_MM / wide, _MARGIN_MM / high
    left = min(width - 1, max(0, int((box.left - extra_x) * width)))
    top = min(height - 1, max(0, int((box.top - extra_y) * height)))
    right = min(width, max(left + 1, int(np.ceil((box.right + extra_x) * width))))
    bottom = min(height, max(top + 1, int(np.ceil((box.bottom + extra_y) * height))))
    piece = np.ascontiguousarray(page[top:bottom, left:right])
    done, data = cv2.imencode(".png", cv2.cvtColor(piece, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError("PNG encoder")
    return data.tobytes()


class _Sheet:
    """Where the pen stands while the sheet grows."""

    def __init__(self, *, batch: str, day: date, unit: str, level: str) -> None:
        self._pen = Pen()
        self._head = f"{unit}机要室　识读核对单　批次 {batch}"
        self._day = f"{day.year}年{day.month}月{day.day}日"
        self._level = level
        self._y = _BOTTOM
        self._pages = 0

    def draw(self, documents: tuple[SheetDocument, ...]) -> bytes:
        self._new_page()
        for document in documents:
            self._document(document)
        return self._pen.output()

    def _new_page(self) -> None:
        pen = self._pen
        self._pages += 1
        pen.page(*_PAGE)
        pen.fitted(_LEFT, 150, 13, self._head, 12, bold=True)
        pen.fitted(150, _RIGHT, 13, self._level, 12, bold=True, align="right")
        pen.rule(_LEFT, _RIGHT, 16, 0.4, (150, 30, 30))
        pen.fitted(_LEFT, 120, 289, "核对人签名：＿＿＿＿＿＿＿＿　日期：＿＿＿＿＿＿", 10)
        pen.fitted(120, _RIGHT, 289, f"{self._day}　第 {self._pages} 页", 9, align="right", colour=_GRAY)
        self._y = _TOP

    def _need(self, height: float) -> None:
        if self._y + height > _BOTTOM:
            self._new_page()

    def _document(self, document: SheetDocument) -> None:
        pen = self._pen
        self._need(16 + _CROP_HEIGHT)
        pen.pdf.set_fill_color(240, 240, 240)
        pen.pdf.rect(_LEFT, self._y, _RIGHT - _LEFT, 8, style="F")
        pen.fitted(_LEFT + 2, 90, self._y + 5.6, document.id, 11, bold=True)
        pen.fitted(90, 140, self._y + 5.6, document.level, 11, bold=True)
        pen.fitted(140, _RIGHT - 2, self._y + 5.6, document.note, 9, align="right", colour=_GRAY)
        self._y += 10
        for item in document.items:
            self._item(item)
        self._y += 4

    def _item(self, item: SheetItem) -> None:
        pen = self._pen
        value = pen.wrapped(item.value or "（未识读）", 11, _RIGHT - _VALUE_LEFT - 2)[:6]
        doubts = pen.wrapped("；".join(item.doubts), 8, _RIGHT - _VALUE_LEFT - 2)[:3] if item.doubts else ()
        picture = Image.open(io.BytesIO(item.crop)) if item.crop else None
        width, height = _size(picture) if picture else (0.0, 8.0)
        row = max(height + 3, 6.0 * len(value) + 4.0 * len(doubts) + 8.5, 13.0)
        self._need(row)
        y = self._y
        pen.fitted(_LEFT + 1, 43, y + 5, item.field, 10, bold=True)
        share = f"可信度 {round(100 * item.confidence)}%"
        where = f"第 {item.page} 页　" if item.page else ""
        pen.fitted(_LEFT + 1, 43, y + 9.6, where + share, 7.5, colour=_GRAY)
        if picture:
            pen.pdf.image(picture, x=44, y=y + 1, w=width, h=height)
            pen.pdf.set_draw_color(*_LINE)
            pen.pdf.set_line_width(0.1)
            pen.pdf.rect(44, y + 1, width, height)
        else:
            pen.fitted(44, 44 + _CROP_WIDTH, y + 6, "（纸面上未找到位置）", 9, colour=_GRAY)
        base = y + 5
        for line in value:
            pen.text(_VALUE_LEFT, base, line, 11, style="serif")
            base += 6
        for line in doubts:
            pen.text(_VALUE_LEFT, base - 1, line, 8, colour=(176, 16, 24))
            base += 4
        self._boxes(base - 2.2)
        self._y += row
        pen.rule(_LEFT, _RIGHT, self._y - 0.5, 0.1, _LINE)

    def _boxes(self, y: float) -> None:
        pen = self._pen
        pen.pdf.set_draw_color(20, 20, 20)
        pen.pdf.set_line_width(0.25)
        for x, label in ((_VALUE_LEFT, "无误"), (_VALUE_LEFT + 18, "改为：＿＿＿＿＿＿＿＿＿＿")):
            pen.pdf.rect(x, y, 3.4, 3.4)
            pen.text(x + 4.6, y + 3, label, 9)


def _size(picture: Image.Image) -> tuple[float, float]:
    """Width and height in mm: at its own size, or smaller to fit its cell."""
    wide, high = picture.width * 25.4 / CROP_DPI, picture.height * 25.4 / CROP_DPI
    fit = min(1.0, _CROP_WIDTH / wide, _CROP_HEIGHT / high)
    return max(1.0, wide * fit), max(1.0, high * fit)
