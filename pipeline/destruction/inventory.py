"""What a destruction batch is about: its list, line by line, and what blocks each line.

The list binds ids, levels, retention, pages and titles; its hash is what is counted, approved and executed (TL art. 28;
002-B§2.4). With an item goes every sealed file of it. The checks run at listing, counting, approval and execution; each
block names its rule (destruction.md section 5; the reasons' own checks: the command line contract).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import NotThere, Refused, UsageFault
from ...models.certificate import ArtefactOutcome, ItemKind, ListItem, list_digest, title_salt
from ...models.ledger_entry import hash_reason
from ...models.tables import (
    Carrier,
    Copy,
    Destruction,
    DestructionItem,
    Document,
)
from ..learning import station_model
from ..papers.documents import level_name, words_of
from ..papers.main_copy import archive_copy_at, main_of
from ..persons import access, subjects
from ..station.station import Station
from .known import Known, know
from .parts import Part

REASONS = (
    "retention_expired", "no_filing_value", "surplus_copy", "duplicate", "waste_draft", "returned_original",
    "pi_erasure", "misfiled", "media_retired",
)  # fmt: skip
OPEN_STATES = ("proposed", "counted", "approved", "supervised", "executing")
_ALIVE = ("pending", "pending_second", "registered", "archived")
_PERSONAL = frozenset({"patient_privacy", "sensitive_pi", "personal_info", "personnel_file"})


def make_list(
    station: Station,
    session: Session,
    *,
    documents: Sequence[str] = (),
    copies: Sequence[str] = (),
    carriers: Sequence[str] = (),
    media: Sequence[tuple[str, str]] = (),
    salt: bytes,
) -> tuple[ListItem, ...]:
    """The lines of a batch: each document, then each of its copies that has a sealed master, then single copies; or
    originals on paper and media.

    Args:
        media: number of each storage medium, and the level of what it held.
        salt: of the batch's title commitments.

    Raises:
        NotThere: unknown document, copy or original. Refused: destroyed already. UsageFault: nothing to destroy, or
            both kinds in one batch.
    """
    if (carriers or media) and (documents or copies):
        raise UsageFault("kinds_apart")
    if carriers or media:
        return _physical(station, session, carriers, media, salt)
    rows: list[Document | Copy] = []
    known = know(session, documents)
    for document in dict.fromkeys(documents):
        row = known.documents.get(document) or access.get_document(session, document)
        if row.status == "destroyed":
            raise Refused("already_destroyed", document=document)
        rows.append(row)
        rows += [copy for copy in known.copies.get(document, ()) if copy.status != "destroyed"]
    for copy in dict.fromkeys(copies):
        found = session.get(Copy, copy)
        if found is None:
            raise NotThere("no_copy", copy=copy)
        if found.status == "destroyed":
            raise Refused("already_destroyed", document=copy)
        if found not in rows:
            rows.append(found)
    if not rows:
        raise UsageFault("nothing_to_destroy")
    return tuple(
        _line(station, session, number, row, salt, models=known.models)
        for number, row in enumerate(rows, start=1)
    )


def _physical(
    station: Station,
    session: Session,
    carriers: Sequence[str],
    media: Sequence[tuple[str, str]],
    salt: bytes,
) -> tuple[ListItem, ...]:
    lines: list[ListItem] = []
    for name in dict.fromkeys(carriers):
        row = session.get(Carrier, name)
        if row is None or row.document_id is None:
            raise NotThere("no_object", object=name)
        if row.state == "destroyed":
            raise Refused("already_destroyed", document=name)
        lines.append(_line(station, session, len(lines) + 1, row, salt))
    lines += [
        ListItem(item=number, kind="medium", id=name, level=level)
        for number, (name, level) in enumerate(dict(media).items(), start=len(lines) + 1)
    ]
    return tuple(lines)


def document_of(session: Session, item: ListItem) -> Document | None:
    """The document a line belongs to; a storage medium has none."""
    return None if item.register_no is None else session.get_one(Document, item.register_no)


def _line(
    station: Station,
    session: Session,
    number: int,
    row: Document | Copy | Carrier,
    salt: bytes,
    *,
    models: frozenset[str] = frozenset(),
) -> ListItem:
    document = row if isinstance(row, Document) else session.get_one(Document, str(row.document_id))
    title = words_of(station, session, document).get("title") or ""
    level = level_name(document.level_code)
    return ListItem(
        item=number,
        kind=_KIND[type(row)],
        id=row.id,
        register_no=document.id,
        copy_no=str(row.number) if isinstance(row, Copy) else None,
        level=level,
        pages=document.pages,
        copies=1,
        retention=document.retention,
        retention_until=document.retention_until,
        title_commitment=hash_reason(title, title_salt(salt, row.id)),
        derived=tuple(station_model.models_of(session, row.id)) if row.id in models else (),
    )


def is_unchanged(
    station: Station, session: Session, batch: Destruction, items: Sequence[ListItem], salt: bytes
) -> bool:
    """Whether the list would come out the same today."""
    named: dict[str, list[str]] = {"document": [], "copy": [], "carrier": []}
    for item in items:
        named.setdefault(item.kind, []).append(item.id)
    try:
        now = make_list(
            station, session, documents=named["document"], copies=named["copy"], carriers=named["carrier"],
            media=[(item.id, item.level or "") for item in items if item.kind == "medium"], salt=salt,
        )  # fmt: skip
    except (NotThere, Refused):
        return False
    return list_digest(now) == batch.list_sha256


def outcomes_of(session: Session, part: Part, item: ListItem) -> tuple[ArtefactOutcome, ...]:
    """What became of every sealed file of a line, with the eraser's grade; a model is named by its number."""
    rows = part.files(item, ("destroyed", "shredding"))
    slots = [row.key_slot for row in rows if row.kind == station_model.KIND]
    models = station_model.named(session, slots) if slots else {}
    return tuple(
        ArtefactOutcome(
            artefact=models.get(row.key_slot, str(row.id)),
            kind=row.kind,
            sha256=row.cipher_sha256,
            methods=("crypto_erase", "delete_only" if row.outcome == "unlinked_only" else "overwrite(1)"),
            grade=row.outcome or "failed",
        )
        for row in rows
    )


