"""Over night outside the room: refused, or in a named cabinet by approval, as the unit chose (C-14; R-084).

What is read on the spot never stays out. Elsewhere the choice `overnight_outside_room` decides: `deny`, or
`cabinet_by_approval`, where the matter `overnight` names cabinet and last night, asked by one, approved by another.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import Refused, UsageFault
from ...models.level import Family
from ...models.tables import Carrier, Copy, Document, Matter, MatterItem
from ..desk import matters
from ..persons import access, subjects
from ..persons.actors import Actor
from ..station.station import Station

KIND = "overnight"
_IN_HANDS = ("out", "lent")
_OPEN_FAMILIES = (Family.INTERNAL, Family.PUBLIC)


def must_be_back(station: Station, session: Session, thing: Carrier | Copy, kept: Mapping[str, str]) -> bool:
    """Whether an object that is out now has to be back before the room closes.

    Originals of any secret level are meant; of issued copies, whose numbered holders keep them, those that are read
    on the spot. Who travels with a paper by approval has it with him.

    Args:
        kept: as `in_cabinets` gives it.
    """
    document = session.get(Document, thing.document_id) if thing.document_id else None
    if document is None:
        return False
    if isinstance(thing, Carrier) and thing.state not in _IN_HANDS:
        return False
    if subjects.as_read(station.policy, document):
        return True
    if isinstance(thing, Copy) or access.protected_as(station.policy, document).family in _OPEN_FAMILIES:
        return False
    return thing.id not in kept


def in_cabinets(station: Station, session: Session) -> dict[str, str]:
    """Objects that may stay out tonight -> the matter that allows it; empty where the unit denies it."""
    if station.policy.choices.get("overnight_outside_room") != "cabinet_by_approval":
        return {}
    day = today(station.clock).isoformat()
    rows = session.execute(
        select(MatterItem.object_id, Matter.id)
        .join(Matter, Matter.id == MatterItem.matter_id)
        .where(Matter.kind == KIND, Matter.state == matters.CLOSED, MatterItem.due >= day)
    )
    return {str(thing): str(matter) for thing, matter in rows}


def check_ask(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """Whether it may be asked for at all; writes the last night beside each object.

    Raises:
        Refused: the unit denies it, or the paper is read on the spot. UsageFault: no objects, no date.
    """
    if station.policy.choices.get("overnight_outside_room") != "cabinet_by_approval":
        raise Refused("overnight_denied")
    said = str(matters.words_of(station, session, matter).get("until", ""))
    try:
        until = date.fromisoformat(said)
    except ValueError:
        raise UsageFault("bad_date", date=said) from None
    if until < today(station.clock):
        raise Refused("date_past", date=said)
    items = matters.items_of(session, matter)
    if not items:
        raise UsageFault("usage_missing", name="--item")
    for item in items:
        carrier = session.get(Carrier, item.object_id)
        document = session.get(Document, carrier.document_id) if carrier and carrier.document_id else None
        if document is None:
            raise UsageFault("matter_item", item=item.object_id, kinds="carrier")
        if subjects.as_read(station.policy, document):
            raise Refused("overnight_as_read", document=document.id)
        item.due = until.isoformat()
