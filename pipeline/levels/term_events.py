"""What happens to a document's terms after it was confirmed (`documents event`).

    retention_start   what the retention's years wait for has happened (合同履行完毕, 结案): the archivist's word
    extended          the determiner, or the superior, extended the secrecy period before its end (保密法 art. 24)
    declassified      declassified before its end (art. 24)
    condition_met     what the period was bound to has come true: published, put to use (art. 20)
    stamped           解密 was stamped on the paper after the end
    remarked          after a change the old mark was struck on the paper, and the new one put beside it

A change of the secrecy term is entered by one person and confirmed by a second, a determiner, with the same words;
until then the old term stands. Of a paper whose level another organ determined, this room only takes down that organ's
written notice (实施条例 art. 22). Nothing here widens anybody's access (art. 42).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Literal

from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import Refused, UsageFault
from ...models.level import Family, Level
from ...models.period import PeriodChange, SecrecyTerm, add_months
from ...models.rights import MAY
from ...models.tables import Document
from ..desk import matters, timers
from ..intake.register_entry import remember
from ..papers.documents import document_json
from ..persons import access, four_eyes
from ..persons.actors import Actor, acting
from ..station import clock_guard
from ..station.station import Reason, Station
from . import former
from .terms import keep_retention, keep_secrecy, pending_change, retention_term, term_in_force

Happening = Literal["retention_start", "extended", "declassified", "condition_met", "stamped", "remarked"]
HAPPENINGS: tuple[Happening, ...] = (
    "retention_start",
    "extended",
    "declassified",
    "condition_met",
    "stamped",
    "remarked",
)
_CHANGES: dict[str, Literal["extend", "early_declassify", "condition_met"]] = {
    "extended": "extend", "declassified": "early_declassify", "condition_met": "condition_met",
}  # fmt: skip
_ALIVE = ("registered", "archived")


def record(
    station: Station,
    actor: Actor,
    *,
    document: str,
    happening: Happening,
    on: date,
    reason: str,
    until: date | None = None,
    notice: str | None = None,
) -> dict[str, Any]:
    """Takes down what happened on a day; for a change of the secrecy term, the second person's call confirms it.

    Args:
        until: the new first day no longer protected (`extended`: needed; `declassified`: `on` when left out).
        notice: number of the written notice of the organ that determined the level.

    Raises:
        Refused: not confirmed, in the future, no such clock, an extension after the end or beyond the greatest period,
            another organ's determination without its notice, the same person twice. UsageFault: `until` is missing or
            makes no sense.
    """
    why = station.reason(reason)
    if until is not None and happening not in ("extended", "declassified"):
        raise UsageFault("until_not_asked", event=happening)
    with acting(station, actor, "documents.event", objects=(document,)) as session:
        clock_guard.trust_time(station, session)
        row = access.get_document(session, document)
        access.check_clearance(station, session, actor.person, row)
        if row.status not in _ALIVE or not row.confirmed:
            raise Refused("not_confirmed", document=document)
        if on > today(station.clock):
            raise Refused("event_in_future", on=on.isoformat())
        match happening:
            case "retention_start":
                step = _start_retention(station, session, actor, row, on, why)
            case "stamped":
                step = _stamp(station, session, actor, row, on, why)
            case "remarked":
                step = _remark(station, session, actor, row, on, why)
            case _:
                step = _change_secrecy(station, session, actor, row, happening, on, until, notice, why)
        station.log(
            session, "documents.event", objects=(document,), person=actor.person, account=actor.user, reason=why,
            facts={"event": happening, "on": on.isoformat(), "step": step},
        )  # fmt: skip
        return document_json(station, session, row, actor=actor)


def _start_retention(
    station: Station, session: Session, actor: Actor, row: Document, on: date, why: Reason
) -> int:
    actor.role_for(MAY["review.retention"])
    if not row.retention_event:
        raise Refused("no_event_awaited", document=row.id)
    if row.signed_date and on.isoformat() < row.signed_date:
        raise Refused("event_before_paper", on=on.isoformat(), date=row.signed_date)
    old, row.retention_event_on = row.retention_event_on, on.isoformat()
    row.appraised_at = row.appraised_by = None
    keep_retention(row, retention_term(row))
    words = {"event": row.retention_event, "old": old, "new": on.isoformat(), **why.sealed_form}
    remember(station, session, row, actor.person, "start", "retention_clock", words)
    return 2


def _stamp(station: Station, session: Session, actor: Actor, row: Document, on: date, why: Reason) -> int:
    actor.role_for(MAY["documents.event.secrecy"])
    term = term_in_force(station, session, row)
    if term is None or term.state(on) != "ended":
        raise Refused("secrecy_not_ended", document=row.id)
    old, row.declassified_mark_on = row.declassified_mark_on, on.isoformat()
    remember(
        station, session, row, actor.person, "stamp", "declassified_mark",
        {"old": old, "new": on.isoformat(), **why.sealed_form},
    )  # fmt: skip
    return 2


def _remark(station: Station, session: Session, actor: Actor, row: Document, on: date, why: Reason) -> int:
    actor.role_for(MAY["documents.event.secrecy"])
    now, before = former.marks_of(station, session, row)
    if not before:
        raise Refused("no_former_mark", document=row.id)
    timers.end(station, session, (former.CLOCK,), object_id=row.id)
    words = {"old": before[-1][0].code, "new": now[0].code, "on": on.isoformat(), **why.sealed_form}
    remember(station, session, row, actor.person, "stamp", "old_mark", words)
    return 2


def _change_secrecy(
    station: Station,
    session: Session,
    actor: Actor,
    row: Document,
    happening: str,
    on: date,
    until: date | None,
    notice: str | None,
    why: Reason,
) -> int:
    actor.role_for(MAY["documents.event.secrecy"])
    change, level, term = check_term(station, session, row, happening, on=on, until=until, notice=notice)
    words = {
        "kind": change.kind, "decided": change.decided.isoformat(), "ends": change.ends.isoformat(),
        "notice": notice,
    }  # fmt: skip
    asked = pending_change(station, session, row)
    matters.check_free(station, session, row.id, "documents.event")
    same = asked is not None and all(asked[name] == words[name] for name in words)
    if asked is None or not same:
        remember(station, session, row, actor.person, "enter", "term", {**words, **why.sealed_form})
        return 1
    entered = [(str(asked["entered_by"]), four_eyes.acts("documents.event.secrecy"))]
    role = four_eyes.acts("review.determine")
    four_eyes.apart(session, actor.person, role, entered, since=asked["entered_at"])
    actor.role_for(MAY["review.determine"])
    remember(station, session, row, actor.person, "confirm", "term", why.sealed_form)
    _keep(station, session, row, level, term, change, actor.person)
    return 2


def change_term(
    station: Station,
    session: Session,
    row: Document,
    happening: Literal["extended", "declassified"],
    *,
    on: date,
    until: date | None,
    notice: str | None,
    entered_by: str,
    confirmed_by: str,
    why: Reason,
) -> None:
    """A change of the secrecy term that two persons have already made between them in a matter.

    Raises:
        Refused, UsageFault: as `record`.
    """
    change, level, term = check_term(station, session, row, happening, on=on, until=until, notice=notice)
    words = {
        "kind": change.kind, "decided": change.decided.isoformat(), "ends": change.ends.isoformat(),
        "notice": notice,
    }  # fmt: skip
    remember(station, session, row, entered_by, "enter", "term", {**words, **why.sealed_form})
    session.flush()
    remember(station, session, row, confirmed_by, "confirm", "term", why.sealed_form)
    _keep(station, session, row, level, term, change, confirmed_by)


def check_term(
    station: Station,
    session: Session,
    row: Document,
    happening: str,
    *,
    on: date,
    until: date | None,
    notice: str | None,
) -> tuple[PeriodChange, Level, SecrecyTerm]:
    """The change, with the level and term it would change, if the law lets it be made.

    Raises:
        Refused, UsageFault: it does not.
    """
    term = term_in_force(station, session, row)
    level = Level.parse(row.level_code) if row.level_code else None
    if term is None or level is None or level.family in (Family.INTERNAL, Family.PUBLIC):
        raise Refused("no_secrecy_term", document=row.id)
    return _checked(station, row, level, term, happening, on, until, notice), level, term


def _keep(
    station: Station,
    session: Session,
    row: Document,
    level: Level,
    term: SecrecyTerm,
    change: PeriodChange,
    person: str,
) -> None:
    after = replace(term, changes=(*term.changes, change))
    keep_secrecy(row, after)
    if change.kind == "extend":
        mark = (level, after.marked)
        former.remember_mark(station, session, row, person, old=(level, term.marked), new=mark)


def _checked(
    station: Station,
    row: Document,
    level: Level,
    term: SecrecyTerm,
    happening: str,
    on: date,
    until: date | None,
    notice: str | None,
) -> PeriodChange:
    """The change, if the law lets it be made.

    Raises:
        Refused, UsageFault: it does not.
    """
    if happening != "condition_met" and row.origin != "self" and not (notice and notice.strip()):
        asked = station.policy.approval("declassify", level, "others_determination")
        raise Refused("others_determination", document=row.id, source=asked.source)
    if happening == "condition_met" and term.period.kind != "condition":
        raise Refused("no_condition", document=row.id)
    if happening == "extended":
        if until is None:
            raise UsageFault("until_needed")
        if term.ends is None or on >= term.ends:
            raise Refused("extension_too_late", document=row.id, until=row.secrecy_until or "—")
        years = station.policy.max_years(level)
        if years and until > add_months(on, 12 * years):
            raise Refused("extension_too_long", level=level.value, years=years)
    change = PeriodChange(_CHANGES[happening], on, until or on)
    if term.starts is not None and on < term.starts:
        raise Refused("event_before_paper", on=on.isoformat(), date=term.starts.isoformat())
    after = replace(term, changes=(*term.changes, change))
    if change.ends < on or after.ends != change.ends or after.ends == term.ends:
        raise UsageFault("until_no_change", until=change.ends.isoformat(), now=row.secrecy_until or "—")
    return change
