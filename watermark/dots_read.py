"""Reads the dots: from small dark points that stand alone to the grid they follow, and to the copy's number.

Points come from a matched filter; which turn and scale the grid has, from the spectrum of the points; where each place
of the grid lies, block by block from where it fits best, so that a photographed or bent page is followed too. Then each
dot says two signs. As with the tint a number is named only when its check holds and the fingerprint is there too.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .code import CODE_BITS, decode
from .dots import GRID_MM, MOVED, PLACES, PRINT_SLOTS, DotKey
from .tint import TintKey
from .tint_match import FALSE_RATE, chance

Plane = NDArray[Any]
Points = NDArray[np.float64]
Matrix = NDArray[Any]

LONGEST = 4200
"""Pixels to which a picture's longer side is brought down."""
ACCEPTED_Z = 9.0
_SYNC_Z = 6.0
_FEW, _FAIR, _SURE = 6, 1.5, 4.0
"""Points by which a neighbourhood is placed; how surely they must follow the grid; how surely the first ones."""
_FEWEST, _MOST = 60, 60_000
"""Points with which a grid is looked for."""
_PAGE_TILES = 12
"""Tiles along a page's side among which a crop's place is looked for: 480 mm, more than A3."""
_FIRST_TILES, _FIRST_SIDE, _AT_ONCE, _LOOKED_AT = 8, 8, 256, 40
_FIELD = 1024
_SHORTEST, _LONGEST_PERIOD = 4.5, 110.0
"""Grid steps looked for, in pixels of the field of 1024."""
_PEAK, _STRONGEST = 5.0, 12.0
"""Height of a peak, in means of its surroundings, from which it may be a grid's; above the second all are alike."""
_TRIES, _MANY = 40, 600
_CLEAR_SHARE, _CLEAR_TRIES = 0.6, 2
"""Grids that so many of all points follow, of which no more are looked at."""
_WINDOWS = (
    (0.0, 0.0, 1.0), (0.25, 0.25, 0.5), (0.0, 0.0, 0.5), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5), (0.5, 0.5, 0.5),
    (0.33, 0.0, 0.33), (0.33, 0.67, 0.33), (0.0, 0.33, 0.33), (0.67, 0.33, 0.33),
)  # fmt: skip
"""Parts of the picture that are looked at in turn (left, top, side; shares): a photo's scale changes over the page."""
_BLOCK = 6.0
"""Side of a block, in grid steps."""
_NEAR = 0.075
"""How far off its two possible places a dot may stand, in grid steps: of points anywhere one in eleven does."""
_FAINTEST, _FAINT = 8.0, 12.0
"""Levels that a spot's middle differs at least from its surroundings; that something is darker than paper."""
_BY_CHANCE = (4 * _NEAR) ** 2


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
    """The copy whose dots a picture (height x width x 3, RGB) shows; None when there is no answer, or none by `end`
    (`time.monotonic`).
    """
    fixed = DotKey(key)
    for signs in sightings(picture, fixed, end=end):
        reading = number(signs, fixed)
        if reading is not None:
            return reading
    return None


def suspects(
    picture: NDArray[np.uint8], key: TintKey, ids: Sequence[int], *, end: float | None = None
) -> tuple[DotReading, ...]:
    """Copies of the register whose fingerprint the dots show though no number can be read, the surest first. The signs
    of a fingerprint know nothing of any picture: `tests` bounds what chance can do (tint_match.py).
    """
    fixed = DotKey(key)
    for signs in sightings(picture, fixed, end=end):
        tests = _places(signs) * len(ids)
        found = [
            DotReading(id, z, signs.dots, tests)
            for id in _likeliest(signs, fixed, ids)
            if (z := print_z(signs, fixed, id)) >= ACCEPTED_Z and chance(z, tests) <= FALSE_RATE
        ]
        if found:
            return tuple(sorted(found, key=lambda reading: -reading.z))
    return ()


