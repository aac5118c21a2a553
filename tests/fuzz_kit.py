"""What the fuzz tests and the fuzz targets share: seed files, ways to damage them, and what a reader may do with them.

A reader may refuse a file by name (`FormatFault`) or say that a tool is missing; any other exception is a fault of
ours, and so is taking longer than `MOST_SECONDS`.
"""

from __future__ import annotations

import io
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from types import FrameType

import numpy as np
from fpdf import FPDF
from PIL import Image

import format_kit as kit
import ofd_kit
from jiyao.common.errors import MissingTool
from jiyao.common.limits import Limits
from jiyao.formats.fault import FormatFault
from jiyao.formats.open import open_document
from jiyao.formats.sniff import OFFICE, sniff
from jiyao.formats.zip_entries import entries_of, opened_archive
from jiyao.models.fields import OfficialFields
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.stages.extract import extract
from jiyao.stages.mark_grammar import read_mark, read_term

MOST_SECONDS = 10.0
LIMITS = Limits(
    file_bytes=1 << 20, unpacked_bytes=16 << 20, pages=20, page_pixels=4_000_000, text_chars=200_000,
    seconds_per_document=5.0, seconds_per_page=3.0,
)  # fmt: skip
_PAGES = 2


class TooSlow(AssertionError):
    """A reader was still busy at the end of its time."""


@contextmanager
def in_time(seconds: float = MOST_SECONDS) -> Iterator[None]:
    """Interrupts what takes longer; what could not be interrupted fails afterwards.

    Raises:
        TooSlow: it took longer.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"still busy after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    began = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if time.monotonic() - began > seconds:
        raise TooSlow(f"took more than {seconds} s")


def read_file(data: bytes) -> str:
    """Sniffs, opens, reads and draws the first pages; gives how it ended: `read` or a fault's code."""
    try:
        kind = sniff(data).kind
        if kind in OFFICE:
            return "by LibreOffice"
        with closing(open_document(data, limits=LIMITS)) as opened:
            for number in range(1, min(opened.page_count, _PAGES) + 1):
                wide, high = opened.size_mm(number)
                assert wide > 0 and high > 0
                for line in opened.text_lines(number) or ():
                    assert isinstance(line.text, str) and 0 <= line.confidence <= 1
                picture = opened.render(number, 50)
                assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    except FormatFault as fault:
        return fault.code
    except MissingTool as missing:
        return missing.code
    return "read"


def read_archive(data: bytes) -> str:
    """Looks at the entries of an archive."""
    try:
        with opened_archive(data) as archive:
            entries_of(archive, len(data), LIMITS)
    except FormatFault as fault:
        return fault.code
    return "read"


def read_fields(lines: list[tuple[int, str]]) -> OfficialFields:
    """The fields of pages made of these lines: (page, text) in reading order, one below the other."""
    pages = []
    for number in sorted({page for page, _ in lines}):
        texts = [text for page, text in lines if page == number]
        step = 0.9 / max(1, len(texts))
        pages.append(
            Page(
                number=number, width_mm=210.0, height_mm=297.0, source="ocr", engine="fuzz", confidence=0.9,
                lines=tuple(
                    Line(text, Box(0.13, 0.05 + step * i, 0.87, 0.05 + step * (i + 0.7)), 0.9)
                    for i, text in enumerate(texts)
                ),
            )
        )  # fmt: skip
    fields = extract(Transcript(tuple(pages)))
    for evidence in fields.evidence:
        assert 0 <= evidence.score <= 1
        assert evidence.page in {0, *(page.number for page in pages)}
    for _, text in lines:
        read_mark(text)
        read_term(text)
    return fields


# ---------------------------------------------------------------- seeds


def _picture(mode: str, size: tuple[int, int] = (60, 40)) -> Image.Image:
    ramp = np.add.outer(np.arange(size[1]), np.arange(size[0])) * 3 % 256
    return Image.fromarray(ramp.astype(np.uint8)).convert(mode)


def _saved(kind: str, mode: str = "RGB", **how: object) -> bytes:
    out = io.BytesIO()
    _picture(mode).save(out, kind, **how)
    return out.getvalue()


