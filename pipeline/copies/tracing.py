"""Trace 溯源: from a leaked picture or file to the copy and its registered holder. A lead, not a finding."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import JiyaoError, NoMark, NotThere, Refused
from ...common.files import write_new
from ...common.limits import DEFAULT_LIMITS
from ...common.messages import Lang
from ...models.copy import MarkView, ReadMark
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
from . import trace_report
from .glyph_tracing import read_glyphs

TINT = "tint"
"""The station's tint key is derived under this name."""
_THOROUGH_SECONDS = 110.0
_MOST_TOGETHER = 24
"""Files whose weak evidence is added up."""
Step = Callable[[int, int], None]
"""Told how many of how many files are looked at."""


@dataclass(slots=True)
class Looked:
    """What a worker saw in one file."""

    file: Path
    data: bytes = b""
    marks: tuple[ReadMark, ...] = ()
    views: tuple[MarkView, ...] = ()
    seen: tuple[dict[str, Any], ...] = ()
    sightings: bytes = b""
    problem: str | None = None
    detail: str = ""
    """What the problem's message names."""
    thorough: bool = False
    brief: bool = False
    """A barcode of ours named the copy; the tint was compared with it, and nothing else looked for."""
    searched: bool = True
    """All pages with shifted glyphs were compared with it, where they were asked."""


def trace(
    station: Station,
    actor: Actor,
    *,
    files: Sequence[Path],
    reason: str,
    thorough: bool = False,
    report: Path | None = None,
    lang: Lang = "zh",
    step: Step = lambda _done, _all: None,
) -> dict[str, Any]:
    """Reads the marks of each file in a worker and looks up what they name; files that say nothing alone are added up.

    Args:
        thorough: takes up to 90 seconds a file instead of 20.
        report: a PDF for whoever decides, written anew; it shows the leaked pictures.
        step: told before each file and at the end.

    Raises:
        NotThere: a file is not there. Refused: the report is there already. NoMark: no file had a mark (the value is
        complete all the same).
    """
    why = station.reason(reason)
    for file in files:
        if not file.exists():
            raise NotThere("no_file", file=str(file))
    if report is not None and report.exists():
        raise Refused("file_exists", file=str(report))
    with station.read() as session:
        tint = bytes(station.vault.derive(session, TINT)).hex()
        ids = array("Q", session.scalars(select(Copy.forensic_id)))
    if sys.byteorder == "big":
        ids.byteswap()
    asked = {"tint": tint, "thorough": thorough}
    with (
        station.scratch() as scratch,
        LocalExecutor(
            jobs=2, scratch=scratch.path, briefing=Job(act="copies", fields={}, data=ids.tobytes()),
            limits=replace(DEFAULT_LIMITS, seconds_per_document=_THOROUGH_SECONDS) if thorough else DEFAULT_LIMITS,
        ) as worker,
    ):  # fmt: skip
        looked = []
        for number, file in enumerate(files):
            step(number, len(files))
            looked.append(_look(station, worker, file, asked))
        step(len(files), len(files))
        results = [_by_glyphs(station, worker, one, asked) for one in looked]
        joint = _together(station, worker, looked, results, asked)
        made = None
        if report is not None:
            made = trace_report.draw(
                station, actor, worker, looked=looked, results=results, joint=joint, lang=lang
            )
    written = None
    if report is not None and made is not None:
        written = {"file": str(report), "sha256": write_new(report, made)}
    with acting(station, actor, "trace") as session:
        for result in [*results, *([joint] if joint else [])]:
            station.log(
                session, "trace", objects=tuple(filter(None, (result["document"], result["copy"]))),
                person=actor.person, account=actor.user, reason=why, facts={"verdict": result["verdict"]},
            )  # fmt: skip
        if written is not None:
            named = {result["copy"] for result in results if result["copy"]}
            station.log(
                session, "trace.report", objects=tuple(sorted(named)), person=actor.person, account=actor.user,
                reason=why, facts={"sha256": written["sha256"], "files": len(files)},
            )  # fmt: skip
    value = {"results": results, "together": joint, "report": written}
    if all(result["verdict"] == "none" for result in results) and joint is None:
        raise NoMark("no_copy_mark", value=value)
    return value


def _look(station: Station, worker: LocalExecutor, file: Path, asked: dict[str, Any]) -> Looked:
    """What a worker sees in a file: at first no more than compares the tint with a barcode, where there is one; all,
    where that barcode turns out to be none of ours.
    """
    one = Looked(file, thorough=bool(asked["thorough"]))
    for brief in (not one.thorough, False):
        try:
            one.data = one.data or read_file(file, DEFAULT_LIMITS.file_bytes)
            job = Job(act=job_of("trace"), fields={**asked, "brief": brief}, data=one.data)
            reply = worker.submit(job).result()
        except (Unreadable, JiyaoError) as error:
            one.problem, one.detail = error.code, str(getattr(error, "facts", {}).get("detail", "-"))
            return one
        if reply.outcome != "done":
            one.problem, one.detail = reply.code, reply.detail or "-"
            return one
        one.marks = from_plain(tuple[ReadMark, ...], reply.value["marks"])
        one.views = from_plain(tuple[MarkView, ...], reply.value["views"])
        one.seen, one.sightings = tuple(reply.value["seen"]), reply.data
        one.brief = bool(reply.value["brief"])
        if not brief or not reply.value["brief"] or _judged(station, one)["verdict"] == "copy":
            break
    return one


