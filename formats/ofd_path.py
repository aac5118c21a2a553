"""Path data of OFD (9.3: S M L Q B A C) as polylines in millimetres."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

from .fault import FormatFault
from .ofd_geometry import Matrix, Rect, bounds
from .ofd_package import number

Point = tuple[float, float]
_NEEDS = {"S": 2, "M": 2, "L": 2, "Q": 4, "B": 6, "A": 7, "C": 0}
_MAX_WORDS = 400_000
_MAX_STEPS = 48
_RECTANGLE_DATA = 400


def polylines(data: str, matrix: Matrix, *, fineness: float = 0.05) -> list[tuple[list[Point], bool]]:
    """Each sub-path as its points through `matrix`, and whether it is closed. Broken data ends the path there.

    `fineness` is the wanted length of a step of a curve in the units of the result.

    Raises:
        FormatFault: `too_large`.
    """
    found: list[tuple[list[Point], bool]] = []
    points: list[Point] = []
    start: Point = (0.0, 0.0)
    last = start
    for word, values in _commands(data):
        if word in ("S", "M"):
            if len(points) > 1:
                found.append((points, False))
            start = last = values[0], values[1]
            points = [matrix.at(*last)]
        elif word == "C":
            if len(points) > 1:
                found.append((points, True))
            points, last = [matrix.at(*start)], start
        else:
            if not points:
                points = [matrix.at(*last)]
            last = _append(points, word, values, last, matrix, fineness)
    if len(points) > 1:
        found.append((points, False))
    return found


def rectangle(data: str, matrix: Matrix) -> Rect | None:
    """The upright rectangle that a path goes around; None when it is anything else."""
    if len(data) > _RECTANGLE_DATA or any(curve in data for curve in "QBAqba"):
        return None
    outlines = polylines(data, matrix)
    if len(outlines) != 1 or not 4 <= len(outlines[0][0]) <= 6:
        return None
    points = outlines[0][0]
    box = bounds(points)
    near = 0.01
    corners = {(abs(x - box.x) < near, abs(y - box.y) < near) for x, y in points}
    edged = all(
        min(abs(x - box.x), abs(x - box.x - box.width)) < near
        and min(abs(y - box.y), abs(y - box.y - box.height)) < near
        for x, y in points
    )
    return box if edged and len(corners) == 4 else None


def holds(data: str, matrix: Matrix, x: float, y: float) -> bool:
    """Whether a path goes around a point (an odd number of times)."""
    odd = False
    for points, _ in polylines(data, matrix, fineness=0.5):
        for (x1, y1), (x2, y2) in itertools.pairwise([*points, points[0]]):
            if (y1 > y) != (y2 > y) and x < x1 + (x2 - x1) * (y - y1) / (y2 - y1):
                odd = not odd
    return odd


def _commands(data: str) -> Iterator[tuple[str, list[float]]]:
    words = data.replace(",", " ").split()
    if len(words) > _MAX_WORDS:
        raise FormatFault("too_large", "OFD path")
    at, command = 0, ""
    while at < len(words):
        word = words[at].upper()
        if word in _NEEDS:
            command = word
            at += 1
        elif command in ("", "C"):
            return
        need = _NEEDS[command]
        values = [number(w, math.nan) for w in words[at : at + need]]
        if len(values) < need or any(math.isnan(value) for value in values):
            return
        yield command, values
        at += need


def _append(
    points: list[Point], word: str, values: list[float], last: Point, matrix: Matrix, fineness: float
) -> Point:  # fmt: skip
    end = (values[-2], values[-1])
    if word == "L":
        points.append(matrix.at(*end))
        return end
    controls = [last, *((values[i], values[i + 1]) for i in range(0, len(values), 2))] if word != "A" else []
    if word == "A":
        curve = _arc(last, values)
        reach = (abs(values[0]) + abs(values[1])) * max(matrix.across, matrix.down) * 3
    else:
        curve = _bezier(controls)
        placed = [matrix.at(*point) for point in controls]
        reach = sum(math.dist(a, b) for a, b in itertools.pairwise(placed))
    steps = min(max(int(math.sqrt(reach / max(fineness, 1e-6))) + 2, 3), _MAX_STEPS)
    points += [matrix.at(*curve(step / steps)) for step in range(1, steps + 1)]
    return end


def _bezier(controls: list[Point]) -> Callable[[float], Point]:
    def at(t: float) -> Point:
        row = controls
        while len(row) > 1:
            row = [(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) for a, b in itertools.pairwise(row)]
        return row[0]

    return at


def _arc(start: Point, values: list[float]) -> Callable[[float], Point]:
    """An elliptical arc by its ends: radii, turn in degrees, large or small, clockwise or not (9.3.5)."""
    wide, high, turn, large, clockwise = (abs(values[0]), abs(values[1]), *values[2:5])
    end = (values[5], values[6])
    if wide < 1e-9 or high < 1e-9 or math.dist(start, end) < 1e-9:
        return lambda t: (start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t)
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    half_x, half_y = (start[0] - end[0]) / 2, (start[1] - end[1]) / 2
    x, y = cos * half_x + sin * half_y, -sin * half_x + cos * half_y
    short = (x / wide) ** 2 + (y / high) ** 2
    if short > 1:  # radii too small to reach: enlarged until they just do, as in SVG 1.1, F.6.6
        wide, high = wide * math.sqrt(short), high * math.sqrt(short)
    below = (wide * y) ** 2 + (high * x) ** 2
    root = math.sqrt(max(0.0, ((wide * high) ** 2 - below) / below)) if below > 0 else 0.0
    if bool(large) == bool(clockwise):
        root = -root
    mid_x, mid_y = root * wide * y / high, -root * high * x / wide
    centre = (
        cos * mid_x - sin * mid_y + (start[0] + end[0]) / 2,
        sin * mid_x + cos * mid_y + (start[1] + end[1]) / 2,
    )
    first = math.atan2((y - mid_y) / high, (x - mid_x) / wide)
    sweep = math.atan2((-y - mid_y) / high, (-x - mid_x) / wide) - first
    if clockwise and sweep < 0:
        sweep += 2 * math.pi
    elif not clockwise and sweep > 0:
        sweep -= 2 * math.pi

    def at(t: float) -> Point:
        angle = first + sweep * t
        along, up = wide * math.cos(angle), high * math.sin(angle)
        return centre[0] + cos * along - sin * up, centre[1] + sin * along + cos * up

    return at