def require_free(session: Session, items: Sequence[ListItem]) -> None:
    """A document stands in one open batch only.

    Raises:
        Refused: it stands in another one.
    """
    for item in items:
        other = session.scalars(
            select(DestructionItem.destruction_id).where(
                DestructionItem.item_id == item.id, DestructionItem.open.is_(True)
            )
        ).first()
        if other is not None:
            raise Refused("in_other_batch", item=item.id, batch=other)


def blocks_of(
    station: Station,
    session: Session,
    *,
    reason: str,
    item: ListItem,
    items: Sequence[ListItem],
    known: Known | None = None,
    together: frozenset[str] | None = None,
) -> list[dict[str, Any]]:
    """Everything that stands in the way of destroying a line of the list now: code, rule, and who can lift it."""
    if item.kind == "medium":
        return [] if reason == "media_retired" else [_block("not_for_media", "000-I§7", "-", medium=item.id)]
    name = str(item.register_no)
    known = known or know(session, (name,))
    document = known.documents.get(name) or session.get_one(Document, name)
    if item.kind == "carrier":
        return _paper_blocks(station, session, known, document, item.id, reason, items)
    together = together if together is not None else frozenset(line.id for line in items)
    copies = known.copies.get(document.id, [])
    if item.kind == "copy":
        copy = next(one for one in copies if one.id == item.id)
        return _common(known, document, (copy,)) + _copy_blocks(session, document, copy, reason, together)
    blocks = _common(known, document, copies) + _carriers(station, known, document)
    if reason == "duplicate":
        return blocks + _duplicate(station, session, document, together)
    return blocks + _REASON[reason](station, session, document)


def all_blocks(
    station: Station, session: Session, *, reason: str, items: Sequence[ListItem]
) -> list[list[dict[str, Any]]]:
    """`blocks_of` every line, in their order."""
    known = know(session, [str(item.register_no) for item in items if item.register_no is not None])
    together = frozenset(line.id for line in items)
    return [
        blocks_of(station, session, reason=reason, item=item, items=items, known=known, together=together)
        for item in items
    ]


def _block(code: str, rule: str, lift: str, **facts: Any) -> dict[str, Any]:
    return {"code": code, "rule": rule, "lifted_by": lift, **facts}


def _common(known: Known, document: Document, copies: Sequence[Copy]) -> list[dict[str, Any]]:
    blocks = [
        _block("hold", "destruction.md §5", "leader_in_charge、principal、secadmin", since=hold.at)
        for hold in known.holds.get(document.id, ())
    ]
    blocks += [
        _block("incident", "R-104", "head_of_room", since=incident.at, incident=incident.id)
        for incident in known.incidents.get(document.id, ())
    ]
    blocks += [
        _block("copy_out", "R-094", "jiyao_clerk", copy=copy.id, since=copy.issued_at)
        for copy in copies
        if copy.status in ("issued", "recalled")
    ]
    return blocks


