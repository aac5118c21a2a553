"""Clearing 清退: originals go back to who issued them, listed one by one, counted by two, and only then handed over
(R-086 … R-088).

When they fall due: on the day that the issuer asks for (`require`), else by the unit's own cycle (`return_cycle.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import NotThere, Refused, UsageFault
from ...models.tables import Carrier, Document, Matter, MatterItem, Receipt, Timer
from ..desk import custody, matters, movements, timers
from ..desk.movements import Hand
from ..intake.receipt import organ_of
from ..papers.incidents import open_incident
from ..persons import access, people
from ..persons.actors import Actor, acting
from ..station.station import Station
from .return_cycle import CLOCK, HERE

KIND = "clearing"
LISTED, SHORT, GONE = "open", "short", "returned"


def require(
    station: Station, actor: Actor, *, objects: Sequence[str], due: date, source: str
) -> dict[str, Any]:
    """Writes down the day on which the issuer wants originals back; it overrides the unit's own cycle.

    Args:
        source: where it says so (number of the notice, words on the paper). Sealed in the ledger as a hash.
    """
    why = station.reason(source)
    with acting(station, actor, "clearing.require", objects=tuple(objects)) as session:
        asked = []
        for object_id in objects:
            thing = _original(session, object_id)
            document = _document(session, thing)
            access.check_clearance(station, session, actor.person, document)
            if thing.state not in HERE:
                raise Refused("movement_state", object=thing.id, act="清退", state=thing.state)
            thing.return_due = due.isoformat()
            timers.begin(
                station, session, CLOCK, kind="carrier", object_id=thing.id, document=document,
                holder=thing.holder, due=due,
            )  # fmt: skip
            asked.append({**custody.object_json(session, thing), "due": due.isoformat()})
        station.log(
            session, "clearing.require", objects=tuple(objects), person=actor.person, account=actor.user,
            reason=why, facts={"due": due.isoformat()},
        )  # fmt: skip
        return {"objects": asked}


def start(
    station: Station, actor: Actor, *, organ: str, objects: Sequence[str] = (), by: date | None = None
) -> dict[str, Any]:
    """Draws up the list of what goes back to an organ.

    Args:
        objects: originals; without them every one that is due by `by` and came from that organ.

    Raises:
        UsageFault: nothing to list. Refused: not in the room, on another list, or from another organ.
    """
    with acting(station, actor, "clearing.start", objects=tuple(objects)) as session:
        things = [_original(session, one) for one in objects] or _due_for(
            station, session, organ, by or today(station.clock)
        )
        if not things:
            raise UsageFault("nothing_to_clear", organ=organ)
        for thing in things:
            document = _document(session, thing)
            access.check_clearance(station, session, actor.person, document)
            if thing.state != "held":
                raise Refused("movement_state", object=thing.id, act="清退", state=thing.state)
            other = _other_list(session, thing)
            if other is not None:
                raise Refused("on_another_list", object=thing.id, matter=other)
        items = [("carrier", thing.id) for thing in things]
        made = matters.start(station, session, actor, KIND, items=items, words={"organ": organ})
        return list_json(station, session, actor, made)


def count(
    station: Station, actor: Actor, *, matter: str, counted: int, missing: Sequence[str] = ()
) -> dict[str, Any]:
    """One of two persons counts the listed originals, one by one. Both must come to the same.

    Raises:
        Refused: `count_wrong`, number and missing ones do not make the list; `count_differs` from the first person's.
    """
    with acting(station, actor, "clearing.count", objects=(matter,)) as session:
        row = get(session, matter)
        items = matters.items_of(session, row)
        unknown = set(missing) - {item.object_id for item in items}
        if unknown or counted + len(set(missing)) != len(items):
            raise Refused("count_wrong", matter=matter, listed=len(items), counted=counted)
        said = {"counted": counted, "missing": sorted(set(missing))}
        before = [
            matters.step_words(station, session, step)
            for step in matters.steps_of(session, row)
            if step.step == "count"
        ]
        if before and {name: before[-1].get(name) for name in said} != said:
            raise Refused("count_differs", matter=matter)
        matters.advance(station, session, actor, row, step="count", words=said)
        if row.step == "hand_over":
            _set_missing(station, session, actor, row, items, set(missing))
        return list_json(station, session, actor, row)


def hand_over(
    station: Station, actor: Actor, *, matter: str, receipt_no: str, carried_by: Sequence[str] = ()
) -> dict[str, Any]:
    """The counted originals are handed to the organ, which gave a receipt.

    Args:
        carried_by: who carried them together with the actor.

    Raises:
        Refused: not counted by two persons yet; too few carry what takes two.
    """
    with acting(station, actor, "clearing.hand_over", objects=(matter,)) as session:
        row = get(session, matter)
        persons = tuple(people.find_person(station, session, one) for one in carried_by)
        hand_over_in(station, session, actor, row, receipt_no, carried_by=persons)
        return list_json(station, session, actor, row)


def hand_over_in(
    station: Station, session: Session, actor: Actor, row: Matter, receipt_no: str, *,
    carried_by: Sequence[str] = (),
) -> None:  # fmt: skip
    """`hand_over` in the caller's transaction: also when escorts brought the bag there."""
    matters.advance(station, session, actor, row, step="hand_over", words={"receipt_no": receipt_no})
    for item in matters.items_of(session, row):
        if item.state == LISTED:
            hand = Hand(together_with=tuple(carried_by), words={"receipt_no": receipt_no}, matter=row.id)
            thing = _original(session, item.object_id)
            movements.move(station, session, actor, thing, "return_to_issuer", hand)
            item.state, item.person, item.at = GONE, actor.person, station.now()


