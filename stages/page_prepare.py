"""From the page as it came to the page an engine reads, and the way back for its boxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from ..models.page import Box
from .engines.engine import Point, Quad
from .page_blank import is_blank
from .page_deseal import deseal
from .page_deskew import find_skew, straighten
from .page_ink import find_ink


@dataclass(frozen=True, slots=True)
class Prepared:
    """A page ready to be read.

    `picture`: desealed, turned and straightened. `back`: 3 x 3, from its pixels to those of the page as it
    came, whose width and height in pixels are `size`. `dpi`: the same before and after.
    """

    picture: Picture
    dpi: float
    size: tuple[int, int]
    back: NDArray[np.float64]
    seals: tuple[Box, ...]
    steps: tuple[str, ...]
    blank: bool

    def box(self, quads: Iterable[Quad]) -> Box:
        """The rectangle around `quads` (pixels of `picture`) in fractions of the page as it came."""
        points: list[Point] = [point for quad in quads for point in quad]
        upright = np.array([(x, y, 1.0) for x, y in points]).T
        # The pieces' common rectangle is taken first: on the straightened page it is level.
        left, right, top, bottom = upright[0].min(), upright[0].max(), upright[1].min(), upright[1].max()
        corners = np.array([[left, right, right, left], [top, top, bottom, bottom], [1.0] * 4])
        x, y, _ = self.back @ corners
        width, height = self.size
        return Box(
            left=_fraction(x.min() / width),
            top=_fraction(y.min() / height),
            right=_fraction(x.max() / width),
            bottom=_fraction(y.max() / height),
        )


def prepare(picture: Picture, *, dpi: float, turns: int = 0) -> Prepared:
    """Takes seals off, turns by `turns` quarters counter-clockwise, straightens.

    Args:
        picture: the page as it came, height x width x 3, RGB.
        dpi: its pixels an inch.
        turns: 0 to 3.
    """
    height, width = picture.shape[:2]
    clean = deseal(picture, dpi=dpi)
    turned = np.ascontiguousarray(np.rot90(clean.picture, turns)) if turns else clean.picture
    ink = find_ink(turned, dpi=dpi)
    straight = straighten(turned, degrees=find_skew(ink))
    steps = []
    if clean.seals:
        steps.append(f"deseal {len(clean.seals)}")
    if turns:
        steps.append(f"turn {turns * 90}")
    if straight.degrees:
        steps.append(f"deskew {straight.degrees:.1f}")
    return Prepared(
        picture=straight.picture,
        dpi=dpi,
        size=(width, height),
        back=_turn_back(turns, width=width, height=height) @ np.linalg.inv(straight.matrix),
        seals=clean.seals,
        steps=tuple(steps),
        blank=is_blank(ink),
    )


def _turn_back(turns: int, *, width: int, height: int) -> NDArray[np.float64]:
    """From pixels of `numpy.rot90(page, turns)` to pixels of the page of `width` x `height`."""
    return np.array(
        {
            0: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            1: [[0, -1, width], [1, 0, 0], [0, 0, 1]],
            2: [[-1, 0, width], [0, -1, height], [0, 0, 1]],
            3: [[0, 1, 0], [-1, 0, height], [0, 0, 1]],
        }[turns % 4],
        dtype=np.float64,
    )


def _fraction(value: float) -> float:
    return min(1.0, max(0.0, float(value)))
