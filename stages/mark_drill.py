"""Test pages for the marks: pages with known tints and dots, and what came back of them. Runs in a worker.

Their key is not that of copies, so that no test page can ever name one. Each page says in a large barcode what it is:
what is lost counts too. The pages bear text, grey steps, a picture and dots of several sizes, and nothing of any paper.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import pypdfium2
from numpy.typing import NDArray

from ..common.messages import say
from ..formats.fault import FormatFault
from ..formats.opened import OpenedDocument, Picture
from ..watermark import barcode, dots_read, tint_read
from ..watermark.dots import dots, set_dots
from ..watermark.pen import Pen
from ..watermark.picture_pdf import PicturePage, write_pictures
from ..watermark.tint import AMPLITUDES, PagePattern, TintKey, embed
from .mark_channels import DPI, DRAWN, OWN_PIXELS

PREFIX = "JYDRILL1"
STEPS: Final[dict[str, tuple[float, float] | None]] = {
    "faint": (1.1, 0.25), "normal": AMPLITUDES["normal"], "medium": (2.6, 0.75), "strong": AMPLITUDES["strong"],
    "dots": None,
}  # fmt: skip
"""What the pages bear, the faintest first: mean and amplitude of the tint; None: black dots and no tint."""
KINDS = ("text", "mixed")
_WIDE, _HIGH = 210.0, 297.0
_DPI = 300
_QUALITY = 92
_FIRST = 0xD1 << 40
_TINT_SECONDS, _CODE_SECONDS = 10.0, 4.0
_DOT_SIZES = (0.08, 0.10, 0.13, 0.17, 0.21, 0.25, 0.30, 0.40)


@dataclass(frozen=True, slots=True)
class DrillPage:
    """What became of one test page: the step and kind its barcode said, whether its own number was read, and z.

    `other`: some other number was read, which must never happen.
    """

    step: str
    kind: str
    read: bool
    z: float
    other: bool = False


def make_pages(key: TintKey, *, sheets: int, steps: Sequence[str] = tuple(STEPS)) -> bytes:
    """A PDF of pictures: for each of the steps so many pages, text and mixed in turns.

    Raises:
        MissingTool: fonts.
    """
    return write_pictures(_pages(key, sheets, steps), copy="DRILL")


def number_of(step: str, sheet: int) -> int:
    """The number that a page's marks say."""
    return _FIRST | (list(STEPS).index(step) + 1) << 16 | sheet


def read_pages(opened: OpenedDocument, key: TintKey, *, end: float) -> Iterator[DrillPage | None]:
    """Each page of a file; None for what bears no barcode of a test page."""
    for number in range(1, opened.page_count + 1):
        if time.monotonic() > end:
            return
        try:
            picture = np.asarray(opened.render(number, DPI if opened.kind in DRAWN else OWN_PIXELS), np.uint8)
        except FormatFault:
            yield None
            continue
        yield read_page(picture, key)


def read_page(picture: Picture, key: TintKey) -> DrillPage | None:
    """One picture of a test page."""
    said = {
        code.text for code in barcode.read(picture, seconds=_CODE_SECONDS) if code.text.startswith(PREFIX)
    }
    words = said.pop().split("/") if len(said) == 1 else []
    if len(words) != 4 or words[1] not in STEPS or words[2] not in KINDS or not words[3].isdecimal():
        return None
    own, end = number_of(words[1], int(words[3]) & 0xFFFF), time.monotonic() + _TINT_SECONDS
    reading: Any = (
        tint_read.look(picture, key, end=end).reading
        if STEPS[words[1]]
        else dots_read.read(picture, key, end=end)
    )
    if reading is None:
        return DrillPage(words[1], words[2], False, 0.0)
    return DrillPage(words[1], words[2], reading.id == own, float(reading.z), reading.id != own)


def _pages(key: TintKey, sheets: int, steps: Sequence[str]) -> Iterator[PicturePage]:
    pattern = PagePattern(key, _WIDE, _HIGH)
    for step in steps:
        tone = STEPS[step]
        for sheet in range(sheets):
            kind = KINDS[sheet % len(KINDS)]
            picture, id = _chart(step, kind, sheet), number_of(step, sheet)
            if tone is not None:
                picture = embed(picture, pattern.tone_at(id, *tone), width_mm=_WIDE, height_mm=_HIGH)
            else:
                middles = dots(key, id, picture, width_mm=_WIDE, height_mm=_HIGH)
                picture = set_dots(picture, middles, width_mm=_WIDE, height_mm=_HIGH)
            done, data = cv2.imencode(
                ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
            )
            if not done:
                raise ValueError("JPEG encoder")
            yield PicturePage(
                width_mm=_WIDE, height_mm=_HIGH, jpeg=data.tobytes(), width=picture.shape[1],
                height=picture.shape[0], colour="rgb",
            )  # fmt: skip


def _chart(step: str, kind: str, sheet: int) -> Picture:
    """One page without its mark."""
    pen = Pen()
    pen.page(_WIDE, _HIGH)
    pen.text(20, 22, say("drill_chart_title", "zh"), 16, bold=True)
    pen.text(
        20,
        30,
        say("drill_chart_page", "zh", step=say(f"drill_step_{step}", "zh"), kind=kind, sheet=sheet + 1),
        10,
    )
    pen.code(168, 12, 28, barcode.modules(f"{PREFIX}/{step}/{kind}/{sheet}"))
    y = 46.0
    if kind == "mixed":
        _steps_and_dots(pen)
        pen.pdf.image(_picture(), x=20, y=92, w=170, h=80)
        y = 186.0
    line = say("drill_chart_text", "zh")
    while y < 276:
        size = (12.0, 10.5, 14.0)[int(y) % 3]
        pen.fitted(20, 190, y, line, size, style="serif")
        y += size * 0.62 if kind == "text" else size * 0.9
    document = pypdfium2.PdfDocument(pen.output())
    try:
        drawn = document[0].render(scale=_DPI / 72, rev_byteorder=True).to_numpy()[:, :, :3]
        return np.array(drawn, np.uint8)
    finally:
        document.close()


def _steps_and_dots(pen: Pen) -> None:
    """Grey steps, and rows of dots of growing size: which of them a device keeps shows at a glance."""
    for number in range(11):
        shade = 255 - round(number * 25.5)
        pen.pdf.set_fill_color(shade, shade, shade)
        pen.pdf.rect(20 + number * 15, 42, 15, 14, style="F")
    pen.pdf.set_fill_color(0, 0, 0)
    for row, size in enumerate(_DOT_SIZES):
        pen.text(20, 63 + row * 3.2, f"{size:.2f} mm", 7)
        for column in range(60):
            pen.pdf.rect(36 + column * 2.5, 62 + row * 3.2 - size / 2, size, size, style="F")


def _picture() -> Any:
    """A picture with soft and hard parts, in place of a photo; the same on every page."""
    from PIL import Image

    rng = np.random.default_rng(2025)
    soft: NDArray[Any] = cv2.GaussianBlur(rng.normal(0, 1, (320, 680, 3)), (0, 0), 12)
    fine = cv2.GaussianBlur(rng.normal(0, 1, (320, 680, 3)), (0, 0), 1.2)
    return Image.fromarray(np.clip(140 + soft * 900 + fine * 40, 0, 255).astype(np.uint8))
