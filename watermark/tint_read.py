"""Reads the tint: which copy a picture shows, as far as what is left of the pattern says so.

A number is named only when its check holds and the page's own fingerprint is there as well (docs/spec/mark.md has the
arithmetic of false attribution). Everything else is no answer. What was seen without an answer is kept: it may add up
with other pictures (tint_pool.py) or show a fingerprint of the register (tint_match.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .code import decode
from .lattice import Pose, poses
from .register import Rectified, rectify
from .tint import CHIPS, SAMPLES, TintKey
from .tint_match import ACCEPTED_Z, Seen, fold, match, print_z, tiles_of
from .tint_planes import dotted, rate_of, residual, shrunk, textured
from .tint_pool import find, read_together, regions

__all__ = [
    "ACCEPTED_Z", "BRIEF", "CHANNELS", "THOROUGH", "USUAL", "Effort", "Look", "TintReading", "confirm", "look",
    "looks_mixed", "read", "suspects", "together",
]  # fmt: skip

Plane = NDArray[Any]
CHANNELS = ("mix", "texture", "luma", "chroma", "bits")
_QUIET, _TABLE = 9, 24
"""Chips over which the noise around one is measured, and the strength of the waves."""
_MIXED_LEAST, _MIXED_SHARE, _ABSENT, _CLEAR = 3, 0.12, 0.3, 4.0
_OTHERS = 0.5
"""Of one copy the rest is at most 0.35 of its number's energy, of two that were averaged 0.75 and more."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried: channels, then the mirrored picture through the first of them; poses for each."""

    channels: tuple[str, ...] = CHANNELS
    mirror: bool = True
    poses: int = 3
    fine: bool = False
    """Smaller windows of the picture as well."""


USUAL = Effort()
THOROUGH = Effort(poses=6, fine=True)
BRIEF = Effort(channels=CHANNELS[:1], mirror=False)
"""Where another mark has already said which copy it is."""


@dataclass(frozen=True, slots=True)
class TintReading:
    """What one picture gave. `z`: how surely the fingerprint is that copy's, in standard deviations; `seen`: the
    clearest sighting; `tests`: tries, where more than one sighting was needed.
    """

    id: int
    z: float
    seen: Seen
    tests: float = 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """What came of one picture: an answer or none, and every way in which the lattice was seen."""

    reading: TintReading | None
    seen: tuple[Seen, ...]


def look(
    picture: NDArray[np.uint8], key: TintKey, *, effort: Effort = USUAL, end: float | None = None
) -> Look:
    """The copy that a picture (height x width x 3, RGB) shows, if it answers by `end` (`time.monotonic`); ends with the
    first answer. Sightings that say nothing alone are taken together: of a folded sheet each half lies its own way.
    """
    kept = []
    for seen in _sightings(picture, key, effort=effort, end=end):
        kept.append(seen)
        id = decode(fold(seen, key))
        if id is None:
            continue
        z = print_z(seen, key, id)
        if z >= ACCEPTED_Z:
            return Look(TintReading(id, z, seen), tuple(kept))
    return Look(together(kept, key), tuple(kept))


def together(sightings: Sequence[Seen], key: TintKey) -> TintReading | None:
    """The number that several sightings say together, when none says it alone."""
    pooled = read_together(sightings, key)
    if pooled is None:
        return None
    return TintReading(pooled.id, pooled.z, sightings[pooled.sightings[0]], pooled.tests)


def looks_mixed(reading: TintReading, key: TintKey) -> bool:
    """Whether the picture may be made of several copies: parts of it show the tint but not this copy's fingerprint, or
    something else than this number repeats from tile to tile. Only a reason to ask the register.
    """
    seen = reading.seen
    if _other_number(seen, key, reading.id):
        return True
    grid = regions(seen, key, reading.id, match(seen, key, reading.id))
    cover = tiles_of(seen.cover).mean(axis=(2, 3))
    full = cover > 0.5 * max(1e-9, float(cover.max()))
    if np.count_nonzero(full) < 2 * _MIXED_LEAST:
        return False
    usual = float(np.quantile(grid[full], 0.75))
    absent = np.count_nonzero(grid[full] < _ABSENT * usual)
    return bool(usual >= _CLEAR and absent >= max(_MIXED_LEAST, _MIXED_SHARE * np.count_nonzero(full)))


