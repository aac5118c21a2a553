"""Review: a named person confirms what the machine suggested, or overrides it (R-023, R-039; BMF art. 16).

The machine's suggestion stays on record. A mark that was read is never lowered, neither its level nor its period; going
below a suggestion, or setting a level at all, needs a second person. Retention is set by the archivist.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from sqlalchemy import case, select, tuple_
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import JiyaoError, Refused, UsageFault
from ...common.paging import PAGE, cut
from ...models.level import Family, Level
from ...models.period import Period
from ...models.rights import MAY
from ...models.suggestion import Retention
from ...models.tables import TO_REVIEW, Document, Event
from ..desk import matters
from ..desk.urgency import urgent_first
from ..intake.judgement import load_judgement
from ..intake.paper_tag import retag
from ..intake.register_entry import EVENT, remember
from ..levels import store_apart
from ..levels.periods import parse_period
from ..levels.terms import changes_of, recount, secrecy_term, set_period
from ..papers.around import around
from ..papers.documents import document_json, keep_words, words_of
from ..papers.retaining import ONLY_ARCHIVIST, SAID, decide, judge_again, say
from ..persons import access
from ..persons.actors import Actor, acting
from ..rounds import return_cycle
from ..station.station import Reason, Station
from .accepting import SHORTENED, accepting_role, stood
from .doubts import doubts_of, plain

OPEN = ("pending", "pending_second")
FIELDS: Mapping[str, str] = {
    "title": "title", "organ": "organs", "doc_number": "doc_number", "serial": "serials", "serials": "serials",
    "signer": "signers", "recipients": "recipients", "copied_to": "copied_to", "date": "signed_date",
    "notified_date": "notified_date", "kind": "kind", "urgency": "urgency", "origin": "origin",
    "copies_received": "copies_received", "scope_fixed": "scope_fixed", **SAID,
}  # fmt: skip
"""Fields a person may correct, and where each is kept."""
_COLUMNS = frozenset({"signed_date", "notified_date", "kind", "urgency", "origin", "copies_received"})
_JUDGED = frozenset({"origin", "important", "flags"})
"""What the retention tables ask and only a person can say."""
_LISTS = frozenset({"organs", "serials", "signers", "recipients", "copied_to"})
TIMED = frozenset({"date", "notified_date", "origin", *SAID})
"""Fields on which terms depend: changed after confirmation, they are accepted anew."""
_ORIGINS = ("self", "superior", "peer", "subordinate")


def list_reviews(
    station: Station, actor: Actor, *, limit: int = PAGE, after: str | None = None
) -> dict[str, Any]:
    """What waits for a person: urgent ones first, then doubtful ones. `after`: goes on behind this document."""
    doubtful_first = case((Document.must_review, 0), else_=1)
    # `+ 0`: else the database walks the list of all documents in its order to find the few that wait
    order = (urgent_first() + 0, doubtful_first, Document.year, Document.seq)
    with station.read() as session:
        wanted = select(Document).where(TO_REVIEW).order_by(*order).limit(limit + 1)
        if after is not None:
            last = access.get_document(session, after)
            place = (last.lane, 0 if last.must_review else 1, last.year, last.seq)
            wanted = wanted.where(tuple_(*order) > tuple_(*place))
        rows, rest = cut(session.scalars(wanted).all(), limit, lambda row: row.id)
        opened = {row.id for row in rows if access.may_see_titles(station, actor, row)}
        beside = around(station, session, rows, opened)
        shown = [document_json(station, session, row, actor=actor, beside=beside) for row in rows]
        return {"documents": shown, **rest}


def show_review(station: Station, actor: Actor, *, document: str) -> dict[str, Any]:
    """One document with what is doubtful about it, and the history of its suggestion and decisions."""
    with acting(station, actor, "review.show", objects=(document,)) as session:
        row = access.get_document(session, document)
        access.check_clearance(station, session, actor.person, row)
        events = session.scalars(select(Event).where(Event.document_id == document).order_by(Event.id))
        history = [
            {"at": event.at, "person": event.person, "act": event.act, "what": event.what}
            | {
                key: value
                for key, value in station.unseal(session, EVENT, event.sealed, bind=document).items()
                if key != "salt"
            }
            for event in events
        ]
        doubts = [plain(item) for item in doubts_of(station, session, row)]
        return {**document_json(station, session, row, actor=actor), "doubts": doubts, "history": history}


def set_values(
    station: Station,
    actor: Actor,
    *,
    document: str,
    reason: str,
    level: Level | None = None,
    period: str | None = None,
    retention: Retention | None = None,
    fields: Mapping[str, str] | None = None,
    misread: bool = False,
) -> dict[str, Any]:
    """Records an override; it does not confirm.

    Raises:
        Refused: the role does not reach it, a read mark would be lowered, the level is above the station's.
        UsageFault: nothing to set, an unknown field or value.
    """
    if level is None and period is None and retention is None and not fields:
        raise UsageFault("nothing_to_set")
    why = station.reason(reason)
    with acting(station, actor, "review.set", objects=(document,)) as session:
        _check_roles(actor, level=level, period=period, retention=retention, fields=fields, misread=misread)
        row = access.get_document(session, document)
        access.check_clearance(station, session, actor.person, row)
        if row.status not in (*OPEN, "registered"):
            raise Refused("not_in_review", document=document, status=row.status)
        if fields:
            before = row.secrecy_until
            set_fields(station, session, actor, row, fields, why)
            _note_shortened(station, session, actor, row, before, why)
        if level is not None or period is not None:
            _set_level(station, session, actor, row, level, period, why, misread=misread)
        if retention is not None:
            old = row.retention
            decide(station, session, row, retention)
            _remember(station, session, actor, row, "retention", old, retention.value, why)
        row.confirmed = False
        if row.status == "registered":
            row.status = "pending"
        station.log(
            session, "review.set", objects=(document,), person=actor.person, account=actor.user,
            level=level.value if level else None, reason=why,
            facts={"misread": misread, "fields": [*sorted(fields or ())], "status": row.status},
        )  # fmt: skip
        return document_json(station, session, row, actor=actor)


def accept(station: Station, actor: Actor, *, documents: tuple[str, ...]) -> dict[str, Any]:
    """Confirms what stands. One document: that document; several: all of them, each refused one by name.

    Raises:
        Refused: the actor set the level himself, a determiner is needed, or no level stands yet.
    """
    accepted, refused = [], []
    for document in documents:
        try:
            accepted.append(_accept(station, actor, document))
        except JiyaoError as error:
            if len(documents) == 1:
                raise
            refused.append({"document": document, "code": error.code})
    if len(documents) == 1:
        return accepted[0]
    return {"documents": accepted, "problems": refused}


def _accept(station: Station, actor: Actor, document: str) -> dict[str, Any]:
    with acting(station, actor, "review.accept", objects=(document,)) as session:
        row = access.get_document(session, document)
        access.check_clearance(station, session, actor.person, row)
        if row.status not in OPEN:
            raise Refused("not_in_review", document=document, status=row.status)
        matters.check_free(station, session, document, "review.accept")
        if row.level_code is None:
            raise _level_needed(row)
        role = accepting_role(station, session, actor, row)
        row.status, row.confirmed = "registered", True
        row.interim_code = None
        recount(station, session, row)
        return_cycle.begin(station, session, row)
        if row.level_code == Level.STATE_TOP.code:
            store_apart.begin(station, session, row, old=stood(station, session, row))
        remember(station, session, row, actor.person, "accept", "accepted", stands(row))
        station.log(
            session, "review.accept", objects=(document,), person=actor.person, account=actor.user,
            role=role, level=Level.parse(row.level_code).value, facts={"retention": row.retention},
        )  # fmt: skip
        return document_json(station, session, row, actor=actor)


def stands(row: Document) -> dict[str, Any]:
    """What is confirmed: level and both terms, each with its days."""
    return {
        "old": None, "new": row.level_code, "period": row.period, "secrecy_from": row.secrecy_from,
        "secrecy_from_rule": row.secrecy_from_rule, "secrecy_until": row.secrecy_until, "retention": row.retention,
        "retention_event": row.retention_event, "retention_until": row.retention_until,
    }  # fmt: skip


def _level_needed(row: Document) -> Refused:
    interim = Level.parse(row.interim_code).value if row.interim_code else "—"
    return Refused("level_needed", document=row.id, interim=interim)


def _note_shortened(
    station: Station, session: Session, actor: Actor, row: Document, before: str | None, why: Reason
) -> None:
    """A date by which protection ends earlier is a lowering: of a paper once confirmed, or where it is over at once."""
    level = Level.parse(row.level_code or row.interim_code or Level.INTERNAL.code)
    until = row.secrecy_until
    if until is None or until == before or level.family in (Family.INTERNAL, Family.PUBLIC):
        return
    sooner = before is None or until < before
    if sooner and (_was_accepted(session, row) or until <= today(station.clock).isoformat()):
        words = {"old": before, "new": until, **why.sealed_form}
        remember(station, session, row, actor.person, "set", SHORTENED, words)


def _set_level(
    station: Station,
    session: Session,
    actor: Actor,
    row: Document,
    level: Level | None,
    period: str | None,
    why: Reason,
    *,
    misread: bool,
) -> None:
    policy = station.policy
    new = level or (Level.parse(row.level_code) if row.level_code else None)
    if new is None:
        raise _level_needed(row)
    if policy.rank(new) > policy.rank(station.level):
        raise Refused("above_station_level", level=new.value, station=station.level.value)
    term = _period_of(station, row, new, period)
    anew = period is not None or new.code != row.level_code
    if row.read_level_code and not misread:
        _not_below_mark(station, session, row, new, term)
    suggested = Level.parse(row.suggested_level_code) if row.suggested_level_code else None
    guarded = policy.highest(suggested, Level.parse(row.interim_code) if row.interim_code else None)
    lowered = guarded is not None and policy.rank(new) < policy.rank(guarded) and not misread
    old = {"level": row.level_code, "period": row.period}
    # until another person has accepted it, what is set lower is protected as before
    before = access.protected_as(policy, row)
    if row.level_code is not None and policy.rank(new) < policy.rank(before):
        row.interim_code = before.code
    row.level_code = new.code
    if level is not None and row.level_basis == "none":
        row.level_basis = "content"
    if misread:
        row.read_level_code = new.code
        row.level_basis = "marked"
    set_period(row, term, () if anew else changes_of(station, session, row))
    row.status = "pending_second" if lowered else "pending"
    words = {
        "old": old, "new": {"level": new.code, "period": row.period}, "misread": misread, "lowered": lowered,
        "anew": anew, **why.sealed_form,
    }  # fmt: skip
    remember(station, session, row, actor.person, "set", "level", words)


def _not_below_mark(
    station: Station,
    session: Session,
    row: Document,
    new: Level,
    term: Period | None,
) -> None:
    read = Level.parse(cast(str, row.read_level_code))
    rank = station.policy.rank
    marked = _marked_period(station, session, row, read)
    if rank(new) < rank(read) or (marked is not None and _shorter(row, term, marked)):
        raise Refused("mark_never_lowered", document=row.id, level=read.value)


def _marked_period(station: Station, session: Session, row: Document, read: Level) -> Period | None:
    """The period of the mark as read, corrected or changed; the level's greatest where none stands."""
    corrections = session.scalars(
        select(Event)
        .where(Event.document_id == row.id, Event.what == "level", Event.act == "set")
        .order_by(Event.id.desc())
    )
    for event in corrections:
        words = station.unseal(session, EVENT, event.sealed, bind=row.id)
        if words["misread"] or words.get("changed"):
            text = words["new"]["period"]
            return parse_period(text) if text else None
    judgement = load_judgement(station, session, row.id)
    mark = judgement.fields.mark if judgement else None
    if mark is not None and mark.period is not None:
        return mark.period
    years = station.policy.max_years(read)
    return Period(kind="years", number=years) if years else None


