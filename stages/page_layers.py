"""What lies over and under the writing: a seal, through which it is read in two ways; the back, shining through."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

import cv2
import numpy as np

from ..formats.opened import Picture
from ..models.page import Box
from .engines.engine import Engine, EngineFault, Quad, RawLine
from .engines.recognise import cut_out
from .fields_date import find_date
from .fields_text import tight
from .page_placed import Piece
from .page_prepare import Prepared
from .page_type import measure_type

BETTER = 0.02
"""The other layer must be this much surer: where both read alike, the cleaned one stays."""
SHORTEST = 0.7
"""A reading that lost more of the characters is not better, however sure."""
CERTAIN = 0.98
"""Above it nothing is to be gained."""
WITHIN = 0.3
"""By so many characters the page as it came may read worse under a black seal, and is still preferred."""
REACH, UPPER = 1.05, 0.38
"""The seal's own writing lies within the ring and in its upper part, in radii."""
BELOW = (0.3, 0.85)
ASIDE, WIDEST_BELOW = 0.2, 1.3
"""In radii: where under the star a seal says what it is for, how far from its middle, how wide at most."""
SMALLER, IN_ROW, IN_TEXT, BEYOND = 0.8, 0.6, 6, 0.55
BAND = (0.55, 0.95)
"""Between these radii the writing of the ring runs; of it a detector may find one character alone."""
ROOM = (0.7, 1.3)
"""How much longer at each end a piece is tried, in its heights."""
NO_GAIN = 0.5
"""A character less sure than this makes a reading worse: a piece of the ring at the end of a line."""
AROUND = 1.8
"""How far to the sides of a seal lines under it reach, in radii."""
KNOWN = 0.3
LEAST_FOUND = 0.6
"""A piece found in the second place is believed from this confidence on, unless so much of it was known."""
FAINT = 0.45
"""Text of so small a part of the page's contrast shines through from the back, …"""
DOUBTFUL = 0.85
"""… when it reads no better than this: mirrored characters do not."""
COVERED = 0.3
"""Part of a line's height that lies under the seal."""


def read_under_seals(
    pieces: Sequence[Piece], prepared: Prepared, came: Picture, engine: Engine, *, deadline: float
) -> list[Piece]:
    """The pieces, those under a seal as the layer reads that reads them best.

    Args:
        pieces: as read on the cleaned page.
        prepared: that page.
        came: the page as it came, red and all.
        engine: reads the strips.
        deadline: on the monotonic clock; beyond it nothing is read again.
    """
    return [_better(piece, pieces, prepared, came, engine, deadline) for piece in pieces]


def _better(
    piece: Piece, pieces: Sequence[Piece], prepared: Prepared, came: Picture, engine: Engine, deadline: float
) -> Piece:
    raw = piece.raw
    left = deadline - monotonic()
    if left <= 0 or raw.vertical or (raw.confidence >= CERTAIN and not prepared.black):
        return piece
    box = prepared.box([raw.quad])
    if not any(overlaps(box, seal) for seal in prepared.seals):
        return piece
    quads = [raw.quad]
    if prepared.black:
        room = free_room(piece, pieces)
        quads += [longer(raw.quad, *(min(more, end) for end in room)) for more in ROOM if max(room) > 0]
    strips = (cut_out(came, on_page(quad, prepared)) for quad in quads)
    try:
        others = [engine.read_strip(strip, seconds=left) for strip in strips if strip is not None]
    except EngineFault:  # what was read before stands: a second look never loses a page
        return piece
    said = Counter(tight(one.text) for one in (raw, *others) if one is not None)
    other = max(
        (one for one in others if one is not None),
        key=lambda one: (_is_date(one), _worth(one, said[tight(one.text)])),
        default=None,
    )
    if other is None:
        return piece
    # A black seal cannot be taken off without some of the writing: what is gone shows in the count of characters.
    worth = _worth(other, said[tight(other.text)])
    better = worth >= _worth(raw) - WITHIN if prepared.black else _is_surer(other, raw)
    if prepared.black and _is_date(other) != _is_date(raw):
        # a day that the calendar has is seldom read out of a ring or a star
        better = _is_date(other)
    return replace(piece, raw=replace(other, quad=raw.quad)) if better else piece


def free_room(piece: Piece, pieces: Sequence[Piece]) -> tuple[float, float]:
    """Free space before and behind a piece in its row, in its heights; what another piece says is not read twice."""
    west, north, east, south = _extent(piece.raw.quad)
    before = behind = max(ROOM) * (south - north)
    for other in pieces:
        left, top, right, bottom = _extent(other.raw.quad)
        if other is piece or min(south, bottom) - max(north, top) < IN_ROW * min(south - north, bottom - top):
            continue
        if left < west:
            before = min(before, max(0.0, west - right))
        if right > east:
            behind = min(behind, max(0.0, left - east))
    return before / max(1.0, south - north), behind / max(1.0, south - north)


