"""A line drawn through an old mark, as a clerk does it with a pen and a ruler or without."""

from __future__ import annotations

import random

from PIL import ImageDraw

_PENS = ((20, 20, 20), (60, 60, 70), (30, 40, 140), (190, 25, 30))


def strike_out(
    pen: ImageDraw.ImageDraw, box: tuple[float, float, float, float], *, dpi: float, slope: float = 0.0,
    middle: float = 0.5, seed: int = 0,
) -> None:  # fmt: skip
    """Draws the line through a box (left, top, right, bottom in pixels), a little beyond its ends.

    Args:
        slope: rise of the line, as a share of its length.
        middle: where in the height of the box it runs (0 top, 1 bottom).
    """
    chance = random.Random(seed)
    left, top, right, bottom = box
    y = top + (bottom - top) * middle
    rise = slope * (right - left) / 2
    pen.line(
        [(left - dpi * 0.02, y - rise), (right + dpi * 0.03, y + rise)],
        fill=chance.choice(_PENS), width=max(2, round(dpi / 110)),
    )  # fmt: skip
