"""Where the marks stand on a copy's page, in mm: two bands and the corners, so that no text is hidden.

A page whose margins are clear (GB/T 9704: 37, 26, 35, 28 mm) is kept at its own size and the marks stand in
its margins. Any other page is shrunk into the frame between the bands. A barcode stands in each corner (so in
each quarter of the page) and at the middle of each side that is clear of ink.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .barcode import SIDE_MM

A4_MM = (210.0, 297.0)
EDGE_MM = 5.0
"""Printers leave about 4.2 mm blank."""
BAND_MM = 22.0
"""Depth of the upper and lower band on A4: edge, code, quiet zone."""
INK_DPI = 50
COPY_DPI = 200
"""At which pages become pictures, unless they are too large."""
_MOST_PIXELS = 20_000_000
_MM = 25.4
_SMALLEST_MM = 140.0
_LARGEST_MM = 1189.0
_GROWTH_LIMIT = 2.5
_QUIET_MM = 2.0
_INK_SHARE = 0.0005


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle in mm from the top left of the copy's page."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a copy: its size in mm, where the source page stands on it, where the codes stand.

    `unit` scales bands, type and codes: 1 on A4, more on larger pages.
    """

    width: float
    height: float
    unit: float
    content: Place
    codes: tuple[Place, ...]


def dpi_of(sheet: Sheet) -> float:
    """Pixels an inch of a sheet's picture."""
    area = sheet.width * sheet.height / _MM**2
    return min(float(COPY_DPI), math.sqrt(_MOST_PIXELS / area))


def lay_out(width_mm: float, height_mm: float, ink: NDArray[np.bool_]) -> Sheet:
    """The sheet for a source page of this size; `ink` (any resolution): where it is not blank."""
    width, height = _sheet_size(width_mm, height_mm)
    unit = min(_GROWTH_LIMIT, max(1.0, min(width, height) / A4_MM[0]))
    band = BAND_MM * unit
    same_size = (width, height) == (width_mm, height_mm)
    if same_size and _clear(ink, 0, 0, 1, band / height) and _clear(ink, 0, 1 - band / height, 1, 1):
        content = Place(0.0, 0.0, width, height)
    else:
        fit = min((height - 2 * band) / height_mm, (width - 2 * EDGE_MM) / width_mm, 1.0)
        inner = (width_mm * fit, height_mm * fit)
        content = Place((width - inner[0]) / 2, (height - inner[1]) / 2, *inner)
    codes = _corners(width, height, unit) + _sides(width, height, unit, content, ink)
    return Sheet(width, height, unit, content, codes)


def _sheet_size(width: float, height: float) -> tuple[float, float]:
    if min(width, height) < _SMALLEST_MM or max(width, height) > 6 * min(width, height):
        return A4_MM if height >= width else (A4_MM[1], A4_MM[0])
    shrink = min(1.0, _LARGEST_MM / max(width, height))
    return width * shrink, height * shrink


def _corners(width: float, height: float, unit: float) -> tuple[Place, ...]:
    side, edge = SIDE_MM * unit, EDGE_MM * unit
    far_x, far_y = width - edge - side, height - edge - side
    return tuple(Place(x, y, side, side) for y in (edge, far_y) for x in (edge, far_x))


def _sides(
    width: float, height: float, unit: float, content: Place, ink: NDArray[np.bool_]
) -> tuple[Place, ...]:
    side, edge, quiet = SIDE_MM * unit, EDGE_MM * unit, _QUIET_MM * unit
    top = (height - side) / 2
    places = []
    for left in (edge, width - edge - side):
        zone = Place(left - quiet, top - quiet, side + 2 * quiet, side + 2 * quiet)
        x0, y0 = (zone.left - content.left) / content.width, (zone.top - content.top) / content.height
        x1, y1 = x0 + zone.width / content.width, y0 + zone.height / content.height
        if _clear(ink, x0, y0, x1, y1):
            places.append(Place(left, top, side, side))
    return tuple(places)


def _clear(ink: NDArray[np.bool_], x0: float, y0: float, x1: float, y1: float) -> bool:
    height, width = ink.shape
    left, right = max(0, int(x0 * width)), min(width, int(np.ceil(x1 * width)))
    top, bottom = max(0, int(y0 * height)), min(height, int(np.ceil(y1 * height)))
    if left >= right or top >= bottom:
        return True
    return float(ink[top:bottom, left:right].mean()) <= _INK_SHARE


def ink_of(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a page picture (height x width x 3, RGB) is not blank paper: darker than near-white."""
    ink: NDArray[np.bool_] = picture.min(axis=2) < 225
    return ink
