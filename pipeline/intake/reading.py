"""What a batch asks of its workers, and what it believes of their answers.

Threat model: a worker was taken over by the file it read. Its answer is data: it must fit the nouns, or the file is
kept as unreadable; it never ends the batch.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from ...common.errors import MissingTool
from ...common.limits import Limits
from ...models.fields import OfficialFields
from ...models.page import Finding, Page
from ...models.passage import Prints
from ...models.suggestion import LevelSuggestion, RetentionSuggestion
from ...models.wire import from_plain, to_plain
from ..learning.station_model import active, briefing, in_use
from ..plan import job_of
from ..station.station import Station
from .executor import Job, LocalExecutor, Reply
from .page_reading import PageReading
from .register_entry import part_identity
from .relations import RelationIndex

_ENVIRONMENT = frozenset(
    {"no_ocr_engine", "ocr_engine_missing", "ocr_model_altered", "font_missing", "worker_unusable"}
)
_MOST_CITED = 2000
_MISFIT = (TypeError, ValueError, LookupError, AttributeError, RecursionError)


class Unread(Exception):
    """A worker did not read, cut or judge a paper; the file is kept, the batch goes on."""

    def __init__(self, code: str | None, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code or "worker_failed", detail


@dataclass(frozen=True, slots=True)
class Judged:
    """What a paper was judged to be."""

    level: LevelSuggestion
    retention: RetentionSuggestion
    origin: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """A document in a file: the file's bytes, or pages (from 1) cut from a stack."""

    first: int
    last: int
    slip: str | None
    transcript: bytes
    """As sealed: JSON that fits `Transcript`."""
    fields: OfficialFields
    cites: tuple[str, ...]
    """Numbers of the papers that it names."""
    prints: Prints
    """Fingerprints of its passages."""
    judged: Judged
    """As a paper that cites nothing that the register knows."""
    data: bytes
    identity: str
    format: str
    findings: tuple[Finding, ...]
    pages: int
    """How many of its own: envelopes and lists are not counted."""
    password: str | None = field(default=None, repr=False)
    """The one that opened the file, of those given for it."""


