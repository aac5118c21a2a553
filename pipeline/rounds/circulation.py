"""Circulation 传阅: an original or copy goes from reader to reader in the order of its list, through the room each
time.

Every hand-over is a movement and a signed step of the matter `circulation`: the clerk who presents it, the reader who
receives it (by his own account, or on paper that the clerk enters), the clerk who takes it back and counts its pages.
So nobody passes a paper on, and what is read on the spot is back before the next reader has it (R-063 … R-069, R-086).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import NotThere, Refused, UsageFault
from ...models.tables import Carrier, Clear, Copy, Document, Matter, MatterItem, Timer
from ..desk import matters, movements, timers
from ..desk.movements import Hand, Thing
from ..persons import access, approvals, four_eyes, people, subjects
from ..persons.actors import Actor, acting
from ..station.station import Station
from .circulation_list import (
    GIVEN,
    KIND,
    LIST_CLOCK,
    READ,
    RECEIVED,
    SKIPPED,
    WAITING,
    list_json,
    matter_of,
    readers_of,
    thing_of,
)


def start(
    station: Station, actor: Actor, *, document: str, readers: Sequence[str], thing: str | None = None
) -> dict[str, Any]:
    """Draws up the list: which original or copy goes to whom, in this order. Further originals have lists of their own.

    Args:
        thing: carrier or copy; without it the first original that is in the room.

    Raises:
        Refused: somebody is not cleared or outside the circle; for a paper that is read on the spot no circle is set;
            an approval is missing; the object is not in the room or on another list.
        NotThere, UsageFault: unknown person or object, nobody named, somebody named twice.
    """
    with acting(station, actor, "circulate.start", objects=(document,)) as session:
        return list_json(station, session, open_list(station, session, actor, document, readers, thing))


def open_list(
    station: Station,
    session: Session,
    actor: Actor,
    document: str,
    readers: Sequence[str],
    thing: str | None = None,
) -> Matter:
    """`start` in the caller's transaction: also when a paper is distributed for handling and reading at once."""
    row = access.get_document(session, document)
    access.check_clearance(station, session, actor.person, row)
    persons = _persons(station, session, row, readers)
    chosen = _object(session, row, thing)
    rule = movements.rule_of(station, "circulate", _kind(chosen))
    if movements.state_of(chosen) not in rule.before:
        raise Refused("movement_state", object=chosen.id, act=rule.zh, state=movements.state_of(chosen))
    if rule.approval:
        approvals.require(station, session, act=rule.approval, rows=(row,), recipients=persons)
    items = [(_kind(chosen), chosen.id), *(("person", person) for person in persons)]
    matter = matters.start(station, session, actor, KIND, document=document, items=items)
    matters.items_of(session, matter)[0].state = "object"
    return matter


def give(
    station: Station, actor: Actor, *, matter: str, place: str | None = None, pages: int | None = None
) -> dict[str, Any]:
    """Presents it to the next reader on the list.

    Args:
        place: the reading room, where the paper does not leave it. pages: counted, when a keeper brings it.

    Raises:
        Refused: as `movements.move`. UsageFault: nobody is left, or a place or page count is missing.
    """
    with acting(station, actor, "circulate.give", objects=(matter,)) as session:
        row, _ = _open(station, session, actor, matter)
        item = _next(session, row)
        thing = thing_of(session, row)
        facts = json.loads(item.facts)
        if facts.get("keeper") == thing.holder and _is_out(thing):
            _take_back(station, session, actor, row, thing, pages, None)
        due = _due(station, session, row)
        hand = Hand(taker=item.object_id, place=place, due=due, matter=row.id)
        movements.move(station, session, actor, thing, "circulate", hand)
        clear_goes_with(session, thing, item.object_id)
        matters.advance(
            station, session, actor, row, step="give", words={"reader": item.object_id, "object": thing.id}
        )
        item.state, item.due = GIVEN, _term(session, thing)
        _note(item, given=station.now(), place=place)
        return list_json(station, session, row)


def receive(station: Station, actor: Actor, *, matter: str, on_paper: bool = False) -> dict[str, Any]:
    """The reader's receipt: by his own account, or entered by the clerk from the signed list.

    Raises:
        Refused: `not_the_reader`.
    """
    with acting(station, actor, "circulate.receive", objects=(matter,)) as session:
        row = matter_of(session, matter)
        item = _current(session, row, GIVEN)
        paper = on_paper and "jiyao_clerk" in actor.roles and actor.person != item.object_id
        if actor.person != item.object_id and not paper:
            raise Refused("not_the_reader", matter=matter, person=item.object_id)
        words = {"reader": item.object_id, "receipt": "paper" if paper else "own"}
        matters.advance(station, session, actor, row, step="receive", words=words)
        item.state = RECEIVED
        _note(item, received=station.now(), paper=paper)
        return list_json(station, session, row)


