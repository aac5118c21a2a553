"""The register as its users see it: documents, their fields, their text (收文登记簿; R-002, R-063, R-131)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import NotThere, Refused
from ...common.paging import PAGE
from ...models.level import Level
from ...models.page import Page, Transcript
from ...models.rights import REGISTRARS
from ...models.tables import Clear, Document
from ...models.wire import to_plain
from ..desk.urgency import telegram_clock
from ..intake.carrier_scans import scans_of
from ..intake.judgement import Judgement, load_transcript
from ..intake.sources import sources_json
from ..levels.terms import terms_json
from ..persons import access, aggregation
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import listing, search_book, searching
from .around import Around, around
from .inbound import flow_of
from .main_copy import retention_of

_REGISTER = "document"


def words_of(station: Station, session: Session, row: Document) -> dict[str, Any]:
    """A document's register fields in clear: title, organs, number, signers, recipients, serials, source name.

    Raises:
        Broken: they were altered, or belong to another row.
    """
    return station.unseal(session, _REGISTER, row.sealed, bind=row.id)


def keep_words(station: Station, session: Session, row: Document, words: dict[str, Any]) -> None:
    """Seals a document's register fields, bound to its row."""
    seal_words(station, session, row, words)
    search_book.changed(station, session, row)


def seal_words(station: Station, session: Session, row: Document, words: dict[str, Any]) -> None:
    """As `keep_words`, for a row that is new: its words stand on no page of the search book yet."""
    row.sealed = station.seal(session, _REGISTER, words, bind=row.id)


def list_documents(
    station: Station,
    actor: Actor,
    *,
    status: str | None = None,
    level: Level | None = None,
    batch: str | None = None,
    organ: str | None = None,
    query: str | None = None,
    limit: int = PAGE,
    offset: int = 0,
    after: str | None = None,
    whole: bool = False,
) -> dict[str, Any]:
    """The rows the actor may know of: what waits and is urgent first, else in order of number; `more`: there are more.

    `query` and `organ` search register fields only, of rows whose words the actor may see; `total` is then known only
    where the whole register was looked through. `after`: goes on behind this document; cheaper than `offset`, and
    nothing is skipped or shown twice when rows come in between. `whole`: the reader goes on to the end, page by page,
    so that all of it counts as one list of secrets.

    Raises:
        NotThere: no document `after`. Refused: too many secrets at once without approval.
    """
    wanted: list[ColumnElement[bool]] = [access.visible(actor)]
    if status:
        wanted.append(Document.status == status)
    if level:
        wanted.append(Document.level_code == level.code)
    if batch:
        wanted.append(Document.batch_id == batch)
    with station.read() as session:
        behind = access.get_document(session, after) if after else None
        place = (behind.lane, behind.year, behind.seq) if behind else None
        known = None if batch else listing.known(session, actor, status=status, level=level)
        if query or organ:
            found = searching.search(
                station, session, query=query, organ=organ, wanted=(*wanted, access.titles_open(station, actor)),
                filtered=bool(status or level or batch) or not actor.roles & REGISTRARS, after=place, offset=offset,
                limit=limit, known=known,
            )  # fmt: skip
            by_id = {
                row.id: row
                for row in session.scalars(select(Document).where(Document.id.in_(listing.listed(found.ids))))
            }
            rows, more, total = [by_id[name] for name in found.ids], found.more, found.total
        else:
            rows, more, total = listing.page(session, wanted, place, offset, limit, known=known)
        opened = {row.id for row in rows if access.may_see_titles(station, actor, row)}
        levels = [access.protected_as(station.policy, row) for row in rows if row.id in opened]
        if whole and place is None and more:
            levels += listing.ahead(station, session, actor, wanted, query=query, organ=organ)
        bulk = aggregation.allowed(station, session, actor, "documents", levels)
        if not isinstance(bulk, Refused):
            beside = around(station, session, rows, opened)
            shown = [document_json(station, session, row, actor=actor, beside=beside) for row in rows]
    if isinstance(bulk, Refused):
        with acting(station, actor, "documents.list"):
            raise bulk
    with station.write() as session:
        station.log(
            session, "documents.list", person=actor.person, account=actor.user, rule=bulk or "",
            facts={"rows": len(shown), "searched": bool(query or organ)},
        )  # fmt: skip
    return {
        "documents": shown,
        "total": total,
        "more": more,
        "next": shown[-1]["id"] if more and shown else None,
    }


