"""Batches at the desk: the closing count, separator sheets, handing over from one operator to the next, closing.

The count is taken from the register, never from memory: what a batch brought in, what a person has confirmed, what
waits. A batch is closed when nothing waits and the count by hand, where one is given, is the register's (R-001, R-004:
清点、登记、编号、签收; R-016: each post has its responsible person).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from ...common.canonical import canonical, digest
from ...common.errors import NotThere, Refused, UsageFault
from ...common.files import write_new
from ...common.paging import HEAVY, cut
from ...models.tables import Batch, Carrier, Document, Movement, Receipt
from ..desk import movements
from ..papers.documents import words_of
from ..persons import access, four_eyes, people
from ..persons.actors import Actor, acting
from ..station.station import Station

_WAITING = ("received", "pending", "pending_second")
_UNREAD = ("quarantined", "failed")
_CONFIRMED = ("registered", "archived", "handed_over", "destroyed")
_KIND: Final = "batch"
MOST_SHEETS = 200


def list_batches(
    station: Station, actor: Actor, *, limit: int = HEAVY, after: str | None = None
) -> dict[str, Any]:
    """Batches with their counts, newest first; `after`: goes on behind this one."""
    with acting(station, actor, "batch.list") as session:
        wanted = select(Batch).order_by(Batch.at.desc(), Batch.id.desc()).limit(limit + 1)
        if after is not None:
            last = find_batch(station, session, after)
            wanted = wanted.where(tuple_(Batch.at, Batch.id) < tuple_(last.at, last.id))
        rows, rest = cut(session.scalars(wanted).all(), limit, lambda row: row.id)
        return {"batches": [_head(station, session, row) for row in rows], **rest}


def show_batch(station: Station, actor: Actor, *, batch: str) -> dict[str, Any]:
    """The closing count of one batch, its documents, and what is still open.

    Raises:
        NotThere: no such batch. UsageFault: several batches have that name.
    """
    with acting(station, actor, "batch.show", objects=(batch,)) as session:
        row = find_batch(station, session, batch)
        return _whole(station, session, actor, row)


def hand_over(station: Station, actor: Actor, *, batch: str, to: str | None) -> dict[str, Any]:
    """From one operator to the next: the holder offers it with `to`, the other takes it without. Both sign the count.

    Raises:
        Refused: the actor does not hold it, or it was not offered to the actor; changed meanwhile; closed; to oneself.
    """
    with acting(station, actor, "batch.handover", objects=(batch,)) as session:
        row = find_batch(station, session, batch)
        _check_open(row)
        offer = _offer(session, row)
        if to is not None:
            taker = people.find_person(station, session, to)
            holder = holder_of(session, row)
            if actor.person != holder:
                raise Refused("batch_not_held", batch=row.id, holder=holder)
            four_eyes.apart(session, actor.person, None, [(taker, None)], since=station.now())
            _move(station, session, actor, row, "offer", giver=actor.person, taker=taker)
        else:
            if offer is None or offer.taker != actor.person:
                raise Refused("batch_not_offered", batch=row.id, person=actor.person)
            told = station.unseal(session, movements.NOTE, bytes(offer.note_sealed or b""), bind=row.id)
            if told["count_sha256"] != _digest(session, row):
                raise Refused("batch_changed", batch=row.id)
            _move(station, session, actor, row, "take", giver=offer.giver, taker=actor.person)
        return _whole(station, session, actor, row)


def close(
    station: Station, actor: Actor, *, batch: str, envelopes: int | None = None, documents: int | None = None,
    pages: int | None = None, reason: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Closes a batch with its count.

    Args:
        envelopes, documents, pages: as counted by hand; each that is given must be the register's.
        reason: why files that could not be read stay as they are; without it they keep the batch open.

    Raises:
        Refused: `batch_waiting`, `batch_unread`, `batch_count_differs`, closed already, not the holder.
    """
    why = station.reason(reason) if reason is not None else None
    with acting(station, actor, "batch.close", objects=(batch,)) as session:
        row = find_batch(station, session, batch)
        _check_open(row)
        holder = holder_of(session, row)
        if actor.person != holder:
            raise Refused("batch_not_held", batch=row.id, holder=holder)
        rows = _documents(session, row)
        waiting = [item.id for item in rows if item.status in _WAITING]
        if waiting:
            raise Refused("batch_waiting", batch=row.id, count=len(waiting), documents=_some(waiting))
        unread = [item.id for item in rows if item.status in _UNREAD]
        if unread and why is None:
            raise Refused("batch_unread", batch=row.id, count=len(unread), documents=_some(unread))
        counts = _counts(session, row)
        for name, given in (("envelopes", envelopes), ("documents", documents), ("pages", pages)):
            if given is not None and given != counts[name]:
                raise Refused(
                    "batch_count_differs", batch=row.id, what=name, given=given, register=counts[name]
                )
        _move(station, session, actor, row, "close", giver=actor.person, taker=None)
        station.log(
            session, "batch.close", objects=(row.id, *unread), person=actor.person, account=actor.user,
            reason=why, facts={**counts, "by_hand": any(x is not None for x in (envelopes, documents, pages))},
        )  # fmt: skip
        return _whole(station, session, actor, row)


