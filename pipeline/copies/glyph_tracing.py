"""Shifted glyphs in a suspect file: the pages as they were are unsealed, a worker compares.

They lie under each copy's own key and go with it: once a copy is destroyed, its glyphs say nothing any more. Copies of
a document whose pages are alike share one set of pages, so the cost grows with documents, not with copies: about a
millisecond to unseal one, some milliseconds a page to lay it on the picture.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from ...models.copy import ReadMark
from ...models.tables import Artefact, Copy
from ...models.wire import from_plain
from ..intake.executor import Job, LocalExecutor
from ..station.station import Station

KIND = "glyphs"
"""Of the artefact that holds the pages as they were."""
SECONDS = (20.0, 90.0)
"""For all of it: usually, and when it is to be thorough."""
_AT_ONCE = 24 * 1024 * 1024


def read_glyphs(
    station: Station, worker: LocalExecutor, data: bytes, *, tint: str, thorough: bool = False
) -> tuple[ReadMark, ...]:
    """What the shifted glyphs of a file say, the newest documents' copies first, until one answers or time is up.

    Args:
        tint: the station's tint key, hex.

    Raises:
        Broken: a sealed file was altered.
    """
    end = time.monotonic() + SECONDS[thorough]
    groups = _groups(station)
    copies = sum(len(ids) for _, _, ids in groups)
    for blobs, ids in _batches(station, groups):
        left = end - time.monotonic()
        if left <= 0:
            break
        fields: dict[str, Any] = {
            "tint": tint, "size": len(data), "sizes": [len(blob) for blob in blobs], "ids": ids, "copies": copies,
            "seconds": left,
        }  # fmt: skip
        reply = worker.submit(Job(act=KIND, fields=fields, data=b"".join((data, *blobs)))).result()
        if reply.outcome != "done":
            break
        marks = from_plain(tuple[ReadMark, ...], reply.value["marks"])
        if marks:
            return marks
    return ()


def _groups(station: Station) -> list[tuple[str, str, list[int]]]:
    """Key slot and path of one set of pages, and the numbers of the copies that share it; the newest first."""
    with station.read() as session:
        rows = session.execute(
            select(Artefact.document_id, Artefact.size, Artefact.key_slot, Artefact.path, Copy.forensic_id)
            .join(Copy, Copy.id == Artefact.copy_id)
            .where(Artefact.kind == KIND, Artefact.state == "live")
            .order_by(Artefact.id.desc())
        ).all()
    groups: dict[tuple[str, int], tuple[str, str, list[int]]] = {}
    for document, size, slot, path, id in rows:
        # pages of the same document that pack to the same size are the same pages
        groups.setdefault((document, size), (slot, path, []))[2].append(id)
    return list(groups.values())


def _batches(
    station: Station, groups: Sequence[tuple[str, str, list[int]]]
) -> Iterator[tuple[list[bytes], list[list[int]]]]:
    blobs: list[bytes] = []
    ids: list[list[int]] = []
    for slot, path, numbers in groups:
        with station.read() as session:
            blobs.append(bytes(station.vault.get(session, slot, path)))
        ids.append(numbers)
        if sum(map(len, blobs)) > _AT_ONCE:
            yield blobs, ids
            blobs, ids = [], []
    if blobs:
        yield blobs, ids
