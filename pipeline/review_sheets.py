"""The printable review sheet of a batch: every value beside the crop it was read from.

Made from sealed data, in memory; the only clear file is the one the operator asked for, and it is written down.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ..common.clock import today
from ..common.errors import JiyaoError, NotThere
from ..common.files import write_new
from ..common.messages import Lang, say
from ..models.fields import FieldEvidence
from ..models.level import Level
from ..models.tables import Batch, Clear, Document
from ..models.wire import to_plain
from ..stages.review_sheet import SheetDocument, SheetItem, draw_sheet
from . import access
from .actors import Actor, acting
from .executor import Job, LocalExecutor
from .judgement import Judgement, load_judgement, open_artefact
from .source_file import CLEAR
from .station import Station


def write_sheet(
    station: Station, actor: Actor, *, batch: str, out: Path, lang: Lang = "zh"
) -> dict[str, Any]:
    """Draws the sheet of all documents of a batch that the actor's clearance reaches.

    Raises:
        NotThere: no such batch. Refused: a document is above the actor's clearance.
    """
    with acting(station, actor, "review.sheet", objects=(batch,)) as session:
        if session.get(Batch, batch) is None:
            raise NotThere("no_batch", batch=batch)
        rows = session.scalars(
            select(Document)
            .where(
                Document.batch_id == batch, Document.status.in_(("pending", "pending_second", "registered"))
            )
            .order_by(Document.year, Document.seq)
        ).all()
        papers: list[tuple[Document, Judgement, bytes]] = []
        for row in rows:
            access.check_clearance(station, session, actor.person, row)
            judgement = load_judgement(station, session, row.id)
            original = open_artefact(station, session, row.id, "original")
            if judgement is not None and original is not None:
                papers.append((row, judgement, original))
    with station.scratch() as scratch, LocalExecutor(jobs=1, scratch=scratch.path) as worker:
        documents = tuple(
            _sheet(worker, row, judgement, original, lang) for row, judgement, original in papers
        )
    highest = station.policy.highest(*(Level.parse(row.level_code) for row, _, _ in papers if row.level_code))
    pdf = draw_sheet(
        documents, batch=batch, day=today(station.clock), unit=station.settings.unit.removesuffix("机要室"),
        level=highest.value if highest else "",
    )  # fmt: skip
    digest = write_new(out, pdf)
    with acting(station, actor, "review.sheet", objects=(batch,)) as session:
        for row, _, _ in papers:
            session.add(
                Clear(
                    document_id=row.id, kind="sheet", at=station.now(), holder=actor.person,
                    sealed=station.seal(session, CLEAR, {"path": str(out.absolute()), "size": len(pdf)}),
                )
            )  # fmt: skip
        station.log(
            session, "review.sheet", objects=(batch, *(row.id for row, _, _ in papers)), person=actor.person,
            account=actor.user,
        )  # fmt: skip
    return {"file": str(out), "sha256": digest, "documents": [row.id for row, _, _ in papers]}


def _sheet(
    worker: LocalExecutor, row: Document, judgement: Judgement, original: bytes, lang: Lang
) -> SheetDocument:
    evidence = [item for item in judgement.fields.evidence if item.value]
    pictures = _crops(worker, original, evidence)
    items = tuple(
        SheetItem(
            field=say(f"field_{item.name}", lang), value=item.value, confidence=item.score, crop=picture,
            page=item.page, doubts=tuple(say(code, lang) for code in item.doubt),
        )
        for item, picture in zip(evidence, pictures, strict=True)
    )  # fmt: skip
    level = Level.parse(row.level_code).value if row.level_code else ""
    interim = Level.parse(row.interim_code).value if row.interim_code else ""
    return SheetDocument(
        id=row.id, items=items, level=f"{level}{' ' + row.period if row.period and level else ''}",
        note=say("sheet_interim", lang, level=interim) if interim and not level else "",
    )  # fmt: skip


def _crops(worker: LocalExecutor, original: bytes, evidence: list[FieldEvidence]) -> list[bytes | None]:
    """A picture for each piece of evidence that has a place on a page."""
    placed = [(item.page, to_plain(item.box)) for item in evidence if item.box is not None]
    if not placed:
        return [None] * len(evidence)
    reply = worker.submit(Job(act="sheet", fields={"boxes": placed}, data=original)).result()
    if reply.outcome != "done":
        raise JiyaoError(reply.code or "worker_failed")
    pictures = iter(base64.b64decode(text) for text in reply.value["crops"])
    return [next(pictures) if item.box is not None else None for item in evidence]
