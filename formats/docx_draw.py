"""Draws a laid-out DOCX page as a picture, straight onto pixels.

Pillow and the machine's fonts draw it: going through a PDF would subset a 20 MB font collection for
every page.
"""

from __future__ import annotations

import io
import warnings
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..common import fonts
from ..common.errors import MissingTool
from .docx_layout import LaidPage, PlacedPicture
from .fault import FormatFault, guarded
from .lines import Glyph, is_narrow
from .opened import Picture

_INKS = {"black": (0, 0, 0), "red": (210, 20, 20), "other": (70, 70, 70)}
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")


def draw_page(page: LaidPage, dpi: int, *, max_pixels: int) -> Picture:
    """The page in RGB at `dpi`.

    Raises:
        MissingTool: `font_missing` when the machine has no Chinese font.
    """
    scale = dpi / 72
    width, height = round(page.sheet.width * scale), round(page.sheet.height * scale)
    if width * height > max_pixels:
        scale *= (max_pixels / (width * height)) ** 0.5
        width, height = int(page.sheet.width * scale), int(page.sheet.height * scale)
    paper = Image.new("RGB", (width, height), "white")
    for placed in page.pictures:
        _paste(paper, placed, scale, max_pixels)
    pen = ImageDraw.Draw(paper)
    faces = fonts.faces("serif")
    for row in page.rows:
        for word, glyph in _words(row):
            face = _face_for(glyph.char, faces)
            if face is not None:
                font = _font(str(face.path), face.index, max(round(glyph.size * scale), 1))
                pen.text(
                    (glyph.left * scale, glyph.base * scale), word, _INKS[glyph.colour], font, anchor="ls"
                )
    return np.asarray(paper, dtype=np.uint8)


def _words(row: list[Glyph]) -> list[tuple[str, Glyph]]:
    """Latin words as one piece, so that their letters stand as the font wants; the rest by itself."""
    words: list[tuple[str, Glyph]] = []
    last: Glyph | None = None
    for glyph in row:
        joined = last is not None and is_narrow(last.char) and is_narrow(glyph.char)
        if joined and last is not None and abs(glyph.left - last.right) < 0.05:
            words[-1] = (words[-1][0] + glyph.char, words[-1][1])
        else:
            words.append((glyph.char, glyph))
        last = glyph
    return words


def _face_for(char: str, faces: tuple[fonts.Face, ...]) -> fonts.Face | None:
    try:
        return fonts.pick(char, faces)
    except MissingTool:
        return faces[0]  # its empty box shows that something stands here


@lru_cache(maxsize=32)
def _font(path: str, index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=index)


def _paste(paper: Image.Image, placed: PlacedPicture, scale: float, max_pixels: int) -> None:
    """Draws an embedded picture; one that cannot be decoded leaves a grey frame, never nothing."""
    size = max(round(placed.width * scale), 1), max(round(placed.height * scale), 1)
    at = round(placed.left * scale), round(placed.top * scale)
    try:
        with guarded("picture"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            blob = placed.block.part.related_parts[placed.block.relation].blob
            picture = Image.open(io.BytesIO(blob), formats=_FORMATS)
            if picture.width * picture.height <= max_pixels:
                small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
                paper.paste(small, at)
                return
    except FormatFault:
        pass
    box = (at[0], at[1], at[0] + size[0], at[1] + size[1])
    ImageDraw.Draw(paper).rectangle(box, fill=(225, 225, 225), outline=(120, 120, 120))