def _carriers(station: Station, known: Known, document: Document) -> list[dict[str, Any]]:
    blocks = []
    for carrier in known.carriers.get(document.id, ()):
        if carrier.state == "missing":
            blocks.append(_block("carrier_missing", "R-104", "head_of_room", carrier=carrier.id))
        elif carrier.state in ("held", "archived") and (
            (carrier.return_due and carrier.state == "held") or subjects.of_superior(station.policy, document)
        ):
            blocks.append(_block("return_due", "001-A§5; TL art. 27", "jiyao_clerk", carrier=carrier.id))
        elif carrier.state in ("out", "lent", "carried", "transit"):
            blocks.append(_block("carrier_out", "R-094", "jiyao_clerk", carrier=carrier.id))
    blocks += [
        _block("matter_open", "R-052", "jiyao_clerk", matter=matter)
        for matter in known.matters.get(document.id, ())
    ]
    return blocks


def _confirmed(document: Document) -> list[dict[str, Any]]:
    if document.confirmed and document.status in ("registered", "archived"):
        return []
    return [_block("not_confirmed", "R-023", "jiyao_clerk")]


def _retention_expired(station: Station, _session: Session, document: Document) -> list[dict[str, Any]]:
    blocks = _confirmed(document)
    if document.retention == "永久":
        blocks.append(_block("permanent", "令第8号 art. 6", "-"))
    elif document.retention in (None, "不归档"):
        blocks.append(_block("no_retention_period", "令第8号 art. 6", "archivist"))
    elif _waits(document):
        blocks.append(_waiting(document))
    elif not document.retention_until or document.retention_until > today(station.clock).isoformat():
        blocks.append(_block("not_expired", "档案法 art. 21", "-", until=document.retention_until))
    if not _appraised(document):
        blocks.append(_block("not_appraised", "档案法实施条例 art. 24", "archivist"))
    return blocks + _settled(document)


def _settled(document: Document) -> list[dict[str, Any]]:
    """Whether the retention is more than the machine's guess about what only the archivist can say."""
    if not document.retention_open:
        return []
    return [_block("retention_open", "令第8号 art. 7-8", "archivist")]


def _waits(document: Document) -> bool:
    """Whether the years wait for something that has not happened yet (`documents event`)."""
    return (
        document.retention_event is not None
        and document.retention_event_on is None
        and document.retention not in (None, "永久", "不归档")
    )


def _waiting(document: Document) -> dict[str, Any]:
    return _block("clock_not_started", "档案法 art. 21", "archivist", event=document.retention_event)


def _appraised(document: Document) -> bool:
    """What is appraised is the expired file: a word given before the end of the retention does not count."""
    if document.appraised_at is None:
        return False
    return document.retention_until is None or document.appraised_at[:10] >= document.retention_until


def _no_filing_value(_station: Station, _session: Session, document: Document) -> list[dict[str, Any]]:
    blocks = _confirmed(document)
    if document.retention != "不归档":
        blocks.append(_block("has_filing_value", "004-B§4.8", "archivist", retention=document.retention))
    if document.archived_at:
        blocks.append(_block("archived", "档案法 art. 21", "archivist"))
    return blocks + _settled(document)


def _surplus_copy(_station: Station, _session: Session, _document: Document) -> list[dict[str, Any]]:
    return [_block("not_a_copy", "destruction.md §5", "-")]


def _duplicate(
    station: Station, session: Session, document: Document, together: frozenset[str]
) -> list[dict[str, Any]]:
    """A twin that goes with the same list is no living twin."""
    own = words_of(station, session, document)
    key = [own.get(name) for name in ("title", "doc_number", "organs")]
    if key[0] or key[1]:
        for other in session.scalars(
            select(Document).where(Document.id != document.id, Document.status.in_(_ALIVE))
        ):
            words = words_of(station, session, other)
            if (
                other.id not in together
                and [words.get(name) for name in ("title", "doc_number", "organs")] == key
            ):
                return []
    return [_block("no_living_twin", "destruction.md §5", "-")]


