"""Weak evidence adds up: several sightings, of parts of a page, of several photos or of several pages of one copy.

The number is the same in every tile, so the soft bits of all sightings are summed; the fingerprint is the same on every
page, so the chips are laid onto one page and added there, each where this copy's fingerprint fits best. What the sum is
measured by is its own length: a picture that is given twice says no more than once. Every choice that was made (the
places, how many of the sightings) counts as a try (docs/spec/mark.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .code import decode
from .tint import CHIPS, TintKey
from .tint_match import (
    ACCEPTED_Z,
    FALSE_RATE,
    PAGE_TILES,
    WEAK_Z,
    Hit,
    Match,
    Seen,
    chance,
    first_pass,
    fold,
    highest,
    match,
    print_z,
    rest_of,
)

Plane = NDArray[Any]
MOST = 12
"""Sightings that are added up, the clearest first."""
_SINGLE, _TOGETHER = 200, 60
_CODED = 2.0**-32
_WEAK_SHOWN, _WEAK_CHANCE = 3, 0.5


@dataclass(frozen=True, slots=True)
class Pooled:
    """An answer of several sightings together: the number, its fingerprint's z over all of them, `tests`, and which."""

    id: int
    z: float
    tests: float
    sightings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Fingerprints of the register: those that count, and those that are at most weak leads."""

    hits: tuple[Hit, ...]
    weak: tuple[Hit, ...]


def by_clarity(sightings: Sequence[Seen]) -> list[int]:
    """The sightings worth adding up, the clearest first."""
    order = sorted(range(len(sightings)), key=lambda number: -sightings[number].clarity)
    return [number for number in order if sightings[number].clarity > 0][:MOST]


def read_together(sightings: Sequence[Seen], key: TintKey) -> Pooled | None:
    """The number that the clearest sightings say together, two of them, three, and so on; None when they say none."""
    order = by_clarity(sightings)
    if len(order) < 2:
        return None
    soft = [fold(sightings[number], key) * _weight(sightings[number]) for number in order]
    for count in range(2, len(order) + 1):
        id = decode(np.sum(soft[:count], axis=0))
        if id is None:
            continue
        some = order[:count]
        z, used = joint_z([sightings[number] for number in some], key, id)
        if z >= ACCEPTED_Z and chance(z, used * len(order)) <= FALSE_RATE:
            return Pooled(id, z, used * len(order), tuple(some))
    return None


def joint_z(sightings: Sequence[Seen], key: TintKey, id: int) -> tuple[float, float]:
    """The fingerprint's z over all sightings, each at its best place, and how many combinations of places there are."""
    prints = key.fingerprint(id, PAGE_TILES * CHIPS, PAGE_TILES * CHIPS).astype(np.float32)
    canvas = np.zeros_like(prints)
    tests = 1.0
    for seen in sightings:
        place = match(seen, key, id)
        _lay(canvas, rest_of(seen, key, id) * np.float32(_weight(seen)), place)
        tests *= seen.places
    length = float(np.sqrt(np.square(canvas).sum(dtype=np.float64)))
    return (float((canvas * prints).sum(dtype=np.float64)) / length if length > 0 else 0.0), tests


def find(sightings: Sequence[Seen], key: TintKey, ids: Sequence[int]) -> Found:
    """Copies of the register that the sightings show, each alone, or else several together."""
    order = by_clarity(sightings)
    if not order or not len(ids):
        return Found((), ())
    some = [sightings[number] for number in order]
    scores = first_pass(some, key, ids)
    tests = float(len(ids)) * sum(seen.places for seen in some)
    best: dict[int, Hit] = {}
    for number, seen in enumerate(some):
        for index in highest(scores[number], _SINGLE):
            id = int(ids[index])
            z = print_z(seen, key, id)
            if z >= WEAK_Z and (id not in best or best[id].z < z):
                best[id] = Hit(id, z, tests, order[number])
    found = _sorted(best.values())
    if any(_counts(hit) for hit in found) or len(some) < 2:
        return _parted(found)
    together: dict[int, Hit] = dict(best)
    weights = np.array([_weight(seen) * float(np.sqrt(np.square(seen.values).sum())) for seen in some])
    product = float(some[0].places) * len(ids) * len(some)
    for count in range(2, len(some) + 1):
        product *= some[count - 1].places
        share = weights[:count] / np.sqrt(np.square(weights[:count]).sum())
        for index in highest(share @ scores[:count], _TOGETHER):
            id = int(ids[index])
            z, _ = joint_z(some[:count], key, id)
            if z >= WEAK_Z and (id not in together or chance(z, product) < _chance(together[id])):
                together[id] = Hit(id, z, product, order[0])
    return _parted(_sorted(together.values()))


def regions(seen: Seen, key: TintKey, id: int, place: Match) -> Plane:
    """How surely each tile of a sighting shows this copy: z, rows x columns, at the place of the whole."""
    tiles = rest_of(seen, key, id)
    rows, columns = tiles.shape[:2]
    prints = key.prints(id, PAGE_TILES)
    products, lengths = np.zeros((rows, columns)), np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            row, column = place.row + i, place.column + j
            if 0 <= row < PAGE_TILES and 0 <= column < PAGE_TILES:
                products[i, j] = float((tiles[i, j] * prints[row, column]).sum())
                lengths[i, j] = float(np.square(tiles[i, j]).sum())
    share = products / np.sqrt(np.maximum(lengths, 1e-9))
    return np.where(lengths > 0, share, 0.0)


def _weight(seen: Seen) -> float:
    """By which a sighting counts in a sum: its pattern's strength over its noise (maximum ratio)."""
    noise = float(np.square(seen.values).sum()) / max(1e-9, float(seen.cover.sum()))
    return max(0.0, seen.strength) / max(1e-9, noise)


def _lay(canvas: Plane, tiles: Plane, place: Match) -> None:
    """Adds the tiles to the page's chips at their place; what lies outside the page is left out."""
    rows, columns = tiles.shape[:2]
    for i in range(rows):
        for j in range(columns):
            top, left = (place.row + i) * CHIPS, (place.column + j) * CHIPS
            if 0 <= top < len(canvas) and 0 <= left < len(canvas):
                canvas[top : top + CHIPS, left : left + CHIPS] += tiles[i, j]


def _chance(hit: Hit) -> float:
    return chance(hit.z, hit.tests)


def _counts(hit: Hit) -> bool:
    return hit.z >= ACCEPTED_Z and _chance(hit) <= FALSE_RATE


def _sorted(hits: Iterable[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: -hit.z)


def _parted(hits: list[Hit]) -> Found:
    counted = tuple(hit for hit in hits if _counts(hit))
    weak = tuple(hit for hit in hits if not _counts(hit) and _chance(hit) <= _WEAK_CHANCE)
    return Found(counted, weak[:_WEAK_SHOWN])
