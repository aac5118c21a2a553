"""Whether a PDF page is a scan: one picture that fills it, with nothing drawn beside or over it."""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2.raw as raw

FILLS = 0.97
"""Part of the page's width and height that the picture covers at least."""
_INVISIBLE = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)
_MOST_OBJECTS = 5000


def scan_dpi(page: Any, width: float, height: float) -> float | None:
    """Pixels an inch of the picture that is all a reader sees of the page.

    Args:
        page: a `pypdfium2.PdfPage`.
        width: of the page as shown, points.
        height: as `width`.

    Returns:
        The finer of the two resolutions; None for a page with other visible objects, of several pictures, or whose
        picture does not fill it upright or turned by quarters.
    """
    count = raw.FPDFPage_CountObjects(page)
    if not 1 <= count <= _MOST_OBJECTS:
        return None
    found = None
    for index in range(count):
        item = raw.FPDFPage_GetObject(page, index)
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_TEXT and raw.FPDFTextObj_GetTextRenderMode(item) in _INVISIBLE:
            continue
        if kind != raw.FPDF_PAGEOBJ_IMAGE or found is not None:
            return None
        found = item
    return None if found is None else _dpi(found, width, height)


def _dpi(image: Any, width: float, height: float) -> float | None:
    matrix = raw.FS_MATRIX()
    across, down = ctypes.c_uint(), ctypes.c_uint()
    if not raw.FPDFPageObj_GetMatrix(image, matrix) or not raw.FPDFImageObj_GetImagePixelSize(
        image, across, down
    ):
        return None
    level, standing = max(abs(matrix.a), abs(matrix.d)), max(abs(matrix.b), abs(matrix.c))
    if min(level, standing) > 0.01 * max(level, standing):
        return None
    wide, high = (abs(matrix.a), abs(matrix.d)) if level > standing else (abs(matrix.b), abs(matrix.c))
    shown = (width, height), (height, width)  # the page may be shown turned
    if not any(wide >= FILLS * w and high >= FILLS * h for w, h in shown) or min(wide, high) <= 0:
        return None
    return float(max(across.value / wide, down.value / high) * 72)
