"""Print and what was scribbled beside it, marked as one line: cut where paper shows, so that each is judged alone.

Nothing is taken out here: the print reads surer without its tail, the tail keeps what was read, with its own
confidence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from time import monotonic

import cv2
import numpy as np

from ..formats.opened import Picture
from .engines.engine import Engine, EngineFault, Point, Quad, RawLine
from .engines.recognise import cut_out

WEAK = 0.9
"""Only where a character near the end of a line is less sure is anything looked for, …"""
NEAR = 6
"""… among so many of them."""
GAP = 0.3
"""Empty columns between print and scribble, in heights of the line."""
MOST_TAIL = 0.4
"""Of the line's length; a longer piece is no tail."""
SURE = 0.97
"""What is left must be print beyond doubt."""
SPECKS = 0.02
"""A column with less ink than this share of its height is empty."""
LEAST_LEFT = 4
LEAST_TAIL = 2
"""A single mark at the end is rather a bracket that stands apart: （　）."""
POOR = 0.85
"""Worse than this the tail was read on the average, or it is print: 一 has empty columns around it, too."""


def cut_tails(picture: Picture, raws: Iterable[RawLine], engine: Engine, *, deadline: float) -> list[RawLine]:
    """The lines, those with a badly read end cut off from it where a gap parts them and the rest reads surely.

    Args:
        picture: the page the quads lie on.
        raws: as read.
        engine: reads the parts.
        deadline: on the monotonic clock; beyond it nothing is cut.
    """
    found: list[RawLine] = []
    for raw in raws:
        parts = [raw]
        for at_end in (True, False):
            line = max(parts, key=lambda part: len(part.text))
            if _is_weak(line, at_end=at_end) and monotonic() < deadline:
                cut = _cut(picture, line, engine, at_end=at_end, deadline=deadline)
                parts = [part for one in parts for part in (cut if one is line else [one])]
        found += parts
    return found


def _is_weak(raw: RawLine, *, at_end: bool) -> bool:
    if raw.vertical or len(raw.text) <= LEAST_LEFT or len(raw.characters) != len(raw.text):
        return False
    scores = raw.characters[-NEAR:] if at_end else raw.characters[:NEAR]
    return min(scores) < WEAK


def _cut(picture: Picture, raw: RawLine, engine: Engine, *, at_end: bool, deadline: float) -> list[RawLine]:
    strip = cut_out(picture, raw.quad)
    if strip is None or strip.shape[1] <= strip.shape[0]:
        return [raw]
    place = _gap(strip, at_end=at_end)
    if place is None:
        return [raw]
    share = place / strip.shape[1]
    first, second = _parted(raw.quad, share)
    kept, tail = (first, second) if at_end else (second, first)
    try:
        readings = [_read(picture, quad, engine, deadline) for quad in (kept, tail)]
    except EngineFault:  # what was read before stands
        return [raw]
    print_, other = readings
    if print_ is None or print_.confidence < SURE or len(print_.text.strip()) < LEAST_LEFT:
        return [raw]
    if other is not None and other.confidence >= WEAK:
        return [raw]
    if len(print_.text) < (1 - MOST_TAIL) * len(raw.text) or print_.confidence < raw.confidence:
        return [raw]
    left = max(1, len(raw.text) - len(print_.text))
    text = raw.text[-left:] if at_end else raw.text[:left]
    scores = raw.characters[-left:] if at_end else raw.characters[:left]
    if left < LEAST_TAIL or sum(scores) / left >= POOR:
        return [raw]
    rest = other or RawLine(text=text, quad=tail, confidence=sum(scores) / left, characters=scores)
    return [print_, rest] if at_end else [rest, print_]


def _gap(strip: Picture, *, at_end: bool) -> float | None:
    """Middle of the widest gap in the outer part of a strip, pixels; None without one."""
    darkness = np.ascontiguousarray(strip.min(axis=2))
    height, width = darkness.shape
    level, _ = cv2.threshold(darkness, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    inked = np.flatnonzero((darkness <= level).sum(axis=0) > SPECKS * height)
    best: tuple[float, float | None] = (GAP * height, None)
    for before, after in pairwise(inked.tolist()):
        middle = (before + after) / 2
        outer = width - after if at_end else before
        if after - before > best[0] and outer <= MOST_TAIL * width:
            best = (after - before, middle)
    return best[1]


def _read(picture: Picture, quad: Quad, engine: Engine, deadline: float) -> RawLine | None:
    strip = cut_out(picture, quad)
    line = None if strip is None else engine.read_strip(strip, seconds=max(0.0, deadline - monotonic()))
    return None if line is None else replace(line, quad=quad)


def _parted(quad: Quad, share: float) -> tuple[Quad, Quad]:
    a, b, c, d = quad
    above, below = _between(a, b, share), _between(d, c, share)
    return (a, above, below, d), (above, b, c, below)


def _between(one: Point, other: Point, share: float) -> Point:
    return one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])