def write_separators(
    station: Station, actor: Actor, *, ids: Sequence[str], out: Path, count: int | None = None,
    pages: Sequence[int] = (),
) -> dict[str, Any]:  # fmt: skip
    """Prints separator sheets: for receipts (`count` sheets each, one by default), or for the documents of a batch.

    Args:
        ids: receipts or batches. pages: of the papers behind the sheets, in order; those of a batch are known.

    Raises:
        NotThere: neither a receipt nor a batch. UsageFault: too many sheets, or more page counts than sheets.
        Refused: the file exists already.
    """
    from ...stages.separator import SeparatorSpec, draw_separators

    with acting(station, actor, "batch.sheet", objects=tuple(ids)) as session:
        sheets: list[SeparatorSpec] = []
        batch = ""
        for word in ids:
            if session.get(Receipt, word) is not None:
                each = count or 1
                sheets += [SeparatorSpec(receipt=word, order=order, of=each) for order in range(1, each + 1)]
                continue
            row = find_batch(station, session, word)
            batch = row.id if len(ids) == 1 else ""
            rows = [item for item in _documents(session, row) if item.status in (*_WAITING, *_CONFIRMED)]
            sheets += [
                SeparatorSpec(
                    receipt=item.receipt_id, order=order, of=len(rows), pages=item.pages or None,
                    document=item.id,
                )
                for order, item in enumerate(rows, start=1)
            ]  # fmt: skip
        sheets = _with_pages(sheets, pages)
        station.log(
            session, "batch.sheet", objects=tuple(ids), person=actor.person, account=actor.user,
            facts={"sheets": len(sheets)},
        )  # fmt: skip
    unit = station.settings.unit.removesuffix("机要室")
    sha256 = write_new(out, draw_separators(sheets, unit=unit, batch=batch))
    return {
        "file": str(out), "sha256": sha256,
        "sheets": [
            {"receipt": item.receipt, "order": item.order, "of": item.of, "pages": item.pages}
            for item in sheets
        ],
    }  # fmt: skip


def find_batch(station: Station, session: Session, word: str) -> Batch:
    """A batch by its number, or by a name that only one has.

    Raises:
        NotThere: none. UsageFault: several of that name.
    """
    if (row := session.get(Batch, word)) is not None:
        return row
    named = [row for row in session.scalars(select(Batch)) if _name(station, session, row) == word]
    if not named:
        raise NotThere("no_batch", batch=word)
    if len(named) > 1:
        raise UsageFault("batch_name_shared", batch=word, batches="、".join(row.id for row in named))
    return named[0]


def holder_of(session: Session, row: Batch) -> str:
    """Who answers for the batch now: who took it over last, else who took the mail in."""
    taken = session.scalars(
        select(Movement)
        .where(Movement.object_kind == _KIND, Movement.object_id == row.id, Movement.act == "take")
        .order_by(Movement.id.desc())
    ).first()
    return str(taken.taker) if taken is not None else row.by


# ---------------------------------------------------------------- parts


def _with_pages(sheets: list[Any], pages: Sequence[int]) -> list[Any]:
    from dataclasses import replace

    if not sheets:
        raise UsageFault("nothing_to_print")
    if len(sheets) > MOST_SHEETS:
        raise UsageFault("too_many_sheets", count=len(sheets), most=MOST_SHEETS)
    if len(pages) > len(sheets):
        raise UsageFault("more_pages_than_sheets", pages=len(pages), sheets=len(sheets))
    given = [*pages, *[None] * (len(sheets) - len(pages))]
    return [
        replace(sheet, pages=number) if number is not None else sheet
        for sheet, number in zip(sheets, given, strict=True)
    ]


def _check_open(row: Batch) -> None:
    if row.state == "closed":
        raise Refused("batch_closed", batch=row.id)


def _offer(session: Session, row: Batch) -> Movement | None:
    """The last offer that nobody has taken."""
    last = session.scalars(
        select(Movement)
        .where(Movement.object_kind == _KIND, Movement.object_id == row.id)
        .order_by(Movement.id.desc())
    ).first()
    return last if last is not None and last.act == "offer" else None


