"""Restore drill 恢复演练: a backup is opened as a restore would open it, beside the living station, and thrown away.

Every file is compared with the manifest, the ledger inside is recomputed, and a sample of documents spread over all is
opened in memory; of what was destroyed nothing may be there to open. Nothing is shown to anybody; the outcome is an
entry of the ledger, and the next drill falls due (003-L§11; policy `restore_drill`).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...common.errors import Broken, JiyaoError, Refused
from ...models.tables import Artefact, Document
from ..desk import timers
from ..persons.actors import Actor, acting
from . import backup
from .ledgers import verify_log
from .secrets import Secrets
from .station import Station

ACT = "backup.drill"
CLOCK, DUE_AFTER_DESTRUCTION = "restore_drill", "backup_due"
OBJECT = "station"
_SAMPLE = 60
"""Sealed files that are opened, spread over all."""


def run(
    station: Station, actor: Actor, *, file: Path, files: Sequence[Path] = (), secrets: Secrets
) -> dict[str, Any]:
    """The drill of one backup, with the older ones its files are in.

    Raises:
        Broken: `backup_altered`, `drill_failed`; either is an entry of the ledger as well.
    """
    begun = time.monotonic()
    with acting(station, actor, ACT) as session:
        value = backup.verify(file, files=files)
        if value["store"] != station.settings.store_uuid:
            raise Refused("drill_other_station", file=str(file))
        timers_known = CLOCK in station.policy.desk.clocks
    with station.scratch() as scratch:
        outcome = _open(station, Path(scratch.path) / "drill", file, files, secrets)
    seconds = round(time.monotonic() - begun, 1)
    well = outcome["ledger"] and not outcome["failed"] and not outcome["destroyed_opened"]
    facts = {name: outcome[name] for name in ("tried", "failed", "destroyed", "destroyed_opened", "entries")}
    with acting(station, actor, ACT, objects=(value["id"],)) as session:
        station.log(
            session, ACT, objects=(value["id"],), person=actor.person, account=actor.user,
            result="done" if well else "failed",
            facts={**facts, "ledger": outcome["ledger"], "sha256": value["sha256"], "epoch": value["epoch"]},
        )  # fmt: skip
        if well and timers_known:
            timers.end(station, session, (CLOCK,), object_id=OBJECT)
            next_one = timers.begin(
                station, session, CLOCK, kind=OBJECT, object_id=OBJECT, document=None, holder=None
            )
            outcome["next"] = timers.last_day(next_one).isoformat()
    result = {**value, **outcome, "ok": well, "seconds": seconds, "at": station.now()}
    if not well:
        raise Broken("drill_failed", value=result, failed=outcome["failed"])
    return result


def begin_clock(station: Station, session: Session, clock: str) -> None:
    """Starts one of the station's own clocks, where the policy has it and it does not run yet."""
    if clock in station.policy.desk.clocks and not timers.is_running(session, clock, OBJECT):
        timers.begin(station, session, clock, kind=OBJECT, object_id=OBJECT, document=None, holder=None)


def _open(
    station: Station, part: Path, file: Path, files: Sequence[Path], secrets: Secrets
) -> dict[str, Any]:
    """Lays the backup out in scratch and opens it; the scratch folder is erased by its owner."""
    try:
        copy = backup.opened_copy(part, file, files, secrets, station.clock)
        try:
            return _examine(copy)
        finally:
            copy.engine.dispose()
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _examine(copy: Station) -> dict[str, Any]:
    try:
        entries, whole = int(verify_log(copy)["entries"]), True
    except Broken:
        entries, whole = 0, False
    tried = failed = opened = 0
    with copy.read() as session:
        live = session.execute(
            select(Artefact.key_slot, Artefact.path)
            .where(Artefact.state.in_(("live", "superseded")))
            .order_by(Artefact.id)
        ).all()
        for slot, path in live[:: max(1, len(live) // _SAMPLE)]:
            tried += 1
            failed += not _opens(copy, session, slot, path)
        gone = session.scalar(select(func.count()).where(Document.status == "destroyed")) or 0
        dead = session.execute(
            select(Artefact.key_slot, Artefact.path).where(Artefact.state.in_(("destroyed", "shredding")))
        ).all()
        opened = sum(copy.vault.has_slot(session, slot) for slot, _ in dead)
    return {
        "ledger": whole, "entries": entries, "live": len(live), "tried": tried, "failed": failed,
        "destroyed": gone, "destroyed_opened": opened,
    }  # fmt: skip


def _opens(copy: Station, session: Session, slot: str, path: str) -> bool:
    try:
        copy.vault.get(session, slot, path)
    except JiyaoError:
        return False
    return True
