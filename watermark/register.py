"""Brings a picture back onto the tint's own grid: from one pose of the lattice to every part of the page.

A pose found in the spectrum fits where it was found. A photographed page is seen at an angle and bends, a copier
drags: so the lattice is followed block by block from where it fits best, a homography is laid through the blocks
(RANSAC: Fischler and Bolles 1981), and what is left over becomes a smooth field of small shifts.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .lattice import Pose
from .tint import LATTICE, PER_MM, TILE_MM, TintKey

Plane = NDArray[Any]
Matrix = NDArray[Any]

_BLOCK_MM = 37.5
_BLOCK = round(_BLOCK_MM * PER_MM)
_STEP = _BLOCK // 2
_GRID = 80
"""Shifts looked at per tile side: every half mm."""
_REACH_MM = 2.0
_BELIEVED = 0.42
"""Agreement of a block's phases (0..1) from which its shift counts; of noise nine blocks of ten stay below."""
_PROMISING, _LOOKED_AT, _LEAST_SHARE = 0.6, 60, 0.1
_MOST_MM, _LARGEST_MM = 800.0, 1300.0
"""How large a page a picture may show; how large one whose place is known may be (layout.py)."""
_ROUNDS = 7
_MANY = 12
"""Blocks from which on perspective can be told from noise."""
_WAVES = np.array(LATTICE, float)


@dataclass(frozen=True, slots=True)
class Rectified:
    """Residual and weight on the tint's grid, 3.2 samples a mm; the first sample is a tile's corner.

    `homography` takes tile mm (from that corner) to pixels; `blocks`: share of the inked-free blocks that agreed.
    """

    residual: Plane
    weight: Plane
    homography: Matrix
    blocks: float


def rectify(
    residual: Plane, weight: Plane, pose: Pose, key: TintKey, *, follow: bool = True
) -> Rectified | None:
    """The picture on the grid; None when the pose leads to nothing that can be a page.

    What fits is widened step by step: through the blocks that agree a better map is laid, by which more of them agree.
    Without `follow` the pose is taken as it is.
    """
    homography = np.eye(3)
    homography[:2, :2], homography[:2, 2] = pose.matrix, pose.shift
    laid = _lay(residual, weight, homography, most=_MOST_MM if follow else _LARGEST_MM)
    if laid is None:
        return None
    if not follow:
        return Rectified(*laid, 1.0)
    if not _promising(laid[0], laid[1], key):
        return None
    best, followed = laid, _follow(laid[0], laid[1], key)
    if followed.share < _LEAST_SHARE:
        return None
    for _ in range(_ROUNDS):
        better = _through(best[2], followed)
        laid = None if better is None else _lay(residual, weight, better)
        if laid is None:
            break
        after = _follow(laid[0], laid[1], key)
        gain = after.total - followed.total
        if gain <= 0:
            break
        best, followed = laid, after
        if gain < 0.02 * after.total:
            break
    plane, cover, homography = best
    if followed.field is not None:
        plane, cover = _bend(plane, followed.field), _bend(cover, followed.field)
    return Rectified(plane, cover, homography, followed.share)


@dataclass(frozen=True, slots=True)
class _Followed:
    """Blocks that agree: centres and shifts (mm), their agreements' sum, the share of them, the field of shifts."""

    centres: NDArray[Any]
    shifts: NDArray[Any]
    total: float
    share: float
    field: Plane | None


def _through(homography: Matrix, followed: _Followed) -> Matrix | None:
    """A better map (mm to pixels) through the blocks that agree: affine through few, a homography through many."""
    count = len(followed.centres)
    if count < 4:
        return None
    pixels = cv2.perspectiveTransform(followed.centres[None], homography)[0]
    points = followed.centres + followed.shifts
    near = float(max(1.0, 0.5 * np.sqrt(abs(np.linalg.det(homography[:2, :2])))))
    if count < _MANY:
        affine, _ = cv2.estimateAffine2D(points, pixels, method=cv2.RANSAC, ransacReprojThreshold=near)
        return None if affine is None else np.vstack([affine, [0.0, 0.0, 1.0]])
    better: Matrix | None = cv2.findHomography(points, pixels, cv2.RANSAC, near)[0]
    return better


