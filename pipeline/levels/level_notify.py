"""Notices of a change 变更通知: everyone in the circle and every holder is told in writing (BMF art. 23).

A matter of its own, open until each has signed: each person signs with the own key, or the desk takes down the signed
slip. What lies with another organ is told to that organ, for which its original stands on the list.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.tables import Carrier, Copy, Document, Matter
from ..desk import matters
from ..persons import access, people
from ..persons.actors import Actor
from ..station.station import Station

KIND = "level_notify"
_HELD_COPIES = ("issued", "recalled")
_HELD_ORIGINALS = ("held", "out", "lent", "carried", "transit", "archived")


def open_notice(
    station: Station,
    session: Session,
    actor: Actor,
    row: Document,
    *,
    cause: str,
    change: str,
    also: Sequence[str] = (),
) -> Matter | None:
    """Lists whom to tell and opens the matter; None where nobody has to be told, or the policy has no notices.

    Args:
        cause: the matter that decided the change. also: persons who are in the circle no more.
    """
    if KIND not in station.policy.desk.matters:
        return None
    circle = access.circle_of(session, row.id)
    held = _held(session, row)
    members = sorted({*circle, *also, *held})
    away = session.scalars(
        select(Carrier.id)
        .where(Carrier.document_id == row.id, Carrier.state == "handed_over")
        .order_by(Carrier.id)
    ).all()
    if not members and not away:
        return None
    items = [("person", person) for person in members] + [("carrier", carrier) for carrier in away]
    made = matters.start(
        station, session, actor, KIND, document=row.id, items=items, words={"change": change, "cause": cause}
    )
    level = access.protected_as(station.policy, row)
    for item in matters.items_of(session, made):
        if item.object_kind != "person":
            continue
        knows = access.reaches(station.policy, people.clearance_of(session, item.object_id), level)
        outside = bool(circle) and item.object_id not in circle
        facts = {"holds": held.get(item.object_id, [])}
        # who may not know it any more gives back what he or she has
        item.facts = json.dumps({**facts, "recall": bool(facts["holds"]) and (outside or not knows)})
    session.flush()
    return made


def _held(session: Session, row: Document) -> dict[str, list[str]]:
    """Person -> what he or she holds of the document."""
    found: dict[str, list[str]] = {}
    copies = session.execute(
        select(Copy.holder, Copy.id).where(Copy.document_id == row.id, Copy.status.in_(_HELD_COPIES))
    )
    originals = session.execute(
        select(Carrier.holder, Carrier.id).where(
            Carrier.document_id == row.id, Carrier.state.in_(_HELD_ORIGINALS)
        )
    )
    for holder, thing in sorted((*copies, *originals), key=lambda one: str(one[1])):
        if holder:
            found.setdefault(holder, []).append(thing)
    return found
