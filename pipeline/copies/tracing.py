"""Trace 溯源: from a leaked picture or file to the copy and its registered holder. A lead, not a finding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import JiyaoError, NoMark, NotThere
from ...common.limits import DEFAULT_LIMITS
from ...models.copy import ReadMark
from ...models.tables import Copy
from ...models.wire import from_plain
from ...watermark.payload import station_tag
from ...watermark.trace import Candidate, TraceVerdict, judge
from ..intake.executor import Job, LocalExecutor
from ..intake.inbox import Unreadable, read_file
from ..persons import people
from ..persons.actors import Actor, acting
from ..plan import job_of
from ..station.station import Station

TINT = "tint"
"""The station's tint key is derived under this name."""


def trace(station: Station, actor: Actor, *, files: Sequence[Path], reason: str) -> dict[str, Any]:
    """Reads the marks of each file in a worker and looks up what they name.

    Raises:
        NotThere: a file is not there. NoMark: no file had a mark (the value is complete all the same).
    """
    why = station.reason(reason)
    for file in files:
        if not file.exists():
            raise NotThere("no_file", file=str(file))
    results = []
    with station.read() as session:
        known: dict[str, Any] = {
            "tint": bytes(station.vault.derive(session, TINT)).hex(),
            "ids": list(session.scalars(select(Copy.forensic_id))),
        }
    with station.scratch() as scratch, LocalExecutor(jobs=1, scratch=scratch.path) as worker:
        for file in files:
            results.append(_trace_one(station, worker, file, known))
    with acting(station, actor, "trace") as session:
        for result in results:
            station.log(
                session, "trace", objects=tuple(filter(None, (result["document"], result["copy"]))),
                person=actor.person, account=actor.user, reason=why, facts={"verdict": result["verdict"]},
            )  # fmt: skip
    value = {"results": results}
    if all(result["verdict"] == "none" for result in results):
        raise NoMark("no_copy_mark", value=value)
    return value


def _trace_one(station: Station, worker: LocalExecutor, file: Path, known: dict[str, Any]) -> dict[str, Any]:
    marks: tuple[ReadMark, ...] = ()
    problem = None
    try:
        data = read_file(file, DEFAULT_LIMITS.file_bytes)
        reply = worker.submit(Job(act=job_of("trace"), fields=known, data=data)).result()
        if reply.outcome == "done":
            marks = from_plain(tuple[ReadMark, ...], reply.value["marks"])
        else:
            problem = reply.code
    except (Unreadable, JiyaoError) as error:
        problem = error.code
    with station.read() as session:
        key = bytes(station.vault.derive(session, "mark"))
        verdict = judge(marks, key=key, tag=station_tag(station.settings.store_uuid))
        return _result(station, session, file, verdict, problem)


def _result(
    station: Station, session: Session, file: Path, verdict: TraceVerdict, problem: str | None
) -> dict[str, Any]:
    found = _copy_by_id(session, verdict.id)
    candidates = [_candidate(session, item) for item in verdict.candidates]
    candidates = [item for item in candidates if item is not None]
    word = verdict.verdict
    codes = [finding.code for finding in verdict.findings]
    if word == "copy" and found is None:
        word = "none"
        codes.append("copy_not_in_register")
    if word == "candidates" and not candidates:
        word = "none"
        codes.append("copy_not_in_register")
    return {
        "file": str(file),
        "verdict": word,
        "copy": found.id if found else None,
        "document": found.document_id if found else None,
        "number": found.number if found else None,
        "recipient": found.recipient if found else None,
        "holder": found.holder if found else None,
        "holder_name": people.name_of(station, session, found.holder) if found else None,
        "issued_at": found.issued_at if found else None,
        "confidence": verdict.confidence if word != "none" else 0.0,
        "false_rate": verdict.false_rate,
        "channels": [
            {"channel": item.channel, "found": item.found, "value": item.value, "score": item.score}
            for item in verdict.channels
        ],
        "candidates": candidates,
        "findings": codes,
        "problem": problem,
    }


def _copy_by_id(session: Session, forensic: int | None) -> Copy | None:
    if forensic is None:
        return None
    return session.scalars(select(Copy).where(Copy.forensic_id == forensic)).first()


def _candidate(session: Session, item: Candidate) -> dict[str, Any] | None:
    if item.id is not None:
        copy = _copy_by_id(session, item.id)
    else:
        copy = session.scalars(
            select(Copy).where(Copy.document_id == item.document, Copy.number == item.number)
        ).first()
    return {"copy": copy.id, "recipient": copy.recipient, "score": item.score} if copy else None