def show_document(station: Station, actor: Actor, *, document: str) -> dict[str, Any]:
    """One row.

    Raises:
        NotThere: no such document, or not in the reader's circle.
    """
    with acting(station, actor, "documents.show", objects=(document,)) as session:
        row = access.get_document(session, document)
        if not access.may_know(session, actor, document):
            raise Refused("not_in_circle", person=actor.person, document=document)
        station.log(
            session, "documents.show", objects=(document,), person=actor.person, account=actor.user,
            level=level_name(row.level_code),
        )  # fmt: skip
        plain = document_json(station, session, row, actor=actor)
        return {**plain, "flow": flow_of(station, session, document)}


def text_of(station: Station, actor: Actor, *, document: str, purpose: str | None = None) -> dict[str, Any]:
    """The document's text, page by page with its tables, for a person who may read it (logged: R-131).

    Args:
        purpose: what it is read for; needed where the policy asks (`reading.purpose_from`) and no task is current.

    Raises:
        Refused: as `access.check_read`; NotThere: destroyed, or never read.
    """
    with acting(station, actor, "documents.text", objects=(document,)) as session:
        row = access.get_document(session, document)
        rule = access.check_read(station, session, actor, row, purpose=purpose)
        transcript = load_transcript(station, session, document)
        if transcript is None:
            raise NotThere("no_text", document=document, status=row.status)
        station.log(
            session, "documents.text", objects=(document,), person=actor.person, account=actor.user,
            level=level_name(row.level_code), result="allowed", rule=rule,
        )  # fmt: skip
        return {"id": document, "pages": pages_json(transcript)}


def pages_json(transcript: Transcript) -> list[dict[str, Any]]:
    """The pages of a text, each with its tables."""
    return [
        {
            "number": page.number, "text": page.text, "confidence": round(page.confidence, 4),
            **tables_of_page(page),
        }
        for page in transcript.pages
    ]  # fmt: skip


def tables_of_page(page: Page) -> dict[str, Any]:
    """The cells of each table of a page; nothing where it has none."""
    if not page.tables:
        return {}
    return {
        "tables": [
            [
                {
                    "row": cell.row, "column": cell.column, "rows": cell.rows, "columns": cell.columns,
                    "text": cell.text,
                }
                for cell in table.cells
            ]
            for table in page.tables
        ]
    }  # fmt: skip


