"""L2, the dots: small black marks on clear paper that say which copy this is where a tint is clipped to white. Making
them; reading is dots_read.py.

Every place of a grid of 2.5 mm bears one dot of 0.25 mm, moved a little to the left or right and a little up or down:
two signs a dot. Which of them carry the copy's number, which are known beforehand and which are its fingerprint:
docs/spec/mark.md.

Threat model. Dots are seen, and who sees them can cover or clean them away; he lacks the station's key and cannot make
those of another copy. A dot must not be taken for a point of the text (1.5 for 15), so none stands near ink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .code import CODE_BITS, encode
from .tint import TintKey, shells

GRID_MM = 2.5
PLACES = 16
"""Places along a tile's side: a tile is 40 mm, as that of the tint."""
MOVED = 1 / 8
"""How far a dot stands from its place, right or left and up or down, in grid steps."""
DOT_MM = 0.25
CLEAR_MM = (2.0, 0.8)
"""No ink so near to the middle of a dot, along the line and across it."""
_LINE_MM = (9.0, 2.5)
"""Gaps within a line of text: between its characters, and between the strokes of one."""
SLOTS = PLACES * PLACES * 2
SYNC_SLOTS = 128
PRINT_SLOTS = SLOTS - CODE_BITS - SYNC_SLOTS
LEAST = 400
"""Dots on a page from which on they must be read back: fewer are too few to carry a number alone."""
_WORDS = 4
"""Words of the stream that a tile's fingerprint takes."""
_PAPER = 150
"""Luma of the lightest that is still paper; a black dot does not show on less."""
_INK = 0.85
_AROUND_MM = 2.0
_LOOK_PER_MM = 4.0

Plane = NDArray[Any]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, mm."""


@dataclass(frozen=True)
class DotKey:
    """What a station's tint key fixes for its dots."""

    key: TintKey

    @cached_property
    def ranks(self) -> NDArray[np.intp]:
        """Of each slot of a tile (16 x 16 x 2: row, column; across, down): below 264 the code bit it carries, then 128
        that are known beforehand, then the fingerprint.
        """
        order = np.argsort(self.key.stream("dots/places", SLOTS), kind="stable")
        ranks = np.empty(SLOTS, np.intp)
        ranks[order] = np.arange(SLOTS)
        return ranks.reshape(PLACES, PLACES, 2)

    @cached_property
    def signs(self) -> NDArray[np.int8]:
        """By which the code bit of a slot is multiplied; a slot that is known beforehand bears its sign alone."""
        words = self.key.stream("dots/signs", SLOTS)
        return (1 - 2 * (words >> 31).astype(np.int8)).reshape(PLACES, PLACES, 2)

    @cached_property
    def sync(self) -> NDArray[np.int8]:
        """The signs known beforehand, 0 elsewhere."""
        known = (self.ranks >= CODE_BITS) & (self.ranks < CODE_BITS + SYNC_SLOTS)
        return np.where(known, self.signs, np.int8(0))

    @cached_property
    def print_slots(self) -> NDArray[np.intp]:
        """Flat numbers of a tile's slots that bear the fingerprint, in the order of its bits."""
        order: NDArray[np.intp] = np.argsort(self.ranks.ravel())[CODE_BITS + SYNC_SLOTS :]
        return order

    def prints(self, id: int, side: int) -> NDArray[np.int8]:
        """The fingerprint of `side` x `side` tiles from the page's corner on: side x side x 120, +1 or -1."""
        words = self.key.stream(f"dots/print/{id:012x}", side * side * _WORDS)
        bits = np.unpackbits(words.astype(">u4").view(np.uint8)).view(np.int8).reshape(side * side, -1)
        chosen: NDArray[np.int8] = (1 - 2 * bits[:, :PRINT_SLOTS])[shells(side)]
        return chosen

    def page(self, id: int, rows: int, columns: int) -> NDArray[np.int8]:
        """All signs of a copy (rows x columns of places x 2)."""
        side = -(-max(rows, columns) // PLACES)
        tile = np.where(
            self.ranks < CODE_BITS, encode(id)[np.minimum(self.ranks, CODE_BITS - 1)] * self.signs, self.sync
        ).ravel()
        tiles = np.repeat(tile[None], side * side, axis=0)
        own = self.prints(id, side).reshape(side * side, PRINT_SLOTS)
        tiles[:, self.print_slots] = own
        shaped = tiles.reshape(side, side, PLACES, PLACES, 2).swapaxes(1, 2)
        whole: NDArray[np.int8] = shaped.reshape(side * PLACES, side * PLACES, 2)[:rows, :columns]
        return whole.astype(np.int8)


def dots(
    key: TintKey,
    id: int,
    page: NDArray[np.uint8],
    *,
    width_mm: float,
    height_mm: float,
    free: Sequence[Box] = (),
) -> NDArray[np.float64]:
    """Middles (mm; count x 2) of the dots of a copy's page: where its picture (RGB, the whole page, any resolution from
    about 100 dpi) is clear paper, and outside the boxes `free`.
    """
    rows, columns = int(height_mm / GRID_MM), int(width_mm / GRID_MM)
    if rows < 1 or columns < 1:
        return np.zeros((0, 2))
    moved = DotKey(key).page(id, rows, columns) * MOVED
    across = (np.arange(columns)[None, :] + 0.5 + moved[:, :, 0]) * GRID_MM
    down = (np.arange(rows)[:, None] + 0.5 + moved[:, :, 1]) * GRID_MM
    points = np.stack([across.ravel(), down.ravel()], axis=1)
    luma = np.asarray(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), np.uint8)
    if luma.shape[0] > _LOOK_PER_MM * height_mm:
        size = round(_LOOK_PER_MM * width_mm), round(_LOOK_PER_MM * height_mm)
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
    clear = _clear(luma, luma.shape[0] / height_mm)
    at_x = np.clip(points[:, 0] / width_mm * luma.shape[1], 0, luma.shape[1] - 1).astype(int)
    at_y = np.clip(points[:, 1] / height_mm * luma.shape[0], 0, luma.shape[0] - 1).astype(int)
    stands = clear[at_y, at_x]
    for left, top, right, bottom in free:
        inside = (
            (points[:, 0] > left) & (points[:, 0] < right) & (points[:, 1] > top) & (points[:, 1] < bottom)
        )
        stands &= ~inside
    standing: NDArray[np.float64] = points[stands]
    return standing


