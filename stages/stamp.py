"""Draws one issued copy: every page with its marks, as a PDF or as one PNG a page. Pure and keyless.

Threat model. The original may hide things (text under boxes, layers, attachments, scripts, older revisions):
none of it may travel in a copy. With `flatten`, and for every source that is no PDF, pages become pictures:
what is not seen is not there. Else the PDF's own pages are kept as far as `stages.stamp_vector` can show that
they hide nothing, and the rest become pictures all the same.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from functools import partial

import cv2
import numpy as np
import pypdfium2
from numpy.typing import NDArray

from ..common.errors import Refused
from ..common.limits import DEFAULT_LIMITS, Limits
from ..formats.opened import OpenedDocument, Picture
from ..models.copy import CopySpec
from ..watermark.layout import COPY_DPI, INK_DPI, Sheet, dpi_of, ink_of, lay_out
from ..watermark.picture_pdf import PicturePage, write_pictures
from ..watermark.visible import draw_marks
from .stamp_glyphs import Shifter
from .stamp_overlay import write_copy
from .stamp_tint import Tinter, checked, jpeg_of
from .stamp_vector import keep_pages

JPEG_QUALITY = 85
_COLOURLESS = 10
_MM = 25.4
_FINER = 2


def draw(
    opened: OpenedDocument,
    spec: CopySpec,
    *,
    limits: Limits = DEFAULT_LIMITS,
    source: bytes | None = None,
    shifter: Shifter | None = None,
) -> bytes:
    """The copy as one PDF. `source`: the PDF's bytes; without them, or to flatten, pages are pictures. `shifter`:
    shifts the glyphs, and says afterwards of which pages.

    Raises:
        MissingTool: `font_missing`, `glyph_missing`.
        Refused: `mark_too_long`, `too_many_pages_to_copy`.
    """
    sheets = _sheets(opened, limits)
    if source is not None and opened.kind == "pdf" and not spec.flatten:
        kept = keep_pages(
            source, sheets, shifter=shifter, bare=lambda number: _bare(opened, number, sheets[number - 1])
        )
        return write_copy(
            kept, sheets, spec, shifter=shifter,
            drawn=lambda kept: dict(_picture_pages(opened, spec, sheets, skip=kept, shifter=shifter)),
        )  # fmt: skip
    pictures = _picture_pages(opened, spec, sheets, shifter=shifter)
    return write_pictures((page for _, page in pictures), copy=spec.barcode)


def draw_pages(
    opened: OpenedDocument,
    spec: CopySpec,
    *,
    limits: Limits = DEFAULT_LIMITS,
    shifter: Shifter | None = None,
) -> tuple[bytes, ...]:
    """The copy as one PNG for each page, always flattened, without metadata but its resolution.

    Raises:
        MissingTool: `font_missing`, `glyph_missing`.
        Refused: `mark_too_long`, `too_many_pages_to_copy`.
    """
    sheets = _sheets(opened, limits)
    tinter = Tinter.of(spec)
    pages = []
    for number, picture, dpi in _burnt(opened, spec, sheets, frozenset(), shifter):
        sheet = sheets[number - 1]
        if tinter is None:
            data = _png(_narrow(picture))
        else:
            _, data = checked(tinter, picture, sheet, number=number, pack=_tinted_png)
        pages.append(_with_resolution(data, dpi))
    return tuple(pages)


def _tinted_png(picture: Picture) -> bytes:
    return _png(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), np.uint8))


def _png(picture: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not done:
        raise ValueError("PNG encoder")
    return data.tobytes()


def _sheets(opened: OpenedDocument, limits: Limits) -> tuple[Sheet, ...]:
    if opened.page_count > limits.pages:
        raise Refused("too_many_pages_to_copy", pages=opened.page_count, limit=limits.pages)
    numbers = range(1, opened.page_count + 1)
    return tuple(lay_out(*opened.size_mm(n), ink_of(opened.render(n, INK_DPI))) for n in numbers)


def _picture_pages(
    opened: OpenedDocument,
    spec: CopySpec,
    sheets: tuple[Sheet, ...],
    skip: frozenset[int] = frozenset(),
    *,
    shifter: Shifter | None,
) -> Iterator[tuple[int, PicturePage]]:
    tinter = Tinter.of(spec)
    for number, picture, _ in _burnt(opened, spec, sheets, skip, shifter):
        sheet = sheets[number - 1]
        colour = tinter is not None or _coloured(picture)
        pack = partial(jpeg_of, quality=JPEG_QUALITY, colour=colour)
        data = (
            pack(picture) if tinter is None else checked(tinter, picture, sheet, number=number, pack=pack)[1]
        )
        yield (
            number,
            PicturePage(
                width_mm=sheet.width,
                height_mm=sheet.height,
                jpeg=data,
                width=picture.shape[1],
                height=picture.shape[0],
                colour="rgb" if colour else "gray",
            ),
        )


def _burnt(
    opened: OpenedDocument,
    spec: CopySpec,
    sheets: tuple[Sheet, ...],
    skip: frozenset[int],
    shifter: Shifter | None,
) -> Iterator[tuple[int, Picture, float]]:
    """Page number, page with marks, resolution; pages in `skip` are left out."""
    marks: tuple[Sheet, Picture] | None = None
    for number, sheet in enumerate(sheets, start=1):
        if number in skip:
            continue
        dpi = dpi_of(sheet)
        if marks is None or marks[0] != sheet:
            marks = (sheet, _render_marks(draw_marks([sheet], spec), dpi))
        overlay = marks[1]
        canvas = _bare(opened, number, sheet, overlay.shape)
        if shifter is not None:
            canvas = shifter.picture(number, canvas, canvas.shape[1] / sheet.width)
        yield number, np.asarray(cv2.multiply(canvas, overlay, scale=1 / 255), np.uint8), dpi


def _bare(opened: OpenedDocument, number: int, sheet: Sheet, shape: tuple[int, ...] | None = None) -> Picture:
    """The page on its sheet without any mark; without `shape`, drawn finer than it is given.

    Renderers put characters on whole pixels: what stays text must be known more exactly than that.
    """
    finer = 1 if shape is not None else _FINER
    if shape is None:
        rate = dpi_of(sheet) / _MM
        shape = (math.ceil(sheet.height * rate), math.ceil(sheet.width * rate), 3)
    canvas = np.full(shape, 255, np.uint8)
    _place(canvas, opened.render(number, finer * COPY_DPI), sheet)
    return canvas


def _place(canvas: Picture, page: Picture, sheet: Sheet) -> None:
    across, down = canvas.shape[1] / sheet.width, canvas.shape[0] / sheet.height
    left, top = round(sheet.content.left * across), round(sheet.content.top * down)
    width = min(canvas.shape[1] - left, max(1, round(sheet.content.width * across)))
    height = min(canvas.shape[0] - top, max(1, round(sheet.content.height * down)))
    if page.shape[:2] != (height, width):
        how = cv2.INTER_AREA if page.shape[1] > width else cv2.INTER_CUBIC
        page = np.asarray(cv2.resize(page, (width, height), interpolation=how), np.uint8)
    canvas[top : top + height, left : left + width] = page


def _render_marks(pdf: bytes, dpi: float) -> Picture:
    document = pypdfium2.PdfDocument(pdf)
    try:
        bitmap = document[0].render(scale=dpi / 72, rev_byteorder=True)
        return np.array(bitmap.to_numpy()[:, :, :3], np.uint8)
    finally:
        document.close()


def _coloured(picture: Picture) -> bool:
    small = picture[::4, ::4].astype(np.int16)
    return bool(((small.max(axis=2) - small.min(axis=2)) > _COLOURLESS).any())


def _narrow(picture: Picture) -> NDArray[np.uint8]:
    """Gray when nothing on the page has a colour, else three channels (BGR)."""
    how = cv2.COLOR_RGB2BGR if _coloured(picture) else cv2.COLOR_RGB2GRAY
    return np.asarray(cv2.cvtColor(picture, how), np.uint8)


def _with_resolution(png: bytes, dpi: float) -> bytes:
    """Puts a pHYs chunk after the header, so that the page prints at its own size."""
    import struct
    import zlib

    per_metre = round(dpi / _MM * 1000)
    body = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    chunk = struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body))
    return png[:33] + chunk + png[33:]


def zip_pages(
    opened: OpenedDocument,
    spec: CopySpec,
    *,
    limits: Limits = DEFAULT_LIMITS,
    shifter: Shifter | None = None,
) -> bytes:
    """All pages of `draw_pages` as one zip: `page-001.png` …, stored without compression, dated 1980."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, page in enumerate(draw_pages(opened, spec, limits=limits, shifter=shifter), start=1):
            archive.writestr(zipfile.ZipInfo(f"page-{number:03}.png"), page)
    return out.getvalue()