def _other_number(seen: Seen, key: TintKey, id: int) -> bool:
    """Whether what repeats holds much that is neither this number (smeared over neighbouring chips) nor noise."""
    tile = key.tile(id).astype(np.float32)
    tiles, paper = tiles_of(seen.values), np.maximum(tiles_of(seen.cover).sum(axis=(0, 1)), 1e-3)
    common = (tiles.sum(axis=(0, 1)) / paper).ravel()
    near = [np.roll(tile, (down, right), (0, 1)).ravel() for down in (-1, 0, 1) for right in (-1, 0, 1)]
    basis, weight = np.stack(near, axis=1), np.sqrt(paper / paper.max()).ravel()
    shares = np.linalg.lstsq(basis * weight[:, None], common * weight, rcond=None)[0]
    own = basis @ shares
    noise = (np.square(tiles).sum(axis=(0, 1)) / np.square(paper)).ravel()
    left = float(np.sum(np.square(common - own) * paper.ravel()) - np.sum(noise * paper.ravel()))
    return left > _OTHERS * float(np.sum(np.square(own) * paper.ravel()))


def read(
    picture: NDArray[np.uint8], key: TintKey, *, channels: Sequence[str] = CHANNELS, end: float | None = None
) -> TintReading | None:
    """The answer of `look` alone."""
    return look(picture, key, effort=Effort(channels=tuple(channels)), end=end).reading


def suspects(
    picture: NDArray[np.uint8], key: TintKey, ids: Sequence[int], *, end: float | None = None
) -> tuple[tuple[int, float], ...]:
    """Copies of the register whose fingerprint a picture shows though no number can be read (copies mixed into one):
    number and z, the surest first.
    """
    effort = Effort(channels=CHANNELS[:1])
    seen = tuple(_sightings(picture, key, effort=effort, end=end))
    return tuple((hit.id, hit.z) for hit in find(seen, key, ids).hits)


def confirm(picture: NDArray[np.uint8], key: TintKey, id: int, *, width_mm: float, height_mm: float) -> bool:
    """Whether a whole page's picture shows this copy's number, where it is known to stand: no search.

    The fingerprint must be there, and the number read as well, or the fingerprint twice as surely.
    """
    rows, columns = picture.shape[:2]
    pose = Pose(np.diag([columns / width_mm, rows / height_mm]), np.array([-0.5, -0.5]), 0.0, 0.0)
    for channel in ("mix", "texture"):
        planes = _planes(picture, picture, channel)
        laid = None if planes is None else rectify(*planes, pose, key, follow=False)
        if laid is None:
            continue
        seen = _chips(laid, key, channel)
        z = print_z(seen, key, id)
        if z >= ACCEPTED_Z and (z >= 2 * ACCEPTED_Z or decode(fold(seen, key)) == id):
            return True
    return False


def _sightings(
    picture: NDArray[np.uint8], key: TintKey, *, effort: Effort, end: float | None
) -> Iterator[Seen]:
    """Every way in which the lattice was found in the picture, one channel after the other, until `end`; the mirrored
    picture last.
    """
    small, rate = shrunk(picture), rate_of(picture)
    first: tuple[Plane, Plane] | None = None
    gray = bool((small[:, :, 0] == small[:, :, 1]).all() and (small[:, :, 0] == small[:, :, 2]).all())
    for channel in effort.channels:
        if gray and channel == "luma" and "mix" in effort.channels:
            continue  # without colour both are one
        planes = _planes(picture, small, channel)
        if planes is None or not planes[0].any() or not planes[1].any():
            continue
        first = first or planes
        yield from _laid(planes, key, channel, effort=effort, end=end, rate=rate)
    if first is None or not effort.mirror:
        return
    flipped = (np.ascontiguousarray(first[0][:, ::-1]), np.ascontiguousarray(first[1][:, ::-1]))
    yield from _laid(flipped, key, effort.channels[0], effort=effort, end=end, rate=rate, mirrored=True)


