"""签收: what arrived is in the register at once, provisional, before anything of it is read (R-001, R-002)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import NotThere, UsageFault
from ...common.messages import say
from ...models.level import Level
from ...models.tables import Carrier, Document, Receipt
from ...stages.slip import SlipSpec, draw_slip
from ..desk import matters, movements
from ..papers.documents import keep_words
from ..papers.incidents import open_incident
from ..persons import people
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import discrepancy, processing

_RECEIPT = "receipt"
CARRIERS = ("paper", "disc", "optical", "usb", "tape", "film", "object", "electronic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What the clerk writes down on receipt."""

    organ: str
    channel: str = ""
    envelope: str = ""
    seal: str = "intact"
    title: str | None = None
    number: str | None = None
    level: Level | None = None
    serials: tuple[str, ...] = field(default=())
    copies: int = 1
    pages: int | None = None
    """Pages of one copy, as counted on receipt; the slip carries it."""
    urgency: str | None = None
    carrier: str = "paper"
    counted: int | None = None
    """Copies that were in the envelope; None: as many as declared."""
    addressee: str | None = None
    """A person, for sealed mail that only he opens (亲启); the room registers it and hands it over unopened."""
    unscanned: bool = False
    """Registered by what is written on it: an object, a sample, a disc that is not read (R-019)."""


def receive(
    station: Station, actor: Actor, arrival: Arrival, *, slip_to: Path | None = None
) -> dict[str, Any]:
    """Signs for an envelope: receipt, provisional register row, carriers, and a printable slip with a barcode.

    A broken seal opens an incident. The slip lies in clear, so it bears numbers only: no sender, no title.

    Raises:
        UsageFault: more serials than copies, unknown carrier.
    """
    _check(arrival)
    with acting(station, actor, "receive") as session:
        receipt = new_receipt(station, session, actor, arrival)
        row = new_document(station, session, receipt=receipt)
        row.level_code = None
        if not arrival.unscanned:
            processing.protect_declared(station, row, arrival.level)
        row.urgency = arrival.urgency
        row.copies_received = arrival.counted if arrival.counted is not None else arrival.copies
        declared = {
            "title": arrival.title, "organs": [arrival.organ], "doc_number": arrival.number,
            "serials": list(arrival.serials), "source_name": None,
        }  # fmt: skip
        keep_words(station, session, row, declared)
        _carriers(station, session, actor, receipt, row, arrival)
        if arrival.seal == "broken":
            open_incident(station, session, actor, "seal_broken", objects=(receipt.id,))
        if arrival.counted is not None:
            discrepancy.of_count(
                station, session, actor, row, declared=arrival.copies, counted=arrival.counted
            )
        if arrival.unscanned:
            _register_as_declared(station, session, actor, row, arrival)
        if arrival.addressee:
            addressee = people.find_person(station, session, arrival.addressee)
            matters.start(
                station, session, actor, "personal_mail", document=row.id, items=(("person", addressee),)
            )
        station.log(
            session, "receive", objects=(receipt.id, row.id), person=actor.person, account=actor.user,
            level=arrival.level.value if arrival.level else None,
            facts={"copies": arrival.copies, "seal": arrival.seal},
        )  # fmt: skip
        answer = {"receipt": receipt.id, "id": row.id, "at": receipt.at}
    slip = draw_slip(
        SlipSpec(
            receipt=answer["receipt"], at=station.clock.now(), sender="", copies=arrival.copies, pages=arrival.pages,
            seal=say(f"seal_{arrival.seal}", "zh"), urgency=arrival.urgency or "", carrier=arrival.carrier,
            unit=station.settings.unit, taken_by=actor.person,
        )
    )  # fmt: skip
    path = slip_to or station.home / "slips" / f"{answer['receipt']}.pdf"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(slip)
    return {**answer, "slip": str(path)}


