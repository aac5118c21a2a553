"""The record behind a certificate, from what the registry keeps: for certificates, and for the draft of a dry run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.messages import say
from ...ledger.heads import TreeHead
from ...models.certificate import (
    BackupFact,
    Check,
    ClearTrace,
    DestructionRecord,
    InventoryLine,
    ItemOutcome,
    ListItem,
    RequiredSigner,
    Reservation,
    RootFacts,
    TreeHeadFact,
    Verdict,
    WrittenOff,
)
from ...models.physical import PhysicalFacts
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
from ...vault.medium import Claim
from ..papers.documents import words_of
from ..station import authority, sm2_key
from ..station.root_events import events, lost
from ..station.station import Station
from .parts import parts


def record_of(
    station: Station,
    session: Session,
    row: Destruction,
    *,
    kept: dict[str, Any],
    acts: Sequence[DestructionAct],
    required: Sequence[RequiredSigner],
    number: str,
    at: str,
    head: TreeHead,
) -> DestructionRecord:
    """The record.

    Args:
        kept: what came out: `items checks outside_scope roots reservations physical`, as plain JSON.
        acts: the signed acts so far. required: who has to have signed.
    """
    items = tuple(from_plain(ListItem, item) for item in json.loads(row.list_json))
    physical = from_plain(PhysicalFacts, kept["physical"]) if kept.get("physical") else None
    executed = [act for act in acts if act.act == "execute"]
    attested = [act for act in acts if act.act == "attest"]
    previous = session.scalars(select(Certificate).order_by(Certificate.id.desc())).first()
    approved = [act.at for act in acts if act.act == "approve"]
    counted = [act.at for act in acts if act.act == "count"]
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
        items=tuple(from_plain(ItemOutcome, item) for item in kept["items"]),
        checks=tuple(from_plain(Check, check) for check in kept["checks"]),
        verdict=row.verdict or kept["verdict"],  # type: ignore[arg-type]
        epoch_before=row.epoch_before or kept.get("epoch_before", 0),
        epoch_after=row.epoch_after or kept.get("epoch_after", 0),
        root=root_facts(station, kept),
        backups=() if physical is not None else tuple(_backups(session, row, kept)),
        required=tuple(required),
        holds_checked_at=executed[-1].at if executed else at,
        started_at=physical.began if physical else (executed[0].at if executed else at),
        finished_at=physical.ended if physical else (attested[0].at if attested else at),
        place=_place(attested) or (physical.place if physical else None),
        cleartext_history=tuple(traces(session, items)) if physical is None else (),
        outside_scope=tuple(
            ClearTrace(
                item=place["item"], kind=place["kind"], id=place["copy"], at=place["at"], state="outstanding"
            )
            for place in kept["outside_scope"]
        ),
        previous_head=TreeHeadFact(size=head.size, root=head.root.hex(), at=head.at),
        previous_certificate=previous.sha256 if previous else None,
        equipment=" ".join(filter(None, (physical.equipment, physical.equipment_no))) if physical else None,
        suite=station.settings.suite,
        recovery=recovery_of(station) if physical is None else "",
        reservations=tuple(
            _accepted(from_plain(Reservation, plain), acts) for plain in kept.get("reservations", ())
        ),
        physical=physical,
        approval_first=bool(approved and counted and min(approved) < max(counted)),
        redacted=station.policy.destruction.redact_titles,
        written_off=_written_off(session) if physical is None else (),
        sm2=sm2_key.fact(station, session),
    )  # fmt: skip


def recovery_of(station: Station) -> str:
    """How the station survives the loss of its machine: `token`, `mirrors`, `single`."""
    if len(station.settings.root_folders) < len(station.settings.roots):
        return "token"
    return "mirrors" if station.settings.mirrors else "single"


def root_facts(station: Station, kept: dict[str, Any]) -> RootFacts:
    """The roots as they were found: the worst class, and on how many mirrors the old root is gone."""
    roots = kept["roots"]
    nothing: dict[str, Any] = {"class": "R5", "claim": None, "reasons": []}
    weakest: dict[str, Any] = max(roots, key=_weakness, default=nothing)
    done = sum(root["state"] == "erased" for root in roots[1:])
    return RootFacts(
        kind=station.settings.root_kind,
        root_class=weakest["class"] or "R5",
        mirrors=max(0, len(roots) - 1),
        mirrors_done=done,
        single_root=station.settings.single_root,
        kdf="test" if station.settings.kdf == "test" else "normal",
        erased=weakest["claim"] or "claim_root_away",
        reasons=tuple(weakest["reasons"]),
    )


def _weakness(root: dict[str, Any]) -> tuple[str, int]:
    """Greater for a root that promises less; one that was not reached promises nothing."""
    claims = tuple(claim.value for claim in Claim)
    return root["class"] or "R5", claims.index(root["claim"]) if root["claim"] in claims else len(claims)


def _backups(session: Session, row: Destruction, kept: dict[str, Any]) -> list[BackupFact]:
    verdict: Verdict = row.verdict or kept["verdict"]  # type: ignore[assignment]
    known = select(Backup).where(Backup.epoch <= (row.epoch_before or kept.get("epoch_before", 0)))
    reach = max((event.epoch for event in lost(events(session))), default=0)
    return [
        BackupFact(
            id=backup.id, at=backup.at, epoch=backup.epoch,
            state=_of_backup(verdict, backup.epoch, reach),
        )
        for backup in session.scalars(known.order_by(Backup.id))
    ]  # fmt: skip


def _of_backup(
    verdict: Verdict, epoch: int, reach: int
) -> Literal["unreadable", "pending_key_epoch", "unknown"]:
    """`reach`: the last epoch that a medium nobody confirmed erased can hold."""
    if verdict == "pending_key_epoch":
        return "pending_key_epoch"
    return "unknown" if epoch <= reach else "unreadable"


def _written_off(session: Session) -> tuple[WrittenOff, ...]:
    return tuple(
        WrittenOff(at=event.at, fate=event.fate, epoch=event.epoch, accepted_by=event.persons)  # type: ignore[arg-type]
        for event in lost(events(session))
    )


def signer(session: Session, act: DestructionAct) -> RequiredSigner:
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


def _accepted(entry: Reservation, acts: Sequence[DestructionAct]) -> Reservation:
    """With everyone who signed that he accepts it."""
    by = tuple(
        f"{act.act}:{act.person}"
        for act in acts
        if entry.code in json.loads(act.statement).get("accepts", ())
    )
    return Reservation(code=entry.code, subjects=entry.subjects, accepted_by=by)


def _place(attested: Sequence[DestructionAct]) -> str | None:
    places = [json.loads(act.statement).get("place") for act in attested]
    return next((place for place in places if place), None)


def traces(session: Session, items: Sequence[ListItem]) -> list[ClearTrace]:
    """Where the content of the items ever lay in clear."""
    found: list[ClearTrace] = []
    for part in parts(session, items, files=False):
        papers = list(dict.fromkeys(item.register_no for item in part.items if item.register_no is not None))
        known: dict[tuple[str | None, str | None], list[Clear]] = {}
        for row in session.scalars(select(Clear).where(Clear.document_id.in_(papers)).order_by(Clear.id)):
            known.setdefault((row.document_id, row.copy_id), []).append(row)
        for item in part.items:
            rows = known.get((item.register_no, item.id if item.kind == "copy" else None), ())
            found += [
                ClearTrace(item=item.id, kind=row.kind, id=row.copy_id, at=row.at, state=row.state)
                for row in rows
            ]
    return found


def inventory_lines(
    station: Station, session: Session, reason: str, items: Sequence[ListItem]
) -> list[InventoryLine]:
    """The lines of the 销毁清册 (destruction.md 6.2), from the register."""
    found = []
    for part in parts(session, items, files=False):
        receipts = {row.receipt_id for row in part.documents.values()}
        rows = session.execute(select(Receipt.id, Receipt.at).where(Receipt.id.in_(receipts)))
        arrived = {receipt: at for receipt, at in rows}  # noqa: C416 - rows are not pairs
        carriers: dict[str | None, list[Carrier]] = {}
        wanted = select(Carrier).where(Carrier.document_id.in_(list(part.documents))).order_by(Carrier.id)
        for carrier in session.scalars(wanted):
            carriers.setdefault(carrier.document_id, []).append(carrier)
        for item in part.items:
            document = part.documents[item.register_no] if item.register_no is not None else None
            if document is None:
                found.append(_medium(reason, item))
                continue
            ours = carriers.get(document.id, [])
            if item.kind == "carrier":
                ours = [one for one in ours if one.id == item.id]
            found.append(_paper(station, session, reason, item, document, arrived[document.receipt_id], ours))
    return found


def _medium(reason: str, item: ListItem) -> InventoryLine:
    return InventoryLine(
        item=item.item, register_no=item.id, title=say("form_kind_medium", "zh"), level=item.level or "",
        carrier=say("form_kind_medium", "zh"), carrier_no=item.id, reason=reason,
    )  # fmt: skip


def _paper(
    station: Station,
    session: Session,
    reason: str,
    item: ListItem,
    document: Document,
    arrived: str,
    carriers: Sequence[Carrier],
) -> InventoryLine:
    words = words_of(station, session, document)
    hidden = station.policy.destruction.redact_titles
    first = document.signed_date or document.received_at[:10]
    now = today(station.clock)
    years = now.year - int(first[:4]) - ((now.month, now.day) < (int(first[5:7]), int(first[8:10])))
    return InventoryLine(
        item=item.item,
        register_no=item.id if item.kind in ("document", "copy") else document.id,
        title="" if hidden else words.get("title") or "",
        doc_number=words.get("doc_number") or "",
        level=item.level or "",
        secrecy_period=document.period or "",
        serial=_serial(item, carriers, words),
        pages=item.pages,
        attachments=_text(words.get("attachments")),
        organ="、".join(words.get("organs") or ()),
        signed_date=document.signed_date or "",
        received_date=arrived[:10],
        carrier=_type(item, carriers),
        carrier_no=item.id if item.kind == "copy" else "、".join(carrier.id for carrier in carriers),
        place="、".join(dict.fromkeys(filter(None, (one.place for one in carriers)))),
        archived=words.get("archive_number") or (document.archived_at or "")[:10],
        retention=document.retention or "",
        retention_until=document.retention_until or "",
        kept_years=str(max(0, years)),
        reason=reason,
        remark=say("form_remark_derived", "zh", models="、".join(item.derived)) if item.derived else "",
    )


def _serial(item: ListItem, carriers: Sequence[Carrier], words: dict[str, Any]) -> str:
    if item.kind == "carrier":
        return "、".join(filter(None, (one.serial for one in carriers)))
    return item.copy_no or "、".join(words.get("serials") or ())


def _type(item: ListItem, carriers: Sequence[Carrier]) -> str:
    if item.kind == "carrier":
        return "、".join(dict.fromkeys(say(f"form_carrier_{one.type}", "zh") for one in carriers))
    return say("form_carrier_electronic", "zh")


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return "、".join(str(one) for one in value)
    return str(value) if value else ""
