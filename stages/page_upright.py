"""Text that runs down the page: its characters are cut apart and read side by side, as one level strip.

An engine that is given a column lays it on its side and reads characters that lie on their backs. Cut into cells the
same column is a level line. Only a column of upright characters reads alike both ways: of a line that lies on its side
the cells are read in the wrong order, or not at all (a sure reading alone proves nothing: 0.9 and above was seen).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import pairwise
from time import monotonic

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from .engines.engine import Engine, Quad, RawLine

TALL = 2.5
"""A piece so much higher than wide may be a column."""
FEWEST = 2
"""Characters of a column."""
SURE = 0.75
"""A column reads at least so surely upright."""
ALIKE = 0.6
"""Share of the characters that both readings have in common, in order."""
PROBES = 3
"""When none of so many of a page's longest tall pieces is a column, the page has none."""
LONGEST_CELL, MERGED = 1.35, 1.12
"""Heights of a cell in its width: cut above the first, merged up to the second."""
RULED = 0.8
"""A pixel column with so much ink is a rule beside the text."""
BETWEEN = 0.12
"""Paper between two cells of the strip, in their width."""
LEAST_CONTRAST = 30

Cell = tuple[int, int]


def upright_columns(
    picture: Picture, raws: Sequence[RawLine], engine: Engine, *, deadline: float
) -> list[RawLine]:
    """The pieces; those that are columns of upright characters say so and bear the surer of their two readings.

    Args:
        picture: the straightened page, height x width x 3, RGB.
        raws: pieces, their corners in its pixels.
        engine: reads the strips.
        deadline: on the monotonic clock; beyond it nothing is read again.
    """
    tall = sorted((raw for raw in raws if is_tall(raw.quad)), key=lambda raw: -_high(raw.quad))
    read: dict[int, RawLine] = {}
    for place, raw in enumerate(tall):
        left = deadline - monotonic()
        if left <= 0 or (place == PROBES and not read):
            break
        other = read_column(picture, raw.quad, engine, seconds=left)
        if other is not None and is_column(other, raw):
            best = other if other.confidence > raw.confidence and _as_long(other, raw) else raw
            read[id(raw)] = replace(best, quad=raw.quad, vertical=True)
    return [read.get(id(raw), raw) for raw in raws]


def stands_upright(picture: Picture, raws: Sequence[RawLine], engine: Engine, *, deadline: float) -> bool:
    """Whether a page that was turned by a quarter counter-clockwise to be read is a page of vertical text.

    Args:
        picture: the page as it was read, height x width x 3, RGB.
        raws: the level pieces read on it.
        engine, deadline: as for `upright_columns`.
    """
    high = picture.shape[0]
    back = np.ascontiguousarray(np.rot90(picture, -1))
    longest = sorted(raws, key=lambda raw: -len(raw.text))[:PROBES]
    columns = 0
    for raw in longest:
        left = deadline - monotonic()
        if left <= 0:
            return False
        (a, b), (c, d), (e, f), (g, h) = raw.quad
        quad: Quad = (high - b, a), (high - d, c), (high - f, e), (high - h, g)
        other = read_column(back, quad, engine, seconds=left) if is_tall(quad) else None
        columns += other is not None and is_column(other, raw)
    return 2 * columns > len(longest)


def is_tall(quad: Quad) -> bool:
    """Whether a piece may be a column."""
    across = [x for x, _ in quad]
    return _high(quad) >= TALL * max(1.0, max(across) - min(across))


def is_column(upright: RawLine, turned: RawLine) -> bool:
    """Whether the reading of the cells shows that the characters stand upright."""
    if upright.confidence < SURE or min(len(upright.text), len(turned.text)) < FEWEST:
        return False
    return SequenceMatcher(None, upright.text, turned.text, autojunk=False).ratio() >= ALIKE


def _as_long(upright: RawLine, turned: RawLine) -> bool:
    return len(upright.text) >= len(turned.text)


def read_column(picture: Picture, quad: Quad, engine: Engine, *, seconds: float) -> RawLine | None:
    """The characters inside a tall quad, cut apart and read side by side; None when there is nothing to read.

    Raises:
        EngineFault: as `Engine.read_strip`.
    """
    height, width = picture.shape[:2]
    across, down = [x for x, _ in quad], [y for _, y in quad]
    left, right = max(0, int(min(across))), min(width, int(max(across)) + 1)
    top, bottom = max(0, int(min(down))), min(height, int(max(down)) + 1)
    strip = side_by_side(picture[top:bottom, left:right])
    return None if strip is None else engine.read_strip(strip, seconds=seconds)


def side_by_side(column: Picture) -> Picture | None:
    """The characters of a column as one level strip; None where there is no ink, or no two characters."""
    if column.shape[0] < 2 or column.shape[1] < 4:
        return None
    darkness = np.ascontiguousarray(column.min(axis=2))
    level, _ = cv2.threshold(darkness, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink = darkness <= level
    if not ink.any() or ink.all() or darkness[~ink].mean() - darkness[ink].mean() < LEAST_CONTRAST:
        return None
    ink[:, ink.mean(axis=0) > RULED] = False
    filled = np.flatnonzero(ink.sum(axis=0) > 0.01 * ink.shape[0])
    if not len(filled):
        return None
    left, right = int(filled[0]), int(filled[-1]) + 1
    cells = cut_cells(np.asarray(ink[:, left:right].any(axis=1)), size=right - left)
    if len(cells) < FEWEST:
        return None
    paper = np.median(column[~ink].reshape(-1, 3), axis=0).astype(np.uint8)
    size = right - left
    frame = max(2, round(BETWEEN * size))
    high = max(size, *(end - start for start, end in cells)) + 2 * frame
    strip = np.empty((high, len(cells) * (size + frame) + frame, 3), np.uint8)
    strip[:] = paper
    for place, (start, end) in enumerate(cells):
        at, over = frame + place * (size + frame), (high - (end - start)) // 2
        strip[over : over + end - start, at : at + size] = column[start:end, left:right]
    return strip


def cut_cells(rows: NDArray[np.bool_], *, size: int) -> list[Cell]:
    """From and to of each character down a column.

    Args:
        rows: whether there is ink in each pixel row.
        size: width of the characters, pixels.

    Every row with ink is in exactly one cell.
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([0], rows.astype(np.int8), [0]))))
    parts: list[Cell] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        count = max(1, round((end - start) / size)) if end - start > LONGEST_CELL * size else 1
        cuts = [start + round((end - start) * step / count) for step in range(count + 1)]
        parts += pairwise(cuts)
    cells: list[Cell] = []
    for start, end in parts:
        if cells and end - cells[-1][0] <= MERGED * size:
            cells[-1] = cells[-1][0], end
        else:
            cells.append((start, end))
    return cells


def _high(quad: Quad) -> float:
    down = [y for _, y in quad]
    return max(down) - min(down)
