"""Movements: the only place where the holder, place or state of a carrier, a copy or a batch changes.

Each is allowed by a row of the policy's `movements`, written as one row, and logged as one ledger entry that says what
was before and after: so that who holds what can be told at any time (R-012, R-069), the day's count adds up
(originals received = held + returned + archived + destroyed + lost, and likewise for copies), and an outsider can
replay it from the ledger alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...common.errors import Broken, NotThere, Refused, UsageFault
from ...models.ledger_entry import Fact
from ...models.level import Level
from ...models.policy.desk import STATES, MovementRule, ObjectKind
from ...models.policy.reading import USES, Use
from ...models.rights import STAFF
from ...models.tables import Carrier, Copy, Document, LedgerEntry, Movement
from ..papers import incidents, places, release_record
from ..persons import access, approvals, conditions, four_eyes, subjects
from ..persons.actors import Actor
from ..persons.decision import Decision
from ..rounds import page_check
from ..station.station import Station
from . import matters, timers

_BEGIN = {"batch": "open"}
"""State of what enters the register without a movement: a batch is open from its first paper on."""
NOTE = "movement"
ACT = "move"
Thing = Carrier | Copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """What a movement says beside its act. Which parts are needed, the policy's row says."""

    taker: str | None = None
    """Person id; only where the row lets a person take it."""
    together_with: tuple[str, ...] = ()
    """Further persons who carry it together with the taker."""
    place: str | None = None
    due: date | None = None
    words: Mapping[str, Any] = field(default_factory=dict)
    """What is written down: `pages`, `case`, `bag`, `precautions`, `reason` … Sealed in the registry."""
    matter: str | None = None
    approval: str | None = None
    """An approval found by the caller already; without it the movement looks for one."""


def move(
    station: Station, session: Session, actor: Actor, thing: Thing, act: str, hand: Hand | None = None
) -> Movement:
    """Moves a carrier or copy by a row of the policy.

    Raises:
        Refused: no row allows it, wrong state, role, clearance or circle; approval missing; too few persons; blocked.
        UsageFault: something the row asks for is not given.
    """
    hand = hand or Hand()
    kind: ObjectKind = "copy" if isinstance(thing, Copy) else "carrier"
    rule = rule_of(station, act, kind)
    document = session.get(Document, thing.document_id) if thing.document_id else None
    before = state_of(thing)
    if before not in rule.before:
        raise Refused("movement_state", object=thing.id, act=rule.zh, state=before)
    may(rule, actor, thing.holder)
    _needs(rule, hand)
    _within(station, session, rule, document, hand)
    if document is not None:
        matters.check_free(station, session, document.id, f"move.{act}")
    if isinstance(thing, Copy) and thing.sent_in and rule.to == "person":
        raise Refused("copy_at_organ", copy=thing.id, matter=thing.sent_in)
    taker = _taker(rule, actor, thing, hand)
    approval, known = hand.approval, dict[str, Decision]()
    if document is not None:
        carriers = tuple(filter(None, (taker, *hand.together_with))) if rule.to == "person" else ()
        present = carriers or _present(rule, actor, hand)
        known = _check_persons(station, session, rule, document, present)
        destroyed_by = conditions.destroyed_by(session, rule, document)
        if destroyed_by is not None:
            hand = replace(hand, words={**hand.words, "destruction": destroyed_by})
        elif rule.approval and approval is None:
            approval = approvals.require(
                station, session, act=rule.approval, rows=(document,), recipients=carriers
            )
            release_record.require_review(station, session, document, rule.approval)
        conditions.check(
            station, session, rule, document, thing, taker=taker, place=hand.place, approval=approval
        )
        if hand.place and rule.after in ("held", "archived"):
            places.check(station, actor, document, hand.place)
    giver = thing.holder
    if isinstance(thing, Copy):
        thing.status = rule.after
        # what another organ has is answered for by who sent it; the person there is no holder of the register
        thing.holder = taker or (actor.person if rule.to == "outside" else thing.holder)
        if rule.to != "same":
            thing.sent_in = hand.matter if rule.to == "outside" else None
    else:
        thing.state = rule.after
        thing.holder = taker
        thing.place = hand.place if rule.to in ("same", "room", "person") and hand.place else None
    done = record(
        station, session, actor, kind=kind, object_id=thing.id, document=document, act=act, before=before,
        after=rule.after, giver=giver, taker=taker, hand=hand, approval=approval, known=known,
    )  # fmt: skip
    if document is not None and rule.circle:
        for person, decision in known.items():
            access.put_on_record(station, session, person, document, act, approval or decision.rule)
    if "pages" in rule.needs and rule.to == "room":
        page_check.on_return(station, session, actor, thing.id, document, hand.words)
    timers.end(station, session, rule.ends, object_id=thing.id)
    if rule.incident and hand.matter is None:
        # as part of a matter it is that matter's to open
        incidents.open_incident(
            station, session, actor, rule.incident, objects=(thing.id,), document=thing.document_id,
            copy=thing.id if isinstance(thing, Copy) else None,
        )  # fmt: skip
    if rule.clock:
        timer = timers.begin(
            station, session, rule.clock, kind=kind, object_id=thing.id, document=document, holder=taker,
            due=hand.due,
        )  # fmt: skip
        if isinstance(thing, Copy):
            thing.due = timers.last_day(timer).isoformat()
    return done


