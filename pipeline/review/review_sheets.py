"""The printable review sheet of a batch: every value beside the crop it was read from.

Made from sealed data, in memory; the only clear file is the one the operator asked for, and it is written down.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ...common.clock import today
from ...common.errors import NotThere
from ...common.files import write_new
from ...common.messages import Lang, say
from ...models.doubt import DoubtItem
from ...models.fields import FieldEvidence
from ...models.level import Level
from ...models.page import Box
from ...models.tables import Batch, Clear, Document
from ...models.wire import to_plain
from ...stages.review_sheet import MOST_CROPS, SheetDocument, SheetItem, draw_sheet
from ..intake.executor import Job, LocalExecutor
from ..intake.judgement import Judgement, load_judgement, open_artefact
from ..intake.source_file import CLEAR
from ..persons import access
from ..persons.actors import Actor, acting
from ..station.station import Station
from .doubts import doubts_of


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
        papers: list[_Paper] = []
        for row in rows:
            access.check_clearance(station, session, actor.person, row)
            judgement = load_judgement(station, session, row.id)
            original = open_artefact(station, session, row.id, "original")
            if judgement is not None and original is not None:
                asked = doubts_of(station, session, row, judgement=judgement)
                papers.append(_Paper(row, judgement, asked, original))
    with station.scratch() as scratch, LocalExecutor(jobs=1, scratch=scratch.path) as worker:
        documents = tuple(_sheet(worker, paper, lang) for paper in papers)
    highest = station.policy.highest(
        *(Level.parse(paper.row.level_code) for paper in papers if paper.row.level_code)
    )
    pdf = draw_sheet(
        documents, batch=batch, day=today(station.clock), unit=station.settings.unit.removesuffix("机要室"),
        level=highest.value if highest else "",
    )  # fmt: skip
    digest = write_new(out, pdf)
    with acting(station, actor, "review.sheet", objects=(batch,)) as session:
        for paper in papers:
            session.add(
                Clear(
                    document_id=paper.row.id, kind="sheet", at=station.now(), holder=actor.person,
                    sealed=station.seal(session, CLEAR, {"path": str(out.absolute()), "size": len(pdf)}),
                )
            )  # fmt: skip
        station.log(
            session, "review.sheet", objects=(batch, *(paper.row.id for paper in papers)), person=actor.person,
            account=actor.user,
        )  # fmt: skip
    return {"file": str(out), "sha256": digest, "documents": [paper.row.id for paper in papers]}


@dataclass(frozen=True, slots=True)
class _Paper:
    """A document of the batch, opened."""

    row: Document
    judgement: Judgement
    doubts: tuple[DoubtItem, ...]
    original: bytes


@dataclass(frozen=True, slots=True)
class _Place:
    """What one row of the sheet shows; without a box there is no crop."""

    item: SheetItem
    page: int
    box: Box | None


def _sheet(worker: LocalExecutor, paper: _Paper, lang: Lang) -> SheetDocument:
    """Every field beside its crop, then the doubtful places of the text, those worth most first."""
    row = paper.row
    places = [_field(item, lang) for item in paper.judgement.fields.evidence if item.value]
    places += [_doubt(item, lang) for item in paper.doubts if item.what != "field"]
    pictures = _crops(worker, paper, places)
    items = tuple(replace(place.item, crop=picture) for place, picture in zip(places, pictures, strict=True))
    level = Level.parse(row.level_code).value if row.level_code else ""
    interim = Level.parse(row.interim_code).value if row.interim_code else ""
    return SheetDocument(
        id=row.id, items=items, level=f"{level}{' ' + row.period if row.period and level else ''}",
        note=say("sheet_interim", lang, level=interim) if interim and not level else "",
    )  # fmt: skip


def _field(item: FieldEvidence, lang: Lang) -> _Place:
    doubts = _words(item.doubt, item.page, lang)
    if item.alternatives:
        doubts = (*doubts, say("sheet_alternatives", lang, values=" / ".join(item.alternatives)))
    sheet = SheetItem(
        field=say(f"field_{item.name}", lang), value=item.value, confidence=item.score, page=item.page,
        doubts=doubts,
    )  # fmt: skip
    return _Place(sheet, item.page, item.box)


def _doubt(item: DoubtItem, lang: Lang) -> _Place:
    sheet = SheetItem(
        field=say(f"doubt_{item.what}", lang), value=item.text, confidence=item.score, page=item.page,
        doubts=_words(item.reasons, item.page, lang),
    )  # fmt: skip
    return _Place(sheet, item.page, item.box)


def _words(codes: tuple[str, ...], page: int, lang: Lang) -> tuple[str, ...]:
    return tuple(say(code, lang, page=page, detail="-") for code in codes)


def _crops(worker: LocalExecutor, paper: _Paper, places: list[_Place]) -> list[bytes | None]:
    """A picture for each place that has a box, as many as the worker cuts at once."""
    cut = [place for place in places if place.box is not None][:MOST_CROPS]
    if not cut:
        return [None] * len(places)
    boxes = [(place.page, to_plain(place.box)) for place in cut]
    fields = {"boxes": boxes, "passwords": paper.judgement.passwords}
    reply = worker.submit(Job(act="sheet", fields=fields, data=paper.original)).result().require()
    pictures = dict(zip(map(id, cut), map(base64.b64decode, reply.value["crops"]), strict=True))
    return [pictures.get(id(place)) for place in places]
