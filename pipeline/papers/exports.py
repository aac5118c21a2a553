"""Export: an unmarked file leaves the station. Approved, with a named holder, and listed until it is back (000-I§7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...common.errors import JiyaoError, NotThere
from ...common.files import write_new
from ...models.page import Transcript
from ...models.tables import Clear
from ...models.wire import to_plain
from ..intake.carrier_scans import open_scan, read_scan
from ..intake.executor import Job, LocalExecutor
from ..intake.judgement import load_judgement, load_transcript, open_artefact
from ..intake.source_file import CLEAR
from ..persons import access, approvals
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import release_record


def export_document(
    station: Station,
    actor: Actor,
    *,
    document: str,
    out: Path,
    searchable: bool = False,
    carrier: str | None = None,
) -> dict[str, Any]:
    """Writes the original, byte for byte, to `out`; or, `searchable`, a PDF of it that holds the text that was read.

    `carrier`: the scan of this numbered original in its place, by the carrier's number or serial.

    The place is in the register before the file is: killed in between, a file in clear is never unknown.

    Raises:
        Refused: no approval of act `export`, clearance or circle; the file exists already. OSError: the disk.
        NotThere: no original, or for a searchable PDF no text. JiyaoError: the worker's, when it cannot be made.
    """
    made: dict[str, Any] = {}
    anew: Transcript | None = None
    if carrier is not None and searchable:
        _, anew = read_scan(station, actor, document=document, carrier=carrier, act="documents.export")
    with acting(station, actor, "documents.export", objects=(document,)) as session:
        row = access.get_document(session, document)
        access.check_read(station, session, actor, row, "export")
        approval = approvals.require(station, session, act="export", rows=(row,), recipients=(actor.person,))
        release_record.require_review(station, session, row, "export")
        judgement = load_judgement(station, session, document)
        form = judgement.format if judgement else None
        objects: tuple[str, ...] = (document, actor.person)
        if carrier is None:
            data = open_artefact(station, session, document, "original")
        else:
            chosen, where, data = open_scan(station, session, row, carrier)
            form = form if where == "original" else None
            objects, made["carrier"] = (document, chosen.id, actor.person), chosen.id
        if data is None:
            raise NotThere("no_text", document=document, status=row.status)
        if searchable:
            transcript = anew or load_transcript(station, session, document)
            if transcript is None:
                raise NotThere("no_text", document=document, status=row.status)
            data, told = _make_searchable(station, data, transcript)
            made |= told
        place = Clear(
            document_id=document, kind="export", at=station.now(), holder=actor.person,
            sealed=station.seal(session, CLEAR, {"path": str(out.absolute()), "size": len(data)}),
        )  # fmt: skip
        session.add(place)
        session.flush()
        export, kind = place.id, "pdf" if searchable else form
        station.log(
            session, "documents.export", objects=objects, person=actor.person,
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
        "approval": approval, **made,
    }  # fmt: skip


def _make_searchable(station: Station, data: bytes, transcript: Transcript) -> tuple[bytes, dict[str, Any]]:
    """The PDF, whether it is PDF/A, and if not the code of the reason."""
    with station.scratch() as scratch, LocalExecutor(jobs=1, scratch=scratch.path) as worker:
        fields = {"transcript": to_plain(transcript)}
        reply = worker.submit(Job(act="searchable", fields=fields, data=data)).result().require()
    return bytes(reply.data), {"pdfa": bool(reply.value["pdfa"]), "pdfa_hindered": reply.value["why_not"]}
