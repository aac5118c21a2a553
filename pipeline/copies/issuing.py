"""Issuing copies: numbered, marked, one for each recipient, in a file or on paper (R-055 … R-060).

The bytes of every issued copy are kept sealed under the copy's own key, so that a page found later can be compared.
Never more are made than the approval says (R-058).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import JiyaoError, NotThere, Refused, UsageFault
from ...common.files import write_new
from ...models.copy import CopySpec, FormerMark, MarkStyle
from ...models.level import Level
from ...models.page import Transcript
from ...models.tables import Approval, Artefact, Clear, Copy, Document
from ...models.wire import to_plain
from ...stages.seal import seal
from ...watermark.payload import encode, forensic_id, station_tag
from ..desk import matters, movements
from ..intake.executor import Job, LocalExecutor
from ..intake.judgement import load_judgement, load_transcript, open_artefact
from ..intake.register_entry import area_of
from ..levels import former
from ..papers import outbound
from ..persons import access, approvals, people
from ..persons.actors import Actor, acting
from ..plan import job_of
from ..station.station import Station
from .glyph_tracing import KIND as GLYPHS
from .tracing import TINT

COPY = "copy"
_STANDS = ("issued", "recalled", "lost")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A copy that is drawn, sealed and registered, on its way out."""

    copy: str
    data: bytes
    form: str
    pages: int


class Sink(Protocol):
    """Where the clear copy goes."""

    @property
    def kind(self) -> str:
        """As in `clear_places`: `copy_out`, `print`."""
        ...

    def place(self, copy: str, form: str) -> str:
        """What the register says of where it goes, before it goes there."""
        ...

    def put(self, drawn: Drawn) -> dict[str, Any]:
        """Hands it out; what the command's answer says of it."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """Files in clear, which destruction cannot reach."""

    out: Path
    kind: str = "copy_out"

    def place(self, copy: str, form: str) -> str:
        """The file's whole path."""
        return str(self._file(copy, form).absolute())

    def put(self, drawn: Drawn) -> dict[str, Any]:
        """Writes a new file.

        Raises:
            Refused: the file exists. OSError: the disk.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        file = self._file(drawn.copy, drawn.form)
        return {"file": str(file), "sha256": write_new(file, drawn.data)}

    def _file(self, copy: str, form: str) -> Path:
        return self.out / f"{copy}.{'zip' if form == 'png' else 'pdf'}"


def issue(
    station: Station,
    actor: Actor,
    *,
    document: str,
    to: Sequence[str],
    sink: Sink,
    due: date | None = None,
    purpose: str | None = None,
    form: str = "pdf",
) -> dict[str, Any]:
    """Issues one copy to each recipient and hands it to `sink`.

    Raises:
        Refused: the document is not confirmed, a recipient is not in the circle or not cleared, no approval, or more
            copies than approved.
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
        text = load_transcript(station, session, document) if station.policy.text_layer else None
        names = {person: people.name_of(station, session, person) for person in recipients}
    issued = []
    with station.scratch() as scratch, LocalExecutor(jobs=1, scratch=scratch.path) as worker:
        for person in recipients:
            issued.append(
                _issue_one(
                    station, actor, worker, original, passwords=passwords, document=document, person=person,
                    name=names[person], approval=approval, sink=sink, due=due, purpose=purpose, form=form,
                    text=text,
                )
            )  # fmt: skip
    return {"document": document, "approval": approval, "copies": issued}


def _check_issue(station: Station, session: Session, row: Document, recipients: Sequence[str]) -> str | None:
    if not row.confirmed or row.status not in ("registered", "archived"):
        raise Refused("not_confirmed", document=row.id)
    matters.check_free(station, session, row.id, "copies.issue")
    outbound.within(station, session, row, len(recipients))
    if len(set(recipients)) != len(recipients):
        raise UsageFault("person_twice")
    for person in recipients:
        access.check(station, session, person, row, "issue")
    approval = approvals.require(station, session, act="distribute", rows=(row,), recipients=recipients)
    if approval is not None:
        _within(session, session.get_one(Approval, approval), row, len(recipients))
    return approval


