"""One paper becomes one row of the register: sealed, numbered and in the ledger, in one transaction or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from ...models.fields import OfficialFields
from ...models.ledger_entry import Entry
from ...models.level import Level
from ...models.page import Finding
from ...models.passage import Prints
from ...models.suggestion import Evidence, LevelSuggestion, RetentionSuggestion
from ...models.tables import Artefact, Clear, Document, Event, Receipt
from ...models.wire import to_plain
from ...stages.mail_findings import MUST_REVIEW
from ...stages.seal import seal
from ..levels.terms import EVENT as EVENT
from ..levels.terms import changes_of, set_period, set_suggested
from ..papers.documents import keep_words, seal_words, words_of
from ..persons.actors import Actor
from ..station.station import Station
from . import discrepancy, passages
from . import receipt as receipts
from .deposit import Deposit as Deposit
from .judgement import Judgement
from .paper_tag import paper_tag
from .source_file import place_of, remember_place
from .sources import WORD as SOURCES
from .sources import kept_links, links_of

DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class ReadPaper:
    """One document as the workers read and judged it."""

    path: Path
    data: bytes
    sha256: str
    format: str
    pages: int
    transcript: bytes
    """As sealed."""
    fields: OfficialFields
    level: LevelSuggestion
    retention: RetentionSuggestion
    origin: str | None
    urgent: bool
    findings: tuple[Finding, ...]
    identity: str = ""
    """What a duplicate is told by, 64 hex digits; empty: `sha256`. A part of a stack is told by stack and pages."""
    stack: str = ""
    """SHA-256 of the stack that a part was cut from."""
    virus_scan: str = "none"
    """What a scanner said of the file: `none` when there is none, `clean`, `failed`."""
    password: str | None = field(default=None, repr=False)
    prints: Prints = field(default=Prints(), repr=False)


def path_identity(path: Path) -> str:
    """What a file that cannot be read is told by: its place."""
    return hashlib.sha256(b"place:" + os.fsencode(path.absolute())).hexdigest()


def part_identity(stack: str, first: int, last: int) -> str:
    """What a part of a stack is told by: cutting it again gives other bytes."""
    return hashlib.sha256(f"part:{stack}:{first}-{last}".encode()).hexdigest()


def tag_of(station: Station, session: Session, sha256: str) -> bytes:
    """The keyed hash by which duplicates are found; it is erased with the document."""
    return station.vault.keyed_hash(session, DUPLICATE, bytes.fromhex(sha256))


def row_for(station: Station, session: Session, receipt: Receipt, identities: Iterable[str]) -> Document:
    """The row a paper goes into: the one it failed in before, the receipt's provisional one, or a new one."""
    known = waiting_row(station, session, receipt, identities)
    return known or receipts.new_document(station, session, receipt=receipt)


def waiting_row(
    station: Station, session: Session, receipt: Receipt, identities: Iterable[str]
) -> Document | None:
    """The row that waits for a paper: the one it failed in before, else the receipt's provisional one."""
    return failed_before(station, session, identities) or _provisional(session, receipt)


def _provisional(session: Session, receipt: Receipt) -> Document | None:
    return session.scalars(
        select(Document)
        .where(Document.receipt_id == receipt.id, or_(Document.status == "received", _COMPILED))
        .order_by(Document.seq)
    ).first()


def _known_row(
    station: Station, session: Session, receipt: Receipt, identities: Iterable[str], deposit: Deposit
) -> Document | None:
    """As `row_for`; None for a new one. What the deposit knows not to be there is not asked for."""
    if not deposit.all_new and (again := failed_before(station, session, identities)) is not None:
        return again
    if receipt.id not in deposit.undeclared:
        if (waiting := _provisional(session, receipt)) is not None:
            return waiting
        deposit.undeclared.add(receipt.id)
    return None


# a compilation is in the register before its scan is
_COMPILED = and_(
    Document.status == "pending", Document.key_slot.is_(None), Document.level_basis == "derivative",
    Document.origin == "self",
)  # fmt: skip


def failed_before(station: Station, session: Session, identities: Iterable[str]) -> Document | None:
    """The row in which this paper stands as quarantined or failed."""
    tags = [tag_of(station, session, identity) for identity in identities if identity]
    return session.scalars(
        select(Document)
        .where(Document.duplicate_tag.in_(tags), Document.status.in_(("quarantined", "failed")))
        .order_by(Document.year, Document.seq)
    ).first()


def rows_had(station: Station, session: Session, papers: Iterable[ReadPaper]) -> int:
    """How many rows there are in which these papers failed before."""
    tags = {
        tag_of(station, session, identity)
        for paper in papers
        for identity in (paper.identity or paper.sha256, paper.stack, path_identity(paper.path))
        if identity
    }
    rows = select(func.count(Document.id)).where(
        Document.duplicate_tag.in_(tags), Document.status.in_(("quarantined", "failed"))
    )
    return session.scalar(rows) or 0