def confirm(picture: NDArray[np.uint8], key: TintKey, id: int, *, width_mm: float, height_mm: float) -> bool:
    """Whether a whole page's picture shows this copy's dots, where they are known to stand: number and fingerprint."""
    fixed = DotKey(key)
    points = _spots(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), 1.0)
    steps = np.array([width_mm / picture.shape[1], height_mm / picture.shape[0]]) / GRID_MM
    shape = int(height_mm / GRID_MM) + 1, int(width_mm / GRID_MM) + 1
    at = (points + 0.5) * steps
    grid = _gather(at, np.floor(at) + 0.5, shape)
    side = [-(-count // PLACES) * PLACES for count in shape]
    padded = np.zeros((*side, 2))
    padded[: shape[0], : shape[1]] = grid
    signs = Signs(_tiled(padded), int(np.count_nonzero(grid[:, :, 0])))
    reading = number(signs, fixed)
    return reading is not None and reading.id == id


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
    if not _FEWEST <= len(points) <= _MOST:
        return
    tried: list[Matrix] = []
    clear = 0
    for basis, window in _with_lower(_bases(points, picture.shape[:2])):
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


def points_of(picture: NDArray[np.uint8]) -> Points:
    """Middles (pixels; count x 2) of small dark points that stand alone on light ground."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    found = [_spots(luma, 1.0)]
    if len(found[0]) < _MOST and max(luma.shape) > 1000:
        half = cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        found.append(_spots(half, 1.0) * 2 + 0.5)
    return max(found, key=lambda points: len(points) if len(points) <= _MOST else 0)


def _spots(luma: Plane, width: float) -> Points:
    """Middles of spots about so wide (standard deviation of the filter, pixels)."""
    fine = cv2.GaussianBlur(luma, (0, 0), width)
    answer = cv2.GaussianBlur(luma, (0, 0), width * 2.5) - fine
    least = max(_FAINTEST, 4.0 * float(np.median(np.abs(answer))) / 0.6745)
    reach = 2 * round(2.5 * width) + 1
    peak = (answer >= cv2.dilate(answer, np.ones((reach, reach), np.uint8))) & (answer > least)
    # alone: a ring round the spot is as light as its surroundings
    ground = cv2.dilate(fine, np.ones((2 * round(5 * width) + 1,) * 2, np.uint8))
    near = cv2.dilate(answer, np.ones((reach, reach), np.uint8))
    dark = (ground - fine > np.maximum(0.4 * near, _FAINT)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    size = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    small = size <= 8.5 * width
    small[0] = False
    rows, columns = np.nonzero(peak)
    keep = small[labels[rows, columns]]
    rows, columns = rows[keep], columns[keep]
    order = np.argsort(-answer[rows, columns], kind="stable")  # of a spot with several equal peaks one counts
    _, firsts = np.unique(labels[rows[order], columns[order]], return_index=True)
    rows, columns = rows[order[firsts]], columns[order[firsts]]
    inside = (rows > 1) & (columns > 1) & (rows < luma.shape[0] - 2) & (columns < luma.shape[1] - 2)
    rows, columns = rows[inside], columns[inside]
    if len(rows) == 0:
        return np.zeros((0, 2))
    shifts = np.arange(-2, 3)
    around = np.maximum(answer[rows[:, None, None] + shifts[:, None], columns[:, None, None] + shifts], 0)
    mass = around.sum(axis=(1, 2))
    x = columns + (around.sum(axis=1) * shifts).sum(axis=1) / mass
    y = rows + (around.sum(axis=2) * shifts).sum(axis=1) / mass
    return np.stack([x, y], axis=1).astype(np.float64)


def _bases(
    points: Points, shape: tuple[int, ...]
) -> Iterator[tuple[Matrix, tuple[float, float, float, float]]]:
    """Likely grids: matrix from pixels to grid steps, and the window (left, top, right, bottom) in which it fits."""
    rows, columns = shape[:2]
    for x, y, share in _WINDOWS if len(points) > _MANY else _WINDOWS[:1]:
        window = (x * columns, y * rows, (x + share) * columns, (y + share) * rows)
        inside = (
            (points[:, 0] >= window[0]) & (points[:, 0] < window[2])
            & (points[:, 1] >= window[1]) & (points[:, 1] < window[3])
        )  # fmt: skip
        if inside.sum() < _FEWEST:
            continue
        for basis in _peaks(points[inside] - window[:2], share * max(rows, columns)):
            yield basis, window


def _with_lower(
    bases: Iterator[tuple[Matrix, tuple[float, float, float, float]]],
) -> Iterator[tuple[Matrix, tuple[float, float, float, float]]]:
    """With each grid those of which it may be a harmonic: dots moved by an eighth show the fourth most clearly."""
    for basis, window in bases:
        yield basis, window
        yield basis / 4, window
        yield basis / 3, window


def _peaks(points: Points, side: float) -> list[Matrix]:
    """Grids that the spectrum of the points shows, the clearest first: matrices from pixels to grid steps."""
    rate = _FIELD / side
    field = np.zeros((_FIELD, _FIELD), np.float32)
    at = np.clip(points * rate, 0, _FIELD - 1.01)
    whole = at.astype(int)
    part = at - whole
    for dx in (0, 1):
        for dy in (0, 1):
            share = np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1])
            np.add.at(field, (whole[:, 1] + dy, whole[:, 0] + dx), share)
    field -= cv2.blur(field, (201, 201))
    plane = cv2.dft(field, flags=cv2.DFT_COMPLEX_OUTPUT)
    size: Plane = np.fft.fftshift(cv2.magnitude(plane[:, :, 0], plane[:, :, 1]))
    size /= np.maximum(cv2.blur(size, (31, 31)), 1e-6)
    middle = _FIELD // 2
    # a grid seen askew has its two directions not quite square
    wide = cv2.dilate(np.minimum(size, np.float32(_STRONGEST)), np.ones((5, 5), np.uint8))[1:, 1:]
    turned = np.rot90(wide)
    score = np.minimum(wide, turned) + 0.25 * (wide + turned)
    score[~_looked_at()] = 0
    found = []
    for _ in range(4):
        _, best, _, (column, row) = cv2.minMaxLoc(score)
        if best < _PEAK:
            break
        one = _middle(size, column + 1, row + 1)
        other = _middle(size, 2 * middle - row - 1, column + 1)
        score[max(0, row - 6) : row + 7, max(0, column - 6) : column + 7] = 0
        basis = (np.array([one, other]) - middle) / side
        if abs(np.linalg.det(basis)) > 0.5 * np.linalg.norm(basis[0]) * np.linalg.norm(basis[1]):
            found.append(basis)
    return found


@cache
def _looked_at() -> NDArray[np.bool_]:
    """Where in the spectrum one direction of a grid is looked for: a quarter of all, which stands for the others."""
    y, x = np.indices((_FIELD - 1, _FIELD - 1)) - (_FIELD // 2 - 1)
    radius = np.hypot(x, y)
    looked_at: NDArray[np.bool_] = (
        (radius > _FIELD / _LONGEST_PERIOD) & (radius < _FIELD / _SHORTEST) & (x > 0) & (y >= 0)
    )
    return looked_at


def _middle(size: Plane, column: int, row: int) -> NDArray[Any]:
    """The peak near this place, between the pixels."""
    reach = 3
    column, row = (
        int(np.clip(column, reach + 1, _FIELD - reach - 2)),
        int(np.clip(row, reach + 1, _FIELD - reach - 2)),
    )
    part = size[row - reach : row + reach + 1, column - reach : column + reach + 1]
    dy, dx = np.unravel_index(int(part.argmax()), part.shape)
    y, x = row - reach + int(dy), column - reach + int(dx)
    around = size[y - 1 : y + 2, x - 1 : x + 2].astype(float) ** 2
    shift = np.array([-1.0, 0.0, 1.0])
    mass = around.sum()
    if around.shape != (3, 3) or mass <= 0:
        return np.array([x, y], float)
    return np.array(
        [x + (around.sum(axis=0) * shift).sum() / mass, y + (around.sum(axis=1) * shift).sum() / mass]
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    """A map of one neighbourhood (`steps = matrix @ pixels + shift`), and how surely its points follow the grid, in
    standard deviations above chance.
    """

    matrix: Matrix
    shift: NDArray[Any]
    sure: float


def follow(points: Points, basis: Matrix, window: tuple[float, float, float, float]) -> Plane | None:
    """The signs on the grid (rows x columns x 2), followed from the block where it fits best; None when it fits
    nowhere.
    """
    if np.linalg.det(basis) < 0:
        basis = basis[::-1]
    step = 1 / np.sqrt(abs(np.linalg.det(basis)))
    side = _BLOCK * step
    low = points.min(axis=0)
    blocks = np.floor((points - low) / side).astype(int)
    members: dict[tuple[int, int], NDArray[np.intp]] = {}
    order = np.lexsort((blocks[:, 0], blocks[:, 1]))
    keys, starts = np.unique(blocks[order], axis=0, return_index=True)
    for place, piece in zip(keys, np.split(order, starts[1:]), strict=True):
        members[int(place[0]), int(place[1])] = piece

    middle = np.array([(window[0] + window[2]) / 2, (window[1] + window[3]) / 2])
    near = sorted(
        members, key=lambda place: float(np.abs((np.array(place) + 0.5) * side + low - middle).max())
    )
    near = [place for place in near if len(_around(members, place)) >= 12][:60]
    best: tuple[_Fit, tuple[int, int]] | None = None
    for place in near[:: max(1, len(near) // 20)]:
        some = points[_around(members, place)]
        fit = _fitted(some, basis, _phase(some, basis))
        if best is None or fit.sure > best[0].sure:
            best = (fit, place)
    if best is None or best[0].sure < _SURE:
        return None
    first, last = keys.min(axis=0), keys.max(axis=0)
    fits: dict[tuple[int, int], _Fit] = {}
    waiting: list[tuple[float, tuple[int, int], int]] = [(-best[0].sure, best[1], 0)]
    seeds = [best[0]]
    while waiting:
        _, place, seed = heapq.heappop(waiting)
        if place in fits:
            continue
        chosen, guess = _around(members, place), seeds[seed]
        tried = _fitted(points[chosen], guess.matrix, guess.shift) if len(chosen) >= _FEW else None
        fits[place] = (
            tried if tried is not None and tried.sure > _FAIR else _Fit(guess.matrix, guess.shift, 0.0)
        )
        seeds.append(fits[place])
        for right, down in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            beside = (place[0] + right, place[1] + down)
            if beside not in fits and first[0] <= beside[0] <= last[0] and first[1] <= beside[1] <= last[1]:
                heapq.heappush(waiting, (-fits[place].sure, beside, len(seeds) - 1))
    at = np.full_like(points, np.nan)
    for place, piece in members.items():
        local = fits.get(place)
        if local is not None and local.sure > 0:
            at[piece] = points[piece] @ local.matrix.T + local.shift
    seen = np.isfinite(at[:, 0])
    if seen.sum() < _FEWEST:
        return None
    at = at[seen]
    nodes = np.round(at)
    first = nodes.min(axis=0)
    size = (nodes.max(axis=0) - first + 1).astype(int)
    if size.max() > 1200:
        return None
    return _gather(at - first, nodes - first, (int(size[1]), int(size[0])))


def _around(members: dict[tuple[int, int], NDArray[np.intp]], place: tuple[int, int]) -> NDArray[np.intp]:
    """The points of a block and of the eight beside it."""
    pieces = [
        members[x, y]
        for x in range(place[0] - 1, place[0] + 2)
        for y in range(place[1] - 1, place[1] + 2)
        if (x, y) in members
    ]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.intp)


def _gather(at: Points, nodes: Points, shape: tuple[int, int]) -> Plane:
    """Signs by place of the grid from points in grid steps and the middles of their places."""
    off = at - nodes
    error = np.abs(np.abs(off) - MOVED).max(axis=1)
    good = error < _NEAR
    off, error = off[good], error[good]
    places = np.floor(nodes[good]).astype(int)
    grid = np.zeros((*shape, 2))
    inside = (places >= 0).all(axis=1) & (places[:, 0] < shape[1]) & (places[:, 1] < shape[0])
    order = np.argsort(-error[inside], kind="stable")  # of two in one place the nearer comes last and stays
    places, off = places[inside][order], off[inside][order]
    grid[places[:, 1], places[:, 0]] = np.sign(off)
    return grid


def _phase(points: Points, basis: Matrix) -> NDArray[Any]:
    """The shift (grid steps) by which the points stand round whole places."""
    turns = np.exp(2j * np.pi * (points @ basis.T)).mean(axis=0)
    shift: NDArray[Any] = -np.angle(turns) / (2 * np.pi)
    return shift


def _fitted(points: Points, matrix: Matrix, shift: NDArray[Any]) -> _Fit:
    """A better local map, from one that is less than a quarter step off."""
    middle = points.mean(axis=0)
    shift = shift.copy()
    at = points @ matrix.T + shift
    # where the first harmonic stands by now; a neighbour's map is never half a step off
    shift -= np.angle(np.exp(2j * np.pi * at).mean(axis=0)) / (2 * np.pi)
    for reach in (0.1, _NEAR):
        at = points @ matrix.T + shift
        off = at - np.round(at)
        error = off - np.where(off > 0, MOVED, -MOVED)
        good = (np.abs(error) < reach).all(axis=1)
        if good.sum() < _FEW:
            break
        moved = points[good] - middle
        if good.sum() >= 14:
            design = np.column_stack([moved, np.ones(len(moved))])
            change = np.linalg.solve(design.T @ design + 1e-9 * np.eye(3), design.T @ error[good])
            matrix = matrix - change[:2].T
            shift = shift - change[2] + change[:2].T @ middle
        else:
            shift = shift - error[good].mean(axis=0)
    at = points @ matrix.T + shift
    off = at - np.round(at)
    good = (np.abs(np.abs(off) - MOVED) < _NEAR).all(axis=1)
    count = len(points)
    sure = (good.sum() - _BY_CHANCE * count) / np.sqrt(_BY_CHANCE * (1 - _BY_CHANCE) * count)
    return _Fit(matrix, shift, float(sure))


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
