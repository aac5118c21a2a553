"""Transport runs 机要交通: originals in a sealed bag, by a confidential channel, with escorts who sign for it, from
departure to the receipt of where it was going (R-013, R-014, R-018).

A run is a matter `transport`: packed and sealed, signed for by every escort (his own account, or on paper that the
clerk enters), departed, arrived. Departure and arrival are movements of each original; how many escorts a level asks
for, the movement's rule says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import NotThere, Refused, UsageFault
from ...common.paging import HEAVY
from ...models.tables import Carrier, Document, Matter, MatterItem, Timer
from ..desk import custody, matter_pages, matters, movements, timers
from ..desk.movements import Hand
from ..papers import release_record
from ..persons import access, approvals, four_eyes, people, subjects
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import clearing

KIND = "transport"
Purpose = Literal["return_to_issuer", "hand_over", "come_back"]
PURPOSES: tuple[Purpose, ...] = ("return_to_issuer", "hand_over", "come_back")
"""What arrival does: the issuer has it back; another organ has it; it was shown and came back."""
_SAID = ("organ", "channel", "bag", "purpose", "cleared", "departed", "arrived", "receipt_no")


def pack(
    station: Station,
    actor: Actor,
    *,
    objects: Sequence[str] = (),
    organ: str,
    channel: str,
    bag: str,
    escorts: Sequence[str],
    purpose: Purpose,
    cleared: str | None = None,
) -> dict[str, Any]:
    """Packs originals into a sealed bag.

    Args:
        organ: where it goes. bag: number of bag and seal.
        cleared: the counted clearing list whose originals go back to their issuer; it ends with the arrival.

    Raises:
        Refused: a channel the policy does not name, too few escorts for a level, an approval missing, not in the room.
    """
    with acting(station, actor, "transport.pack", objects=tuple(objects)) as session:
        channels = station.policy.handling.channels
        if channel not in channels:
            raise Refused("channel_open", channel=channel, channels="、".join(channels))
        if (purpose == "return_to_issuer") != (cleared is not None) or (cleared and objects):
            raise UsageFault("clearing_list_needed")
        named = clearing.counted(session, cleared) if cleared else tuple(objects)
        if not named:
            raise UsageFault("usage_missing", name="Z")
        things = [_original(session, object_id) for object_id in named]
        persons = list(dict.fromkeys(people.find_person(station, session, one) for one in escorts))
        rule = movements.rule_of(station, "depart", "carrier")
        arrival = movements.rule_of(station, purpose, "carrier")
        given: dict[str, str | None] = {}
        for thing in things:
            document = _document(session, thing)
            if thing.state not in rule.before:
                raise Refused("movement_state", object=thing.id, act=rule.zh, state=thing.state)
            access.check_clearance(station, session, actor.person, document)
            level = access.protected_as(station.policy, document)
            least = rule.least(level, subjects.all_of(station, document))
            if four_eyes.hands(session, persons, since=station.now()) < least:
                raise Refused("movement_persons", act=rule.zh, level=level.value, least=least)
            for person in persons:
                access.check_clearance(station, session, person, document)
            matters.check_free(station, session, document.id, "move.depart")
            given[thing.id] = (
                approvals.require(station, session, act=arrival.approval, rows=(document,))
                if arrival.approval
                else None
            )
            if arrival.approval:
                release_record.require_review(station, session, document, arrival.approval)
        words = {"organ": organ, "channel": channel, "bag": bag, "purpose": purpose, "cleared": cleared or ""}
        items = [("carrier", thing.id) for thing in things] + [("person", person) for person in persons]
        run = matters.start(station, session, actor, KIND, items=items, words=words)
        for item in matters.items_of(session, run):
            if item.object_kind == "carrier":
                item.state = "packed"
                item.facts = json.dumps({"approval": given[item.object_id]})
        return _json(station, session, run)


def take(station: Station, actor: Actor, *, run: str, escort: str | None = None) -> dict[str, Any]:
    """An escort signs for the sealed bag; the clerk enters a signature on paper by naming him.

    Raises:
        Refused: not an escort of this run, signed already.
    """
    with acting(station, actor, "transport.take", objects=(run,)) as session:
        row = _run(session, run)
        person = people.find_person(station, session, escort) if escort else actor.person
        item = next((one for one in _items(session, row, "person") if one.object_id == person), None)
        if item is None or (person != actor.person and "jiyao_clerk" not in actor.roles):
            raise Refused("not_an_escort", run=run, person=person)
        words = {"person": person, "receipt": "own" if person == actor.person else "paper"}
        matters.advance(station, session, actor, row, step="take", words=words)
        return _json(station, session, row)


def depart(station: Station, actor: Actor, *, run: str) -> dict[str, Any]:
    """The bag leaves: every original is on its way, with all its escorts.

    Raises:
        Refused: one hand alone packed it and signed for all escorts, where the level asks for more than one.
    """
    with acting(station, actor, "transport.depart", objects=(run,)) as session:
        row = _run(session, run)
        words = matters.words_of(station, session, row)
        persons = [item.object_id for item in _items(session, row, "person")]
        matters.advance(station, session, actor, row, step="depart", words={"departed": station.now()})
        _more_than_one_hand(station, session, row)
        for item in _items(session, row, "carrier"):
            hand = Hand(
                taker=persons[0], together_with=tuple(persons[1:]), words={"bag": words["bag"]}, matter=row.id
            )
            thing = _original(session, item.object_id)
            movements.move(station, session, actor, thing, "depart", hand)
            item.state, item.at = "transit", station.now()
        return _json(station, session, row)


def unpack(station: Station, actor: Actor, *, run: str, reason: str) -> dict[str, Any]:
    """The run does not take place: the bag is opened in the room before it left."""
    why = station.reason(reason)
    with acting(station, actor, "transport.unpack", objects=(run,)) as session:
        row = _run(session, run)
        matters.advance(
            station, session, actor, row, step="depart", result="unpacked", words={"reason": reason}
        )
        station.log(
            session, "transport.unpack", objects=(run,), person=actor.person, account=actor.user, reason=why
        )
        return _json(station, session, row)


def arrive(
    station: Station, actor: Actor, *, run: str, receipt_no: str, pages: int | None = None,
    brought_back: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The escorts are back with the receipt of where the bag went; or with the bag, which was not taken there.

    Raises:
        UsageFault: no receipt number.
    """
    with acting(station, actor, "transport.arrive", objects=(run,)) as session:
        row = _run(session, run)
        packed = matters.words_of(station, session, row)
        words = {"receipt_no": receipt_no, "arrived": station.now()}
        matters.advance(
            station, session, actor, row, step="arrive", result="brought_back" if brought_back else "done",
            words=words,
        )  # fmt: skip
        act = "come_back" if brought_back else str(packed["purpose"])
        escorts = tuple(item.object_id for item in _items(session, row, "person"))
        if act == "return_to_issuer":
            returned = clearing.get(session, str(packed["cleared"]))
            clearing.hand_over_in(station, session, actor, returned, receipt_no, carried_by=escorts)
        for item in _items(session, row, "carrier"):
            if act != "return_to_issuer":
                said = {"receipt_no": receipt_no, **({"pages": str(pages)} if pages is not None else {})}
                given = json.loads(item.facts).get("approval")
                hand = Hand(together_with=escorts, words=said, matter=row.id, approval=given)
                movements.move(station, session, actor, _original(session, item.object_id), act, hand)
            item.state, item.at = "back" if act == "come_back" else "delivered", station.now()
        return _json(station, session, row)