def enter(
    station: Station, session: Session, actor: Actor, paper: ReadPaper, *, receipt: Receipt, batch: str,
    deposit: Deposit | None = None, again: Document | None = None,
) -> Document:  # fmt: skip
    """Registers a read paper as `pending`: a named person decides what then stands.

    `again`: the row of a document that was scanned anew; it is filled anew, and its former files are superseded. With a
    `deposit` that gathers (`together`) a new row is in the database once that has settled.
    """
    shared = deposit or Deposit(station, session)
    identity = paper.identity or paper.sha256
    identities = (identity, paper.stack, path_identity(paper.path))
    known = again or _known_row(station, session, receipt, identities, shared)
    row = known or receipts.next_row(station, session, receipt=receipt)
    judgement = Judgement(
        sha256=paper.sha256, format=paper.format, fields=paper.fields, level=paper.level,
        retention=paper.retention, findings=paper.findings, password=paper.password,
    )  # fmt: skip
    row.batch_id = batch
    declared = words_of(station, session, row) if known else {}
    signed_for = known is not None and row.status == "received"
    row.status = "pending"
    if again is None:
        row.duplicate_tag = tag_of(station, session, identity)
    words = _fill(station, session, row, paper, declared, scanned_anew=again is not None)
    row.paper_tag = paper_tag(station, session, paper.fields)
    if row.paper_tag is not None:
        shared.paper_tags.add(row.paper_tag)
    _seal(
        station,
        session,
        row,
        {
            "original": paper.data,
            "transcript": paper.transcript,
            "judgement": judgement.pack(),
        },
        shared,
    )
    if known is None:
        seal_words(station, session, row, words)
        shared.add_document(row)
        shared.add_passages(row.id, paper.prints, paper.fields.title)
        shared.add(
            Clear, **place_of(station, session, actor, document=row.id, path=paper.path, size=len(paper.data))
        )
    else:
        keep_words(station, session, row, words)
        passages.keep(station, session, row.id, paper.prints, paper.fields.title)
        remember_place(station, session, actor, document=row.id, path=paper.path, size=len(paper.data))
    _remember_suggestion(station, session, row, paper, shared)
    shared.log(
        Entry(
            at=station.clock.now(), act="ingest", objects=(row.id, receipt.id, batch), person=actor.person,
            account=actor.user, role=None, level=paper.level.level.value if paper.level.level else None,
            facts={"pages": paper.pages, "basis": paper.level.basis, "must_review": row.must_review},
        )
    )  # fmt: skip
    if deposit is None:
        shared.close()
    elif signed_for or not shared.together:
        shared.settle()
    if signed_for:
        discrepancy.of_reading(
            station, session, actor, row, receipt=receipt, declared=declared, fields=paper.fields
        )
    return row


def enter_problem(
    station: Station,
    session: Session,
    actor: Actor,
    *,
    path: Path,
    data: bytes | None,
    identity: str,
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
    row = row_for(station, session, receipt, (identity, path_identity(path)))
    row.batch_id = batch
    row.status = status
    row.duplicate_tag = tag_of(station, session, identity)
    row.level_code = level.code if level else None
    words = {**words_of(station, session, row), "source_name": path.name if keep else None}
    keep_words(station, session, row, words)
    if keep and data is not None:
        if _original(session, row) is None:
            seal_artefacts(station, session, row, {"original": data})
        remember_place(station, session, actor, document=row.id, path=path, size=len(data))
    remember(station, session, row, None, "problem", "status", {"code": code})
    station.log(
        session, f"ingest.{status}", objects=(row.id, receipt.id, batch), person=actor.person,
        account=actor.user, level=level.value if level else None, result="failed", rule=code,
    )  # fmt: skip
    return row


def _original(session: Session, row: Document) -> Artefact | None:
    return session.scalars(
        select(Artefact).where(
            Artefact.document_id == row.id, Artefact.kind == "original", Artefact.state == "live"
        )
    ).first()


def seal_artefacts(station: Station, session: Session, row: Document, artefacts: dict[str, bytes]) -> None:
    """Seals artefacts under the document's own key (made now when it has none). Durable when this returns."""
    deposit = Deposit(station, session)
    _seal(station, session, row, artefacts, deposit)
    deposit.close()


def _seal(
    station: Station, session: Session, row: Document, artefacts: dict[str, bytes], deposit: Deposit
) -> None:
    if row.key_slot is not None:  # without one it never had an artefact
        for old in session.scalars(
            select(Artefact).where(
                Artefact.document_id == row.id, Artefact.kind.in_(artefacts), Artefact.state == "live"
            )
        ):
            old.state = "superseded"
    area = area_of(station, row)
    slot = row.key_slot = row.key_slot or deposit.slot(branch=area, group=group_of(row))
    sealed = deposit.put(slot, artefacts, area=area)
    for item in seal(artefacts, lambda kind, _data: sealed[kind]):
        deposit.add(
            Artefact, document_id=row.id, kind=item.kind, key_slot=slot, path=item.path, size=item.size,
            cipher_sha256=item.cipher_sha256,
        )  # fmt: skip


def group_of(row: Document) -> str:
    """What will fall due together, as far as it is known when the key is made: class and year, then where it ends.

    Their keys lie together, so that one destruction of many papers re-keys few pages of the key tree.
    """
    until = (row.retention_until or "")[:4]
    return f"{row.retention or row.suggested_retention or ''}.{until or row.year}"


def area_of(station: Station, row: Document) -> str:
    """The blob area of a document's level group, and its branch of the key tree (`levels_separate`; R-144)."""
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
            sealed=station.seal(session, EVENT, words, bind=row.id),
        )
    )  # fmt: skip


