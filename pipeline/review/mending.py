"""Mistakes: a register field put right, an entry declared void. Old values stay on record, numbers are never reused.

What an entry says of level, period or dates is not put right by one person: it goes back into review, where another
accepts it. Two persons declare an entry void; its original must have gone somewhere first: to another entry, or back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.level import Level
from ...models.rights import MAY
from ...models.tables import Carrier, Copy, Document, Matter, MatterItem
from ..desk import matters
from ..intake import carriers
from ..intake.register_entry import remember
from ..papers.documents import document_json
from ..persons import access
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import review

KIND = "void_entry"
_KEPT = ("registered", "archived", "handed_over")
_LEVEL_WORDS = ("level", "period")
AMENDED = "amended"
"""What an entry's record says once for each time that it was put right."""


def amend(
    station: Station, actor: Actor, *, document: str, fields: Mapping[str, str], reason: str
) -> dict[str, Any]:
    """Puts register fields of a confirmed entry right.

    Titles, organs, numbers, serials, signers and the like are put right at once by the desk. A level, a period or a
    date sends the entry back into review; a level or period is then accepted by another person (BMF art. 16).

    Raises:
        UsageFault: nothing to amend, unknown field or value. Refused: not a confirmed entry, role, a read mark.
    """
    if not fields:
        raise UsageFault("nothing_to_set")
    weighty = {name: value for name, value in fields.items() if name in _LEVEL_WORDS or name in review.TIMED}
    if weighty:
        plain = {name: value for name, value in fields.items() if name not in _LEVEL_WORDS}
        level = fields.get("level")
        return review.set_values(
            station, actor, document=document, reason=reason, fields=plain or None, period=fields.get("period"),
            level=_level(level) if level is not None else None,
        )  # fmt: skip
    why = station.reason(reason)
    with acting(station, actor, "documents.amend", objects=(document,)) as session:
        actor.role_for(MAY["review.field"])
        row = access.get_document(session, document)
        access.check_clearance(station, session, actor.person, row)
        if row.status not in _KEPT:
            raise Refused("not_amendable", document=document, status=row.status)
        review.set_fields(station, session, actor, row, fields, why)
        remember(station, session, row, actor.person, "set", AMENDED, why.sealed_form)
        station.log(
            session, "documents.amend", objects=(document,), person=actor.person, account=actor.user, reason=why,
            facts={"fields": [*sorted(fields)]},
        )  # fmt: skip
        return document_json(station, session, row, actor=actor)


def void(
    station: Station, actor: Actor, *, document: str, reason: str, replaced_by: str | None = None
) -> dict[str, Any]:
    """The first call asks for an entry to be void, another person's call makes it so.

    Args:
        replaced_by: the entry that its originals belong to.

    Raises:
        Refused: `void_copies`, `void_originals`, destroyed or void already, the same person twice.
    """
    with acting(station, actor, "documents.void", objects=(document,)) as session:
        row = access.get_document(session, document)
        access.check_clearance(station, session, actor.person, row)
        open_one = session.scalars(
            select(Matter).where(
                Matter.kind == KIND, Matter.document_id == document, Matter.state == matters.OPEN
            )
        ).first()
        if open_one is None:
            _check(station, session, row, replaced_by)
            items = (("document", replaced_by),) if replaced_by else ()
            open_one = matters.start(
                station, session, actor, KIND, document=document, items=items, words={"reason": reason}
            )
        else:
            matters.advance(station, session, actor, open_one, words={"seconded": reason})
        return {**document_json(station, session, row, actor=actor), "matter": open_one.id}


def make_void(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """The effect of the second person's word: the row is void, its originals go to the entry that replaces it."""
    row = access.get_document(session, matter.document_id or "")
    other = session.scalars(
        select(MatterItem.object_id).where(
            MatterItem.matter_id == matter.id, MatterItem.object_kind == "document"
        )
    ).first()
    _check(station, session, row, other)
    if other is not None:
        for carrier in session.scalars(select(Carrier).where(Carrier.document_id == row.id)):
            carrier.document_id = other
    carriers.void(station, session, actor, row, replaced_by=(other,) if other else (), act="documents.void")
    station.log(
        session, "documents.void", objects=tuple(filter(None, (row.id, other, matter.id))), person=actor.person,
        account=actor.user,
    )  # fmt: skip


def _check(station: Station, session: Session, row: Document, replaced_by: str | None) -> None:
    if row.status in ("void", "destroyed", "refused"):
        raise Refused("not_amendable", document=row.id, status=row.status)
    matters.check_free(station, session, row.id, "documents.void")
    issued = session.scalars(
        select(Copy.id).where(Copy.document_id == row.id, Copy.status.in_(("issued", "recalled", "lost")))
    ).first()
    if issued is not None:
        raise Refused("void_copies", document=row.id, copy=issued)
    if replaced_by is not None:
        if replaced_by == row.id:
            raise UsageFault("void_itself", document=row.id)
        other = access.get_document(session, replaced_by)
        if other.status in ("void", "destroyed", "refused"):
            raise Refused("not_amendable", document=other.id, status=other.status)
        return
    held = session.scalars(
        select(Carrier.id).where(
            Carrier.document_id == row.id, Carrier.state.not_in(("returned", "handed_over", "destroyed"))
        )
    ).first()
    if held is not None:
        raise Refused("void_originals", document=row.id, carrier=held)


def _level(text: str) -> Level:
    try:
        return Level.parse(text)
    except ValueError:
        raise UsageFault(
            "unknown_level", level=text, levels="、".join(f"{item.value} {item.code}" for item in Level)
        ) from None
