"""Dry runs of everything that destroys: the certificate that would be issued, and not a byte changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from jiyao.models.certificate import CLOSURE
from jiyao.models.physical import PhysicalFacts
from jiyao.pipeline.destruction import batch as destruction
from jiyao.pipeline.destruction import certificate as destruction_certificate
from jiyao.pipeline.destruction import draft, physical
from jiyao.stages.verify_certificate import verify
from room_kit import Room
from test_certificate import printed
from test_destruction_paper import BURNT, original


def bytes_of(room: Room) -> dict[str, str]:
    """Every file of home and roots with its digest; the database's log is folded in first."""
    with room.station.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    files = [path for folder in (room.home, *room.roots) for path in folder.rglob("*") if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.suffix != "-shm"
            and not path.name.endswith("-shm")}  # fmt: skip


@pytest.mark.req("R-117", "R-127")
def test_every_step_shows_the_certificate_and_changes_no_byte(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    document = room.expired(data=b"%plain" * 500)
    copy = room.copy(document, status="returned")
    for user, act in (("clerk", "destroy.propose"), ("clerk", "destroy.count"), ("arch", "destroy.count"),
                      ("dir", "destroy.approve"), ("sup1", "destroy.supervise"), ("sup2", "destroy.supervise"),
                      ("op1", "destroy.execute"), ("op2", "destroy.execute")):  # fmt: skip
        room.as_(user, act)
    before = bytes_of(room)
    shown = room.propose(document, dry_run=True)
    assert shown["id"] is None and bytes_of(room) == before
    batch = room.propose(document)["id"]
    steps = (
        (room.count, "clerk"), (room.count, "arch"), (room.approve, "dir"), (room.supervise, "sup1"),
        (room.supervise, "sup2"), (room.execute, "op1"), (room.execute, "op2"),
    )  # fmt: skip
    for step, user in steps:
        before = bytes_of(room)
        shown = step(batch, user, dry_run=True)
        assert bytes_of(room) == before, (step, user)
        record = shown["draft"]
        assert [item["id"] for item in record["items"]] == [document, copy]
        assert [one["kind"] for one in record["items"][0]["closure"]] == list(CLOSURE)
        assert {check["reason"] for check in record["checks"]} == {"draft_not_run"}
        step(batch, user)
    attest = destruction_certificate.attest
    sup1 = room.as_("sup1", "destroy.supervise")
    before = bytes_of(room)
    shown = attest(room.station, sup1, batch=batch, place="机要室", dry_run=True)
    assert bytes_of(room) == before and len(shown["draft"]["required"]) == 10
    assert shown["draft"]["verdict"] == shown["verdict"] and shown["draft"]["epoch_after"] > 0


@pytest.mark.req("R-117")
def test_the_draft_is_drawn_as_a_specimen(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    document = room.expired("关于样张样例的函")
    shown = room.propose(document, dry_run=True)
    before = bytes_of(room)
    draft.write(room.station, shown["draft"], tmp_path / "draft.pdf")
    assert bytes_of(room) == before
    pdf = (tmp_path / "draft.pdf").read_bytes()
    text = "".join(printed(pdf).split())
    for wanted in ("试运行", "样张", "关于样张样例的函", "销毁审批表", "无效力", "待签"):
        assert wanted in text, wanted
    assert verify(pdf).reasons == ("cert_no_seal",)
    batch = room.until("approved", document)
    draft.write(room.station, room.supervise(batch, "sup1", dry_run=True)["draft"], tmp_path / "later.pdf")
    text = "".join(printed((tmp_path / "later.pdf").read_bytes()).split())
    assert (
        "人员dir" in text and destruction.list_batches(room.station)["destructions"][0]["state"] == "approved"
    )


@pytest.mark.req("R-120")
def test_a_dry_run_of_paper(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    batch = room.until("supervised", carriers=(original(room),), approvers=("lead",))
    operator = room.as_("op1", "destroy.execute")
    before = bytes_of(room)
    small = PhysicalFacts(
        route="", **{**BURNT, "methods": ("shred",)}, small_amount=True, equipment="机", equipment_no="号",
        standard="标", grade="级",
    )  # fmt: skip
    shown = physical.record(room.station, operator, batch=batch, facts=small, dry_run=True)
    assert shown["draft"]["items"][0]["kind"] == "carrier" and bytes_of(room) == before