def _is_date(raw: RawLine) -> bool:
    return find_date(tight(raw.text)) is not None


def longer(quad: Quad, before: float, behind: float) -> Quad:
    """The piece with room at either end, in its heights, for a character that may have gone with the ring."""
    a, b, c, d = (np.array(point) for point in quad)
    height = (b - a) / max(float(np.hypot(*(b - a))), 1.0) * float(np.hypot(*(d - a)))
    (e, f), (g, h), (i, j), (k, m) = (
        (a - before * height).tolist(),
        (b + behind * height).tolist(),
        (c + behind * height).tolist(),
        (d - before * height).tolist(),
    )
    return (e, f), (g, h), (i, j), (k, m)


def _worth(raw: RawLine, said: int = 1) -> float:
    """Sure characters, less a little for each that is not; less of it where several readings say the same (`said`)."""
    scores = raw.characters if len(raw.characters) == len(raw.text) else [raw.confidence] * len(raw.text)
    none: float = NO_GAIN**said
    return sum(score - none for score in scores) / (1 - none)


def _is_surer(other: RawLine, raw: RawLine) -> bool:
    return other.confidence >= raw.confidence + BETTER and len(other.text) >= SHORTEST * len(raw.text)


def without_seal_text(pieces: Sequence[Piece], prepared: Prepared) -> list[Piece]:
    """The pieces but the seal's own writing: along its ring, above or alone, and small below its star (专用章).

    署名 and 成文日期 stand in the middle of a seal or lower (GB/T 9704-2012 §7.3.5.1), nothing above; both are in the
    size of the text.
    """
    found = rings(prepared)
    return [
        piece for piece in pieces
        if not any(
            _along(piece, *ring) or _below_star(piece, *ring, others=pieces)
            or _of_ring(piece, *ring, others=pieces)
            for ring in found
        )
    ]  # fmt: skip


def lost_under_black_seals(
    pieces: Sequence[Piece], prepared: Prepared, came: Picture, engine: Engine, *, deadline: float
) -> list[Piece]:
    """What only the page as it came shows around its black seals: with the ring a whole line may have gone."""
    lost: list[Piece] = []
    for x, y, radius in rings(prepared) if prepared.black else ():
        left = deadline - monotonic()
        if left <= 0:
            break
        west, north, east, south = x - AROUND * radius, y - radius / 2, x + AROUND * radius, y + 1.1 * radius
        area: Quad = (west, north), (east, north), (east, south), (west, south)
        # The whole page is too coarse for the detector to part ring and writing; the heavy strokes hide some of it, and
        # taking them off cuts some of it.
        parts = (cut_out(came, on_page(area, prepared)), cut_out(prepared.picture, area))
        try:
            raws = [raw for part in parts if part is not None for raw in engine.read(part, seconds=left)]
        except EngineFault:
            break
        for raw in raws:
            (a, b), (c, d), (e, f), (g, h) = ((across + west, down + north) for across, down in raw.quad)
            moved = replace(raw, quad=((a, b), (c, d), (e, f), (g, h)))
            known = any(_shared(moved.quad, piece.raw.quad) > KNOWN for piece in (*pieces, *lost))
            if moved.confidence >= LEAST_FOUND and not known:
                kind = measure_type(prepared.picture, moved.quad, moved.text, dpi=prepared.dpi)
                lost.append(Piece(raw=moved, type=kind))
    return lost


def rings(prepared: Prepared) -> list[tuple[float, float, float]]:
    """Middle and radius of each seal in pixels of the prepared page."""
    forth = np.linalg.inv(prepared.back)
    width, height = prepared.size
    found = []
    for seal in prepared.seals:
        x, y, _ = forth @ (seal.centre[0] * width, seal.centre[1] * height, 1.0)
        radius = ((seal.right - seal.left) * width + (seal.bottom - seal.top) * height) / 4
        found.append((float(x), float(y), float(radius)))
    return found


def _shared(one: Quad, other: Quad) -> float:
    """Part of the smaller piece's box that lies in the other's."""
    (left, top, right, bottom), (west, north, east, south) = _extent(one), _extent(other)
    area = max(0.0, min(right, east) - max(left, west)) * max(0.0, min(bottom, south) - max(top, north))
    smaller = min((right - left) * (bottom - top), (east - west) * (south - north))
    return area / max(smaller, 1.0)