def _fill(
    station: Station, session: Session, row: Document, paper: ReadPaper, declared: dict[str, Any], *,
    scanned_anew: bool,
) -> dict[str, Any]:  # fmt: skip
    """Fills the row's columns. Returns its words, which are still to be sealed."""
    fields, level = paper.fields, paper.level
    made_of = kept_links(declared)
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
        "virus_scan": paper.virus_scan,
        SOURCES: [
            *made_of,
            *(link for link in links_of(level) if link[0] not in {one[0] for one in made_of}),
        ],
    }
    floor = row.suggested_level_code if made_of else None
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
    row.read_level_code = _read_level(paper)
    row.suggested_level_code = row.level_code
    row.suggested_retention = paper.retention.retention.value if paper.retention.retention else None
    row.must_review = (
        level.must_review
        or any(item.code in _SERIOUS for item in paper.findings)
        or any(code in _SERIOUS_DOUBTS for item in fields.evidence for code in item.doubt)
    )
    row.confidence_percent = round(100 * level.confidence)
    if floor is not None:
        _keep_above(station, row, Level.parse(floor))
    # a better scan undoes no act of a determiner
    set_period(row, level.period, changes_of(station, session, row) if scanned_anew else ())
    set_suggested(row, paper.retention)
    return words


def _keep_above(station: Station, row: Document, floor: Level) -> None:
    """A compilation is protected as its sources are, whatever its scan says, until a second person lowers it."""
    read = Level.parse(row.level_code) if row.level_code else None
    if station.policy.rank(read) < station.policy.rank(floor):
        held = Level.parse(row.interim_code) if row.interim_code else None
        row.suggested_level_code = floor.code
        row.interim_code = (station.policy.highest(held, floor) or floor).code
        row.must_review = True


def _read_level(paper: ReadPaper) -> str | None:
    """The level of the mark that was read; a company's own mark is read as the company's, without a star."""
    if paper.fields.mark is None:
        return None
    level = paper.level.level if paper.level.basis == "marked" else None
    return (level or paper.fields.mark.level).code


_SERIOUS = MUST_REVIEW | frozenset(
    {
        "text_layer_unsound", "low_confidence_page", "active_content", "ocr_page_timeout",
        "ocr_page_failed", "page_out_of_memory", "page_not_drawn", "hidden_mark",
        "text_layer_differs", "no_text_found",
        "virus_scan_failed", "ofd_reference_altered", "ofd_signature_altered", "ofd_picture_undrawn",
    }
)  # fmt: skip
"""Findings of the reading after which no machine's word goes unlooked at."""


_SERIOUS_DOUBTS = frozenset({"date_not_read", "impossible_date", "engines_disagree", "number_out_of_range"})
"""Doubts about a field after which its value must not pass unseen."""


def _remember_suggestion(
    station: Station, session: Session, row: Document, paper: ReadPaper, deposit: Deposit
) -> None:
    level = to_plain(paper.level)
    suggested = {
        "level": {
            "level": level["level"], "interim": level["interim"], "basis": level["basis"], "policy": level["policy"],
            "abstained": paper.level.abstained, "rule": _rule(paper.level.evidence, ("level", "interim")),
        },
        "retention": {
            "retention": row.suggested_retention, "rule": _rule(paper.retention.evidence, ("retention",)),
        },
    }  # fmt: skip
    for what, words in suggested.items():
        deposit.add(
            Event, document_id=row.id, at=station.now(), person=None, act="suggest", what=what,
            sealed=station.seal(session, EVENT, words, bind=row.id),
        )  # fmt: skip


def _rule(evidence: Sequence[Evidence], purposes: tuple[str, ...]) -> str | None:
    """The rule that speaks first for the suggestion; of the unit's list only that it was the list."""
    rules = (one.rule for purpose in purposes for one in evidence if one.for_ == purpose)
    rule = next(rules, None)
    return "unit_list" if rule is not None and rule.startswith("U:") else rule
