"""Whose fingerprint it is: the chips of a picture against the fingerprints of one copy, or of every copy there is.

The signs of a fingerprint are keyed and know nothing of any picture: whatever the picture shows, its correlation with
the fingerprint of a copy that it does not come from is a sum of fixed values a with random signs, divided by its own
length. So P(z >= t) <= exp(-t * t / 2): with sum(a * a) = 1 the mean of exp(t * sum(a * s)) is the product of
cosh(t * a) <= exp(t * t * a * a / 2), term by term of the series since (2k)! >= 2^k k!, and Markov's inequality gives
the rest (Hoeffding 1963, theorem 2, doi 10.1080/01621459.1963.10500830). With the number of places and copies that were
tried this bounds false attribution without any assumption about pages (docs/spec/mark.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .code import CODE_BITS
from .tint import CHIPS, TintKey, shells

Plane = NDArray[Any]
ACCEPTED_Z = 9.0
WEAK_Z = 6.0
"""From here on a fingerprint may be called a weak lead, in a report alone."""
FALSE_RATE = 1e-9
"""Above this bound no fingerprint is believed, whatever its z."""
PAGE_TILES = 12
"""Tiles along a page's side among which a crop's place is looked for: 480 mm, more than A3."""
_A4_TILES = 8
_AT_ONCE = 64
_PRODUCT = 256
"""Picture tiles times rows of chips that are compared in the first pass over all copies."""
_FIRST_TILES = 32
_SIGNS = 1 - 2 * np.unpackbits(np.arange(256, dtype=np.uint8)).reshape(256, 8).astype(np.float32)
"""Of every byte: its bits, from the top, 0 as +1 and 1 as -1."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The chips of a picture on the tint's grid, T taken away: values and how much paper stood behind each.

    `homography` takes mm from the first chip's corner to the picture's own pixels; `strength`: of T, in the residual's
    standard deviations; `clarity`: how surely T is there, the same in standard deviations of its sum.
    """

    values: Plane
    cover: Plane
    channel: str
    homography: Plane
    mirrored: bool = False
    strength: float = 0.0
    clarity: float = 0.0

    @property
    def places(self) -> int:
        """At how many places of a page the picture may lie."""
        rows, columns = self.values.shape[0] // CHIPS, self.values.shape[1] // CHIPS
        return int((rows + PAGE_TILES - 1) * (columns + PAGE_TILES - 1))


@dataclass(frozen=True, slots=True)
class Match:
    """One fingerprint in one sighting: the correlation in standard deviations at its best place, and that place: the
    page's tile (row, column) under the sighting's first one.
    """

    z: float
    row: int
    column: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A copy whose fingerprint was recognised: `tests` tries were made for it, `sighting` counts from 0."""

    id: int
    z: float
    tests: float
    sighting: int


def chance(z: float, tests: float) -> float:
    """Bound of the probability that one of so many tries reaches `z` by chance (Hoeffding; the proof stands above)."""
    return min(1.0, tests * math.exp(-(max(0.0, z) ** 2) / 2))


def fold(seen: Seen, key: TintKey) -> NDArray[Any]:
    """The 264 code bits' soft values, over all tiles."""
    tile = tiles_of(seen.values).sum(axis=(0, 1)) * key.signs
    return np.bincount(key.places.ravel(), weights=tile.ravel(), minlength=CODE_BITS)


def print_z(seen: Seen, key: TintKey, id: int) -> float:
    """The fingerprint's correlation in standard deviations, at the place of the page where it is best."""
    return match(seen, key, id).z


def match(seen: Seen, key: TintKey, id: int, *, without: bool = True) -> Match:
    """The fingerprint at its best place; `without`: the number's own part is taken away before."""
    tiles = rest_of(seen, key, id) if without else tiles_of(seen.values)
    spread = float(np.sqrt(np.square(tiles).sum(dtype=np.float64)))
    if spread <= 0:
        return Match(0.0, 0, 0)
    rows, columns = tiles.shape[:2]
    total = _correlations(tiles, key.prints(id, PAGE_TILES))
    at = np.unravel_index(int(total.argmax()), total.shape)
    return Match(float(total.max()) / spread, int(at[0]) - (rows - 1), int(at[1]) - (columns - 1))


