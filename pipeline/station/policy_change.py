"""What another policy would change: confirmed decisions judged anew by both policies, in workers (`policy check`).

Nothing is written but the ledger's entry. Compared is what the machine suggests under the policy in force with what it
would suggest under the other one, from the same sealed text and the same relations, so that each difference is the
policy's; what a person decided stands beside it and is not touched. The answer names rules and articles, never words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...common.clock import STATION_ZONE, iso, today
from ...common.limits import DEFAULT_LIMITS
from ...models.fields import OfficialFields
from ...models.level import Level
from ...models.passage import Prints
from ...models.policy.loader import parse_policy
from ...models.policy.schema import Policy
from ...models.suggestion import Evidence, LevelSuggestion, Retention, RetentionSuggestion
from ...models.tables import Document, Event
from ...models.wire import from_plain, to_plain
from ...stages.classify import secrecy_until
from ..intake.executor import Job, LocalExecutor, Reply
from ..intake.judgement import load_judgement, open_artefact
from ..intake.relations import RelationIndex
from ..learning.station_model import briefing, in_use
from ..persons.actors import Actor, acting
from ..plan import job_of
from .station import Station

_WINDOW = 8
"""Documents whose text is here at a time."""
_CONFIRMED = ("registered", "archived")
_MISFIT = (TypeError, ValueError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class _Case:
    """One confirmed decision and what the judging needs."""

    document: str
    decided: dict[str, Any]
    fields: OfficialFields
    origin: str | None
    transcript: bytes


@dataclass(frozen=True, slots=True)
class _View:
    level: LevelSuggestion
    retention: RetentionSuggestion


def what_if(
    station: Station, actor: Actor, *, text: str, since: date | None = None, everything: bool = False
) -> dict[str, Any]:
    """The confirmed decisions that another policy would suggest otherwise, and why.

    Args:
        since: decisions confirmed from that day on; None: from yesterday on. everything: all of them.

    Raises:
        UsageFault: the other policy is invalid, with the line.
    """
    other, present = parse_policy(text), station.policy
    start = None if everything else since or today(station.clock) - timedelta(days=1)
    with station.read() as session:
        documents = _decided_since(session, start)
    changes: list[dict[str, Any]] = []
    skipped: list[dict[str, str]] = []
    with _Panel(station, text) as panel:
        for case, old, new in panel.judge(documents, skipped):
            change = _change(case, old, new, present=present, other=other)
            if change is not None:
                changes.append(change)
    counts = {
        name: sum(name in one["kinds"] for one in changes)
        for name in (
            "level",
            "level_up",
            "level_down",
            "period",
            "retention_longer",
            "retention_shorter",
            "review",
        )
    }
    with acting(station, actor, "policy.check") as session:
        station.log(
            session, "policy.check", person=actor.person, account=actor.user,
            facts={"policy": other.sha256, "decisions": len(documents), "changes": len(changes)},
        )  # fmt: skip
    return {
        "against": {"version": present.version, "sha256": present.sha256},
        "since": start.isoformat() if start else None,
        "decisions": len(documents),
        "unchanged": len(documents) - len(changes) - len(skipped),
        "counts": counts,
        "changes": changes,
        "skipped": skipped,
    }


def _decided_since(session: Session, start: date | None) -> list[str]:
    """Living documents whose last confirmation is from that day on, in order of number."""
    last = (
        select(Event.document_id, func.max(Event.at).label("at"))
        .where(Event.what == "accepted")
        .group_by(Event.document_id)
        .subquery()
    )
    wanted = (
        select(Document.id)
        .join(last, last.c.document_id == Document.id)
        .where(Document.confirmed.is_(True), Document.status.in_(_CONFIRMED))
        .order_by(Document.year, Document.seq)
    )
    if start is not None:
        wanted = wanted.where(last.c.at >= iso(datetime.combine(start, time(), STATION_ZONE)))
    return list(session.scalars(wanted))


# ---------------------------------------------------------------- two benches of judges


class _Panel:
    """A worker that judges by the policy in force, and one that judges by the other."""

    def __init__(self, station: Station, text: str) -> None:
        self._station, self._text = station, text
        self._relations = RelationIndex(station)

    def __enter__(self) -> _Panel:
        with ExitStack() as held:
            scratch = held.enter_context(self._station.scratch()).path
            model = in_use(self._station)
            self._benches = tuple(
                held.enter_context(
                    LocalExecutor(
                        jobs=1, scratch=scratch / name, limits=DEFAULT_LIMITS,
                        briefing=briefing(self._station, policy=policy, model=model),
                    )
                )
                for name, policy in (("old", self._station.policy_text), ("new", self._text))
            )  # fmt: skip
            self._held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def judge(
        self, documents: Sequence[str], skipped: list[dict[str, str]]
    ) -> Iterator[tuple[_Case, _View, _View]]:
        """Each document as both policies see it; `skipped` takes those that could not be judged, with a code."""
        waiting = iter(documents)
        while window := list(islice(waiting, _WINDOW)):
            asked = [(document, self._begin(document)) for document in window]
            for document, begun in asked:
                views = None if begun is None else [_view(future.result()) for future in begun[1]]
                if begun is None or views is None or None in views:
                    code = "no_text" if begun is None else "not_judged"
                    skipped.append({"document": document, "code": code})
                    continue
                old, new = (view for view in views if view is not None)
                yield begun[0], old, new

    def _begin(self, document: str) -> tuple[_Case, list[Future[Reply]]] | None:
        with self._station.read() as session:
            case = _case(self._station, session, document)
        if case is None:
            return None
        seen = self._benches[0].submit(Job("prints", {}, case.transcript)).result()
        try:
            cites = from_plain(tuple[str, ...], seen.value["cites"])
            prints = from_plain(Prints, seen.value["prints"])
        except _MISFIT:
            cites, prints = (), Prints()
        with self._station.read() as session:
            relations = self._relations.of(session, case.fields, cites, prints, without=(document,))
        fields = {
            "fields": to_plain(case.fields), "relations": to_plain(relations), "origin": case.origin,
        }  # fmt: skip
        job = Job(act=job_of("classify"), fields=fields, data=case.transcript)
        return case, [bench.submit(job) for bench in self._benches]


def _case(station: Station, session: Session, document: str) -> _Case | None:
    row = session.get_one(Document, document)
    judgement = load_judgement(station, session, document)
    transcript = open_artefact(station, session, document, "transcript")
    if judgement is None or transcript is None:
        return None
    level = Level.parse(row.level_code) if row.level_code else None
    decided = {
        "level": level.value if level else None, "period": row.period, "secrecy_until": row.secrecy_until,
        "retention": row.retention,
    }  # fmt: skip
    return _Case(document, decided, judgement.fields, row.origin, transcript)


def _view(reply: Reply) -> _View | None:
    if reply.outcome != "done":
        return None
    try:
        return _View(
            from_plain(LevelSuggestion, reply.value["level"]),
            from_plain(RetentionSuggestion, reply.value["retention"]),
        )
    except _MISFIT:
        return None


# ---------------------------------------------------------------- what is different


def _change(case: _Case, old: _View, new: _View, *, present: Policy, other: Policy) -> dict[str, Any] | None:
    before, after = _plain(case, old), _plain(case, new)
    differs = [name for name in _COMPARED if before[name] != after[name]]
    if not differs:
        return None
    ranks = (
        max(present.rank(old.level.level), present.rank(old.level.interim)),
        max(other.rank(new.level.level), other.rank(new.level.interim)),
    )
    years = _years(old.retention.retention), _years(new.retention.retention)
    kinds = {
        "level": "level" in differs or "interim" in differs,
        "level_up": ranks[1] > ranks[0],
        "level_down": ranks[1] < ranks[0],
        "period": "secrecy_until" in differs or "period" in differs,
        "retention_longer": years[1] > years[0],
        "retention_shorter": years[1] < years[0],
        "review": "must_review" in differs,
    }
    against = [name for name, value in case.decided.items() if after[name] != value]
    return {
        "document": case.document, "differs": differs, "kinds": [name for name, hit in kinds.items() if hit],
        "decided": case.decided, "against_decision": against, "old": before, "new": after,
    }  # fmt: skip


_COMPARED = ("level", "interim", "period", "secrecy_until", "retention", "basis", "must_review")


def _plain(case: _Case, view: _View) -> dict[str, Any]:
    level, retention = view.level, view.retention
    until = secrecy_until(level, case.fields)
    why = _leading(level.evidence, ("level", "interim"))
    kept = _leading(retention.evidence, ("retention",))
    return {
        "level": level.level.value if level.level else None,
        "interim": level.interim.value if level.interim else None,
        "period": str(level.period) if level.period else None,
        "secrecy_until": until.isoformat() if until else None,
        "retention": retention.retention.value if retention.retention else None,
        "basis": level.basis,
        "must_review": level.must_review,
        "rule": why.rule if why else None,
        "article": why.source if why else None,
        "retention_rule": kept.rule if kept else None,
        "retention_article": kept.source if kept else None,
        "reasons": list(level.reasons),
        "confidence": level.confidence,
    }


def _leading(evidence: Sequence[Evidence], purposes: tuple[str, ...]) -> Evidence | None:
    """The first piece of evidence for the first purpose that has one."""
    return next((one for purpose in purposes for one in evidence if one.for_ == purpose), None)


def _years(retention: Retention | None) -> float:
    if retention is None:
        return -1
    return float("inf") if retention.years is None else retention.years
