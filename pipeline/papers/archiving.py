"""Filing 归档: by the archivist, complete, at a place, within the time the unit chose; handing over to another organ.

The main copy (the first original) is filed; further originals stay in the room as surplus, to be returned or destroyed.
A paper is filed once its handling has ended: no original or copy is out, no matter is open (000-D§10, 004-B§4.8).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused
from ...models.tables import Carrier, Copy, Document, Matter
from ..desk import matters, movements
from ..desk.movements import Hand
from ..intake.register_entry import remember
from ..persons import access, approvals, people
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import release_record
from .documents import document_json, keep_words, words_of

_AWAY = ("out", "lent", "carried", "transit", "missing")


def archive(
    station: Station, actor: Actor, *, document: str, place: str, number: str | None = None
) -> dict[str, Any]:
    """Files a document at a place.

    Args:
        place: where it stands. number: its 档号.

    Raises:
        Refused: not confirmed, 不归档, its retention is not settled, or its handling has not ended.
    """
    with acting(station, actor, "documents.archive", objects=(document,)) as session:
        row = access.get_document(session, document)
        access.check_clearance(station, session, actor.person, row)
        file_one(station, session, actor, row, place=place, number=number)
        return document_json(station, session, row, actor=actor)


def file_one(
    station: Station, session: Session, actor: Actor, row: Document, *, place: str, number: str | None,
    matter: str | None = None,
) -> None:  # fmt: skip
    """Files one document, in the caller's transaction."""
    check_ready(session, row, besides=matter)
    # what the issuer wants back is not filed
    originals = session.scalars(
        select(Carrier)
        .where(Carrier.document_id == row.id, Carrier.state == "held", Carrier.return_due.is_(None))
        .order_by(Carrier.id)
    ).all()
    if originals:
        # the others stay as surplus: destroyed or returned, never filed twice
        hand = Hand(taker=actor.person, place=place, words={"number": number or ""}, matter=matter)
        movements.move(station, session, actor, originals[0], "archive", hand)
    row.status, row.archived_at = "archived", station.now()
    words = {**words_of(station, session, row), "archive_number": number, "archive_place": place}
    keep_words(station, session, row, words)
    remember(
        station, session, row, actor.person, "archive", "status",
        {"old": "registered", "new": "archived", "number": number, "place": place},
    )  # fmt: skip
    station.log(
        session, "documents.archive", objects=tuple(filter(None, (row.id, matter))), person=actor.person,
        account=actor.user, facts={"retention": row.retention, "surplus": max(0, len(originals) - 1)},
    )  # fmt: skip


def check_ready(session: Session, row: Document, *, besides: str | None = None) -> None:
    """Whether a document can be filed: confirmed, kept, its retention settled, its handling ended.

    Raises:
        Refused: `not_confirmed`, `not_for_filing`, as `handled`.
    """
    if not row.confirmed or row.status != "registered":
        raise Refused("not_confirmed", document=row.id)
    if row.retention in (None, "不归档") or row.retention_open:
        raise Refused("not_for_filing", document=row.id, retention=row.retention or "—")
    handled(session, row, besides=besides)


def hand_over(
    station: Station, actor: Actor, *, document: str, to: str, receipt_no: str, carried_by: Sequence[str] = ()
) -> dict[str, Any]:
    """Hands the originals to another organ, which has signed for them.

    Args:
        to: the organ. receipt_no: number of its receipt. carried_by: who carried them together with the actor.

    Raises:
        Refused: no approval of act `provide_external`, no review for release, handling not ended,
            nothing here to hand over.
    """
    with acting(station, actor, "documents.handover", objects=(document,)) as session:
        row = access.get_document(session, document)
        access.check_clearance(station, session, actor.person, row)
        if not row.confirmed or row.status not in ("registered", "archived"):
            raise Refused("not_confirmed", document=document)
        approval = approvals.require(station, session, act="provide_external", rows=(row,))
        release_record.require_review(station, session, row, "provide_external")
        handled(session, row)
        persons = tuple(people.find_person(station, session, one) for one in carried_by)
        originals = session.scalars(
            select(Carrier).where(Carrier.document_id == document, Carrier.state.in_(("held", "archived")))
        ).all()
        known = session.scalars(select(Carrier.id).where(Carrier.document_id == document)).first()
        if known is not None and not originals:
            raise Refused("nothing_to_hand_over", document=document)
        for carrier in originals:
            if carrier.state == "archived":
                movements.move(
                    station, session, actor, carrier, "take_from_archive", Hand(words={"reason": receipt_no})
                )
            words = {"receipt_no": receipt_no, "to": to}
            hand = Hand(together_with=persons, words=words, approval=approval)
            movements.move(station, session, actor, carrier, "hand_over", hand)
        old, row.status = row.status, "handed_over"
        keep_words(station, session, row, {**words_of(station, session, row), "handed_over_to": to})
        remember(
            station, session, row, actor.person, "handover", "status",
            {"old": old, "new": "handed_over", "to": to, "receipt_no": receipt_no},
        )  # fmt: skip
        station.log(
            session, "documents.handover", objects=(document,), person=actor.person, account=actor.user,
            rule=approval or "", facts={"originals": len(originals)},
        )  # fmt: skip
        return document_json(station, session, row, actor=actor)


def handled(session: Session, row: Document, *, besides: str | None = None) -> None:
    """Whether handling has ended: nothing of it is out, no matter is open (`besides` one that files it). Copies that
    another organ has are followed on by their own clock.

    Raises:
        Refused: `object_is_out`, `handling_open`.
    """
    copy = session.scalars(
        select(Copy.id).where(
            Copy.document_id == row.id, Copy.status.in_(("issued", "recalled")), Copy.sent_in.is_(None)
        )
    ).first()
    if copy is not None:
        raise Refused("object_is_out", document=row.id, object=copy)
    carrier = session.scalars(
        select(Carrier.id).where(Carrier.document_id == row.id, Carrier.state.in_(_AWAY))
    ).first()
    if carrier is not None:
        raise Refused("object_is_out", document=row.id, object=carrier)
    open_one = session.scalars(
        select(Matter.id).where(
            Matter.document_id == row.id, Matter.state == matters.OPEN, Matter.id != (besides or "")
        )
    ).first()
    if open_one is not None:
        raise Refused("handling_open", document=row.id, matter=open_one)
