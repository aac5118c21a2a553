"""Pages to copy and things that happen to copies, for the tests of stamping and reading back."""

from __future__ import annotations

import io
from datetime import date
from functools import cache

import cv2
import numpy as np
import pypdfium2
from numpy.typing import NDArray
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.actions import JavaScript
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from jiyao.models.copy import CopySpec
from jiyao.models.level import Level
from jiyao.models.period import Period
from jiyao.watermark.payload import encode, forensic_id, station_tag
from jiyao.watermark.pen import Pen

KEY = b"mark key for the tests, 32 bytes"
TAG = station_tag("11111111-2222-4333-8444-555555555555")
SERIAL = 41
Page = NDArray[np.uint8]


def spec(**changes: object) -> CopySpec:
    values: dict[str, object] = {
        "level": Level.STATE_SECRET,
        "period": Period(kind="years", number=20),
        "number": 3,
        "recipient": "欧阳样张",
        "issued": date(2025, 11, 22),
        "document": "D-2025-000012",
        "barcode": encode(KEY, TAG, forensic_id(KEY, SERIAL)),
        "unit": "云岭市样张局",
    }
    return CopySpec(**{**values, **changes})  # type: ignore[arg-type]


def letter(pages: int = 1, *, full: bool = False) -> bytes:
    """A born-digital letter; `full`: text up to the paper's edge."""
    pen = Pen()
    for number in range(pages):
        pen.page(210, 297)
        pen.fitted(
            28, 184, 75, "云岭市样张局文件", 30, bold=True, style="serif", align="centre", colour=(200, 0, 0)
        )
        pen.fitted(
            28, 184, 115, "关于做好样张材料清点工作的通知", 22, bold=True, style="serif", align="centre"
        )
        for row in range(14):
            pen.text(
                28, 130 + row * 9.5, "各单位要高度重视样张材料清点工作，明确专人逐件核对", 16, style="serif"
            )
        if full:
            pen.text(3, 8, "页眉贴边的文字", 12)
            pen.text(3, 294, "页脚贴边的文字", 12)
        pen.text(165, 270, f"— {number + 1} —", 12)
    return pen.output()


@cache
def bare() -> Page:
    """The letter's page, 200 dpi, without any marks."""
    return picture(letter())


def scan() -> bytes:
    """A grayish, speckled scan of the letter as PNG, 200 dpi."""
    page = picture(letter(full=True), dpi=200)
    noise = np.random.default_rng(3).normal(0, 6, page.shape[:2])[..., None]
    gray = np.clip(page.astype(np.float32) * 0.9 + 8 + noise, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(gray).save(out, "PNG", dpi=(200, 200))
    return out.getvalue()


def picture(pdf: bytes, *, dpi: int = 200, number: int = 1) -> Page:
    document = pypdfium2.PdfDocument(pdf)
    try:
        shown = document[number - 1].render(scale=dpi / 72, rev_byteorder=True)
        return np.array(shown.to_numpy()[:, :, :3], np.uint8)
    finally:
        document.close()


def text_of(pdf: bytes, number: int = 1) -> str:
    """A page's text without blanks."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return "".join(document[number - 1].get_textpage().get_text_range().split())
    finally:
        document.close()


SECRET = "HIDDENSECRETWORDS"


def with_hidden(pdf: bytes) -> bytes:
    """The same letter with a script, an attachment, metadata, an old revision and invisible text."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    writer.add_open_action(JavaScript(f"app.alert('{SECRET}')"))
    writer.add_attachment("x.txt", SECRET.encode())
    writer.add_metadata({"/Title": SECRET, "/Author": SECRET})
    first = io.BytesIO()
    writer.write(first)
    later = PdfWriter(io.BytesIO(first.getvalue()), incremental=True)
    later.add_metadata({"/Subject": SECRET})
    out = io.BytesIO()
    later.write(out)
    return out.getvalue()


def with_drawing(pdf: bytes, drawing: bytes) -> bytes:
    """The letter with more drawing operators at the end of its first page; /H is Helvetica."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    page = writer.pages[0]
    extra = DecodedStreamObject()
    extra.set_data(b"q " + page.get_contents().get_data() + b"\nQ\n" + drawing)  # type: ignore[union-attr]
    page[NameObject("/Contents")] = writer._add_object(extra)
    page["/Resources"]["/Font"][NameObject("/H")] = DictionaryObject(  # type: ignore[index]
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def jpeg(page: Page, quality: int) -> Page:
    return np.asarray(
        cv2.imdecode(cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1), np.uint8
    )


def scaled(page: Page, factor: float) -> Page:
    return np.asarray(cv2.resize(page, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def quarter(page: Page, which: int) -> Page:
    height, width = page.shape[0] // 2, page.shape[1] // 2
    top, left = which // 2 * height, which % 2 * width
    return np.ascontiguousarray(page[top : top + height, left : left + width])


def warped(page: Page, share: float, seed: int = 1) -> Page:
    """As photographed from the side: every corner moved inwards by up to `share` of the sides."""
    height, width = page.shape[:2]
    move = np.random.default_rng(seed).uniform(0, share, (4, 2)) * [width, height]
    here = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    there = (here + move * [[1, 1], [-1, 1], [-1, -1], [1, -1]]).astype(np.float32)
    turn = cv2.getPerspectiveTransform(here, there)
    return np.asarray(cv2.warpPerspective(page, turn, (width, height), borderValue=(90, 80, 70)), np.uint8)


def turned(page: Page, degrees: float) -> Page:
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.75)
    return np.asarray(cv2.warpAffine(page, turn, (width, height), borderValue=(120, 120, 120)), np.uint8)


def print_scan(page: Page, dpi: int) -> Page:
    """Printed and scanned: soft, noisy, grayish, recompressed."""
    small = cv2.GaussianBlur(scaled(page, dpi / 200), (0, 0), 0.9)
    noise = np.random.default_rng(2).normal(0, 8, small.shape)
    return jpeg(np.clip(small.astype(np.float32) * 0.85 + 25 + noise, 0, 255).astype(np.uint8), 60)


def one_bit(page: Page) -> Page:
    black = (cv2.GaussianBlur(page, (0, 0), 0.7).mean(axis=2) > 140).astype(np.uint8) * 255
    return np.repeat(black[:, :, None], 3, axis=2)


def uneven(page: Page) -> Page:
    """Light from one side, as under a lamp."""
    light = np.linspace(1.0, 0.35, page.shape[1], dtype=np.float32)[None, :, None]
    return np.asarray(page * light, np.uint8)
