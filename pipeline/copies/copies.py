"""Copies: followed from hand to hand until they are back (R-057, R-060, R-069). How they are made: `issuing.py`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import NotThere, Refused
from ...common.paging import PAGE, cut
from ...models.rights import LEADERS, STAFF
from ...models.tables import COPY_OUT, Clear, Copy
from ..desk import movements
from ..papers.incidents import open_incident
from ..persons import access, four_eyes, people
from ..persons.actors import Actor, acting
from ..station.station import Station
from .issuing import Sink, issue

OPEN = ("issued", "recalled")


def list_copies(
    station: Station,
    actor: Actor,
    *,
    document: str | None = None,
    holder: str | None = None,
    overdue: bool = False,
    limit: int = PAGE,
    after: str | None = None,
) -> dict[str, Any]:
    """Issued copies; a reader sees his own. `after`: goes on behind this copy.

    Raises:
        NotThere: no such document, holder or copy.
    """
    day = today(station.clock).isoformat()
    with station.read() as session:
        wanted = select(Copy).order_by(Copy.document_id, Copy.number).limit(limit + 1)
        if after:
            row = session.get(Copy, after)
            if row is None:
                raise NotThere("no_copy", copy=after)
            wanted = wanted.where(tuple_(Copy.document_id, Copy.number) > tuple_(row.document_id, row.number))
        if document:
            access.get_document(session, document)
            wanted = wanted.where(Copy.document_id == document)
        if holder:
            wanted = wanted.where(Copy.holder == people.find_person(station, session, holder))
        if overdue:
            wanted = wanted.where(Copy.due < day, COPY_OUT)
        if not actor.roles & (STAFF | LEADERS):
            wanted = wanted.where(Copy.holder == actor.person)
        rows, rest = cut(session.scalars(wanted).all(), limit, lambda row: row.id)
        return {"copies": [copy_json(row) for row in rows], **rest}


def return_copies(station: Station, actor: Actor, *, copies: Sequence[str]) -> dict[str, Any]:
    """Takes copies back into the room, counted one by one. The written file counts as handed in with its copy."""
    return _change(station, actor, copies, "copies.return", "return", (*OPEN, "lost"))


def recall_copies(station: Station, actor: Actor, *, copies: Sequence[str]) -> dict[str, Any]:
    """Asks holders to bring copies back."""
    return _change(station, actor, copies, "copies.recall", "recall", ("issued",))


def forward_copies(
    station: Station, actor: Actor, *, copies: Sequence[str], to: str, due: date | None = None
) -> dict[str, Any]:
    """Hands a copy that is out on to another person, through the room: both are in the circle and cleared.

    Raises:
        Refused: not out, approval of act `distribute` missing for the new holder, clearance or circle.
    """
    with acting(station, actor, "copies.forward", objects=tuple(copies)) as session:
        taker = people.find_person(station, session, to)
        moved = []
        for copy in copies:
            row = _open_copy(session, copy, OPEN)
            four_eyes.apart(session, taker, None, [(row.holder, None)], since=station.now())
            movements.move(station, session, actor, row, "forward", movements.Hand(taker=taker, due=due))
            for place in session.scalars(
                select(Clear).where(Clear.copy_id == copy, Clear.state == "outstanding")
            ):
                place.holder = taker
            moved.append(row)
        station.log(
            session, "copies.forward", objects=(*copies, taker), person=actor.person, account=actor.user
        )
        return {"copies": [copy_json(row) for row in moved]}


def lose_copy(station: Station, actor: Actor, *, copy: str, reason: str) -> dict[str, Any]:
    """Declares a copy lost; an incident opens at once (R-104, R-175)."""
    why = station.reason(reason)
    with acting(station, actor, "copies.lost", objects=(copy,)) as session:
        row = _open_copy(session, copy, OPEN)
        movements.move(station, session, actor, row, "lose")
        incident = open_incident(
            station, session, actor, "copy_lost", objects=(row.document_id, copy), document=row.document_id,
            copy=copy, why=why, act="copies.lost",
        )  # fmt: skip
        return {"copies": [copy_json(row)], "incident": incident}


def replace_copy(station: Station, actor: Actor, *, copy: str, reason: str, sink: Sink) -> dict[str, Any]:
    """Issues a new copy, with a new number, for one that is returned or lost.

    Raises:
        Refused: the old one is still out, or was replaced already.
    """
    why = station.reason(reason)
    with acting(station, actor, "copies.replace", objects=(copy,)) as session:
        old = _open_copy(session, copy, ("returned", "lost"))
        if old.replaced_by:
            raise Refused("copy_state", copy=copy, state=f"{old.status} → {old.replaced_by}")
        document, person = old.document_id, old.recipient
    answer = issue(station, actor, document=document, to=(person,), sink=sink)
    with acting(station, actor, "copies.replace", objects=(copy,)) as session:
        old = _open_copy(session, copy, ("returned", "lost"))
        old.replaced_by = answer["copies"][0]["copy"]
        if old.status == "returned":
            movements.move(station, session, actor, old, "replace")
        station.log(
            session, "copies.replace", objects=(document, copy, old.replaced_by), person=actor.person,
            account=actor.user, reason=why,
        )  # fmt: skip
    return {**answer, "replaces": copy}


def copy_json(row: Copy) -> dict[str, Any]:
    """A copy as the command line shows it."""
    return {
        "copy": row.id, "document": row.document_id, "number": row.number, "recipient": row.recipient,
        "holder": None if row.sent_in else row.holder, "sent_in": row.sent_in, "status": row.status,
        "issued_at": row.issued_at, "due": row.due,
        "forensic_id": f"{row.forensic_id:012x}", "replaced_by": row.replaced_by,
    }  # fmt: skip


def _change(
    station: Station,
    actor: Actor,
    copies: Sequence[str],
    act: str,
    move: str,
    before: tuple[str, ...],
) -> dict[str, Any]:
    with acting(station, actor, act, objects=tuple(copies)) as session:
        changed = []
        for copy in copies:
            row = _open_copy(session, copy, before)
            if not actor.roles & STAFF and (row.sent_in or row.holder != actor.person):
                raise Refused("not_your_copy", copy=copy)
            movements.move(station, session, actor, row, move)
            if row.status == "returned":
                _file_returned(session, copy)
            changed.append(row)
        station.log(session, act, objects=tuple(copies), person=actor.person, account=actor.user)
        return {"copies": [copy_json(row) for row in changed]}


def _file_returned(session: Session, copy: str) -> None:
    for place in session.scalars(select(Clear).where(Clear.copy_id == copy, Clear.state == "outstanding")):
        place.state = "returned"


def _open_copy(session: Session, copy: str, states: tuple[str, ...]) -> Copy:
    row = session.get(Copy, copy)
    if row is None:
        raise NotThere("no_copy", copy=copy)
    if row.status not in states:
        raise Refused("copy_state", copy=copy, state=row.status)
    return row
