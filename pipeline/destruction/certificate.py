"""Attestation and certificate: the two supervisors attest what came out; only then is there a certificate.

One certificate for one batch. It embeds what every person signed and carries the room's seal; its hash enters the
ledger, so that a proof of that entry covers every byte of the file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.canonical import canonical
from ...common.clock import iso
from ...common.errors import JiyaoError, NotThere, Refused
from ...common.files import write_new, write_whole
from ...models.certificate import (
    FILE_FACT,
    Check,
    ItemOutcome,
    ListItem,
    SignedStatement,
    outcomes_digest,
    title_salt,
)
from ...models.physical import PhysicalFacts
from ...models.tables import Certificate, Destruction, DestructionAct
from ...models.wire import from_plain
from ...vault.wipe import wiped
from ..papers.documents import words_of
from ..persons import access, people
from ..persons.actors import Actor, acting
from ..station import authority, sm2_key
from ..station.ledgers import proof_file, signed_head
from ..station.station import Station
from . import batch as destruction
from . import hands
from .inventory import document_of
from .kept import kept_of
from .record import inventory_lines, record_of, signer

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
        kept = kept_of(row)
        outcomes = tuple(from_plain(ItemOutcome, item) for item in kept["items"])
        checks = tuple(from_plain(Check, check) for check in kept["checks"])
        facts = from_plain(PhysicalFacts, kept["physical"]) if kept.get("physical") else None
        hands.sign(
            station, session, actor, row, "attest", "destroy_supervisor", place=place,
            outcomes=outcomes_digest(outcomes, checks, row.verdict, facts),  # type: ignore[arg-type]
            accepts=[entry["code"] for entry in kept.get("reservations", ())],
        )  # fmt: skip
        station.log(
            session, "destroy.attest", objects=(batch,), person=actor.person, account=actor.user,
            role="destroy_supervisor", facts={"verdict": row.verdict},
        )  # fmt: skip
        if before:
            _certify(station, session, row, items, kept)
            row.state = "certified"
        return destruction.batch_json(station, session, row, items)


def write_certificate(station: Station, actor: Actor, *, batch: str, out: Path) -> dict[str, Any]:
    """Writes the certificate, and beside it its ledger proof and the authority's certificate, which come first.

    Can be asked for again under the same name: files that are there and belong to this certificate stay as they are.

    Raises:
        NotThere: no such batch, or not certified yet. Refused: another file is there.
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
    proof_path, ca_path = out.with_suffix(".proof.json"), out.with_suffix(".ca.pem")
    try:
        write_whole(ca_path, ca)
        write_whole(proof_path, proof, same=partial(_proves, proof))
        digest = write_whole(out, pdf)
    except (JiyaoError, OSError) as error:
        with acting(station, actor, "certificate.show", objects=(batch,)) as session:
            station.log(
                session, "certificate.show", objects=(batch, certificate), person=actor.person, account=actor.user,
                result="failed", rule=error.code if isinstance(error, JiyaoError) else "disk_full",
            )  # fmt: skip
        raise
    return {
        "id": certificate, "destruction": batch, "file": str(out), "sha256": digest, "proof": str(proof_path),
        "ca": str(ca_path), "ledger_seq": seq,
    }  # fmt: skip


def _proves(proof: bytes, other: bytes) -> bool:
    """Whether a proof that is there already is of the same entry of the same log, under whatever head."""
    try:
        mine, found = json.loads(proof), json.loads(other)
        return all(mine[name] == found[name] for name in ("leaf", "seq", "origin", "certificate"))
    except (ValueError, KeyError, TypeError):
        return False


def open_title(station: Station, actor: Actor, *, batch: str, item: int, out: Path) -> dict[str, Any]:
    """Writes title and salt of one line, to be given apart to whoever may know that title and none of the others.

    Raises:
        NotThere: no such batch or line. Refused: the actor's clearance does not reach it.
    """
    with acting(station, actor, "certificate.show", objects=(batch,)) as session:
        row, items = destruction.get(session, batch)
        line = next((one for one in items if one.item == item), None)
        document = document_of(session, line) if line is not None else None
        if line is None or document is None:
            raise NotThere("no_such_line", batch=batch, item=item)
        access.check_clearance(station, session, actor.person, document)
        title = words_of(station, session, document).get("title") or ""
        salt = title_salt(destruction.salt_of(station, session, row), line.id)
        station.log(
            session, "certificate.title", objects=(batch, line.id), person=actor.person, account=actor.user,
            facts={"item": item},
        )  # fmt: skip
    value = {"batch": batch, "item": item, "salt": salt.hex(), "title": title}
    return {"file": str(out), "sha256": write_new(out, canonical(value)), "batch": batch, "item": item}


def _certify(
    station: Station,
    session: Session,
    row: Destruction,
    items: Sequence[ListItem],
    kept: dict[str, Any],
) -> None:
    # pyHanko, pypdf and fpdf2 take a second to load, and every step of a destruction passes this module
    from ...stages.certify import certify

    now = station.clock.now().replace(microsecond=0)
    number = f"C{now.year}-{station.next_number(session, 'certificate'):05d}"
    acts = session.scalars(
        select(DestructionAct).where(DestructionAct.destruction_id == row.id).order_by(DestructionAct.id)
    ).all()
    head = signed_head(station, session)
    record = record_of(
        station, session, row, kept=kept, acts=acts, required=[signer(session, act) for act in acts], number=number,
        at=iso(now), head=head,
    )  # fmt: skip
    facts = record.physical
    named = {act.person for act in acts}
    named |= {*facts.performed_by, *facts.escorts} if facts is not None else set()
    named |= {person for one in record.written_off for person in one.accepted_by}
    names = {person: people.name_of(station, session, person) for person in sorted(named)}
    signs = record.sm2 is not None and record.sm2.state == "signed"
    second = sm2_key.credential(station, session) if signs else None
    with wiped(*(() if second is None else (second.private,))):
        made = certify(
            record=record,
            inventory=inventory_lines(station, session, row.reason, items),
            statements=[SignedStatement(statement=act.statement, signature=act.signature) for act in acts],
            names=names,
            fonds=station.settings.unit,
            seal=authority.credential(station, session, "seal"),
            ca=authority.certificate(session, "ca"),
            crl=authority.revocations(station, session),
            signed_at=now,
            sm2=second,
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