def set_dots(
    picture: NDArray[np.uint8], middles: NDArray[np.float64], *, width_mm: float, height_mm: float
) -> NDArray[np.uint8]:
    """The page's picture (RGB) with black dots of whole pixels, so that no printer makes a grey of them."""
    height, width = picture.shape[:2]
    across, down = width / width_mm, height / height_mm
    size = max(2, round(DOT_MM * across)), max(2, round(DOT_MM * down))
    left = np.round(middles[:, 0] * across - size[0] / 2).astype(int)
    top = np.round(middles[:, 1] * down - size[1] / 2).astype(int)
    marked = picture.copy()
    for x in range(size[0]):
        for y in range(size[1]):
            marked[np.clip(top + y, 0, height - 1), np.clip(left + x, 0, width - 1)] = 0
    return marked


def _clear(luma: NDArray[np.uint8], per_mm: float) -> NDArray[np.bool_]:
    """Where a dot may stand: light paper, and no ink within reach."""
    wide = 2 * round(_AROUND_MM * per_mm) + 1
    small = cv2.GaussianBlur(luma, (0, 0), max(0.5, 0.06 * per_mm))
    paper = cv2.dilate(small, np.ones((wide, wide), np.uint8))
    ink: Plane = ((small < paper * np.float32(_INK)) | (paper < _PAPER)).astype(np.uint8)
    # within a line of text no dot either: it would make 太 of 大, and 1.5 of 15
    line: Plane = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, round(_LINE_MM[0] * per_mm)), np.uint8))
    line |= cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((round(_LINE_MM[1] * per_mm), 1), np.uint8))
    across, down = (2 * int(np.ceil(reach * per_mm)) + 1 for reach in CLEAR_MM)
    clear: NDArray[np.bool_] = cv2.dilate(line, np.ones((down, across), np.uint8)) == 0
    return clear