def new_receipt(station: Station, session: Session, actor: Actor, arrival: Arrival) -> Receipt:
    """The receipt's row, in the caller's transaction."""
    year = today(station.clock).year
    number = f"R{year}-{station.next_number(session, f'receipt.{year}'):05d}"
    receipt = Receipt(
        id=number,
        at=station.now(),
        by=actor.person,
        channel=arrival.channel,
        seal=arrival.seal,
        urgency=arrival.urgency,
        level_code=arrival.level.code if arrival.level else None,
        copies=arrival.copies,
        carrier=arrival.carrier,
        sealed=station.seal(
            session,
            _RECEIPT,
            {
                "from": arrival.organ, "envelope": arrival.envelope, "title": arrival.title,
                "number": arrival.number, "serials": list(arrival.serials), "pages": arrival.pages,
            },
            bind=number,
        ),
    )  # fmt: skip
    session.add(receipt)
    session.flush()
    return receipt


def new_document(station: Station, session: Session, *, receipt: Receipt) -> Document:
    """A provisional row. Number and year follow the time of receipt; numbers are never used again."""
    row = next_row(station, session, receipt=receipt)
    keep_words(station, session, row, {})
    session.add(row)
    session.flush()
    return row


def next_row(station: Station, session: Session, *, receipt: Receipt) -> Document:
    """The same, still without words and outside the session: who fills it at once has it written once."""
    year = int(receipt.at[:4])
    seq = station.next_number(session, f"document.{year}")
    return Document(
        id=f"D{year}-{seq:06d}",
        year=year,
        seq=seq,
        receipt_id=receipt.id,
        received_at=receipt.at,
        status="received",
        copies_received=1,
        confirmed=False,
        must_review=True,
        sealed=b"",
    )


def get_receipt(session: Session, receipt: str) -> Receipt:
    """The receipt.

    Raises:
        NotThere: no such receipt.
    """
    row = session.get(Receipt, receipt)
    if row is None:
        raise NotThere("no_receipt", receipt=receipt)
    return row


def to_be_read(station: Station, actor: Actor, *, receipt: str) -> None:
    """Checks that what came with a receipt may be scanned now.

    Raises:
        NotThere: no such receipt.
        Refused: sealed mail that its addressee has not given to the room; a declared level whose papers are scanned by
            approval alone.
    """
    with acting(station, actor, "ingest", objects=(receipt,)) as session:
        row = get_receipt(session, receipt)
        for document in session.scalars(select(Document).where(Document.receipt_id == row.id)).all():
            matters.check_free(station, session, document.id, "ingest")
            if document.status == "received":
                processing.check(station, session, document)


def organ_of(station: Station, session: Session, receipt: Receipt) -> str:
    """Who sent it, as written down on receipt; empty when the receipt was made by a batch."""
    return str(station.unseal(session, _RECEIPT, receipt.sealed, bind=receipt.id)["from"])


def _check(arrival: Arrival) -> None:
    if arrival.copies < 1 or len(arrival.serials) > arrival.copies:
        raise UsageFault("serials_and_copies", serials=len(arrival.serials), copies=arrival.copies)
    if arrival.unscanned and not arrival.title:
        raise UsageFault("title_needed")
    if arrival.carrier not in CARRIERS:
        raise UsageFault("unknown_carrier", carrier=arrival.carrier, carriers="、".join(CARRIERS))


def _register_as_declared(
    station: Station, session: Session, actor: Actor, row: Document, arrival: Arrival
) -> None:
    """What is not scanned waits for a person with what the clerk read on it by eye: a mark counts as a read mark."""
    row.status = "pending"
    row.level_code = row.read_level_code = arrival.level.code if arrival.level else None
    row.level_basis = "marked" if arrival.level else "none"
    row.interim_code = None if arrival.level else Level.INTERNAL.code
    station.log(
        session, "receive.unscanned", objects=(row.id,), person=actor.person, account=actor.user,
        level=arrival.level.value if arrival.level else None,
    )  # fmt: skip


def _carriers(
    station: Station, session: Session, actor: Actor, receipt: Receipt, row: Document, arrival: Arrival
) -> None:
    for number in range(arrival.counted if arrival.counted is not None else arrival.copies):
        carrier = Carrier(
            id=f"{row.id}-Z{number + 1}",
            receipt_id=receipt.id,
            document_id=row.id,
            type=arrival.carrier,
            serial=arrival.serials[number] if number < len(arrival.serials) else None,
            holder=actor.person,
            place=None,
            state="held",
        )
        session.add(carrier)
        session.flush()
        movements.enter(station, session, actor, carrier, "receive")
