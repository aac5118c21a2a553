"""`documents level`: what is proposed about a paper's level, and what the other person says to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import NotThere, UsageFault
from ...models.tables import Matter
from ...watermark.visible import level_mark
from ..desk import matters
from ..papers.documents import document_json
from ..persons import access
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import former, store_apart

_DECIDED = ("decide", "confirm", "agree")
"""Steps in which another person decides what was proposed."""
_ABOUT = "level_"


def propose(
    station: Station, actor: Actor, *, kind: str, document: str, words: Mapping[str, Any]
) -> dict[str, Any]:
    """Opens a matter about a document's level.

    Args:
        kind: `level_change`, `level_notice`, `level_suggestion`, `level_dispute`, `level_unclear`, `level_review`.
        words: what it asks for; empty ones are left out.

    Raises:
        Refused, UsageFault: as `matters.start` and the effects of its first step.
    """
    given = {name: text for name, text in words.items() if text}
    with acting(station, actor, "documents.level", objects=(document,)) as session:
        made = matters.start(station, session, actor, kind, document=document, words=given)
        return _json(station, session, actor, made)


def decide(
    station: Station,
    actor: Actor,
    *,
    document: str,
    result: str = "done",
    reason: str | None = None,
    matter: str | None = None,
) -> dict[str, Any]:
    """The other person's word on what was proposed: `done` or `refused`.

    Raises:
        NotThere: nothing waits for a decision. UsageFault: more than one thing does, and none was named.
        Refused: as `matters.advance`.
    """
    with acting(station, actor, "documents.level", objects=(document,)) as session:
        row = access.get_document(session, document)
        waiting = [
            one
            for one in session.scalars(
                select(Matter)
                .where(Matter.document_id == row.id, Matter.state == matters.OPEN)
                .order_by(Matter.id)
            )
            if one.kind.startswith(_ABOUT) and one.step in _DECIDED and matter in (None, one.id)
        ]
        if not waiting:
            raise NotThere("level_nothing_waits", document=document)
        if len(waiting) > 1:
            raise UsageFault(
                "level_which", document=document, matters="、".join(f"{one.id} {one.kind}" for one in waiting)
            )
        words = {"opinion": reason} if reason else {}
        done = matters.advance(station, session, actor, waiting[0], result=result, words=words)
        return _json(station, session, actor, done)


def _json(station: Station, session: Session, actor: Actor, matter: Matter) -> dict[str, Any]:
    session.flush()
    row = access.get_document(session, matter.document_id or "")
    now, before = former.marks_of(station, session, row)
    lifted = former.declassified_on(station, session, row)
    return {
        **document_json(station, session, row, actor=actor),
        "mark": {
            "now": level_mark(*now) if row.level_code else None,
            "former": [level_mark(*one) for one in before],
            "declassified": lifted.isoformat() if lifted else None,
        },
        "to_move": store_apart.waiting(session, row),
        "matter": matters.matter_json(station, session, matter, actor=actor, whole=True),
    }
