"""Verification V1 … V7 after every destruction (destruction.md section 4), and the verdict that follows.

What must be known from before (keys, canaries, the old key store's value) is held in memory for the one run and
wiped. After a crash it is gone, by design: the checks that need it then say so instead of passing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...common.needles import LEAST, Needles
from ...ledger.verify import verify as verify_ledger
from ...models.certificate import (
    Check,
    CheckName,
    CheckResult,
    ItemOutcome,
    ListItem,
    Reservation,
    Verdict,
)
from ...models.tables import Backup, Destruction, Document, KeyStoreRow, Scan
from ...models.wire import from_plain, to_plain
from ...vault.rotation import Recovery, Rewritten
from ...vault.scratch import scratch_place
from ...vault.verify import KeyWitness
from ..intake import passages
from ..intake.judgement import load_transcript
from ..intake.sources import WORD as SOURCES
from ..learning import station_model
from ..papers.documents import words_of
from ..station.ledgers import identity_of
from ..station.registry import on_server
from ..station.root_events import events, lost
from ..station.station import Station
from . import batch as destruction
from . import closure
from .inventory import outcomes_of
from .parts import LIVING, Part, lines, parts

_CANARIES, _FEWEST_CANARIES, _MOST_CANARIES = 8, 3, 30_000
"""Strings of a document, at most and at least; of a whole batch."""
_CANARY = re.compile(r"[一-鿿A-Za-z0-9，、：；（）《》“”%．.]{12,24}")
_SAMPLE_BYTES = 4 * 1024 * 1024
_SAMPLES = 64
"""Sealed files that V2 tries every surviving key on; of a larger batch so many, spread over the list."""
_NO_WITNESS = "resumed_without_witness"
_NOT_ERASED = "root_not_erased"
_LEFT = (
    "artefact_alive", "file_left", "passages_left", "tags_left", "source_links_left", "model_left",
)  # fmt: skip
"""Why V4 fails: of several the first one is named."""
_ENCODINGS = ("utf-8", "utf-16-le", "gbk")


@dataclass(slots=True)
class Evidence:
    """What is taken before the keys go. Never written down."""

    witness: KeyWitness
    canaries: tuple[str, ...]
    sealed: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Slot -> (name, sealed bytes) of one small file of it."""
    former: tuple[int, bytes] = (0, b"")
    """Epoch and value of the key store as any backup of before holds it."""
    rewritten: Rewritten = field(init=False)

    def close(self) -> None:
        """Overwrites the keys and lets go of the rest."""
        self.witness.wipe()
        self.canaries = ()
        self.sealed.clear()
        self.former = (0, b"")


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What came out of a batch."""

    items: tuple[ItemOutcome, ...]
    checks: tuple[Check, ...]
    verdict: Verdict
    outside_scope: tuple[dict[str, Any], ...]
    roots: tuple[dict[str, Any], ...]
    reservations: tuple[Reservation, ...]
    before: closure.Counts
    """What stood in rows before the keys went."""

    def to_plain(self) -> dict[str, Any]:
        """As kept in the registry."""
        plain: dict[str, Any] = to_plain(self)
        return plain


def gather(station: Station, session: Session, items: Sequence[ListItem]) -> Evidence:
    """Takes keys, canaries and samples of what is about to go."""
    slots: dict[str, str | None] = {}
    sealed: dict[str, tuple[str, bytes]] = {}
    canaries: list[str] = []
    wanted = max(_FEWEST_CANARIES, min(_CANARIES, _MOST_CANARIES // max(1, len(items))))
    for part, item in lines(session, items):
        for artefact in part.files(item):
            if slots.get(artefact.key_slot) is None:
                slots[artefact.key_slot] = artefact.path if artefact.size <= _SAMPLE_BYTES else None
        if item.kind == "document":
            canaries += _canaries(station, session, item.id, wanted)
    spread = max(1, -(-len(slots) // _SAMPLES))
    for slot, name in list(slots.items())[::spread]:
        if name is not None and (station.blobs / name).is_file():
            sealed[slot] = (name, (station.blobs / name).read_bytes())
    row = session.get_one(KeyStoreRow, 1)
    return Evidence(
        witness=station.vault.witness(session, list(slots)),
        canaries=tuple(canaries),
        sealed=sealed,
        former=(row.epoch, bytes(row.sealed)),
    )


def verify_batch(
    station: Station,
    batch: str,
    *,
    evidence: Evidence | None,
    recovery: Recovery,
) -> BatchOutcome:
    """Runs V1 … V7 and draws the verdict. What only the first run could see keeps its first result."""
    with station.read() as session:
        row, items = destruction.get(session, batch)
        slots = _slots(session, items)
        former = {check.name: check for check in _former(row)}
        checks = tuple(
            _seen_first(former.get(check.name), check)
            for check in (
                _v1(station, session, evidence, slots),
                _v2(station, session, evidence),
                _v3(station, evidence),
                _v4(station, session, items),
                _v5(session, row, recovery),
                _v6(station, evidence, recovery),
                _v7(station, session),
            )
        )
        outside = tuple(closure.outside_of(station, session, items))
        before = _kept(row).get("before", {})
        given_up = closure.given_up(session, items)
        due = bool(closure.media_due(station, items) or given_up)
        verdict = _verdict(checks, recovery, outside, due=due)
        status = {"failed": "failed", "pending_key_epoch": "pending_key_epoch"}.get(verdict, "complete")
        outcomes = tuple(
            ItemOutcome(
                item=item.item,
                kind=item.kind,
                id=item.id,
                level=item.level,
                status=status,  # type: ignore[arg-type]
                slots=tuple(dict.fromkeys(row.key_slot for row in part.own_files(item))),
                artefacts=outcomes_of(session, part, item),
                closure=closure.closure_of(
                    part,
                    item,
                    before.get(item.id, {}),
                    left=closure.left_of(station, session, item, checks),
                ),
            )
            for part, item in lines(session, items)
        )
        reservations = closure.reservations_of(station, items, outcomes, checks, recovery, outside, given_up)
    return BatchOutcome(
        items=outcomes,
        checks=checks,
        verdict=verdict,
        outside_scope=outside,
        roots=tuple(
            {
                "state": root.state, "class": root.root_class.value if root.root_class else None,
                "claim": root.claim.value if root.claim else None, "reasons": list(root.reasons),
            }
            for root in recovery.roots
        ),
        reservations=() if verdict in ("complete", "failed") else reservations,
        before=before,
    )  # fmt: skip


def _former(row: Destruction) -> tuple[Check, ...]:
    """The checks of an earlier run of this batch, none on the first."""
    return tuple(from_plain(Check, check) for check in _kept(row).get("checks", ()))


def _seen_first(before: Check | None, check: Check) -> Check:
    """What only the first run could see keeps that run's result, unless it had none yet."""
    if before is None or before.result == "pending" or check.reason != _NO_WITNESS:
        return check
    return before


