"""Cuts some pages out of a scanned stack into a file of their own (`--split`, `review split`).

PDF pages and TIFF frames are taken over without loss; pages of other kinds are drawn into a PDF. Runs in the worker.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image
from pypdf import PdfReader, PdfWriter

from ..common.limits import Limits
from ..formats.fault import FormatFault, guarded
from ..formats.opened import OpenedDocument

_DPI = 300
_QUALITY = 92
_KEPT_MODES = frozenset({"1", "L", "RGB", "RGBA", "CMYK", "P", "I;16"})


def cut(opened: OpenedDocument, data: bytes, *, pages: Sequence[int], limits: Limits) -> bytes:
    """Some pages (numbers from 1), in ascending order: a PDF, or a TIFF of a TIFF.

    Raises:
        ValueError: pages outside the document.
        FormatFault: a page cannot be taken over.
    """
    numbers = sorted(set(pages))
    if not numbers or not 1 <= numbers[0] <= numbers[-1] <= opened.page_count:
        raise ValueError("pages out of range")
    with guarded(opened.kind):
        if opened.kind == "pdf":
            return _pdf_pages(data, numbers)
        if opened.kind == "tiff":
            return _tiff_frames(data, numbers, limits)
    drawn = [Image.fromarray(opened.render(number, _DPI)) for number in numbers]
    out = io.BytesIO()
    drawn[0].save(
        out, format="PDF", save_all=True, append_images=drawn[1:], resolution=_DPI, quality=_QUALITY
    )
    return out.getvalue()


def _pdf_pages(data: bytes, numbers: Sequence[int]) -> bytes:
    writer = PdfWriter()
    writer.append(PdfReader(io.BytesIO(data)), pages=[number - 1 for number in numbers])
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _tiff_frames(data: bytes, numbers: Sequence[int], limits: Limits) -> bytes:
    frames = []
    with Image.open(io.BytesIO(data), formats=["TIFF"]) as stack:
        for number in numbers:
            stack.seek(number - 1)
            if stack.width * stack.height > limits.page_pixels:
                raise FormatFault("too_many_pixels", "tiff")
            frame = stack.copy() if stack.mode in _KEPT_MODES else stack.convert("RGB")
            frame.info = {name: stack.info[name] for name in ("dpi",) if name in stack.info}
            frame.encoderinfo = {
                **frame.info, "compression": "group4" if frame.mode == "1" else "tiff_adobe_deflate"
            }  # fmt: skip
            frames.append(frame)
    out = io.BytesIO()
    frames[0].save(out, format="TIFF", save_all=True, append_images=frames[1:], **frames[0].encoderinfo)
    return out.getvalue()