def _extent(quad: Quad) -> tuple[float, float, float, float]:
    across, down = [x for x, _ in quad], [y for _, y in quad]
    return min(across), min(down), max(across), max(down)


def _along(piece: Piece, x: float, y: float, radius: float) -> bool:
    across, down = [point[0] for point in piece.raw.quad], [point[1] for point in piece.raw.quad]
    middle = (min(down) + max(down)) / 2
    inside = x - REACH * radius <= min(across) and max(across) <= x + REACH * radius
    return inside and -1.1 * radius <= middle - y <= -UPPER * radius


def _below_star(piece: Piece, x: float, y: float, radius: float, *, others: Sequence[Piece]) -> bool:
    """Whether a piece stands alone in its row in the lower half of a ring, in its middle, in smaller type."""
    west, north, east, south = _extent(piece.raw.quad)
    if not BELOW[0] * radius <= (north + south) / 2 - y <= BELOW[1] * radius or piece.raw.vertical:
        return False
    if abs((west + east) / 2 - x) > ASIDE * radius or east - west > WIDEST_BELOW * radius:
        return False
    level = [one for one in others if one is not piece and not one.raw.vertical]
    if _in_row(piece, level, x, radius):
        return False
    pitches = sorted(_pitch(one) for one in level for _ in one.raw.text if len(one.raw.text) >= IN_TEXT)
    chinese = not any(character.isascii() for character in piece.raw.text)
    return chinese and bool(pitches) and _pitch(piece) < SMALLER * pitches[len(pitches) // 2]


def _of_ring(piece: Piece, x: float, y: float, radius: float, *, others: Sequence[Piece]) -> bool:
    """Whether a piece is one Chinese character on the ring's writing that belongs to no row near the seal."""
    west, north, east, south = _extent(piece.raw.quad)
    text = piece.raw.text.strip()
    away = math.hypot((west + east) / 2 - x, (north + south) / 2 - y)
    if len(text) != 1 or text.isascii() or not BAND[0] * radius <= away <= BAND[1] * radius:
        return False
    return not _in_row(piece, [one for one in others if one is not piece], x, radius)


def _in_row(piece: Piece, others: Sequence[Piece], x: float, radius: float) -> bool:
    """Whether another piece near the seal stands in the row of this one."""
    _, north, _, south = _extent(piece.raw.quad)
    for left, top, right, bottom in (_extent(one.raw.quad) for one in others):
        beside = right > x - 2 * radius and left < x + 2 * radius
        if beside and min(south, bottom) - max(north, top) > IN_ROW * min(south - north, bottom - top):
            return True
    return False


def _pitch(piece: Piece) -> float:
    """From character to character, pixels; how high the ink is tells little where a line stands close by."""
    west, north, east, south = _extent(piece.raw.quad)
    return (east - west - BEYOND * (south - north)) / max(1, len(piece.raw.text.strip()))


def without_show_through(pieces: Sequence[Piece], prepared: Prepared) -> list[Piece]:
    """The pieces but those that are faint beside the rest of the page and read badly."""
    return [piece for piece in pieces if not _shines_through(piece, prepared)]


def _shines_through(piece: Piece, prepared: Prepared) -> bool:
    if piece.raw.confidence >= DOUBTFUL:
        return False
    height, width = prepared.picture.shape[:2]
    across, down = [x for x, _ in piece.raw.quad], [y for _, y in piece.raw.quad]
    left, right = max(0, int(min(across))), min(width, int(max(across)) + 1)
    top, bottom = max(0, int(min(down))), min(height, int(max(down)) + 1)
    part = prepared.picture[top:bottom, left:right]
    if part.size == 0:
        return False
    # the thin type of a fax inks a fiftieth of its line and less
    paper, ink = np.percentile(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), (80, 2))
    return bool(paper - ink < FAINT * prepared.depth)


def overlaps(line: Box, seal: Box) -> bool:
    """Whether a good part of a line lies under a seal."""
    wide = min(line.right, seal.right) - max(line.left, seal.left)
    high = min(line.bottom, seal.bottom) - max(line.top, seal.top)
    return wide > 0 and high > COVERED * (line.bottom - line.top)


def on_page(quad: Quad, prepared: Prepared) -> Quad:
    """The same place on the page as it came, pixels."""
    corners = prepared.back @ np.array([(x, y, 1.0) for x, y in quad]).T
    (a, b), (c, d), (e, f), (g, h) = corners[:2].T.tolist()
    return (a, b), (c, d), (e, f), (g, h)
