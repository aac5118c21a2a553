"""Destruction 销毁: proposed, counted, approved, supervised, executed by two, verified, attested, certified.

Threat model: one person alone makes evidence vanish, or something else than what was approved. Hence: every act is a
signed statement over the hash of the list; each step names its persons and they differ (by person, not account); the
checks run again at each step; a changed list is void. Refusals are in the ledger. Order and spelling: the command
line contract; who and why: destruction.md section 2, roles.md section 2.

The unit chooses what comes first (C-21): the count (`list_then_approve`) or the approval (`approve_then_list`). Either
way both are over the hash of the same list, and nobody supervises before both are there, whatever was chosen meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from ...common.canonical import canonical
from ...common.clock import today
from ...common.errors import NotThere, Refused, UsageFault
from ...common.paging import HEAVY, cut
from ...models.certificate import Act, ListItem, list_digest, list_value
from ...models.certificate_words import why
from ...models.ledger_entry import new_salt
from ...models.level import Level
from ...models.rights import MAY
from ...models.tables import Certificate, Destruction, DestructionAct, DestructionItem, Document
from ...models.wire import from_plain
from ..intake.source_file import path_of
from ..papers.documents import is_expired
from ..papers.main_copy import archive_copy_at
from ..persons import approvals
from ..persons.actors import Actor, acting
from ..station import clock_guard
from ..station.station import Station
from . import asked, closure, draft, hands, settlement
from .inventory import OPEN_STATES, REASONS, all_blocks, is_unchanged, make_list, require_free
from .kept import kept_of

_NOTE = "destruction.note"


def propose(
    station: Station,
    actor: Actor,
    *,
    documents: Sequence[str] = (),
    copies: Sequence[str] = (),
    carriers: Sequence[str] = (),
    media: Sequence[str] = (),
    level: Level | None = None,
    due: bool = False,
    reason: str,
    note: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Makes the list. Blocked items are listed with what blocks them; counting waits until nothing does.

    Args:
        carriers: originals on paper or disc. media: numbers of storage media, and the highest `level` they held.

    Raises:
        UsageFault: unknown reason, or nothing named. Refused: already in an open batch, or destroyed.
        NotThere: unknown document or copy.
    """
    if reason not in REASONS:
        raise UsageFault("unknown_reason", reason=reason, reasons="、".join(REASONS))
    if media and level is None:
        raise UsageFault("medium_needs_level", medium=media[0])
    with acting(
        station, actor, "destroy.propose", objects=(*documents, *copies, *carriers, *media)
    ) as session:
        if due:
            documents = [*documents, *_due(station, session, reason)]
        salt = new_salt()
        items = make_list(
            station, session, documents=documents, copies=copies, carriers=carriers,
            media=[(name, level.value) for name in media if level is not None], salt=salt,
        )  # fmt: skip
        require_free(session, items)
        batch = Destruction(
            id="",
            state="proposed",
            reason=reason,
            proposed_by=actor.person,
            proposed_at=station.now(),
            list_json=canonical(list_value(items)),
            list_sha256=list_digest(items),
        )
        if dry_run:
            return _json(station, session, batch, items, dry_run=True)
        batch.id = f"X{today(station.clock).year}-{station.next_number(session, 'destruction'):05d}"
        batch.note_sealed = station.seal(session, _NOTE, {"note": note, "salt": salt.hex()}, bind=batch.id)
        session.add(batch)
        session.flush()
        session.add_all(
            DestructionItem(
                destruction_id=batch.id, kind=item.kind, item_id=item.id,
                level_code=Level.parse(item.level).code if item.level else None,
            )
            for item in items
        )  # fmt: skip
        _state(station, session, actor, batch, "propose", "proposed", actor.role_for(MAY["destroy.propose"]))
        return _json(station, session, batch, items)


