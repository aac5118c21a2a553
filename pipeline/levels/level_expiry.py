"""What a person decides when a secrecy term ends or nears its end 到期复核: kept, lifted, or left to end.

keep    a term that ended where the policy has a person look is set anew (policy `expiry: review`)
lift    such a paper is a secret no more: it becomes 内部, or what is named
lapse   a running term is not extended: it ends by itself (保密法 art. 24), and nobody is asked again
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import Refused, UsageFault
from ...models.level import Family, Level
from ...models.period import Period
from ...models.tables import Document, Event, Matter
from ..desk import matters
from ..intake.register_entry import remember
from ..persons import access
from ..persons.actors import Actor
from ..station.station import Station
from . import level_notify
from .level_floor import check_floor, check_hands
from .level_set import level_word, period_word, set_level
from .terms import EVENT, secrecy_state, secrecy_term, term_in_force

OUTCOMES = ("keep", "lift", "lapse")
WHAT = "expiry"
_OPEN = (Family.INTERNAL, Family.PUBLIC)


def check_outcome(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Effect of proposing an outcome.

    Raises:
        Refused: not confirmed, another organ's determination, or the term is not where the outcome belongs.
        UsageFault: no such outcome, a period is missing or ends too soon.
    """
    row = access.get_document(session, matter.document_id or "")
    access.check_clearance(station, session, actor.person, row)
    _outcome(station, session, row, matter)


def apply_outcome(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Effect of the determiner's decision on it."""
    row = access.get_document(session, matter.document_id or "")
    access.check_clearance(station, session, actor.person, row)
    outcome, level, period = _outcome(station, session, row, matter)
    if outcome != "lapse":
        check_hands(station, session, row, (matter.opened_by, actor.person))
    if outcome == "lift":
        check_floor(station, session, row, level)
    why = station.reason(str(matters.words_of(station, session, matter).get("reason") or ""))
    if outcome == "lapse":
        words = {"old": row.secrecy_until, "new": row.secrecy_until, "matter": matter.id, **why.sealed_form}
        remember(station, session, row, actor.person, "decide", WHAT, words)
    else:
        set_level(
            station, session, row, level, period, set_by=matter.opened_by, accepted_by=actor.person, cause=matter.id,
            kind=outcome, why=why,
        )  # fmt: skip
    station.log(
        session, "level.expiry", objects=(row.id, matter.id), person=actor.person, account=actor.user,
        level=level.value, reason=why, facts={"outcome": outcome, "until": row.secrecy_until},
    )  # fmt: skip
    if outcome != "lapse":
        level_notify.open_notice(station, session, actor, row, cause=matter.id, change=outcome)


def let_lapse(station: Station, session: Session, row: Document) -> bool:
    """Whether it was decided that the term which runs now is not extended."""
    return any(until == row.secrecy_until for until in _decided(station, session, row))


def _decided(station: Station, session: Session, row: Document) -> Iterator[str | None]:
    for event in session.scalars(select(Event).where(Event.document_id == row.id, Event.what == WHAT)):
        yield station.unseal(session, EVENT, event.sealed, bind=row.id)["new"]


def _outcome(
    station: Station, session: Session, row: Document, matter: Matter
) -> tuple[str, Level, Period | None]:
    if row.status not in ("registered", "archived") or not row.confirmed or row.level_code is None:
        raise Refused("not_confirmed", document=row.id)
    matters.check_free(station, session, row.id, matter.kind)
    words = matters.words_of(station, session, matter)
    level, outcome = Level.parse(row.level_code), str(words.get("outcome") or "")
    if outcome not in OUTCOMES:
        raise UsageFault("level_change_unknown", kind=outcome or "—", kinds="、".join(OUTCOMES))
    term = term_in_force(station, session, row) if row.period else None
    state = secrecy_state(station, level, term) if term is not None else None
    wanted = "running" if outcome == "lapse" else "to_review"
    if term is None or state != wanted:
        raise Refused("level_outcome_state", document=row.id, outcome=outcome, until=row.secrecy_until or "—")
    if outcome == "lapse":
        return outcome, level, term.period
    if row.origin != "self":
        asked = station.policy.approval("declassify", level, "others_determination")
        raise Refused("others_determination_kept", document=row.id, source=asked.source)
    if outcome == "lift":
        new = level_word(words["level"]) if words.get("level") else Level.INTERNAL
        if new.family not in _OPEN:
            raise UsageFault("level_no_change", kind=outcome, level=new.value, old=level.value)
        return outcome, new, None
    if not words.get("period"):
        raise UsageFault("level_change_needs", kind=outcome, needs="period")
    period = period_word(words["period"])
    after = secrecy_term(row, period)
    if after is None or (after.ends is not None and after.ends <= today(station.clock)):
        raise UsageFault("until_no_change", until=str(period), now=row.secrecy_until or "—")
    return outcome, level, period
