"""Places on an OFD page: boxes and matrices in millimetres, origin at the top left, y downwards (8.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .ofd_package import Node, numbers


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in mm."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Square millimetres."""
        return self.width * self.height

    def holds(self, x: float, y: float, margin: float = 0.0) -> bool:
        """Whether the point lies inside, or within `margin` of it."""
        return (
            self.x - margin <= x <= self.x + self.width + margin
            and self.y - margin <= y <= self.y + self.height + margin
        )


@dataclass(frozen=True, slots=True)
class Matrix:
    """x' = a x + c y + e, y' = b x + d y + f (8.3.1.2)."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place of a point."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def then(self, other: Matrix) -> Matrix:
        """This one first, then `other`."""
        return Matrix(
            a=other.a * self.a + other.c * self.b,
            b=other.b * self.a + other.d * self.b,
            c=other.a * self.c + other.c * self.d,
            d=other.b * self.c + other.d * self.d,
            e=other.a * self.e + other.c * self.f + other.e,
            f=other.b * self.e + other.d * self.f + other.f,
        )

    @property
    def across(self) -> float:
        """Length of one millimetre along x."""
        return math.hypot(self.a, self.b)

    @property
    def down(self) -> float:
        """Length of one millimetre along y."""
        return math.hypot(self.c, self.d)

    @property
    def upright(self) -> bool:
        """Neither turned nor mirrored (within about ten degrees, as a person still calls it level)."""
        return self.a > 0 and self.d > 0 and abs(self.b) < 0.2 * self.a and abs(self.c) < 0.2 * self.d

    @property
    def whole(self) -> bool:
        """It has an inverse, and keeps lengths on the page drawable."""
        values = (self.a, self.b, self.c, self.d, self.e, self.f)
        return all(abs(v) < 1e7 for v in values) and abs(self.a * self.d - self.b * self.c) > 1e-12


def rect_of(text: str | None) -> Rect | None:
    """An ST_Box; None when it is none or has no extent."""
    values = numbers(text, most=64)
    if values is None or len(values) < 4 or values[2] <= 0 or values[3] <= 0:
        return None
    return Rect(*values[:4])


def corner_of(text: str | None) -> Matrix | None:
    """The shift to the corner of an ST_Box, also of one without extent (makers write those for a blank)."""
    values = numbers(text, most=64)
    return Matrix(e=values[0], f=values[1]) if values is not None and len(values) >= 2 else None


def matrix_of(node: Node, name: str = "CTM") -> Matrix | None:
    """A matrix attribute; None when absent or broken."""
    values = numbers(node.get(name), most=64)
    return Matrix(*values[:6]) if values is not None and len(values) >= 6 else None


def moved(x: float, y: float) -> Matrix:
    """A shift."""
    return Matrix(e=x, f=y)


def bounds(points: list[tuple[float, float]]) -> Rect:
    """The smallest upright rectangle around the points (at least one)."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return Rect(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def covered_by(box: Rect, matrix: Matrix) -> Rect:
    """The upright rectangle around a box that was turned by `matrix`."""
    right, bottom = box.x + box.width, box.y + box.height
    return bounds([matrix.at(x, y) for x in (box.x, right) for y in (box.y, bottom)])


def common(first: Rect | None, second: Rect | None) -> Rect | None:
    """What both rectangles cover; None means everywhere. Nothing in common gives a rectangle of no extent."""
    if first is None or second is None:
        return first or second
    left, top = max(first.x, second.x), max(first.y, second.y)
    right = min(first.x + first.width, second.x + second.width)
    bottom = min(first.y + first.height, second.y + second.height)
    return Rect(left, top, max(0.0, right - left), max(0.0, bottom - top))
