"""Retraining on the station (`learn`): asked for, approved, made of confirmed documents, accepted only when not worse.

    request     the documents that may teach today are listed, and the approval that the matrix asks for is requested
    learn       of those of them that still may: features and levels go to one confined worker, a model comes back
    accept      measured by cross-validation on these documents and on the judged set; refused with figures when worse
    keep        sealed, an artefact of every document that it was made of (station_model.py)

Threat model: a document teaches that must not; a model that suggests lower levels is slipped in; texts are written
down. Hence: the list (lessons.py) is bound by the approval and checked again in the transaction that keeps the model;
a level too low may become no more frequent by any measure; texts and features are in memory only, of the coordinator
and of one worker, which ends with the act.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import MissingTool, Refused
from ...common.limits import DEFAULT_LIMITS
from ...models.level import Level
from ...models.tables import Approval, Document
from ...models.wire import from_plain, to_plain
from ...stages.topic_learn import Lesson, Measure
from ...stages.topic_model import TopicModel
from ..intake.executor import Job, LocalExecutor, Reply
from ..intake.judgement import load_judgement, open_artefact
from ..papers.documents import words_of
from ..persons import approvals
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import station_model
from .lessons import ACT, Listed, may_teach, require_enough

_MOST_FEATURES = 200_000
_SECONDS = 900.0
_MISFIT = (TypeError, ValueError, LookupError, AttributeError, RecursionError)
_NEVER_MORE = ("too_low", "too_low_unflagged")
_NOT_MORE = ("too_high", "cost")
_NOT_LESS = (
    "marked_exact", "damaged_exact_flagged", "running_acceptable", "unmarked_acceptable_or_abstained",
    "unmarked_acceptable",
)  # fmt: skip


# ---------------------------------------------------------------- asked for


def request(station: Station, actor: Actor, *, note: str | None = None) -> dict[str, Any]:
    """Lists what may teach today and asks for the approval of learning from these documents.

    Raises:
        Refused: too few, or denied by the matrix.
    """
    with acting(station, actor, "learn.request") as session:
        listed = may_teach(station, session)
        require_enough(station, listed)
    documents = [row.id for row in listed.rows]
    asked = approvals.request(station, actor, act=ACT, documents=documents, note=note)
    asked.pop("objects")
    return {**asked, **listed.value}


# ---------------------------------------------------------------- learnt


def learn(station: Station, actor: Actor) -> dict[str, Any]:
    """Makes a model of the approved documents that still may teach, and puts it into use when it is not worse.

    Raises:
        Refused: no approval, too few documents left, worse than the model before (with the figures), or the documents
            changed meanwhile. MissingTool: no worker, no judged set.
    """
    with acting(station, actor, ACT) as session:
        approval, listed = _approved(station, session)
        require_enough(station, listed)
        identifier = approval.id
        groups = _groups(station, session, listed.rows)
    data, own, unread = _made(station, listed.rows, groups)
    rows = tuple(row for row in listed.rows if row.id not in unread)
    figures = {
        "own": {name: to_plain(measure) for name, measure in own.items()},
        "judged": _judged(station, station_model.checked(data)),
    }
    value = {
        "documents": len(rows), "levels": Listed(rows, {}).levels, "not_read": len(unread),
        "skipped": dict(listed.skipped), "figures": figures,
    }  # fmt: skip
    with acting(station, actor, ACT, objects=(identifier,)) as session:
        worse = worse_than_before(own, figures["judged"], tolerance=station.policy.learning.tolerance)
        if worse:
            raise Refused(
                "learn_not_better", value=value, figures="；".join(_said(figures, name) for name in worse)
            )
        approval, again = _approved(station, session)
        documents = {row.id for row in rows}
        if approval.id != identifier or not documents <= {row.id for row in again.rows}:
            raise Refused("learn_sources_changed")
        kept = station_model.keep(
            station, session, actor, data=data, documents=documents, area=_area(station, rows), approval=approval,
            figures={key: value[key] for key in ("figures", "levels")},
        )  # fmt: skip
        station.log(
            session, ACT, objects=(kept.id, identifier), person=actor.person, account=actor.user, rule=identifier,
            facts={
                "documents": len(documents), "policy": station.policy.version, "tag": kept.tag.hex()[:8],
                "own": {name: _whole(to_plain(measure)) for name, measure in own.items()},
                "judged": {name: _whole(figures["judged"][name]) for name in ("before", "after")},
            },
        )  # fmt: skip
        return {**station_model.model_json(station, session, kept), **value}


def _approved(station: Station, session: Session) -> tuple[Approval, Listed]:
    """The newest valid approval, and those of its documents that still may teach.

    Raises:
        Refused: `approval_required`, or denied by the matrix.
    """
    day = today(station.clock).isoformat()
    given = session.scalars(
        select(Approval)
        .where(Approval.act == ACT, Approval.state == "given", Approval.expires >= day)
        .order_by(Approval.id.desc())
    ).first()
    if given is None:
        raise Refused("learn_approval_required")
    listed = may_teach(station, session, among=given.objects.split(","))
    if not listed.rows:
        require_enough(station, listed)
    approvals.require_live(station, session, given)
    return given, listed


def _area(station: Station, rows: Sequence[Document]) -> str:
    """The blob area of the highest level that a model was made of."""
    codes = [code for row in rows for code in (row.level_code, row.interim_code) if code]
    return max(codes, key=lambda code: station.policy.rank(Level.parse(code))).lower()


def _groups(station: Station, session: Session, rows: Sequence[Document]) -> dict[str, int]:
    """Whose paper each is, as a number: papers of one organ are alike, and are never on both sides of a test."""
    names: dict[str, int] = {}
    return {
        row.id: names.setdefault(
            "、".join(words_of(station, session, row).get("organs") or (row.id,)), len(names)
        )
        for row in rows
    }


# ---------------------------------------------------------------- made


def _made(
    station: Station, rows: Sequence[Document], groups: Mapping[str, int]
) -> tuple[bytes, dict[str, Measure], frozenset[str]]:
    """The model, what the shipped and the new one make of papers not seen, and documents that could not be read."""
    unread = set()
    lessons: list[Lesson] = []
    bounds = station.policy.learning
    with (
        station.scratch() as scratch,
        LocalExecutor(
            jobs=1,
            scratch=scratch.path / "learn",
            limits=DEFAULT_LIMITS,
            briefing=station_model.briefing(station),
        ) as worker,
    ):
        for row in rows:
            features = _features(station, worker, row.id)
            if features is None:
                unread.add(row.id)
            else:
                lessons.append(Lesson(features, Level.parse(str(row.level_code)), groups[row.id]))
        if len(lessons) < bounds.least_documents:
            raise Refused(
                "learn_too_few", documents=len(lessons), levels=0, least=bounds.least_documents,
                least_levels=bounds.least_levels, least_per_level=bounds.least_per_level,
            )  # fmt: skip
        data = json.dumps(to_plain(tuple(lessons)), ensure_ascii=False).encode("utf-8", "surrogatepass")
        asked = {"folds": bounds.folds, "strength": bounds.strength}
        reply = worker.submit(Job(ACT, asked, data, seconds=_SECONDS)).result()
    try:
        _require_done(reply)
        own = {name: from_plain(Measure, reply.value[name]) for name in ("before", "after")}
        station_model.checked(reply.data)
    except _MISFIT as error:
        raise MissingTool("learn_failed", detail="worker_garbled") from error
    if any(measure.papers != len(lessons) for measure in own.values()):
        raise MissingTool("learn_failed", detail="worker_garbled")
    return reply.data, own, frozenset(unread)


def _features(station: Station, worker: LocalExecutor, document: str) -> dict[str, float] | None:
    """What the model sees of a document; None when it has no text, or could not be looked at."""
    with station.read() as session:
        judgement = load_judgement(station, session, document)
        transcript = open_artefact(station, session, document, "transcript")
    if judgement is None or transcript is None:
        return None
    reply = worker.submit(Job("features", {"fields": to_plain(judgement.fields)}, transcript)).result()
    if reply.outcome != "done":
        return None
    try:
        features = from_plain(dict[str, float], json.loads(reply.data))
    except _MISFIT:
        return None
    sound = all(math.isfinite(value) and abs(value) < 1000 for value in features.values())
    return features if sound and len(features) <= _MOST_FEATURES else None


def _require_done(reply: Reply) -> None:
    if reply.outcome != "done":
        raise MissingTool("learn_failed", detail=reply.code or "worker_failed")


# ---------------------------------------------------------------- accepted


def _judged(station: Station, model: TopicModel) -> dict[str, Any]:
    """The shipped and the new model on the judged set's test papers, in process: they are the release's own."""
    from ...samples.judged_answer import product_answer
    from ...samples.judged_measure import figures, judge
    from ...samples.judged_set import load_cases

    try:
        cases = load_cases("test")
    except FileNotFoundError as error:
        raise MissingTool("learn_failed", detail="judged_set") from error
    named = (*_NEVER_MORE, *_NOT_MORE, *_NOT_LESS)
    told: dict[str, Any] = {"papers": len(cases)}
    for name, one in (("before", None), ("after", model)):
        found = figures(judge(partial(product_answer, model=one), cases, station.policy))
        told[name] = {figure.name: round(figure.value, 4) for figure in found if figure.name in named}
    return told


def worse_than_before(
    own: Mapping[str, Measure], judged: Mapping[str, Any], *, tolerance: float
) -> list[str]:
    """Measures by which a model is worse than the one before, as `own.NAME` and `judged.NAME`; empty: accepted.

    A level too low may become no more frequent by any measure. On the station's own documents nothing may become
    worse; on the judged set the other shares may fall, and the cost rise, by `tolerance`.
    """
    before, after = own["before"], own["after"]
    worse = [
        f"own.{name}"
        for name in (*_NEVER_MORE, *_NOT_MORE, "loss")
        if getattr(after, name) > getattr(before, name)
    ]
    worse += ["own.right"] if after.right < before.right else []
    was, now = judged["before"], judged["after"]
    worse += [f"judged.{name}" for name in _NEVER_MORE if now[name] > was[name]]
    worse += [f"judged.{name}" for name in _NOT_MORE if now[name] > was[name] + tolerance]
    worse += [f"judged.{name}" for name in _NOT_LESS if now[name] < was[name] - tolerance]
    return worse


def _said(figures: Mapping[str, Any], name: str) -> str:
    """One measure as a refusal names it: before and after."""
    which, _, measure = name.partition(".")
    return f"{name} {figures[which]['before'][measure]} → {figures[which]['after'][measure]}"


def _whole(measures: Mapping[str, Any]) -> dict[str, Any]:
    """Measures as the ledger has them: whole numbers, shares in thousandths."""
    return {
        name: value if isinstance(value, int) else round(1000 * value) for name, value in measures.items()
    }
