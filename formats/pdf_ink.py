"""Whether text that might be invisible leaves ink on the page: white on white, or under something painted later.

Only asked of text that has a reason to be doubted, so that a sound page costs no drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .lines import Glyph

_DPI = 100
_LEAST_CONTRAST = 24
"""Steps of 255 between the darkest and the lightest pixel of a glyph's place; print has 100 and more."""


def without_ink(page: Any, glyphs: Sequence[Glyph]) -> frozenset[int]:
    """Positions in `glyphs` (points, as `page` is shown) at whose place the drawn page is of one colour."""
    if not glyphs:
        return frozenset()
    bitmap = page.render(scale=_DPI / 72, grayscale=True, may_draw_forms=False)
    picture: NDArray[np.uint8] = np.array(bitmap.to_numpy(), dtype=np.uint8)
    bitmap.close()
    grey = picture[:, :, 0] if picture.ndim == 3 else picture
    return frozenset(place for place, glyph in enumerate(glyphs) if not _has_ink(grey, glyph))


def _has_ink(grey: NDArray[np.uint8], glyph: Glyph) -> bool:
    height, width = grey.shape
    scale = _DPI / 72
    left, right = int(glyph.left * scale), int(glyph.right * scale) + 1
    top, bottom = int(glyph.top * scale), int(glyph.bottom * scale) + 1
    part = grey[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
    return bool(part.size) and int(part.max()) - int(part.min()) >= _LEAST_CONTRAST
