"""A batch certified while a mirror was away: the certificate stays, the addendum says when it was settled."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.models.tables import Certificate
from jiyao.pipeline.destruction.record import root_facts
from room_kit import Room


def _certificate(room: Room, batch: str) -> tuple[str, str, bytes]:
    """Id, SHA-256 and the sealed file."""
    with room.station.read() as session:
        row = session.scalars(select(Certificate).where(Certificate.destruction_id == batch)).one()
        return row.id, row.sha256, row.pdf_sealed


def test_a_certificate_speaks_of_the_weakest_root() -> None:
    def facts(*roots: tuple[str, str | None, str | None]) -> tuple[str, str, int]:
        station: Any = SimpleNamespace(
            settings=SimpleNamespace(root_kind="file", single_root=False, kdf="normal")
        )
        plain = [
            {"state": state, "class": of, "claim": claim, "reasons": [str(of)]} for state, of, claim in roots
        ]
        told = root_facts(station, {"roots": plain})
        return told.root_class, told.erased, told.mirrors_done

    hard = ("erased", "R1", "claim_destroyed_by_device")
    disk = ("erased", "R4", "claim_clear_best_effort")
    assert facts(hard) == ("R1", "claim_destroyed_by_device", 0)
    assert facts(hard, disk) == ("R4", "claim_clear_best_effort", 1)
    assert facts(disk, hard) == ("R4", "claim_clear_best_effort", 1)
    assert facts(disk, ("erased", "R5", "claim_overwrite_unproven")) == ("R5", "claim_overwrite_unproven", 1)
    assert facts(disk, ("missing", None, None)) == ("R5", "claim_root_away", 0)


@pytest.mark.req("R-116", "R-127")
def test_a_certified_batch_is_settled_by_an_addendum(tmp_path: Path) -> None:
    room = Room(tmp_path)
    batch = room.until("supervised", room.expired())
    away = tmp_path / "away"
    room.roots[1].rename(away)
    for user in ("op1", "op2"):
        room.execute(batch, user)
    assert room.show(batch)["verdict"] == "pending_key_epoch"
    for user in ("sup1", "sup2"):
        room.attest(batch, user)
    shown = room.show(batch)
    assert (shown["state"], shown["verdict"], shown["settled"]) == ("certified", "pending_key_epoch", None)
    sealed = _certificate(room, batch)

    room.refused("mirror_still_missing", room.execute, batch, "op1")
    room.refused("not_the_operator", room.execute, batch, "op3")
    away.rename(room.roots[1])
    value = room.execute(batch, "op1")
    told = value["settled"]
    assert (value["state"], value["verdict"]) == ("certified", "pending_key_epoch")
    assert (
        told["roots"] == 2 and len(told["classes"]) == len(told["claims"]) == 2 and None not in told["claims"]
    )
    entry = room.entries("destroy.settle")[-1]
    assert entry["facts"]["certificate_sha256"] == sealed[1] and sealed[0] in entry["objects"]
    assert _certificate(room, batch) == sealed
    assert json.loads(json.dumps(room.show(batch)["settled"])) == told
    room.refused("destruction_state", room.execute, batch, "op1")
