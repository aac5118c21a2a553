"""OFD (GB/T 33190-2016): pages, text with positions, page pictures, seals and the state of signatures.

Threat model: see `archive.py` for the ZIP and `ofd_package.py` for names and XML. Pages are measured on opening,
so that a file without one of them is called damaged then; nothing is run, followed or written to disk; an OFD
inside a seal is opened once and no deeper.
"""

from __future__ import annotations

import io
import math
from typing import Literal

import numpy as np
from PIL import Image

from ..common.errors import MissingTool
from ..common.limits import Limits
from ..models.incoming import Kind
from ..models.page import Finding, Line
from .fault import FormatFault, guarded
from .hidden import hidden_text
from .ofd_document import OfdBody, OfdPage, read_bodies
from .ofd_draw import Painter
from .ofd_font import Embedded, load_embedded
from .ofd_geometry import Rect
from .ofd_hidden import findings_beside, look_beside
from .ofd_objects import Text, Thing, page_things
from .ofd_package import OfdPackage
from .ofd_sign import Signed, Stamp, look_at_signatures
from .ofd_text import PageText, page_text
from .opened import Picture

_LOWEST_DPI = 36
_PICTURE_NOTED_SHARE = 0.04
_SEAL_DPI = 400
_SEAL_MM = 80.0


class OpenedOfd:
    """An OFD that opened. Text is judged page by page; findings grow as pages are read and drawn."""

    __slots__ = (
        "_fonts", "_limits", "_nested", "_package", "_pages", "_read", "_stamps", "_things", "active", "findings",
        "kind", "page_count", "protection", "signature",
    )  # fmt: skip

    def __init__(
        self,
        package: OfdPackage,
        pages: list[tuple[OfdPage, tuple[Stamp, ...]]],
        *,
        signature: Literal["none", "present"],
        protection: Literal["none", "owner", "read"],
        active: tuple[str, ...],
        findings: tuple[Finding, ...],
        limits: Limits,
        nested: bool,
    ) -> None:
        self.kind: Kind = "ofd"
        self.page_count: int = len(pages)
        self.signature: Literal["none", "present"] = signature
        self.protection: Literal["none", "owner", "read"] = protection
        self.active: tuple[str, ...] = active
        self.findings: tuple[Finding, ...] = findings
        self._package = package
        self._pages = [page for page, _ in pages]
        self._stamps = [stamps for _, stamps in pages]
        self._limits = limits
        self._nested = nested
        self._fonts: dict[str, Embedded | None] = {}
        self._read: dict[int, PageText] = {}
        self._things: tuple[int, list[Thing]] = (0, [])

    def size_mm(self, number: int) -> tuple[float, float]:
        """Width and height of the page's physical box."""
        box = self._pages[number - 1].box
        return box.width, box.height

    def text_lines(self, number: int) -> tuple[Line, ...] | None:
        """The page's text as visual lines; None without text or when it is unsound (then a finding says why).

        Text of visible annotations stands at the end with the role `stamp`.

        Raises:
            FormatFault: `damaged_file`, `too_large`, `hostile_markup`.
        """
        if number not in self._read:
            with guarded(f"OFD page {number}"):
                text = page_text(self._of(number), *self.size_mm(number), self._font)
            if text.unsound:
                self._tell(Finding("text_layer_unsound", page=number, detail=text.unsound))
            for finding in hidden_text(text.hidden, page=number):
                self._tell(finding)
            if text.lines is not None and text.largest >= _PICTURE_NOTED_SHARE:
                self._tell(Finding("picture_text_unread", page=number))
            self._read[number] = text
        return self._read[number].lines

    def picture_share(self, number: int) -> float:
        """Share (0..1) of the page under its largest picture.

        Raises:
            FormatFault: as `text_lines`.
        """
        self.text_lines(number)
        return self._read[number].largest

    def render(self, number: int, dpi: int) -> Picture:
        """The page in RGB with its seals. One too large for `dpi` under the pixel limit is drawn at a lower one.

        Raises:
            FormatFault: `too_many_pixels` when even the lowest useful resolution is too much; `damaged_file`,
                `too_large`, `hostile_markup`.
            MissingTool: `font_missing`.
        """
        width, height = self.size_mm(number)
        fitting = 25.4 * math.sqrt(self._limits.page_pixels / max(width * height, 1.0))
        if fitting < min(_LOWEST_DPI, dpi):
            raise FormatFault("too_many_pixels", f"{width:.0f} x {height:.0f} mm")
        scale = min(float(dpi), fitting * 0.99) / 25.4
        painter = Painter(
            width, height, scale, read=self._package.read, font_of=self._font,
            max_pixels=self._limits.page_pixels,
        )  # fmt: skip
        missing: MissingTool | None = None
        with guarded(f"OFD page {number}"):
            try:
                painter.paint(self._of(number))
            except MissingTool as fault:  # the machine's fault, not the file's
                missing = fault
            for stamp in self._stamps[number - 1]:
                self._press(painter, stamp, self._pages[number - 1])
        if missing is not None:
            raise missing
        if painter.lost:
            self._tell(Finding("ofd_picture_undrawn", page=number, detail=str(painter.lost)))
        if painter.approximate:
            self._tell(Finding("ofd_drawn_roughly", page=number, detail=str(painter.approximate)))
        return painter.canvas.paper

    def native_dpi(self, number: int) -> float | None:
        """None: no page is a mere picture."""
        del number
        return None

    def close(self) -> None:
        """Lets go of the package and its fonts."""
        self._package.close()
        self._fonts = {}
        self._things = (0, [])

    def _tell(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings += (finding,)

    def _of(self, number: int) -> list[Thing]:
        if self._things[0] != number:
            self._things = (number, page_things(self._package, self._pages[number - 1], self._limits))
        return self._things[1]

    def _font(self, text: Text) -> Embedded | None:
        part = text.font.part
        if part is None:
            return None
        if part not in self._fonts:
            self._fonts[part] = load_embedded(self._package.read(part))
            if self._fonts[part] is None:
                self._tell(Finding("ofd_font_replaced"))
        return self._fonts[part]

    def _press(self, painter: Painter, stamp: Stamp, page: OfdPage) -> None:
        def on_paper(box: Rect) -> Rect:
            return Rect(box.x - page.box.x, box.y - page.box.y, box.width, box.height)

        cut = on_paper(stamp.cut) if stamp.cut is not None else None
        painter.stamp(self._seal_picture(stamp), on_paper(stamp.box), cut)

    def _seal_picture(self, stamp: Stamp) -> bytes:
        """The picture of a seal; one that is an OFD itself is drawn."""
        data = stamp.seal.picture
        if stamp.seal.picture_kind != "ofd" and not data.startswith(b"PK"):
            return data
        if self._nested:
            return b""
        try:
            inner = open_ofd(data, limits=self._limits, nested=True)
        except FormatFault:
            return b""
        try:
            if max(inner.size_mm(1)) > _SEAL_MM * 4:
                return b""
            drawn = inner.render(1, _SEAL_DPI)
        except (FormatFault, MissingTool):
            return b""
        finally:
            inner.close()
        out = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(drawn)).save(out, "PNG", compress_level=1)
        return out.getvalue()