def _lay(
    residual: Plane, weight: Plane, homography: Matrix, *, most: float = _MOST_MM
) -> tuple[Plane, Plane, Matrix] | None:
    """The picture seen through the homography (mm to pixels), from the tile corner before its first point on."""
    rows, columns = residual.shape
    corners = np.array([[[0, 0], [columns, 0], [columns, rows], [0, rows]]], float)
    try:
        back = np.linalg.inv(homography)
    except np.linalg.LinAlgError:
        return None
    spread = cv2.perspectiveTransform(corners, back)[0]
    depths = corners[0] @ back[2, :2] + back[2, 2]
    low, high = spread.min(axis=0), spread.max(axis=0)
    if (depths.min() <= 0 < depths.max()) or not np.isfinite(spread).all() or (high - low).max() > most:
        return None
    first = np.floor(low / TILE_MM) * TILE_MM
    size = np.ceil((high - first) / TILE_MM).astype(int) * round(TILE_MM * PER_MM)
    shifted = homography @ np.array([[1, 0, first[0]], [0, 1, first[1]], [0, 0, 1]], float)
    to_mm = np.array([[1 / PER_MM, 0, 0.5 / PER_MM], [0, 1 / PER_MM, 0.5 / PER_MM], [0, 0, 1]])
    # pixel centres: the picture's pixel 0 lies at 0
    fine = np.sqrt(abs(np.linalg.det(homography[:2, :2]))) / PER_MM
    if fine > 1.2:
        blur = 0.42 * fine
        residual, weight = cv2.GaussianBlur(residual, (0, 0), blur), cv2.GaussianBlur(weight, (0, 0), blur)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shape = (int(size[0]), int(size[1]))
    return (
        cv2.warpPerspective(residual, shifted @ to_mm, shape, flags=how),
        cv2.warpPerspective(weight, shifted @ to_mm, shape, flags=how),
        shifted / shifted[2, 2],
    )


def _follow(plane: Plane, cover: Plane, key: TintKey) -> _Followed:
    """Follows the lattice from the block that fits best to its neighbours, and theirs."""
    shares = _shares(plane, key)
    rows, columns = range(0, len(shares) * _STEP, _STEP), range(0, shares.shape[1] * _STEP, _STEP)
    places = _papered(cover, shares.shape)
    surfaces = dict(zip(places, _surfaces(shares, places), strict=True))
    none = np.zeros((0, 2))
    if not surfaces:
        return _Followed(none, none, 0.0, 0.0, None)
    found: dict[tuple[int, int], tuple[NDArray[Any], float]] = {}
    starts = [(-_best(surface, np.zeros(2))[1], place) for place, surface in surfaces.items()]
    queue: list[tuple[float, tuple[int, int]]] = [min(starts)]
    while queue:
        _, place = heapq.heappop(queue)
        if place in found:
            continue
        near = [
            found[i, j] for i in range(place[0] - 1, place[0] + 2) for j in range(place[1] - 1, place[1] + 2)
            if (i, j) in found and found[i, j][1] >= _BELIEVED
        ]  # fmt: skip
        guess = np.mean([shift for shift, _ in near], axis=0) if near else np.zeros(2)
        found[place] = _best(surfaces[place], guess)
        if found[place][1] >= _BELIEVED or not near:
            for step in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                beside = (place[0] + step[0], place[1] + step[1])
                if beside in surfaces and beside not in found:
                    heapq.heappush(queue, (-found[place][1], beside))
    good = [(place, shift, harmony) for place, (shift, harmony) in found.items() if harmony >= _BELIEVED]
    share = len(good) / len(surfaces)
    if not good:
        return _Followed(none, none, 0.0, 0.0, None)
    centres = np.array([[columns[j] + _BLOCK / 2, rows[i] + _BLOCK / 2] for (i, j), _, _ in good]) / PER_MM
    shifts = np.array([shift for _, shift, _ in good])
    total = float(sum(harmony for _, _, harmony in good))
    field = None
    if len(good) > 3:
        field = _field({place: shift for place, shift, _ in good}, len(rows), len(columns), plane.shape)
    return _Followed(centres, shifts, total, share, field)