def _shorter(row: Document, term: Period | None, marked: Period) -> bool:
    """Whether protection would end before the mark says; 长期 is the longest, a condition only like itself."""
    if term is None:
        return True
    if term == marked or term.kind == "forever":
        return False
    until, floor = secrecy_term(row, term), secrecy_term(row, marked)
    ends = [one.ends if one is not None else None for one in (until, floor)]
    return ends[0] is None or ends[1] is None or ends[0] < ends[1]


def _period_of(station: Station, row: Document, level: Level, text: str | None) -> Period | None:
    if text is not None:
        period = parse_period(text)
        if period is None:
            raise UsageFault("bad_period", period=text)
        return period
    if row.period and row.level_code == level.code:
        return parse_period(row.period)
    years = station.policy.max_years(level)
    return Period(kind="years", number=years) if years else None


def set_fields(
    station: Station, session: Session, actor: Actor, row: Document, fields: Mapping[str, str], why: Reason
) -> None:
    """Puts fields right; each old value stays on record with who changed it and why.

    Raises:
        UsageFault: an unknown field, or a value that is none.
    """
    words = words_of(station, session, row)
    for name, value in fields.items():
        target = FIELDS.get(name)
        if target is None:
            raise UsageFault("unknown_field", field=name, fields="、".join(FIELDS))
        if name == "scope_fixed" and words.get(target) and _was_accepted(session, row):
            raise Refused("scope_fixed", document=row.id)
        if name in SAID:
            old: Any = say(station, actor, row, words, name, value)
        elif target in _COLUMNS:
            old = getattr(row, target)
            setattr(row, target, _column(target, value))
        else:
            old = words.get(target)
            words[target] = (
                [part for part in value.replace(",", "、").split("、") if part] if target in _LISTS else value
            )
        remember(
            station, session, row, actor.person, "set", "field",
            {"field": name, "old": old, "new": value, **why.sealed_form},
        )  # fmt: skip
    keep_words(station, session, row, words)
    if {"date", "notified_date", "retention_event"} & set(fields):
        row.appraised_at = row.appraised_by = None
        recount(station, session, row)
    if _JUDGED & set(fields):
        judge_again(station, session, row, words)
    retag(station, session, row)


