"""Cuts some pages out of a scanned stack into a file of their own (`--split slip`).

PDF pages are taken over as they are; pictures become the pages of a PDF. Runs in the worker.
"""

from __future__ import annotations

import io

from PIL import Image
from pypdf import PdfReader, PdfWriter

from ..formats.opened import OpenedDocument

_DPI = 300
_QUALITY = 92


def cut(opened: OpenedDocument, data: bytes, *, first: int, last: int) -> bytes:
    """Pages `first` to `last` (from 1, both included) as a PDF.

    Raises:
        ValueError: pages outside the document.
        FormatFault: a page cannot be drawn.
    """
    if not 1 <= first <= last <= opened.page_count:
        raise ValueError("pages out of range")
    if opened.kind == "pdf":
        writer = PdfWriter()
        writer.append(PdfReader(io.BytesIO(data)), pages=(first - 1, last))
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()
    pages = [Image.fromarray(opened.render(number, _DPI)) for number in range(first, last + 1)]
    out = io.BytesIO()
    pages[0].save(out, format="PDF", save_all=True, append_images=pages[1:], resolution=_DPI, quality=_QUALITY)
    return out.getvalue()