def enter(
    station: Station, session: Session, actor: Actor, thing: Thing, act: str, *, giver: str | None = None
) -> Movement:
    """The first movement of an object that has just been made: it enters the register with its state and holder."""
    kind: ObjectKind = "copy" if isinstance(thing, Copy) else "carrier"
    rule = rule_of(station, act, kind)
    may(rule, actor, None)
    document = session.get(Document, thing.document_id) if thing.document_id else None
    done = record(
        station, session, actor, kind=kind, object_id=thing.id, document=document, act=act, before=None,
        after=rule.after, giver=giver, taker=thing.holder, hand=Hand(place=None),
        approval=thing.approval_id if isinstance(thing, Copy) else None,
    )  # fmt: skip
    if rule.clock:
        due = date.fromisoformat(thing.due) if isinstance(thing, Copy) and thing.due else None
        timer = timers.begin(
            station, session, rule.clock, kind=kind, object_id=thing.id, document=document, holder=thing.holder,
            due=due,
        )  # fmt: skip
        if isinstance(thing, Copy):
            thing.due = timers.last_day(timer).isoformat()
    return done


def record(
    station: Station,
    session: Session,
    actor: Actor | str,
    *,
    kind: ObjectKind,
    object_id: str,
    document: Document | None,
    act: str,
    before: str | None,
    after: str,
    giver: str | None,
    taker: str | None,
    hand: Hand,
    approval: str | None = None,
    known: Mapping[str, Decision] | None = None,
) -> Movement:
    """Writes a movement that was allowed: its row and its ledger entry. `actor`: who does it, or the id of the person
    whose signed act it carries out.
    """
    person, account = (actor, None) if isinstance(actor, str) else (actor.person, actor.user)
    done = Movement(
        object_kind=kind, object_id=object_id, document_id=document.id if document else None, act=act,
        before=before, after=after, giver=giver, taker=taker, by=person, at=station.now(),
        place=hand.place, approval_id=approval, matter_id=hand.matter,
        note_sealed=station.seal(session, NOTE, dict(hand.words), bind=object_id) if hand.words else None,
    )  # fmt: skip
    session.add(done)
    session.flush()
    level = access.protected_as(station.policy, document).value if document is not None else None
    facts: dict[str, Fact] = {
        "kind": kind, "act": act, "before": before, "after": after, "giver": giver, "taker": taker,
        "movement": done.id,
    }  # fmt: skip
    if hand.together_with:
        facts["together_with"] = list(hand.together_with)
    rules = {decision.rule for decision in (known or {}).values()} - {"handling"}
    if rules:
        facts["circle_rule"] = [*sorted(rules)]
    if away := [decision.deputy_of for decision in (known or {}).values() if decision.deputy_of]:
        facts["deputy_of"] = [*away]
    station.log(
        session, ACT, objects=tuple(filter(None, (object_id, document.id if document else None, hand.matter))),
        person=person, account=account, level=level, rule=approval or "", facts=facts,
    )  # fmt: skip
    return done


