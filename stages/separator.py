"""Separator sheets (分件隔页): put between papers before a stack is scanned; their barcode cuts it again.

A sheet lies about in clear, so it bears numbers only. Dark bars at both short edges let it be seen in a pile. The
barcode is that of `slip.py`, in the middle and in two corners, so that a sheet fed askew or upside down is found all
the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .slip import SEPARATOR, SEPARATOR_TITLE, slip_text

if TYPE_CHECKING:
    from ..watermark.pen import Pen

_WIDTH, _HEIGHT = 210.0, 297.0
_LEFT, _RIGHT = 30.0, 180.0
_GRAY = (90, 90, 90)
_BAR = (40, 40, 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparatorSpec:
    """One sheet: the receipt that the paper behind it belongs to, which of how many it is, and its pages."""

    receipt: str
    order: int
    of: int
    pages: int | None = None
    document: str = ""
    """The register's number, where it is known."""


def draw_separators(sheets: Sequence[SeparatorSpec], *, unit: str = "", batch: str = "") -> bytes:
    """The sheets as one PDF, an A4 page each.

    Raises:
        ValueError: a receipt is none. MissingTool: `font_missing`, `glyph_missing`.
    """
    from ..watermark.pen import Pen

    pen = Pen()
    for sheet in sheets:
        _draw(pen, sheet, unit=unit, batch=batch)
    return pen.output()


def _draw(pen: Pen, sheet: SeparatorSpec, *, unit: str, batch: str) -> None:
    from ..watermark.barcode import modules

    pen.page(_WIDTH, _HEIGHT)
    dark = modules(
        slip_text(sheet.receipt, order=sheet.order, of=sheet.of, pages=sheet.pages, prefix=SEPARATOR)
    )
    pen.pdf.set_fill_color(*_BAR)
    for top in (0.0, _HEIGHT - 5.0):
        pen.pdf.rect(60, top, 90, 5, style="F")
    for left, top in ((10.0, 12.0), (_WIDTH - 32.0, _HEIGHT - 34.0)):
        pen.code(left, top, 22.0, dark)
    if unit:
        pen.fitted(_LEFT, _RIGHT, 40, f"{unit}机要室", 14, align="centre", style="serif")
    pen.fitted(_LEFT, _RIGHT, 58, SEPARATOR_TITLE, 32, align="centre", bold=True, style="serif")
    pen.rule(_LEFT, _RIGHT, 66, 0.5)
    pen.fitted(_LEFT, _RIGHT, 92, f"第 {sheet.order} 件，共 {sheet.of} 件", 34, align="centre", bold=True)
    pen.code(77.5, 104, 55, dark)
    pen.fitted(_LEFT, _RIGHT, 174, sheet.receipt, 18, align="centre", bold=True)
    y = 192.0
    rows = (
        ("登记号", sheet.document), ("批次", batch), ("本件页数", f"本件 {sheet.pages} 页" if sheet.pages else ""),
        ("清点人签名", ""),
    )  # fmt: skip
    for label, value in rows:
        pen.text(_LEFT + 2, y, label, 13, bold=True)
        pen.text(_LEFT + 40, y, value, 13, style="serif")
        pen.rule(_LEFT, _RIGHT, y + 3, 0.15, (150, 150, 150))
        y += 12
    for offset, text in enumerate(
        (
            "置于该件首页之前，与文件一同扫描；系统据此分件并核对页数。",
            "本页不属于文件，扫描后收回重复使用或销毁。",
        )
    ):
        pen.fitted(_LEFT, _RIGHT, 254 + 6 * offset, text, 10, align="centre", colour=_GRAY)
