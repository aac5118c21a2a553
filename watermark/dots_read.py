"""Reads the dots: from small dark points that stand alone to the grid they follow, and to the copy's number.

Points come from a matched filter; which turn and scale the grid has, from the spectrum of the points; where each place
of the grid lies, block by block from where it fits best, so that a photographed or bent page is followed too. Then each
dot says two signs. As with the tint a number is named only when its check holds and the fingerprint is there too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .code import CODE_BITS, decode
from .dots import PLACES, PRINT_SLOTS, DotKey
from .dots_find import FEWEST, MOST, likely, points_of
from .dots_grid import follow
from .tint import TintKey
from .tint_match import FALSE_RATE, chance

Plane = NDArray[Any]
Points = NDArray[np.float64]
Matrix = NDArray[Any]

LONGEST = 4200
"""Pixels to which a picture's longer side is brought down."""
ACCEPTED_Z = 9.0
_SYNC_Z = 6.0
_PAGE_TILES = 12
"""Tiles along a page's side among which a crop's place is looked for: 480 mm, more than A3."""
_FIRST_TILES, _FIRST_SIDE, _AT_ONCE, _LOOKED_AT = 8, 8, 256, 40
_TRIES = 40
_CLEAR_SHARE, _CLEAR_TRIES = 0.6, 2
"""Grids that so many of all points follow, of which no more are looked at."""


@dataclass(frozen=True, slots=True)
class DotReading:
    """What the dots of a picture said. `z`: how surely the fingerprint is that copy's; `dots`: how many spoke; `tests`:
    at how many places of a page the fingerprint was tried.
    """

    id: int
    z: float
    dots: int
    tests: int


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs of a picture's dots by tile of the grid, its corner found: rows x columns x 512 (-1 … 1, 0 unseen)."""

    tiles: Plane
    dots: int


def read(picture: NDArray[np.uint8], key: TintKey, *, end: float | None = None) -> DotReading | None:
    """The answer of `look` alone."""
    return look(picture, key, end=end)[0]


def look(
    picture: NDArray[np.uint8], key: TintKey, *, end: float | None = None
) -> tuple[DotReading | None, tuple[Signs, ...]]:
    """The copy whose dots a picture (height x width x 3, RGB) shows, None when there is no answer by `end`
    (`time.monotonic`); and every way in which the grid was seen until then.
    """
    fixed, seen = DotKey(key), []
    for signs in sightings(picture, fixed, end=end):
        seen.append(signs)
        reading = number(signs, fixed)
        if reading is not None:
            return reading, tuple(seen)
    return None, tuple(seen)


def suspects(seen: Sequence[Signs], key: TintKey, ids: Sequence[int]) -> tuple[DotReading, ...]:
    """Copies of the register whose fingerprint one of the sightings shows though no number can be read, the surest
    first. The signs of a fingerprint know nothing of any picture: `tests`, over all sightings, bounds what chance can
    do (tint_match.py).
    """
    fixed = DotKey(key)
    tests = sum(_places(signs) for signs in seen) * len(ids)
    for signs in seen:
        found = [
            DotReading(id, z, signs.dots, tests)
            for id in _likeliest(signs, fixed, ids)
            if (z := print_z(signs, fixed, id)) >= ACCEPTED_Z and chance(z, tests) <= FALSE_RATE
        ]
        if found:
            return tuple(sorted(found, key=lambda reading: -reading.z))
    return ()


def number(signs: Signs, key: DotKey) -> DotReading | None:
    """The number that the signs say, when its check holds and its fingerprint is there."""
    total = signs.tiles.sum(axis=(0, 1)) * key.signs.ravel()
    ranks = key.ranks.ravel()
    soft = np.zeros(CODE_BITS)
    soft[ranks[ranks < CODE_BITS]] = total[ranks < CODE_BITS]
    id = decode(soft)
    if id is None:
        return None
    z = print_z(signs, key, id)
    return DotReading(id, z, signs.dots, _places(signs)) if z >= ACCEPTED_Z else None


def print_z(signs: Signs, key: DotKey, id: int) -> float:
    """The fingerprint's correlation in standard deviations, at the place of the page where it is best."""
    own = signs.tiles[:, :, key.print_slots]
    spread = float(np.sqrt(np.square(own).sum()))
    if spread <= 0:
        return 0.0
    side = _PAGE_TILES
    rows, columns = own.shape[:2]
    prints = key.prints(id, side).reshape(side * side, PRINT_SLOTS).astype(np.float64)
    shares = (own.reshape(rows * columns, PRINT_SLOTS) @ prints.T).reshape(rows, columns, side, side)
    total = np.zeros((rows + side - 1, columns + side - 1))
    for i in range(rows):
        for j in range(columns):
            total[rows - 1 - i : rows - 1 - i + side, columns - 1 - j : columns - 1 - j + side] += shares[
                i, j
            ]
    return float(total.max() / spread)


