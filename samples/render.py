"""A paper as the bytes of a file, in each format that a room receives."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from ..formats.opened import Picture
from .damage import Plan, damage, plan
from .degrade import FAX_DPI, degrade, to_bits
from .docx_file import draw_docx
from .dress import dress
from .layout import lay_out
from .ofd_file import draw_ofd
from .paper import Format, Paper, Severity
from .pdf import draw_pdf, pictures_pdf
from .picture import draw_picture
from .score import PageTruth
from .sheet import FontSet, Sheet, fonts_for


@dataclass(frozen=True, slots=True)
class Rendered:
    """A file and the text of each of its pages (a DOCX has no pages of its own: one text)."""

    data: bytes
    pages: int | None
    texts: tuple[str, ...]
    severity: Severity
    """`clean` where the format is not scanned."""
    whole: bool = True
    """False when the format holds one picture and the paper has more pages."""
    truths: tuple[PageTruth, ...] = ()
    """As `texts`, for scoring."""
    damage: tuple[str, ...] = ()
    """What was done to the pages beyond ordinary scanning (`samples/damage.py`)."""
    fonts: FontSet = "noto"
    """The type of the pages."""
    added: tuple[str, ...] = ()
    """What the office put on them that may mislead a reader (`samples/dress.py`)."""


def render(paper: Paper, fmt: Format, severity: Severity = "clean", seed: int = 0) -> bytes:
    """The file's bytes; the same arguments give the same bytes.

    JPEG and PNG hold one picture: the first page of the paper.

    Raises:
        MissingTool: `samples_font_missing` without the Noto CJK fonts.
        KeyError: for an unknown format.
    """
    return render_with_text(paper, fmt, severity, seed).data


def render_with_text(
    paper: Paper, fmt: Format, severity: Severity = "clean", seed: int = 0, *, dressed: bool = False
) -> Rendered:
    """As `render`, with what a perfect reader would find on each page.

    Args:
        paper, fmt, severity, seed: as for `render`.
        dressed: scanned pages bear what an office does to them (`samples/dress.py`).
    """
    sheets = drawable = lay_out(paper)
    fonts = fonts_for(paper.split, seed)
    added: tuple[str, ...] = ()
    if dressed and fmt not in ("docx", "pdf", "ofd"):
        added = dress(sheets, paper, seed=seed)
    texts = tuple("\n".join(sheet.lines) for sheet in sheets)
    truths = tuple(map(page_truth, sheets))
    if fmt == "docx":
        lines = tuple(line for truth in truths for line in truth.lines)
        return Rendered(draw_docx(paper), None, ("\n".join(texts),), "clean", truths=(PageTruth(lines),))
    if fmt == "pdf":
        return Rendered(draw_pdf(sheets), len(sheets), texts, "clean", truths=truths)
    if fmt == "ofd":
        return Rendered(draw_ofd(sheets), len(sheets), texts, "clean", truths=truths)
    if fmt in ("jpeg", "png"):
        sheets, texts, truths = sheets[:1], texts[:1], truths[:1]
    whole = fmt not in ("jpeg", "png") or len(drawable) == 1
    done = plan(severity, seed=seed, split=paper.split)
    dpi = FAX_DPI if fmt == "fax" else done.dpi
    drawn = [draw_picture(sheet, dpi=dpi, fonts=fonts) for sheet in sheets]
    scans = [
        scan(page, severity, done, seed=seed * 1000 + index, back=drawn[index - 1] if index else None)
        for index, page in enumerate(drawn)
    ]
    quality = done.quality
    match fmt:
        case "scan":
            data = pictures_pdf([_bits_png(page) if done.bits else jpeg(page, quality) for page in scans])
        case "jpeg":
            data = jpeg(scans[0], quality, dpi)
        case "png":
            data = _png(scans[0], dpi)
        case "tiff":
            data = _tiff([Image.fromarray(page) for page in scans], dpi, "jpeg", quality)
        case "tiff-grey":
            data = _tiff([Image.fromarray(page).convert("L") for page in scans], dpi, "jpeg", quality)
        case "fax":
            bits = [to_bits(page, severity=severity, seed=seed * 1000 + i) for i, page in enumerate(scans)]
            data = _tiff([Image.fromarray(page) for page in bits], dpi, "group4")
        case _:
            raise KeyError(fmt)
    return Rendered(data, len(sheets), texts, severity, whole, truths, done.kinds, fonts, added)


def scan(page: Picture, severity: Severity, done: Plan, *, seed: int, back: Picture | None = None) -> Picture:
    """A drawn page as it comes off the scanner (`degrade`, `damage`)."""
    if severity == "clean":
        return page
    return (
        degrade(page, seed=seed, back=back)
        if severity == "office"
        else damage(page, done, seed=seed, back=back)
    )


def _bits_png(page: Picture) -> bytes:
    out = io.BytesIO()
    Image.fromarray(page[..., 0] > 127).save(out, "PNG")
    return out.getvalue()


def page_truth(sheet: Sheet) -> PageTruth:
    """The text of a sheet, for scoring."""
    return PageTruth(
        lines=tuple(sheet.lines), loose=tuple(sheet.loose), left_out=tuple(sheet.left_out),
        page_number=sheet.printed_number,
    )  # fmt: skip


def jpeg(page: Picture, quality: int, dpi: int = 200) -> bytes:
    """A picture as JPEG."""
    out = io.BytesIO()
    Image.fromarray(page).save(out, "JPEG", quality=quality, dpi=(dpi, dpi))
    return out.getvalue()


def _png(page: Picture, dpi: int) -> bytes:
    """Quantised to 16 steps a channel, as office scanners do to keep PNG files small."""
    steps = cv2.medianBlur(np.ascontiguousarray(page), 3) if dpi < 300 else page
    image = Image.fromarray((steps // 17 * 17).astype(np.uint8))
    out = io.BytesIO()
    image.quantize(16, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True, dpi=(dpi, dpi)
    )
    return out.getvalue()


def _tiff(pages: list[Image.Image], dpi: int, compression: str, quality: int | None = None) -> bytes:
    out = io.BytesIO()
    extra = {"quality": quality} if quality is not None else {}
    pages[0].save(
        out, "TIFF", save_all=True, append_images=pages[1:], compression=compression, dpi=(dpi, dpi), **extra
    )
    return out.getvalue()
