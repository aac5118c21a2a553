"""The reading record 知悉人员登记: everyone who came to know a paper of 机密 and above (TL art. 20; 003-L§10).

Written in the transaction of the act by which somebody came to know it; the ledger has every access at every level.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.paging import PAGE, cut
from ...models.rights import MAY
from ...models.tables import Reading
from ..station.station import Station
from . import access, people
from .actors import Actor, acting


def readers_of(
    station: Station, actor: Actor, *, document: str, limit: int = PAGE, after: str | None = None
) -> dict[str, Any]:
    """Everyone on the record of a document, in the order in which they came to know it; `after`: goes on behind the
    entry of this number.

    What for is shown to whom the document's words are shown.

    Raises:
        NotThere: no such document. Refused: not for the actor's roles.
    """
    with acting(station, actor, "documents.readers", objects=(document,)) as session:
        row = access.get_document(session, document)
        actor.role_for(MAY["documents.readers"])
        open_words = access.may_see_titles(station, actor, row)
        wanted = select(Reading).where(Reading.document_id == document).order_by(Reading.id)
        if after is not None:
            wanted = wanted.where(Reading.id > (int(after) if after.isdigit() else 0))
        rows, rest = cut(session.scalars(wanted.limit(limit + 1)).all(), limit, lambda one: str(one.id))
        station.log(
            session, "documents.readers", objects=(document,), person=actor.person, account=actor.user,
            facts={"readings": len(rows)},
        )  # fmt: skip
        persons = dict.fromkeys(row.person_id for row in rows)
        return {
            "document": document,
            "persons": list(persons),
            "readers": [
                {
                    "person": one.person_id, "name": people.name_of(station, session, one.person_id),
                    "act": one.act, "rule": one.rule, "at": one.at,
                    "purpose": _words(station, session, one) if open_words else None,
                }
                for one in rows
            ],
            **rest,
        }  # fmt: skip


def _words(station: Station, session: Session, row: Reading) -> str | None:
    if row.purpose_sealed is None:
        return None
    return str(station.unseal(session, access.PURPOSE, row.purpose_sealed, bind=row.document_id)["purpose"])