def _by_glyphs(station: Station, worker: LocalExecutor, one: Looked, asked: dict[str, Any]) -> dict[str, Any]:
    """The result of a file; where the other marks do not name one copy, with what its shifted glyphs say."""
    result = _judged(station, one)
    if result["verdict"] == "copy" or one.problem is not None:
        return result
    answer = read_glyphs(station, worker, [one.data], tint=asked["tint"], thorough=one.thorough)
    one.marks, one.searched = one.marks + answer.marks, answer.searched
    one.views += answer.views
    return _judged(station, one)


def _judged(station: Station, one: Looked) -> dict[str, Any]:
    with station.read() as session:
        key = bytes(station.vault.derive(session, "mark"))
        verdict = judge(one.marks, key=key, tag=station_tag(station.settings.store_uuid))
        return _result(station, session, one, verdict)


def _together(
    station: Station,
    worker: LocalExecutor,
    looked: Sequence[Looked],
    results: Sequence[dict[str, Any]],
    asked: dict[str, Any],
) -> dict[str, Any] | None:
    """What the files say together that said nothing alone; None when that is nothing either."""
    silent = [
        one
        for one, result in zip(looked, results, strict=True)
        if result["verdict"] == "none" and one.problem is None
    ][:_MOST_TOGETHER]
    if len(silent) < 2:
        return None
    marks = _tints_together(worker, silent, asked)
    searched = True
    if not marks:
        files = [one.data for one in silent]
        answer = read_glyphs(station, worker, files, tint=asked["tint"], thorough=bool(asked["thorough"]))
        marks, searched = answer.marks, answer.searched
    if not marks:
        return None
    # which of the files a mark came from went where a page's number stands
    pooled = Looked(silent[0].file, marks=tuple(replace(mark, page=0) for mark in marks), searched=searched)
    result = _judged(station, pooled)
    if result["verdict"] == "none":
        return None
    return {**result, "file": None, "files": [str(one.file) for one in silent]}


def _tints_together(
    worker: LocalExecutor, silent: Sequence[Looked], asked: dict[str, Any]
) -> tuple[ReadMark, ...]:
    facts = [{**fact, "page": number} for number, one in enumerate(silent) for fact in one.seen]
    if not facts:
        return ()
    job = Job(act="add_up", fields={**asked, "seen": facts}, data=b"".join(one.sightings for one in silent))
    reply = worker.submit(job).result()
    return from_plain(tuple[ReadMark, ...], reply.value["marks"]) if reply.outcome == "done" else ()


def _result(station: Station, session: Session, one: Looked, verdict: TraceVerdict) -> dict[str, Any]:
    found = _copy_by_id(session, verdict.id)
    candidates = [_candidate(session, item) for item in verdict.candidates]
    candidates = [item for item in candidates if item is not None]
    word = verdict.verdict
    codes = [finding.code for finding in verdict.findings]
    if (word == "copy" and found is None) or (word == "candidates" and not candidates):
        word = "none"
        codes.append("copy_not_in_register")
    if not one.searched and word != "copy":
        codes.append("glyphs_not_all_searched")
    return {
        "file": str(one.file),
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
            {
                "channel": item.channel,
                "found": item.found,
                "value": item.value,
                "score": item.score,
                "layer": item.layer,
            }
            for item in verdict.channels
        ],
        "candidates": candidates,
        "regions": _regions(session, one.views, word),
        "findings": codes,
        "problem": one.problem,
        "problem_detail": one.detail,
    }


def _regions(session: Session, views: Sequence[MarkView], word: str) -> list[dict[str, Any]]:
    """Which part of a page points to which of the candidates: a letter for each tile of 40 mm, a dot where none."""
    if word != "candidates":
        return []
    maps = []
    for view in views:
        copies = [(match, _copy_by_id(session, match.id)) for match in view.matches]
        known = [(match, copy) for match, copy in copies if copy is not None]
        if not known or not known[0][0].grid:
            continue
        grid = [
            "".join(
                _letter([match.grid[i][j] for match, _ in known]) for j in range(len(known[0][0].grid[i]))
            )
            for i in range(len(known[0][0].grid))
        ]
        maps.append(
            {
                "page": view.page,
                "letters": {_LETTERS[at]: copy.id for at, (_, copy) in enumerate(known)},
                "rows": grid,
            }
        )
    return maps


_LETTERS = "ABCDEFGH"
_SURE, _ALIKE = 3.5, 0.6


def _letter(scores: Sequence[float]) -> str:
    """The copy that a tile points to; `*` where it points to several alike."""
    best = max(range(len(scores)), key=scores.__getitem__)
    if scores[best] < _SURE:
        return "."
    rivals = sum(score >= max(_SURE, _ALIKE * scores[best]) for score in scores)
    return "*" if rivals > 1 else _LETTERS[best]


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
