"""Packs a page's picture as JPEG, so that its marks stay and little else is paid for."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from ..formats.opened import Picture

QUALITY = 85
_COARSER = 72
"""Quality of the fine waves of a page with dots: a black dot needs them all, and pays for each; the tint is broader."""
_FINE = 4
"""Sum of a wave's two frequencies from which on it counts as fine."""
_LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
"""ISO/IEC 10918-1, table K.1, row by row."""
_CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66,
    *[99] * 38,
)  # fmt: skip
"""Table K.2."""


def jpeg_of(picture: Picture, *, colour: bool) -> bytes:
    """The picture (RGB) as JPEG, gray unless `colour`."""
    how = cv2.COLOR_RGB2BGR if colour else cv2.COLOR_RGB2GRAY
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, how), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError("JPEG encoder")
    return data.tobytes()


def jpeg_with_dots(picture: Picture) -> bytes:
    """The picture (RGB) of a page with dots as JPEG, its fine waves coarser."""
    fine = np.add.outer(np.arange(8), np.arange(8)).ravel() >= _FINE
    luma = np.where(fine, _table(_LUMA, _COARSER), _table(_LUMA, QUALITY))
    out = io.BytesIO()
    tables = [luma.tolist(), _table(_CHROMA, QUALITY).tolist()]
    Image.fromarray(picture).save(out, "JPEG", qtables=tables, subsampling="4:2:0", optimize=True)
    return out.getvalue()


def _table(usual: tuple[int, ...], quality: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Of a quality from 50 on, as libjpeg makes it."""
    scaled = (np.array(usual, np.int64) * (200 - 2 * quality) + 50) // 100
    return np.clip(scaled, 1, 255)
