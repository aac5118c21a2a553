"""Blocks of a page in reading order: columns one after the other, side notes after the text they stand beside."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

from .page_placed import Placed

GUTTER_FROM, GUTTER_TO = 0.25, 0.75
STEPS = 100
FEWEST_IN_COLUMN = 6
FILLED = 0.6
"""Share of a column's width that its typical line fills; cells of a table fill less and stay in rows."""
FULL, MOSTLY_FULL = 0.85, 0.5
"""Where the lines of two columns stand side by side in rows, this share of them must fill the column so far: lines of
running text do, and cells of a table without rules do not."""
BESIDE = 0.8
"""Share of the lines of the shorter column that have one beside them."""
DEEPEST = 2
"""Columns are divided again so often: four columns at most."""

NOTE_STRIP = 0.25
"""Side notes stand in the outer part of the page, so wide at most."""
FEWEST_NOTES = 2
SMALLER = 0.85
"""Type of side notes against that of the text."""

Block = list[Placed]


def divide(placed: Block, depth: int = DEEPEST) -> list[Block]:
    """The pieces in blocks that are read one after the other; each piece is in exactly one of them."""
    text, notes = _without_notes(placed)
    if notes:
        return [*divide(text, depth), notes]
    gutter = _gutter(placed) if depth else None
    if gutter is None:
        return [placed] if placed else []
    blocks: list[Block] = []
    rows: Block = []
    for band in _bands(placed, gutter):
        if not _in_columns(band, gutter):
            rows += band
            continue
        left, right = _halves(band, gutter)
        blocks += [rows] if rows else []
        blocks += [*divide(left, depth - 1), *divide(right, depth - 1)]
        rows = []
    return [*blocks, rows] if rows else blocks


def _gutter(placed: Block) -> float | None:
    """The place that divides most of the page into columns of running text, None when none does."""
    if len(placed) < 2 * FEWEST_IN_COLUMN:
        return None
    start, end = min(one.left for one in placed), max(one.right for one in placed)
    places = [
        start + (end - start) * (GUTTER_FROM + (GUTTER_TO - GUTTER_FROM) * step / STEPS)
        for step in range(STEPS + 1)
    ]
    worth = [sum(len(band) for band in _bands(placed, place) if _in_columns(band, place)) for place in places]
    best = max(worth)
    if best == 0:
        return None
    candidates = [place for place, value in zip(places, worth, strict=True) if value == best]
    return candidates[len(candidates) // 2]


def _bands(placed: Block, gutter: float) -> list[Block]:
    """From top to bottom: what stands between two pieces that lie across the gutter, and those pieces."""
    across = [one for one in placed if one.left < gutter < one.right]
    beside = [one for one in placed if not one.left < gutter < one.right]
    edges = [-math.inf, *sorted(one.middle for one in across), math.inf]
    bands: list[Block] = []
    for index, (above, below) in enumerate(pairwise(edges)):
        bands.append([one for one in beside if above <= one.middle < below])
        if index < len(across):
            bands.append([one for one in across if one.middle == below])
    return [band for band in bands if band]


def _halves(band: Block, gutter: float) -> tuple[Block, Block]:
    return [one for one in band if one.right <= gutter], [one for one in band if one.left >= gutter]


def _in_columns(band: Block, gutter: float) -> bool:
    """Running text on both sides: lines enough, most of them filling their column."""
    if len(band) < 2 * FEWEST_IN_COLUMN:
        return False
    start, end = min(one.left for one in band), max(one.right for one in band)
    halves = _halves(band, gutter)
    widths = gutter - start, end - gutter
    for column, wide in zip(halves, widths, strict=True):
        if len(column) < FEWEST_IN_COLUMN or median(one.width for one in column) < FILLED * wide:
            return False
    return not _beside(*halves) or all(
        sum(one.width >= FULL * wide for one in column) >= MOSTLY_FULL * len(column)
        for column, wide in zip(halves, widths, strict=True)
    )


def _beside(left: Block, right: Block) -> bool:
    """Whether the lines of the shorter column stand beside those of the other one, as the cells of a table do."""
    shorter, longer = sorted((left, right), key=len)
    middles = [one.middle for one in longer]
    paired = sum(any(abs(one.middle - middle) < one.height / 4 for middle in middles) for one in shorter)
    return paired >= BESIDE * len(shorter)


def _without_notes(placed: Block) -> tuple[Block, Block]:
    """The text, and the notes of smaller type that stand in a strip of their own at its side."""
    if len(placed) < FEWEST_NOTES + FEWEST_IN_COLUMN:
        return placed, []
    start, end = min(one.left for one in placed), max(one.right for one in placed)
    strip = NOTE_STRIP * (end - start)
    wide = [one for one in placed if one.width > 0.5 * (end - start)]
    if len(wide) < FEWEST_IN_COLUMN / 2:
        return placed, []
    size = median(one.height for one in wide)
    left, right = min(one.left for one in wide), max(one.right for one in wide)
    top, bottom = min(one.top for one in wide), max(one.bottom for one in wide)
    notes = [
        one
        for one in placed
        if one.height <= SMALLER * size
        and top <= one.middle <= bottom
        and (
            (one.right <= left and one.left < start + strip)
            or (one.left >= right and one.right > end - strip)
        )
    ]
    if len(notes) < FEWEST_NOTES:
        return placed, []
    kept = {id(one) for one in notes}
    return [one for one in placed if id(one) not in kept], notes
