"""What an engine reads on a prepared page, as pieces: stray spaces out, vertical text read upright, type measured."""

from __future__ import annotations

from .engines.engine import Engine
from .page_placed import Piece
from .page_prepare import Prepared
from .page_spaces import tidy
from .page_type import measure_type


def read_pieces(prepared: Prepared, engine: Engine, *, seconds: float) -> list[Piece]:
    """All pieces of text on the page, in the engine's order.

    Raises:
        EngineFault: the engine failed or took longer than `seconds`.
    """
    picture = prepared.picture
    raws = [tidy(picture, raw) for raw in engine.read(picture, seconds=seconds)]
    return [Piece(raw=raw, type=measure_type(picture, raw.quad, raw.text, dpi=prepared.dpi)) for raw in raws]
