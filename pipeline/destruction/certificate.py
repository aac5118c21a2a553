"""Attestation and certificate: the two supervisors attest what came out; only then is there a certificate.

One certificate for one batch. It embeds what every person signed and carries the room's seal; its hash enters the
ledger, so that a proof of that entry covers every byte of the file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import iso, today
from ...common.errors import NotThere, Refused
from ...common.files import write_new
from ...common.messages import say
from ...models.certificate import (
    FILE_FACT,
    BackupFact,
    Check,
    ClearTrace,
    DestructionRecord,
    InventoryLine,
    ItemOutcome,
    ListItem,
    RequiredSigner,
    RootFacts,
    SignedStatement,
    TreeHeadFact,
    outcomes_digest,
)
from ...models.tables import (
    Backup,
    Carrier,
    Certificate,
    Clear,
    Destruction,
    DestructionAct,
    Document,
    Receipt,
)
from ...models.wire import from_plain
from ...vault import cms
from ..papers.documents import words_of
from ..persons import people
from ..persons.actors import Actor, acting
from ..station import authority
from ..station.ledgers import proof_file, signed_head
from ..station.station import Station
from . import batch as destruction
from . import hands

_SEALED = "certificate"


def attest(
    station: Station, actor: Actor, *, batch: str, place: str, dry_run: bool = False
) -> dict[str, Any]:
    """A supervisor who was present before attests afterwards; the second attestation makes the certificate.

    Raises:
        Refused: wrong state, not one of the two supervisors, same person twice.
    """
    with acting(station, actor, "destroy.attest", objects=(batch,)) as session:
        row, items = destruction.get(session, batch)
        if row.state != "verified":
            raise Refused("destruction_state", batch=batch, state=row.state)
        if actor.person not in hands.persons(session, row, ("supervise",)):
            raise Refused("not_the_supervisor", person=actor.person)
        before = hands.persons(session, row, ("attest",))
        hands.not_again(session, row, "attest", actor)
        if dry_run:
            return destruction.batch_json(station, session, row, items, dry_run=True)
        kept = json.loads(row.outcomes or b"{}")
        outcomes = tuple(from_plain(ItemOutcome, item) for item in kept["items"])
        checks = tuple(from_plain(Check, check) for check in kept["checks"])
        hands.sign(
            station, session, actor, row, "attest", "destroy_supervisor", place=place,
            outcomes=outcomes_digest(outcomes, checks, row.verdict),  # type: ignore[arg-type]
        )  # fmt: skip
        station.log(
            session, "destroy.attest", objects=(batch,), person=actor.person, account=actor.user,
            role="destroy_supervisor", facts={"verdict": row.verdict},
        )  # fmt: skip
        if before:
            _certify(station, session, row, items, outcomes, checks, kept)
            row.state = "certified"
        return destruction.batch_json(station, session, row, items)


def write_certificate(station: Station, actor: Actor, *, batch: str, out: Path) -> dict[str, Any]:
    """Writes the certificate, its ledger proof and the authority's certificate beside it.

    Raises:
        NotThere: no such batch, or not certified yet.
    """
    with acting(station, actor, "certificate.show", objects=(batch,)) as session:
        destruction.get(session, batch)
        row = session.scalars(select(Certificate).where(Certificate.destruction_id == batch)).first()
        if row is None or row.ledger_seq is None:
            raise NotThere("no_certificate", batch=batch)
        pdf = bytes(station.vault.open_register(session, row.pdf_sealed, _SEALED, bind=row.id.encode()))
        station.log(
            session, "certificate.show", objects=(batch, row.id), person=actor.person, account=actor.user
        )
        proof = proof_file(station, session, row.ledger_seq)
        ca = authority.ca_pem(session)
        certificate, seq = row.id, row.ledger_seq
    digest = write_new(out, pdf)
    proof_path, ca_path = out.with_suffix(".proof.json"), out.with_suffix(".ca.pem")
    write_new(proof_path, proof)
    write_new(ca_path, ca)
    return {
        "id": certificate, "destruction": batch, "file": str(out), "sha256": digest, "proof": str(proof_path),
        "ca": str(ca_path), "ledger_seq": seq,
    }  # fmt: skip


def _certify(
    station: Station,
    session: Session,
    row: Destruction,
    items: Sequence[ListItem],
    outcomes: tuple[ItemOutcome, ...],
    checks: tuple[Check, ...],
    kept: dict[str, Any],
) -> None:
    # pyHanko, pypdf and fpdf2 take a second to load, and every step of a destruction passes this module
    from ...stages.certify import certify

    now = station.clock.now().replace(microsecond=0)
    number = f"C{now.year}-{station.next_number(session, 'certificate'):05d}"
    acts = session.scalars(
        select(DestructionAct).where(DestructionAct.destruction_id == row.id).order_by(DestructionAct.id)
    ).all()
    record = _record(station, session, row, items, outcomes, checks, kept, acts, number=number, at=iso(now))
    names = {act.person: people.name_of(station, session, act.person) for act in acts}
    made = certify(
        record=record,
        inventory=[_inventory_line(station, session, row, item) for item in items],
        statements=[SignedStatement(statement=act.statement, signature=act.signature) for act in acts],
        names=names,
        fonds=station.settings.unit,
        seal=authority.credential(station, session, "seal"),
        ca=authority.certificate(session, "ca"),
        crl=authority.revocations(station, session),
        signed_at=now,
    )
    seq = station.log(
        session,
        "certificate",
        objects=(row.id, number),
        facts={FILE_FACT: made.sha256, "verdict": row.verdict},
    )
    session.add(
        Certificate(
            id=number, destruction_id=row.id, at=iso(now), sha256=made.sha256, ledger_seq=seq,
            pdf_sealed=station.vault.seal_register(session, made.pdf, _SEALED, bind=number.encode()),
        )
    )  # fmt: skip
    session.flush()


def _record(
    station: Station,
    session: Session,
    row: Destruction,
    items: Sequence[ListItem],
    outcomes: tuple[ItemOutcome, ...],
    checks: tuple[Check, ...],
    kept: dict[str, Any],
    acts: Sequence[DestructionAct],
    *,
    number: str,
    at: str,
) -> DestructionRecord:
    head = signed_head(station, session)
    executed = [act for act in acts if act.act == "execute"]
    previous = session.scalars(select(Certificate).order_by(Certificate.id.desc())).first()
    attested = [act for act in acts if act.act == "attest"]
    return DestructionRecord(
        certificate_no=number,
        batch=row.id,
        unit=station.settings.unit,
        store=station.settings.store_uuid,
        issued_at=at,
        reason=row.reason,
        policy_version=station.policy.version,
        small_room=station.policy.small_room,
        list=json.loads(row.list_json),
        list_sha256=row.list_sha256,
        items=outcomes,
        checks=checks,
        verdict=row.verdict,  # type: ignore[arg-type]
        epoch_before=row.epoch_before or 0,
        epoch_after=row.epoch_after or 0,
        root=_root_facts(station, kept),
        backups=tuple(
            BackupFact(
                id=backup.id, at=backup.at, epoch=backup.epoch,
                state="unreadable" if row.verdict != "pending_key_epoch" else "pending_key_epoch",
            )
            for backup in session.scalars(select(Backup).where(Backup.epoch <= (row.epoch_before or 0)))
        ),
        required=tuple(_required(session, act) for act in acts),
        holds_checked_at=executed[-1].at,
        started_at=executed[0].at,
        finished_at=attested[0].at,
        place=_place(attested),
        cleartext_history=tuple(_traces(session, items)),
        outside_scope=tuple(
            ClearTrace(
                item=place["item"], kind=place["kind"], id=place["copy"], at=place["at"], state="outstanding"
            )
            for place in kept["outside_scope"]
        ),
        previous_head=TreeHeadFact(size=head.size, root=head.root.hex(), at=head.at),
        previous_certificate=previous.sha256 if previous else None,
    )  # fmt: skip


def _root_facts(station: Station, kept: dict[str, Any]) -> RootFacts:
    roots = kept["roots"]
    worst = max((root["class"] or "R5" for root in roots), default="R5")
    done = sum(root["state"] == "erased" for root in roots[1:])
    return RootFacts(
        kind=station.settings.root_kind,
        root_class=worst,  # type: ignore[arg-type]
        mirrors=len(roots) - 1,
        mirrors_done=done,
        single_root=station.settings.single_root,
        kdf="test" if station.settings.kdf == "test" else "normal",
        erased=roots[0]["claim"] or "claim_overwrite_useless",
    )


def _required(session: Session, act: DestructionAct) -> RequiredSigner:
    """Who must have signed. The certificate is taken from the signature itself: a password may change meanwhile."""
    signed = cms.verify_statement(act.statement, act.signature, authority.certificate(session, "ca"))
    return RequiredSigner(
        act=act.act,  # type: ignore[arg-type]
        role=act.role,
        person=act.person,
        at=act.at,
        certificate_sha256=signed.certificate_sha256,
        place=json.loads(act.statement).get("place"),
    )


def _place(attested: Sequence[DestructionAct]) -> str | None:
    places = [json.loads(act.statement).get("place") for act in attested]
    return next((place for place in places if place), None)


def _traces(session: Session, items: Sequence[ListItem]) -> list[ClearTrace]:
    traces = []
    for item in items:
        wanted = select(Clear).where(Clear.document_id == item.register_no).order_by(Clear.id)
        wanted = (
            wanted.where(Clear.copy_id == item.id)
            if item.kind == "copy"
            else wanted.where(Clear.copy_id.is_(None))
        )
        traces += [
            ClearTrace(item=item.id, kind=row.kind, id=row.copy_id, at=row.at, state=row.state)
            for row in session.scalars(wanted)
        ]
    return traces


def _inventory_line(station: Station, session: Session, row: Destruction, item: ListItem) -> InventoryLine:
    document = session.get_one(Document, str(item.register_no))
    words = words_of(station, session, document)
    receipt = session.get_one(Receipt, document.receipt_id)
    carriers = session.scalars(select(Carrier).where(Carrier.document_id == document.id)).all()
    year = int((document.signed_date or document.received_at)[:4])
    return InventoryLine(
        item=item.item,
        register_no=item.id,
        title=words.get("title") or "",
        doc_number=words.get("doc_number") or "",
        level=item.level or "",
        secrecy_period=document.period or "",
        serial=item.copy_no or "、".join(words.get("serials") or ()),
        pages=item.pages,
        organ="、".join(words.get("organs") or ()),
        signed_date=document.signed_date or "",
        received_date=receipt.at[:10],
        carrier="电子",
        carrier_no="、".join(carrier.id for carrier in carriers),
        archived=document.archived_at or "",
        retention=document.retention or "",
        retention_until=document.retention_until or "",
        kept_years=str(max(0, today(station.clock).year - year)),
        reason=row.reason,
        remark=say("form_remark_derived", "zh", models="、".join(item.derived)) if item.derived else "",
    )
