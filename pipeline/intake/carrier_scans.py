"""Scans of a document's numbered originals: which carrier was scanned, and how an authorised person reaches it (R-006).

The first original's file is the document's `original`; each further one is sealed as `pages` under the same key. Of
those no text is kept: it is read anew when somebody asks for it, and only for that call.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import NotThere
from ...models.page import Transcript
from ...models.tables import Artefact, Carrier, Document, Scan
from ...models.wire import from_plain
from ..persons import access
from ..persons.actors import Actor, acting
from ..station.station import Station
from .judgement import load_judgement, load_transcript, open_artefact

Where = Literal["original", "own"]
"""`original`: what the document was read from; `own`: a scan beside it."""


def scans_of(
    session: Session, document: str, carriers: Collection[Carrier], serials_read: Collection[str],
    *, known: set[str] | None = None,
) -> dict[str, Where]:  # fmt: skip
    """Where each carrier's scan is, by the carrier's id; none for one that was not scanned.

    Args:
        carriers: of the document. serials_read: those that stand on the original. Where they name none of the
            carriers, the only one without a scan of its own is taken for it; among several nobody can tell.
        known: those that have a scan of their own, where that was asked already.
    """
    if not carriers:
        return {}
    own = known if known is not None else _own_scans(session, document)
    found: dict[str, Where] = {row.id: "own" for row in carriers if row.id in own}
    others = [row.id for row in carriers if row.id not in own]
    first = [row.id for row in carriers if row.id not in own and row.serial in serials_read]
    return found | dict.fromkeys(first or (others if len(others) == 1 else []), "original")


def _own_scans(session: Session, document: str) -> set[str]:
    wanted = (
        select(Scan.carrier_id)
        .join(Artefact, Scan.artefact_id == Artefact.id)
        .where(Scan.document_id == document, Scan.kind == "carrier", Artefact.state == "live")
    )
    return {str(name) for name in session.scalars(wanted)}


def open_scan(station: Station, session: Session, row: Document, wanted: str) -> tuple[Carrier, Where, bytes]:
    """A carrier of the document, by its number or its serial, and the bytes of its scan.

    Raises:
        NotThere: no such carrier, or it has no scan. Broken: the sealed file was altered.
    """
    carriers = session.scalars(
        select(Carrier).where(Carrier.document_id == row.id).order_by(Carrier.id)
    ).all()
    carrier = next((one for one in carriers if wanted in (one.id, one.serial)), None)
    if carrier is None:
        raise NotThere("no_carrier", carrier=wanted, document=row.id)
    judgement = load_judgement(station, session, row.id)
    serials = judgement.fields.serials if judgement is not None else ()
    where = scans_of(session, row.id, carriers, serials).get(carrier.id)
    data = None
    if where == "original":
        data = open_artefact(station, session, row.id, "original")
    elif where == "own":
        scan = session.scalars(
            select(Artefact)
            .join(Scan, Scan.artefact_id == Artefact.id)
            .where(Scan.carrier_id == carrier.id, Artefact.state == "live")
            .order_by(Artefact.id.desc())
        ).first()
        data = bytes(station.vault.get(session, scan.key_slot, scan.path)) if scan is not None else None
    if where is None or data is None:
        raise NotThere("carrier_not_scanned", carrier=wanted, document=row.id)
    return carrier, where, data


def read_scan(
    station: Station, actor: Actor, *, document: str, carrier: str, act: str, purpose: str | None = None
) -> tuple[str, Transcript]:
    """The carrier's number and the text of its scan, for a person who may read the document; nothing is kept.

    Args:
        act: what a refusal is written to the ledger as.

    Raises:
        Refused: clearance, circle or approval; it cannot be read anew. NotThere: no such carrier, scan or text.
    """
    with acting(station, actor, act, objects=(document,)) as session:
        row = access.get_document(session, document)
        access.check_read(station, session, actor, row, purpose=purpose)
        chosen, where, data = open_scan(station, session, row, carrier)
        number, origin = chosen.id, row.origin
        if where == "original":
            known = load_transcript(station, session, document)
            if known is None:
                raise NotThere("no_text", document=document, status=row.status)
            return number, known
    # workers, and the libraries they are watched with, are loaded only where something is read
    from ..review.reread import Desk

    with Desk(station, origin=origin) as desk:
        ((part, _),) = desk.read([data], [document])
    return number, from_plain(Transcript, json.loads(part.transcript))


def text_of_scan(
    station: Station, actor: Actor, *, document: str, carrier: str, purpose: str | None = None
) -> dict[str, Any]:
    """The text of one carrier's scan, page by page, as `documents.text_of`; logged like it (R-131).

    Raises:
        As `read_scan`.
    """
    from ..papers.documents import level_name, pages_json

    number, transcript = read_scan(
        station, actor, document=document, carrier=carrier, act="documents.text", purpose=purpose
    )
    with acting(station, actor, "documents.text", objects=(document, number)) as session:
        row = access.get_document(session, document)
        station.log(
            session, "documents.text", objects=(document, number), person=actor.person, account=actor.user,
            level=level_name(row.level_code), result="allowed",
        )  # fmt: skip
    return {"id": document, "carrier": number, "pages": pages_json(transcript)}