def _move(
    station: Station, session: Session, actor: Actor, row: Batch, act: str, *, giver: str | None,
    taker: str | None,
) -> None:  # fmt: skip
    """One signed step; the statement and its signature are sealed with it, the ledger has their hash."""
    count = _digest(session, row)
    at = station.now()
    statement = canonical(
        {
            "type": "jiyao.batch/1", "act": act, "batch": row.id, "person": actor.person, "giver": giver,
            "taker": taker, "count_sha256": count, "counts": _counts(session, row), "at": at,
        }
    )  # fmt: skip
    words = {
        "count_sha256": count, "statement": statement.decode(), "signature": actor.sign(statement).hex(),
    }  # fmt: skip
    rule = movements.rule_of(station, act, _KIND)
    movements.record(
        station, session, actor, kind=_KIND, object_id=row.id, document=None, act=act, before=row.state,
        after=rule.after, giver=giver, taker=taker, hand=movements.Hand(words=words),
    )  # fmt: skip
    row.state = rule.after
    if act != "close":
        station.log(
            session, "batch.handover", objects=(row.id, *filter(None, (giver, taker))), person=actor.person,
            account=actor.user, facts={"step": act, "count_sha256": count},
        )  # fmt: skip


def _digest(session: Session, row: Batch) -> str:
    """The hash of what is handed over: every document with its status and pages."""
    rows = [[item.id, item.status, item.pages] for item in _documents(session, row)]
    return digest({"batch": row.id, "documents": rows})


def _documents(session: Session, row: Batch) -> list[Document]:
    """What the batch brought in, and what its envelopes still owe; replaced entries are left out."""
    own = session.scalars(
        select(Document).where(Document.batch_id == row.id).order_by(Document.year, Document.seq)
    ).all()
    receipts = {item.receipt_id for item in own} | ({row.receipt_id} if row.receipt_id else set())
    owed = session.scalars(
        select(Document)
        .where(Document.receipt_id.in_(receipts), Document.status == "received", Document.batch_id.is_(None))
        .order_by(Document.year, Document.seq)
    ).all()
    return [item for item in (*own, *owed) if item.status != "void"]


def _counts(session: Session, row: Batch) -> dict[str, int]:
    """As of `_documents`, counted by the database: a batch may have ten thousand."""
    envelopes = {row.receipt_id} if row.receipt_id else set[str]()
    documents, pages, carriers = Counter[str](), 0, 0
    brought = Document.batch_id == row.id
    receipts = select(Document.receipt_id).where(brought)
    of_envelopes = or_(Document.receipt_id.in_(receipts), Document.receipt_id == row.receipt_id)
    owed = and_(of_envelopes, Document.status == "received", Document.batch_id.is_(None))
    for condition in (and_(brought, Document.status != "void"), owed):
        for status, receipt, number, leaves in session.execute(
            select(Document.status, Document.receipt_id, func.count(), func.sum(Document.pages))
            .where(condition)
            .group_by(Document.status, Document.receipt_id)
        ):
            envelopes.add(receipt)
            documents[status] += number
            pages += leaves
        carriers += session.scalar(
            select(func.count(Carrier.id))
            .join(Document, Document.id == Carrier.document_id)
            .where(condition)
        ) or 0  # fmt: skip
    return {
        "envelopes": len(envelopes),
        "documents": sum(documents.values()),
        "carriers": carriers,
        "pages": pages,
        "confirmed": sum(documents[status] for status in _CONFIRMED),
        "waiting": sum(documents[status] for status in _WAITING),
        "refused": documents["refused"],
        "unread": sum(documents[status] for status in _UNREAD),
    }


def _head(station: Station, session: Session, row: Batch) -> dict[str, Any]:
    return {
        "batch": row.id, "name": _name(station, session, row), "receipt": row.receipt_id, "at": row.at,
        "by": row.by, "holder": holder_of(session, row), "state": row.state, "counts": _counts(session, row),
    }  # fmt: skip


def _whole(station: Station, session: Session, actor: Actor, row: Batch) -> dict[str, Any]:
    offer = _offer(session, row)
    documents, waiting = [], []
    for item in _documents(session, row):
        words = words_of(station, session, item) if access.may_see_titles(station, actor, item) else {}
        documents.append(
            {
                "id": item.id, "receipt": item.receipt_id, "status": item.status, "pages": item.pages,
                "must_review": item.must_review, "urgency": item.urgency, "title": words.get("title"),
                "source_name": words.get("source_name"),
            }
        )  # fmt: skip
        if item.status in (*_WAITING, *_UNREAD):
            waiting.append({"document": item.id, "status": item.status})
    return {
        **_head(station, session, row), "offered_to": offer.taker if offer is not None else None,
        "documents": documents, "open": waiting,
        "movements": [
            {"act": move.act, "giver": move.giver, "taker": move.taker, "at": move.at}
            for move in session.scalars(
                select(Movement)
                .where(Movement.object_kind == _KIND, Movement.object_id == row.id)
                .order_by(Movement.id)
            )
        ],
    }  # fmt: skip


def _name(station: Station, session: Session, row: Batch) -> str | None:
    name = station.unseal(session, "batch", row.sealed)["name"]
    return str(name) if name is not None else None


def _some(ids: Sequence[str]) -> str:
    return "、".join(ids[:10]) + ("…" if len(ids) > 10 else "")
