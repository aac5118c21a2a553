"""Finds the tint's lattice in a picture: turn, scale and shift of the tiles, from the sixteen waves of T.

The picture may be a crop, turned anyhow, scaled, photographed. What is looked for are sixteen peaks of the spectrum in
the lattice's arrangement; which of all turns and scales fits best is read from the spectrum in polar coordinates with a
logarithmic radius, where turning and scaling are shifts (Reddy and Chatterji 1996, doi 10.1109/83.506761). The waves'
phases then say where in a tile the picture begins, and which way up it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .tint import LATTICE, TILE_MM, TintKey

Plane = NDArray[Any]
Matrix = NDArray[Any]

_SIDE = 2048
_TURNS = 720
_STEP = 0.005
_LOWEST, _HIGHEST = 0.005, 0.47
"""Frequencies looked at, cycles a pixel."""
_LEVELS = int(np.log(_HIGHEST / _LOWEST) / _STEP)
_WHITEN = 41
_WAVES = np.array(LATTICE, float) / TILE_MM
"""Cycles a mm (right, down)."""
_MOST = 4.0
"""A whitened peak counts at most so much: one line of the page's own must not look like a lattice."""
_PLAIN = 40.0
"""Score from which the whole picture is followed before its parts are looked at."""
ENOUGH = 27.0
"""Score below which no lattice is believed; of noise the best of all turns and scales stays below 26."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How tile mm become pixels: `pixel = matrix @ mm + shift`; `score` of the peaks, `harmony` (0..1) of phases."""

    matrix: Matrix
    shift: NDArray[Any]
    score: float
    harmony: float

    @property
    def per_mm(self) -> float:
        """Pixels a mm."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))


def poses(residual: Plane, key: TintKey, *, most: int = 3, fine: bool = False) -> Iterator[Pose]:
    """Likely poses, the likeliest first.

    Args:
        residual: the picture with its ink and paper taken away (tint_planes.residual), at most 2048 pixels a side.
        fine: smaller parts of the picture are looked at as well: of a sheet that is folded each lies its own way.
    """
    windows = _windows(residual, fine=fine)
    spectra = [_part_spectrum(residual, windows[0])]
    scores = [_scores(spectra[0])]
    known: list[Matrix] = []
    # most pictures lie flat: their whole says where, plainly, and its parts need no look
    if len(windows) > 1:
        _, turn, level = _peaks(scores[0], 1)[0]
        score, inverse = _refine(spectra[0], _start(turn, level))
        if score >= _PLAIN and (plain := _phased(residual, inverse, score, key, (0, 0))):
            known.append(inverse)
            yield from plain
    for window in windows[1:]:
        spectra.append(_part_spectrum(residual, window))
        scores.append(_scores(spectra[-1]))
    found = [(*peak, number) for number, plane in enumerate(scores) for peak in _peaks(plane, 2)]
    if len(spectra) > 1:
        total = np.sum(scores[1:], axis=0)
        found += [
            (score / np.sqrt(len(spectra) - 1), turn, level, 0) for score, turn, level in _peaks(total, 1)
        ]
    found.sort(key=lambda item: -item[0])
    refined: list[tuple[float, list[Pose]]] = []
    for _, turn, level, number in found[: 2 * most + 2]:
        score, inverse = _refine(spectra[number], _start(turn, level))
        if score < ENOUGH or any(_near(inverse, other) for other in known):
            continue
        top, bottom, left, right = windows[number]
        some = _phased(residual[top:bottom, left:right], inverse, score, key, (left, top))
        if some:  # of a folded sheet the whole is out of tune, and must not stand in the way of its parts
            known.append(inverse)
            refined.append((score, some))
    for _, some in sorted(refined, key=lambda item: -item[0])[:most]:
        yield from some


def _part_spectrum(residual: Plane, window: tuple[int, int, int, int]) -> Plane:
    top, bottom, left, right = window
    return _spectrum(residual[top:bottom, left:right])


def shift_of(coefficients: NDArray[Any], key: TintKey) -> tuple[NDArray[Any], float]:
    """Which point of a tile (mm) pixel 0 is, by the waves' coefficients, and how well they agree (0..1)."""
    unit = coefficients / np.maximum(np.abs(coefficients), 1e-12)
    turned = unit * np.exp(-1j * key.phases)
    size = 128
    grid = np.zeros((size, size), complex)
    for (right, down), value in zip(LATTICE, turned, strict=True):
        grid[down % size, right % size] += value
    plane = np.fft.fft2(grid).real
    row, column = np.unravel_index(int(plane.argmax()), plane.shape)
    at = np.array([column, row], float) / size
    waves = np.array(LATTICE, float)
    for _ in range(3):  # Newton steps on the phase differences, small by now
        left = np.angle(turned * np.exp(-2j * np.pi * (waves @ at)))
        at += np.linalg.lstsq(2 * np.pi * waves, left, rcond=None)[0]
    harmony = float(np.real(turned * np.exp(-2j * np.pi * (waves @ at))).mean())
    return (at % 1.0) * TILE_MM, harmony


