"""Puts pages of several scans together into one PDF (`review merge`, `documents rescan`). Runs in the worker.

PDF pages are taken over as they are, and a JPEG as it was compressed; other pictures are kept without loss.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from fpdf import FPDF
from PIL import Image
from pypdf import PdfReader, PdfWriter

from ..common.limits import Limits
from ..formats.fault import guarded
from ..formats.open import open_document
from ..formats.opened import OpenedDocument

SCANS = frozenset({"pdf", "tiff", "jpeg", "png", "bmp", "gif", "webp", "jp2"})
"""Formats whose pages are pictures, or can be taken over page by page."""
_OWN_PIXELS = 2400
_ORIENTATION = 0x0112
Pick = tuple[int, int]
"""Source (from 0) and page (from 1)."""


def join(sources: Sequence[bytes], picks: Sequence[Pick] | None, *, limits: Limits) -> tuple[bytes, int]:
    """The picked pages in their order, all of all sources without `picks`; and how many pages.

    Raises:
        ValueError: a page that is not there, or a source that is no scan.
        FormatFault: a source cannot be read.
    """
    opened = []
    try:
        for source in sources:
            opened.append(open_document(source, limits=limits))
        if any(one.kind not in SCANS for one in opened):
            raise ValueError("not a scan")
        wanted = picks or [(i, n) for i, one in enumerate(opened) for n in range(1, one.page_count + 1)]
        if any(not (0 <= i < len(opened) and 1 <= n <= opened[i].page_count) for i, n in wanted):
            raise ValueError("pages out of range")
        if len(wanted) > limits.pages:
            raise ValueError("too many pages")
        writer = PdfWriter()
        readers: dict[int, PdfReader] = {}
        for index, number in wanted:
            with guarded("pdf"):
                if opened[index].kind == "pdf":
                    if index not in readers:
                        readers[index] = PdfReader(io.BytesIO(sources[index]))
                    writer.append(readers[index], pages=[number - 1])
                else:
                    picture = _as_pdf(opened[index], sources[index], number)
                    writer.append(PdfReader(io.BytesIO(picture)))
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue(), len(wanted)
    finally:
        for one in opened:
            one.close()


def _as_pdf(opened: OpenedDocument, data: bytes, number: int) -> bytes:
    """One picture as a PDF page of its own size."""
    width, height = opened.size_mm(number)
    pdf = FPDF(unit="mm")
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    pdf.add_page(orientation="P", format=(width, height))
    pdf.image(_picture(opened, data, number), x=0, y=0, w=width, h=height)
    return bytes(pdf.output())


def _picture(opened: OpenedDocument, data: bytes, number: int) -> io.BytesIO | Image.Image:
    if opened.kind == "jpeg" and opened.page_count == 1:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if image.getexif().get(_ORIENTATION, 1) == 1 and image.mode in ("L", "RGB"):
                return io.BytesIO(data)
    pixels = opened.render(number, _OWN_PIXELS)
    grey = pixels[..., 0]
    if (grey == pixels[..., 1]).all() and (grey == pixels[..., 2]).all():
        bits = bool(np.isin(np.unique(grey), (0, 255)).all())
        return Image.fromarray(grey).convert("1" if bits else "L", dither=Image.Dither.NONE)
    return Image.fromarray(pixels)