def _likeliest(signs: Signs, key: DotKey, ids: Sequence[int]) -> list[int]:
    """The copies whose fingerprints fit best, by the fullest tiles and pages up to A4: a first pass over all."""
    rows, columns = signs.tiles.shape[:2]
    own = signs.tiles[:, :, key.print_slots].astype(np.float32)
    counts = np.abs(own).sum(axis=2).ravel()
    used = [divmod(int(place), columns) for place in np.argsort(-counts)[:_FIRST_TILES] if counts[place] > 0]
    if not used:
        return []
    flat = np.stack([own[place] for place in used])
    side = _FIRST_SIDE
    scores = []
    for at in range(0, len(ids), _AT_ONCE):
        some = ids[at : at + _AT_ONCE]
        prints = np.stack([key.prints(id, side) for id in some]).reshape(-1, PRINT_SLOTS).astype(np.float32)
        shares = (flat @ prints.T).reshape(len(used), len(some), side, side)
        total = np.zeros((len(some), rows + side - 1, columns + side - 1), np.float32)
        for (i, j), share in zip(used, shares, strict=True):
            total[:, rows - 1 - i : rows - 1 - i + side, columns - 1 - j : columns - 1 - j + side] += share
        scores.append(total.max(axis=(1, 2)))
    if not scores:
        return []
    return [ids[int(place)] for place in np.argsort(-np.concatenate(scores))[:_LOOKED_AT]]


def _places(signs: Signs) -> int:
    rows, columns = signs.tiles.shape[:2]
    return int((rows + _PAGE_TILES - 1) * (columns + _PAGE_TILES - 1))


def sightings(picture: NDArray[np.uint8], key: DotKey, *, end: float | None = None) -> Iterator[Signs]:
    """Every way in which the grid was found in the picture, its tiles' corner found too, until `end`."""
    longest = max(picture.shape[:2])
    if min(picture.shape[:2]) < 40:
        return
    if longest > LONGEST:
        rate = LONGEST / longest
        picture = np.asarray(
            cv2.resize(picture, None, fx=rate, fy=rate, interpolation=cv2.INTER_AREA), np.uint8
        )
    points = points_of(picture)
    if not FEWEST <= len(points) <= MOST:
        return
    tried: list[Matrix] = []
    clear = 0
    for basis, window in likely(points, picture.shape[:2]):
        if end is not None and time.monotonic() > end:
            return
        if any(np.linalg.norm(basis - other) < 0.03 * np.linalg.norm(other) for other in tried):
            continue
        tried.append(basis)
        if len(tried) > _TRIES:
            return
        grid = follow(points, basis, window)
        if grid is None:
            continue
        yield from _placed(grid, key)
        if np.count_nonzero(grid[:, :, 0]) > _CLEAR_SHARE * len(points):
            clear += 1
            if clear >= _CLEAR_TRIES:
                return  # this is the grid, and it is not ours


def _placed(grid: Plane, key: DotKey) -> Iterator[Signs]:
    """The tiles as they stand on the page: the turn, the side and the corner that fit the signs known beforehand."""
    found: list[tuple[float, int, tuple[int, int], Plane]] = []
    for mirrored in (False, True):
        turned = grid[:, ::-1] * (-1, 1) if mirrored else grid
        for _ in range(4):
            z, corner = _corner(turned, key)
            found.append((z, len(found), corner, turned))
            # a quarter turn: right becomes down, down becomes left
            turned = np.rot90(turned, -1)
            turned = np.stack([-turned[:, :, 1], turned[:, :, 0]], axis=2)
    found.sort(key=lambda item: -item[0])
    for z, _, (down, right), turned in found[:1]:
        if z < _SYNC_Z:
            return
        rows, columns = turned.shape[:2]
        high = -(-(rows + down) // PLACES) * PLACES
        broad = -(-(columns + right) // PLACES) * PLACES
        whole = np.zeros((high, broad, 2))
        whole[down : down + rows, right : right + columns] = turned
        yield Signs(_tiled(whole), int(np.count_nonzero(whole[:, :, 0])))


def _corner(grid: Plane, key: DotKey) -> tuple[float, tuple[int, int]]:
    """How far down and right of a tile's corner the grid begins, and how surely."""
    rows, columns = grid.shape[:2]
    whole = np.zeros((-(-rows // PLACES) * PLACES, -(-columns // PLACES) * PLACES, 2))
    whole[:rows, :columns] = grid
    folded = whole.reshape(-1, PLACES, whole.shape[1] // PLACES, PLACES, 2)
    signs, counts = folded.sum(axis=(0, 2)), np.square(folded).sum(axis=(0, 2))
    sync = key.sync.astype(float)
    hits = _against(signs, sync)
    size = np.sqrt(np.maximum(1.0, _against(counts, np.square(sync))))
    z = hits / size
    down, right = np.unravel_index(int(z.argmax()), z.shape)
    return float(z.max()), (int(down), int(right))


def _against(folded: Plane, sync: Plane) -> Plane:
    """Correlation over all shifts of a tile: what begins at [d, r] of the tile."""
    one, other = np.fft.fft2(folded, axes=(0, 1)), np.fft.fft2(sync, axes=(0, 1))
    total: Plane = np.fft.ifft2(np.conj(one) * other, axes=(0, 1)).real.sum(axis=2)
    return total


def _tiled(whole: Plane) -> Plane:
    rows, columns = whole.shape[0] // PLACES, whole.shape[1] // PLACES
    return whole.reshape(rows, PLACES, columns, PLACES, 2).swapaxes(1, 2).reshape(rows, columns, -1)
