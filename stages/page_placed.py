"""Pieces of text on a level page: turned back by the slope of their own baselines, with their size measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .engines.engine import Quad, RawLine
from .page_type import Type

TALL = 1.5
FLAT = 0.4
"""A piece so much lower than its neighbour is a dash or a full stop, and says nothing of the type's size."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What an engine read, with its type measured."""

    raw: RawLine
    type: Type


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece in coordinates turned back to level, pixels. `upright`: its text runs down the page."""

    piece: Piece
    left: float
    right: float
    middle: float
    height: float
    upright: bool

    @property
    def top(self) -> float:
        """Upper edge."""
        return self.middle - self.height / 2

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.middle + self.height / 2

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def across(self) -> float:
        """Middle between left and right."""
        return (self.left + self.right) / 2


def place_all(pieces: Sequence[Piece]) -> list[Placed]:
    """The pieces on the level page, in an order that depends on nothing but the pieces."""
    angle = slope([piece.raw.quad for piece in pieces])
    return sorted(
        (_place(piece, angle) for piece in pieces),
        key=lambda one: (one.middle, one.left, one.right, one.piece.raw.text),
    )


def slope(quads: Sequence[Quad]) -> float:
    """Radians by which the baselines run downhill to the right: the median, weighted by length."""
    found = []
    for quad in quads:
        (x0, y0), (x1, y1) = quad[0], quad[1]
        length = math.hypot(x1 - x0, y1 - y0)
        if length >= 3 * height_of(quad) and abs(x1 - x0) > abs(y1 - y0):
            found.append((math.atan2(y1 - y0, x1 - x0), length))
    if not found:
        return 0.0
    found.sort()
    half, passed = sum(length for _, length in found) / 2, 0.0
    for angle, length in found:
        passed += length
        if passed >= half:
            return angle
    return found[-1][0]


def height_of(quad: Quad) -> float:
    """How high the type of a piece that runs along its upper edge is, pixels."""
    return (math.dist(quad[0], quad[3]) + math.dist(quad[1], quad[2])) / 2


def _place(piece: Piece, angle: float) -> Placed:
    cosine, sine = math.cos(-angle), math.sin(-angle)
    turned = [(x * cosine - y * sine, x * sine + y * cosine) for x, y in piece.raw.quad]
    across = [x for x, _ in turned]
    width, height = max(across) - min(across), height_of(piece.raw.quad)
    # An engine gives a vertical line as a tall quad: its "height" is then the run of the text.
    tall = max(y for _, y in turned) - min(y for _, y in turned)
    upright = piece.raw.vertical or (len(piece.raw.text) > 1 and tall > TALL * max(width, 1.0))
    return Placed(
        piece=piece,
        left=min(across),
        right=max(across),
        middle=sum(y for _, y in turned) / 4,
        height=max(tall if upright else height, 1.0),
        upright=upright,
    )
