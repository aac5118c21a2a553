"""Follows the grid of the dots over a picture, block by block, from where it fits best; what each dot then says."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dots import MOVED
from .dots_find import FEWEST

Plane = NDArray[Any]
Points = NDArray[np.float64]
Matrix = NDArray[Any]
_FEW, _FAIR, _SURE = 6, 1.5, 4.0
"""Points by which a neighbourhood is placed; how surely they must follow the grid; how surely the first ones."""
_BLOCK = 6.0
"""Side of a block, in grid steps."""
_NEAR = 0.075
"""How far off its two possible places a dot may stand, in grid steps: of points anywhere one in eleven does."""
_BY_CHANCE = (4 * _NEAR) ** 2


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
    if seen.sum() < FEWEST:
        return None
    at = at[seen]
    nodes = np.round(at)
    first = nodes.min(axis=0)
    size = (nodes.max(axis=0) - first + 1).astype(int)
    if size.max() > 1200:
        return None
    return gather(at - first, nodes - first, (int(size[1]), int(size[0])))


def _around(members: dict[tuple[int, int], NDArray[np.intp]], place: tuple[int, int]) -> NDArray[np.intp]:
    """The points of a block and of the eight beside it."""
    pieces = [
        members[x, y]
        for x in range(place[0] - 1, place[0] + 2)
        for y in range(place[1] - 1, place[1] + 2)
        if (x, y) in members
    ]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.intp)


def gather(at: Points, nodes: Points, shape: tuple[int, int]) -> Plane:
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
