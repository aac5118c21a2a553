"""Levels that are not settled: disputes 密级争议 and unclear matters 不明确事项, protected until the decision.

A dispute is protected at the highest level anybody claims (TL art. 26); an unclear matter at once at the level that was
drafted (TL art. 25). Both raise the document's interim level; nothing here lowers it but the decision of the competent
body, taken down by one person and confirmed by another, who also confirms that a matter was opened by mistake.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.level import Level
from ...models.period import Period
from ...models.tables import Document, Matter, MatterStep
from ..desk import matters
from ..intake.register_entry import remember
from ..persons import access, four_eyes
from ..persons.actors import Actor
from ..station.station import Station
from . import level_notify
from .level_set import level_word, period_word, set_level

KINDS = ("level_dispute", "level_unclear")
_ALIVE = ("received", "pending", "pending_second", "registered", "archived")
_KEPT = ("registered", "archived")


def protect(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Effect of raising a dispute, of drafting a level, and of the determiner's word on the draft.

    Words: `claims` (levels, 、 between them) or `level`. The protection only rises.

    Raises:
        Refused: not a live paper, the other kind is open, clearance. UsageFault: no level.
    """
    row = _row(station, session, actor, matter)
    other = session.scalars(
        select(Matter).where(
            Matter.document_id == row.id, Matter.kind.in_(KINDS), Matter.state == matters.OPEN,
            Matter.id != matter.id,
        )
    ).first()  # fmt: skip
    if other is not None:
        raise Refused(
            "matter_open", matter=other.id, kind=matters.rule_of(station, other.kind).zh, document=row.id
        )
    words = matters.words_of(station, session, matter)
    text = str(words.get("claims") or words.get("level") or "").replace(",", "、").replace(" ", "、")
    claimed = [level_word(part) for part in text.split("、") if part]
    if not claimed:
        raise UsageFault("unknown_level", level="—", levels="、".join(item.value for item in Level))
    if words.get("period"):
        period_word(words["period"])
    if "prior" not in words:
        matters.note(station, session, matter, {"prior": row.interim_code})
    now = access.protected_as(station.policy, row)
    highest = station.policy.highest(now, *claimed) or now
    matters.note(station, session, matter, {"protected": highest.value})
    if station.policy.rank(highest) <= station.policy.rank(now):
        return
    old, row.interim_code = row.interim_code, highest.code
    _said(station, session, actor, matter, row, old, now)
    level_notify.open_notice(station, session, actor, row, cause=matter.id, change="interim")


def check_decision(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Effect of taking down a decision: it names a level, and a day that has come.

    Raises:
        Refused: above the station's level, a day to come. UsageFault: no such level or period.
    """
    _row(station, session, actor, matter)
    words = matters.words_of(station, session, matter)
    if matters.steps_of(session, matter)[-1].result == "withdrawn":
        return
    matters.past_day(station, words, "date")
    level = level_word(words["level"])
    if words.get("period"):
        period_word(words["period"])
    if station.policy.rank(level) > station.policy.rank(station.level):
        raise Refused("above_station_level", level=level.value, station=station.level.value)


def settle(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Effect of the second person's confirmation: the decision holds, and the interim protection ends with it.

    A matter opened by mistake only gives back what stood before; a decision found wrong is taken down again.

    Raises:
        Refused: the same person twice, clearance.
    """
    steps = matters.steps_of(session, matter)
    last, before = steps[-1], steps[-2]
    if last.result == "wrong":
        return
    row = _row(station, session, actor, matter)
    since = matter.opened_at
    four_eyes.apart(session, actor.person, last.role, [(before.person, before.role)], since=since)
    words = matters.words_of(station, session, matter)
    old, now = row.interim_code, access.protected_as(station.policy, row)
    if before.result == "withdrawn":
        row.interim_code = words.get("prior")
    else:
        _decide(station, session, actor, matter, row, steps[0], before)
    _said(station, session, actor, matter, row, old, now)
    level_notify.open_notice(station, session, actor, row, cause=matter.id, change="decision")


def _decide(
    station: Station,
    session: Session,
    actor: Actor,
    matter: Matter,
    row: Document,
    first: MatterStep,
    taken: MatterStep,
) -> None:
    """What the newest entry of the decision says; where it names no period, the drafted one if it is that level."""
    words, drafted = (matters.step_words(station, session, step) for step in (taken, first))
    level = level_word(words["level"])
    text = words.get("period") or (drafted.get("period") if drafted.get("level") == words["level"] else None)
    kept = row.status in _KEPT and row.confirmed
    period = period_word(text) if text else None
    row.interim_code = None
    if row.level_code == level.code and (period is None or str(period) == row.period):
        return
    years = station.policy.max_years(level)
    if period is None and years:
        period = Period("years", number=years)
    set_level(
        station, session, row, level, period, set_by=taken.person,
        accepted_by=actor.person if kept else None, cause=matter.id, kind="decision",
        why=station.reason(str(words.get("reason") or words.get("decision_no"))),
    )  # fmt: skip


def _row(station: Station, session: Session, actor: Actor, matter: Matter) -> Document:
    row = access.get_document(session, matter.document_id or "")
    access.check_clearance(station, session, actor.person, row)
    if row.status not in _ALIVE:
        raise Refused("not_amendable", document=row.id, status=row.status)
    return row


def _said(
    station: Station,
    session: Session,
    actor: Actor,
    matter: Matter,
    row: Document,
    old: str | None,
    was: Level,
) -> None:
    session.flush()
    now = access.protected_as(station.policy, row)
    raised = station.policy.rank(now) > station.policy.rank(was)
    remember(
        station, session, row, actor.person, "raise" if raised else "settle", "interim",
        {"old": old, "new": row.interim_code, "matter": matter.id},
    )  # fmt: skip
    station.log(
        session, "level.interim", objects=(row.id, matter.id), person=actor.person, account=actor.user,
        level=now.value, facts={"raised": raised},
    )  # fmt: skip
