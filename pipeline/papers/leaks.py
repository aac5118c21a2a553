"""失泄密处置: a leak or its suspicion is reported at once, remedied, reported upwards, concluded by a leader (001-E§16;
002-B§5.3; TL art. 61; R-173 … R-175).

A matter `leak` goes with its incident: one that is open already (a search in vain, a lost copy), or one it opens. While
it is open nobody closes the incident by itself, and the matter ends by its steps alone.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from ...common.errors import NotThere, Refused
from ...models.level import Level
from ...models.tables import Document, Incident, Matter, MatterItem
from ..desk import matters
from ..persons.actors import Actor
from ..station.station import Station
from .incidents import WORDS, open_incident

KIND = "leak"


def open_leak(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """The incident it is about: as named (`incident:I…`), else a new one.

    Raises:
        NotThere: no such incident. Refused: closed already.
    """
    named = _incidents(session, matter)
    for name in named:
        row = session.get(Incident, name)
        if row is None:
            raise NotThere("no_incident", incident=name)
        if row.state != "open":
            raise Refused("incident_closed", incident=name)
    if not named:
        document = session.get(Document, matter.document_id) if matter.document_id else None
        level = Level.parse(document.level_code) if document is not None and document.level_code else None
        opened = open_incident(
            station, session, actor, KIND, objects=(matter.id,), document=matter.document_id, level=level
        )
        seq = len(matters.items_of(session, matter)) + 1
        session.add(MatterItem(matter_id=matter.id, seq=seq, object_kind="incident", object_id=opened))
        session.flush()


def close_leak(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """The conclusion closes the incident with it."""
    words = matters.words_of(station, session, matter)
    for name in _incidents(session, matter):
        row = session.get_one(Incident, name)
        if row.state != "open":
            continue
        row.state = "closed"
        known = station.unseal(session, WORDS, row.sealed, bind=row.id) if row.sealed else {}
        told = {"reason": str(words["conclusion"]), "matter": matter.id}
        row.sealed = station.seal(session, WORDS, {**known, "conclusion": told}, bind=row.id)
        station.log(
            session, "incident.close", objects=(name, matter.id), person=actor.person, account=actor.user,
            rule=matter.id,
        )  # fmt: skip
    session.flush()


def _incidents(session: Session, matter: Matter) -> list[str]:
    return [item.object_id for item in matters.items_of(session, matter) if item.object_kind == "incident"]
