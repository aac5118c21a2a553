"""The copy's barcode as a picture, and reading barcodes back from anything a camera or scanner gives.

Symbol: QR code, model 2, version 3 (29 x 29), error correction H, 15 mm a side. Chosen by measurement over
QR-Q/M, Data Matrix and Aztec of the same text after warp, JPEG 50, print-scan-like blur at 100-150 dpi,
half size, one-bit copies, turning and a pen stroke (docs/spec/copy-barcode.md, section 4).

Threat model. The picture is hostile: the reader is a C++ library fed with raw pixels only; it runs in a
worker, under a pixel limit and a time limit checked between attempts. Texts that come back are untrusted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from ..models.page import Box

Gray = NDArray[np.uint8]
"""Height x width, 0 black, 255 white."""
Map = NDArray[np.float64]
"""3 x 3: pixels of a variant to pixels of the picture."""

SIDE_MM = 15.0
"""Side of a copy barcode on A4, without its quiet zone."""
QUIET_MODULES = 4

_MAX_TEXT = 512
_TILE_PIXELS = 1100
_FORMATS = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
_MAX_ATTEMPT_PIXELS = 24_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """One barcode that was read: its text, its place on the picture, and how hard it was (1 = at once)."""

    text: str
    box: Box
    score: float


def modules(text: str) -> NDArray[np.bool_]:
    """The QR code's dark modules, without quiet zone: n x n, True is dark. Level H."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="H")
    picture = np.asarray(zxingcpp.write_barcode_to_image(code, scale=1, add_quiet_zones=False))
    dark: NDArray[np.bool_] = picture < 128
    return dark


def read(picture: NDArray[np.uint8], *, seconds: float, thorough: bool = True) -> tuple[Found, ...]:
    """All QR codes found in a picture (gray, or height x width x 3 RGB), each text once.

    Tries the picture as it is, then other sizes, tiles, contrasts, sharpness and turns. The cheap attempts
    are all made, so that one planted code does not hide another; the costly ones only while nothing was read
    and `seconds` last (the one attempt running when they end is finished).
    """
    gray = _gray(picture)
    if min(gray.shape) < 16:
        return ()
    end = time.monotonic() + seconds
    found: dict[str, Found] = {}
    for rank, (variant, to_page) in enumerate(_cheap(gray)):
        _collect(found, variant, to_page, gray.shape, score=1.0 if rank == 0 else 0.95)
        if time.monotonic() > end:
            return tuple(found.values())
    if found or not thorough:
        return tuple(found.values())
    for variant, to_page in _costly(gray):
        if time.monotonic() > end:
            break
        _collect(found, variant, to_page, gray.shape, score=0.8)
        if found:
            break
    return tuple(found.values())


def _gray(picture: NDArray[np.uint8]) -> Gray:
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
    return np.ascontiguousarray(gray, dtype=np.uint8)


def _collect(
    found: dict[str, Found], variant: Gray, to_page: Map, shape: tuple[int, ...], *, score: float
) -> None:
    if variant.size > _MAX_ATTEMPT_PIXELS:
        return
    for code in zxingcpp.read_barcodes(variant, formats=_FORMATS):
        text = code.text
        if not text or len(text) > _MAX_TEXT or text in found:
            continue
        place = code.position
        corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
        points = np.array([[corner.x, corner.y, 1.0] for corner in corners]) @ to_page.T
        x = np.clip(points[:, 0] / shape[1], 0.0, 1.0)
        y = np.clip(points[:, 1] / shape[0], 0.0, 1.0)
        box = Box(float(x.min()), float(y.min()), float(x.max()), float(y.max()))
        found[text] = Found(text, box, score)


def _scaled(gray: Gray, factor: float) -> tuple[Gray, Map]:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    variant = cv2.resize(gray, None, fx=factor, fy=factor, interpolation=how)
    return np.asarray(variant, np.uint8), np.diag([1 / factor, 1 / factor, 1.0])


def _cheap(gray: Gray) -> Iterator[tuple[Gray, Map]]:
    long_side = max(gray.shape)
    if gray.size <= _MAX_ATTEMPT_PIXELS:
        yield gray, np.eye(3)
    if long_side > 3600:
        yield _scaled(gray, 2400 / long_side)
    elif long_side > 1200:
        yield _scaled(gray, 0.5)
    if long_side < 3000:
        yield _scaled(gray, min(2.0, 3600 / long_side))