def _was_accepted(session: Session, row: Document) -> bool:
    """Whether somebody has confirmed the entry before."""
    return (
        session.scalars(select(Event.id).where(Event.document_id == row.id, Event.what == "accepted")).first()
        is not None
    )


def _column(target: str, value: str) -> Any:
    try:
        match target:
            case "signed_date" | "notified_date":
                return date.fromisoformat(value).isoformat()
            case "copies_received":
                return int(value)
            case "origin":
                return _ORIGINS[_ORIGINS.index(value)]
            case _:
                return value
    except (ValueError, KeyError):
        raise UsageFault("bad_value", field=target, given=value) from None


def _remember(
    station: Station,
    session: Session,
    actor: Actor,
    row: Document,
    what: str,
    old: Any,
    new: Any,
    why: Reason | None,
) -> None:
    words = {"old": old, "new": new, **(why.sealed_form if why else {})}
    remember(station, session, row, actor.person, "set" if why else "accept", what, words)


def _check_roles(
    actor: Actor,
    *,
    level: Level | None,
    period: str | None,
    retention: Retention | None,
    fields: Mapping[str, str] | None,
    misread: bool,
) -> None:
    if level is not None or period is not None:
        actor.role_for(MAY["review.misread" if misread else "review.level"])
    if retention is not None:
        actor.role_for(MAY["review.retention"])
    for name in fields or ():
        wanted = MAY["review.retention"] if name in SAID else frozenset[str]()
        actor.role_for(wanted if name in ONLY_ARCHIVIST else wanted | MAY["review.field"])