def back(
    station: Station, actor: Actor, *, matter: str, pages: int, irregular: str | None = None
) -> dict[str, Any]:
    """Takes it back from the reader, counted page by page; with the last reader the list is finished.

    Raises:
        Refused: the reader has not signed for it yet.
    """
    with acting(station, actor, "circulate.back", objects=(matter,)) as session:
        row, _ = _open(station, session, actor, matter)
        item = _current(session, row, RECEIVED)
        _take_back(station, session, actor, row, thing_of(session, row), pages, irregular)
        last = not [one for one in readers_of(session, row) if one.state == WAITING]
        words: dict[str, Any] = {"reader": item.object_id, "pages": pages}
        if irregular:
            words["irregular"] = irregular
        matters.advance(
            station, session, actor, row, step="back", result="ended" if last else "done", words=words
        )
        item.state, item.at = READ, station.now()
        _note(item, pages=pages)
        return list_json(station, session, row)


def skip(station: Station, actor: Actor, *, matter: str, reason: str, later: bool = False) -> dict[str, Any]:
    """The next reader is absent: it goes to the one after, and is not left in an office (R-066).

    Args:
        later: whether the absent reader comes last instead of not at all.
    """
    why = station.reason(reason)
    with acting(station, actor, "circulate.skip", objects=(matter,)) as session:
        row, _ = _open(station, session, actor, matter)
        item = _next(session, row)
        if _is_out(thing_of(session, row)):
            raise Refused(
                "object_is_out", document=row.document_id or row.id, object=thing_of(session, row).id
            )
        left = [one for one in readers_of(session, row) if one.state == WAITING and one is not item]
        if later and left:
            item.seq = max(one.seq for one in readers_of(session, row)) + 1
        elif not later:
            item.state, item.at = SKIPPED, station.now()
        result = "skipped" if left or later else "ended"
        words = {"reader": item.object_id, "reason": reason, "later": later}
        matters.advance(station, session, actor, row, step="give", result=result, words=words)
        station.log(
            session, "circulate.skip", objects=(row.id, item.object_id), person=actor.person, account=actor.user,
            reason=why, facts={"later": later},
        )  # fmt: skip
        return list_json(station, session, row)


def keep(
    station: Station, actor: Actor, *, matter: str, keeper: str, reason: str, place: str | None = None
) -> dict[str, Any]:
    """The next reader is absent and it cannot go back: a person named for this alone keeps it until he is there
    (临时确定专人专管专送). `give` then takes it from the keeper.

    Raises:
        Refused: the keeper is not cleared; it is out already.
    """
    why = station.reason(reason)
    with acting(station, actor, "circulate.keep", objects=(matter,)) as session:
        row, document = _open(station, session, actor, matter)
        item, thing = _next(session, row), thing_of(session, row)
        person = people.find_person(station, session, keeper)
        four_eyes.apart(session, person, None, [(item.object_id, None)], since=row.opened_at)
        if _is_out(thing) or not isinstance(thing, Carrier):
            raise Refused("object_is_out", document=document.id, object=thing.id)
        words = {"reader": item.object_id, "reason": reason}
        hand = Hand(taker=person, place=place, due=_due(station, session, row), words=words, matter=row.id)
        movements.move(station, session, actor, thing, "keep_for", hand)
        matters.advance(
            station, session, actor, row, step="give", result="kept", words={**words, "keeper": person}
        )
        _note(item, keeper=person, kept=station.now())
        station.log(
            session, "circulate.keep", objects=(row.id, item.object_id, person), person=actor.person,
            account=actor.user, reason=why,
        )  # fmt: skip
        return list_json(station, session, row)


def add(station: Station, actor: Actor, *, matter: str, readers: Sequence[str]) -> dict[str, Any]:
    """Puts readers at the end of a list that is under way. The circle is not widened by it: that is `circle set`.

    Raises:
        Refused: outside the circle, not cleared. UsageFault: on the list already.
    """
    with acting(station, actor, "circulate.add", objects=(matter,)) as session:
        row, document = _open(station, session, actor, matter)
        persons = _persons(station, session, document, readers)
        known = {item.object_id for item in readers_of(session, row)}
        if known & set(persons):
            raise UsageFault("reader_twice", person="、".join(sorted(known & set(persons))))
        words = {"added": persons}
        matters.advance(station, session, actor, row, step="give", result="added", words=words)
        last = max(item.seq for item in matters.items_of(session, row))
        for number, person in enumerate(persons, start=last + 1):
            session.add(MatterItem(matter_id=row.id, seq=number, object_kind="person", object_id=person))
        session.flush()
        return list_json(station, session, row)


def stop(station: Station, actor: Actor, *, matter: str, reason: str) -> dict[str, Any]:
    """Ends a list early; the paper is in the room."""
    why = station.reason(reason)
    with acting(station, actor, "circulate.stop", objects=(matter,)) as session:
        row, document = _open(station, session, actor, matter)
        thing = thing_of(session, row)
        if _is_out(thing):
            raise Refused("object_is_out", document=document.id, object=thing.id)
        matters.advance(station, session, actor, row, step="give", result="ended", words={"reason": reason})
        for item in readers_of(session, row):
            if item.state == WAITING:
                item.state, item.at = SKIPPED, station.now()
        station.log(
            session, "circulate.stop", objects=(row.id,), person=actor.person, account=actor.user, reason=why
        )
        return list_json(station, session, row)


