"""What has to move when a paper becomes 绝密: 绝密 is kept apart from everything else (002-A§1).

For every original the clock `store_apart` runs from the decision until it is put in its place (`carriers move place`).
The product knows places by name and does not judge them; a policy without the clock keeps no such list. The sealed
electronic files stay in the area of the level they came in at, each under its own key.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.level import Level
from ...models.tables import Carrier, Document, Timer
from ..desk import timers
from ..station.station import Station

CLOCK = "store_apart"
_HERE = ("held", "out", "lent", "carried", "transit", "archived")


def begin(station: Station, session: Session, row: Document, *, old: Level | None) -> None:
    """Starts the clock of every original of a paper that has just become 绝密."""
    if CLOCK not in station.policy.desk.clocks or old is Level.STATE_TOP:
        return
    if row.level_code != Level.STATE_TOP.code:
        return
    for thing in _originals(session, row):
        timers.begin(
            station, session, CLOCK, kind="carrier", object_id=thing.id, document=row, holder=thing.holder
        )


def waiting(session: Session, row: Document) -> list[dict[str, Any]]:
    """The originals that are to be put apart, where they are now."""
    running = set(
        session.scalars(
            select(Timer.object_id).where(
                Timer.document_id == row.id, Timer.clock == CLOCK, Timer.state == timers.RUNNING
            )
        )
    )
    return [
        {"object": thing.id, "state": thing.state, "holder": thing.holder, "place": thing.place}
        for thing in _originals(session, row)
        if thing.id in running
    ]


def _originals(session: Session, row: Document) -> list[Carrier]:
    return list(
        session.scalars(
            select(Carrier)
            .where(Carrier.document_id == row.id, Carrier.state.in_(_HERE))
            .order_by(Carrier.id)
        )
    )
