"""What opens by itself once a time has passed: an incident, where the clock's rule names one (`late`).

A shift that did not acknowledge a telegram (R-096), a telegram that is not handled in time (R-100), an original or copy
that a search did not find (R-174). Nothing runs in the background: whoever looks at what is due, late, out or amiss
lets time take effect first, and an incident bears the time at which the term ended.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import iso
from ...models.level import Level
from ...models.tables import Document, Timer
from ..papers.incidents import open_incident
from ..station.station import Station
from . import timers


def open_late(station: Station, session: Session) -> list[str]:
    """Opens the incident of every running clock whose time has passed and that has none yet; their numbers."""
    kinds = _kinds(station)
    if not kinds:
        return []
    wanted = select(Timer).where(
        Timer.state == timers.RUNNING, Timer.due < iso(station.clock.now()), Timer.clock.in_(kinds),
        Timer.incident_id.is_(None),
    )  # fmt: skip
    return [open_for(station, session, timer) for timer in session.scalars(wanted.order_by(Timer.due)).all()]


def open_for(station: Station, session: Session, timer: Timer) -> str:
    """Opens the incident of a clock that is late, of the kind that its rule names."""
    document = session.get(Document, timer.document_id) if timer.document_id else None
    incident = open_incident(
        station, session, None, _kinds(station)[timer.clock], objects=(timer.object_id,),
        document=timer.document_id, copy=timer.object_id if timer.object_kind == "copy" else None,
        level=Level.parse(document.level_code) if document is not None and document.level_code else None,
        at=timer.due,
    )  # fmt: skip
    timer.incident_id = incident
    session.flush()
    return incident


def _kinds(station: Station) -> dict[str, str]:
    """Clocks that open an incident -> its kind."""
    return {rule.id: rule.late for rule in station.policy.desk.clocks.values() if rule.late}
