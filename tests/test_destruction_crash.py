"""Killed at every step of an execution: a rerun completes it, once, and nothing else is lost (vault.md section 3)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from jiyao.common.errors import Broken, JiyaoError
from jiyao.models.tables import Artefact, Certificate, Destruction
from jiyao.pipeline.destruction import batch as destruction
from jiyao.pipeline.destruction import certificate as destruction_certificate
from jiyao.pipeline.destruction import execution as destruction_run
from jiyao.pipeline.destruction.record import root_facts
from jiyao.pipeline.papers import documents
from jiyao.pipeline.station import ledgers
from jiyao.vault import roots
from jiyao.vault.erase import Erased, Grade
from jiyao.vault.vault import Vault
from room_kit import Room, transplant

KILLED = 9
BEFORE_KEYS = 5
"""So many of the points lie before the commit that destroys the keys."""
POINTS: list[tuple[str, object, str, str, Callable[..., bool]]] = [
    ("intent", destruction_run, "_run", "before", lambda **_: True),
    ("evidence", destruction_run, "gather", "after", lambda **_: True),
    ("staged", Vault, "stage_root", "after", lambda **_: True),
    ("rewritten", Vault, "rewrite", "after", lambda **_: True),
    ("uncommitted", destruction_run, "_commit_keys", "after", lambda **_: True),
    ("committed", Vault, "check", "before", lambda **_: True),
    ("checked", Vault, "check", "after", lambda **_: True),
    ("one-root-erased", roots, "_settle", "after", lambda wiping=False, **_: wiping),
    ("roots-erased", Vault, "recover", "after", lambda **_: True),
    ("erased", destruction_run, "_phase", "after", lambda **_: True),
    ("one-file", Vault, "erase_blob", "after", lambda **_: True),
    ("files", destruction_run, "shred", "after", lambda **_: True),
    ("checkpoint", destruction_run, "_checkpoint", "after", lambda **_: True),
    ("verified", destruction_run, "verify_batch", "after", lambda **_: True),
]


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str, str, str]:
    """A room whose batch waits for the second operator: folder, batch, document, its copy, another document."""
    room = Room(tmp_path_factory.mktemp("waiting"))
    return room.base, *room.half_executed()


def again(waiting: tuple[Path, str, str, str, str], base: Path) -> Room:
    transplant(waiting[0], base)
    return Room(base)


def killed(
    room: Room, act: Callable[[], object], owner: Any, name: str, when: str, wanted: Callable[..., bool]
) -> None:
    """Does the act in a child that dies at the point: no clean-up, no flush, like a kill."""
    room.station.engine.dispose()
    child = os.fork()
    if child == 0:
        original = getattr(owner, name)

        def hook(*args: Any, **given: Any) -> Any:
            if not wanted(**given):
                return original(*args, **given)
            if when == "after":
                original(*args, **given)
            os._exit(KILLED)

        setattr(owner, name, hook)
        try:
            room.open()
            act()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == KILLED


def text(room: Room, document: str) -> str | None:
    try:
        value = documents.text_of(room.station, room.as_("clerk", "text"), document=document)
    except JiyaoError as error:
        assert error.exit_code == 3
        return None
    return str(value["pages"][0]["text"])


@pytest.mark.req("R-116", "R-117", "R-127")
@pytest.mark.parametrize("point", range(len(POINTS)), ids=[point[0] for point in POINTS])
def test_killed_at_each_step(waiting: tuple[Path, str, str, str, str], tmp_path: Path, point: int) -> None:
    room = again(waiting, tmp_path)
    _, batch, gone, copy, stays = waiting
    _, owner, name, when, wanted = POINTS[point]
    kept = text(room, stays)
    killed(room, lambda: room.execute(batch, "op2"), owner, name, when, wanted)

    room.open()
    value = room.show(batch)
    assert value["state"] == "executing" and value["verdict"] is None
    before = point < BEFORE_KEYS
    assert (text(room, gone) is not None) is before and text(room, stays) == kept
    if before:
        assert value["phase"] == "intent"
    else:
        room.refused("execution_begun", destruction.cancel, room.station, room.as_("clerk", "destroy.propose"),
                     batch=batch)  # fmt: skip
    room.refused("not_the_operator", room.execute, batch, "op3")

    value = room.execute(batch, "op1" if point % 2 else "op2")
    assert (value["state"], value["phase"], value["verdict"]) == (
        "verified",
        "verified",
        "complete_with_reservations",
    )
    results = {check["name"]: (check["result"], check["reason"]) for check in value["checks"]}
    lost = ("not_applicable", "resumed_without_witness")
    assert {name: results[name] for name in ("V2", "V3", "V6")} == dict.fromkeys(
        ("V2", "V3", "V6"), ("pass", None) if before else lost
    )
    assert all(results[name][0] == "pass" for name in ("V1", "V4", "V5", "V7"))
    assert text(room, gone) is None and text(room, stays) == kept
    with room.station.read() as session:
        rows = session.execute(
            select(Artefact.state, Artefact.path).where(Artefact.document_id == gone)
        ).all()
        row = session.get_one(Destruction, batch)
        assert row.epoch_after == (row.epoch_before or 0) + 1 == room.station.vault.epoch
    assert {state for state, _ in rows} == {"destroyed"} and len(rows) == 4
    assert not any((room.station.blobs / path).exists() for _, path in rows)
    assert all(status.clean for status in room.station.vault.root_status())
    assert ledgers.verify_log(room.station)["ok"]
    done = [entry for entry in room.entries("destroy.keys") if entry["result"] == "done"]
    assert len(done) == 1 and len(value["operators"]) == 2
    assert {item["id"] for item in value["items"]} == {gone, copy}


@pytest.mark.req("R-117")
def test_killed_while_certifying_there_is_one_certificate(
    waiting: tuple[Path, str, str, str, str], tmp_path: Path
) -> None:
    room, batch = again(waiting, tmp_path), waiting[1]
    room.execute(batch, "op2")
    room.attest(batch, "sup1")
    killed(
        room,
        lambda: room.attest(batch, "sup2"),
        destruction_certificate,
        "_certify",
        "after",
        lambda **_: True,
    )
    room.open()
    assert room.show(batch)["state"] == "verified" and room.show(batch)["certificate"] is None
    value = room.attest(batch, "sup2")
    assert value["state"] == "certified" and value["certificate"] == "C2026-00001"
    room.refused("destruction_state", room.attest, batch, "sup2")
    room.refused("destruction_state", room.execute, batch, "op2")
    with room.station.read() as session:
        assert session.scalar(select(func.count()).select_from(Certificate)) == 1


@pytest.mark.req("R-117")
def test_cut_off_before_the_keys_go_it_can_be_cancelled_or_begun_anew(
    waiting: tuple[Path, str, str, str, str], tmp_path: Path
) -> None:
    room = again(waiting, tmp_path / "a")
    _, batch, gone, _, _ = waiting
    killed(room, lambda: room.execute(batch, "op2"), Vault, "stage_root", "after", lambda **_: True)
    room.open()
    assert all(status.clean for status in room.station.vault.root_status()), (
        "the staged root is wiped at the start"
    )
    room.clock.forward(minutes=6)
    value = room.execute(batch, "op3")
    assert (value["state"], value["phase"]) == ("executing", None), "too late: two operators are needed again"
    assert [item["person"] for item in value["operators"]] == ["p-op3"]
    assert (
        destruction.cancel(room.station, room.as_("clerk", "destroy.propose"), batch=batch)["state"]
        == "cancelled"
    )
    assert text(room, gone)

    other = again(waiting, tmp_path / "b")
    killed(other, lambda: other.execute(batch, "op2"), destruction_run, "_run", "before", lambda **_: True)
    other.open()
    assert (
        destruction.cancel(other.station, other.as_("clerk", "destroy.propose"), batch=batch)["state"]
        == "cancelled"
    )
    other.refused("destruction_state", other.execute, batch, "op2")
    assert text(other, gone) and other.propose(gone)["state"] == "proposed"


@pytest.mark.req("R-116")
def test_a_failed_check_before_the_old_root_goes_keeps_both_roots(
    waiting: tuple[Path, str, str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, batch = again(waiting, tmp_path), waiting[1]

    def alarm(*_: object) -> None:
        raise Broken("rotation_check_failed")

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "check", alarm)
        with pytest.raises(Broken):
            room.execute(batch, "op2")
    views = [status.view for status in room.station.vault.root_status()]
    assert all({slot.epoch for slot in view.slots if slot.state == "held"} == {1, 2} for view in views)
    assert room.execute(batch, "op1")["state"] == "verified"


# ---------------------------------------------------------------- what cannot be finished at once


@pytest.mark.req("R-116", "R-127", "R-146")
def test_a_missing_mirror_holds_the_batch_until_it_is_back(
    waiting: tuple[Path, str, str, str, str], tmp_path: Path
) -> None:
    room = again(waiting, tmp_path)
    _, batch, gone, _, stays = waiting
    mirror, away = room.roots[1], tmp_path / "away"
    former = tmp_path / "former"
    transplant(tmp_path, former)
    mirror.rename(away)
    room.open()
    value = room.execute(batch, "op2")
    assert (value["state"], value["verdict"]) == ("verified", "pending_key_epoch")
    assert {check["name"]: check["result"] for check in value["checks"]}["V5"] == "pending"
    assert {item["status"] for item in value["outcomes"]} == {"pending_key_epoch"}
    assert text(room, gone) is None and text(room, stays)
    former_room = Room(former)
    assert text(former_room, gone), "the control: with the mirror of before, a copy of before still opens"
    former_room.station.engine.dispose()

    room.attest(batch, "sup1")
    outcomes = value["outcomes"]
    value = room.execute(batch, "op1")
    assert value["outcomes"] == outcomes and len(value["attested"]) == 1, "nothing changed, nothing is voided"
    room.refused("not_the_operator", room.execute, batch, "op3")

    away.rename(mirror)
    room.open()
    assert all(status.clean for status in room.station.vault.root_status()), (
        "the start-up rule has settled it"
    )
    value = room.execute(batch, "op1")
    assert (value["state"], value["verdict"], value["attested"]) == (
        "verified",
        "complete_with_reservations",
        [],
    )
    results = {check["name"]: check["result"] for check in value["checks"]}
    assert results == dict.fromkeys(("V1", "V2", "V3", "V4", "V5", "V6", "V7"), "pass")
    assert {item["status"] for item in value["outcomes"]} == {"complete"}
    room.refused("destruction_state", room.execute, batch, "op1")
    room.attest(batch, "sup1")
    assert room.attest(batch, "sup2")["state"] == "certified"
    assert text(room, gone) is None and text(room, stays)


@pytest.mark.req("R-116")
def test_two_batches_behind_one_missing_mirror(tmp_path: Path) -> None:
    room = Room(tmp_path)
    first, second = (room.until("supervised", room.expired()) for _ in range(2))
    away = tmp_path / "away"
    room.roots[1].rename(away)
    for batch in (first, second):
        for user in ("op1", "op2"):
            room.execute(batch, user)
        assert room.show(batch)["verdict"] == "pending_key_epoch"
    away.rename(room.roots[1])
    assert [room.execute(batch, "op2")["verdict"] for batch in (second, first)] == [
        "complete_with_reservations"
    ] * 2


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
def test_a_certified_batch_is_settled_by_an_addendum(
    waiting: tuple[Path, str, str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate stays as it was sealed; the ledger says when the mirror was back, with its hash."""
    room, batch = again(waiting, tmp_path), waiting[1]
    digest = "ab" * 32
    monkeypatch.setattr(
        "jiyao.stages.certify.certify", lambda **_: SimpleNamespace(pdf=b"%PDF", sha256=digest)
    )
    away = tmp_path / "away"
    room.roots[1].rename(away)
    assert room.execute(batch, "op2")["verdict"] == "pending_key_epoch"
    for user in ("sup1", "sup2"):
        room.attest(batch, user)
    shown = room.show(batch)
    assert (shown["state"], shown["verdict"], shown["settled"]) == ("certified", "pending_key_epoch", None)
    assert [root["state"] for root in shown["roots"]] == ["erased", "missing"]
    room.refused("mirror_still_missing", room.execute, batch, "op1")
    room.refused("not_the_operator", room.execute, batch, "op3")
    away.rename(room.roots[1])
    value = room.execute(batch, "op1")
    told = value["settled"]
    assert (value["state"], value["verdict"]) == ("certified", "pending_key_epoch")
    assert told["roots"] == 2 and len(told["classes"]) == len(told["claims"]) == 2
    assert None not in told["claims"]
    entry = room.entries("destroy.settle")[-1]
    assert entry["facts"]["certificate_sha256"] == digest and value["certificate"] in entry["objects"]
    assert room.show(batch)["settled"] == told
    room.refused("destruction_state", room.execute, batch, "op1")


