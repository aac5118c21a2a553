"""What holds up a paper's level: the sources it draws on, and its parts (TL art. 18; 1990 marking rules art. 8).

The unit's own paper is not lowered, or declassified, below them; they are changed first, each by its own procedure.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused
from ...models.level import Level
from ...models.tables import Document, Event
from ..intake.sources import WORD as SOURCES
from ..papers.documents import words_of
from ..persons import four_eyes
from ..station.station import Station
from . import former
from .terms import EVENT

_GONE = ("void", "refused")


def check_floor(station: Station, session: Session, row: Document, level: Level | None) -> None:
    """Nothing that the paper rests on stands above the level; None: the paper is to be declassified.

    Raises:
        Refused: `source_above`, `part_above`.
    """
    rank = station.policy.rank
    for code, other in _under(station, session, row):
        if other.status in _GONE or not other.level_code:
            continue
        if former.declassified_on(station, session, other) is not None:
            continue
        standing = Level.parse(other.level_code)
        own = level or Level.INTERNAL
        if rank(standing) > rank(own) and rank(standing) > rank(Level.INTERNAL):
            raise Refused(code, document=row.id, source=other.id, level=own.value)


def check_hands(station: Station, session: Session, row: Document, persons: tuple[str, ...]) -> None:
    """Who wrote down that the paper is the unit's own has no part in deciding on its level.

    Raises:
        Refused: `same_person_twice`, `delegated_hand`.
    """
    role = four_eyes.acts("review.level", "review.determine")
    for event in session.scalars(
        select(Event).where(Event.document_id == row.id, Event.what == "field").order_by(Event.id.desc())
    ):
        words = station.unseal(session, EVENT, event.sealed, bind=row.id)
        if words.get("field") != "origin" or words.get("old") == words.get("new"):
            continue
        entered = four_eyes.acts("amend", "review.field")
        for person in persons:
            four_eyes.apart(session, person, role, [(str(event.person), entered)], since=event.at)
        return


def _under(station: Station, session: Session, row: Document) -> Iterator[tuple[str, Document]]:
    for source, _how in words_of(station, session, row).get(SOURCES) or ():
        found = session.get(Document, source)
        if found is not None:
            yield "source_above", found
    for part in session.scalars(select(Document).where(Document.parent_id == row.id)):
        yield "part_above", part