def _promising(plane: Plane, cover: Plane, key: TintKey) -> bool:
    """Whether a few of the plane's blocks agree with the lattice better than any blocks of a page without one."""
    shares = _shares(plane, key)
    places = _papered(cover, shares.shape)
    some = places[:: max(1, len(places) // _LOOKED_AT)]
    fits = sorted(_best(surface, np.zeros(2))[1] for surface in _surfaces(shares, some))
    return len(fits) > 0 and fits[-min(3, len(fits))] >= _PROMISING


def _papered(cover: Plane, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """The blocks of which a fifth is paper (row, column)."""
    return [
        (i, j)
        for i in range(shape[0])
        for j in range(shape[1])
        if cv2.mean(cover[i * _STEP : i * _STEP + _BLOCK, j * _STEP : j * _STEP + _BLOCK])[0] > 0.2
    ]


def _shares(plane: Plane, key: TintKey) -> Plane:
    """Each block's share of each wave, turned back by the key's phases, none counting much more than the middle one:
    rows x columns x 16, complex. Blocks overlap by half, so halves are summed first.
    """
    high, wide = plane.shape[0] // _STEP, plane.shape[1] // _STEP
    across = _waves_at(wide * _STEP, 0)
    sums = np.matmul(
        plane[: high * _STEP, : wide * _STEP].reshape(-1, wide, _STEP).transpose(1, 0, 2),
        np.concatenate([across.real, across.imag], axis=1).reshape(wide, _STEP, -1),
    )
    count = len(_WAVES)
    along = (sums[:, :, :count] + 1j * sums[:, :, count:]) * _waves_at(high * _STEP, 1)
    halves = along.reshape(wide, high, _STEP, count).sum(axis=2).swapaxes(0, 1)
    whole = halves[:-1, :-1] + halves[1:, :-1] + halves[:-1, 1:] + halves[1:, 1:]
    size = np.abs(whole)
    strength = np.minimum(size / (np.median(size, axis=2, keepdims=True) + 1e-9), 1.5)
    turned = whole / np.maximum(size, 1e-9) * strength * np.exp(-1j * key.phases)
    return np.asarray(turned / np.maximum(strength.sum(axis=2, keepdims=True), 1e-9))


def _waves_at(count: int, axis: int) -> Plane:
    """The waves along one axis, back to front, for so many samples (count x 16)."""
    at = (np.arange(count) + 0.5) / (TILE_MM * PER_MM)
    return np.exp(-2j * np.pi * np.outer(at, _WAVES[:, axis])).astype(np.complex64)


def _surfaces(shares: Plane, places: list[tuple[int, int]]) -> Plane:
    """How well each shift within a tile (80 x 80, every half mm) fits each block's phases: -1 … 1."""
    some = np.array([shares[place] for place in places]).reshape(-1, len(_WAVES))
    cos, sin = _shifts()
    plane = some.real.astype(np.float32) @ cos + some.imag.astype(np.float32) @ sin
    return plane.reshape(-1, _GRID, _GRID)


@cache
def _shifts() -> tuple[Plane, Plane]:
    """The waves at each shift: 16 x 6400 cosines and sines."""
    at = np.arange(_GRID) / _GRID
    turn = 2 * np.pi * (_WAVES[:, 1, None, None] * at[:, None] + _WAVES[:, 0, None, None] * at)
    flat = turn.reshape(len(_WAVES), -1)
    return np.cos(flat).astype(np.float32), np.sin(flat).astype(np.float32)


def _best(surface: Plane, guess: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """The best shift (mm) within two mm of the guess, and its agreement."""
    reach = round(_REACH_MM / TILE_MM * _GRID)
    middle = np.round(guess / TILE_MM * _GRID).astype(int)
    rows = np.arange(middle[1] - reach, middle[1] + reach + 1)
    columns = np.arange(middle[0] - reach, middle[0] + reach + 1)
    part = surface[np.ix_(rows % _GRID, columns % _GRID)]
    i, j = np.unravel_index(int(part.argmax()), part.shape)
    at = np.array([columns[j], rows[i]], float)
    around = surface[
        np.ix_(np.arange(rows[i] - 1, rows[i] + 2) % _GRID, np.arange(columns[j] - 1, columns[j] + 2) % _GRID)
    ]
    at += (_vertex(*around[1]), _vertex(*around[:, 1]))
    return at / _GRID * TILE_MM, float(part.max())


def _vertex(before: float, here: float, after: float) -> float:
    bend = before - 2 * here + after
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))


def _field(
    shifts: dict[tuple[int, int], NDArray[Any]], rows: int, columns: int, shape: tuple[int, ...]
) -> Plane:
    """Shifts (samples; right, down) for every sample, smooth; blocks that did not agree take their neighbours'."""
    known = np.zeros((rows, columns, 3), np.float32)
    for (i, j), shift in shifts.items():
        known[i, j] = (*(shift * PER_MM), 1.0)
    spread = known.copy()
    for _ in range(max(rows, columns)):
        if (spread[:, :, 2] > 0).all():
            break
        wide = cv2.blur(spread, (3, 3), borderType=cv2.BORDER_CONSTANT)
        empty = (spread[:, :, 2] <= 0) & (wide[:, :, 2] > 0)
        spread[empty] = wide[empty] / wide[empty][:, 2:]
    values = cv2.blur(spread[:, :, :2], (3, 3), borderType=cv2.BORDER_REPLICATE)
    # block centres lie half a block in; what is outside them takes the nearest
    across = (np.arange(shape[1], dtype=np.float32) + 0.5 - _BLOCK / 2) / _STEP
    down = (np.arange(shape[0], dtype=np.float32) + 0.5 - _BLOCK / 2) / _STEP
    map_x, map_y = np.meshgrid(np.clip(across, 0, columns - 1), np.clip(down, 0, rows - 1))
    return cv2.remap(values, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR)


def _bend(plane: Plane, field: Plane) -> Plane:
    """The plane with each sample moved to where the lattice says it belongs."""
    rows, columns = plane.shape
    map_x, map_y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    return cv2.remap(plane, map_x - field[:, :, 0], map_y - field[:, :, 1], cv2.INTER_LINEAR)