def open_ofd(data: bytes, *, limits: Limits, nested: bool = False) -> OpenedOfd:
    """An OFD, its pages found and measured, its signatures and side parts looked at.

    Raises:
        FormatFault: `damaged_file`, `encrypted_file`, `unpack_bomb`, `hostile_markup`, `too_large`,
            `too_many_pages`.
    """
    package = OfdPackage(data, limits)
    try:
        with guarded("OFD"):
            bodies = read_bodies(package, limits)
            signed = [look_at_signatures(package, body) for body in bodies]
            beside = look_beside(package, bodies)
            findings = [finding for one in signed for finding in one.findings]
            findings += findings_beside(package, bodies, beside)
    except FormatFault:
        package.close()
        raise
    return OpenedOfd(
        package,
        _pages(bodies, signed),
        signature="present" if any(one.state == "present" for one in signed) else "none",
        protection="owner" if beside.restricted else "none",
        active=tuple(sorted(beside.active)),
        findings=tuple(dict.fromkeys(findings)),
        limits=limits,
        nested=nested,
    )


def _pages(bodies: list[OfdBody], signed: list[Signed]) -> list[tuple[OfdPage, tuple[Stamp, ...]]]:
    return [
        (page, tuple(stamp for stamp in one.stamps if stamp.page == page.key))
        for body, one in zip(bodies, signed, strict=True)
        for page in body.pages
    ]
