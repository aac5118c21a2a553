"""Pixels of an OFD page: ink through masks, smooth edges, any matrix. Lengths in pixels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from .ofd_geometry import Matrix
from .ofd_path import Point
from .opened import Picture

Mask = NDArray[np.uint8]
_FINE = 3
"""Shapes are painted this much larger and averaged: smooth edges without fattening thin ones."""
_FINE_AREA = 3_000_000
_FAR = 60_000.0
_BAND = 1_000_000


class Canvas:
    """A white page of `width` x `height` pixels."""

    __slots__ = ("height", "paper", "width")

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.paper: Picture = np.full((height, width, 3), 255, np.uint8)

    def window(
        self, left: float, top: float, right: float, bottom: float
    ) -> tuple[int, int, int, int] | None:  # fmt: skip
        """The part of a box that lies on the page, as whole pixels (left, top, right, bottom)."""
        x1, y1 = max(0, int(np.floor(max(left, -_FAR)))), max(0, int(np.floor(max(top, -_FAR))))
        x2 = min(self.width, int(np.ceil(min(right, _FAR))) + 1)
        y2 = min(self.height, int(np.ceil(min(bottom, _FAR))) + 1)
        return (x1, y1, x2, y2) if x2 > x1 and y2 > y1 else None

    def ink(
        self, mask: Mask, left: int, top: int, colour: tuple[int, int, int], alpha: int = 255,
        clip: Mask | None = None,
    ) -> None:  # fmt: skip
        """Lays a colour on the page through a mask at (left, top); `clip` is a mask of the whole page."""
        over = np.asarray(colour, dtype=np.float32)
        for share, x1, y1, x2, y2 in self._bands(mask, left, top, clip):
            under = self.paper[y1:y2, x1:x2].astype(np.float32)
            part = share * (alpha / 255.0) if alpha < 255 else share
            self.paper[y1:y2, x1:x2] = (under + (over - under) * part[..., None] + 0.5).astype(np.uint8)

    def lay(
        self, picture: Picture, mask: Mask, left: int, top: int, *, multiply: bool = False,
        clip: Mask | None = None,
    ) -> None:  # fmt: skip
        """Lays a picture on the page through a mask; `multiply` as ink on print, white being clear."""
        for share, x1, y1, x2, y2 in self._bands(mask, left, top, clip):
            over = picture[y1 - top : y2 - top, x1 - left : x2 - left].astype(np.float32)
            under = self.paper[y1:y2, x1:x2].astype(np.float32)
            if multiply:
                over = under * over / 255.0
            self.paper[y1:y2, x1:x2] = (under + (over - under) * share[..., None] + 0.5).astype(np.uint8)

    def _bands(
        self, mask: Mask, left: int, top: int, clip: Mask | None
    ) -> Iterator[tuple[Any, int, int, int, int]]:
        """The covered part of the page in bands, so that a large page does not need many times its own memory."""
        x1, x2 = max(0, left), min(self.width, left + mask.shape[1])
        y, end = max(0, top), min(self.height, top + mask.shape[0])
        if x2 <= x1:
            return
        step = max(1, _BAND // (x2 - x1))
        while y < end:
            y2 = min(end, y + step)
            part = mask[y - top : y2 - top, x1 - left : x2 - left]
            if part.any():
                share = part.astype(np.float32) / 255.0
                if clip is not None:
                    share *= clip[y:y2, x1:x2].astype(np.float32) / 255.0
                yield share, x1, y, x2, y2
            y = y2


def filled(
    outlines: list[list[Point]], window: tuple[int, int, int, int], *, even_odd: bool
) -> Mask:  # fmt: skip
    """Coverage of the outlines (pixels of the page) inside a window of the page."""
    left, top, right, bottom = window
    wide, high = right - left, bottom - top
    fine = _FINE if wide * high * _FINE * _FINE <= _FINE_AREA * 4 else 1
    shape = (high * fine, wide * fine)
    placed = [_fixed(points, left, top, fine) for points in outlines if len(points) > 2]
    mask = np.zeros(shape, np.uint8)
    if even_odd or len(placed) <= 1:
        cv2.fillPoly(mask, placed, 255, lineType=cv2.LINE_8, shift=4)
    else:
        around = np.zeros(shape, np.int16)
        for points in placed:
            x, y = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
            side = 1 if float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) > 0 else -1
            low = np.clip(points.min(axis=0) // 16 - 1, 0, (shape[1], shape[0]))
            far = np.clip(points.max(axis=0) // 16 + 2, 0, (shape[1], shape[0]))
            if far[0] <= low[0] or far[1] <= low[1]:
                continue
            part = np.zeros((int(far[1] - low[1]), int(far[0] - low[0])), np.uint8)
            cv2.fillPoly(part, [points - (low * 16).astype(np.int32)], 1, lineType=cv2.LINE_8, shift=4)
            around[int(low[1]) : int(far[1]), int(low[0]) : int(far[0])] += part.astype(np.int16) * side
        mask[around != 0] = 255
    return _averaged(mask, wide, high, fine)


def stroked(
    lines: list[tuple[list[Point], bool]], width: float, window: tuple[int, int, int, int], *, cap: str
) -> Mask:
    """Coverage of lines `width` pixels wide. Corners are rounded off at half the width."""
    left, top, right, bottom = window
    wide, high = right - left, bottom - top
    fine = _FINE if wide * high * _FINE * _FINE <= _FINE_AREA * 4 else 1
    mask = np.zeros((high * fine, wide * fine), np.uint8)
    half = max(width, 0.8) / 2  # a line thinner than a pixel still shows
    for points, closed in lines:
        path = [*points, points[0]] if closed else points
        for index, (first, second) in enumerate(itertools.pairwise(path)):
            along = np.subtract(second, first)
            length = float(np.hypot(*along))
            if length < 1e-9:
                continue
            unit = along / length
            side = np.array([-unit[1], unit[0]]) * half
            ends = not closed and cap in ("square", "round")
            start = np.asarray(first) - (unit * half if ends and index == 0 else 0)
            end = np.asarray(second) + (unit * half if ends and index == len(path) - 2 else 0)
            quad = [tuple(p) for p in (start + side, end + side, end - side, start - side)]
            cv2.fillPoly(mask, [_fixed(quad, left, top, fine)], 255, lineType=cv2.LINE_8, shift=4)
        joints = path[1:] if closed else path[1:-1]
        if half * fine >= 1.0:
            for x, y in joints:
                centre = (round((x - left) * fine * 16), round((y - top) * fine * 16))
                if max(map(abs, centre)) < 1 << 24:
                    cv2.circle(mask, centre, round((half * fine - 0.3) * 16), 255, -1, cv2.LINE_8, 4)
    return _averaged(mask, wide, high, fine)


def _fixed(points: list[Point], left: int, top: int, fine: int) -> NDArray[np.int32]:
    """Points as cv2 wants them: 28.4 fixed point, pixel centres at whole numbers."""
    values = (np.asarray(points, dtype=np.float64) - (left, top)) * fine - 0.5
    return np.rint(np.clip(values, -_FAR, _FAR) * 16).astype(np.int32)


def _averaged(mask: Mask, wide: int, high: int, fine: int) -> Mask:
    if fine == 1:
        return mask
    return np.asarray(cv2.resize(mask, (wide, high), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def glyph_mask(font: ImageFont.FreeTypeFont, char: str) -> tuple[Mask, int, int] | None:
    """A character's coverage, and where its top left lies from its origin on the baseline."""
    drawn, offset = font.getmask2(char, mode="L", anchor="ls")
    wide, high = drawn.size
    if not wide or not high:
        return None
    return np.array(drawn, dtype=np.uint8).reshape(high, wide), int(offset[0]), int(offset[1])


def warped(mask: Any, matrix: Matrix, window: tuple[int, int, int, int]) -> Any:
    """A mask or picture through a matrix (its pixels to those of the page), inside a window of the page."""
    left, top, right, bottom = window
    # Pixel centres lie half a pixel inside: the matrix is about edges, cv2 about centres.
    centred = Matrix(e=0.5, f=0.5).then(matrix).then(Matrix(e=-0.5 - left, f=-0.5 - top))
    plan = np.array([[centred.a, centred.c, centred.e], [centred.b, centred.d, centred.f]])
    size = (right - left, bottom - top)
    return cv2.warpAffine(mask, plan, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
