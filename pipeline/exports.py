"""Export: an unmarked file leaves the station. Approved, with a named holder, and listed until it is back (000-I§7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..common.errors import NotThere, UsageFault
from ..common.files import write_new
from ..models.tables import Clear
from . import access, approvals
from .actors import Actor, acting
from .judgement import load_judgement, open_artefact
from .source_file import CLEAR
from .station import Station


def export_document(
    station: Station, actor: Actor, *, document: str, out: Path, searchable: bool = False
) -> dict[str, Any]:
    """Writes the original, byte for byte, to `out`.

    Raises:
        Refused: no approval of act `export`, clearance or circle. UsageFault: a searchable PDF is not yet built.
    """
    if searchable:
        raise UsageFault("not_yet_built", what="--searchable")
    with acting(station, actor, "documents.export", objects=(document,)) as session:
        row = access.get_document(session, document)
        access.check_read(station, session, actor, row)
        approval = approvals.require(station, session, act="export", rows=(row,), recipients=(actor.person,))
        data = open_artefact(station, session, document, "original")
        judgement = load_judgement(station, session, document)
        if data is None:
            raise NotThere("no_text", document=document, status=row.status)
        place = Clear(
            document_id=document, kind="export", at=station.now(), holder=actor.person,
            sealed=station.seal(session, CLEAR, {"path": str(out.absolute()), "size": len(data)}),
        )  # fmt: skip
        session.add(place)
        session.flush()
        digest = write_new(out, data)
        station.log(
            session, "documents.export", objects=(document, actor.person), person=actor.person,
            account=actor.user, rule=approval or "", facts={"export": place.id},
        )  # fmt: skip
        return {
            "document": document, "file": str(out), "sha256": digest, "export": place.id,
            "format": judgement.format if judgement else None, "approval": approval,
        }  # fmt: skip