def _waste_draft(_station: Station, session: Session, document: Document) -> list[dict[str, Any]]:
    issued = session.scalars(select(Copy.id).where(Copy.document_id == document.id)).first()
    blocks = [] if issued is None else [_block("was_issued", "004-B§4.3", "-", copy=issued)]
    if document.archived_at:
        blocks.append(_block("archived", "档案法 art. 21", "archivist"))
    return blocks


def _returned_original(_station: Station, session: Session, document: Document) -> list[dict[str, Any]]:
    carriers = session.scalars(select(Carrier.state).where(Carrier.document_id == document.id)).all()
    if carriers and all(state == "returned" for state in carriers):
        return []
    return [_block("carrier_not_returned", "001-A§5; TL art. 27", "jiyao_clerk")]


def _pi_erasure(station: Station, _session: Session, document: Document) -> list[dict[str, Any]]:
    blocks = []
    if not _PERSONAL & set(document.overlays.split(",")):
        blocks.append(_block("no_personal_data", "个人信息保护法 art. 47", "-"))
    kept = document.retention == "永久" or (
        document.retention_until is not None and document.retention_until > today(station.clock).isoformat()
    )
    if document.retention is None:
        blocks.append(_block("no_retention_period", "个人信息保护法 art. 47", "archivist"))
    elif _waits(document):
        blocks.append(_waiting(document))
    elif kept and document.retention != "不归档":
        blocks.append(
            _block("legal_retention", "个人信息保护法 art. 47", "-", until=document.retention_until)
        )
    return blocks


def _misfiled(_station: Station, _session: Session, document: Document) -> list[dict[str, Any]]:
    if document.archived_at:
        return [_block("archived", "档案法 art. 21", "archivist")]
    return []


def _media_retired(_station: Station, _session: Session, _document: Document) -> list[dict[str, Any]]:
    return [_block("not_a_medium", "000-I§7", "-")]


_KIND: dict[type, ItemKind] = {Document: "document", Copy: "copy", Carrier: "carrier"}
_REASON = {
    "retention_expired": _retention_expired,
    "no_filing_value": _no_filing_value,
    "surplus_copy": _surplus_copy,
    "waste_draft": _waste_draft,
    "returned_original": _returned_original,
    "pi_erasure": _pi_erasure,
    "misfiled": _misfiled,
    "media_retired": _media_retired,
}


def _paper_blocks(
    station: Station,
    session: Session,
    known: Known,
    document: Document,
    name: str,
    reason: str,
    items: Sequence[ListItem],
) -> list[dict[str, Any]]:
    """Paper follows its document once that is destroyed; before, the document's own rules bind it."""
    carrier = session.get_one(Carrier, name)
    blocks = _common(known, document, ())
    if carrier.state not in ("held", "archived"):
        code = {"missing": "carrier_missing", "lost": "carrier_missing"}.get(carrier.state, "carrier_gone")
        if carrier.state in ("out", "lent", "carried", "transit"):
            code = "carrier_out"
        return [*blocks, _block(code, "R-104", "jiyao_clerk", carrier=carrier.id)]
    if (carrier.return_due and carrier.state == "held") or subjects.of_superior(station.policy, document):
        blocks.append(_block("return_due", "001-A§5; TL art. 27", "jiyao_clerk", carrier=carrier.id))
    if document.status == "destroyed":
        return blocks
    if reason == "surplus_copy":
        all_of = session.scalars(select(Carrier).where(Carrier.document_id == document.id)).all()
        main = main_of(all_of)
        if main is None or main.id in {line.id for line in items}:
            blocks.append(_block("is_main_copy", "令第8号 art. 4", "-", carrier=carrier.id))
        return blocks
    if reason == "duplicate":
        return blocks + _duplicate(station, session, document, frozenset((document.id,)))
    return blocks + _REASON[reason](station, session, document)


def _copy_blocks(
    session: Session, document: Document, copy: Copy, reason: str, together: frozenset[str]
) -> list[dict[str, Any]]:
    """A copy goes with its document, or alone as surplus or duplicate while the document is kept."""
    if document.id in together:
        return []
    if reason not in ("surplus_copy", "duplicate"):
        return [_block("copy_alone", "destruction.md §5", "-", document=document.id)]
    if document.status not in _ALIVE or archive_copy_at(session, document) is None:
        return [_block("main_copy_gone", "destruction.md §5", "-")]
    if copy.status == "lost":
        return [_block("copy_lost", "R-104", "head_of_room", copy=copy.id)]
    return []
