"""Export: an unmarked file leaves the station. Approved, with a named holder, and listed until it is back (000-I§7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..common.errors import JiyaoError, NotThere, UsageFault
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

    The place is in the register before the file is: killed in between, a file in clear is never unknown.

    Raises:
        Refused: no approval of act `export`, clearance or circle; the file exists already. OSError: the disk.
        UsageFault: a searchable PDF is not yet built.
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
        export, kind = place.id, judgement.format if judgement else None
        station.log(
            session, "documents.export", objects=(document, actor.person), person=actor.person,
            account=actor.user, rule=approval or "", facts={"export": place.id},
        )  # fmt: skip
    try:
        digest = write_new(out, data)
    except (JiyaoError, OSError):
        with acting(station, actor, "documents.export", objects=(document,)) as session:
            place = session.get_one(Clear, export)
            place.state, place.grade = "erased", "absent"
            station.log(
                session, "documents.export", objects=(document,), person=actor.person, account=actor.user,
                result="failed", rule="file_exists" if out.exists() else "disk_full", facts={"export": export},
            )  # fmt: skip
        raise
    return {
        "document": document, "file": str(out), "sha256": digest, "export": export, "format": kind,
        "approval": approval,
    }  # fmt: skip