def _planes(picture: NDArray[np.uint8], small: NDArray[np.uint8], channel: str) -> tuple[Plane, Plane] | None:
    if channel == "bits":
        return dotted(picture)
    return textured(small) if channel == "texture" else residual(small, channel)


def _laid(
    planes: tuple[Plane, Plane], key: TintKey, channel: str, *, effort: Effort, end: float | None, rate: float,
    mirrored: bool = False,
) -> Iterator[Seen]:  # fmt: skip
    if end is not None and time.monotonic() > end:
        return
    wide = planes[0].shape[1]
    for pose in poses(planes[0], key, most=effort.poses, fine=effort.fine):
        if end is not None and time.monotonic() > end:
            return
        laid = rectify(*planes, pose, key)
        if laid is not None:
            to_picture = np.diag([1 / rate, 1 / rate, 1.0])
            if mirrored:
                to_picture = to_picture @ np.array([[-1.0, 0, wide - 1], [0, 1, 0], [0, 0, 1]])
            yield _chips(laid, key, channel, to_picture=to_picture, mirrored=mirrored)


def _chips(
    laid: Rectified, key: TintKey, channel: str, *, to_picture: Plane | None = None, mirrored: bool = False
) -> Seen:
    rows, columns = laid.residual.shape[0] // SAMPLES, laid.residual.shape[1] // SAMPLES
    waves = np.tile(key.waves, (-(-rows // CHIPS), -(-columns // CHIPS)))[
        : rows * SAMPLES, : columns * SAMPLES
    ]
    there = float((laid.residual * waves).sum())
    energy = max(1e-9, float((np.square(waves) * laid.weight).sum()))
    rest = laid.residual - np.float32(there / energy) * waves * laid.weight
    values = cv2.resize(rest, (columns, rows), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(laid.weight, (columns, rows), interpolation=cv2.INTER_AREA)
    trust = _trust(values, cover, _presence(laid, waves, columns, rows))
    values, cover = values * trust, cover * trust
    homography = laid.homography if to_picture is None else to_picture @ laid.homography
    return Seen(
        values=values, cover=cover, channel=channel, homography=homography, mirrored=mirrored,
        strength=there / energy, clarity=there / energy**0.5,
    )  # fmt: skip


def _presence(laid: Rectified, waves: Plane, columns: int, rows: int) -> Plane:
    """How strongly the waves are there around each chip: a page shows them, the table it lies on does not."""
    around = (_TABLE * SAMPLES + 1, _TABLE * SAMPLES + 1)
    there = cv2.blur(laid.residual * waves, around)
    energy = cv2.blur(np.square(waves) * laid.weight, around)
    amount = np.maximum(0, there) / np.maximum(energy, 0.05)
    return cv2.resize(amount.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)


def _trust(values: Plane, cover: Plane, presence: Plane) -> Plane:
    """By which each chip counts: the pattern's strength around it over the noise there, so that quiet paper says more
    than what text and edges have disturbed (maximum ratio; depends on the picture alone).
    """
    around = (_QUIET, _QUIET)
    noise = cv2.blur(np.square(values), around) / np.maximum(cv2.blur(np.square(cover), around), 1e-3)
    there = cover > 0.3
    if not there.any() or presence.max() <= 0:
        return np.ones_like(values)
    strong = np.minimum(presence / np.quantile(presence[there], 0.75), 1.5)
    usual = float(np.average(noise[there], weights=strong[there] + 1e-6))
    trust: Plane = strong * usual / np.maximum(noise, 0.2 * usual)
    return trust
