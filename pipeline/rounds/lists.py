"""Lists by which things go together (clearing, recall, filing) looked at: one, or those of a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from ...common.paging import HEAVY
from ...models.tables import Matter
from ..desk import matter_pages
from ..papers import filing
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import clearing, recall

_DRAWN: Mapping[str, Callable[[Station, Session, Actor, Matter], dict[str, Any]]] = {
    clearing.KIND: clearing.list_json,
    recall.KIND: clearing.list_json,
    filing.KIND: filing.list_json,
}
"""Kind of matter -> the list as the command line shows it."""
_ACTS = {filing.KIND: "filing.show"}


def show(station: Station, actor: Actor, *, kind: str, matter: str) -> dict[str, Any]:
    """One list.

    Raises:
        NotThere: no list of this kind.
    """
    with acting(station, actor, _ACTS.get(kind, f"{kind}.show"), objects=(matter,)) as session:
        return _DRAWN[kind](station, session, actor, clearing.get(session, matter, kind))


def list_lists(
    station: Station, actor: Actor, *, kind: str, ended: bool = False, limit: int = HEAVY,
    after: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Lists under way, or all; `after`: goes on behind this one."""
    with station.read() as session:
        rows, rest = matter_pages.of_kind(session, kind, ended=ended, limit=limit, after=after)
        with matter_pages.at_hand(session, rows):
            return {"lists": [_DRAWN[kind](station, session, actor, row) for row in rows], **rest}
