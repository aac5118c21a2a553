"""What an engine only guessed at is taken out of the text and shown to a person as a crop.

Measured on office and bad scans (320 pages): no printed piece of three characters and more was read below 0.8 where
its page reads at 0.99; below it lay the remains of seals, text shining through, handwriting and worn grey type.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..models.page import Box, Unread
from .page_join import Row
from .page_placed import Piece
from .page_prepare import Prepared

LEAST = 0.8
BELOW_TYPICAL = 0.19
"""An engine whose scores are lower throughout, or a page that reads badly as a whole, is measured by its own kind."""
DISCS = frozenset("●•⚫○◯◉")
HOLE_REACH = 0.075
"""Filing holes stand 12 mm from the edge (ISO 838); the text area of GB/T 9704 begins at 26 mm."""
SHORT = 3
"""Shorter pieces score low when they are right: a character with a colon cut from its line."""


def guesses(rows: Sequence[Row]) -> list[Piece]:
    """The pieces whose text is a guess."""
    pieces = [piece for row in rows for piece in row.pieces]
    scores = sorted(score for piece in pieces for score in [piece.raw.confidence] * len(piece.raw.text))
    if not scores:
        return []
    least = min(LEAST, scores[len(scores) // 2] - BELOW_TYPICAL)
    return [
        piece
        for piece in pieces
        if piece.raw.confidence < least
        and sum(character.isalnum() for character in piece.raw.text) >= SHORT
        and not piece.raw.text.strip().isdigit()
    ]


def holes(rows: Sequence[Row], prepared: Prepared) -> list[Piece]:
    """Punch holes read as `●`: a disc alone, next to an edge of the page, where nothing is printed."""
    return [
        piece
        for row in rows
        for piece in row.pieces
        if piece.raw.text.strip() in DISCS and _at_edge(prepared.box([piece.raw.quad]))
    ]


def _at_edge(box: Box) -> bool:
    across, down = box.centre
    return min(across, 1 - across) < HOLE_REACH or min(down, 1 - down) < HOLE_REACH


def unread_place(piece: Piece, prepared: Prepared) -> Unread:
    """Where a guess stood, on the page as it came: `covered` under a seal, else `illegible`."""
    box = prepared.box([piece.raw.quad])
    return Unread(box=box, why="covered" if any(_meet(box, seal) for seal in prepared.seals) else "illegible")


def _meet(box: Box, seal: Box) -> bool:
    wide = min(box.right, seal.right) - max(box.left, seal.left)
    high = min(box.bottom, seal.bottom) - max(box.top, seal.top)
    return wide > 0.3 * (box.right - box.left) and high > 0.3 * (box.bottom - box.top)