def count(station: Station, actor: Actor, *, batch: str, dry_run: bool = False) -> dict[str, Any]:
    """One person's count of the list; the second one makes it `counted`.

    Raises:
        Refused: wrong state, not approved yet where approval comes first, an approver of it, same person twice, a
            block stands, the list has changed.
    """
    with acting(station, actor, "destroy.count", objects=(batch,)) as session:
        row, items = _open(session, batch, _before_count(station))
        if row.approval_expires is not None:
            require_approved(station, session, row)
        _require_unblocked(station, session, row, items)
        if len(_persons(session, row, "count")) > 1:
            raise Refused("destruction_state", batch=batch, state=row.state)
        hands.not_again(session, row, "count", actor)
        hands.check_apart(session, row, actor, ("approve",), same="not_own_batch")
        counted = _persons(session, row, "count")
        if (
            row.reason == "misfiled"
            and len(counted) == 1
            and row.proposed_by not in (counted[0], actor.person)
        ):
            raise Refused("misfiled_two_persons", person=row.proposed_by)
        if not dry_run:
            state = "counted" if counted else row.state
            _state(station, session, actor, row, "count", state, actor.role_for(MAY["destroy.count"]))
        return _json(station, session, row, items, dry_run=dry_run)


def approve(station: Station, actor: Actor, *, batch: str, dry_run: bool = False) -> dict[str, Any]:
    """One approver's word, as the matrix asks for the levels in the list; the last one makes it `approved`.

    Raises:
        Refused: not asked of this person, proposer or counter, twice, a block stands, the list has changed, an
            earlier approver's word has expired.
    """
    with acting(station, actor, "destroy.approve", objects=(batch,)) as session:
        clock_guard.trust_time(station, session)
        row, items = _open(session, batch, _before_approval(station))
        _require_unblocked(station, session, row, items)
        if row.approval_expires is not None:
            require_approved(station, session, row)
        hands.not_again(session, row, "approve", actor)
        hands.check_apart(session, row, actor, ("propose", "count"), same="not_own_batch")
        role = asked.missing_role(station, session, row, items, actor)
        if not dry_run:
            left = set(asked.needed(station, session, items)) - set(asked.roles_given(session, row)) - {role}
            expires = today(station.clock) + timedelta(days=station.policy.approval_days)
            row.approval_expires = row.approval_expires or expires.isoformat()
            _state(
                station, session, actor, row, "approve", row.state if left else "approved", role,
                accepts=closure.expected(station, session, items),
            )  # fmt: skip
        return _json(station, session, row, items, dry_run=dry_run)


def refuse(
    station: Station, actor: Actor, *, batch: str, reason: str, dry_run: bool = False
) -> dict[str, Any]:
    """An approver says no: the batch ends, its items are free again.

    Raises:
        Refused: wrong state, or not an approver of it.
    """
    why = station.reason(reason)
    with acting(station, actor, "destroy.refuse", objects=(batch,)) as session:
        row, items = _open(session, batch, ("proposed", "counted", "approved", "supervised"))
        if not any(approvals.fills(station, actor, role) for role in asked.needed(station, session, items)):
            raise Refused(
                "not_the_approver",
                person=actor.person,
                roles="、".join(asked.needed(station, session, items)),
            )
        if not dry_run:
            _close(session, row, "refused")
            station.log(
                session,
                "destroy.refuse",
                objects=(batch,),
                person=actor.person,
                account=actor.user,
                reason=why,
            )
        return _json(station, session, row, items, dry_run=dry_run)


def cancel(station: Station, actor: Actor, *, batch: str, dry_run: bool = False) -> dict[str, Any]:
    """The proposer takes the batch back, as long as no key is gone (vault.md section 3, step 1).

    Raises:
        Refused: not the proposer, or too late.
    """
    with acting(station, actor, "destroy.cancel", objects=(batch,)) as session:
        row, items = _open(session, batch, ("proposed", "counted", "approved", "supervised", "executing"))
        if row.proposed_by != actor.person:
            raise Refused("not_your_batch", batch=batch)
        if row.phase not in (None, "intent"):
            raise Refused("execution_begun", batch=batch)
        if not dry_run:
            row.phase = None
            _close(session, row, "cancelled")
            station.log(session, "destroy.cancel", objects=(batch,), person=actor.person, account=actor.user)
        return _json(station, session, row, items, dry_run=dry_run)


