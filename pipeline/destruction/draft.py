"""A dry run's draft: the certificate as it would be issued if everything went as the station can foresee it.

Nothing is written, numbered, signed or destroyed. Who has signed stands in it; who still has to is named by role only.
Checks are not foretold: they stand as not run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...common.files import write_new
from ...ledger import log as ledger
from ...models.certificate import (
    ACTS,
    Act,
    ArtefactOutcome,
    Check,
    CheckName,
    DestructionRecord,
    ItemOutcome,
    ListItem,
    RequiredSigner,
    Reservation,
    Verdict,
)
from ...models.tables import Destruction, DestructionAct, KeyStoreRow
from ...models.wire import from_plain, to_plain
from ...vault.medium import Claim, medium_of
from ..persons import people
from ..station.roots import roots_found
from ..station.station import Station
from . import asked, closure
from .parts import Part, parts
from .record import inventory_lines, signer
from .record import record_of as kept_record

_LEAST = {"propose": 1, "count": 2, "supervise": 2, "execute": 2, "attest": 2}
_ROLES = {
    "propose": "jiyao_clerk", "count": "jiyao_clerk", "supervise": "destroy_supervisor",
    "execute": "destroy_operator", "attest": "destroy_supervisor",
}  # fmt: skip
_GRADES = {Claim.CLEAR: "erased_clear", Claim.MEMORY: "erased_memory", Claim.NONE: "unlinked_only"}


def record_of(
    station: Station, session: Session, row: Destruction, items: Sequence[ListItem]
) -> DestructionRecord:
    """The record that the certificate would bear."""
    acts = session.scalars(
        select(DestructionAct).where(DestructionAct.destruction_id == row.id).order_by(DestructionAct.id)
    ).all()
    kept = _kept(station, session, row, items)
    required = _required(station, session, items, acts)
    return kept_record(
        station, session, row, kept=kept, acts=acts, required=required, number="", at=station.now(),
        head=ledger.head(session),
    )  # fmt: skip


def write(station: Station, draft: dict[str, Any], out: Path) -> dict[str, Any]:
    """Draws a draft as PDF: 样张　试运行 on every page, neither signed nor sealed.

    Args:
        draft: the value `draft` of a dry run.
    """
    from ...stages.certify import draft as draw

    plain = {
        name: value for name, value in draft.items() if name not in ("claims", "type", "version", "words")
    }
    record = from_plain(DestructionRecord, plain)
    items = [from_plain(ListItem, item) for item in draft["list"]]
    with station.read() as session:
        inventory = inventory_lines(station, session, record.reason, items)
        named = {who.person for who in record.required if who.person}
        named |= {person for one in record.written_off for person in one.accepted_by}
        names = {person: people.name_of(station, session, person) for person in named}
    pdf = draw(record=record, inventory=inventory, names=names, fonds=record.unit, at=station.clock.now())
    return {"file": str(out), "sha256": write_new(out, pdf)}


def _kept(station: Station, session: Session, row: Destruction, items: Sequence[ListItem]) -> dict[str, Any]:
    """What would come out, as far as it can be told before; what has come out already is told as it is."""
    known: dict[str, Any] = json.loads(row.outcomes or b"{}")
    if "items" in known:
        return known
    physical = all(item.kind in closure.PHYSICAL for item in items)
    roots = [
        {
            "state": "erased" if root.medium else "missing",
            "class": root.medium.root_class.value if root.medium else None,
            "claim": root.medium.claim.value if root.medium else None,
            "reasons": list(root.medium.reasons) if root.medium else [],
        }
        for root in roots_found(station.settings)
    ]
    epoch = session.scalar(select(func.max(KeyStoreRow.epoch))) or 0
    grade = _GRADES.get(medium_of(station.blobs).claim, "overwritten_unproven")
    outcomes = tuple(
        outcome for part in parts(session, items) for outcome in _outcomes(station, session, part, grade)
    )
    outside = [] if physical else list(closure.outside_of(station, session, items))
    reservations = [Reservation(code=code) for code in closure.expected(station, session, items)]
    if outside:
        places = tuple(dict.fromkeys(place["item"] for place in outside))
        reservations.append(Reservation(code="reservation_outside", subjects=places))
    verdict: Verdict = "complete_with_reservations" if reservations else "complete"
    checks = [Check(name=name, result="pending", reason="draft_not_run") for name in get_args(CheckName)]
    return {
        "items": to_plain(outcomes), "checks": to_plain(tuple(checks)), "verdict": verdict, "roots": roots,
        "outside_scope": outside, "reservations": to_plain(tuple(reservations)), "physical": known.get("physical"),
        "epoch_before": row.epoch_before or epoch,
        "epoch_after": row.epoch_after or (epoch if physical else epoch + 1),
    }  # fmt: skip


def _outcomes(station: Station, session: Session, part: Part, grade: str) -> Iterator[ItemOutcome]:
    before = closure.rows_of(station, session, part)
    for item in part.items:
        yield _outcome(part, item, before.get(item.id, {}), grade)


def _outcome(part: Part, item: ListItem, before: Mapping[str, int], grade: str) -> ItemOutcome:
    if item.kind in closure.PHYSICAL:
        return ItemOutcome(
            item=item.item, kind=item.kind, id=item.id, level=item.level, status="complete", slots=(), artefacts=()
        )  # fmt: skip
    rows = part.files(item)
    last = "delete_only" if grade == "unlinked_only" else "overwrite(1)"
    return ItemOutcome(
        item=item.item,
        kind=item.kind,
        id=item.id,
        level=item.level,
        status="complete",
        slots=tuple(dict.fromkeys(row.key_slot for row in rows)),
        artefacts=tuple(
            ArtefactOutcome(
                artefact=str(row.id), kind=row.kind, sha256=row.cipher_sha256, methods=("crypto_erase", last),
                grade=grade,
            )
            for row in rows
        ),
        closure=closure.closure_of(part, item, before),
    )  # fmt: skip


def _required(
    station: Station, session: Session, items: Sequence[ListItem], acts: Sequence[DestructionAct]
) -> list[RequiredSigner]:
    """Who has signed, and by role who still has to."""
    required = [signer(session, act) for act in acts]
    given = asked.needed(station, session, items)
    for act in ACTS:
        done = [who for who in required if who.act == act]
        if act == "approve":
            missing = [role for role in given if role not in {who.role for who in done}]
        else:
            missing = [_ROLES[act]] * max(0, _LEAST[act] - len(done))
        required += [_open(act, role) for role in missing]
    return sorted(required, key=lambda who: ACTS.index(who.act))


def _open(act: Act, role: str) -> RequiredSigner:
    return RequiredSigner(act=act, role=role, person="", at="", certificate_sha256="")
