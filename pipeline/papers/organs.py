"""Copies that another organ has: sent by a dispatch, held there, due back, or lost on the way (004-B§4.4; R-012).

Such a copy stays `issued`; `sent_in` names the dispatch, and the register's holder is who sent it, not the person there
who signed. It has a clock of its own and stands apart on the closing list. Until it is back nobody here is handed it.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.tables import Carrier, Copy, Document, Matter
from ..desk import matters, movements
from ..persons import access, four_eyes, people, subjects
from ..persons.actors import Actor
from ..station.station import Station
from .incidents import open_incident

SEND = "send"


def send(
    station: Station, session: Session, actor: Actor, matter: Matter, row: Document, words: dict[str, object]
) -> None:
    """The copies of a dispatch leave the room. By the unit's own messengers as many persons go as a run would take.

    Raises:
        Refused: `movement_persons`. UsageFault: a due day that is none.
    """
    items = matters.items_of(session, matter)
    things = [
        movements.find(session, one.object_id) for one in items if one.object_kind in ("carrier", "copy")
    ]
    persons = [
        people.find_person(station, session, one.object_id) for one in items if one.object_kind == "person"
    ]
    if words["channel"] in station.policy.handling.own_channels:
        rule, level = (
            movements.rule_of(station, "depart", "carrier"),
            access.protected_as(station.policy, row),
        )
        least = rule.least(level, subjects.all_of(station, row))
        going = persons or [actor.person]
        for person in going:
            access.check_clearance(station, session, person, row)
        if four_eyes.hands(session, going, since=station.now()) < least:
            raise Refused("movement_persons", act=rule.zh, level=level.value, least=least)
    due = _day(str(words.get("due") or ""))
    # a unit whose own movements know of no such act keeps the copy where it was
    known = station.policy.desk.movement(SEND, "copy") is not None
    for thing in things:
        if isinstance(thing, Copy) and known:
            hand = movements.Hand(together_with=tuple(persons), due=due, matter=matter.id)
            movements.move(station, session, actor, thing, SEND, hand)


def settle_trace(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """What was sent and not found again is lost; an incident says so."""
    step = matters.steps_of(session, matter)[-1]
    if step.result != "lost":
        return
    for item in matters.items_of(session, matter):
        thing = movements.find(session, item.object_id) if item.object_kind == "copy" else None
        if isinstance(thing, Copy) and thing.sent_in == matter.id:
            movements.move(station, session, actor, thing, "lose", movements.Hand(matter=matter.id))
            open_incident(
                station, session, actor, "copy_lost", objects=(thing.id, matter.id), document=thing.document_id,
                copy=thing.id,
            )  # fmt: skip


def has_it(station: Station, session: Session, actor: Actor, thing: Carrier | Copy) -> str | None:
    """The organ that has a copy, or the dispatch where its name must not show; None of what is not with one."""
    if not isinstance(thing, Copy) or not thing.sent_in:
        return None
    matter = session.get(Matter, thing.sent_in)
    document = session.get(Document, thing.document_id)
    if matter is None or document is None or not access.may_see_titles(station, actor, document):
        return thing.sent_in
    return str(matters.words_of(station, session, matter).get("organ") or thing.sent_in)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageFault("bad_value", field="due", given=text) from None