def supervise(station: Station, actor: Actor, *, batch: str, dry_run: bool = False) -> dict[str, Any]:
    """A supervisor is present, before; the second one makes it `supervised`.

    Raises:
        Refused: proposer, approver or counter of it, same person twice, clearance too low, approval expired.
    """
    with acting(station, actor, "destroy.supervise", objects=(batch,)) as session:
        row, items = _open(session, batch, ("counted", "approved"))
        left = set(asked.needed(station, session, items)) - set(asked.roles_given(session, row))
        if len(_persons(session, row, "count")) < 2 or (row.state == "counted" and left):
            raise Refused("destruction_state", batch=batch, state=row.state)
        require_approved(station, session, row)
        _require_unblocked(station, session, row, items)
        hands.not_again(session, row, "supervise", actor)
        hands.check_apart(session, row, actor, ("propose", "count", "approve"))
        asked.check_cleared(station, session, items, actor)
        if not dry_run:
            state = "supervised" if _persons(session, row, "supervise") else row.state
            _state(station, session, actor, row, "supervise", state, "destroy_supervisor")
        return _json(station, session, row, items, dry_run=dry_run)


def show(station: Station, *, batch: str) -> dict[str, Any]:
    """One batch."""
    with station.read() as session:
        row, items = get(session, batch)
        return _json(station, session, row, items)


def list_batches(station: Station, *, limit: int = HEAVY, after: str | None = None) -> dict[str, Any]:
    """Batches in order; `after`: goes on behind this one."""
    with station.read() as session:
        wanted = select(Destruction).order_by(Destruction.proposed_at, Destruction.id).limit(limit + 1)
        if after is not None:
            last, _ = get(session, after)
            wanted = wanted.where(
                tuple_(Destruction.proposed_at, Destruction.id) > tuple_(last.proposed_at, last.id)
            )
        rows, rest = cut(session.scalars(wanted).all(), limit, lambda row: row.id)
        return {"destructions": [_json(station, session, row, items_of(row)) for row in rows], **rest}


# ---------------------------------------------------------------- shared with execution and attestation


def get(session: Session, batch: str) -> tuple[Destruction, tuple[ListItem, ...]]:
    """The batch and its lines.

    Raises:
        NotThere: no such batch.
    """
    row = session.get(Destruction, batch)
    if row is None:
        raise NotThere("no_destruction", batch=batch)
    return row, items_of(row)


def items_of(row: Destruction) -> tuple[ListItem, ...]:
    """The lines as they were listed."""
    return tuple(from_plain(ListItem, item) for item in json.loads(row.list_json))


def require_approved(station: Station, session: Session, row: Destruction) -> None:
    """The approval still holds.

    Raises:
        Refused: expired, or the clock waits for two persons.
    """
    clock_guard.trust_time(station, session)
    if row.approval_expires is None or row.approval_expires < today(station.clock).isoformat():
        raise Refused("approval_expired", batch=row.id)


def require_unblocked(
    station: Station, session: Session, row: Destruction, items: Sequence[ListItem]
) -> None:
    """Nothing stands in the way, and the list is the one that was proposed.

    Raises:
        Refused: `list_changed`, or `blocked` with the first block's code.
    """
    if not is_unchanged(station, session, row, items, salt_of(station, session, row)):
        raise Refused("list_changed", batch=row.id)
    every = all_blocks(station, session, reason=row.reason, items=items)
    for item, blocks in zip(items, every, strict=True):
        if blocks:
            raise Refused("blocked", item=item.id, block=blocks[0]["code"], lift=blocks[0]["lifted_by"])


def salt_of(station: Station, session: Session, row: Destruction) -> bytes:
    """The salt of the batch's title commitments."""
    return bytes.fromhex(station.unseal(session, _NOTE, row.note_sealed or b"", bind=row.id)["salt"])


def _archive_copy(session: Session, item: ListItem) -> dict[str, Any]:
    """For a copy, where the document's main copy is kept (destruction.md section 5)."""
    if item.kind != "copy":
        return {}
    return {"archive_copy_at": archive_copy_at(session, session.get_one(Document, str(item.register_no)))}


