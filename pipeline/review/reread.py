"""Reading again, at the desk: pieces of a document that somebody cut or put together, each as one document."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ...common.errors import Refused
from ...common.limits import DEFAULT_LIMITS
from ...models.level import Level
from ...models.page import Finding
from ..intake.crew import crew
from ..intake.executor import Job
from ..intake.reading import Judged, Part, Reading, Unread
from ..intake.register_entry import ReadPaper
from ..station.station import Station


class Desk:
    """One or two workers for one act. A context manager."""

    def __init__(self, station: Station, *, origin: str | None, pieces: int = 1) -> None:
        self._station = station
        self._held = ExitStack()
        jobs = min(2, pieces)
        workers = self._held.enter_context(crew(station.home, jobs=jobs))
        self._reading = Reading(
            station,
            workers=workers,
            jobs=jobs,
            limits=DEFAULT_LIMITS,
            engine="auto",
            split="none",
            origin=origin,
        )

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def ask(self, act: str, fields: dict[str, Any], data: bytes) -> bytes:
        """Another act of a worker on a file; its bytes.

        Raises:
            Refused: `not_read_again`, with what went wrong.
        """
        reply = self._reading.ask(Job(act=act, fields=fields, data=data))
        if reply.outcome != "done":
            raise Refused("not_read_again", why=reply.code or "worker_failed")
        return reply.data

    def look(self, data: bytes, document: str) -> int:
        """Pages of a file that may be taken apart.

        Raises:
            Refused: `signed_stays_whole`: cutting would break its signature. `not_read_again`.
        """
        reply = self._reading.ask(Job(act="look", fields={}, data=data))
        if reply.outcome != "done":
            raise Refused("not_read_again", why=reply.code or "worker_failed")
        if reply.value.get("signature") == "present":
            raise Refused("signed_stays_whole", document=document)
        return int(reply.value["pages"])

    def read(self, pieces: Sequence[bytes], old: Sequence[str]) -> list[tuple[Part, Judged]]:
        """Each piece as one document, read and judged; `old` are the documents that they replace.

        Raises:
            Refused: `not_read_again`.
        """
        futures = [self._reading.begin(piece).future for piece in pieces]
        read = []
        try:
            for piece, future in zip(pieces, futures, strict=True):
                (part,) = self._reading.parts(piece, hashlib.sha256(piece).hexdigest(), future.result())
                read.append((part, self._reading.judge(part, without=old)))
        except Unread as error:
            raise Refused("not_read_again", why=error.code) from None
        return read


def paper_of(
    part: Part, judged: Judged, *, path: Path, identity: str, findings: Sequence[Finding] = ()
) -> ReadPaper:
    """A piece as it goes into the register."""
    return ReadPaper(
        path=path, data=part.data, sha256=hashlib.sha256(part.data).hexdigest(), format=part.format,
        pages=part.pages, transcript=part.transcript, fields=part.fields, level=judged.level,
        retention=judged.retention, origin=judged.origin, urgent=False,
        findings=tuple(dict.fromkeys((*part.findings, *findings))), identity=identity, prints=part.prints,
    )  # fmt: skip


def marked_above(station: Station, judged: Judged) -> Level | None:
    """The level of a mark above the station's; None when there is none (R-021)."""
    level = judged.level.level if judged.level.basis in ("marked", "derivative", "unit_list") else None
    if level is None or station.policy.rank(level) <= station.policy.rank(station.level):
        return None
    return level
