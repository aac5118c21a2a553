"""Reads the tint: which copy a picture shows, as far as what is left of the pattern says so.

A number is named only when its check holds and the page's own fingerprint is there as well (docs/spec/mark.md has the
arithmetic of false attribution). Everything else is no answer.
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
from .lattice import Pose, poses
from .register import Rectified, rectify
from .tint import CHIPS, GAINS, SAMPLES, TintKey

Plane = NDArray[Any]
LONGEST = 2000
"""Pixels to which a picture's longer side is brought down."""
ACCEPTED_Z = 9.0
_QUICK_TILES, _AT_ONCE, _LOOKED_AT = 12, 64, 40
_A4_TILES = 8
_PAGE_TILES = 12
"""Tiles along a page's side among which a crop's place is looked for: 480 mm, more than A3."""
CHANNELS = ("mix", "luma", "chroma")
_LUMA = (0.299, 0.587, 0.114)
_INK = 0.9
_CLIP = 2.5
_AROUND = 61
"""Pixels over which a point's surroundings are averaged."""
_EDGE = 0.12
"""More than the strongest tint takes from paper."""


@dataclass(frozen=True, slots=True)
class TintReading:
    """What one channel of one picture gave. `z`: how surely the fingerprint is that copy's, in standard deviations."""

    id: int
    z: float
    channel: str
    pose: Pose


@dataclass(frozen=True, slots=True)
class Seen:
    """The chips of a picture on the tint's grid, T taken away: values and how much paper stood behind each."""

    values: Plane
    cover: Plane
    channel: str
    pose: Pose


def read(
    picture: NDArray[np.uint8], key: TintKey, *, channels: Sequence[str] = CHANNELS, end: float | None = None
) -> TintReading | None:
    """The copy that a picture (height x width x 3, RGB) shows; None when there is no answer, or none by `end`
    (`time.monotonic`).
    """
    for seen in sightings(picture, key, channels=channels, end=end):
        id = decode(_fold(seen, key))
        if id is None:
            continue
        z = print_z(seen, key, id)
        if z >= ACCEPTED_Z:
            return TintReading(id, z, seen.channel, seen.pose)
    return None


def suspects(
    picture: NDArray[np.uint8], key: TintKey, ids: Sequence[int], *, end: float | None = None
) -> tuple[tuple[int, float], ...]:
    """Copies of the register whose fingerprint a picture shows though no number can be read (copies mixed into one):
    number and z, the surest first.
    """
    best: dict[int, float] = {}
    for seen in sightings(picture, key, channels=CHANNELS[:1], end=end):
        for id, z in zip(ids, print_scores(seen, key, ids), strict=True):
            if z >= ACCEPTED_Z:
                best[id] = max(float(z), best.get(id, 0.0))
        if best:
            break
    return tuple(sorted(best.items(), key=lambda item: -item[1]))


def confirm(picture: NDArray[np.uint8], key: TintKey, id: int, *, width_mm: float, height_mm: float) -> bool:
    """Whether a whole page's picture shows this copy's number, where it is known to stand: no search.

    The fingerprint must be there, and the number read as well, or the fingerprint twice as surely.
    """
    rest, weight = residual(picture, "mix")
    rows, columns = picture.shape[:2]
    pose = Pose(np.diag([columns / width_mm, rows / height_mm]), np.array([-0.5, -0.5]), 0.0, 0.0)
    laid = rectify(rest, weight, pose, key, follow=False)
    if laid is None:
        return False
    seen = _chips(laid, key, "mix", pose)
    z = print_z(seen, key, id)
    return z >= ACCEPTED_Z and (z >= 2 * ACCEPTED_Z or decode(_fold(seen, key)) == id)


def sightings(
    picture: NDArray[np.uint8], key: TintKey, *, channels: Sequence[str] = CHANNELS, end: float | None = None
) -> Iterator[Seen]:
    """Every way in which the lattice was found in the picture, one channel after the other, until `end`."""
    picture = shrunk(picture)
    for channel in channels:
        rest, weight = residual(picture, channel)
        if not weight.any() or not rest.any():
            continue
        for pose in poses(rest, key):
            if end is not None and time.monotonic() > end:
                return
            laid = rectify(rest, weight, pose, key)
            if laid is not None:
                yield _chips(laid, key, channel, pose)


