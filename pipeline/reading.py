"""What a batch asks of its workers, and what it believes of their answers.

Threat model: a worker was taken over by the file it read. Its answer is data: it must fit the nouns, or the file is
kept as unreadable; it never ends the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..common.errors import MissingTool
from ..common.limits import Limits
from ..models.fields import OfficialFields
from ..models.page import Finding, Transcript
from ..models.suggestion import LevelSuggestion, Relations, RetentionSuggestion
from ..models.wire import from_plain, to_plain
from .executor import Job, LocalExecutor, Reply
from .plan import job_of
from .register_entry import part_identity
from .relations import RelationIndex
from .station import Station

_ENVIRONMENT = frozenset(
    {"no_ocr_engine", "ocr_engine_missing", "ocr_model_altered", "font_missing", "worker_unusable"}
)
_MISFIT = (TypeError, ValueError, LookupError, AttributeError, RecursionError)


class Unread(Exception):
    """A worker did not read, cut or judge a paper; the file is kept, the batch goes on."""

    def __init__(self, code: str | None, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code or "worker_failed", detail


@dataclass(frozen=True, slots=True)
class Part:
    """A document in a file: the file's bytes, or pages (from 1, both included) cut from a stack."""

    first: int
    last: int
    slip: str | None
    transcript: Transcript
    fields: OfficialFields
    data: bytes
    identity: str
    format: str
    findings: tuple[Finding, ...]
    password: str | None = field(default=None, repr=False)
    """The one that opened the file, of those given for it."""

    @property
    def pages(self) -> int:
        """How many."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Judged:
    """What a paper was judged to be."""

    level: LevelSuggestion
    retention: RetentionSuggestion
    origin: str | None


class Reading:
    """The workers of one batch. `close` ends them."""

    def __init__(
        self, station: Station, *, scratch: Path, jobs: int, limits: Limits, engine: str, split: str,
        origin: str | None,
    ) -> None:  # fmt: skip
        self._station, self._origin = station, origin
        self._fields = {"engine": engine, "split": split}
        self._relations = RelationIndex(station)
        self._primed = False
        self._held = ExitStack()
        self._readers, self._judge = (
            self._held.enter_context(LocalExecutor(jobs=count, scratch=scratch / name, limits=limits))
            for name, count in (("readers", jobs), ("judge", 1))
        )

    def close(self) -> None:
        """Ends every worker now."""
        self._held.close()

    def ask(self, job: Job) -> Reply:
        """Has a reading worker answer another question, and waits for it."""
        return self._readers.submit(job).result()

    def begin(self, data: bytes, passwords: tuple[str, ...] = ()) -> Future[Reply]:
        """Has a file read; meanwhile the worker that judges gets ready, which takes it most of a second."""
        if not self._primed:
            self._primed = True
            self._judge.submit(self._question(Transcript(()), OfficialFields(), Relations(), None))
        return self._readers.submit(
            Job(act=job_of("ocr"), fields={**self._fields, "passwords": list(passwords)}, data=data)
        )

    def parts(self, data: bytes, sha256: str, reply: Reply, passwords: tuple[str, ...] = ()) -> list[Part]:
        """The documents in a file, as they were read with these passwords at hand.

        Raises:
            Unread: it could not be read or cut. MissingTool: no engine, no worker, a full scratch folder.
        """
        value = _answered(reply)
        with _fitting():
            findings = tuple(from_plain(Finding, finding) for finding in value["findings"])
            read = [
                (int(part["first"]), int(part["last"]), part["slip"],
                 from_plain(Transcript, part["transcript"]), from_plain(OfficialFields, part["fields"]))
                for part in value["parts"]
            ]  # fmt: skip
            kind, pages = str(value["kind"]), int(value["pages"])
            opened_with = value.get("opened_with")
            password = None if opened_with is None else passwords[int(opened_with)]
        parts = []
        for first, last, slip, transcript, fields in read:
            whole = len(read) == 1 and (first, last) == (1, pages)
            parts.append(
                Part(
                    first=first, last=last, slip=slip, transcript=transcript, fields=fields,
                    data=data if whole else self._cut(data, first, last, passwords),
                    password=password if whole else None,
                    identity=sha256 if whole else part_identity(sha256, first, last),
                    format=kind,
                    findings=tuple(dict.fromkeys((*findings, *transcript.findings))),
                )
            )  # fmt: skip
        return parts

    def judge(self, part: Part) -> Judged:
        """Level and retention suggested for a document, knowing the registered ones that it cites.

        Raises:
            Unread: it could not be judged. MissingTool: no worker.
        """
        with self._station.read() as session:
            relations = self._relations.of(session, part.transcript, part.fields.doc_number)
        policy = self._station.policy
        origin = self._origin or policy.retention.origin_of(part.fields.organs)
        job = self._question(part.transcript, part.fields, relations, origin)
        value = _answered(self._judge.submit(job).result())
        with _fitting():
            return Judged(
                level=from_plain(LevelSuggestion, value["level"]),
                retention=from_plain(RetentionSuggestion, value["retention"]),
                origin=origin,
            )

    def _question(
        self, transcript: Transcript, fields: OfficialFields, relations: Relations, origin: str | None
    ) -> Job:
        return Job(
            act=job_of("classify"),
            fields={
                "transcript": to_plain(transcript),
                "fields": to_plain(fields),
                "relations": to_plain(relations),
                "policy": self._station.policy_text,
                "profile": self._station.settings.profile,
                "origin": origin,
                "important": None,
                "flags": [],
            },
        )

    def learn(self, document: str, part: Part) -> None:
        """The part is registered: later papers may cite it."""
        self._relations.learn(document, part.fields.doc_number)

    def _cut(self, data: bytes, first: int, last: int, passwords: tuple[str, ...]) -> bytes:
        fields = {"first": first, "last": last, "passwords": list(passwords)}
        reply = self._judge.submit(Job(act="cut", fields=fields, data=data)).result()
        _answered(reply)
        return bytes(reply.data)


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
