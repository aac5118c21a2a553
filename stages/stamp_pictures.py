"""Draws pages of a copy as pictures with all marks burnt in, each read again from its own bytes before it counts.

Pages are drawn by one thread (PDFium knows no others) and marked by as many as there are processors, at most two: what
is in hand stays bounded, however many pages there are.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import pypdfium2

from ..formats.opened import OpenedDocument, Picture
from ..models.copy import CopySpec
from ..watermark.layout import COPY_DPI, Sheet, dpi_of
from ..watermark.visible import draw_marks
from .stamp_glyphs import Shifter
from .stamp_tint import Tinter, checked, gray_of

_MM = 25.4
_FINER, _LEAST_DPI = 2, 20
_COLOURLESS = 10
_HANDS = 2
_LARGE = 9_000_000
"""Pixels of a page above which no other is in hand beside it."""

Pack = Callable[[Picture, bool], bytes]
"""A page's bytes in the copy; whether it bears colour."""


@dataclass(frozen=True, slots=True)
class Burnt:
    """A finished page."""

    number: int
    sheet: Sheet
    data: bytes
    width: int
    height: int
    colour: bool


def burnt_pages(
    opened: OpenedDocument,
    spec: CopySpec,
    sheets: Iterable[tuple[int, Sheet]],
    *,
    pack: Pack,
    shifter: Shifter | None,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Burnt]:
    """Pages with all their marks, in the order of `sheets` (number and sheet); `tick` is told of each.

    Raises:
        MissingTool, Refused: as `watermark.visible.draw_marks`; `tint_not_read_back`, `dots_not_read_back`.
    """
    maker = Maker(Tinter.of(spec), shifter, pack)
    marks: tuple[Sheet, Picture] | None = None
    hands = min(_HANDS, _processors())
    with ThreadPoolExecutor(hands) as pool:
        waiting: deque[Future[Burnt]] = deque()
        for number, sheet in sheets:
            if marks is None or marks[0] != sheet:
                marks = (sheet, _render_marks(draw_marks([sheet], spec), dpi_of(sheet)))
            most = hands if marks[1].shape[0] * marks[1].shape[1] <= _LARGE else 0
            while len(waiting) > most:
                yield waiting.popleft().result()
            page = bare(opened, number, sheet, marks[1].shape)
            tick()
            waiting.append(pool.submit(maker.make, number, sheet, page, marks[1]))
        while waiting:
            yield waiting.popleft().result()


@dataclass(frozen=True, slots=True)
class Maker:
    """Marks one page after the other; knows no PDFium."""

    tinter: Tinter | None
    shifter: Shifter | None
    pack: Pack

    def make(self, number: int, sheet: Sheet, page: Picture, overlay: Picture) -> Burnt:
        """The page with its marks. Glyphs whose shifts cannot be read again are not shifted."""
        shifted = page
        if self.shifter is not None:
            shifted = self.shifter.picture(number, page, page.shape[1] / sheet.width)
        if shifted is not page and self.shifter is not None:
            made = self._marked(number, sheet, shifted, overlay)
            if self.shifter.confirmed(number, gray_of(made.data), page):
                return made
        return self._marked(number, sheet, page, overlay)

    def _marked(self, number: int, sheet: Sheet, page: Picture, overlay: Picture) -> Burnt:
        picture = np.asarray(cv2.multiply(page, overlay, scale=1 / 255), np.uint8)
        if self.tinter is None:
            colour = coloured(picture)
            data = self.pack(picture, colour)
        else:
            colour = True
            data = checked(self.tinter, picture, sheet, number=number, pack=lambda one: self.pack(one, True))
        height, width = picture.shape[:2]
        return Burnt(number, sheet, data, width, height, colour)


def bare(opened: OpenedDocument, number: int, sheet: Sheet, shape: tuple[int, ...] | None = None) -> Picture:
    """The page on its sheet without any mark; without `shape`, drawn finer than it is given.

    Renderers put characters on whole pixels: what stays text must be known more exactly than that.
    """
    finer = 1 if shape is not None else finer_of(sheet)
    canvas = np.full(shape or (*shape_of(sheet), 3), 255, np.uint8)
    width, height = opened.size_mm(number)
    dpi = COPY_DPI
    if width * height * (COPY_DPI / _MM) ** 2 > _LARGE:
        dpi = min(COPY_DPI, max(_LEAST_DPI, math.ceil(dpi_of(sheet) * sheet.content.width / width)))
    _place(canvas, opened.render(number, finer * dpi), sheet)
    return canvas


def finer_of(sheet: Sheet) -> int:
    """How many times finer a page that stays text is drawn than its picture is given; large ones are not."""
    rows, columns = shape_of(sheet)
    return _FINER if rows * columns <= _LARGE else 1


def shape_of(sheet: Sheet) -> tuple[int, int]:
    """Rows and columns of a page's picture."""
    rate = dpi_of(sheet) / _MM
    return math.ceil(sheet.height * rate), math.ceil(sheet.width * rate)


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


def coloured(picture: Picture) -> bool:
    """Whether anything on the page has a colour."""
    small = picture[::4, ::4].astype(np.int16)
    return bool(((small.max(axis=2) - small.min(axis=2)) > _COLOURLESS).any())


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