def show(station: Station, actor: Actor, *, run: str) -> dict[str, Any]:
    """One run.

    Raises:
        Refused: neither the room's staff nor its escort.
    """
    with acting(station, actor, "transport.show", objects=(run,)) as session:
        row = _run(session, run)
        if not actor.roles & custody.SEE_ALL and actor.person not in {
            item.object_id for item in _items(session, row, "person")
        }:
            raise Refused("not_an_escort", run=run, person=actor.person)
        return _json(station, session, row)


def list_runs(
    station: Station, actor: Actor, *, ended: bool = False, limit: int = HEAVY, after: str | None = None
) -> dict[str, Any]:
    """Runs under way, or all; `after`: goes on behind this one."""
    with acting(station, actor, "transport.list") as session:
        actor.role_for(frozenset(custody.SEE_ALL))
        rows, rest = matter_pages.of_kind(session, KIND, ended=ended, limit=limit, after=after)
        with matter_pages.at_hand(session, rows):
            return {"runs": [_json(station, session, row) for row in rows], **rest}


# ---------------------------------------------------------------- parts


def _more_than_one_hand(station: Station, session: Session, row: Matter) -> None:
    """Signatures on paper are entered by the clerk: where two carry, two have packed it or signed, each for himself."""
    rule = movements.rule_of(station, "depart", "carrier")
    steps = [step for step in matters.steps_of(session, row) if step.step in ("pack", "take")]
    signed = four_eyes.hands(session, [step.person for step in steps], since=row.opened_at)
    for item in _items(session, row, "carrier"):
        document = _document(session, _original(session, item.object_id))
        level = access.protected_as(station.policy, document)
        least = min(2, rule.least(level, subjects.all_of(station, document)))
        if signed < least:
            raise Refused("movement_persons", act=rule.zh, level=level.value, least=least)


def _run(session: Session, run: str) -> Matter:
    row = matters.get_matter(session, run)
    if row.kind != KIND:
        raise NotThere("no_run", run=run)
    return row


def _original(session: Session, object_id: str) -> Carrier:
    thing = movements.find(session, object_id)
    if not isinstance(thing, Carrier):
        raise UsageFault("borrow_originals", object=object_id)
    return thing


def _document(session: Session, thing: Carrier) -> Document:
    return access.get_document(session, str(thing.document_id))


def _items(session: Session, row: Matter, kind: str) -> list[MatterItem]:
    return [item for item in matters.items_of(session, row) if item.object_kind == kind]


def _json(station: Station, session: Session, row: Matter) -> dict[str, Any]:
    session.flush()
    words = matters.words_of(station, session, row)
    carriers = _items(session, row, "carrier")
    timer = session.scalars(
        select(Timer)
        .where(Timer.object_id.in_([item.object_id for item in carriers]), Timer.clock == KIND)
        .order_by(Timer.id.desc())
    ).first()
    return {
        "run": row.id, "state": row.state, "step": row.step,
        **{name: words.get(name) for name in _SAID},
        "due": timer.due if timer is not None else None,
        "late": timer is not None and timers.is_late(station, timer),
        "items": [
            {"object": item.object_id, "state": item.state, "level": _level(station, session, item.object_id)}
            for item in carriers
        ],
        "escorts": [
            {
                "person": item.object_id, "name": people.name_of(station, session, item.object_id),
                "signed": item.at if item.state == "done" else None,
                "paper": item.state == "done" and item.person != item.object_id,
            }
            for item in _items(session, row, "person")
        ],
    }  # fmt: skip


def _level(station: Station, session: Session, object_id: str) -> str:
    thing = session.get_one(Carrier, object_id)
    return access.protected_as(station.policy, _document(session, thing)).value
