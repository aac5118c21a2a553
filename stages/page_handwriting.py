"""What an engine only guessed at is taken out of the text and shown to a person as a crop.

Measured on office and bad scans (320 pages): no printed piece of three characters and more was read below 0.8 where
its page reads at 0.99; below it lay the remains of seals, text shining through, handwriting and worn grey type.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from ..formats.ruled import Grid
from ..models.page import Box, Unread
from .page_join import Row
from .page_layers import overlaps
from .page_placed import Piece, height_of
from .page_prepare import Prepared

LEAST = 0.8
BELOW_TYPICAL = 0.19
"""An engine whose scores are lower throughout, or a page that reads badly as a whole, is measured by its own kind."""
DISCS = frozenset("●•⚫○◯◉")
HOLE_REACH = 0.075
"""Filing holes stand 12 mm from the edge (ISO 838); the text area of GB/T 9704 begins at 26 mm."""
CLEAR = 0.95
"""Print that was read so surely says nothing of what stands beside it."""
SHORT = 3
"""Shorter pieces score low when they are right: a character with a colon cut from its line."""


BLOCK_LINE = 8
"""Characters from which a surely read piece tells where the text block begins and ends."""
FEWEST_IN_BLOCK = 4
"""With fewer, the text area of GB/T 9704-2012 5.2 counts too, in shares of the page's width."""
BLOCK = (28 / 210, 184 / 210)
MOST_OF_IT = 0.85
ALONE = 3.0
"""In heights of the type: a piece that reaches so much further than all others does not tell where the block ends."""
MARGIN_SURE = 0.97
"""In a margin that bears handwriting only what is read so surely is print: a stamp, a vertical note."""
TOUCHING = 0.7
"""So far, in their own heights, scribbles may begin inside the block: boxes are wider than what stands in them."""
NUMBERED = 0.15
"""Page numbers stand in this share of the page at its head or foot; a number elsewhere in a margin is a scribble."""


def written(
    rows: Sequence[Row], *, width: float, high: float, but: Sequence[Piece] = (), grids: Sequence[Grid] = ()
) -> list[Piece]:
    """Pieces beside the text block of a page in whose margin something was scribbled (批示, a signature, a tick).

    What stands wholly beside the block and reads badly is no print: one such piece marks its margin, and takes with
    it what else stands there in a character or two, or is not read surely. Page numbers stay.

    Args:
        rows: of a page that is `width` x `high` pixels large.
        but: guesses that were found before; they count as scribbles of their margin and are not given again.
        grids: tables on the page; what stands in one stands in no margin.
    """
    pieces = [piece for row in rows for piece in row.pieces]
    sure = [
        piece for piece in pieces
        if piece.raw.confidence > MARGIN_SURE and len(piece.raw.text) >= BLOCK_LINE and not piece.raw.vertical
    ]  # fmt: skip
    left, right = _block(sure, width)
    known = {id(piece) for piece in but}
    found: list[Piece] = []
    for beside in (
        [piece for piece in pieces if _left(piece) >= right - TOUCHING * height_of(piece.raw.quad)],
        [piece for piece in pieces if _right(piece) <= left + TOUCHING * height_of(piece.raw.quad)],
    ):
        beside = [
            piece for piece in beside if not (_is_page_number(piece, high) or _is_in_table(piece, grids))
        ]
        if any(id(piece) in known or piece.raw.confidence < LEAST for piece in beside):
            found += [
                piece for piece in beside
                if id(piece) not in known
                and (piece.raw.confidence < MARGIN_SURE or len(piece.raw.text.strip()) < SHORT)
            ]  # fmt: skip
    return found


def _block(sure: Sequence[Piece], width: float) -> tuple[float, float]:
    """Where the text block begins and ends, by the pieces that surely belong to it; with few of them, or where one
    alone reaches so far (a scribble was read with it), the standard's text area is part of it."""
    apart = ALONE * median(height_of(piece.raw.quad) for piece in sure) if sure else 0.0
    starts = [(-_left(piece), len(piece.raw.text)) for piece in sure]
    ends = [(_right(piece), len(piece.raw.text)) for piece in sure]
    (left, first), (right, last) = (_reach(starts, -width, apart), _reach(ends, 0.0, apart))
    few = len(sure) < FEWEST_IN_BLOCK
    return (
        min(-left, BLOCK[0] * width) if few or first else -left,
        max(right, BLOCK[1] * width) if few or last else right,
    )


def _reach(ends: list[tuple[float, int]], none: float, apart: float) -> tuple[float, bool]:
    """How far `MOST_OF_IT` of the characters reach (a stamp in the margin is too little to stretch the block), and
    whether a piece that reaches further than the next by more than `apart` was left out."""
    ordered = sorted(ends, reverse=True)
    alone = len(ordered) > 2 and ordered[0][0] - ordered[1][0] > apart
    ordered = ordered[1:] if alone else ordered
    left_over = (1 - MOST_OF_IT) * sum(count for _, count in ordered)
    for end, count in ordered:
        left_over -= count
        if left_over < 0:
            return end, alone
    return none, alone


def _left(piece: Piece) -> float:
    return min(x for x, _ in piece.raw.quad)


def _right(piece: Piece) -> float:
    return max(x for x, _ in piece.raw.quad)


def _is_in_table(piece: Piece, grids: Sequence[Grid]) -> bool:
    across = (_left(piece) + _right(piece)) / 2
    down = sum(y for _, y in piece.raw.quad) / 4
    return any(cell.around(across, down) for grid in grids for cell in grid.cells)


def _is_page_number(piece: Piece, high: float) -> bool:
    down = sum(y for _, y in piece.raw.quad) / 4
    at_edge = min(down, high - down) < NUMBERED * high
    return at_edge and not piece.raw.text.strip("0123456789 —-–·~一")


def guesses(rows: Sequence[Row]) -> list[Piece]:
    """The pieces whose text is a guess."""
    pieces = [piece for row in rows for piece in row.pieces]
    scores = sorted(score for piece in pieces for score in [piece.raw.confidence] * len(piece.raw.text))
    if not scores:
        return []
    least = min(LEAST, scores[len(scores) // 2] - BELOW_TYPICAL)
    return [
        piece for row in rows for group in _unsure(row.pieces) if _is_guess(group, least) for piece in group
    ]


def _unsure(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Neighbours of a row that were not read surely: a faint line of which an engine made several pieces is read or
    not read as a whole. What stands beside surely read print is looked at alone."""
    groups: list[list[Piece]] = []
    before = False
    for piece in pieces:
        unsure = piece.raw.confidence < CLEAR
        if unsure and before:
            groups[-1].append(piece)
        elif unsure:
            groups.append([piece])
        before = unsure
    return groups


def _is_guess(group: Sequence[Piece], least: float) -> bool:
    text = "".join(piece.raw.text for piece in group)
    whole = sum(piece.raw.confidence * len(piece.raw.text) for piece in group)
    alike = sum(character.isalnum() for character in text) >= SHORT and not text.strip().isdigit()
    return alike and whole < least * len(text)


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


def unread_place(piece: Piece, prepared: Prepared, *, by_hand: bool = False) -> Unread:
    """Where a guess stood, on the page as it came: `handwriting`, `covered` under a seal, else `illegible`."""
    box = prepared.box([piece.raw.quad])
    if by_hand:
        return Unread(box=box, why="handwriting")
    return Unread(
        box=box, why="covered" if any(overlaps(box, seal) for seal in prepared.seals) else "illegible"
    )