def rule_of(station: Station, act: str, kind: str) -> MovementRule:
    """The policy's row.

    Raises:
        Refused: there is none.
    """
    rule = station.policy.desk.movement(act, kind)
    if rule is None:
        raise Refused("movement_unknown", act=act, kind=kind)
    return rule


def may(rule: MovementRule, actor: Actor, holder: str | None) -> None:
    """Whether the actor's roles, or being the holder, allow it.

    Raises:
        Refused: they do not.
    """
    if actor.roles & set(rule.by) or ("holder" in rule.by and holder == actor.person):
        return
    raise Refused("role_missing", user=actor.user, roles="、".join(rule.by))


def state_of(thing: Thing) -> str:
    """The state an object is in."""
    return thing.status if isinstance(thing, Copy) else thing.state


def find(session: Session, object_id: str) -> Thing:
    """A carrier or copy by its number.

    Raises:
        NotThere: no such thing.
    """
    found = session.get(Carrier, object_id) or session.get(Copy, object_id)
    if found is None:
        raise NotThere("no_object", object=object_id)
    return found


def _within(
    station: Station, session: Session, rule: MovementRule, document: Document | None, hand: Hand
) -> None:
    """What goes by list, or with several persons who sign for it, goes as part of one (R-088; TL art. 29)."""
    wanted = rule.within
    if not wanted and rule.several_within and document is not None:
        level = access.protected_as(station.policy, document)
        wanted = rule.several_within if rule.least(level, subjects.all_of(station, document)) > 1 else ()
    if not wanted or (hand.matter and matters.get_matter(session, hand.matter).kind in wanted):
        return
    kinds = [station.policy.desk.matters[kind].zh for kind in wanted]
    raise Refused("movement_within", act=rule.zh, kinds="、".join(kinds))


def _needs(rule: MovementRule, hand: Hand) -> None:
    missing = [
        name
        for name in rule.needs
        if not (hand.place if name == "place" else str(hand.words.get(name, "")).strip())
    ]
    if missing:
        raise UsageFault("movement_needs", act=rule.zh, needs="、".join(missing))


def _taker(rule: MovementRule, actor: Actor, thing: Thing, hand: Hand) -> str | None:
    match rule.to:
        case "person":
            if not hand.taker:
                raise UsageFault("movement_needs", act=rule.zh, needs="--to")
            return hand.taker
        case "room" if isinstance(thing, Copy) and thing.holder == actor.person and not actor.roles & STAFF:
            # a holder who hands in what he has: it goes back to who handed it out
            return thing.issued_by
        case "room":
            return actor.person
        case "same":
            return thing.holder
        case _:
            return None


def _present(rule: MovementRule, actor: Actor, hand: Hand) -> tuple[str, ...]:
    """Who is there when nobody of the unit takes it: what leaves goes in the actor's own hands and those with him;
    whoever destroys is watched by others.
    """
    if not rule.persons:
        return ()
    others = {*hand.together_with} - {actor.person}
    return (actor.person, *sorted(others)) if rule.to == "outside" else tuple(sorted(others))


def _check_persons(
    station: Station, session: Session, rule: MovementRule, document: Document, persons: Sequence[str]
) -> dict[str, Decision]:
    """Each of the persons with the decision that lets him have it."""
    if rule.persons is not None:
        level = access.protected_as(station.policy, document)
        least = rule.least(level, subjects.all_of(station, document))
        if four_eyes.hands(session, persons, since=station.now()) < least:
            raise Refused("movement_persons", act=rule.zh, level=level.value, least=least)
    # an act of a unit's own that binds the circle counts as letting somebody read
    use: Use = next((use for use in USES if use == rule.act), "circulate") if rule.circle else "handle"
    # what the matrix denies or has approved is decided there, person by person
    asked = approvals.matrix_row(station, rule.approval, document) if rule.approval else None
    approved = asked is not None and asked.mode != "register"
    return {
        person: access.check(station, session, person, document, use, by_approval=approved)
        for person in persons
    }


