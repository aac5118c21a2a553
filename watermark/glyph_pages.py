"""Pages as they were before their glyphs were shifted: what `glyphs_read` needs of them, and as bytes to be kept.

A page is kept as black and white (CCITT group 4), with the places of its glyphs and some points by which it is found
among others: 15 to 40 KB. It shows what the page says, so it is sealed like the page.

Format, big-endian: `JYG1`; for each page u32 length and u16 page number, f32 pixels a mm, u16 width, u16 height, u16
glyphs, u16 points, u32 bytes of the picture; the glyphs' boxes (4 x u16 each), the points (2 x u16 at half
the resolution), their marks (32 bytes each), the picture as TIFF.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .glyphs_place import Features, features
from .glyphs_read import ink_of

Plane = NDArray[Any]

_MAGIC = b"JYG1"
_HEAD = struct.Struct(">HfHHHHI")
_POINTS = 700
_DARK = 0.45
_MOST_PIXELS = 40_000_000


@dataclass(frozen=True)
class GlyphPage:
    """One page as it was. Sizes in pixels, `per_mm` of them a mm."""

    number: int
    """Of the page, from 1."""
    per_mm: float
    boxes: NDArray[np.int32]
    """n x 4, as `glyphs.boxes` gives them: those that were shifted."""
    size: tuple[int, int]
    """Width, height."""
    found_by: Features
    """Points at half the page's resolution."""
    tiff: bytes

    @cached_property
    def ink(self) -> Plane:
        """Ink 1, paper 0 (height x width).

        Raises:
            ValueError: the picture is damaged or not of the page's size.
        """
        if self.size[0] * self.size[1] > _MOST_PIXELS:
            raise ValueError("page too large")
        try:
            with Image.open(io.BytesIO(self.tiff), formats=("TIFF",)) as picture:
                if picture.size != self.size:
                    raise ValueError("size of a page")
                return np.asarray(~np.asarray(picture.convert("1")), np.float32)
        except OSError as error:
            raise ValueError("picture of a page") from error


def keep(number: int, picture: NDArray[np.uint8], boxes: NDArray[np.int32], per_mm: float) -> GlyphPage:
    """A page (height x width x 3, RGB) before its glyphs are shifted."""
    ink = ink_of(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8))
    found = features(halved(ink), _POINTS)
    packed = io.BytesIO()
    Image.fromarray(ink < _DARK).save(packed, "TIFF", compression="group4")
    size = (picture.shape[1], picture.shape[0])
    return GlyphPage(number, per_mm, boxes, size, found, packed.getvalue())


def halved(ink: Plane) -> Plane:
    """A picture at half its resolution."""
    small: Plane = cv2.resize(ink, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return small


def pack(pages: Iterable[GlyphPage]) -> bytes:
    """Pages as bytes."""
    out = [_MAGIC]
    for page in pages:
        head = _HEAD.pack(
            page.number, page.per_mm, *page.size, len(page.boxes), len(page.found_by.points), len(page.tiff)
        )
        body = [
            head, page.boxes.astype(">u2").tobytes(), np.round(page.found_by.points).astype(">u2").tobytes(),
            page.found_by.marks.tobytes(), page.tiff,
        ]  # fmt: skip
        whole = b"".join(body)
        out += [struct.pack(">I", len(whole)), whole]
    return b"".join(out)


def unpack(data: bytes) -> tuple[GlyphPage, ...]:
    """Pages from bytes; their pictures are opened when they are needed.

    Raises:
        ValueError: when the bytes are not such pages.
    """
    if data[:4] != _MAGIC:
        raise ValueError("pages of another format")
    pages, at = [], 4
    try:
        while at < len(data):
            (length,) = struct.unpack_from(">I", data, at)
            body = data[at + 4 : at + 4 + length]
            if len(body) != length:
                raise ValueError("pages cut off")
            pages.append(_page(body))
            at += 4 + length
    except struct.error as error:
        raise ValueError("pages cut off") from error
    return tuple(pages)


def _page(body: bytes) -> GlyphPage:
    number, per_mm, width, height, glyphs, points, picture = _HEAD.unpack_from(body)
    at = _HEAD.size
    if len(body) != at + 8 * glyphs + 36 * points + picture or not 1.0 <= per_mm <= 40.0:
        raise ValueError("sizes of a page")
    boxes = np.frombuffer(body, ">u2", 4 * glyphs, at).astype(np.int32).reshape(-1, 4)
    at += 8 * glyphs
    places = np.frombuffer(body, ">u2", 2 * points, at).astype(np.float32).reshape(-1, 2)
    at += 4 * points
    marks = np.frombuffer(body, np.uint8, 32 * points, at).reshape(-1, 32)
    inside = len(boxes) == 0 or (boxes[:, 2].max() <= width and boxes[:, 3].max() <= height)
    if not inside or (boxes[:, :2] >= boxes[:, 2:]).any():
        raise ValueError("places of glyphs")
    return GlyphPage(
        number, per_mm, boxes, (width, height), Features(places, marks), body[at + 32 * points :]
    )
