"""From what was seen of the tint to marks, and to what there is to show: one page, the pages of a file, several files.

Sightings travel between worker and coordinator as plain numbers (`pack`, `unpack`): a worker that dies loses one file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from ..models.copy import MarkMatch, MarkView, ReadMark
from ..watermark import tint_read
from ..watermark.tint import CHIPS, TintKey
from ..watermark.tint_match import Hit, Seen, match
from ..watermark.tint_pool import MOST, find, regions

_SHOWN = 8
"""Copies of which a picture's map is made, at most."""
_SIDE_MOST = 32
"""Tiles along a sighting's side, at most (register.py looks no further than 800 mm)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Marks, what there is to show, and the sightings they rest on (by page)."""

    marks: tuple[ReadMark, ...]
    views: tuple[MarkView, ...]
    seen: tuple[tuple[int, Seen], ...] = ()


def look_at(
    picture: Picture,
    number: int,
    key: TintKey,
    *,
    effort: tint_read.Effort = tint_read.USUAL,
    ids: Sequence[int],
    end: float,
) -> Evidence:
    """One page alone. Where pieces of several copies may lie beside each other, the register is asked as well."""
    looked = tint_read.look(picture, key, effort=effort, end=end)
    seen = tuple((number, sighting) for sighting in looked.seen)
    reading = looked.reading
    if reading is None:
        return Evidence((), (), seen)
    marks = [_coded(number, reading)]
    others: tuple[Hit, ...] = ()
    if len(ids) and tint_read.looks_mixed(reading, key):
        others = tuple(hit for hit in find([reading.seen], key, ids).hits if hit.id != reading.id)
        marks.extend(_printed(number, hit) for hit in others)
    shown = [reading.id, *(hit.id for hit in others)]
    return Evidence(tuple(marks), (_view(number, reading.seen, key, shown),), seen)


def add_up(seen: Sequence[tuple[int, Seen]], key: TintKey, ids: Sequence[int]) -> Evidence:
    """All sightings together: the number that they say, else the fingerprints of the register that they show."""
    sightings = [sighting for _, sighting in seen]
    reading = tint_read.together(sightings, key)
    if reading is not None:
        page = next(page for page, sighting in seen if sighting is reading.seen)
        return Evidence(
            (_coded(page, reading),), (_view(page, reading.seen, key, [reading.id]),), tuple(seen)
        )
    found = find(sightings, key, ids)
    marks = tuple(_printed(seen[hit.sighting][0], hit) for hit in found.hits)
    best = sorted({hit.sighting for hit in found.hits}) or _clearest(sightings)
    views = tuple(
        _view(seen[place][0], sightings[place], key, [hit.id for hit in found.hits][:_SHOWN], found.weak)
        for place in best
    )
    return Evidence(marks, views, tuple(seen))


def pack(seen: Sequence[tuple[int, Seen]]) -> tuple[list[dict[str, Any]], bytes]:
    """The clearest sightings, as facts and bytes."""
    kept = sorted(seen, key=lambda item: -item[1].clarity)[:MOST]
    facts, parts = [], []
    for page, sighting in kept:
        facts.append(
            {
                "page": page, "rows": sighting.values.shape[0], "columns": sighting.values.shape[1],
                "channel": sighting.channel, "mirrored": sighting.mirrored, "strength": sighting.strength,
                "clarity": sighting.clarity, "homography": [float(value) for value in sighting.homography.ravel()],
            }
        )  # fmt: skip
        parts.append(sighting.values.astype("<f2").tobytes())
        parts.append(np.round(sighting.cover * 255).astype(np.uint8).tobytes())
    return facts, b"".join(parts)


def unpack(facts: Sequence[dict[str, Any]], data: bytes) -> list[tuple[int, Seen]]:
    """The sightings of `pack`.

    Raises:
        ValueError: facts and bytes do not belong together.
    """
    seen, at = [], 0
    for fact in facts:
        shape = (int(fact["rows"]), int(fact["columns"]))
        if not all(side % CHIPS == 0 and 0 < side <= _SIDE_MOST * CHIPS for side in shape):
            raise ValueError("sighting's size")
        count = shape[0] * shape[1]
        if len(data) < at + 3 * count:
            raise ValueError("sighting's bytes")
        values = np.frombuffer(data, "<f2", count, at).reshape(shape).astype(np.float32)
        cover = np.frombuffer(data, np.uint8, count, at + 2 * count).reshape(shape).astype(np.float32) / 255
        at += 3 * count
        sighting = Seen(
            values=values, cover=cover, channel=str(fact["channel"]), mirrored=bool(fact["mirrored"]),
            homography=np.array(fact["homography"], float).reshape(3, 3), strength=float(fact["strength"]),
            clarity=float(fact["clarity"]),
        )  # fmt: skip
        seen.append((int(fact["page"]), sighting))
    return seen


def _coded(page: int, reading: tint_read.TintReading) -> ReadMark:
    return ReadMark(
        page=page, channel="forensic", value=f"{reading.id:012x}", score=reading.z, tests=reading.tests
    )


def _printed(page: int, hit: Hit) -> ReadMark:
    return ReadMark(
        page=page, channel="forensic", value=f"{hit.id:012x}", score=hit.z, coded=False, tests=hit.tests
    )


def _clearest(sightings: Sequence[Seen]) -> list[int]:
    return sorted(range(len(sightings)), key=lambda place: -sightings[place].clarity)[:1]


def _view(page: int, seen: Seen, key: TintKey, ids: Sequence[int], weak: Sequence[Hit] = ()) -> MarkView:
    matches = []
    for id in ids[:_SHOWN]:
        place = match(seen, key, id)
        grid: NDArray[Any] = np.round(regions(seen, key, id, place), 1)
        rows = tuple(tuple(float(value) for value in row) for row in grid)
        matches.append(MarkMatch(id=id, z=round(place.z, 1), row=place.row, column=place.column, grid=rows))
    return MarkView(
        page=page, channel=seen.channel, homography=tuple(float(value) for value in seen.homography.ravel()),
        mirrored=seen.mirrored, clarity=round(seen.clarity, 1), matches=tuple(matches),
        weak=tuple((hit.id, hit.z, hit.tests) for hit in weak),
    )  # fmt: skip
