"""The receiving slip (收文签收条): what came in, when, from whom; its barcode also separates a scanned stack.

Source: 收文登记 at the moment of receipt, signed for by the person who takes it. The barcode stands in the middle
and in two corners: `JYSLIP:<receipt id>`, and after it, each with a colon before it, `<order>/<of>` and `p<pages>`
where they are known. A separator (`stages/separator.py`) has `JYSEP:` instead. Neither carries a check, since a slip
proves nothing: the register does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ..watermark.pen import Pen

PREFIX = "JYSLIP:"
SEPARATOR = "JYSEP:"
SLIP_TITLE, SEPARATOR_TITLE = "收文签收条", "分件隔页"
_RECEIPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]{0,47}")
_CODE = re.compile(
    rf"(?P<prefix>{PREFIX}|{SEPARATOR})(?P<receipt>{_RECEIPT.pattern})"
    r"(?::(?P<order>[1-9]\d{0,3})/(?P<of>[1-9]\d{0,3}))?(?::p(?P<pages>[1-9]\d{0,4}))?"
)
_PAGE = (210.0, 297.0)
_LEFT, _RIGHT = 30.0, 180.0
_GRAY = (90, 90, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What a slip or a separator says: the receipt, which of how many documents follows, how many pages it has."""

    receipt: str
    kind: Literal["slip", "separator"] = "slip"
    order: int | None = None
    of: int | None = None
    pages: int | None = None


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
    pages: int | None = None
    """Pages of one copy, as counted or declared on receipt."""
    serials: tuple[str, ...] = ()
    envelope: str = ""
    seal: str = ""
    """State of the envelope's seal, as printed: `完好`, `破损`."""
    urgency: str = ""
    carrier: str = ""
    unit: str = ""
    taken_by: str = ""


def slip_text(
    receipt: str, *, order: int | None = None, of: int | None = None, pages: int | None = None,
    prefix: str = PREFIX,
) -> str:  # fmt: skip
    """Text of the barcode of a slip, or of a separator with its prefix.

    Raises:
        ValueError: when the receipt id has other characters than letters, digits and dashes.
    """
    if not _RECEIPT.fullmatch(receipt):
        raise ValueError("not a receipt id")
    place = f":{order}/{of}" if order and of else ""
    return f"{prefix}{receipt}{place}{f':p{pages}' if pages else ''}"


def read_slip(text: str) -> Slip | None:
    """What a barcode's text says, or None when it is neither a slip nor a separator."""
    found = _CODE.fullmatch(text)
    if found is None:
        return None
    order, of, pages = (int(found[name]) if found[name] else None for name in ("order", "of", "pages"))
    kind: Literal["slip", "separator"] = "slip" if found["prefix"] == PREFIX else "separator"
    return Slip(receipt=found["receipt"], kind=kind, order=order, of=of, pages=pages)


def slip_receipt(text: str) -> str | None:
    """The receipt id a barcode text names, or None when it is no slip."""
    slip = read_slip(text)
    return slip.receipt if slip is not None and slip.kind == "slip" else None


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
    dark = modules(slip_text(spec.receipt, pages=spec.pages))
    for left, top in ((8.0, 8.0), (_PAGE[0] - 28.0, _PAGE[1] - 28.0)):
        pen.code(left, top, 20.0, dark)
    if spec.unit:
        pen.fitted(_LEFT, _RIGHT, 30, f"{spec.unit}机要室", 14, align="centre", style="serif")
    pen.fitted(_LEFT, _RIGHT, 43, SLIP_TITLE, 26, align="centre", bold=True, style="serif")
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
    counted = (
        f"{spec.copies} 份" if spec.copies is not None else "",
        f"每份 {spec.pages} 页" if spec.pages else "",
    )
    copies = "，".join(filter(None, counted))
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
