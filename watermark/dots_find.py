"""Finds small dark points that stand alone, and which grids they may follow: turn and scale, from their spectrum."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]
Points = NDArray[np.float64]
Matrix = NDArray[Any]
FEWEST, MOST = 60, 60_000
"""Points with which a grid is looked for."""
_FIELD = 1024
_SHORTEST, _LONGEST_PERIOD = 4.5, 110.0
"""Grid steps looked for, in pixels of the field of 1024."""
_PEAK, _STRONGEST = 5.0, 12.0
"""Height of a peak, in means of its surroundings, from which it may be a grid's; above the second all are alike."""
_MANY = 600
_WINDOWS = (
    (0.0, 0.0, 1.0), (0.25, 0.25, 0.5), (0.0, 0.0, 0.5), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5), (0.5, 0.5, 0.5),
    (0.33, 0.0, 0.33), (0.33, 0.67, 0.33), (0.0, 0.33, 0.33), (0.67, 0.33, 0.33),
)  # fmt: skip
"""Parts of the picture that are looked at in turn (left, top, side; shares): a photo's scale changes over the page."""
_FAINTEST, _FAINT = 8.0, 12.0
"""Levels that a spot's middle differs at least from its surroundings; that something is darker than paper."""


def points_of(picture: NDArray[np.uint8]) -> Points:
    """Middles (pixels; count x 2) of small dark points that stand alone on light ground."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    found = [spots(luma, 1.0)]
    if len(found[0]) < MOST and max(luma.shape) > 1000:
        half = cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        found.append(spots(half, 1.0) * 2 + 0.5)
    return max(found, key=lambda points: len(points) if len(points) <= MOST else 0)


def spots(luma: Plane, width: float) -> Points:
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
        if inside.sum() < FEWEST:
            continue
        for basis in _peaks(points[inside] - window[:2], share * max(rows, columns)):
            yield basis, window


def likely(
    points: Points, shape: tuple[int, ...]
) -> Iterator[tuple[Matrix, tuple[float, float, float, float]]]:
    """Likely grids: matrix from pixels to grid steps, and the window (left, top, right, bottom) in which it fits; with
    each those of which it may be a harmonic: dots moved by an eighth show the fourth most clearly.
    """
    for basis, window in _bases(points, shape):
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
