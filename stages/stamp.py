"""Draws one issued copy: every page with its marks, as a PDF or as one PNG a page. Pure and keyless.

Threat model. The original may hide things (text under boxes, layers, attachments, scripts, older revisions):
none of it may travel in a copy. With `flatten`, and for every source that is no PDF, pages become pictures:
what is not seen is not there. Else the PDF's own pages are kept as far as `stages.stamp_vector` can show that
they hide nothing, and the rest become pictures all the same.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator

import cv2

from ..common.limits import DEFAULT_LIMITS, Limits
from ..formats.opened import OpenedDocument, Picture
from ..models.copy import CopySpec
from ..watermark.layout import dpi_of
from ..watermark.picture_pdf import PicturePage, write_pictures
from .stamp_dots import Dotter
from .stamp_glyphs import Shifter
from .stamp_jpeg import jpeg_of, jpeg_with_dots
from .stamp_overlay import write_copy
from .stamp_pictures import bare, burnt_pages
from .stamp_prepared import Prepared, check_pages
from .stamp_vector import keep_pages

_MM = 25.4


def draw(
    opened: OpenedDocument,
    spec: CopySpec,
    *,
    limits: Limits = DEFAULT_LIMITS,
    source: bytes | None = None,
    shifter: Shifter | None = None,
    prepared: Prepared | None = None,
    tick: Callable[[], None] = lambda: None,
    behind: Callable[[], bytes] = lambda: b"",
) -> bytes:
    """The copy as one PDF.

    Args:
        source: the PDF's bytes; without them, or to flatten, pages are pictures.
        shifter: shifts the glyphs, and says afterwards of which pages.
        prepared: what copies of the same document share; added to.
        tick: told of each step of each page, at most two.
        behind: asked at the end for bytes to be put behind the file.

    Raises:
        MissingTool: `font_missing`, `glyph_missing`.
        Refused: `mark_too_long`, `too_many_pages_to_copy`, `tint_not_read_back`, `dots_not_read_back`.
    """
    prepared = prepared or Prepared()
    numbers = check_pages(opened, limits)
    if source is not None and opened.kind == "pdf" and not spec.flatten:

        def plain(number: int) -> Picture:
            return bare(opened, number, prepared.sheet(opened, number))

        if prepared.kept is None:
            prepared.kept = keep_pages(
                source, numbers, lambda number: prepared.sheet(opened, number), shifter=shifter, bare=plain,
                tick=tick,
            )  # fmt: skip
        return write_copy(
            prepared.kept, tuple(prepared.sheet(opened, number) for number in numbers), spec,
            drawn=lambda kept: dict(_pictures(opened, spec, prepared, numbers, kept, shifter, tick)),
            bare=plain, shifter=shifter, tick=tick,
        ) + behind()  # fmt: skip
    pictures = _pictures(opened, spec, prepared, numbers, frozenset(), shifter, tick)
    return write_pictures((page for _, page in pictures), copy=spec.barcode, behind=behind)


def draw_pages(
    opened: OpenedDocument,
    spec: CopySpec,
    *,
    limits: Limits = DEFAULT_LIMITS,
    shifter: Shifter | None = None,
    prepared: Prepared | None = None,
    tick: Callable[[], None] = lambda: None,
) -> tuple[bytes, ...]:
    """The copy as one PNG for each page, always flattened, without metadata but its resolution; arguments as `draw`.

    Raises:
        As `draw`.
    """
    return tuple(_png_pages(opened, spec, limits, shifter, prepared or Prepared(), tick))


def zip_pages(
    opened: OpenedDocument,
    spec: CopySpec,
    *,
    limits: Limits = DEFAULT_LIMITS,
    shifter: Shifter | None = None,
    prepared: Prepared | None = None,
    tick: Callable[[], None] = lambda: None,
    behind: Callable[[], bytes] = lambda: b"",
) -> bytes:
    """All pages of `draw_pages` as one zip: `page-001.png` …, stored without compression, dated 1980; arguments as
    `draw`.
    """
    out = io.BytesIO()
    pages = _png_pages(opened, spec, limits, shifter, prepared or Prepared(), tick)
    with zipfile.ZipFile(out, "w") as archive:
        for number, page in enumerate(pages, start=1):
            archive.writestr(zipfile.ZipInfo(f"page-{number:03}.png"), page)
    out.write(behind())
    return out.getvalue()


def _png_pages(
    opened: OpenedDocument,
    spec: CopySpec,
    limits: Limits,
    shifter: Shifter | None,
    prepared: Prepared,
    tick: Callable[[], None],
) -> Iterator[bytes]:
    sheets = ((number, prepared.sheet(opened, number)) for number in check_pages(opened, limits))
    for page in burnt_pages(opened, spec, sheets, pack=_png, shifter=shifter, tick=tick):
        yield _with_resolution(page.data, dpi_of(page.sheet))


def _pictures(
    opened: OpenedDocument,
    spec: CopySpec,
    prepared: Prepared,
    numbers: range,
    skip: frozenset[int],
    shifter: Shifter | None,
    tick: Callable[[], None],
) -> Iterator[tuple[int, PicturePage]]:
    sheets = ((number, prepared.sheet(opened, number)) for number in numbers if number not in skip)

    def pack(picture: Picture, colour: bool) -> bytes:
        return jpeg_with_dots(picture) if dotted and colour else jpeg_of(picture, colour=colour)

    dotted = Dotter.of(spec) is not None
    for page in burnt_pages(opened, spec, sheets, pack=pack, shifter=shifter, tick=tick):
        yield (
            page.number,
            PicturePage(
                width_mm=page.sheet.width,
                height_mm=page.sheet.height,
                jpeg=page.data,
                width=page.width,
                height=page.height,
                colour="rgb" if page.colour else "gray",
            ),
        )


def _png(picture: Picture, colour: bool) -> bytes:
    """Gray when nothing on the page has a colour."""
    how = cv2.COLOR_RGB2BGR if colour else cv2.COLOR_RGB2GRAY
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, how), [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not done:
        raise ValueError("PNG encoder")
    return data.tobytes()


def _with_resolution(png: bytes, dpi: float) -> bytes:
    """Puts a pHYs chunk after the header, so that the page prints at its own size."""
    import struct
    import zlib

    per_metre = round(dpi / _MM * 1000)
    body = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    chunk = struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body))
    return png[:33] + chunk + png[33:]