class Reading:
    """What the workers of one batch are asked; `jobs` of them may work at once."""

    def __init__(
        self, station: Station, *, workers: LocalExecutor, jobs: int, limits: Limits, engine: str, split: str,
        origin: str | None, without: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self._station, self._workers, self._jobs, self._limits = station, workers, jobs, limits
        self._fields = {"engine": engine, "split": split, "origin": origin, "without": list(without)}
        self._relations = RelationIndex(station)
        self._model = in_use(station)
        workers.brief(briefing(station, model=self._model))

    def follow(self, session: Session) -> None:
        """Judges by the model in use now: one that was put out of use meanwhile is taken from the workers."""
        row = active(session)
        now = row.id if row else None
        if now != (self._model.id if self._model else None):
            self._model = in_use(self._station)
            self._workers.brief(briefing(self._station, model=self._model))

    def ask(self, job: Job) -> Reply:
        """Has a reading worker answer another question, and waits for it."""
        return self._workers.submit(job).result()

    def begin(
        self, data: bytes, passwords: tuple[str, ...] = (), *, urgent: bool = False, followed: bool = False
    ) -> PageReading:
        """Has a file read; an urgent one before all that wait. `followed`: the caller has just called `follow`."""
        if not followed:
            with self._station.read() as session:
                self.follow(session)
        fields = {**self._fields, "passwords": list(passwords)}
        return PageReading(self._workers, data, fields, jobs=self._jobs, limits=self._limits, urgent=urgent)

    def parts(self, data: bytes, sha256: str, reply: Reply, passwords: tuple[str, ...] = ()) -> list[Part]:
        """The documents in a file, as they were read with these passwords at hand.

        Raises:
            Unread: it could not be read or cut. MissingTool: no engine, no worker, a full scratch folder.
        """
        value = _answered(reply)
        with _fitting():
            findings = from_plain(tuple[Finding, ...], value["findings"])
            opened_with = value.get("opened_with")
            password = None if opened_with is None else passwords[int(opened_with)]
            pieces = _Pieces(reply.data)
            parts = []
            for plain in value["parts"]:
                own = from_plain(tuple[Finding, ...], plain["findings"])
                transcript = pieces.transcript(plain["page_bytes"], own)
                first, last, size = int(plain["first"]), int(plain["last"]), plain.get("cut_bytes")
                parts.append(
                    Part(
                        first=first, last=last, slip=from_plain(str | None, plain["slip"]),  # type: ignore[arg-type]
                        transcript=transcript, fields=from_plain(OfficialFields, plain["fields"]),
                        cites=from_plain(tuple[str, ...], plain["cites"])[:_MOST_CITED],
                        prints=from_plain(Prints, plain["prints"]),
                        judged=_judged(plain),
                        data=data if size is None else pieces.take(int(size)),
                        password=password if size is None else None,
                        identity=sha256 if size is None else part_identity(sha256, first, last),
                        format=str(value["kind"]), pages=int(plain["count"]),
                        findings=tuple(dict.fromkeys((*findings, *own))),
                    )
                )  # fmt: skip
            if not parts or sum(part.data is data for part in parts) > 1:
                raise ValueError("no part, or two that are the whole")
        return parts

    def judge(self, part: Part, *, without: Collection[str] = ()) -> Judged:
        """Level and retention suggested for a document, knowing the registered ones that it cites or repeats.

        `without`: documents that it replaces.

        Raises:
            Unread: it could not be judged. MissingTool: no worker.
        """
        with self._station.read() as session:
            relations = self._relations.of(session, part.fields, part.cites, part.prints, without=without)
            if not relations.related:
                return part.judged
            self.follow(session)
        fields = {
            "fields": to_plain(part.fields), "relations": to_plain(relations), "origin": self._fields["origin"],
        }  # fmt: skip
        job = Job(act=job_of("classify"), fields=fields, data=part.transcript, urgent=True)
        value = _answered(self._workers.submit(job).result())
        with _fitting():
            return _judged(value)

    def learn(self, document: str, part: Part) -> None:
        """The part is registered: later papers may cite it."""
        self._relations.learn(document, part.fields.doc_number)


class _Pieces:
    """The bytes of a reply, taken piece by piece."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> bytes:
        """The next so many bytes."""
        end = self._at + size
        if size < 0 or end > len(self._data):
            raise ValueError("too few bytes")
        piece, self._at = self._data[self._at : end], end
        return piece

    def transcript(self, sizes: list[int], findings: tuple[Finding, ...]) -> bytes:
        """The next pages as a transcript. Each is looked at and let go again: a long paper is never here as values."""
        pages = [self.take(size) for size in sizes]
        for page in pages:
            from_plain(Page, json.loads(page))
        rest = json.dumps(to_plain(findings), ensure_ascii=False).encode("utf-8", "surrogatepass")
        return b'{"pages":[' + b",".join(pages) + b'],"findings":' + rest + b"}"


def _judged(plain: dict[str, Any]) -> Judged:
    return Judged(
        level=from_plain(LevelSuggestion, plain["level"]),
        retention=from_plain(RetentionSuggestion, plain["retention"]),
        origin=from_plain(str | None, plain["origin"]),  # type: ignore[arg-type]
    )


def _answered(reply: Reply) -> dict[str, Any]:
    if reply.outcome in ("done", "doubt"):
        return reply.value
    if reply.code == "disk_full":
        raise MissingTool("disk_full", where=reply.detail)
    if reply.code in _ENVIRONMENT:
        raise MissingTool(reply.code, detail=reply.detail)
    raise Unread(reply.code, reply.detail)


@contextmanager
def _fitting() -> Iterator[None]:
    """Around the reading of a worker's value: what does not fit the nouns is no value."""
    try:
        yield
    except _MISFIT:
        raise Unread("worker_garbled") from None
