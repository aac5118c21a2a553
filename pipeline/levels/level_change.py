"""Changes of level, period and circle 密级变更 as matters: one person proposes, another decides (BMF art. 16, 24).

    level_change      of the unit's own determinations: the handler proposes, the determiner decides
    level_notice      of others' determinations: the issuer's own written change, confirmed by a second person
    level_suggestion  of others' determinations: what the unit asks the issuer; it changes nothing here (TL art. 22)

Threats: one person lowering, shortening or widening alone (the matter counts persons; who made a paper the unit's own
by hand is neither proposer nor determiner); a decision about something else than was proposed (how it stood is kept
with the proposal); another's mark lowered by a suggestion (a suggestion has no effect). Not met: two who agree to
deceive; a forged letter of the issuer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import Refused, UsageFault
from ...models.level import Family, Level
from ...models.period import Period, add_months
from ...models.tables import Document, Matter
from ..desk import matters
from ..persons import access, circle, people
from ..persons.actors import Actor
from ..station import clock_guard
from ..station.station import Station
from . import former, level_notify
from .authority import check_own
from .level_floor import check_floor, check_hands
from .level_set import level_word, period_word, set_level
from .term_events import change_term, check_term
from .terms import secrecy_state, secrecy_term, term_in_force

KINDS = ("upgrade", "downgrade", "early_declassify", "extend", "change_scope", "correct")
"""变更的种类 (policy `changes.kinds`)."""
_LEVELS = ("upgrade", "downgrade", "correct")
_KEPT = ("registered", "archived")
_UNMARKED = (Family.INTERNAL, Family.PUBLIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be changed, read from a matter's words."""

    kind: str
    on: date
    """The day of the decision."""
    level: Level | None = None
    period: Period | None = None
    until: date | None = None
    """First day no longer protected."""
    scope: tuple[str, ...] = ()
    """Persons of the new circle."""
    special: bool = False
    """Whether a special provision allows a period beyond the level's greatest (另有规定)."""
    notice: str | None = None
    """Number of the issuer's written notice."""


# ---------------------------------------------------------------- effects of the steps


