"""One page's picture read: the right way up, both pages of a double page, under its seals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic

import numpy as np

from ..formats.opened import Picture
from ..formats.ruled import Grid, find_grids
from .engines.engine import Engine, EngineFault, EngineTimeout
from .engines.flat import Flattened
from .page_cells import lost_in_cells
from .page_covered import completed
from .page_join import Row
from .page_layers import lost_under_black_seals, read_under_seals, without_seal_text, without_show_through
from .page_pieces import read_pieces
from .page_prepare import Overview, Prepared, upright
from .page_rows import read_rows
from .page_upright import stands_upright

TURN_CONFIDENCE = 0.75
"""A page that reads worse than this may stand on its head (measured: 0.63 for a clean one)."""
CLEAR = 0.9
"""A page that reads as well as this lies as it should. The orientation model counts as sure from here on, too."""
SIDEWAYS = 0.5
"""Share of the text in upright pieces from which a page counts as lying on its side."""
FEW_CHARACTERS = 6
KEPT = 0.95
"""So much of what a page of vertical text said on its side it must say upright."""
FAINT = 90.0
"""Levels between ink and paper, below which a page may be the back of another, shining through."""
MIRRORED = 0.1
"""A page that reads this much better in the mirror is such a back."""


@dataclass(frozen=True, slots=True)
class Side:
    """A page, or one of the two of a double page, with its rows in reading order and its ruled tables."""

    prepared: Prepared
    rows: tuple[Row, ...]
    grids: tuple[Grid, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """A page as it was read. `steps`: what was done to it. `blank`: nothing on it to be read."""

    prepared: Prepared
    sides: tuple[Side, ...]
    steps: tuple[str, ...]
    blank: bool = False

    @property
    def rows(self) -> tuple[Row, ...]:
        """Of both sides."""
        return tuple(row for side in self.sides for row in side.rows)

    @property
    def characters(self) -> int:
        """How many were read."""
        return sum(len(row.text) for row in self.rows)

    @property
    def confidence(self) -> float:
        """Mean by characters, 0 without text."""
        count = self.characters
        return sum(row.confidence * len(row.text) for row in self.rows) / count if count else 0.0

    @property
    def sideways(self) -> bool:
        """Most of the text runs up or down the page."""
        standing = 0
        for row in self.rows:
            for piece in row.pieces:
                if piece.raw.vertical:
                    continue
                across = [x for x, _ in piece.raw.quad]
                down = [y for _, y in piece.raw.quad]
                if max(down) - min(down) > 1.5 * (max(across) - min(across)):
                    standing += len(piece.raw.text)
        return standing > SIDEWAYS * self.characters

    @property
    def worth(self) -> float:
        """Characters that were read well; the right way up has the most of them."""
        return self.confidence * self.characters * (0.5 if self.sideways else 1.0)

    def reads(self, confidence: float, *, few: int = FEW_CHARACTERS) -> bool:
        """Whether it reads at least as well as `confidence`, in level rows."""
        return self.characters >= few and self.confidence >= confidence and not self.sideways


def read_overview(page: Overview, came: Picture, *, engine: Engine, seconds: float) -> Read:
    """Reads a page that is not blank.

    Turned as the orientation model says. Where the model is less sure than `CLEAR`, its two likeliest turns are read
    and the better one stays; a page that still reads badly is tried every way up.

    Args:
        page: what was found on it.
        came: its picture as it came.
        engine: reads it.
        seconds: longest time this may take.

    Raises:
        EngineFault: reading the way it lies (or the likeliest way) failed or took longer than `seconds`.
    """
    deadline = monotonic() + seconds
    options = page.options
    turns = page.turn.turns if page.turn else (0,)
    if options.flatten and engine.flat:
        engine = Flattened(engine)
    best = _read(upright(page, turns[0]), came, engine, deadline=deadline)
    sure = page.turn is not None and page.turn.confidence >= CLEAR
    if page.turn is not None and not sure and not best.reads(CLEAR):
        best = _better(best, page, came, turns[1:2], engine, deadline=deadline, until=2.0)
    if not best.reads(TURN_CONFIDENCE, few=1 if sure else FEW_CHARACTERS):
        best = _try_other_ways(best, page, came, engine, deadline=deadline)
    best = _vertical(best, page, came, engine, deadline=deadline)
    if isinstance(engine, Flattened):
        best = replace(best, steps=(*best.steps, "flatten"))
    if page.turn is not None and not sure:
        best = replace(best, steps=(*best.steps, f"orientation {page.turn.confidence:.2f}"))
    return _without_show_through(best, engine, deadline=deadline)


def _vertical(best: Read, page: Overview, came: Picture, engine: Engine, *, deadline: float) -> Read:
    """A page of vertical text that was laid on its side to be read, the right way up."""
    turns = next(
        (int(step.removeprefix("turn ")) // 90 for step in best.steps if step.startswith("turn ")), 0
    )
    if turns % 2 == 0 or page.options.orientation is False:
        return best
    raws = [piece.raw for row in best.rows for piece in row.pieces]
    try:
        if len(best.sides) != 1 or not stands_upright(best.prepared.picture, raws, engine, deadline=deadline):
            return best
        tried = _read(upright(page, (turns - 1) % 4), came, engine, deadline=deadline)
    except EngineFault:
        return best
    return tried if tried.worth >= KEPT * best.worth else best


def _try_other_ways(best: Read, page: Overview, came: Picture, engine: Engine, *, deadline: float) -> Read:
    if page.options.orientation is False:
        return best
    if page.turn is not None:
        others = page.turn.turns[1:] if page.turn.confidence >= CLEAR else page.turn.turns[2:]
    else:
        others = (1, 3) if best.sideways else (2, 1, 3)
    return _better(best, page, came, others, engine, deadline=deadline, until=TURN_CONFIDENCE)


def _better(
    best: Read,
    page: Overview,
    came: Picture,
    turns: tuple[int, ...],
    engine: Engine,
    *,
    deadline: float,
    until: float,
) -> Read:
    """`best`, or the page turned otherwise if that reads better; stops where one reads as well as `until`."""
    for turn in turns:
        if monotonic() >= deadline:
            break
        try:
            tried = _read(upright(page, turn), came, engine, deadline=deadline)
        except EngineFault:
            break
        if tried.worth > best.worth:
            best = tried
        if best.reads(until):
            break
    return best


def _read(prepared: Prepared, came: Picture, engine: Engine, *, deadline: float) -> Read:
    sides = []
    shining = 0
    for side in prepared.sides:
        left = deadline - monotonic()
        if left <= 0:
            raise EngineTimeout
        grids = find_grids(side.picture, dpi=side.dpi, sheet=side.sheet)
        found = read_pieces(side, engine, seconds=left, grids=grids)
        pieces = without_show_through(found, side)
        shining += len(found) - len(pieces)
        pieces += lost_in_cells(pieces, grids, side, engine, deadline=deadline) if grids else []
        if side.seals:
            pieces += lost_under_black_seals(pieces, side, came, engine, deadline=deadline)
            pieces = without_seal_text(pieces, side)
            pieces = read_under_seals(pieces, side, came, engine, deadline=deadline)
            pieces = completed(pieces, side, came, engine, deadline=deadline)
        sides.append(Side(prepared=side, rows=read_rows(pieces), grids=grids))
    steps = (*prepared.steps, f"show_through {shining}") if shining else prepared.steps
    return Read(prepared=prepared, sides=tuple(sides), steps=steps)


def _without_show_through(read: Read, engine: Engine, *, deadline: float) -> Read:
    """A faint page that nobody can read, but its mirror image, is a blank back."""
    faint = read.prepared.depth < FAINT and not read.reads(TURN_CONFIDENCE, few=1)
    left = deadline - monotonic()
    if not faint or left <= 0:
        return read
    mirrored = replace(
        read.prepared, picture=np.ascontiguousarray(read.prepared.picture[:, ::-1]), gutter=None
    )
    try:
        rows = read_rows(read_pieces(mirrored, engine, seconds=left))
    except EngineFault:
        return read
    other = Read(prepared=mirrored, sides=(Side(mirrored, rows),), steps=read.steps)
    if other.reads(read.confidence + MIRRORED) and other.characters >= read.characters:
        return replace(read, sides=(), steps=(*read.steps, "show_through"), blank=True)
    return read
