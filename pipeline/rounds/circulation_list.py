"""Circulation lists as they are looked at: who has read, who has it, who comes next."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ...common.errors import NotThere, Refused
from ...common.paging import HEAVY
from ...models.tables import Document, Matter, MatterItem, Timer
from ..desk import matter_pages, matters, movements, timers
from ..desk.custody import SEE_ALL
from ..desk.movements import Thing
from ..persons import people, subjects
from ..persons.actors import Actor, acting
from ..station.station import Station

KIND = "circulation"
LIST_CLOCK = "circulation_list"
WAITING, GIVEN, RECEIVED, READ, SKIPPED = "open", "given", "received", "read", "skipped"


def show(station: Station, actor: Actor, *, matter: str) -> dict[str, Any]:
    """One list: who has read, who has it, who comes next.

    Raises:
        Refused: a reader who is not on it.
    """
    with acting(station, actor, "circulate.show", objects=(matter,)) as session:
        row = matter_of(session, matter)
        _may_look(session, actor, row)
        return list_json(station, session, row)


def list_open(
    station: Station, actor: Actor, *, document: str | None = None, ended: bool = False, limit: int = HEAVY,
    after: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Lists under way; a reader sees those he is on. `after`: goes on behind this one."""
    only: list[ColumnElement[bool]] = []
    if document is not None:
        only.append(Matter.document_id == document)
    if not actor.roles & SEE_ALL:
        mine = select(MatterItem.matter_id).where(
            MatterItem.object_kind == "person", MatterItem.object_id == actor.person
        )
        only.append(Matter.id.in_(mine))
    with station.read() as session:
        rows, rest = matter_pages.of_kind(
            session, KIND, ended=ended, limit=limit, after=after, only=tuple(only)
        )
        with matter_pages.at_hand(session, rows):
            return {"circulations": [list_json(station, session, row) for row in rows], **rest}


def matter_of(session: Session, matter: str) -> Matter:
    """The matter of a list.

    Raises:
        NotThere: it is none.
    """
    row = matters.get_matter(session, matter)
    if row.kind != KIND:
        raise NotThere("no_circulation", matter=matter)
    return row


def thing_of(session: Session, row: Matter) -> Thing:
    """The original or copy that goes round."""
    named = next(item for item in matters.items_of(session, row) if item.object_kind != "person")
    return movements.find(session, named.object_id)


def readers_of(session: Session, row: Matter) -> list[MatterItem]:
    """The readers, in order."""
    return [item for item in matters.items_of(session, row) if item.object_kind == "person"]


def _may_look(session: Session, actor: Actor, row: Matter) -> None:
    if actor.roles & SEE_ALL or actor.person in {item.object_id for item in readers_of(session, row)}:
        return
    raise Refused("not_the_reader", matter=row.id, person=actor.person)


def list_json(station: Station, session: Session, row: Matter) -> dict[str, Any]:
    """A list as the command line shows it."""
    session.flush()
    thing = thing_of(session, row)
    document = session.get_one(Document, str(row.document_id))
    timer = session.scalars(
        select(Timer).where(Timer.object_id == row.id, Timer.clock == LIST_CLOCK).order_by(Timer.id.desc())
    ).first()
    return {
        "matter": row.id, "document": row.document_id, "object": thing.id, "state": row.state, "step": row.step,
        "holder": thing.holder, "due": timers.last_day(timer).isoformat() if timer is not None else None,
        "as_read": subjects.as_read(station.policy, document),
        "readers": [
            {
                "seq": place, "person": item.object_id, "name": people.name_of(station, session, item.object_id),
                "state": item.state, "due": item.due, "back": item.at if item.state == READ else None,
                **{
                    name: json.loads(item.facts).get(name)
                    for name in ("given", "received", "paper", "pages", "keeper", "place")
                },
            }
            for place, item in enumerate(readers_of(session, row), start=1)
        ],
    }  # fmt: skip
