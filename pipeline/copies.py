"""Copies: numbered, marked, one for each recipient, each with a holder until it is back (R-055 … R-060, R-069).

The bytes of every issued copy are kept sealed under the copy's own key, so that a page found later can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..common.clock import today
from ..common.errors import JiyaoError, NotThere, Refused, UsageFault
from ..common.files import write_new
from ..models.copy import CopySpec
from ..models.level import Level
from ..models.rights import STAFF
from ..models.tables import Artefact, Clear, Copy, Document, Incident
from ..models.wire import to_plain
from ..stages.seal import seal
from ..watermark.payload import encode, forensic_id, station_tag
from . import access, approvals, matters, movements, people
from .actors import Actor, acting
from .executor import Job, LocalExecutor
from .judgement import load_judgement, open_artefact
from .periods import parse_period
from .plan import job_of
from .register_entry import area_of
from .station import Station

COPY = "copy"
OPEN = ("issued", "recalled")


def issue(
    station: Station,
    actor: Actor,
    *,
    document: str,
    to: Sequence[str],
    out: Path,
    due: date | None = None,
    purpose: str | None = None,
    form: str = "pdf",
) -> dict[str, Any]:
    """Issues one copy to each recipient and writes it to `out`.

    Raises:
        Refused: the document is not confirmed, a recipient is not in the circle or not cleared, no approval.
        NotThere: unknown document or person.
    """
    with acting(station, actor, "copies.issue", objects=(document,)) as session:
        row = access.get_document(session, document)
        recipients = [people.find_person(station, session, person) for person in to]
        approval = _check_issue(station, session, row, recipients)
        original = open_artefact(station, session, document, "original")
        if original is None:
            raise NotThere("no_text", document=document, status=row.status)
        judgement = load_judgement(station, session, document)
        passwords = judgement.passwords if judgement else []
        names = {person: people.name_of(station, session, person) for person in recipients}
    out.mkdir(parents=True, exist_ok=True)
    issued = []
    with station.scratch() as scratch, LocalExecutor(jobs=1, scratch=scratch.path) as worker:
        for person in recipients:
            issued.append(
                _issue_one(
                    station, actor, worker, original, passwords=passwords, document=document, person=person,
                    name=names[person], approval=approval, out=out, due=due, purpose=purpose, form=form,
                )
            )  # fmt: skip
    return {"document": document, "copies": issued}


def _check_issue(station: Station, session: Session, row: Document, recipients: Sequence[str]) -> str | None:
    if not row.confirmed or row.status not in ("registered", "archived"):
        raise Refused("not_confirmed", document=row.id)
    matters.check_free(station, session, row.id, "copies.issue")
    if len(set(recipients)) != len(recipients):
        raise UsageFault("person_twice")
    circle = access.circle_of(session, row.id)
    for person in recipients:
        if person not in circle:
            raise Refused("not_in_circle", person=person, document=row.id)
        access.check_clearance(station, session, person, row)
    return approvals.require(station, session, act="distribute", rows=(row,), recipients=recipients)


def _issue_one(
    station: Station,
    actor: Actor,
    worker: LocalExecutor,
    original: bytes,
    *,
    passwords: list[str],
    document: str,
    person: str,
    name: str,
    approval: str | None,
    out: Path,
    due: date | None,
    purpose: str | None,
    form: str,
) -> dict[str, Any]:
    """One copy: the number is taken, the pages are drawn in a worker, then copy, key and ledger entry stand at once."""
    with acting(station, actor, "copies.issue", objects=(document,)) as session:
        row = access.get_document(session, document)
        number = station.next_number(session, f"copy.{document}")
        serial = station.next_number(session, "copy.serial")
        secret = bytes(station.vault.derive(session, "mark"))
        spec, forensic = _spec(
            station, row, number=number, serial=serial, secret=secret, name=name, due=due, form=form
        )
    fields = {"spec": to_plain(spec), "passwords": passwords}
    reply = worker.submit(Job(act=job_of("stamp"), fields=fields, data=original)).result()
    if reply.outcome != "done":
        raise JiyaoError(reply.code or "worker_failed")
    with acting(station, actor, "copies.issue", objects=(document,)) as session:
        row = access.get_document(session, document)
        if row.status not in ("registered", "archived"):
            raise Refused("not_confirmed", document=document)
        copy = Copy(
            id=f"{document}-C{number}",
            document_id=document,
            number=number,
            forensic_id=forensic,
            recipient=person,
            holder=person,
            status="issued",
            issued_at=station.now(),
            issued_by=actor.person,
            due=due.isoformat() if due else None,
            approval_id=approval,
            out=True,
            sealed=station.seal(session, COPY, {"purpose": purpose}, bind=f"{document}-C{number}"),
        )
        session.add(copy)
        session.flush()
        _seal_copy(station, session, row, copy, reply.data)
        file = out / f"{copy.id}.{'zip' if form == 'png' else 'pdf'}"
        digest = write_new(file, reply.data)
        session.add(
            Clear(
                document_id=document, copy_id=copy.id, kind="copy_out", at=station.now(), holder=person,
                sealed=station.seal(session, "clear", {"path": str(file.absolute()), "size": len(reply.data)}),
            )
        )  # fmt: skip
        movements.enter(station, session, actor, copy, "issue")
        level = Level.parse(row.level_code) if row.level_code else None
        station.log(
            session, "copies.issue", objects=(document, copy.id, person), person=actor.person,
            account=actor.user, level=level.value if level else None, rule=approval or "",
            facts={"number": number, "flattened": spec.flatten},
        )  # fmt: skip
    return {
        "copy": copy.id, "number": number, "recipient": person, "name": name, "file": str(file),
        "sha256": digest, "forensic_id": f"{forensic:012x}",
    }  # fmt: skip


def _spec(
    station: Station,
    row: Document,
    *,
    number: int,
    serial: int,
    secret: bytes,
    name: str,
    due: date | None,
    form: str,
) -> tuple[CopySpec, int]:
    level = Level.parse(row.level_code) if row.level_code else Level.INTERNAL
    forensic = forensic_id(secret, serial)
    spec = CopySpec(
        level=level,
        period=parse_period(row.period) if row.period else None,
        number=number,
        recipient=name,
        issued=today(station.clock),
        document=row.id,
        barcode=encode(secret, station_tag(station.settings.store_uuid), forensic),
        unit=station.settings.unit.removesuffix("机要室"),
        due=due,
        flatten=station.policy.must_flatten(access.protected_as(station.policy, row)),
        format="png" if form == "png" else "pdf",
    )
    return spec, forensic


def _seal_copy(station: Station, session: Session, row: Document, copy: Copy, data: bytes) -> None:
    slot = station.vault.new_slot(session)
    area = area_of(station, row)
    (item,) = seal({"copy": data}, lambda kind, part: station.vault.put(session, slot, kind, part, area=area))
    session.add(
        Artefact(
            document_id=row.id, copy_id=copy.id, kind="copy", key_slot=slot, path=item.path, size=item.size,
            cipher_sha256=item.cipher_sha256,
        )
    )  # fmt: skip


# ---------------------------------------------------------------- afterwards


def list_copies(
    station: Station,
    actor: Actor,
    *,
    document: str | None = None,
    holder: str | None = None,
    overdue: bool = False,
) -> dict[str, Any]:
    """Issued copies; a reader sees his own."""
    day = today(station.clock).isoformat()
    with station.read() as session:
        wanted = select(Copy).order_by(Copy.document_id, Copy.number)
        if document:
            access.get_document(session, document)
            wanted = wanted.where(Copy.document_id == document)
        if holder:
            wanted = wanted.where(Copy.holder == people.find_person(station, session, holder))
        if overdue:
            wanted = wanted.where(Copy.due < day, Copy.status.in_(OPEN))
        if not actor.roles & (STAFF | {"office_director", "leader_in_charge", "principal"}):
            wanted = wanted.where(Copy.holder == actor.person)
        return {"copies": [copy_json(row) for row in session.scalars(wanted)]}


def return_copies(station: Station, actor: Actor, *, copies: Sequence[str]) -> dict[str, Any]:
    """Takes copies back into the room, counted one by one. The written file counts as handed in with its copy."""
    return _change(station, actor, copies, "copies.return", "return", (*OPEN, "lost"))


def recall_copies(station: Station, actor: Actor, *, copies: Sequence[str]) -> dict[str, Any]:
    """Asks holders to bring copies back."""
    return _change(station, actor, copies, "copies.recall", "recall", ("issued",))


def forward_copies(
    station: Station, actor: Actor, *, copies: Sequence[str], to: str, due: date | None = None
) -> dict[str, Any]:
    """Hands a copy that is out on to another person, through the room: both are in the circle and cleared.

    Raises:
        Refused: not out, approval of act `distribute` missing for the new holder, clearance or circle.
    """
    with acting(station, actor, "copies.forward", objects=tuple(copies)) as session:
        taker = people.find_person(station, session, to)
        moved = []
        for copy in copies:
            row = _open_copy(session, copy, OPEN)
            if row.holder == taker:
                raise Refused("same_person_twice", person=taker)
            movements.move(station, session, actor, row, "forward", movements.Hand(taker=taker, due=due))
            for place in session.scalars(
                select(Clear).where(Clear.copy_id == copy, Clear.state == "outstanding")
            ):
                place.holder = taker
            moved.append(row)
        station.log(
            session, "copies.forward", objects=(*copies, taker), person=actor.person, account=actor.user
        )
        return {"copies": [copy_json(row) for row in moved]}


def lose_copy(station: Station, actor: Actor, *, copy: str, reason: str) -> dict[str, Any]:
    """Declares a copy lost; an incident opens at once (R-104, R-175)."""
    why = station.reason(reason)
    with acting(station, actor, "copies.lost", objects=(copy,)) as session:
        row = _open_copy(session, copy, OPEN)
        incident = f"I{station.next_number(session, 'incident'):05d}"
        session.add(
            Incident(
                id=incident, kind="copy_lost", document_id=row.document_id, copy_id=copy, at=station.now(),
                by=actor.person, sealed=station.seal(session, "incident", why.sealed_form, bind=incident),
            )
        )  # fmt: skip
        movements.move(station, session, actor, row, "lose")
        station.log(
            session, "copies.lost", objects=(row.document_id, copy, incident), person=actor.person,
            account=actor.user, reason=why,
        )  # fmt: skip
        return {"copies": [copy_json(row)], "incident": incident}


def replace_copy(station: Station, actor: Actor, *, copy: str, reason: str, out: Path) -> dict[str, Any]:
    """Issues a new copy, with a new number, for one that is returned or lost.

    Raises:
        Refused: the old one is still out, or was replaced already.
    """
    why = station.reason(reason)
    with acting(station, actor, "copies.replace", objects=(copy,)) as session:
        old = _open_copy(session, copy, ("returned", "lost"))
        if old.replaced_by:
            raise Refused("copy_state", copy=copy, state=f"{old.status} → {old.replaced_by}")
        document, person = old.document_id, old.recipient
    answer = issue(station, actor, document=document, to=(person,), out=out)
    with acting(station, actor, "copies.replace", objects=(copy,)) as session:
        old = _open_copy(session, copy, ("returned", "lost"))
        old.replaced_by = answer["copies"][0]["copy"]
        if old.status == "returned":
            movements.move(station, session, actor, old, "replace")
        station.log(
            session, "copies.replace", objects=(document, copy, old.replaced_by), person=actor.person,
            account=actor.user, reason=why,
        )  # fmt: skip
    return {**answer, "replaces": copy}


def copy_json(row: Copy) -> dict[str, Any]:
    """A copy as the command line shows it."""
    return {
        "copy": row.id, "document": row.document_id, "number": row.number, "recipient": row.recipient,
        "holder": row.holder, "status": row.status, "issued_at": row.issued_at, "due": row.due,
        "forensic_id": f"{row.forensic_id:012x}", "replaced_by": row.replaced_by,
    }  # fmt: skip


def _change(
    station: Station,
    actor: Actor,
    copies: Sequence[str],
    act: str,
    move: str,
    before: tuple[str, ...],
) -> dict[str, Any]:
    with acting(station, actor, act, objects=tuple(copies)) as session:
        changed = []
        for copy in copies:
            row = _open_copy(session, copy, before)
            if not actor.roles & STAFF and row.holder != actor.person:
                raise Refused("not_your_copy", copy=copy)
            movements.move(station, session, actor, row, move)
            if row.status == "returned":
                _file_returned(session, copy)
            changed.append(row)
        station.log(session, act, objects=tuple(copies), person=actor.person, account=actor.user)
        return {"copies": [copy_json(row) for row in changed]}


def _file_returned(session: Session, copy: str) -> None:
    for place in session.scalars(select(Clear).where(Clear.copy_id == copy, Clear.state == "outstanding")):
        place.state = "returned"


def _open_copy(session: Session, copy: str, states: tuple[str, ...]) -> Copy:
    row = session.get(Copy, copy)
    if row is None:
        raise NotThere("no_copy", copy=copy)
    if row.status not in states:
        raise Refused("copy_state", copy=copy, state=row.status)
    return row
