"""Splits a scanned stack at its slips: a page with a `JYSLIP:` barcode begins a new document and is not part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..formats.opened import OpenedDocument
from ..watermark.barcode import read
from .slip import slip_receipt

_DPI = 150
_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Part:
    """Pages `first` to `last` (from 1, both included) of a stack, and the receipt its slip names."""

    first: int
    last: int
    slip: str | None = None


def split(opened: OpenedDocument, *, mode: Literal["none", "slip"]) -> tuple[Part, ...]:
    """The documents of a stack in order. Without a slip, or with mode `none`, the whole is one.

    A slip with nothing after it gives no part.
    """
    if mode == "none":
        return (Part(1, opened.page_count),)
    slips = {
        number: receipt for number in range(1, opened.page_count + 1) if (receipt := _slip(opened, number))
    }
    parts = []
    starts = sorted({0, *slips})
    for start, end in zip(starts, [*starts[1:], opened.page_count + 1], strict=True):
        if start + 1 <= end - 1:
            parts.append(Part(start + 1, end - 1, slips.get(start)))
    return tuple(parts) or (Part(1, opened.page_count),)


def _slip(opened: OpenedDocument, number: int) -> str | None:
    for found in read(opened.render(number, _DPI), seconds=_SECONDS, thorough=False):
        receipt = slip_receipt(found.text)
        if receipt is not None:
            return receipt
    return None
