"""Execution: two operators, then the protocol of vault.md section 3, each step durable, each able to be done again.

    intent      the slots are fixed, canaries and witness are taken (in memory only)
    committed   keys gone, key store under the next root, rows marked, ledger entry: one transaction
    erased      the former root overwritten on every root that could be reached
    files_done  every sealed file erased, one outcome each
    verified    V1 … V7, verdict

Killed at any step, `destroy execute` by one of the two operators goes on from there; the start-up rule of the vault
has by then rolled the keys forward or back. Until keys are gone (`intent`) nothing is destroyed: five minutes later
two operators have to call again, or the proposer cancels. There is never a second certificate for one batch.

A mirror that could not be reached leaves the batch at `pending_key_epoch`, a file that could not be erased at `failed`:
once mirror or file are in reach, `destroy execute` by one of the two operators settles it. That voids attestations
made before, since what they attest has changed. A batch that was certified meanwhile keeps its certificate, and the
same call writes an addendum (`settlement.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from ...common.canonical import canonical
from ...common.errors import Refused
from ...models.certificate import ListItem
from ...models.tables import Artefact, Destruction, DestructionAct, DestructionItem, Scan
from ...stages.shred import Shredded, shred
from ...vault.rotation import Recovery
from ...vault.vault import Vault
from ..desk import movements
from ..intake import passages
from ..intake.sources import without_links
from ..learning import station_model
from ..papers import search_book
from ..papers.documents import seal_words, words_of
from ..persons.actors import Actor, acting
from ..station import drill
from ..station.station import Station
from . import batch as destruction
from . import closure, hands, physical, settlement
from .parts import Part, parts
from .verification import Evidence, gather, verify_batch

WITHIN = timedelta(minutes=5)
_TOGETHER = 500
"""Files whose outcome is written down in one question."""


def execute(station: Station, actor: Actor, *, batch: str, dry_run: bool = False) -> dict[str, Any]:
    """The first operator's call waits; the second one's, within five minutes, runs the protocol. Of paper and media the
    second operator confirms what the first one stated (`physical.record`).

    Raises:
        Refused: wrong state, not apart from the other persons, a block stands, list changed, approval expired.
        Broken: the check before the old root is erased failed; then both roots stay.
    """
    with station.read() as session:
        known = session.get(Destruction, batch)
        paper = known is not None and physical.is_physical(destruction.items_of(known))
        addendum = settlement.waits(known)
    if paper:
        return physical.confirm(station, actor, batch=batch, dry_run=dry_run)
    if addendum:
        settlement.settle(station, actor, batch=batch, dry_run=dry_run)
        with station.read() as session:
            row, items = destruction.get(session, batch)
            return destruction.batch_json(station, session, row, items, dry_run=dry_run)
    with acting(station, actor, "destroy.execute", objects=(batch,)) as session:
        row, items = destruction.get(session, batch)
        if row.state not in ("supervised", "executing") and not _unsettled(row):
            raise Refused("destruction_state", batch=batch, state=row.state)
        if not _begun(row):
            destruction.require_approved(station, session, row)
            destruction.require_unblocked(station, session, row, items)
        turn, stale = _turn(station, session, row, actor)
        if dry_run:
            return destruction.batch_json(station, session, row, items, dry_run=True)
        if turn != "resume":
            for act in stale:
                session.delete(act)
            session.flush()
            hands.sign(station, session, actor, row, "execute", "destroy_operator")
            row.state = "executing"
            row.phase = None if turn == "first" else "intent"
            station.log(
                session, "destroy.execute", objects=(batch,), person=actor.person, account=actor.user,
                role="destroy_operator", facts={"list": row.list_sha256, "step": 1 if turn == "first" else 2},
            )  # fmt: skip
            if turn == "first":
                return destruction.batch_json(station, session, row, items)
    _run(station, actor, batch)
    with station.read() as session:
        row, items = destruction.get(session, batch)
        return destruction.batch_json(station, session, row, items)


def _begun(row: Destruction) -> bool:
    """Whether keys are gone: from there on the batch only goes forward."""
    return row.phase not in (None, "intent")


def _unsettled(row: Destruction) -> bool:
    """Whether a verified batch may come out better once what was out of reach is back."""
    return (row.state == "verified" and row.verdict == "pending_key_epoch") or (
        row.state == "failed" and row.phase == "verified"
    )


def _turn(
    station: Station, session: Session, row: Destruction, actor: Actor
) -> tuple[Literal["first", "second", "resume"], list[DestructionAct]]:
    """Which call this is, and the earlier calls that no longer count."""
    acts = session.scalars(
        select(DestructionAct)
        .where(DestructionAct.destruction_id == row.id, DestructionAct.act == "execute")
        .order_by(DestructionAct.id)
    ).all()
    named = [act.person for act in acts]
    now = station.clock.now()
    fresh = [act for act in acts if now - datetime.fromisoformat(act.at) <= WITHIN]
    if _begun(row) or (row.phase == "intent" and len(fresh) == 2):
        if actor.person not in named:
            raise Refused("not_the_operator", batch=row.id)
        return "resume", []
    apart = ["approve", "supervise", "propose"] + ([] if station.policy.small_room else ["count"])
    hands.check_apart(session, row, actor, apart)
    if row.phase == "intent":
        fresh = []
    hands.check_apart(session, row, actor, (), same="same_person_twice", also=[act.person for act in fresh])
    return "second" if fresh else "first", [act for act in acts if act not in fresh]


def _run(station: Station, actor: Actor, batch: str) -> None:
    """The protocol from wherever it stands."""
    with ExitStack() as kept:
        evidence: Evidence | None = None
        with station.vault.rotating():
            with station.read() as session:
                row, items = destruction.get(session, batch)
                if row.phase == "intent":
                    evidence = gather(station, session, items)
                    kept.callback(evidence.close)
                    station.vault.stage_root(session)
            if evidence is not None:
                _destroy_keys(station, actor, batch, evidence)
            with station.read() as session:
                recovery = station.vault.recover(session)
            _phase(station, batch, "erased", lambda _session, _row: None)
        _finish(station, actor, batch, evidence, recovery)


def _destroy_keys(station: Station, actor: Actor, batch: str, evidence: Evidence) -> None:
    """Steps 3 and 4. The checks run once more, in the transaction itself."""
    with acting(station, actor, "destroy.keys", objects=(batch,)) as session:
        row, items = destruction.get(session, batch)
        if row.state != "executing" or row.phase != "intent":
            raise Refused("destruction_state", batch=batch, state=row.state)
        destruction.require_unblocked(station, session, row, items)
        _commit_keys(station, session, station.vault, row, items, evidence)
    with station.read() as session:
        station.vault.check(session, evidence.rewritten)


def _finish(
    station: Station, actor: Actor, batch: str, evidence: Evidence | None, recovery: Recovery
) -> None:
    """Files, verification, verdict. Done again on a settled batch it changes nothing."""
    shredded = shred(_files(station, batch), station.vault.erase_blob)
    _checkpoint(station)
    _phase(station, batch, "files_done", lambda session, _row: _keep_file_outcomes(session, shredded))
    outcome = verify_batch(station, batch, evidence=evidence, recovery=recovery)
    with acting(station, actor, "destroy.verify", objects=(batch,)) as session:
        row, _ = destruction.get(session, batch)
        if row.state == "certified" or (row.outcomes and row.outcomes == canonical(outcome.to_plain())):
            return
        void = session.scalars(
            select(DestructionAct).where(
                DestructionAct.destruction_id == batch, DestructionAct.act == "attest"
            )
        ).all()
        for act in void:
            session.delete(act)
        row.outcomes = canonical(outcome.to_plain())
        row.verdict = outcome.verdict
        row.state = "failed" if outcome.verdict == "failed" else "verified"
        row.phase = "verified"
        for item in session.scalars(select(DestructionItem).where(DestructionItem.destruction_id == batch)):
            item.open = False
        drill.begin_clock(station, session, drill.DUE_AFTER_DESTRUCTION)
        station.log(
            session, "destroy.verify", objects=(batch,), person=actor.person, account=actor.user,
            facts={
                "verdict": outcome.verdict,
                "attestations_void": len(void),
                "checks": {check.name: check.result for check in outcome.checks},
            },
        )  # fmt: skip


def _commit_keys(
    station: Station,
    session: Session,
    vault: Vault,
    row: Destruction,
    items: Sequence[ListItem],
    evidence: Evidence,
) -> None:
    """Step 3: keys, register and ledger change together or not at all."""
    slots: dict[str, None] = {}
    before: closure.Counts = {}
    operator = _operator(session, row)
    for part in parts(session, items):
        before |= closure.rows_of(station, session, part)
        for item in part.items:
            for artefact in part.files(item):
                slots[artefact.key_slot] = None
                artefact.state = "shredding"
        _mark_copies(station, session, operator, part)
        _mark_documents(station, session, part)
        session.flush()
    row.outcomes = canonical({"before": before})
    evidence.rewritten = vault.rewrite(session, list(slots))
    row.epoch_before = evidence.rewritten.epoch_before
    row.epoch_after = evidence.rewritten.epoch_after
    row.phase = "committed"
    station_model.put_out_of_use(station, session, slots, by=row.id)
    station.log(
        session, "destroy.keys", objects=(row.id, *(item.id for item in items)),
        facts={
            "list": row.list_sha256, "slots": len(slots), "epoch_before": row.epoch_before,
            "epoch_after": row.epoch_after,
        },
    )  # fmt: skip


def _operator(session: Session, row: Destruction) -> str:
    """The second operator: whose signed act runs the protocol."""
    return (
        session.scalars(
            select(DestructionAct.person)
            .where(DestructionAct.destruction_id == row.id, DestructionAct.act == "execute")
            .order_by(DestructionAct.id.desc())
        ).first()
        or row.proposed_by
    )


def _mark_copies(station: Station, session: Session, operator: str, part: Part) -> None:
    for copy in part.copies.values():
        if copy.status != "lost":
            movements.record(
                station, session, operator, kind="copy", object_id=copy.id,
                document=part.documents[copy.document_id], act="destroy", before=copy.status, after="destroyed",
                giver=copy.holder, taker=None, hand=movements.Hand(),
            )  # fmt: skip
            copy.status = "destroyed"


def _mark_documents(station: Station, session: Session, part: Part) -> None:
    """The register's rows stay; what let their content be recognised goes."""
    session.execute(delete(Scan).where(Scan.document_id.in_(part.ids)))
    passages.forget(session, part.ids)
    documents = [part.documents[name] for name in part.ids]
    for document in documents:
        document.status = "destroyed"
        document.destroyed_at = station.now()
        document.duplicate_tag = document.paper_tag = None
        seal_words(station, session, document, without_links(words_of(station, session, document)))
        document.key_slot = None
    search_book.all_changed(station, session, documents)


