"""How often persons agreed with the machine (`learn report`): counted from register and events, without any content.

Each document counts once, in the month of its last suggestion: waiting, confirmed as suggested, overridden to a higher
or lower level (or to another of the same rank), or abstained from. Events outlive a destruction, so that the figures of
a month do not change when its documents go; rows that a split or merge replaced do not count.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import UsageFault
from ...models.level import Level
from ...models.suggestion import Retention
from ...models.tables import Document, Event
from ..intake.register_entry import EVENT
from ..persons.actors import Actor, acting
from ..station.station import Station

_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
_LEVEL = ("suggested", "waiting", "confirmed", "up", "down", "other", "abstained", "misread")
_RETENTION = ("suggested", "waiting", "confirmed", "longer", "shorter", "abstained")
_Z = 1.96
"""Of an interval that holds the true share in 95 of 100 cases (Wilson 1927)."""


def report(station: Station, actor: Actor, *, month: str | None = None) -> dict[str, Any]:
    """Counts per month, level and rule, and per month, period and rule of retention; shares with their intervals.

    Raises:
        UsageFault: `month` is not `YYYY-MM`.
    """
    if month is not None and not _MONTH.fullmatch(month):
        raise UsageFault("bad_month", month=month)
    levels: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(_LEVEL, 0))
    retentions: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(_RETENTION, 0))
    documents = 0
    with acting(station, actor, "learn.report") as session:
        for story in _stories(station, session):
            if month is not None and story.month != month:
                continue
            documents += 1
            _count_level(station, levels[(story.month, story.level_id, story.rule)], story)
            _count_retention(retentions[(story.month, story.retention_id, story.retention_rule)], story)
        station.log(
            session, "learn.report", person=actor.person, account=actor.user,
            facts={"month": month or "all", "documents": documents},
        )  # fmt: skip
    return {
        "month": month,
        "documents": documents,
        "levels": _rows(levels, "level"),
        "retention": _rows(retentions, "retention"),
        "totals": {"level": _total(levels, _LEVEL), "retention": _total(retentions, _RETENTION)},
    }


# ---------------------------------------------------------------- one document


@dataclass(slots=True)
class _Story:
    """What was suggested for one document last, and what became of it."""

    month: str = ""
    level: Level | None = None
    interim: Level | None = None
    rule: str = "—"
    abstained: bool = False
    retention: str | None = None
    retention_rule: str = "—"
    set_retention: str | None = None
    decided: Level | None = None
    misread: bool = False
    accepted: bool = False

    @property
    def level_id(self) -> str:
        known = self.level or self.interim
        return known.value if known else "—"

    @property
    def retention_id(self) -> str:
        return self.retention or "—"


def _stories(station: Station, session: Session) -> Iterator[_Story]:
    rows = session.execute(
        select(Event)
        .join(Document, Event.document_id == Document.id)
        .where(
            Document.status.not_in(("void", "refused", "quarantined", "failed")),
            Event.what.in_(("level", "retention", "accepted")),
        )
        .order_by(Event.document_id, Event.id)
        .execution_options(yield_per=500)
    ).scalars()
    for document, events in groupby(rows, key=lambda event: event.document_id):
        story = _Story()
        for event in events:
            _tell(story, event, station.unseal(session, EVENT, event.sealed, bind=document))
        if story.month:
            yield story


def _tell(story: _Story, event: Event, words: Mapping[str, Any]) -> None:
    match event.act, event.what:
        case "suggest", "level":
            story.month = event.at[:7]
            story.level, story.interim = _level(words.get("level")), _level(words.get("interim"))
            story.rule, story.abstained = str(words.get("rule") or "—"), bool(words.get("abstained"))
            story.accepted = story.misread = False
            story.decided = story.set_retention = None
        case "suggest", "retention":
            story.retention = words.get("retention")
            story.retention_rule = str(words.get("rule") or "—")
        case "set", "level":
            story.misread = story.misread or bool(words.get("misread"))
            story.accepted = False
        case "set", "retention":
            story.set_retention = words.get("new")
            story.accepted = False
        case _, "accepted":
            story.accepted, story.decided = True, _level(words.get("new"))
        case _:
            pass


def _level(text: Any) -> Level | None:
    return Level.parse(str(text)) if text else None


def _count_level(station: Station, row: dict[str, int], story: _Story) -> None:
    row["suggested"] += 1
    row["misread"] += story.misread
    rank = station.policy.rank
    if story.abstained or story.level is None:
        row["abstained"] += 1
    elif not story.accepted or story.decided is None:
        row["waiting"] += 1
    elif story.decided is story.level:
        row["confirmed"] += 1
    elif rank(story.decided) == rank(story.level):
        row["other"] += 1
    else:
        row["up" if rank(story.decided) > rank(story.level) else "down"] += 1


def _count_retention(row: dict[str, int], story: _Story) -> None:
    row["suggested"] += 1
    final = story.set_retention or story.retention
    if story.retention is None:
        row["abstained"] += 1
    elif not story.accepted:
        row["waiting"] += 1
    elif final == story.retention:
        row["confirmed"] += 1
    else:
        row["longer" if _years(final) > _years(story.retention) else "shorter"] += 1


def _years(text: str | None) -> float:
    years = Retention(text).years if text else 0
    return float("inf") if years is None else years


# ---------------------------------------------------------------- what is told


def _rows(counted: Mapping[tuple[str, str, str], dict[str, int]], name: str) -> list[dict[str, Any]]:
    return [
        {"month": month, name: value, "rule": rule, **row, **_shares(row)}
        for (month, value, rule), row in sorted(counted.items())
    ]


def _total(counted: Mapping[tuple[str, str, str], dict[str, int]], names: tuple[str, ...]) -> dict[str, Any]:
    total = {name: sum(row[name] for row in counted.values()) for name in names}
    return {**total, **_shares(total)}


def _shares(row: Mapping[str, int]) -> dict[str, Any]:
    """The share confirmed of those that were decided, and its interval; None where none was."""
    decided = sum(count for name, count in row.items() if name in _DECIDED)
    if not decided:
        return {"agreement": None, "interval": None}
    share = row["confirmed"] / decided
    middle = (share + _Z**2 / (2 * decided)) / (1 + _Z**2 / decided)
    half = _Z * sqrt(share * (1 - share) / decided + _Z**2 / (4 * decided**2)) / (1 + _Z**2 / decided)
    return {
        "agreement": round(share, 3),
        "interval": [round(max(0.0, middle - half), 3), round(min(1.0, middle + half), 3)],
    }


_DECIDED = frozenset({"confirmed", "up", "down", "other", "longer", "shorter"})
