"""Writes one copy of a PDF whose pages stay text and lines: the pages made ready once, with this copy's glyphs shifted,
and over them its marks, its tint and its dots, each drawn once for all pages of a size.

Threat model. What is laid over is an object of its own, which an editor can take away: what must not lose it is
flattened. The file is read again before it leaves: one page for all, the one with most glyphs. A copy whose tint or
dots do not answer is not issued; when its glyphs do not, it is written without shifts, and nothing is said of them.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import pypdfium2
from pypdf import PdfReader

from ..common.errors import Refused
from ..formats.opened import Picture
from ..models.copy import CopySpec
from ..watermark.layout import Sheet, dpi_of
from ..watermark.picture_pdf import PicturePage
from ..watermark.visible import draw_marks
from .stamp_dots import LOOK_DPI, Dotter
from .stamp_glyph_text import place_of
from .stamp_glyphs import Shifter
from .stamp_objects import Carrier, Objects
from .stamp_pictures import finer_of, shape_of
from .stamp_tint import Tinter
from .stamp_vector import KeptPage, KeptPages

_POINTS = 72 / 25.4
_LOOK_SCALE, _MOST_LOOKED_AT = 2.0, 32_000_000

Drawn = Callable[[frozenset[int]], Mapping[int, PicturePage]]


def write_copy(
    kept: KeptPages,
    sheets: tuple[Sheet, ...],
    spec: CopySpec,
    *,
    drawn: Drawn,
    bare: Callable[[int], Picture],
    shifter: Shifter | None = None,
    tick: Callable[[], None] = lambda: None,
) -> bytes:
    """The copy as a PDF. `drawn` gives pictures of all pages but those named to it, `bare` a page on its sheet without
    any mark; `tick` is told of each page that stays.

    Raises:
        MissingTool, Refused: as `watermark.visible.draw_marks`; `tint_not_read_back`, `dots_not_read_back`.
    """
    pictures = drawn(frozenset(kept.pages))
    tinter = Tinter.of(spec)
    file = _File(kept, sheets, spec, tinter, pictures)
    data = file.written(shifter, {}, tick=tick)
    if tinter is None or not kept.pages:
        return data
    dotter, dots, counts = tinter.dotter, dict[int, bytes](), dict[int, int]()
    if dotter is not None:
        with _Shown(data) as shown:
            for number in kept.pages:
                picture = shown.page(number, LOOK_DPI / 72)
                dots[number], counts[number] = dotter.squares(picture, sheets[number - 1])
        data = file.written(shifter, dots)
    sample = _sample(kept, shifter)
    with _Shown(data) as shown:
        picture = shown.page(sample)
    if not tinter.reads(picture, sheets[sample - 1]):
        raise Refused("tint_not_read_back", page=sample)
    if shifter is not None and not _glyphs_show(data, sample, sheets[sample - 1], shifter, bare):
        for number in kept.pages:
            shifter.carried.pop(number, None)
        data = file.written(None, dots)
    if dotter is not None:
        fullest = max(counts, key=lambda number: counts[number])
        with _Shown(data) as shown:
            picture = shown.page(fullest, LOOK_DPI / 72)
        gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
        if not dotter.reads(gray, sheets[fullest - 1], counts[fullest]):
            raise Refused("dots_not_read_back", page=fullest)
    return data


def _sample(kept: KeptPages, shifter: Shifter | None) -> int:
    """The page that is read again."""
    carried = shifter.carried if shifter is not None else {}
    return max(
        kept.pages, key=lambda number: (len(carried[number].boxes) if number in carried else 0, -number)
    )


def _glyphs_show(
    data: bytes, number: int, sheet: Sheet, shifter: Shifter, bare: Callable[[int], Picture]
) -> bool:
    """Whether the page, drawn as finely as the page as it was, shows its signs."""
    if number not in shifter.carried:
        return True
    rows, columns = shape_of(sheet)
    with _Shown(data) as shown:
        fine = cv2.cvtColor(shown.page(number, finer_of(sheet) * dpi_of(sheet) / 72), cv2.COLOR_RGB2GRAY)
    gray = np.asarray(cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    return shifter.confirmed(number, gray, bare(number))


@dataclass
class _File:
    """One copy, to be written with dots or without."""

    kept: KeptPages
    sheets: tuple[Sheet, ...]
    spec: CopySpec
    tinter: Tinter | None
    pictures: Mapping[int, PicturePage]
    _overlays: tuple[tuple[bytes, ...], dict[Sheet, bytes]] | None = field(default=None, init=False)

    def written(
        self, shifter: Shifter | None, dots: Mapping[int, bytes], *, tick: Callable[[], None] = lambda: None
    ) -> bytes:
        """The whole file. `dots`: drawings of some pages' dots."""
        bodies, overlays = self._laid_over()
        objects = Objects(bodies)
        ends = {
            own: objects.stream(b"", b"\nQ /JyMarks Do" + b" /JyTint Do" * (self.tinter is not None) + own)
            for own in (b"", b" /JyDots Do")
        }
        pages = []
        for number, sheet in enumerate(self.sheets, start=1):
            page = self.kept.pages.get(number)
            if page is None:
                pages.append(objects.picture_page(self.pictures[number]))
                continue
            over, end = overlays[sheet], ends[b""]
            if number in dots:
                over, end = (
                    over + b"/JyDots %d 0 R" % _dots_of(objects, dots[number], sheet),
                    ends[b" /JyDots Do"],
                )
            contents = [objects.stream(b"", _begin(page, sheet)), _body(objects, number, page, shifter), end]
            pages.append(
                objects.page(
                    sheet.width * _POINTS, sheet.height * _POINTS,
                    page.resources + b"/XObject<<" + over + b">>", contents,
                )
            )  # fmt: skip
            tick()
        return objects.file(pages, copy=self.spec.barcode)

    def _laid_over(self) -> tuple[tuple[bytes, ...], dict[Sheet, bytes]]:
        """The objects of the document, of the marks and the tint; and how these are named on a sheet."""
        if self._overlays is None:
            objects = Objects(self.kept.objects)
            unique = list(dict.fromkeys(self.sheets[number - 1] for number in sorted(self.kept.pages)))
            names = _marks(objects, unique, self.spec)
            if self.tinter is not None:
                for sheet, form in self.tinter.overlays(objects, unique).items():
                    names[sheet] += b"/JyTint %d 0 R" % form
            self._overlays = objects.bodies, names
        return self._overlays