@pytest.mark.req("R-116")
def test_a_file_that_could_not_be_erased_fails_until_it_is(
    waiting: tuple[Path, str, str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, batch = again(waiting, tmp_path), waiting[1]
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "erase_blob", lambda _self, _path: Erased(Grade.FAILED, 1, ()))
        value = room.execute(batch, "op2")
    assert (value["state"], value["verdict"]) == ("failed", "failed")
    assert ("V4", "fail", "file_left") in [
        (check["name"], check["result"], check["reason"]) for check in value["checks"]
    ]
    room.refused("destruction_state", room.attest, batch, "sup1")
    value = room.execute(batch, "op1")
    assert (value["state"], value["verdict"]) == ("verified", "complete_with_reservations")
    assert {check["result"] for check in value["checks"]} == {"pass"}


@pytest.mark.req("R-116", "R-126")
def test_a_canary_that_was_found_is_not_talked_away_by_a_second_run(
    waiting: tuple[Path, str, str, str, str], tmp_path: Path
) -> None:
    room, batch = again(waiting, tmp_path), waiting[1]
    leak = room.home / "logs" / "leak.txt"
    leak.write_text("……将被销毁的正文：乌有县虚构渠段的水位数字全部作废不再使用……", "utf-8")
    value = room.execute(batch, "op2")
    assert (value["state"], value["verdict"]) == ("failed", "failed")
    leak.unlink()
    value = room.execute(batch, "op2")
    assert (value["state"], value["verdict"]) == ("failed", "failed")
    assert [check["reason"] for check in value["checks"] if check["result"] == "fail"] == ["canary_found"]


@pytest.mark.req("R-116")
def test_both_operators_resuming_at_once_do_it_once(
    waiting: tuple[Path, str, str, str, str], tmp_path: Path
) -> None:
    """Whoever comes second finds the work done under the lock, and changes nothing."""
    room, batch = again(waiting, tmp_path), waiting[1]
    killed(room, lambda: room.execute(batch, "op2"), Vault, "recover", "after", lambda **_: True)
    one, two = Room(tmp_path), Room(tmp_path)
    assert one.execute(batch, "op1")["state"] == "verified"
    before = one.show(batch)
    destruction_run._run(two.station, two.as_("op2", "destroy.execute"), batch)
    assert one.show(batch) == before
