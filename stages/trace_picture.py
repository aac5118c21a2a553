"""The leaked picture as it lies on the page of the copy: for a trace report. Runs in a worker; opens the leaked file.

The place comes from the tint (where a tile of the page was seen in the picture), not from any text. With the master
page the picture lies over it, else over its empty outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..common.limits import Limits
from ..formats.fault import FormatFault
from ..formats.open import open_document
from ..formats.opened import OpenedDocument, Picture
from ..models.copy import MarkView
from ..watermark.tint import TILE_MM
from .mark_channels import DPI, DRAWN, OWN_PIXELS

_SIDE = 900
"""Pixels of the longer side of a picture in a report."""
_PER_MM = 3.0
_A4 = (210.0, 297.0)
_MOST_MM = 480.0
_LOOKED_AT = 40
"""Pages of the master among which the leaked one is looked for."""
_GRID, _FRAME = (200, 90, 30), (30, 90, 200)
_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Shown:
    """JPEG pictures: the leak as it came, and lying on its page; `master`: the master page below it, 0 for none."""

    leak: bytes
    placed: bytes
    master: int = 0


def show(data: bytes, view: MarkView | None, *, limits: Limits, master: bytes | None = None) -> Shown:
    """The pictures of one file; without a view the first page alone.

    Raises:
        FormatFault: the file cannot be opened or drawn.
    """
    opened = open_document(data, limits=limits)
    try:
        number = view.page if view is not None and 0 < view.page <= opened.page_count else 1
        wanted = DPI if opened.kind in DRAWN else OWN_PIXELS
        leak = np.asarray(opened.render(number, wanted), np.uint8)
    finally:
        opened.close()
    if view is None:
        return Shown(_jpeg(_thumb(leak)), b"")
    to_pixels = np.array(view.homography, float).reshape(3, 3)
    first = view.matches[0] if view.matches else None
    start = (first.column * TILE_MM, first.row * TILE_MM) if first else (0.0, 0.0)
    # page mm to the sighting's mm to pixels of the leak
    from_page = to_pixels @ np.array([[1, 0, -start[0]], [0, 1, -start[1]], [0, 0, 1.0]])
    size = _page_size(leak, from_page) if first else _reach(leak, from_page)
    under, page = _master_page(master, leak, from_page, limits) if master and first else (None, 0)
    if under is not None:
        size = (under.shape[1] / _PER_MM, under.shape[0] / _PER_MM)
    return Shown(
        _jpeg(_thumb(_outlined(leak, from_page, size))), _jpeg(_placed(leak, from_page, size, under)), page
    )


def _page_size(leak: Picture, from_page: NDArray[Any]) -> tuple[float, float]:
    """A4 upright, or across, or as far as the leak reaches."""
    wide, high = _reach(leak, from_page)
    for width, height in (_A4, _A4[::-1]):
        if wide <= width + 12 and high <= height + 12:
            return width, height
    return max(wide, _A4[0]), max(high, _A4[1])


def _reach(leak: Picture, from_page: NDArray[Any]) -> tuple[float, float]:
    corners = np.array(
        [[[0, 0], [leak.shape[1], 0], [leak.shape[1], leak.shape[0]], [0, leak.shape[0]]]], float
    )
    try:
        there = cv2.perspectiveTransform(corners, np.linalg.inv(from_page))[0]
    except np.linalg.LinAlgError:
        return _A4
    far = np.clip(np.nan_to_num(there.max(axis=0), posinf=_MOST_MM), 20.0, _MOST_MM)
    # what lies round a photographed page reaches further than the page
    return min(float(far[0]), 420.0), min(float(far[1]), 420.0)


def _warped(
    leak: Picture, from_page: NDArray[Any], size: tuple[float, float], per_mm: float
) -> tuple[Any, Any]:
    to_mm = np.diag([1 / per_mm, 1 / per_mm, 1.0])
    shape = round(size[0] * per_mm), round(size[1] * per_mm)
    how = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    laid = cv2.warpPerspective(leak, from_page @ to_mm, shape, flags=how, borderValue=(255, 255, 255))
    there = cv2.warpPerspective(np.full(leak.shape[:2], 255, np.uint8), from_page @ to_mm, shape, flags=how)
    return laid, there > 127


def _placed(
    leak: Picture, from_page: NDArray[Any], size: tuple[float, float], under: Picture | None
) -> Picture:
    laid, there = _warped(leak, from_page, size, _PER_MM)
    page: NDArray[Any] = np.full((*laid.shape[:2], 3), 255, np.uint8) if under is None else _pale(under)
    if under is None:
        page[there] = laid[there]
    else:  # master in red below, leak in blue above: where they agree it is dark
        mixed = page.copy()
        dark = 255 - cv2.cvtColor(laid, cv2.COLOR_RGB2GRAY).astype(np.int16)
        for channel in (0, 1):
            plane = mixed[:, :, channel].astype(np.int16) - dark * 2 // 3
            mixed[:, :, channel] = np.where(there, np.clip(plane, 0, 255), mixed[:, :, channel])
        page = mixed
    edge = cv2.findContours(there.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    cv2.drawContours(page, edge, -1, _FRAME, 3)
    cv2.rectangle(page, (0, 0), (page.shape[1] - 1, page.shape[0] - 1), (90, 90, 90), 2)
    step = TILE_MM * _PER_MM
    for at in np.arange(step, max(page.shape[:2]), step):
        cv2.line(page, (int(at), 0), (int(at), page.shape[0]), (225, 225, 225), 1)
        cv2.line(page, (0, int(at)), (page.shape[1], int(at)), (225, 225, 225), 1)
    return page


def _outlined(leak: Picture, from_page: NDArray[Any], size: tuple[float, float]) -> Picture:
    """The leak with the outline of the page and the tiles on it, as they were found."""
    drawn = leak.copy()
    thick = max(1, max(leak.shape[:2]) // 500)
    for at in np.arange(0, size[0] + 1, TILE_MM):
        _line(drawn, from_page, (at, 0.0), (at, size[1]), thick)
    for at in np.arange(0, size[1] + 1, TILE_MM):
        _line(drawn, from_page, (0.0, at), (size[0], at), thick)
    return drawn


def _line(
    picture: Picture,
    from_page: NDArray[Any],
    start: tuple[float, float],
    end: tuple[float, float],
    thick: int,
) -> None:
    points = cv2.perspectiveTransform(np.array([[start, end]], float), from_page)[0]
    if np.isfinite(points).all() and np.abs(points).max() < 30_000:
        one, other = (tuple(int(value) for value in point) for point in points)
        cv2.line(picture, one, other, _GRID, thick)


def _master_page(
    master: bytes, leak: Picture, from_page: NDArray[Any], limits: Limits
) -> tuple[Picture | None, int]:
    """The page of the master whose ink lies where the leak's does."""
    opened = open_document(master, limits=limits)
    try:
        best, number = -1.0, 0
        for page in range(1, min(opened.page_count, _LOOKED_AT) + 1):
            found = _likeness(opened, page, leak, from_page)
            if found > best:
                best, number = found, page
        if number == 0:
            return None, 0
        width, height = opened.size_mm(number)
        picture = np.asarray(opened.render(number, 100), np.uint8)
        shape = (round(width * _PER_MM), round(height * _PER_MM))
        return np.asarray(cv2.resize(picture, shape, interpolation=cv2.INTER_AREA), np.uint8), number
    except FormatFault:
        return None, 0
    finally:
        opened.close()


def _likeness(opened: OpenedDocument, number: int, leak: Picture, from_page: NDArray[Any]) -> float:
    size = opened.size_mm(number)
    laid, there = _warped(leak, from_page, size, 1.0)
    page = cv2.resize(
        np.asarray(opened.render(number, 50), np.uint8),
        (laid.shape[1], laid.shape[0]),
        interpolation=cv2.INTER_AREA,
    )
    one, other = (cv2.cvtColor(plane, cv2.COLOR_RGB2GRAY).astype(float)[there] for plane in (laid, page))
    if one.size < 100 or one.std() < 1 or other.std() < 1:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _pale(page: Picture) -> NDArray[Any]:
    """In red, so that what lies over it shows."""
    gray = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
    return np.stack([np.full_like(gray, 255), gray, gray], axis=2)


def _thumb(picture: Picture) -> Picture:
    rate = min(1.0, _SIDE / max(picture.shape[:2]))
    return np.asarray(cv2.resize(picture, None, fx=rate, fy=rate, interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(picture: Picture) -> bytes:
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    if not done:
        raise ValueError("JPEG encoder")
    return data.tobytes()