# ---------------------------------------------------------------- parts


def _open(station: Station, session: Session, actor: Actor, matter: str) -> tuple[Matter, Document]:
    row = matter_of(session, matter)
    if row.state != matters.OPEN:
        raise Refused("matter_closed", matter=matter, state=row.state)
    document = access.get_document(session, str(row.document_id))
    access.check_clearance(station, session, actor.person, document)
    return row, document


def _persons(station: Station, session: Session, row: Document, readers: Sequence[str]) -> list[str]:
    persons = [people.find_person(station, session, reader) for reader in readers]
    if not persons:
        raise UsageFault("usage_missing", name="--to")
    if len(set(persons)) != len(persons):
        twice = sorted({person for person in persons if persons.count(person) > 1})
        raise UsageFault("reader_twice", person="、".join(twice))
    circle = access.circle_of(session, row.id)
    if not circle and subjects.as_read(station.policy, row):
        raise Refused("readers_unnamed", document=row.id)
    for person in persons:
        access.check_clearance(station, session, person, row)
        if circle and person not in circle:
            raise Refused("not_in_circle", person=person, document=row.id)
    return persons


def _object(session: Session, row: Document, thing: str | None) -> Thing:
    if thing is not None:
        found = movements.find(session, thing)
        if found.document_id != row.id:
            raise NotThere("no_object", object=thing)
    else:
        first = session.scalars(
            select(Carrier)
            .where(Carrier.document_id == row.id, Carrier.state == "held")
            .where(Carrier.id.not_in(_on_a_list()))
            .order_by(Carrier.id)
        ).first()
        if first is None:
            raise Refused("nothing_to_circulate", document=row.id)
        found = first
    other = session.scalars(_on_a_list(matter=True).where(MatterItem.object_id == found.id)).first()
    if other is not None:
        raise Refused("on_another_list", object=found.id, matter=other)
    return found


def _on_a_list(*, matter: bool = False) -> Any:
    column = MatterItem.matter_id if matter else MatterItem.object_id
    return (
        select(column)
        .join(Matter, Matter.id == MatterItem.matter_id)
        .where(
            Matter.kind == KIND, Matter.state == matters.OPEN, MatterItem.object_kind.in_(("carrier", "copy"))
        )
    )


def _next(session: Session, row: Matter) -> MatterItem:
    current = [item for item in readers_of(session, row) if item.state in (GIVEN, RECEIVED)]
    if current:
        raise Refused("with_a_reader", matter=row.id, person=current[0].object_id)
    for item in readers_of(session, row):
        if item.state == WAITING:
            return item
    raise Refused("nobody_left", matter=row.id)


def _current(session: Session, row: Matter, state: str) -> MatterItem:
    for item in readers_of(session, row):
        if item.state == state:
            return item
    code = "not_signed_for" if state == RECEIVED else "nobody_has_it"
    raise Refused(code, matter=row.id)


def _kind(thing: Thing) -> str:
    return "copy" if isinstance(thing, Copy) else "carrier"


def _is_out(thing: Thing) -> bool:
    return isinstance(thing, Carrier) and thing.state == "out"


def _due(station: Station, session: Session, row: Matter) -> date | None:
    """The reader's last day: not after that of the whole list, while that lies ahead."""
    timer = session.scalars(
        select(Timer).where(
            Timer.object_id == row.id, Timer.clock == LIST_CLOCK, Timer.state == timers.RUNNING
        )
    ).first()
    if timer is None:
        return None
    document = session.get(Document, row.document_id) if row.document_id else None
    now = today(station.clock)
    if document is not None and subjects.as_read(station.policy, document):
        return now
    return max(now, timers.last_day(timer))


def _term(session: Session, thing: Thing) -> str | None:
    timer = session.scalars(
        select(Timer).where(Timer.object_id == thing.id, Timer.clock == KIND, Timer.state == timers.RUNNING)
    ).first()
    return timers.last_day(timer).isoformat() if timer is not None else None


def _take_back(
    station: Station, session: Session, actor: Actor, row: Matter, thing: Thing, pages: int | None,
    irregular: str | None,
) -> None:  # fmt: skip
    if pages is None:
        raise UsageFault("usage_missing", name="--pages")
    words: dict[str, Any] = {"pages": str(pages)}
    if irregular:
        words["irregular"] = irregular
    movements.move(station, session, actor, thing, "read_back", Hand(words=words, matter=row.id))
    clear_goes_with(session, thing, None)


def clear_goes_with(session: Session, thing: Thing, holder: str | None) -> None:
    """A copy's written file goes with the copy."""
    if not isinstance(thing, Copy):
        return
    for place in session.scalars(
        select(Clear).where(Clear.copy_id == thing.id, Clear.state.in_(("outstanding", "returned")))
    ):
        place.state = "returned" if holder is None else "outstanding"
        place.holder = holder or place.holder


def _note(item: MatterItem, **facts: Any) -> None:
    kept = {name: value for name, value in facts.items() if value is not None}
    item.facts = json.dumps({**json.loads(item.facts), **kept})