def _costly(gray: Gray) -> Iterator[tuple[Gray, Map]]:
    long_side = max(gray.shape)
    base, to_page = (gray, np.eye(3)) if long_side <= 4200 else _scaled(gray, 4200 / long_side)
    yield _equalised(base), to_page
    for sigma in (1.2, 2.4):
        yield _sharpened(base, sigma), to_page
    yield _closed(base), to_page
    for tile, placed in _tiles(base):
        for factor in (2.0, 3.0):
            bigger, back = _scaled(tile, factor)
            yield bigger, to_page @ placed @ back
            yield _sharpened(bigger, 1.5 * factor), to_page @ placed @ back
        yield _flattened(tile), to_page @ placed
    for degrees in (15.0, 30.0, 45.0, 60.0, 75.0):
        turned, back = _turned(base, degrees)
        yield turned, to_page @ back
    for lean in (-0.25, 0.25):
        for axis in (0, 1):
            leaned, back = _leaned(base, lean, axis)
            yield leaned, to_page @ back


def _equalised(gray: Gray) -> Gray:
    return np.asarray(cv2.createCLAHE(clipLimit=4.0, tileGridSize=(8, 8)).apply(gray), np.uint8)


def _sharpened(gray: Gray, sigma: float) -> Gray:
    soft = cv2.GaussianBlur(gray, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(gray, 2.5, soft, -1.5, 0), np.uint8)


def _closed(gray: Gray) -> Gray:
    """Speckles of one-bit copies and halftones melted away."""
    return np.asarray(cv2.medianBlur(gray, 5), np.uint8)


def _flattened(gray: Gray) -> Gray:
    """Uneven light taken out, then black and white."""
    light = cv2.GaussianBlur(gray, (0, 0), 25).astype(np.float32) + 1.0
    even = np.clip(gray.astype(np.float32) / light * 190.0, 0, 255).astype(np.uint8)
    return np.asarray(cv2.threshold(even, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1], np.uint8)


def _tiles(gray: Gray) -> Iterator[tuple[Gray, Map]]:
    """Overlapping squares, corners of the page first: that is where the codes stand."""
    height, width = gray.shape
    step = _TILE_PIXELS * 2 // 3
    places = [
        (left, top)
        for top in range(0, max(1, height - _TILE_PIXELS // 3), step)
        for left in range(0, max(1, width - _TILE_PIXELS // 3), step)
    ]
    middle = ((width - _TILE_PIXELS) / 2, (height - _TILE_PIXELS) / 2)
    places.sort(key=lambda place: -abs(place[0] - middle[0]) - abs(place[1] - middle[1]))
    for left, top in places:
        tile = np.ascontiguousarray(gray[top : top + _TILE_PIXELS, left : left + _TILE_PIXELS])
        yield tile, np.array([[1.0, 0.0, left], [0.0, 1.0, top], [0.0, 0.0, 1.0]])


def _turned(gray: Gray, degrees: float) -> tuple[Gray, Map]:
    height, width = gray.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    side = int(np.hypot(height, width)) + 1
    turn[0, 2] += (side - width) / 2
    turn[1, 2] += (side - height) / 2
    turned = cv2.warpAffine(gray, turn, (side, side), flags=cv2.INTER_CUBIC, borderValue=255)
    return np.asarray(turned, np.uint8), _back(turn)


def _leaned(gray: Gray, lean: float, axis: int) -> tuple[Gray, Map]:
    """A shear against photos taken from the side."""
    height, width = gray.shape
    along, across = (height, width) if axis == 0 else (width, height)
    extra = int(abs(lean) * along)
    matrix = np.array([[1.0, lean, max(0.0, -lean * along)], [0.0, 1.0, 0.0]])
    if axis == 1:
        matrix = np.array([[1.0, 0.0, 0.0], [lean, 1.0, max(0.0, -lean * along)]])
    size = (across + extra, height) if axis == 0 else (width, across + extra)
    leaned = cv2.warpAffine(gray, matrix, size, flags=cv2.INTER_LINEAR, borderValue=255)
    return np.asarray(leaned, np.uint8), _back(matrix)


def _back(affine: NDArray[Any]) -> Map:
    return np.vstack([cv2.invertAffineTransform(affine), [0.0, 0.0, 1.0]])
