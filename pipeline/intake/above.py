"""A paper above the station's level: only the fact, its level and the time stay, and an incident opens (R-021).

What an earlier reading had left of it goes at once: no copy of the key store opens its files any more. That is no
destruction of the paper, which stays with the room and is handed on; so it needs no protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ...models.level import Level
from ...models.tables import Artefact, Clear, Document, Event, Scan
from ..learning import station_model
from ..papers.documents import keep_words
from ..papers.incidents import open_incident
from ..persons.actors import Actor
from ..station.station import Station
from . import passages

KIND = "above_station_level"
"""Of the incident; the code of the refusal, too."""


def open_above(station: Station, session: Session, actor: Actor, document: str, level: Level) -> str:
    """Opens the incident; its number."""
    return open_incident(station, session, actor, KIND, objects=(document,), document=document, level=level)


@contextmanager
def keys_going(station: Station, slots: Collection[str]) -> Iterator[Callable[[Session], None]]:
    """Around a transaction that lets keys go, which calls what this gives; with no slots there is nothing to do.

    Afterwards no copy of the key store opens what these keys sealed, and the sealed files are erased. A model that was
    made of a document of these keys goes with them.
    """
    if not slots:
        yield lambda _session: None
        return
    vault, rewritten = station.vault, list[Any]()

    def rewrite(session: Session) -> None:
        station_model.put_out_of_use(station, session, learnt, by=documents[0])
        rewritten.append(vault.rewrite(session, [*slots, *learnt]))

    with vault.rotating():
        with station.read() as session:
            vault.stage_root(session)
            documents = list(session.scalars(select(Document.id).where(Document.key_slot.in_(slots))))
            learnt = station_model.slots_of(session, documents)
        yield rewrite
        with station.read() as session:
            vault.check(session, rewritten[0])
        with station.read() as session:
            vault.recover(session)
    station_model.erase_left(station)
    station.sweep_orphans()


def wipe(station: Station, session: Session, row: Document) -> None:
    """Takes all that was read of a paper out of its row and from what hangs on it; to be called inside `keys_going`."""
    keep_words(station, session, row, {})
    for table in (Clear, Scan, Artefact):
        session.execute(delete(table).where(table.document_id == row.id))
    session.execute(delete(Event).where(Event.document_id == row.id, Event.act != "problem"))
    passages.forget(session, [row.id])
    row.key_slot = row.paper_tag = None
    row.kind = row.signed_date = row.urgency = row.origin = row.important = None
    row.interim_code = row.read_level_code = row.suggested_level_code = row.suggested_retention = None
    row.period = row.secrecy_until = row.retention = row.retention_until = None
    row.secrecy_from = row.secrecy_from_rule = row.declassified_mark_on = row.notified_date = None
    row.retention_event, row.retention_event_on, row.retention_open = None, None, False
    row.appraised_at = row.appraised_by = None
    row.pages, row.overlays, row.confidence_percent = 0, "", 0
    row.level_basis, row.confirmed = "none", False
