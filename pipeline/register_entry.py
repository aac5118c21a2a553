"""One paper becomes one row of the register: sealed, numbered and in the ledger, in one transaction or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models.fields import OfficialFields
from ..models.level import Level
from ..models.page import Finding, Transcript
from ..models.suggestion import LevelSuggestion, RetentionSuggestion
from ..models.tables import Artefact, Clear, Document, Event, Receipt
from ..models.wire import to_plain
from ..stages.retain import retention_until
from ..stages.seal import seal
from . import receipt as receipts
from .actors import Actor
from .documents import keep_words, words_of
from .judgement import Judgement, pack_transcript
from .station import Station

DUPLICATE = "duplicate"
EVENT = "event"
CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class ReadPaper:
    """One document as the workers read and judged it."""

    path: Path
    data: bytes
    sha256: str
    format: str
    pages: int
    transcript: Transcript
    fields: OfficialFields
    level: LevelSuggestion
    retention: RetentionSuggestion
    origin: str | None
    urgent: bool
    findings: tuple[Finding, ...]


def tag_of(station: Station, session: Session, sha256: str) -> bytes:
    """The keyed hash by which duplicates are found; it is erased with the document."""
    return station.vault.keyed_hash(session, DUPLICATE, bytes.fromhex(sha256))


def row_for(station: Station, session: Session, receipt: Receipt, tag: bytes | None) -> Document:
    """The row a paper goes into: the one it failed in before, the receipt's provisional one, or a new one."""
    if tag is not None:
        again = session.scalars(
            select(Document).where(
                Document.duplicate_tag == tag, Document.status.in_(("quarantined", "failed"))
            )
        ).first()
        if again is not None:
            return again
    provisional = session.scalars(
        select(Document)
        .where(Document.receipt_id == receipt.id, Document.status == "received")
        .order_by(Document.seq)
    ).first()
    return provisional or receipts.new_document(station, session, receipt=receipt)


def enter(
    station: Station, session: Session, actor: Actor, paper: ReadPaper, *, receipt: Receipt, batch: str
) -> Document:
    """Registers a read paper as `pending`: a named person decides what then stands."""
    tag = tag_of(station, session, paper.sha256)
    row = row_for(station, session, receipt, tag)
    judgement = Judgement(
        sha256=paper.sha256, format=paper.format, fields=paper.fields, level=paper.level,
        retention=paper.retention, findings=paper.findings,
    )  # fmt: skip
    seal_artefacts(
        station,
        session,
        row,
        {
            "original": paper.data,
            "transcript": pack_transcript(paper.transcript),
            "judgement": judgement.pack(),
        },
    )
    row.batch_id = batch
    row.status = "pending"
    row.duplicate_tag = tag
    _fill(station, session, row, paper)
    _remember_suggestion(station, session, row, paper)
    session.add(
        Clear(
            document_id=row.id, kind="inbox", at=station.now(), state="outstanding", holder=actor.person,
            sealed=station.seal(session, CLEAR, {"path": str(paper.path), "size": len(paper.data)}),
        )
    )  # fmt: skip
    station.log(
        session, "ingest", objects=(row.id, receipt.id, batch), person=actor.person, account=actor.user,
        level=paper.level.level.value if paper.level.level else None,
        facts={"pages": paper.pages, "basis": paper.level.basis, "must_review": row.must_review},
    )  # fmt: skip
    return row


def enter_problem(
    station: Station,
    session: Session,
    actor: Actor,
    *,
    path: Path,
    data: bytes | None,
    sha256: str | None,
    status: str,
    code: str,
    level: Level | None,
    receipt: Receipt,
    batch: str,
) -> Document:
    """Registers what could not become a document: kept sealed with its reason, so that nothing is lost.

    A paper above the station's level leaves only the fact, its level and the time (R-021): neither its bytes nor its
    name are kept.
    """
    keep = status != "refused"
    tag = tag_of(station, session, sha256) if sha256 else None
    row = row_for(station, session, receipt, tag)
    first = row.status not in ("quarantined", "failed")
    row.batch_id = batch
    row.status = status
    row.duplicate_tag = tag
    row.level_code = level.code if level else None
    if first:
        name = path.name if keep else None
        words = {**words_of(station, session, row), "source_name": name}
        keep_words(station, session, row, words)
        if keep and data is not None:
            seal_artefacts(station, session, row, {"original": data})
    remember(station, session, row, None, "problem", "status", {"code": code})
    station.log(
        session, f"ingest.{status}", objects=(row.id, receipt.id, batch), person=actor.person,
        account=actor.user, level=level.value if level else None, result="failed", rule=code,
    )  # fmt: skip
    return row


