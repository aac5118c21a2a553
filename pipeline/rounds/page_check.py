"""The check of pages when an original or copy comes back: counted page by page, irregularities reported (R-074).

A number that differs from the register's, or damage that somebody saw, opens an incident in the same transaction: while
it is open nothing of the paper is destroyed, and somebody else closes it with its conclusion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from ...common.errors import UsageFault
from ...models.tables import Document
from ..papers.incidents import open_incident
from ..persons.actors import Actor
from ..station.station import Station

KIND = "return_irregular"


def on_return(
    station: Station, session: Session, actor: Actor, object_id: str, document: Document | None,
    words: Mapping[str, Any],
) -> str | None:  # fmt: skip
    """Compares the counted pages with the register's; the incident it opened, or None.

    Args:
        words: `pages`, counted now; `irregular`, what else was seen.

    Raises:
        UsageFault: `pages` is no number.
    """
    said = str(words.get("pages", "")).strip()
    if not said.isdecimal():
        raise UsageFault("pages_number", pages=said)
    expected = document.pages if document is not None else 0
    fits = not expected or int(said) == expected
    if fits and not str(words.get("irregular", "")).strip():
        return None
    return open_incident(
        station, session, actor, KIND, objects=(object_id, *((document.id,) if document else ())),
        document=document.id if document else None,
    )  # fmt: skip
