"""Shifted glyphs in suspect files: the pages as they were are unsealed, workers compare.

They lie under each copy's own key and go with it: once a copy is destroyed, its glyphs say nothing any more. Copies of
a document whose pages are alike share one set of pages, so the cost grows with documents, not with copies. Where there
are many, a few points of the files are first compared with a few points of every page, on both cores, about a
millisecond for each; the sets that share most are then measured in full, once. Which sets those are knows nothing of
any sign, so the bound of a false answer counts only what was measured (stages/mark_glyphs.py).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import NotThere
from ...models.copy import MarkView, ReadMark
from ...models.tables import Artefact, Copy
from ...models.wire import from_plain
from ..intake.executor import Job, LocalExecutor, Reply
from ..station.station import Station

KIND = "glyphs"
"""Of the artefact that holds the pages as they were."""
SECONDS = (10.0, 30.0)
"""For all of it: usually, and when it is to be thorough."""
_MEASURED = 16
"""Sets of pages that are measured in full, at most."""
_MEASURING_SHARE = 0.4
"""Of the time, kept for measuring."""
_LIKE = 7
"""Points that a picture must share with a page, at least, for it to be measured."""
_AT_ONCE = 100
"""Sets of pages that are unsealed and handed over together."""
_UNDER_WAY = 4
"""Parts of the register that are unsealed and not yet compared."""


@dataclass(frozen=True, slots=True)
class GlyphAnswer:
    """The marks; whether every set of pages was compared with the files."""

    marks: tuple[ReadMark, ...]
    searched: bool = True
    views: tuple[MarkView, ...] = ()
    """How the pages lie on one file's pictures."""


@dataclass(frozen=True, slots=True)
class _Group:
    """One set of pages: key slot and path of its artefact, the numbers of the copies that share it."""

    slot: str
    path: str
    ids: list[int]


def read_glyphs(
    station: Station, worker: LocalExecutor, files: Sequence[bytes], *, tint: str, thorough: bool = False
) -> GlyphAnswer:
    """What the shifted glyphs of the files say together, until time is up; the newest documents' pages first.

    Args:
        tint: the station's tint key, hex.

    Raises:
        Broken: a sealed file was altered.
    """
    begun, whole = time.monotonic(), SECONDS[thorough]
    groups, searched = _groups(station), True
    if len(groups) > _MEASURED:
        groups, searched = _likeliest(
            station, worker, files, groups, thorough=thorough, end=begun + (1 - _MEASURING_SHARE) * whole
        )
    if not groups:
        return GlyphAnswer((), searched)
    kept = [(g, blob) for g, blob in zip(groups, _unsealed(station, groups), strict=True) if blob is not None]
    groups, blobs = [g for g, _ in kept], [blob for _, blob in kept]
    fields: dict[str, Any] = {
        "tint": tint, "files": [len(data) for data in files], "sizes": [len(blob) for blob in blobs],
        "ids": [group.ids for group in groups],
        "seconds": max(_MEASURING_SHARE * whole, begun + whole - time.monotonic()),
    }  # fmt: skip
    reply = worker.submit(Job(act=KIND, fields=fields, data=b"".join((*files, *blobs)))).result()
    if reply.outcome != "done":
        return GlyphAnswer((), searched)
    marks = from_plain(tuple[ReadMark, ...], reply.value["marks"])
    return GlyphAnswer(marks, searched, from_plain(tuple[MarkView, ...], reply.value["views"]))


def _likeliest(
    station: Station, worker: LocalExecutor, files: Sequence[bytes], groups: Sequence[_Group], *,
    thorough: bool, end: float,
) -> tuple[list[_Group], bool]:  # fmt: skip
    """The groups on whose pages the files may lie, the likeliest first; whether all were compared."""
    counts, points = _points(worker, files, mirror=thorough or len(groups) < _MEASURED**2, end=end)
    if not any(counts):
        return [], bool(counts)
    scores: dict[int, int] = {}
    under_way: deque[tuple[list[int], Future[Reply]]] = deque()

    def take() -> None:
        numbers, future = under_way.popleft()
        reply = future.result()
        if reply.outcome == "done":
            scores.update(
                (n, score) for n, score in zip(numbers, reply.value["scores"], strict=True) if score >= 0
            )

    for numbers, blobs in _batches(station, groups):
        if len(under_way) >= _UNDER_WAY:
            take()
        left = end - time.monotonic()
        if left <= 0:
            break
        fields = {"points": counts, "sizes": [len(blob) for blob in blobs], "seconds": left}
        under_way.append(
            (numbers, worker.submit(Job(act="glyph_rank", fields=fields, data=b"".join((points, *blobs)))))
        )
    while under_way:
        take()
    best = sorted((n for n in scores if scores[n] >= _LIKE), key=lambda n: (-scores[n], n))
    return [groups[n] for n in best[:_MEASURED]], len(scores) == len(groups)


def _points(
    worker: LocalExecutor, files: Sequence[bytes], *, mirror: bool, end: float
) -> tuple[list[int], bytes]:
    counts: list[int] = []
    parts = []
    for data in files:
        fields = {"mirror": mirror, "seconds": max(0.0, end - time.monotonic()) / 2}
        reply = worker.submit(Job(act="glyph_points", fields=fields, data=data)).result()
        if reply.outcome == "done":
            counts += reply.value["points"]
            parts.append(reply.data)
    return counts, b"".join(parts)


def _groups(station: Station) -> list[_Group]:
    """The sets of pages there are, the newest first."""
    with station.read() as session:
        rows = session.execute(
            select(Artefact.document_id, Artefact.size, Artefact.key_slot, Artefact.path, Copy.forensic_id)
            .join(Copy, Copy.id == Artefact.copy_id)
            .where(Artefact.kind == KIND, Artefact.state == "live")
            .order_by(Artefact.id.desc())
        ).all()
    groups: dict[tuple[str, int], _Group] = {}
    for document, size, slot, path, id in rows:
        # pages of the same document that pack to the same size are the same pages
        groups.setdefault((document, size), _Group(slot, path, [])).ids.append(id)
    return list(groups.values())


def _unsealed(station: Station, groups: Sequence[_Group]) -> list[bytes | None]:
    """The groups' pages; None where the copy was destroyed meanwhile."""
    with station.read() as session:
        try:
            found = station.vault.get_all(session, [(group.slot, group.path) for group in groups])
        except NotThere:
            return [_alone(station, session, group) for group in groups]
    return [found[group.path] for group in groups]


def _alone(station: Station, session: Session, group: _Group) -> bytes | None:
    try:
        return bytes(station.vault.get(session, group.slot, group.path))
    except NotThere:
        return None


def _batches(station: Station, groups: Sequence[_Group]) -> Iterator[tuple[list[int], list[bytes]]]:
    for first in range(0, len(groups), _AT_ONCE):
        numbers = range(first, min(len(groups), first + _AT_ONCE))
        blobs = _unsealed(station, [groups[number] for number in numbers])
        whole = [(number, blob) for number, blob in zip(numbers, blobs, strict=True) if blob is not None]
        yield [number for number, _ in whole], [blob for _, blob in whole]
