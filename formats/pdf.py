"""PDF: pages and text through PDFium, structure through pypdf.

Threat model: PDFium is C++ fed with hostile bytes; it runs only inside a worker (no network, no keys,
memory and time watched), so that a crash costs one document. Scripts and forms are never initialised:
nothing in the file runs. Page count and pixels are checked before anything is drawn.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any, Literal

import numpy as np
import pypdfium2
import pypdfium2.raw as raw

from ..common.limits import Limits
from ..models.incoming import Kind
from ..models.page import Finding, Line, Table
from .fault import FormatFault
from .hidden import hidden_text
from .opened import Picture
from .pdf_scan import scan_dpi
from .pdf_structure import Structure, look_at
from .pdf_text import page_text

MM_PER_POINT = 25.4 / 72
_LOWEST_DPI = 36
_MAX_SIDE_POINTS = 200_000.0


class OpenedPdf:
    """A PDF that opened. Text is judged page by page; findings grow as pages are read."""

    __slots__ = (
        "_document", "_held", "_limits", "_pictures", "_read", "_sizes", "_tables", "_text_left", "active", "findings",
        "kind", "page_count", "protection", "signature",
    )  # fmt: skip

    def __init__(
        self,
        document: pypdfium2.PdfDocument,
        sizes: list[tuple[float, float]],
        structure: Structure,
        protection: Literal["none", "owner", "read"],
        limits: Limits,
    ) -> None:
        self.kind: Kind = "pdf"
        self.page_count: int = len(sizes)
        self.signature: Literal["none", "present"] = structure.signature
        self.protection: Literal["none", "owner", "read"] = protection
        self.active: tuple[str, ...] = structure.active
        self.findings: tuple[Finding, ...] = structure.findings
        self._document = document
        self._held: tuple[int, Any] | None = None
        self._read: dict[int, tuple[Line, ...] | None] = {}
        self._tables: dict[int, tuple[Table, ...]] = {}
        self._pictures: dict[int, float] = {}
        self._sizes = sizes
        self._limits = limits
        self._text_left = limits.text_chars

    def size_mm(self, number: int) -> tuple[float, float]:
        """Width and height of the page as shown (rotation applied)."""
        width, height = self._sizes[number - 1]
        return width * MM_PER_POINT, height * MM_PER_POINT

    def text_lines(self, number: int) -> tuple[Line, ...] | None:
        """The page's text as visual lines; None without text or when it is unsound (then a finding says why).

        Raises:
            FormatFault: `damaged_file`, `too_large` (more characters than the limit).
        """
        if number not in self._read:
            text = page_text(self._page(number), *self._sizes[number - 1], most=self._text_left)
            self._text_left -= text.characters
            if text.unsound:
                self.findings += (Finding("text_layer_unsound", page=number, detail=text.unsound),)
            else:
                self.findings += hidden_text(text.hidden, page=number)
            self._read[number] = text.lines
            self._tables[number] = text.tables
            self._pictures[number] = text.picture_share
        return self._read[number]

    def tables(self, number: int) -> tuple[Table, ...]:
        """The page's ruled tables, by the rules drawn in it; none where its text is unsound.

        Raises:
            FormatFault: as `text_lines`.
        """
        self.text_lines(number)
        return self._tables[number]

    def picture_share(self, number: int) -> float:
        """Share (0..1) of the page that pictures cover; 0 without sound text.

        Raises:
            FormatFault: as `text_lines`.
        """
        self.text_lines(number)
        return self._pictures[number]

    def render(self, number: int, dpi: int) -> Picture:
        """The page in RGB. A page too large for `dpi` under the pixel limit is drawn at a lower one.

        Raises:
            FormatFault: `too_many_pixels` when even the lowest useful resolution is too much; `damaged_file`.
        """
        return self.sheet(number, dpi).whole()

    def sheet(self, number: int, dpi: int) -> PdfSheet:
        """The page as `render` draws it, to be drawn piece by piece.

        Raises:
            FormatFault: as `render`, some only when a piece is drawn.
        """
        width, height = self._sizes[number - 1]
        fitting = 72 * math.sqrt(self._limits.page_pixels / max(width * height, 1.0))
        if fitting < min(_LOWEST_DPI, dpi):
            raise FormatFault("too_many_pixels", f"{width:.0f} x {height:.0f} pt")
        return PdfSheet(self._page(number), number, min(float(dpi), fitting * 0.99) / 72)

    def native_dpi(self, number: int) -> float | None:
        """Of the one picture that fills the page; None when anything else is drawn, or it stands askew."""
        return scan_dpi(self._page(number), *self._sizes[number - 1])

    def close(self) -> None:
        """Lets go of PDFium's document."""
        self._let_go()
        self._document.close()

    def _let_go(self) -> None:
        if self._held is not None:
            self._held[1].close()
            self._held = None

    def _page(self, number: int) -> Any:
        """The page, kept open until another one is asked for: text, ink and drawing come from one parse."""
        if self._held is None or self._held[0] != number:
            self._let_go()
            try:
                self._held = number, self._document[number - 1]
            except pypdfium2.PdfiumError as error:
                raise FormatFault("damaged_file", f"page {number}") from error
        return self._held[1]