def coefficients(residual: Plane, inverse: Matrix) -> NDArray[Any]:
    """The picture's share of each wave; `inverse` takes pixels to mm."""
    rows, columns = residual.shape
    waves = _WAVES @ inverse
    across = np.exp(-2j * np.pi * np.outer(np.arange(columns), waves[:, 0])).astype(np.complex64)
    down = np.exp(-2j * np.pi * np.outer(np.arange(rows), waves[:, 1])).astype(np.complex64)
    shares: NDArray[Any] = np.einsum("yk,yk->k", down, residual @ across).astype(np.complex128)
    return shares


def _windows(residual: Plane, *, fine: bool) -> list[tuple[int, int, int, int]]:
    """The whole, and five halves: a photo's scale changes over the page (top, bottom, left, right)."""
    rows, columns = residual.shape
    whole = [(0, rows, 0, columns)]
    if min(rows, columns) < 500:
        return whole
    r, c = rows // 2, columns // 2
    quarters = [
        (0, r, 0, c), (0, r, c, columns), (r, rows, 0, c), (r, rows, c, columns),
        (0, rows // 3, 0, columns), (rows - rows // 3, rows, 0, columns),
    ]  # fmt: skip
    return [
        *whole, *(quarters if fine else []), (0, r, 0, columns), (r, rows, 0, columns), (0, rows, 0, c),
        (0, rows, c, columns), (r // 2, r // 2 + r, c // 2, c // 2 + c),
    ]  # fmt: skip


def _spectrum(part: Plane) -> Plane:
    """Whitened magnitudes, frequency 0 in the middle (2048 x 2048; mean 1)."""
    rows, columns = part.shape
    tapered = part * np.outer(_taper(rows), _taper(columns))
    field = np.zeros((_SIDE, _SIDE), np.float32)
    field[:rows, :columns] = tapered
    plane = cv2.dft(field, flags=cv2.DFT_COMPLEX_OUTPUT, nonzeroRows=rows)
    size = cv2.magnitude(plane[:, :, 0], plane[:, :, 1])
    size = np.fft.fftshift(size)
    level = cv2.blur(size, (_WHITEN, _WHITEN))
    return size / np.maximum(level, np.float32(1e-9 + float(level.max()) * 1e-6))


@cache
def _taper_of(count: int) -> bytes:
    edge = max(1, count // 12)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    window = np.ones(count)
    window[:edge], window[-edge:] = ramp, ramp[::-1]
    return window.astype(np.float32).tobytes()


def _taper(count: int) -> Plane:
    return np.frombuffer(_taper_of(count), np.float32)


@cache
def _polar() -> tuple[Plane, Plane]:
    """Where in the spectrum each turn (rows) and logarithmic radius (columns) lies."""
    turn = np.arange(_TURNS)[:, None] * (np.pi / _TURNS)
    radius = _LOWEST * np.exp(np.arange(_LEVELS)[None, :] * _STEP) * _SIDE
    middle = _SIDE / 2
    return (middle + radius * np.cos(turn)).astype(np.float32), (middle + radius * np.sin(turn)).astype(
        np.float32
    )


@cache
def _offsets() -> tuple[tuple[int, int], ...]:
    """Of each wave in the polar plane, for a picture of one pixel a mm that is not turned."""
    turns = np.arctan2(_WAVES[:, 1], _WAVES[:, 0]) % np.pi
    levels = np.log(np.hypot(_WAVES[:, 0], _WAVES[:, 1]) / _LOWEST)
    return tuple(
        (round(turn / np.pi * _TURNS), round(level / _STEP))
        for turn, level in zip(turns, levels, strict=True)
    )


_SCALE_LEVELS = int(np.log(26.0) / _STEP)
_IN_TUNE = 0.75
"""Agreement of the phases below which it is not our lattice; of another station's waves the best shift gives 0.7."""
_SMALLEST = 1.5
"""Pictures from one and a half pixels a mm up to 26 are looked for."""


def _scores(spectrum: Plane) -> Plane:
    """For each turn and scale, the sum of the sixteen peaks there (turn 0 … 180 degrees; level: log of pixels a mm)."""
    across, down = _polar()
    plane = cv2.remap(np.minimum(spectrum, np.float32(_MOST)), across, down, cv2.INTER_LINEAR)
    plane = cv2.dilate(plane, np.ones((3, 3), np.uint8))
    scores = np.zeros((_TURNS, _SCALE_LEVELS), np.float32)
    padded = np.pad(plane, ((0, 0), (_SCALE_LEVELS, 1)), constant_values=1.0)
    scores[:, : round(np.log(_SMALLEST) / _STEP)] = -1e3
    for turn, level in _offsets():
        # scale s px/mm: the wave lies at its level minus log(s)
        first = level + _SCALE_LEVELS
        part = padded[:, first - _SCALE_LEVELS + 1 : first + 1][:, ::-1]
        scores += np.roll(part, -turn, axis=0)
    out = np.zeros((_TURNS, _LEVELS), np.float32)
    out[:, :_SCALE_LEVELS] = scores[:, : min(_SCALE_LEVELS, _LEVELS)]
    return out


def _peaks(scores: Plane, count: int) -> list[tuple[float, float, float]]:
    """The highest scores that are apart from each other: score, turn, level."""
    left, found = scores.copy(), []
    for _ in range(count):
        _, best, _, (level, turn) = cv2.minMaxLoc(left)
        found.append((float(best), float(turn), float(level)))
        rows = np.arange(turn - 8, turn + 9) % _TURNS
        left[rows, max(0, level - 8) : level + 9] = 0
    return found


def _start(turn: float, level: float) -> Matrix:
    """Pixels to mm, for a turn and scale."""
    angle, scale = turn * np.pi / _TURNS, np.exp(level * _STEP)
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    return np.array([[cos, sin], [-sin, cos]])


def _refine(spectrum: Plane, start: Matrix) -> tuple[float, Matrix]:
    """Least squares over the peaks near where they should be: score of the result, matrix (pixels to mm)."""
    matrix = start
    for reach in (7, 5, 3, 2, 2):
        targets, weights = [], []
        for right, down in _WAVES @ matrix:
            x, y, height = _peak_near(spectrum, right * _SIDE + _SIDE / 2, down * _SIDE + _SIDE / 2, reach)
            targets.append(((x - _SIDE / 2) / _SIDE, (y - _SIDE / 2) / _SIDE))
            weights.append(min(8.0, max(0.0, height - 1.2)))
        weight = np.sqrt(np.array(weights))[:, None]
        if np.count_nonzero(weight) < 4:
            break
        matrix = np.linalg.lstsq(_WAVES * weight, np.array(targets) * weight, rcond=None)[0]
    score = sum(
        min(_MOST, _peak_near(spectrum, right * _SIDE + _SIDE / 2, down * _SIDE + _SIDE / 2, 1)[2])
        for right, down in _WAVES @ matrix
    )
    return float(score), matrix


def _peak_near(spectrum: Plane, x: float, y: float, reach: int) -> tuple[float, float, float]:
    column, row = round(x), round(y)
    if not (reach < column < _SIDE - reach - 1 and reach < row < _SIDE - reach - 1):
        return x, y, 0.0
    part = spectrum[row - reach : row + reach + 1, column - reach : column + reach + 1]
    dy, dx = np.unravel_index(int(part.argmax()), part.shape)
    peak_x, peak_y = column - reach + int(dx), row - reach + int(dy)
    around = spectrum[peak_y - 1 : peak_y + 2, peak_x - 1 : peak_x + 2].astype(float) ** 2
    mass = around.sum()
    if around.shape != (3, 3) or mass <= 0:
        return float(peak_x), float(peak_y), float(part.max())
    shift = np.array([-1.0, 0.0, 1.0])
    return (
        peak_x + float((around.sum(axis=0) * shift).sum() / mass),
        peak_y + float((around.sum(axis=1) * shift).sum() / mass),
        float(part.max()),
    )


def _near(one: Matrix, other: Matrix) -> bool:
    return bool(np.linalg.norm(one - other) < 0.02 * np.linalg.norm(other))


def _phased(part: Plane, inverse: Matrix, score: float, key: TintKey, corner: tuple[int, int]) -> list[Pose]:
    """The pose, both ways up; the one whose phases agree better comes first."""
    both = []
    for way in (inverse, -inverse):
        shift, harmony = shift_of(coefficients(part, way), key)
        matrix = np.linalg.inv(way)
        origin = -matrix @ shift + np.array(corner, float)
        both.append(Pose(matrix, origin, score, harmony))
    both = [pose for pose in both if pose.harmony >= _IN_TUNE]
    return sorted(both, key=lambda pose: -pose.harmony)