def _within(session: Session, approval: Approval, row: Document, more: int) -> None:
    """Exactly as many copies as approved, no more; a copy that came back or was replaced makes room for another."""
    if approval.copies is None:
        return
    out = session.scalars(
        select(Copy.id).where(
            Copy.approval_id == approval.id, Copy.document_id == row.id, Copy.status.in_(_STANDS),
            Copy.replaced_by.is_(None),
        )
    ).all()  # fmt: skip
    if len(out) + more > approval.copies:
        raise Refused("more_than_approved", approval=approval.id, approved=approval.copies, issued=len(out))


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
    sink: Sink,
    due: date | None,
    purpose: str | None,
    form: str,
    text: Transcript | None,
) -> dict[str, Any]:
    """One copy: the number is taken, the pages are drawn in a worker, then copy, key and ledger entry stand at once."""
    with acting(station, actor, "copies.issue", objects=(document,)) as session:
        row = access.get_document(session, document)
        number = station.next_number(session, f"copy.{document}")
        serial = station.next_number(session, "copy.serial")
        secret = bytes(station.vault.derive(session, "mark"))
        spec, forensic = _spec(
            station, session, row, number=number, serial=serial, secret=secret, name=name, due=due, form=form
        )
    fields = {"spec": to_plain(spec), "passwords": passwords}
    reply = worker.submit(Job(act=job_of("stamp"), fields=fields, data=original)).result().require()
    glyphs: dict[str, int] = reply.value["glyphs"]
    size = int(reply.value["size"])
    drawn_copy, before = reply.data[:size], reply.data[size:]
    if text is not None and spec.flatten and spec.format == "pdf":
        drawn_copy = _with_text(worker, drawn_copy, text)
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
            out=sink.kind == "copy_out",
            sealed=station.seal(
                session, COPY, {"purpose": purpose, "glyphs": glyphs}, bind=f"{document}-C{number}"
            ),
        )
        session.add(copy)
        session.flush()
        seal_copy(station, session, row, copy, drawn_copy, before)
        place = Clear(
            document_id=document, copy_id=copy.id, kind=sink.kind, at=station.now(), holder=person,
            sealed=station.seal(
                session, "clear", {"path": sink.place(copy.id, form), "size": len(drawn_copy)}
            ),
        )  # fmt: skip
        session.add(place)
        movements.enter(station, session, actor, copy, "issue")
        access.put_on_record(station, session, person, row, "issue", approval or "circle")
        level = Level.parse(row.level_code) if row.level_code else None
        station.log(
            session, "copies.issue", objects=(document, copy.id, person), person=actor.person,
            account=actor.user, level=level.value if level else None, rule=approval or "",
            facts={"number": number, "flattened": spec.flatten, "glyph_pages": len(glyphs)},
        )  # fmt: skip
    drawn = Drawn(copy.id, drawn_copy, form, int(reply.value.get("pages") or 0))
    try:
        handed = sink.put(drawn)
    except (JiyaoError, OSError):
        # the register knew the place before the file was there: now it knows that there is none
        _not_handed_out(station, actor, copy=drawn.copy)
        raise
    return {
        "copy": drawn.copy, "number": number, "recipient": person, "name": name, "pages": drawn.pages, **handed,
        "forensic_id": f"{forensic:012x}", "layers": _layers(drawn.pages, glyphs),
    }  # fmt: skip


def _with_text(worker: LocalExecutor, flat: bytes, text: Transcript) -> bytes:
    """The flattened copy with the words unseen on its pictures, where the policy asks for it (`copies.text_layer`)."""
    job = Job(act="lay_text", fields={"transcript": to_plain(text)}, data=flat)
    return worker.submit(job).result().require().data


def _layers(pages: int, glyphs: Mapping[str, int]) -> list[dict[str, Any]]:
    """What each page carries: the tint, and how many shifted glyphs (0: it has none, or too few)."""
    return [{"page": page, "tint": True, "glyphs": glyphs.get(str(page), 0)} for page in range(1, pages + 1)]


def _not_handed_out(station: Station, actor: Actor, *, copy: str) -> None:
    with acting(station, actor, "copies.issue", objects=(copy,)) as session:
        row = session.get_one(Copy, copy)
        hand = movements.Hand(words={"reason": "not handed out"})
        movements.move(station, session, actor, row, "return", hand)
        for place in session.scalars(select(Clear).where(Clear.copy_id == copy)):
            place.state, place.grade = "erased", "absent"
        station.log(
            session, "copies.issue", objects=(row.document_id, copy), person=actor.person, account=actor.user,
            result="failed", rule="not_handed_out",
        )  # fmt: skip


def _spec(
    station: Station,
    session: Session,
    row: Document,
    *,
    number: int,
    serial: int,
    secret: bytes,
    name: str,
    due: date | None,
    form: str,
) -> tuple[CopySpec, int]:
    (level, period), before = former.marks_of(station, session, row)
    forensic = forensic_id(secret, serial)
    spec = CopySpec(
        level=level,
        period=period,
        former=tuple(FormerMark(*mark) for mark in before),
        declassified=former.declassified_on(station, session, row),
        mark_style=cast(MarkStyle, station.policy.choices.get("mark_style_company", "prefixed_no_star")),
        number=number,
        recipient=name,
        issued=today(station.clock),
        document=row.id,
        barcode=encode(secret, station_tag(station.settings.store_uuid), forensic),
        unit=station.settings.unit.removesuffix("机要室"),
        due=due,
        flatten=station.policy.must_flatten(access.protected_as(station.policy, row)),
        profile=station.policy.mark_profile(access.protected_as(station.policy, row)),
        format="png" if form == "png" else "pdf",
        forensic_id=forensic,
        tint_key=bytes(station.vault.derive(session, TINT)).hex(),
    )
    return spec, forensic


def seal_copy(
    station: Station, session: Session, row: Document, copy: Copy, data: bytes, before: bytes = b""
) -> None:
    """Seals the drawn copy under a key of its own, with `before`, the pages before their glyphs were shifted."""
    area = area_of(station, row)
    slot = station.vault.new_slot(session, branch=area, group=f"copies.{copy.issued_at[:4]}")
    parts = {"copy": data, GLYPHS: before} if before else {"copy": data}
    for item in seal(parts, lambda kind, part: station.vault.put(session, slot, kind, part, area=area)):
        session.add(
            Artefact(
                document_id=row.id, copy_id=copy.id, kind=item.kind, key_slot=slot, path=item.path, size=item.size,
                cipher_sha256=item.cipher_sha256,
            )
        )  # fmt: skip
