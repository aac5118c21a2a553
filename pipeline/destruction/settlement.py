"""A certified batch whose mirror was out of reach, settled once it is back.

The certificate stays as it is: it was true when it was sealed, and says that it was not finished. What has become true
since stands in the ledger, with the certificate's hash, under a signed tree head: the addendum. Its proof is written
beside the certificate, so that an outsider can check both with the same verifier. A medium that never comes back is
written off by two persons (`write_off.py`); the addendum then says on how many of how many the key is erased, and that
one was given up, by whom. Threat model: as that of the ledger;
and whoever puts a hand-made copy of the current root in the place of the missing mirror makes the station believe that
this is the mirror, which is said in docs/known-limits.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused
from ...models.ledger_entry import Fact
from ...models.tables import Certificate, Destruction, DestructionAct, LedgerEntry
from ...vault.rotation import Recovery
from ..persons.actors import Actor, acting
from ..station.root_events import RootEvent, events, lost
from ..station.station import Station

ACT = "destroy.settle"
_SETTLED = "settled"


def waits(row: Destruction | None) -> bool:
    """Whether the batch was certified while a root was out of reach, and has not been settled since."""
    pending = row is not None and row.state == "certified" and row.verdict == "pending_key_epoch"
    return pending and row is not None and row.phase != _SETTLED


def settle(station: Station, actor: Actor, *, batch: str, dry_run: bool = False) -> None:
    """Looks at every root anew; when the former key is on none of them, the addendum is written.

    Raises:
        Refused: `not_the_operator`; `mirror_still_missing`, naming how many of how many are done.
    """
    # Before the registry's own lock: whoever asks, this is no more than the start-up rule.
    with station.vault.rotating(), station.read() as session:
        recovery = station.vault.recover(session)
    with acting(station, actor, ACT, objects=(batch,)) as session:
        operators = select(DestructionAct.person).where(
            DestructionAct.destruction_id == batch, DestructionAct.act == "execute"
        )
        if actor.person not in session.scalars(operators).all():
            raise Refused("not_the_operator", batch=batch)
        if not recovery.complete:
            done = sum(root.state == "erased" for root in recovery.roots)
            raise Refused("mirror_still_missing", batch=batch, done=done, count=len(recovery.roots))
        if not dry_run:
            _write(station, session, actor, batch, recovery, role="destroy_operator")


def write_addendum(station: Station, actor: Actor, *, batch: str, recovery: Recovery) -> None:
    """The addendum of a batch whose medium was written off, by whom it was."""
    with acting(station, actor, ACT, objects=(batch,)) as session:
        _write(station, session, actor, batch, recovery, role=None)


def _write(
    station: Station, session: Session, actor: Actor, batch: str, recovery: Recovery, *, role: str | None
) -> None:
    row = session.get_one(Destruction, batch)
    if not waits(row):
        return
    row.phase = _SETTLED
    certificate = session.scalars(select(Certificate).where(Certificate.destruction_id == batch)).one()
    gone = [event for event in lost(events(session)) if event.epoch >= (row.epoch_before or 0)]
    station.log(
        session, ACT, objects=(batch, certificate.id), person=actor.person, account=actor.user, role=role,
        facts={**_facts(row, certificate, recovery), **_given_up(recovery, gone)},
    )  # fmt: skip


def _given_up(recovery: Recovery, gone: Sequence[RootEvent]) -> dict[str, Fact]:
    """What was written off and never confirmed erased: on how many of how many it is done, and who accepted that."""
    if not gone:
        return {}
    return {
        "roots": len(recovery.roots) + len(gone),
        "erased": len(recovery.roots),
        "written_off": [{"at": event.at, "fate": event.fate, "by": list(event.persons)} for event in gone],
    }


def _facts(row: Destruction, certificate: Certificate, recovery: Recovery) -> dict[str, Fact]:
    return {
        "certificate_sha256": certificate.sha256,
        "epoch_before": row.epoch_before or 0,
        "epoch_after": row.epoch_after or 0,
        "epoch_now": recovery.epoch,
        "roots": len(recovery.roots),
        "classes": [root.root_class.value if root.root_class else "R5" for root in recovery.roots],
        "claims": [root.claim.value if root.claim else None for root in recovery.roots],
    }


def settled(session: Session, batch: str) -> dict[str, Any] | None:
    """The addendum of a batch as `destroy show` tells it: time, person, the ledger's number, on how many of how many
    roots the former key is erased, classes and claims, and the media that were written off instead.
    """
    rows = session.scalars(select(LedgerEntry).where(LedgerEntry.act == ACT).order_by(LedgerEntry.seq))
    for row in rows:
        leaf = json.loads(row.leaf)
        if batch in leaf["objects"] and leaf["result"] == "done":
            facts = leaf["facts"]
            return {
                "at": row.at, "person": row.person, "ledger_seq": row.seq, "roots": facts["roots"],
                "classes": facts["classes"], "claims": facts["claims"],
                "erased": facts.get("erased", facts["roots"]), "written_off": facts.get("written_off", []),
            }  # fmt: skip
    return None
