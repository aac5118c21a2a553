"""What an engine reads on a prepared page, as pieces: stray spaces out, vertical text read upright, type measured."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from ..formats.ruled import Grid
from .engines.engine import Engine
from .page_placed import Piece
from .page_prepare import Prepared
from .page_spaces import tidy
from .page_tables import cut_at_rules
from .page_tails import cut_tails
from .page_type import measure_type
from .page_upright import upright_columns


def read_pieces(
    prepared: Prepared, engine: Engine, *, seconds: float, grids: Sequence[Grid] = ()
) -> list[Piece]:
    """All pieces of text on the page, in the engine's order; none runs from one cell of `grids` into the next.

    Raises:
        EngineFault: the engine failed or took longer than `seconds`.
    """
    picture = prepared.picture
    deadline = monotonic() + seconds
    found = engine.read(picture, seconds=seconds)
    if grids:
        found = tuple(cut_at_rules(found, grids, picture, engine, deadline=deadline))
    found = tuple(cut_tails(picture, found, engine, deadline=deadline))
    raws = [tidy(picture, raw) for raw in upright_columns(picture, found, engine, deadline=deadline)]
    return [Piece(raw=raw, type=measure_type(picture, raw.quad, raw.text, dpi=prepared.dpi)) for raw in raws]