def _kept(row: Destruction) -> dict[str, Any]:
    """What is kept of the batch so far."""
    plain: dict[str, Any] = json.loads(row.outcomes or b"{}")
    return plain


def _verdict(checks: Sequence[Check], recovery: Recovery, outside: Sequence[Any], *, due: bool) -> Verdict:
    if any(check.result == "fail" for check in checks):
        return "failed"
    if not recovery.complete:
        return "pending_key_epoch"
    proven = all(root.claim is not None and root.claim.proven for root in recovery.roots)
    reserved = bool(outside) or not proven or due
    reserved = reserved or any(check.result != "pass" for check in checks)
    return "complete_with_reservations" if reserved else "complete"


# ---------------------------------------------------------------- the checks


def _v1(station: Station, session: Session, evidence: Evidence | None, slots: Sequence[str]) -> Check:
    """The keys are not in the key store, nor anywhere in the station's files."""
    if station.vault.living(session, slots):
        return _check("V1", "fail", "slot_alive")
    if evidence is None:
        return _check("V1", "pass", _NO_WITNESS)
    found = evidence.witness.found_in(_station_files(station))
    return _check("V1", "fail", "key_found") if found else _check("V1", "pass", _unseen(station))


def _v2(station: Station, session: Session, evidence: Evidence | None) -> Check:
    """No surviving key opens what was sealed."""
    if evidence is None:
        return _check("V2", "not_applicable", _NO_WITNESS)
    with station.vault.lease():
        for slot, (name, sealed) in evidence.sealed.items():
            if not evidence.witness.opens(slot, sealed, name=name):
                return _check("V2", "fail", "control_failed")
            if station.vault.opened_by(session, sealed, slot=slot, name=name):
                return _check("V2", "fail", "opened_by_survivor")
    slots = len(evidence.witness.slots)
    tried = len(evidence.sealed)
    return _check("V2", "pass", f"sampled_{tried}_of_{slots}" if tried < slots else None)


def _v3(station: Station, evidence: Evidence | None) -> Check:
    """Distinctive strings of the text stand in no file of the station, in any usual encoding."""
    if evidence is None:
        return _check("V3", "not_applicable", _NO_WITNESS)
    if not evidence.canaries:
        return _check("V3", "not_applicable", "no_text")
    shapes = {canary.encode(encoding, "ignore") for canary in evidence.canaries for encoding in _ENCODINGS}
    needles = Needles([shape for shape in shapes if len(shape) >= max(12, LEAST)])
    found = needles.in_any(_station_files(station))
    return _check("V3", "fail", "canary_found") if found else _check("V3", "pass", _unseen(station))


