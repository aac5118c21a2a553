"""Born-digital PDF (real text, embedded fonts) and scanned PDF (a picture a page), the same bytes each time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF
from PIL import Image

from ..common.embedding import embed, written
from ..common.fonts import Face
from .picture import seal_picture
from .sheet import INKS, PAPER_H, PAPER_W, SIMPLIFIED, Rule, Seal, Sheet, Text, font_path

MM_TO_PT = 72 / 25.4
MADE = datetime(2026, 1, 1, tzinfo=UTC)
"""The date inside every file, fixed so that making it again gives the same bytes."""


def draw_pdf(sheets: Sequence[Sheet]) -> bytes:
    """The pages as a PDF with a text layer; seals are pictures, as when a stamp file is inserted."""
    pdf = _fresh()
    faces = {thing.face for sheet in sheets for thing in sheet.things if isinstance(thing, Text)}
    for face in sorted(faces):
        embed(pdf, face, Face(path=Path(font_path(face)), index=SIMPLIFIED, family=face))
    for sheet in sheets:
        pdf.add_page()
        for thing in sheet.things:
            if isinstance(thing, Text):
                pdf.set_font(thing.face, size=thing.size * MM_TO_PT)
                pdf.set_text_color(*INKS[thing.ink])
                pdf.set_char_spacing(thing.spacing * MM_TO_PT)
                pdf.text(thing.x, thing.y, thing.text)
            elif isinstance(thing, Rule):
                pdf.set_draw_color(*INKS[thing.ink])
                pdf.set_line_width(thing.width)
                pdf.line(thing.x1, thing.y1, thing.x2, thing.y2)
        for thing in sheet.things:
            if isinstance(thing, Seal):
                stamp = seal_picture(thing.organ, 330)
                half = thing.diameter / 2
                pdf.image(stamp, thing.x - half, thing.y - half, thing.diameter, thing.diameter)
    return written(pdf)


def pictures_pdf(pictures: Sequence[bytes], *, dpi: int | None = None) -> bytes:
    """A scanned PDF: each picture fills a page; there is no text layer.

    Pages are A4, lying or standing as the picture does, or with `dpi` as large as the picture is.
    """
    pdf = _fresh()
    for picture in pictures:
        with Image.open(io.BytesIO(picture)) as image:
            wide, high = image.size
        size = (PAPER_W, PAPER_H) if wide <= high else (PAPER_H, PAPER_W)
        if dpi is not None:
            size = (wide / dpi * 25.4, high / dpi * 25.4)
        # fpdf2 wants the sizes of an upright sheet, and then how it lies
        pdf.add_page(orientation="L" if wide > high else "P", format=(min(size), max(size)))
        pdf.image(io.BytesIO(picture), 0, 0, *size)
    return bytes(pdf.output())


def _fresh() -> FPDF:
    pdf = FPDF(unit="mm", format="A4")
    pdf.set_creation_date(MADE)
    pdf.set_producer("jiyao samples")
    pdf.set_title("样张")
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    return pdf
