"""Recall 收回: what was handed out for a meeting or an occasion is collected, all of it and in time; what is short is
listed, and somebody else decides what is done about it (R-088, R-094).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.tables import Carrier, Copy, Matter, MatterItem
from ..desk import matters, movements, timers
from ..desk.movements import Hand, Thing
from ..papers.incidents import open_incident
from ..persons import access
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import lending
from .circulation import clear_goes_with
from .clearing import get, list_json

KIND = "recall"
OUT, BACK, SHORT = "open", "back", "short"
_OUT_COPIES, _OUT_ORIGINALS = ("issued", "recalled"), ("out", "lent")


def start(
    station: Station, actor: Actor, *, occasion: str, documents: Sequence[str] = (), objects: Sequence[str] = (),
    due: date | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Lists everything of these documents that is with readers (or these objects), and asks for it back.

    Args:
        occasion: the meeting, or why. due: the last day; without it the policy's term.

    Raises:
        UsageFault: nothing is out.
    """
    with acting(station, actor, "recall.start", objects=(*documents, *objects)) as session:
        things = [movements.find(session, one) for one in objects]
        for document in documents:
            access.get_document(session, document)
            things += session.scalars(
                select(Carrier)
                .where(Carrier.document_id == document, Carrier.state.in_(_OUT_ORIGINALS))
                .order_by(Carrier.id)
            ).all()
            things += session.scalars(
                select(Copy)
                .where(Copy.document_id == document, Copy.status.in_(_OUT_COPIES))
                .order_by(Copy.number)
            ).all()
        things = list({thing.id: thing for thing in things}.values())
        if not things:
            raise UsageFault("nothing_to_recall")
        for thing in things:
            if movements.state_of(thing) not in (*_OUT_COPIES, *_OUT_ORIGINALS):
                raise Refused("movement_state", object=thing.id, act="收回", state=movements.state_of(thing))
        items = [("copy" if isinstance(thing, Copy) else "carrier", thing.id) for thing in things]
        made = matters.start(station, session, actor, KIND, items=items, words={"occasion": occasion})
        for item, thing in zip(matters.items_of(session, made), things, strict=True):
            item.person = thing.holder
            if isinstance(thing, Copy) and thing.status == "issued" and "jiyao_clerk" in actor.roles:
                movements.move(station, session, actor, thing, "recall", Hand(matter=made.id))
        if due is not None:
            timers.begin(
                station, session, KIND, kind="matter", object_id=made.id, document=None, holder=None, due=due
            )
        return list_json(station, session, actor, made)


def back(
    station: Station, actor: Actor, *, matter: str, objects: Sequence[str], pages: int,
    place: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Objects of the list come back, each counted page by page; with the last one the list is closed.

    Raises:
        UsageFault: not on the list, or back already.
    """
    with acting(station, actor, "recall.back", objects=(matter, *objects)) as session:
        row = get(session, matter, KIND)
        for object_id in objects:
            item = _item(session, row, object_id)
            thing = movements.find(session, object_id)
            words = {"pages": str(pages)}
            if movements.state_of(thing) in (*_OUT_COPIES, *_OUT_ORIGINALS):
                hand = Hand(words=words, place=place, matter=row.id)
                movements.move(station, session, actor, thing, _act(session, thing), hand)
                clear_goes_with(session, thing, None)
            item.state, item.at = BACK, station.now()
            left = [one for one in matters.items_of(session, row) if one.state == OUT]
            said = {"item": object_id, "pages": pages}
            matters.advance(
                station, session, actor, row, step="collect", result="more" if left else "all", words=said
            )
        return list_json(station, session, actor, row)


def close(station: Station, actor: Actor, *, matter: str) -> dict[str, Any]:
    """The collecting ends: what is not back is short. Originals are missing from now on; each opens an incident."""
    with acting(station, actor, "recall.close", objects=(matter,)) as session:
        row = get(session, matter, KIND)
        short = [item for item in matters.items_of(session, row) if item.state == OUT]
        if not short:
            raise Refused("matter_closed", matter=matter, state=row.state)
        words = {"short": [item.object_id for item in short]}
        matters.advance(station, session, actor, row, step="collect", result="short", words=words)
        for item in short:
            thing = movements.find(session, item.object_id)
            if isinstance(thing, Carrier) and thing.state in _OUT_ORIGINALS:
                movements.move(station, session, actor, thing, "miss", Hand(matter=row.id))
            incident = open_incident(
                station,
                session,
                actor,
                "not_recalled",
                objects=(thing.id, row.id),
                document=thing.document_id,
            )
            item.state, item.at, item.facts = SHORT, station.now(), json.dumps({"incident": incident})
        return list_json(station, session, actor, row)


def settle(station: Station, actor: Actor, *, matter: str, decision: str) -> dict[str, Any]:
    """Another person decides what is done about what is short."""
    with acting(station, actor, "recall.settle", objects=(matter,)) as session:
        row = get(session, matter, KIND)
        matters.advance(station, session, actor, row, step="settle", words={"decision": decision})
        return list_json(station, session, actor, row)


def _item(session: Session, row: Matter, object_id: str) -> MatterItem:
    for item in matters.items_of(session, row):
        if item.object_id == object_id and item.state == OUT:
            return item
    left = [item.object_id for item in matters.items_of(session, row) if item.state == OUT]
    raise UsageFault("matter_each", item=object_id, items="、".join(left))


def _act(session: Session, thing: Thing) -> str:
    if isinstance(thing, Copy):
        return "read_back"
    return "read_back" if thing.state == "out" else lending.way_back(session, thing)