def _v4(station: Station, session: Session, items: Sequence[ListItem]) -> Check:
    """Nothing derived is left: no living artefact, no file, no passage, tag or source link, no model made of it."""
    found = {reason for part in parts(session, items) for reason in _left(station, session, part)}
    first = next((reason for reason in _LEFT if reason in found), None)
    if first is not None:
        return _check("V4", "fail", first)
    documents = any(item.kind == "document" for item in items)
    return _check("V4", "pass", "no_passages_left" if documents else None)


def _left(station: Station, session: Session, part: Part) -> Iterator[str]:
    """What is left of these lines, by the reasons of V4."""
    files = [row for item in part.items for row in part.own_files(item)]
    states = {row.state for row in files}
    if states & set(LIVING):
        yield "artefact_alive"
    if "shredding" in states:
        yield "file_left"
    if passages.remains(session, part.ids):
        yield "passages_left"
    rows = [part.documents[name] for name in part.ids]
    tagged = any(row.duplicate_tag is not None or row.paper_tag is not None for row in rows)
    scans = select(Scan.id).where(Scan.document_id.in_(part.ids)).limit(1)
    if tagged or session.scalars(scans).first() is not None:
        yield "tags_left"
    if any(words_of(station, session, row).get(SOURCES) for row in rows):
        yield "source_links_left"
    if station_model.remains(session, list(dict.fromkeys(row.key_slot for row in files))):
        yield "model_left"


def _v5(session: Session, row: Destruction, recovery: Recovery) -> Check:
    """Backups from before: unreadable once the former root is gone from every root."""
    older = session.scalars(select(Backup.id).where(Backup.epoch <= (row.epoch_before or 0))).all()
    if not recovery.complete:
        return _check("V5", "pending", _NOT_ERASED if _wipe_failed(recovery) else "mirror_missing")
    reach = max((event.epoch for event in lost(events(session))), default=0)
    oldest = session.scalar(select(func.min(Backup.epoch)))
    if reach >= min(row.epoch_before or 0, reach + 1 if oldest is None else oldest):
        return _check("V5", "not_applicable", "medium_written_off")
    return _check("V5", "pass", f"backups_unreadable_{len(older)}" if older else None)


def _v6(station: Station, evidence: Evidence | None, recovery: Recovery) -> Check:
    """The key store as a backup of before holds it does not open with today's roots and passphrase.

    Where writing to a root failed, its former key is still there to open it: that is to be erased, and proves nothing.
    """
    if evidence is None:
        return _check("V6", "not_applicable", _NO_WITNESS)
    epoch, sealed = evidence.former
    opens = station.vault.opens_former(epoch, sealed)
    if opens and _wipe_failed(recovery):
        return _check("V6", "pending", _NOT_ERASED)
    return _check("V6", "fail", "former_store_opens") if opens else _check("V6", "pass")


def _wipe_failed(recovery: Recovery) -> bool:
    return any(root.state == "failed" for root in recovery.roots)


def _v7(station: Station, session: Session) -> Check:
    """The ledger is whole."""
    report = verify_ledger(session, identity_of(station, session))
    return _check("V7", "pass") if report.ok else _check("V7", "fail", "ledger_broken")


def _check(name: CheckName, result: CheckResult, reason: str | None = None) -> Check:
    return Check(name=name, result=result, reason=reason)


# ---------------------------------------------------------------- what is looked through


def _unseen(station: Station) -> str | None:
    """What no look through the station's files can show: those of a database server are not among them."""
    return "server_files_unseen" if on_server(station.settings.registry) else None


def _station_files(station: Station) -> Iterator[Path]:
    """Every file the station keeps: home, roots, its own scratch folders."""
    place = scratch_place(station.home)
    folders: list[Path] = [station.home, *station.settings.root_folders]
    folders += [folder for folder in place.base.glob(place.prefix + "*") if folder.is_dir()]
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path


def _canaries(station: Station, session: Session, document: str, most: int) -> list[str]:
    """Three to eight distinctive strings of the text that the register itself does not keep."""
    transcript = load_transcript(station, session, document)
    if transcript is None:
        return []
    row = session.get_one(Document, document)
    register = str(words_of(station, session, row))
    candidates = [
        found.group()
        for page in transcript.pages
        for line in page.lines
        for found in _CANARY.finditer(line.text)
        if found.group() not in register
    ]
    unique = list(dict.fromkeys(candidates))
    step = max(1, len(unique) // most)
    return unique[::step][:most]


def _slots(session: Session, items: Sequence[ListItem]) -> list[str]:
    return list(
        dict.fromkeys(row.key_slot for part, item in lines(session, items) for row in part.own_files(item))
    )