def batch_json(
    station: Station, session: Session, row: Destruction, items: Sequence[ListItem], *, dry_run: bool = False
) -> dict[str, Any]:
    """A batch with every key of the contract."""
    closed = row.state not in OPEN_STATES or row.phase not in (None, "intent")
    outcomes = kept_of(row)
    acts = session.scalars(
        select(DestructionAct).where(DestructionAct.destruction_id == row.id).order_by(DestructionAct.id)
    ).all()
    by_act: dict[str, list[dict[str, str]]] = {}
    for act in acts:
        by_act.setdefault(act.act, []).append({"person": act.person, "role": act.role, "at": act.at})
    every = [[]] * len(items) if closed else all_blocks(station, session, reason=row.reason, items=items)
    certificate = session.scalars(select(Certificate).where(Certificate.destruction_id == row.id)).first()
    return {
        "id": row.id or None,
        "state": row.state,
        "phase": row.phase,
        "reason": row.reason,
        "list_sha256": row.list_sha256,
        "items": [
            {
                "item": item.item, "kind": item.kind, "id": item.id, "level": item.level,
                **_archive_copy(session, item),
                **({"derived": list(item.derived)} if item.derived else {}),
                "blocks": blocks,
            }
            for item, blocks in zip(items, every, strict=True)
        ],
        "needed": asked.needed(station, session, items),
        "proposer": row.proposed_by,
        "counters": by_act.get("count", []),
        "approvers": by_act.get("approve", []),
        "operators": by_act.get("execute", []),
        "supervisors": by_act.get("supervise", []),
        "attested": by_act.get("attest", []),
        "approval_expires": row.approval_expires,
        "outcomes": outcomes.get("items", []),
        "checks": [{**check, "words": why(check["reason"])} for check in outcomes.get("checks", [])],
        "roots": outcomes.get("roots", []),
        "outside_scope": [
            {**place, "path": path_of(station, session, place["clear"])}
            for place in outcomes.get("outside_scope", [])
        ],
        "reservations": outcomes.get("reservations", []),
        "physical": outcomes.get("physical"),
        "verdict": row.verdict,
        "certificate": certificate.id if certificate else None,
        "settled": settlement.settled(session, row.id) if row.phase == "settled" else None,
        "dry_run": dry_run,
        **({"draft": draft.record_of(station, session, row, items).to_value()} if dry_run else {}),
    }  # fmt: skip


_json = batch_json
_require_unblocked = require_unblocked


# ---------------------------------------------------------------- parts


def _due(station: Station, session: Session, reason: str) -> list[str]:
    """Confirmed documents that fall due for the reason and stand in no open batch."""
    clock_guard.trust_time(station, session)
    taken = set(session.scalars(select(DestructionItem.item_id).where(DestructionItem.open.is_(True))))
    rows = session.scalars(
        select(Document).where(Document.status.in_(("registered", "archived"))).order_by(Document.id)
    )
    if reason == "no_filing_value":
        return [row.id for row in rows if row.retention == "不归档" and row.id not in taken]
    if reason == "retention_expired":
        return [
            row.id
            for row in rows
            if is_expired(station, row) and row.retention in ("10年", "30年") and row.id not in taken
        ]
    raise UsageFault("due_reason", reason=reason)


def _open(session: Session, batch: str, states: tuple[str, ...]) -> tuple[Destruction, tuple[ListItem, ...]]:
    row, items = get(session, batch)
    if row.state not in states:
        raise Refused("destruction_state", batch=batch, state=row.state)
    return row, items


def _approval_first(station: Station) -> bool:
    return station.policy.choices.get("list_and_approval_order") == "approve_then_list"


def _before_count(station: Station) -> tuple[str, ...]:
    """States in which a batch is counted; one that was approved first is counted after any change of the choice."""
    return ("approved",) if _approval_first(station) else ("proposed", "approved")


def _before_approval(station: Station) -> tuple[str, ...]:
    return ("proposed", "counted") if _approval_first(station) else ("counted",)


def _state(
    station: Station, session: Session, actor: Actor, row: Destruction, act: Act, state: str, role: str,
    *, accepts: Sequence[str] = (),
) -> None:  # fmt: skip
    hands.sign(station, session, actor, row, act, role, accepts=accepts)
    row.state = state
    station.log(
        session, f"destroy.{act}", objects=(row.id,), person=actor.person, account=actor.user, role=role,
        facts={"list": row.list_sha256, "state": state},
    )  # fmt: skip


def _close(session: Session, row: Destruction, state: str) -> None:
    row.state = state
    for item in session.scalars(select(DestructionItem).where(DestructionItem.destruction_id == row.id)):
        item.open = False
    session.flush()


def _persons(session: Session, row: Destruction, act: str) -> list[str]:
    return hands.persons(session, row, (act,))