def first_pass(sightings: Sequence[Seen], key: TintKey, ids: Sequence[int]) -> Plane:
    """For each sighting and copy the best correlation over the places on a page up to A4 (sightings x copies, in
    standard deviations), by those rows of chips and those tiles that hold most; good for choosing, not for judging.
    """
    parts, covers = [_plain(seen) for seen in sightings], [tiles_of(seen.cover) for seen in sightings]
    share = max(1, _FIRST_TILES // len(parts))
    chosen = [_fullest(cover, share) for cover in covers]
    count = sum(len(places) for places in chosen)
    out = np.zeros((len(parts), len(ids)), np.float32)
    if count == 0:
        return out
    paper = sum(cover.sum(axis=(0, 1, 3)) for cover in covers)
    kept = np.sort(np.argsort(-paper)[: max(4, min(CHIPS, _PRODUCT // count))])
    vectors, spreads = [], []
    for part, places in zip(parts, chosen, strict=True):
        flat = np.stack([part[place][kept].ravel() for place in places]) if places else part.reshape(0, 1)
        spread = float(np.sqrt(np.square(flat).sum(dtype=np.float64)))
        spreads.append(spread)
        if places and spread > 0:
            vectors.append(flat / np.float32(spread))
    if not vectors:
        return out
    matrix = np.ascontiguousarray(np.concatenate(vectors), np.float32)
    side, order = _A4_TILES, shells(_A4_TILES)

    def compare(at: int) -> None:
        some = ids[at : at + _AT_ONCE]
        words = np.frombuffer(b"".join(key.print_bytes(int(id), side) for id in some), np.uint32)
        packed = np.ascontiguousarray(words.reshape(-1, CHIPS)[:, kept]).view(np.uint8).reshape(-1)
        field = np.take(_SIGNS, packed, axis=0, mode="clip")
        shares = matrix @ field.reshape(len(some) * side * side, -1).T
        grid = shares.reshape(len(matrix), len(some), side * side)[:, :, order]
        first = 0
        for number, (part, places) in enumerate(zip(parts, chosen, strict=True)):
            if not places or spreads[number] <= 0:
                continue
            rows, columns = part.shape[:2]
            total = np.zeros((len(some), rows + side - 1, columns + side - 1), np.float32)
            for (i, j), plane in zip(places, grid[first : first + len(places)], strict=True):
                total[:, rows - 1 - i : rows - 1 - i + side, columns - 1 - j : columns - 1 - j + side] += (
                    plane
                )
            out[number, at : at + len(some)] = total.max(axis=(1, 2))
            first += len(places)

    # one makes fingerprints while the other multiplies
    with ThreadPoolExecutor(2) as threads:
        for _ in threads.map(compare, range(0, len(ids), _AT_ONCE)):
            pass
    return out


def tiles_of(plane: Plane) -> Plane:
    """A plane of chips as tiles: rows x columns x 32 x 32."""
    rows, columns = plane.shape[0] // CHIPS, plane.shape[1] // CHIPS
    return plane.reshape(rows, CHIPS, columns, CHIPS).swapaxes(1, 2)


def rest_of(seen: Seen, key: TintKey, id: int) -> Plane:
    """The tiles without the part that says this id."""
    tile = key.tile(id).astype(np.float32)
    tiles, cover = tiles_of(seen.values), tiles_of(seen.cover)
    amount = float((tiles * tile).sum()) / max(1e-9, float(cover.sum()))
    rest: Plane = tiles - np.float32(amount) * cover * tile
    return rest


def _plain(seen: Seen) -> Plane:
    """The tiles without what they have in common, whichever number that says."""
    tiles, cover = tiles_of(seen.values), tiles_of(seen.cover)
    if tiles.shape[0] * tiles.shape[1] < 8:
        return np.ascontiguousarray(tiles)
    common = tiles.sum(axis=(0, 1)) / np.maximum(cover.sum(axis=(0, 1)), 1.0)
    return np.ascontiguousarray(tiles - common * cover)


def _fullest(cover: Plane, count: int) -> list[tuple[int, int]]:
    """The tiles that hold most quiet paper."""
    paper = cover.sum(axis=(2, 3))
    order = np.argsort(-paper, axis=None)[:count]
    places = [divmod(int(index), cover.shape[1]) for index in order]
    return [place for place in places if paper[place] > 0.05 * float(paper.max())]


def _correlations(tiles: Plane, prints: Plane) -> Plane:
    """Of the tiles with a fingerprint (side x side tiles), for every place that they may have on its page."""
    rows, columns, side = tiles.shape[0], tiles.shape[1], prints.shape[0]
    used = [(i, j) for i in range(rows) for j in range(columns) if tiles[i, j].any()]
    flat = np.stack([tiles[place].ravel() for place in used])
    shares = (flat @ prints.reshape(side * side, -1).astype(np.float32).T).reshape(-1, side, side)
    total = np.zeros((rows + side - 1, columns + side - 1))
    for (i, j), share in zip(used, shares, strict=True):
        total[rows - 1 - i : rows - 1 - i + side, columns - 1 - j : columns - 1 - j + side] += share
    return total


def highest(values: Plane, count: int) -> NDArray[np.intp]:
    """The places of the highest values, the highest first."""
    if len(values) <= count:
        return np.argsort(-values)
    top = np.argpartition(-values, count)[:count]
    return top[np.argsort(-values[top])]
