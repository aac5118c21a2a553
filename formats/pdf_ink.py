"""Whether text that might be invisible leaves ink on the page: white on white, or under something painted later.

Only asked of text that has a reason to be doubted, so that a sound page costs no drawing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .lines import Glyph

_SCALE = 100 / 72
_LEAST_CONTRAST = 24
"""Steps of 255 between the darkest and the lightest pixel of a glyph's place; print has 100 and more."""


def without_ink(page: Any, glyphs: Sequence[Glyph]) -> frozenset[int]:
    """Positions in `glyphs` (points, as `page` is shown) at whose place the drawn page is of one colour."""
    if not glyphs:
        return frozenset()
    height, width = math.ceil(page.get_height() * _SCALE), math.ceil(page.get_width() * _SCALE)
    places = [_place(glyph, height, width) for glyph in glyphs]
    # only the part of the page that they stand on is drawn
    up, left = min(place[0] for place in places), min(place[2] for place in places)
    down, right = max(place[1] for place in places), max(place[3] for place in places)
    if down <= up or right <= left:
        return frozenset(range(len(places)))
    crop = tuple(max(0.0, side - 0.5) / _SCALE for side in (left, height - down, width - right, up))
    bitmap = page.render(scale=_SCALE, crop=crop, grayscale=True, may_draw_forms=False)
    picture: NDArray[np.uint8] = np.array(bitmap.to_numpy(), dtype=np.uint8)
    bitmap.close()
    grey = picture[:, :, 0] if picture.ndim == 3 else picture
    return frozenset(
        number
        for number, (top, bottom, start, end) in enumerate(places)
        if not _has_ink(grey[top - up : max(top, bottom) - up, start - left : max(start, end) - left])
    )


def _place(glyph: Glyph, height: int, width: int) -> tuple[int, int, int, int]:
    """Rows and columns of a glyph on a page of so many: from, to, from, to; nothing of one that lies outside."""
    left, right = int(glyph.left * _SCALE), int(glyph.right * _SCALE) + 1
    top, bottom = int(glyph.top * _SCALE), int(glyph.bottom * _SCALE) + 1
    return (
        min(max(0, top), height), max(0, min(height, bottom)), min(max(0, left), width), max(0, min(width, right)),
    )  # fmt: skip


def _has_ink(part: NDArray[np.uint8]) -> bool:
    return bool(part.size) and int(part.max()) - int(part.min()) >= _LEAST_CONTRAST