def _marks(objects: Objects, sheets: Sequence[Sheet], spec: CopySpec) -> dict[Sheet, bytes]:
    """The visible marks and the barcodes, one form for each sheet."""
    names: dict[Sheet, bytes] = {}
    if not sheets:
        return names
    carrier = Carrier(objects)
    for sheet, page in zip(sheets, PdfReader(io.BytesIO(draw_marks(sheets, spec))).pages, strict=True):
        contents = page.get_contents()
        box = " ".join(f"{float(edge):.3f}" for edge in page.mediabox)
        entries = b"/Type/XObject/Subtype/Form/BBox[%b]/Resources %b" % (
            box.encode(), carrier.carry(page.raw_get("/Resources")),
        )  # fmt: skip
        form = objects.stream(entries, contents.get_data() if contents is not None else b"")
        names[sheet] = b"/JyMarks %d 0 R" % form
    return names


def _begin(page: KeptPage, sheet: Sheet) -> bytes:
    """Puts the page on its place of the sheet, and nothing of it elsewhere."""
    at, (left, bottom, right, top) = sheet.content, page.box
    a, b, c, d, e, f = place_of(page.box, page.turn, at.width * _POINTS, at.left * _POINTS, at.top * _POINTS)
    moved = " ".join(f"{value:.6f}" for value in (a, -b, c, -d, e, sheet.height * _POINTS - f))
    return f"q {moved} cm {left:.4f} {bottom:.4f} {right - left:.4f} {top - bottom:.4f} re W n\n".encode()


def _body(objects: Objects, number: int, page: KeptPage, shifter: Shifter | None) -> int:
    if shifter is None or page.spread is None:
        return objects.packed(b"", page.body)
    return objects.stream(b"", shifter.moved(number, page.spread))


def _dots_of(objects: Objects, squares: bytes, sheet: Sheet) -> int:
    return objects.packed(Dotter.entries(sheet), squares)


class _Shown:
    """Draws pages of the finished file."""

    def __init__(self, pdf: bytes) -> None:
        self._document = pypdfium2.PdfDocument(pdf)

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, *_: object) -> None:
        self._document.close()

    def page(self, number: int, scale: float = _LOOK_SCALE) -> Picture:
        """A page as a picture."""
        page = self._document[number - 1]
        try:
            width, height = page.get_size()
            scale = min(scale, math.sqrt(_MOST_LOOKED_AT / max(1.0, width * height)))
            bitmap = page.render(scale=scale, rev_byteorder=True)
            return np.array(bitmap.to_numpy()[:, :, :3], np.uint8)
        finally:
            page.close()
