"""Appraisal 鉴定: the archivist's word that an expired file may go (档案法实施条例 art. 24)."""

from __future__ import annotations

from typing import Any

from ...common.errors import Refused
from ..intake.register_entry import remember
from ..persons import access
from ..persons.actors import Actor, acting
from ..station.station import Station
from .documents import document_json


def appraise(station: Station, actor: Actor, *, document: str, reason: str) -> dict[str, Any]:
    """Records that the document was appraised as having no further value.

    It counts once the retention has ended, and until the retention is changed; 永久 stays blocked all the same.

    Raises:
        Refused: its retention is not confirmed, or it is gone.
    """
    why = station.reason(reason)
    with acting(station, actor, "documents.appraise", objects=(document,)) as session:
        row = access.get_document(session, document)
        if row.status == "destroyed":
            raise Refused("already_destroyed", document=document)
        access.check_clearance(station, session, actor.person, row)
        if not row.confirmed or row.retention is None:
            raise Refused("not_confirmed", document=document)
        if row.retention_open:
            raise Refused("retention_open", document=document)
        row.appraised_at, row.appraised_by = station.now(), actor.person
        remember(station, session, row, actor.person, "appraise", "retention", why.sealed_form)
        station.log(
            session,
            "documents.appraise",
            objects=(document,),
            person=actor.person,
            account=actor.user,
            reason=why,
        )
        return document_json(station, session, row, actor=actor)
