"""Departments clear what they hold once a month (002-B§2.5): listed by the room, counted by the department's liaison.

The matter stays open from month to month; its first step is due again a month after the last count. What is short is
settled by somebody else before the next list.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.tables import Matter, MatterItem, Person
from ..desk import custody, matters
from ..persons import people
from ..persons.actors import Actor
from ..station.station import Station

FORMER = "former"
"""State of what stood on an earlier list."""


def list_holdings(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """Puts on the list every original and copy that the department's persons hold now, each once.

    Raises:
        UsageFault: no department is named, or nobody belongs to it.
    """
    department = str(matters.words_of(station, session, matter).get("department", "")).strip()
    persons = [
        person
        for person in session.scalars(select(Person.id).order_by(Person.id))
        if department and people.person_json(station, session, person)["dept"] == department
    ]
    if not persons:
        raise UsageFault("department_unknown", department=department or "—")
    seq = 0
    for item in matters.items_of(session, matter):
        item.state, seq = FORMER, item.seq
    for person in persons:
        for thing in custody.held_by(session, person):
            seq += 1
            kind = custody.object_json(session, thing)["kind"]
            session.add(
                MatterItem(matter_id=matter.id, seq=seq, object_kind=kind, object_id=thing.id, person=person)
            )
    session.flush()


def check_holdings(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """The liaison's count is that of the list, less what is named as short.

    Raises:
        Refused: the actor is not of the department, or the count is another.
    """
    words = matters.words_of(station, session, matter)
    department = str(words["department"]).strip()
    if people.person_json(station, session, actor.person)["dept"] != department:
        raise Refused("not_of_department", person=actor.person, department=department)
    last = matters.steps_of(session, matter)[-1]
    said = matters.step_words(station, session, last)
    listed = [item for item in matters.items_of(session, matter) if item.state == "open"]
    short = {name for name in str(said.get("missing", "")).replace("、", ",").split(",") if name.strip()}
    found = [item for item in listed if item.object_id not in short]
    counted = str(said.get("counted", ""))
    agrees = counted == str(len(found)) and short <= {item.object_id for item in listed}
    if not agrees or bool(short) != (last.result == "short"):
        raise Refused("holdings_differ", matter=matter.id, listed=len(listed), counted=counted or "—")
    for item in listed:
        item.state, item.at = ("cleared" if item in found else "missing"), station.now()
    session.flush()