def _pdf(*, scanned: bool, encrypted: bool = False) -> bytes:
    pdf = FPDF(unit="mm", format=(105, 148))
    pdf.set_font("helvetica", size=12)
    if encrypted:
        pdf.set_encryption(owner_password="o", user_password="")
    for number in range(2):
        pdf.add_page()
        if scanned:
            pdf.image(io.BytesIO(_saved("JPEG")), 5, 5, 80, 60)
        else:
            pdf.text(10, 20, f"Page {number} No. 000012")
            pdf.link(5, 5, 20, 20, "https://example.invalid")
    return bytes(pdf.output())


def _docx(body: str) -> bytes:
    return kit.docx(body)


DOCUMENT_XML = (
    kit.paragraph("机密★20年") + kit.paragraph("柯政发〔2024〕5号")
    + "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>序号</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    + "<w:p><w:pPr><w:sectPr><w:pgSz w:w='11906' w:h='16838'/></w:sectPr></w:pPr></w:p>"
)  # fmt: skip


@cache
def seeds() -> dict[str, tuple[bytes, ...]]:
    """Small sound files by kind."""
    exif = Image.Exif()
    exif[0x0112] = 6
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/一.png", _saved("PNG"))
        archive.writestr("二.pdf", _pdf(scanned=False))
    more = [_picture("1"), _picture("1", (80, 30))]
    g4 = io.BytesIO()
    more[0].save(g4, "TIFF", compression="group4", save_all=True, append_images=more[1:], dpi=(204, 98))
    return {
        "pdf": (_pdf(scanned=False), _pdf(scanned=True), _pdf(scanned=False, encrypted=True)),
        "docx": (_docx(DOCUMENT_XML),),
        "ofd": (ofd_kit.packed(ofd_kit.everything()),),
        "tiff": (
            g4.getvalue(),
            _saved("TIFF", compression="tiff_lzw"),
            _saved("TIFF", "L", compression="jpeg"),
        ),
        "jpeg": (_saved("JPEG", exif=exif), _saved("JPEG", "L", progressive=True), _saved("JPEG", "CMYK")),
        "png": (_saved("PNG"), _saved("PNG", "P"), _saved("PNG", "1")),
        "gif": (_saved("GIF", "P"),),
        "bmp": (_saved("BMP"), _saved("BMP", "1")),
        "webp": (_saved("WEBP"), _saved("WEBP", lossless=True)),
        "jp2": (_saved("JPEG2000"), _saved("JPEG2000", no_jp2=True)),
        "zip": (zipped.getvalue(),),
    }


# ---------------------------------------------------------------- damage

NUMBERS = (b"\x00", b"\xff", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f",
           b"99999999999", b"-1", b"%PDF-1.7\n", b"PK\x03\x04", b"<<", b">>", b"endobj", b"stream\n")  # fmt: skip
Edit = tuple[str, float, float, int]
"""What, where (part of the file), how far, which number or byte."""
EDITS: dict[str, Callable[[bytes, int, int, int], bytes]] = {
    "flip": lambda data, at, _, what: data[:at] + bytes([data[at] ^ (1 << what % 8)]) + data[at + 1 :],
    "byte": lambda data, at, _, what: data[:at] + bytes([what % 256]) + data[at + 1 :],
    "number": lambda data, at, _, what: (
        data[:at] + (put := NUMBERS[what % len(NUMBERS)]) + data[at + len(put) :]
    ),
    "insert": lambda data, at, _, what: data[:at] + NUMBERS[what % len(NUMBERS)] + data[at:],
    "cut": lambda data, at, end, _: data[:at] + data[end:],
    "end": lambda data, at, *_: data[: max(1, at)],
    "twice": lambda data, at, end, _: data[:end] + data[at:end] + data[end:],
    "zero": lambda data, at, end, _: data[:at] + bytes(end - at) + data[end:],
}


def edited(data: bytes, edits: list[Edit]) -> bytes:
    """The file after these edits, in their order."""
    for name, where, far, what in edits:
        if not data:
            break
        at = int(where * (len(data) - 1))
        data = EDITS[name](data, at, min(len(data), at + 1 + int(far * 64)), what)
    return data