def counted(session: Session, matter: str) -> tuple[str, ...]:
    """The originals of a list that two persons have counted.

    Raises:
        Refused: not counted yet, or ended.
    """
    row = get(session, matter)
    if row.state != matters.OPEN or row.step != "hand_over":
        raise Refused("not_counted", matter=matter)
    return tuple(item.object_id for item in matters.items_of(session, row) if item.state == LISTED)


def stop(station: Station, actor: Actor, *, matter: str, reason: str) -> dict[str, Any]:
    """A list that was counted is not handed over after all; everything stays in the room."""
    why = station.reason(reason)
    with acting(station, actor, "clearing.stop", objects=(matter,)) as session:
        row = get(session, matter)
        matters.advance(
            station, session, actor, row, step="hand_over", result="stopped",
            words={"receipt_no": "-", "reason": reason},
        )  # fmt: skip
        station.log(
            session, "clearing.stop", objects=(matter,), person=actor.person, account=actor.user, reason=why
        )
        return list_json(station, session, actor, row)


def get(session: Session, matter: str, kind: str = KIND) -> Matter:
    """The matter of a list.

    Raises:
        NotThere: it is none.
    """
    row = matters.get_matter(session, matter)
    if row.kind != kind:
        raise NotThere("no_list", matter=matter)
    return row


def list_json(station: Station, session: Session, actor: Actor, row: Matter) -> dict[str, Any]:
    """A list as the command line shows it; titles only within the actor's clearance."""
    session.flush()
    words = matters.words_of(station, session, row)
    return {
        "list": row.id, "kind": row.kind, "state": row.state, "step": row.step, "opened_at": row.opened_at,
        "organ": words.get("organ"), "occasion": words.get("occasion"), "receipt_no": words.get("receipt_no"),
        "counted_by": sorted({step.person for step in matters.steps_of(session, row) if step.step == "count"}),
        "items": [item_json(station, session, actor, item) for item in matters.items_of(session, row)],
    }  # fmt: skip


def item_json(station: Station, session: Session, actor: Actor, item: MatterItem) -> dict[str, Any]:
    """One line of a list."""
    thing = movements.find(session, item.object_id)
    document = session.get_one(Document, str(thing.document_id))
    shown = access.may_see_titles(station, actor, document)
    words = station.unseal(session, "document", document.sealed, bind=document.id) if shown else {}
    return {
        **custody.object_json(session, thing), "state": item.state, "at": item.at, "due": item.due,
        "title": words.get("title"), "doc_number": words.get("doc_number"), "pages": document.pages,
        **{name: json.loads(item.facts).get(name) for name in ("incident", "reason") if item.facts != "{}"},
    }  # fmt: skip


# ---------------------------------------------------------------- parts


def _original(session: Session, object_id: str) -> Carrier:
    thing = movements.find(session, object_id)
    if not isinstance(thing, Carrier):
        raise UsageFault("borrow_originals", object=object_id)
    return thing


def _document(session: Session, thing: Carrier) -> Document:
    return access.get_document(session, str(thing.document_id))


def _due_for(station: Station, session: Session, organ: str, by: date) -> list[Carrier]:
    """Originals from an organ that have to be back by a day and are in the room."""
    found = session.scalars(
        select(Carrier)
        .join(Timer, Timer.object_id == Carrier.id)
        .where(
            Timer.clock == CLOCK, Timer.state == timers.RUNNING, Carrier.state == "held",
            Timer.due <= timers.end_of(station, by),
        )
        .order_by(Carrier.id)
    ).all()  # fmt: skip
    return [
        thing
        for thing in found
        if organ_of(station, session, session.get_one(Receipt, thing.receipt_id)) == organ
        and _other_list(session, thing) is None
    ]


def _other_list(session: Session, thing: Carrier) -> str | None:
    return session.scalars(
        select(MatterItem.matter_id)
        .join(Matter, Matter.id == MatterItem.matter_id)
        .where(
            or_(Matter.kind == KIND, Matter.kind == "circulation", Matter.kind == "transport"),
            Matter.state == matters.OPEN, MatterItem.object_id == thing.id,
        )
    ).first()  # fmt: skip


def _set_missing(
    station: Station, session: Session, actor: Actor, row: Matter, items: Sequence[MatterItem],
    missing: set[str],
) -> None:  # fmt: skip
    """What two persons did not find is short: it is missing from now on, and an incident says so."""
    for item in items:
        if item.object_id in missing:
            thing = _original(session, item.object_id)
            movements.move(station, session, actor, thing, "miss", Hand(matter=row.id))
            incident = open_incident(
                station,
                session,
                actor,
                "carrier_missing",
                objects=(thing.id, row.id),
                document=thing.document_id,
            )
            item.state, item.facts = SHORT, json.dumps({"incident": incident})