def shrunk(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture, at most 2000 pixels long."""
    longest = max(picture.shape[:2])
    if longest <= LONGEST:
        return picture
    rate = LONGEST / longest
    return np.asarray(cv2.resize(picture, None, fx=rate, fy=rate, interpolation=cv2.INTER_AREA), np.uint8)


def residual(picture: NDArray[np.uint8], channel: str) -> tuple[Plane, Plane]:
    """How much darker than its surroundings each point of paper is (in standard deviations, at most 2.5), and where
    there is paper (1) and not ink (0).
    """
    colours: Plane = picture.astype(np.float32)
    plane: Plane
    if channel == "chroma":
        plane = 128 + (colours[:, :, 0] + colours[:, :, 1]) / 2 - colours[:, :, 2]
        plane = 255 - plane
    else:
        gains = GAINS if channel == "mix" else _LUMA
        plane = cv2.transform(colours, np.array([gains], np.float32) / np.float32(sum(gains)))
    luma = cv2.transform(colours, np.array([_LUMA], np.float32))
    paper = cv2.dilate(cv2.GaussianBlur(luma, (0, 0), 1.0), np.ones((15, 15), np.uint8))
    ink = cv2.dilate((luma < paper * _INK).astype(np.uint8), np.ones((3, 3), np.uint8))
    weight = (1 - ink).astype(np.float32)
    for bound in (_EDGE, None):
        share = cv2.blur(weight, (_AROUND, _AROUND))
        level = cv2.blur(plane * weight, (_AROUND, _AROUND)) / np.maximum(share, 1e-3)
        rest = (level - plane) / np.maximum(level, 1.0) * weight
        if bound is not None:  # an edge beside paper is no paper either, and spoils its surroundings
            weight[np.abs(rest) > bound] = 0
    spread = float(np.sqrt(np.square(rest).sum(dtype=np.float64) / max(1.0, float(weight.sum()))))
    if spread < 1e-6:
        return np.zeros_like(rest), weight
    return np.clip(rest, -_CLIP * spread, _CLIP * spread) / np.float32(spread), weight


def print_z(seen: Seen, key: TintKey, id: int) -> float:
    """The fingerprint's correlation in standard deviations, at the place of the page where it is best."""
    return float(_scores(_rest(seen, key, id), key, [id], side=_PAGE_TILES)[0])


def print_scores(seen: Seen, key: TintKey, ids: Sequence[int]) -> NDArray[Any]:
    """`print_z` of many copies that the register knows: all of them by the best twelve tiles of the picture, pages up
    to A4; what stands out by the whole picture.
    """
    tiles = _tiles(seen.values)
    best = np.argsort(-_tiles(seen.cover).sum(axis=(2, 3)).ravel())[:_QUICK_TILES]
    quick: Plane = np.zeros_like(tiles).reshape(-1, CHIPS, CHIPS)
    quick[best] = tiles.reshape(-1, CHIPS, CHIPS)[best]
    quick = quick.reshape(tiles.shape)
    scores = np.concatenate(
        [_scores(quick, key, ids[at : at + _AT_ONCE], side=_A4_TILES) for at in range(0, len(ids), _AT_ONCE)]
    )
    for number in np.argsort(-scores)[:_LOOKED_AT]:
        scores[number] = print_z(seen, key, ids[number])
    return scores


def _tiles(plane: Plane) -> Plane:
    rows, columns = plane.shape[0] // CHIPS, plane.shape[1] // CHIPS
    return plane.reshape(rows, CHIPS, columns, CHIPS).swapaxes(1, 2)


def _rest(seen: Seen, key: TintKey, id: int) -> Plane:
    """The tiles without the part that says this id."""
    tile = key.tile(id).astype(np.float32)
    tiles, cover = _tiles(seen.values), _tiles(seen.cover)
    amount = float((tiles * tile).sum()) / max(1e-9, float(cover.sum()))
    rest: Plane = tiles - np.float32(amount) * cover * tile
    return rest


def _scores(tiles: Plane, key: TintKey, ids: Sequence[int], *, side: int) -> NDArray[Any]:
    """For each id the best correlation over all places that the tiles may have on a page of `side` x `side` tiles."""
    rows, columns = tiles.shape[:2]
    spread = float(np.sqrt(np.square(tiles).sum(dtype=np.float64)))
    if spread <= 0:
        return np.zeros(len(ids))
    used = [(i, j) for i in range(rows) for j in range(columns) if tiles[i, j].any()]
    flat = np.stack([tiles[place].ravel() for place in used])
    best = np.zeros(len(ids))
    for number, id in enumerate(ids):
        prints = key.prints(id, side).reshape(side * side, -1).astype(np.float32)
        shares = (flat @ prints.T).reshape(-1, side, side)
        total = np.zeros((rows + side - 1, columns + side - 1))
        for (i, j), share in zip(used, shares, strict=True):
            total[rows - 1 - i : rows - 1 - i + side, columns - 1 - j : columns - 1 - j + side] += share
        best[number] = total.max()
    return best / spread


def _chips(laid: Rectified, key: TintKey, channel: str, pose: Pose) -> Seen:
    rows, columns = laid.residual.shape[0] // SAMPLES, laid.residual.shape[1] // SAMPLES
    waves = np.tile(key.waves, (-(-rows // CHIPS), -(-columns // CHIPS)))[
        : rows * SAMPLES, : columns * SAMPLES
    ]
    strength = float((laid.residual * waves).sum() / max(1e-9, float((np.square(waves) * laid.weight).sum())))
    rest = laid.residual - np.float32(strength) * waves * laid.weight
    values = cv2.resize(rest, (columns, rows), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(laid.weight, (columns, rows), interpolation=cv2.INTER_AREA)
    return Seen(values, cover, channel, pose)


def _fold(seen: Seen, key: TintKey) -> NDArray[Any]:
    """The 264 code bits' soft values, over all tiles."""
    tile = _tiles(seen.values).sum(axis=(0, 1)) * key.signs
    return np.bincount(key.places.ravel(), weights=tile.ravel(), minlength=CODE_BITS)