def document_json(
    station: Station,
    session: Session,
    row: Document,
    *,
    actor: Actor | None = None,
    beside: Around | None = None,
) -> dict[str, Any]:
    """A document with every key of the contract. `beside`: what stands around it, where that was read already.

    Words of the paper are None where the actor's clearance does not reach it; what died with it is empty.
    """
    open_words = actor is None or access.may_see_titles(station, actor, row)
    words = words_of(station, session, row) if open_words else {}
    if beside is None:
        beside = around(station, session, (row,), {row.id} if open_words else ())
    judgement = beside.judgements.get(row.id)
    level = Level.parse(row.level_code) if row.level_code else None
    return {
        "id": row.id,
        "receipt": row.receipt_id,
        "status": row.status,
        "batch": row.batch_id,
        "received_at": row.received_at,
        "source_name": words.get("source_name"),
        "virus_scan": words.get("virus_scan"),
        "sha256": judgement.sha256 if judgement else None,
        "pages": row.pages,
        "title": words.get("title"),
        "organ": "、".join(words.get("organs") or ()) or None,
        "doc_number": words.get("doc_number"),
        "serial": next(iter(words.get("serials") or ()), None),
        "serials": list(words.get("serials") or ()),
        "copies_received": row.copies_received,
        "urgency": row.urgency,
        "clock": telegram_clock(station, row, words.get("doc_number")),
        "signer": "、".join(words.get("signers") or ()) or None,
        "recipients": list(words.get("recipients") or ()),
        "copied_to": list(words.get("copied_to") or ()),
        "date": row.signed_date,
        "kind": row.kind,
        "origin": row.origin,
        "important": row.important,
        "level": level.value if level else None,
        "level_code": row.level_code,
        "level_family": level.family.value if level else None,
        "level_damage": station.policy.levels[level].damage or None if level else None,
        "interim_level": level_name(row.interim_code),
        "level_basis": row.level_basis,
        "confirmed": row.confirmed,
        "confidence": row.confidence_percent / 100,
        "must_review": row.must_review,
        "overlays": [name for name in row.overlays.split(",") if name],
        "secrecy_period": row.period,
        "secrecy_until": row.secrecy_until,
        "notified_date": row.notified_date,
        "retention_flags": list(words.get("retention_flags") or ()),
        "retention": row.retention,
        "retention_until": row.retention_until,
        **terms_json(station, session, row, changed=row.id in beside.changed),
        **_evidence(judgement),
        "parts": list(beside.parts.get(row.id, ())),
        "parent": row.parent_id,
        "sources": sources_json(station, session, row, words),
        "replaced_by": list(words.get("replaced_by") or ()),
        "carriers": _carriers(session, row, judgement, beside),
        "copies": list(beside.copies.get(row.id, ())),
        "holds": [
            {"id": hold.id, "by": hold.by, "at": hold.at, "lift_first": hold.lift_first}
            for hold in beside.holds.get(row.id, ())
        ],
        "cleartext_history": _cleartext(station, session, beside.clear.get(row.id, ())) if open_words else [],
        "suggested": {"level": level_name(row.suggested_level_code), "retention": row.suggested_retention},
        "appraised": row.appraised_at is not None,
    }


def _evidence(judgement: Judgement | None) -> dict[str, Any]:
    if judgement is None:
        return {"evidence": [], "field_evidence": [], "findings": []}
    reasons = [
        {"code": code, "page": None, "detail": ""}
        for code in dict.fromkeys((*judgement.level.reasons, *judgement.retention.reasons))
    ]
    return {
        "evidence": [
            {
                "for": item.for_, "rule": item.rule, "source": item.source, "text": item.text,
                "page": item.page, "box": _box(item.box), "score": item.score,
            }
            for item in (*judgement.level.evidence, *judgement.retention.evidence)
        ],
        "field_evidence": [
            {**to_plain(item), "box": _box(item.box)} for item in judgement.fields.evidence
        ],
        "findings": [
            {"code": item.code, "page": item.page, "detail": item.detail} for item in judgement.findings
        ]
        + reasons,
    }  # fmt: skip


def _box(box: Any) -> list[float] | None:
    return None if box is None else [box.left, box.top, box.right, box.bottom]


def _carriers(
    session: Session, document: Document, judgement: Judgement | None, beside: Around
) -> list[dict[str, Any]]:
    """`scan`: `original` where the document was read from it, `own` where its scan stands beside, else None."""
    rows = beside.carriers.get(document.id, [])
    serials = judgement.fields.serials if judgement else ()
    scans = scans_of(session, document.id, rows, serials, known=beside.scanned.get(document.id, set()))
    return [
        {
            "id": row.id, "type": row.type, "serial": row.serial, "holder": row.holder, "place": row.place,
            "return_due": row.return_due, "state": row.state, "scan": scans.get(row.id),
            "retention": retention_of(row, rows, document),
        }
        for row in rows
    ]  # fmt: skip


def _cleartext(station: Station, session: Session, rows: Sequence[Clear]) -> list[dict[str, Any]]:
    return [
        {
            "kind": row.kind, "at": row.at, "state": row.state, "holder": row.holder, "grade": row.grade,
            "copy": row.copy_id, "path": station.unseal(session, "clear", row.sealed)["path"],
        }
        for row in rows
    ]  # fmt: skip


def is_expired(station: Station, row: Document) -> bool:
    """Whether the retention period has passed."""
    return row.retention_until is not None and row.retention_until <= today(station.clock).isoformat()


def level_name(code: str | None) -> str | None:
    """The level id of a code; None for none."""
    return Level.parse(code).value if code else None
