"""Retention 保管期限 in the hands of the archivist: what only a person can say, and what the tables then answer.

Importance, the circumstances that exclude a paper from filing (普发性, 重份 …) and the event that its years wait for
are a person's word (令第8号 art. 4, 7, 8). Once it is given the tables are asked again; what the archivist has set by
hand stands. Until it is given the register says that it is open, and nothing is destroyed on the strength of the guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import UsageFault
from ...models.fields import OfficialFields
from ...models.page import Transcript
from ...models.policy.schema import Origin, Policy, Profile
from ...models.rights import MAY
from ...models.suggestion import Retention
from ...models.tables import Document, Event
from ...stages.retain import awaited_event, retain
from ..intake.judgement import load_transcript
from ..intake.register_entry import remember
from ..levels.terms import recount, set_retention, set_suggested
from ..persons.actors import Actor
from ..station.station import Station
from .documents import words_of

SAID: Mapping[str, str] = {
    "important": "important", "flags": "retention_flags", "retention_event": "retention_event",
}  # fmt: skip
"""What the tables ask of a person, and where each answer is kept."""
ONLY_ARCHIVIST = frozenset({"flags", "retention_event"})
"""The desk may say that a paper is unimportant; that settles nothing until the archivist says so."""
_SETTLED = "importance_settled"
_BY_HAND = "retention_event_by_hand"
_TRUTHS: Mapping[str, bool | None] = {"true": True, "false": False, "unknown": None}


def say(station: Station, actor: Actor, row: Document, words: dict[str, Any], name: str, value: str) -> Any:
    """Takes down what a person says; gives what stood there before. `words` are changed in place.

    Raises:
        UsageFault: `bad_value`, naming what may stand there.
    """
    policy = station.policy
    match name:
        case "important":
            if value not in _TRUTHS:
                raise _bad(name, value)
            old: Any = row.important
            row.important = _TRUTHS[value]
            words[_SETTLED] = bool(actor.roles & MAY["review.retention"])
        case "flags":
            given = [part for part in value.replace(",", "、").split("、") if part]
            if not set(given) <= known_flags(policy):
                raise _bad(name, value)
            old = list(words.get("retention_flags") or ())
            words["retention_flags"] = given
        case _:
            known = {event for _, event in policy.retention.event_clocks}
            if value and value not in known:
                raise _bad(name, value)
            old = row.retention_event
            row.retention_event, row.retention_event_on = value or None, None
            words[_BY_HAND] = True
    row.appraised_at = row.appraised_by = None
    return old


def known_flags(policy: Policy) -> frozenset[str]:
    """Every circumstance that the tables of the policy ask for."""
    tables = policy.retention
    rules = (*tables.exclusions, *tables.agency, *tables.enterprise, *tables.common)
    return frozenset(flag for rule in rules for flag in rule.flags)


def judge_again(station: Station, session: Session, row: Document, words: Mapping[str, Any]) -> None:
    """Asks the tables with what the register says now; what the archivist set by hand stays."""
    recount(station, session, row)
    if _set_by_hand(session, row):
        return
    transcript = load_transcript(station, session, row.id) or Transcript(())
    found = retain(
        transcript=transcript,
        fields=OfficialFields(title=words.get("title"), kind=row.kind),
        policy=station.policy,
        profile=cast(Profile, station.settings.profile),
        origin=cast(Origin | None, row.origin),
        important=row.important,
        flags=tuple(words.get("retention_flags") or ()),
    )
    event = row.retention_event, row.retention_event_on
    set_suggested(row, found)
    if words.get(_BY_HAND):
        row.retention_event, row.retention_event_on = event
    row.retention_open |= row.important is False and not words.get(_SETTLED)
    recount(station, session, row)
    row.suggested_retention = row.retention
    row.appraised_at = row.appraised_by = None
    rule = next((one.rule for one in found.evidence if one.for_ == "retention"), None)
    remember(
        station,
        session,
        row,
        None,
        "suggest",
        "retention",
        {"retention": row.suggested_retention, "rule": rule},
    )


def decide(station: Station, session: Session, row: Document, retention: Retention) -> None:
    """The archivist's own decision: nothing is open any more; an appraisal of before does not count."""
    words = words_of(station, session, row)
    if row.retention_event is None and not words.get(_BY_HAND):
        row.retention_event = awaited_event(words.get("title") or "", station.policy) or None
    row.retention_open = False
    row.appraised_at = row.appraised_by = None
    set_retention(row, retention)


def _set_by_hand(session: Session, row: Document) -> bool:
    last = session.scalars(
        select(Event.act)
        .where(Event.document_id == row.id, Event.what == "retention", Event.act.in_(("suggest", "set")))
        .order_by(Event.id.desc())
    ).first()
    return last == "set"


def _bad(name: str, value: str) -> UsageFault:
    return UsageFault("bad_value", field=name, given=value)
