"""The receiving slip (收文签收条): what came in, when, from whom; its barcode also separates a scanned stack.

Source: 收文登记 at the moment of receipt, signed for by the person who takes it. The barcode
`JYSLIP:<receipt id>` stands in the middle and in two corners; it carries no check, since a slip proves
nothing: the register does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..watermark.pen import Pen

PREFIX = "JYSLIP:"
_RECEIPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]{0,47}")
_PAGE = (210.0, 297.0)
_LEFT, _RIGHT = 30.0, 180.0
_GRAY = (90, 90, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipSpec:
    """What the slip shows. Empty fields are lines to fill in by hand."""

    receipt: str
    at: datetime
    sender: str
    title: str = ""
    number: str = ""
    """发文字号 as declared."""
    level: str = ""
    """Level as declared on the envelope."""
    copies: int | None = None
    serials: tuple[str, ...] = ()
    envelope: str = ""
    seal: str = ""
    """State of the envelope's seal, as printed: `完好`, `破损`."""
    urgency: str = ""
    carrier: str = ""
    unit: str = ""
    taken_by: str = ""


def slip_text(receipt: str) -> str:
    """Text of the slip's barcode.

    Raises:
        ValueError: when the receipt id has other characters than letters, digits and dashes.
    """
    if not _RECEIPT.fullmatch(receipt):
        raise ValueError("not a receipt id")
    return PREFIX + receipt


def slip_receipt(text: str) -> str | None:
    """The receipt id a barcode text names, or None when it is no slip."""
    receipt = text[len(PREFIX) :] if text.startswith(PREFIX) else ""
    return receipt if _RECEIPT.fullmatch(receipt) else None


def draw_slip(spec: SlipSpec) -> bytes:
    """The slip as a PDF of one A4 page.

    Raises:
        ValueError: as `slip_text`.
        MissingTool: `font_missing`, `glyph_missing`.
        Refused: `mark_too_long`.
    """
    # the drawing libraries load in half a second, and every command on the register passes this module
    from ..watermark.barcode import modules
    from ..watermark.pen import Pen

    pen = Pen()
    pen.page(*_PAGE)
    dark = modules(slip_text(spec.receipt))
    for left, top in ((8.0, 8.0), (_PAGE[0] - 28.0, _PAGE[1] - 28.0)):
        pen.code(left, top, 20.0, dark)
    if spec.unit:
        pen.fitted(_LEFT, _RIGHT, 30, f"{spec.unit}机要室", 14, align="centre", style="serif")
    pen.fitted(_LEFT, _RIGHT, 43, "收文签收条", 26, align="centre", bold=True, style="serif")
    pen.rule(_LEFT, _RIGHT, 49, 0.5, (150, 30, 30))
    pen.code(82.5, 58, 45, dark)
    pen.fitted(_LEFT, _RIGHT, 113, spec.receipt, 16, align="centre", bold=True)
    y = 128.0
    for label, value in _rows(spec):
        y = _row(pen, y, label, value)
    pen.fitted(
        _LEFT,
        _RIGHT,
        268,
        "成批扫描时置于该件首页之前，系统据此分件并归入本收文。",
        10,
        align="centre",
        colour=_GRAY,
    )
    pen.fitted(_LEFT, _RIGHT, 274, "本条仅为回执，以收文登记簿为准。", 10, align="centre", colour=_GRAY)
    return pen.output()


def _rows(spec: SlipSpec) -> tuple[tuple[str, str], ...]:
    at = spec.at
    when = f"{at.year}年{at.month}月{at.day}日 {at.hour:02d}:{at.minute:02d}"
    copies = f"{spec.copies} 份" if spec.copies is not None else ""
    return (
        ("签收时间", when),
        ("来文单位", spec.sender),
        ("文件标题", spec.title),
        ("发文字号", spec.number),
        ("标注密级", spec.level),
        ("份数", copies),
        ("来文份号", "、".join(spec.serials)),
        ("紧急程度", spec.urgency),
        ("封套编号", spec.envelope),
        ("封口情况", spec.seal),
        ("载体", spec.carrier),
        ("签收人", spec.taken_by),
        ("送件人签名", ""),
    )


def _row(pen: Pen, y: float, label: str, value: str) -> float:
    pen.text(_LEFT + 2, y, label, 12, bold=True)
    lines = pen.wrapped(value, 12, _RIGHT - _LEFT - 34)[:3]
    for line in lines:
        pen.text(_LEFT + 32, y, line, 12, style="serif")
        y += 6.2 if line is not lines[-1] else 0
    pen.rule(_LEFT, _RIGHT, y + 2.6, 0.15, (150, 150, 150))
    return y + 9.6