class PdfSheet:
    """A page at one resolution. To be used before another page of its document is asked for."""

    __slots__ = ("_number", "_page", "_scale", "shape")

    def __init__(self, page: Any, number: int, scale: float) -> None:
        self._page, self._number, self._scale = page, number, scale
        self.shape = math.ceil(page.get_height() * scale), math.ceil(page.get_width() * scale)

    def whole(self) -> Picture:
        """All of it.

        Raises:
            FormatFault: `damaged_file`.
        """
        return self.cut(0, self.shape[0], 0, self.shape[1])

    def cut(self, top: int, bottom: int, left: int, right: int) -> Picture:
        """As a slice of the whole, of which nothing else is drawn.

        Raises:
            FormatFault: `damaged_file`.
        """
        height, width = self.shape
        # half a pixel less: PDFium's binding rounds up
        crop = tuple(
            max(0.0, side - 0.5) / self._scale for side in (left, height - bottom, width - right, top)
        )
        try:
            bitmap = self._page.render(
                scale=self._scale, crop=crop, rev_byteorder=True, may_draw_forms=False, no_smoothtext=False
            )
            picture = np.array(bitmap.to_numpy()[:, :, :3], dtype=np.uint8)
            bitmap.close()
        except pypdfium2.PdfiumError as error:
            raise FormatFault("damaged_file", f"page {self._number}") from error
        return picture if picture.shape[2] == 3 else np.repeat(picture, 3, axis=2)


def open_pdf(data: bytes, *, limits: Limits, password: str | None = None) -> OpenedPdf:
    """A PDF, its structure looked at and the size of every page known.

    Raises:
        FormatFault: `damaged_file`, `encrypted_file`, `wrong_file_password`, `too_many_pages`.
    """
    structure = look_at(data, password)
    if structure.lost_content:
        raise FormatFault("damaged_file", "page content lost")
    document = _load(data, password, structure)
    try:
        sizes = _sizes(document, limits)
    except FormatFault:
        document.close()
        raise
    protection: Literal["none", "owner", "read"] = "none"
    if structure.encrypted:
        protection = "owner" if _opens_without_password(data) else "read"
    return OpenedPdf(document, sizes, structure, protection, limits)


def _load(data: bytes, password: str | None, structure: Structure) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(data, password=password)
    except pypdfium2.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD and structure.encrypted:
            raise FormatFault("wrong_file_password" if password else "encrypted_file", "PDF") from error
        if error.err_code == raw.FPDF_ERR_SECURITY and structure.encrypted:
            raise FormatFault("encrypted_file", "PDF, certificate") from error
        raise FormatFault("damaged_file", "PDF") from error


def _opens_without_password(data: bytes) -> bool:
    try:
        pypdfium2.PdfDocument(data).close()
    except pypdfium2.PdfiumError:
        return False
    return True


def _sizes(document: pypdfium2.PdfDocument, limits: Limits) -> list[tuple[float, float]]:
    count = len(document)
    if count < 1:
        raise FormatFault("damaged_file", "no page")
    if count > limits.pages:
        raise FormatFault("too_many_pages", f"{count} > {limits.pages}")
    sizes = []
    for index in range(count):
        size = raw.FS_SIZEF()
        if not raw.FPDF_GetPageSizeByIndexF(document, index, ctypes.byref(size)):
            raise FormatFault("damaged_file", f"page {index + 1}")
        width, height = float(size.width), float(size.height)
        if not (0 < width < _MAX_SIDE_POINTS and 0 < height < _MAX_SIDE_POINTS):
            raise FormatFault("damaged_file", f"page {index + 1}")
        sizes.append((width, height))
    return sizes
