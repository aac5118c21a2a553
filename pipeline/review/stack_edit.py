"""A wrongly cut stack put right: a document split, or pages that belong together merged (`review split`, `merge`).

Only while the papers wait for a person. The pieces are read anew, get new numbers and keys of their own; the old rows
are void, name what replaces them, and keep their numbers. Their keys are destroyed at once: one key seals one
original, and what lives on under a new number must not stay readable under an old one once the new one is destroyed.
Nothing is lost by that, for every page of the old file is in a new one; so it needs no destruction protocol. Killed
between the two steps, the next edit finishes what was left (`finish`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.level import Level
from ...models.tables import Artefact, Carrier, Clear, Copy, DestructionItem, Document, Hold, Receipt, Scan
from ..desk import matters
from ..intake import passages
from ..intake.above import keys_going, open_above
from ..intake.carriers import move_scans, void
from ..intake.judgement import Judgement, load_judgement, open_artefact
from ..intake.reading import Judged, Part
from ..intake.register_entry import Deposit, enter, enter_problem, part_identity, remember
from ..intake.source_file import path_of
from ..papers.documents import document_json, words_of
from ..persons import access
from ..persons.actors import Actor, acting
from ..station.station import Station
from .reread import Desk, marked_above, paper_of

OPEN = ("pending", "pending_second")
_SCANS = frozenset({"pdf", "tiff", "jpeg", "png", "bmp", "gif", "webp", "jp2"})
_CUT = frozenset({"pdf", "tiff"})


def split_document(station: Station, actor: Actor, *, document: str, at: Sequence[int]) -> dict[str, Any]:
    """Cuts a document before each of the pages `at` (from 2). The new documents, in order.

    Raises:
        UsageFault: no such page. Refused: not under review, held, copies or a destruction open, signed, not a scan,
            or a piece could not be read.
    """
    finish(station)
    with acting(station, actor, "review.split", objects=(document,)) as session:
        row, judgement, data = _open(station, session, actor, document, _CUT)
        origin = row.origin
    starts = sorted(set(at))
    with Desk(station, origin=origin, pieces=len(starts) + 1) as desk:
        total = desk.look(data, document)
        if not starts or starts[0] < 2 or starts[-1] > total:
            raise UsageFault("bad_split_pages", pages="、".join(map(str, at)), last=total)
        ranges = [range(a, b) for a, b in zip([1, *starts], [*starts, total + 1], strict=True)]
        read = desk.read([desk.ask("cut", {"pages": list(pages)}, data) for pages in ranges], [document])
    identities = [part_identity(judgement.sha256, pages[0], pages[-1]) for pages in ranges]
    return _replace(station, actor, [document], read, identities, act="review.split")


def merge_documents(station: Station, actor: Actor, *, documents: Sequence[str]) -> dict[str, Any]:
    """Puts documents together, in the order given, into a new one.

    Raises:
        UsageFault: fewer than two. Refused: as `split_document`.
    """
    chosen = list(dict.fromkeys(documents))
    if len(chosen) < 2:
        raise UsageFault("merge_needs_two")
    finish(station)
    with acting(station, actor, "review.merge", objects=tuple(chosen)) as session:
        opened = [_open(station, session, actor, document, _SCANS) for document in chosen]
        origin = opened[0][0].origin
    originals = [data for _, _, data in opened]
    with Desk(station, origin=origin) as desk:
        for document, data in zip(chosen, originals, strict=True):
            desk.look(data, document)
        fields = {"sizes": [len(data) for data in originals], "picks": []}
        read = desk.read([desk.ask("join", fields, b"".join(originals))], chosen)
    whole = hashlib.sha256(b"".join(judgement.sha256.encode() for _, judgement, _ in opened)).hexdigest()
    return _replace(station, actor, chosen, read, [whole], act="review.merge")


def finish(station: Station) -> None:
    """Lets the keys of replaced entries go, also those that a killed run had left."""
    with station.read() as session:
        slots = [
            str(slot)
            for slot in session.scalars(
                select(Document.key_slot).where(Document.status == "void", Document.key_slot.is_not(None))
            )
        ]
    if not slots:
        return
    with keys_going(station, slots) as rewrite, station.write() as session:
        rows = session.scalars(
            select(Document).where(Document.status == "void", Document.key_slot.in_(slots))
        ).all()
        for row in rows:
            session.execute(delete(Scan).where(Scan.document_id == row.id))
            session.execute(delete(Artefact).where(Artefact.document_id == row.id))
            session.execute(delete(Clear).where(Clear.document_id == row.id))
            row.key_slot = None
        passages.forget(session, [row.id for row in rows])
        rewrite(session)
        station.log(
            session, "document.void", objects=tuple(row.id for row in rows), facts={"keys": len(slots)}
        )


def check_free(station: Station, session: Session, row: Document) -> None:
    """Nothing else stands on the document: no hold, no copy, no open destruction, no matter that forbids it.

    Raises:
        Refused: something does.
    """
    matters.check_free(station, session, row.id, "review.edit")
    held = session.scalars(
        select(Hold.id).where(Hold.document_id == row.id, Hold.lifted_at.is_(None))
    ).first()
    copied = session.scalars(select(Copy.id).where(Copy.document_id == row.id)).first()
    listed = session.scalars(
        select(DestructionItem.destruction_id).where(
            DestructionItem.item_id == row.id, DestructionItem.open.is_(True)
        )
    ).first()
    if held is not None:
        raise Refused("document_held", document=row.id)
    if copied is not None:
        raise Refused("copies_exist", document=row.id)
    if listed is not None:
        raise Refused("in_other_batch", item=row.id, batch=listed)


# ---------------------------------------------------------------- parts


def _open(
    station: Station, session: Session, actor: Actor, document: str, formats: frozenset[str]
) -> tuple[Document, Judgement, bytes]:
    """The row, its judgement and its original, where all allows that it is taken apart."""
    row = access.get_document(session, document)
    access.check_clearance(station, session, actor.person, row)
    if row.status not in OPEN:
        raise Refused("not_in_review", document=document, status=row.status)
    check_free(station, session, row)
    judgement = load_judgement(station, session, document)
    data = open_artefact(station, session, document, "original")
    if judgement is None or data is None:
        raise Refused("not_in_review", document=document, status=row.status)
    if judgement.format not in formats or judgement.password is not None:
        raise Refused("not_a_scan", document=document, format=judgement.format)
    session.expunge(row)
    return row, judgement, data


def _replace(
    station: Station,
    actor: Actor,
    old: Sequence[str],
    read: Sequence[tuple[Part, Judged]],
    identities: Sequence[str],
    *,
    act: str,
) -> dict[str, Any]:
    """New rows for the pieces, the old ones void, in one transaction; then the old keys go."""
    with acting(station, actor, act, objects=tuple(old)) as session:
        rows = [access.get_document(session, document) for document in old]
        for row in rows:
            if row.status not in OPEN:
                raise Refused("not_in_review", document=row.id, status=row.status)
            check_free(station, session, row)
        first = rows[0]
        receipt = session.get_one(Receipt, first.receipt_id)
        deposit = Deposit(station, session)
        places = list(session.scalars(select(Clear).where(Clear.document_id.in_(old)).order_by(Clear.id)))
        path = _path(station, session, first, places)
        tags = [row.duplicate_tag for row in rows if row.duplicate_tag is not None]
        for (
            row
        ) in rows:  # before the new ones are entered: they must not be taken for their own former versions
            row.duplicate_tag = row.paper_tag = None
            row.status = "void"
        session.flush()
        made: list[Document] = []
        for (part, judged), identity in zip(read, identities, strict=True):
            level = marked_above(station, judged)
            if level is not None:
                made.append(
                    _refused(station, session, actor, path, identity, level, receipt, str(first.batch_id))
                )
                continue
            paper = paper_of(part, judged, path=path, identity=identity)
            row = enter(
                station, session, actor, paper, receipt=receipt, batch=str(first.batch_id), deposit=deposit
            )
            row.must_review = True
            row.urgency = row.urgency or first.urgency
            session.execute(delete(Clear).where(Clear.document_id == row.id))
            _same_places(session, row, places)
            made.append(row)
        deposit.close()
        ids = [row.id for row in made]
        _carry_over(station, session, rows, made, tags)
        for row in rows:
            row.status = "pending"
            void(station, session, actor, row, replaced_by=ids, act=act)
            if len(made) == 1:
                row.parent_id = made[0].id
        for row in made:
            if len(old) == 1:
                row.parent_id = old[0]
            remember(
                station, session, row, actor.person, act.partition(".")[2], "status", {"from": list(old)}
            )
        station.log(
            session, act, objects=(*old, *ids), person=actor.person, account=actor.user,
            facts={"old": len(old), "new": len(ids)},
        )  # fmt: skip
        session.flush()
        value = {
            "documents": [document_json(station, session, row, actor=actor) for row in made],
            "void": list(old),
        }
    finish(station)
    return value


def _path(station: Station, session: Session, row: Document, places: Sequence[Clear]) -> Path:
    known = next((item.id for item in places if item.document_id == row.id and item.kind == "inbox"), None)
    if known is not None:
        return Path(path_of(station, session, known))
    return Path(str(words_of(station, session, row).get("source_name") or row.id))


def _same_places(session: Session, row: Document, places: Sequence[Clear]) -> None:
    """Where the old file lies in clear, the new document does too."""
    for place in places:
        session.add(
            Clear(
                document_id=row.id, kind=place.kind, at=place.at, state=place.state, holder=place.holder,
                grade=place.grade, sealed=place.sealed,
            )
        )  # fmt: skip
    session.flush()


def _carry_over(
    station: Station,
    session: Session,
    old: Sequence[Document],
    made: Sequence[Document],
    tags: Sequence[bytes],
) -> None:
    """Carriers go with their serial, else to the first, with their scans; the old file is a duplicate of the first."""
    kept = [row for row in made if row.status != "refused"] or list(made)
    serials = {serial: row for row in kept for serial in words_of(station, session, row).get("serials") or ()}
    ids = [row.id for row in old]
    for carrier in session.scalars(select(Carrier).where(Carrier.document_id.in_(ids))):
        carrier.document_id = serials.get(carrier.serial or "", kept[0]).id
    session.flush()
    move_scans(station, session, ids, {row.id: row for row in kept})
    for tag in tags:
        session.add(Scan(document_id=kept[0].id, kind="source", tag=tag, at=station.now()))
    session.flush()


def _refused(
    station: Station,
    session: Session,
    actor: Actor,
    path: Path,
    identity: str,
    level: Level,
    receipt: Receipt,
    batch: str,
) -> Document:
    """A piece marked above the station's level: only the fact stays, an incident opens (R-021)."""
    row = enter_problem(
        station, session, actor, path=path, data=None, identity=identity, status="refused",
        code="above_station_level", level=level, receipt=receipt, batch=batch,
    )  # fmt: skip
    open_above(station, session, actor, row.id, level)
    return row