# ---------------------------------------------------------------- counting and replaying


def balance(
    session: Session, kind: ObjectKind, *, document: str | None = None, level: Level | None = None,
    holder: str | None = None, since: str | None = None, until: str | None = None,
) -> dict[str, int]:  # fmt: skip
    """How many objects entered the register and what they count as now: `entered` is the sum of all the others.

    Args:
        since, until: ISO times; objects that entered from the one, before the other.
    """
    table = Copy if kind == "copy" else Carrier
    state = Copy.status if kind == "copy" else Carrier.state
    wanted = select(state, func.count()).select_from(table).group_by(state)
    if since or until:
        entered = select(Movement.object_id).where(Movement.object_kind == kind, Movement.before.is_(None))
        if since:
            entered = entered.where(Movement.at >= since)
        if until:
            entered = entered.where(Movement.at < until)
        wanted = wanted.where(table.id.in_(entered))
    if document is not None:
        wanted = wanted.where(table.document_id == document)
    if holder is not None:
        wanted = wanted.where(table.holder == holder)
    if level is not None:
        wanted = wanted.join(Document, Document.id == table.document_id).where(
            Document.level_code == level.code
        )
    if not (since or until or document or holder or level):
        return _whole(session, kind)
    counts: Counter[str] = Counter()
    for name, number in session.execute(wanted):
        counts[STATES[kind][name]] += number
    return {
        "entered": sum(counts.values()),
        **{name: counts[name] for name in dict.fromkeys(STATES[kind].values())},
    }


def _whole(session: Session, kind: ObjectKind) -> dict[str, int]:
    """The balance of all there are: each state counted off its index, the one that most end in by what is left over,
    once it is known that there are no other states.

    Raises:
        Broken: `movements_broken`, an object is in a state that the policy does not know.
    """
    state = Copy.status if kind == "copy" else Carrier.state
    common = "returned" if kind == "copy" else "archived"
    entered = session.scalar(select(func.count()).select_from(Copy if kind == "copy" else Carrier)) or 0
    numbers = {
        name: session.scalar(select(func.count()).where(state == name)) or 0
        for name in STATES[kind]
        if name != common
    }
    numbers[common] = entered - sum(numbers.values())
    names = sorted(STATES[kind])
    between = zip([None, *names], [*names, None], strict=True)
    for low, high in between:
        gap = select(state)
        gap = gap if low is None else gap.where(state > low)
        if session.execute((gap if high is None else gap.where(state < high)).limit(1)).first() is not None:
            raise Broken("movements_broken", object=kind, entry=0)
    counts = dict.fromkeys(STATES[kind].values(), 0)
    for name, number in numbers.items():
        counts[STATES[kind][name]] += number
    return {"entered": entered, **counts}


def replay(session: Session) -> dict[tuple[str, str], tuple[str, str | None]]:
    """State and holder of every object, from the ledger alone.

    Raises:
        Broken: `movements_broken`, a movement starts from another state than the one before it ended in.
    """
    states: dict[tuple[str, str], tuple[str, str | None]] = {}
    for row in session.scalars(select(LedgerEntry).where(LedgerEntry.act == ACT).order_by(LedgerEntry.seq)):
        leaf = json.loads(row.leaf)
        if leaf["result"] != "done":
            continue
        facts, name = leaf["facts"], (leaf["facts"]["kind"], leaf["objects"][0])
        known = states.get(name)
        if facts["before"] != (known[0] if known else _BEGIN.get(facts["kind"])):
            raise Broken("movements_broken", object=name[1], entry=row.seq)
        states[name] = (facts["after"], facts["taker"])
    return states


def differences(session: Session) -> list[str]:
    """Ids of carriers and copies whose state in the register is not what the ledger replays to."""
    replayed = replay(session)
    wrong = [
        thing.id
        for kind, rows in (
            ("carrier", session.scalars(select(Carrier))),
            ("copy", session.scalars(select(Copy))),
        )
        for thing in rows
        if replayed.get((kind, thing.id), (None, None))[0] != state_of(thing)
    ]
    return sorted(wrong)