def _files(station: Station, batch: str) -> list[tuple[int, str]]:
    """The sealed files still to be erased: artefact id and path."""
    found: dict[str, int] = {}
    with station.read() as session:
        _, items = destruction.get(session, batch)
        for part in parts(session, items):
            found |= {row.path: row.id for item in part.items for row in part.files(item, ("shredding",))}
    return [(artefact, path) for path, artefact in found.items()]


def _keep_file_outcomes(session: Session, shredded: Sequence[Shredded]) -> None:
    for start in range(0, len(shredded), _TOGETHER):
        part = {item.artefact: item for item in shredded[start : start + _TOGETHER]}
        paths = session.execute(select(Artefact.id, Artefact.path).where(Artefact.id.in_(part)))
        station_model.note_all_erased(
            session, {path: (part[id_].gone, part[id_].grade) for id_, path in paths}
        )
        session.flush()


def _phase(station: Station, batch: str, phase: str, change: Callable[[Session, Destruction], None]) -> None:
    with station.write() as session:
        row, _ = destruction.get(session, batch)
        if row.phase in ("intent", "committed", "erased"):
            row.phase = phase
        change(session, row)


def _checkpoint(station: Station) -> None:
    """Folds the write-ahead log into the database and empties it; old pages hold ciphertext only.

    A server keeps its log as it sees fit, for replicas and archives too: nothing is asked of it (key-store.md).
    """
    if station.engine.dialect.name != "sqlite":
        return
    with station.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(
            text("PRAGMA wal_checkpoint(TRUNCATE)")
        )