def seal_artefacts(station: Station, session: Session, row: Document, artefacts: dict[str, bytes]) -> None:
    """Seals artefacts under the document's own key (made now when it has none)."""
    if row.key_slot is None:
        row.key_slot = station.vault.new_slot(session)
    slot = row.key_slot
    area = area_of(station, row)
    for old in session.scalars(
        select(Artefact).where(
            Artefact.document_id == row.id, Artefact.kind.in_(artefacts), Artefact.state == "live"
        )
    ):
        old.state = "superseded"
    for item in seal(artefacts, lambda kind, data: station.vault.put(session, slot, kind, data, area=area)):
        session.add(
            Artefact(
                document_id=row.id, kind=item.kind, key_slot=slot, path=item.path, size=item.size,
                cipher_sha256=item.cipher_sha256,
            )
        )  # fmt: skip


def area_of(station: Station, row: Document) -> str:
    """The blob area of a document's level group (`levels_separate`; R-144)."""
    codes = [code for code in (row.level_code, row.interim_code) if code]
    if not codes:
        return "unsorted"
    return max(codes, key=lambda code: station.policy.rank(Level.parse(code))).lower()


def remember(
    station: Station,
    session: Session,
    row: Document,
    person: str | None,
    act: str,
    what: str,
    words: dict[str, Any],
) -> None:
    """Writes down one change of a document; old values stay on record."""
    session.add(
        Event(
            document_id=row.id, at=station.now(), person=person, act=act, what=what,
            sealed=station.seal(session, EVENT, words),
        )
    )  # fmt: skip


def set_period(row: Document, period: Any, start: date | None) -> None:
    """The secrecy period and the first day no longer protected."""
    row.period = str(period) if period is not None else None
    ends = period.ends(start or date.fromisoformat(row.received_at[:10])) if period is not None else None
    row.secrecy_until = ends.isoformat() if ends else None


def set_retention(row: Document, retention: Any) -> None:
    """The retention period and the first day no longer kept, counted from the document's year."""
    row.retention = retention.value if retention is not None else None
    until = retention_until(retention, date.fromisoformat((row.signed_date or row.received_at)[:10]))
    row.retention_until = until.isoformat() if until else None


def _fill(station: Station, session: Session, row: Document, paper: ReadPaper) -> None:
    fields, level = paper.fields, paper.level
    declared = words_of(station, session, row)
    words = {
        "title": fields.title or declared.get("title"),
        "organs": list(fields.organs) or declared.get("organs") or [],
        "doc_number": fields.doc_number or declared.get("doc_number"),
        "serials": list(fields.serials) or declared.get("serials") or [],
        "signers": list(fields.signers),
        "recipients": list(fields.recipients),
        "copied_to": list(fields.copied_to),
        "print_count": fields.print_count,
        "printed_date": fields.printed_date.isoformat() if fields.printed_date else None,
        "note": fields.note,
        "source_name": paper.path.name,
    }
    keep_words(station, session, row, words)
    row.pages = paper.pages
    row.kind = fields.kind
    row.signed_date = fields.signed_date.isoformat() if fields.signed_date else None
    row.urgency = fields.urgency or row.urgency or ("加急" if paper.urgent else None)
    row.origin = paper.origin
    row.copies_received = max(row.copies_received, len(fields.serials), 1)
    row.level_code = level.level.code if level.level else None
    row.interim_code = level.interim.code if level.interim else None
    row.level_basis = level.basis
    row.overlays = ",".join(level.overlays)
    row.read_level_code = fields.mark.level.code if fields.mark else None
    row.suggested_level_code = row.level_code
    row.suggested_retention = paper.retention.retention.value if paper.retention.retention else None
    row.must_review = level.must_review or any(item.code in _SERIOUS for item in paper.findings)
    row.confidence_percent = round(100 * level.confidence)
    set_period(row, level.period, fields.signed_date)
    set_retention(row, paper.retention.retention)


_SERIOUS = frozenset({"text_layer_unsound", "low_confidence_page", "engine_failed_page", "active_content"})
"""Findings of the reading after which no machine's word goes unlooked at."""


def _remember_suggestion(station: Station, session: Session, row: Document, paper: ReadPaper) -> None:
    level = to_plain(paper.level)
    remember(
        station, session, row, None, "suggest", "level",
        {"level": level["level"], "interim": level["interim"], "basis": level["basis"], "policy": level["policy"]},
    )  # fmt: skip
    remember(station, session, row, None, "suggest", "retention", {"retention": row.suggested_retention})