def check_change(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Effect of a proposal: it makes sense and may be made; how things stand now is kept with it.

    Raises:
        Refused, UsageFault: another organ's determination, not confirmed, or the change cannot be made.
    """
    row = _row(station, session, actor, matter)
    _own(station, row)
    words = matters.words_of(station, session, matter)
    change = _read(words, on=today(station.clock))
    _check(station, session, row, change)
    _reach(station, row, change)
    _floor(station, session, row, change)
    matters.note(station, session, matter, {"stood": _stood(session, row)})


def apply_change(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Effect of the determiner's decision: exactly what was proposed, if it still stands as it stood then."""
    row = _row(station, session, actor, matter)
    _own(station, row)
    words = matters.words_of(station, session, matter)
    if words.get("stood") != _stood(session, row):
        raise Refused("level_moved", matter=matter.id, document=row.id)
    check_hands(station, session, row, (matter.opened_by, actor.person))
    change = _read(words, on=today(station.clock))
    _reach(station, row, change)
    _floor(station, session, row, change)
    _apply(station, session, actor, matter, row, change, str(words.get("reason") or ""))


def check_notice(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Effect of taking down the issuer's written change.

    Raises:
        Refused, UsageFault: not confirmed, a day to come, or the change cannot be made.
    """
    row = _row(station, session, actor, matter)
    words = matters.words_of(station, session, matter)
    _check(station, session, row, _notice(station, words))
    matters.note(station, session, matter, {"stood": _stood(session, row)})


def apply_notice(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Effect of the second person's comparison with the paper: the issuer's change holds here too."""
    row = _row(station, session, actor, matter)
    words = matters.words_of(station, session, matter)
    if words.get("stood") != _stood(session, row):
        raise Refused("level_moved", matter=matter.id, document=row.id)
    change = _notice(station, words)
    _apply(station, session, actor, matter, row, change, str(words.get("reason") or words["notice"]))


def check_suggestion(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Effect of a suggestion's first step: it is about another organ's determination, and says what is suggested.

    Raises:
        Refused: `own_determination`, not confirmed. UsageFault: a word that makes no sense.
    """
    row = _row(station, session, actor, matter)
    if row.origin == "self":
        raise Refused("own_determination", document=row.id)
    words = matters.words_of(station, session, matter)
    change = _read(words, on=today(station.clock))
    if change.kind in _LEVELS and change.level is None and change.period is None:
        raise UsageFault("level_change_needs", kind=change.kind, needs="level")


# ---------------------------------------------------------------- reading and checking


def _read(words: Mapping[str, Any], *, on: date) -> Change:
    kind = str(words.get("change") or "")
    if kind not in KINDS:
        raise UsageFault("level_change_unknown", kind=kind or "—", kinds="、".join(KINDS))
    until = words.get("until")
    scope = str(words.get("scope") or "").replace(",", "、").replace(" ", "、")
    return Change(
        kind=kind,
        on=on,
        level=level_word(words["level"]) if words.get("level") else None,
        period=period_word(words["period"]) if words.get("period") else None,
        until=_day("until", until) if until else None,
        scope=tuple(part for part in scope.split("、") if part),
        special=bool(str(words.get("special") or "").strip()),
        notice=str(words["notice"]).strip() if words.get("notice") else None,
    )


def _notice(station: Station, words: Mapping[str, Any]) -> Change:
    return _read(words, on=matters.past_day(station, words, "date"))


def _day(name: str, text: Any) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise UsageFault("bad_value", field=name, given=str(text)) from None


def _row(station: Station, session: Session, actor: Actor, matter: Matter) -> Document:
    """The confirmed document, which the actor may know, and nothing unsettled about its level.

    Raises:
        Refused: not confirmed, clearance, circle, an open dispute or unclear case.
    """
    clock_guard.trust_time(station, session)
    row = access.get_document(session, matter.document_id or "")
    access.check_clearance(station, session, actor.person, row)
    members = access.circle_of(session, row.id)
    if (
        members
        and actor.person not in members
        and station.policy.conditions.approver_must_be_in_scope != "never"
    ):
        raise Refused("not_in_circle", person=actor.person, document=row.id)
    if row.status not in _KEPT or not row.confirmed or row.level_code is None:
        raise Refused("not_confirmed", document=row.id)
    matters.check_free(station, session, row.id, matter.kind)
    return row


def _own(station: Station, row: Document) -> None:
    if row.origin != "self":
        level = Level.parse(row.level_code) if row.level_code else None
        asked = station.policy.approval("declassify", level, "others_determination")
        raise Refused("others_determination_kept", document=row.id, source=asked.source)


def _reach(station: Station, row: Document, change: Change) -> None:
    """A higher level is one that the unit may determine."""
    old = Level.parse(row.level_code) if row.level_code else None
    if change.level is not None and station.policy.rank(change.level) > station.policy.rank(old):
        check_own(station, row, change.level)


def _floor(station: Station, session: Session, row: Document, change: Change) -> None:
    if change.kind == "early_declassify":
        check_floor(station, session, row, None)
    elif change.kind in ("downgrade", "correct") and change.level is not None:
        check_floor(station, session, row, change.level)


def _check(station: Station, session: Session, row: Document, change: Change) -> None:
    """Raises:
    Refused: the change cannot be made as the law and the policy stand. UsageFault: it does not say enough.
    """
    match change.kind:
        case "change_scope":
            if not change.scope:
                raise UsageFault("level_change_needs", kind=change.kind, needs="scope")
        case "extend" | "early_declassify":
            happening, until = _term_change(station, session, row, change)
            check_term(station, session, row, happening, on=change.on, until=until, notice=change.notice)
        case _:
            _check_level(station, session, row, change)


def _check_level(station: Station, session: Session, row: Document, change: Change) -> None:
    policy = station.policy
    old = Level.parse(row.level_code or "")
    new = change.level or old
    if change.level is None and (change.kind != "correct" or change.period is None):
        raise UsageFault("level_change_needs", kind=change.kind, needs="level")
    term = term_in_force(station, session, row) if row.period else None
    if term is not None and secrecy_state(station, old, term) == "ended":
        raise Refused("level_change_ended", document=row.id, until=row.secrecy_until or "—")
    if change.kind != "correct" and new.family is not old.family:
        raise Refused("level_other_family", document=row.id, level=new.value, old=old.value)
    step = policy.rank(new) - policy.rank(old)
    if (change.kind == "upgrade" and step <= 0) or (change.kind == "downgrade" and step >= 0):
        raise UsageFault("level_no_change", kind=change.kind, level=new.value, old=old.value)
    if policy.rank(new) > policy.rank(station.level):
        raise Refused("above_station_level", level=new.value, station=station.level.value)
    if new.family in _UNMARKED:
        if change.period is not None:
            raise UsageFault("level_period_not_asked", level=new.value)
        return
    period = change.period or (term.marked if term is not None else None)
    if period is None:
        raise UsageFault("level_change_needs", kind=change.kind, needs="period")
    if new is old and term is not None and period == term.marked:
        raise UsageFault("level_no_change", kind=change.kind, level=new.value, old=old.value)
    years = policy.max_years(new)
    if not years or change.special:
        return
    whole = secrecy_term(row, period)
    too_long = period.kind == "forever" or (
        whole is not None
        and whole.starts is not None
        and whole.ends is not None
        and whole.ends > add_months(whole.starts, 12 * years)
    )
    if too_long and not (period.kind == "forever" and new is Level.STATE_TOP):
        raise Refused("level_period_above", period=str(period), level=new.value, years=years)


def _term_change(
    station: Station, session: Session, row: Document, change: Change
) -> tuple[Any, date | None]:
    """The happening of `term_events` and its new end; a longer period is given as a whole, or as its end."""
    if change.kind == "early_declassify":
        return "declassified", change.until
    until = change.until
    if until is None and change.period is not None:
        term = term_in_force(station, session, row) if row.period else None
        until = change.period.ends(term.starts) if term is not None else None
    if until is None:
        raise UsageFault("level_change_needs", kind=change.kind, needs="period")
    return "extended", until


# ---------------------------------------------------------------- the effect


def _apply(
    station: Station,
    session: Session,
    actor: Actor,
    matter: Matter,
    row: Document,
    change: Change,
    reason: str,
) -> None:
    _check(station, session, row, change)
    why = station.reason(reason)
    before = former.marks_of(station, session, row)[0]
    gone: frozenset[str] = frozenset()
    match change.kind:
        case "change_scope":
            persons = [people.find_person(station, session, person) for person in change.scope]
            gone = circle.put(
                station,
                session,
                actor,
                row,
                persons,
                matter=matter.id,
                by_issuer=matter.kind == "level_notice",
            )
        case "extend" | "early_declassify":
            happening, until = _term_change(station, session, row, change)
            change_term(
                station, session, row, happening, on=change.on, until=until, notice=change.notice,
                entered_by=matter.opened_by, confirmed_by=actor.person, why=why,
            )  # fmt: skip
        case _:
            level = change.level or before[0]
            period = None if level.family in _UNMARKED else change.period or before[1]
            set_level(
                station, session, row, level, period, set_by=matter.opened_by, accepted_by=actor.person,
                cause=matter.id, kind=change.kind, why=why,
            )  # fmt: skip
    session.flush()
    level = Level.parse(row.level_code or "")
    station.log(
        session, "level.change", objects=(row.id, matter.id), person=actor.person, account=actor.user,
        level=level.value, reason=why, facts={"change": change.kind, "by": matter.kind, "until": row.secrecy_until},
    )  # fmt: skip
    level_notify.open_notice(
        station, session, actor, row, cause=matter.id, change=change.kind, also=tuple(sorted(gone))
    )


def _stood(session: Session, row: Document) -> dict[str, Any]:
    return {
        "level": row.level_code, "period": row.period, "until": row.secrecy_until,
        "circle": list(access.circle_of(session, row.id)),
    }  # fmt: skip
