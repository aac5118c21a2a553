"""Paper and media: the routes of the levels, stated by two, attested by two, certified in the same form."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.models.physical import PhysicalFacts
from jiyao.models.tables import Carrier, Document, Movement
from jiyao.pipeline.desk import custody
from jiyao.pipeline.desk.movements import Hand
from jiyao.pipeline.destruction import certificate as destruction_certificate
from jiyao.pipeline.destruction import physical
from jiyao.pipeline.destruction.certificate_check import verify_file
from room_kit import Room

DAY = "2026-11-02T"
PLANT: dict[str, Any] = {
    "methods": ("pulp",), "place": "样例市销毁中心", "began": f"{DAY}10:00:00+08:00", "ended": f"{DAY}11:00:00+08:00",
    "plant": "样例市涉密载体销毁中心", "plant_receipt": "销字118", "escorts": ("p-op1", "p-op2"), "way": "环城路",
    "seal_no": "F0231", "departed": f"{DAY}09:10:00+08:00", "arrived": f"{DAY}09:50:00+08:00",
}  # fmt: skip
BURNT: dict[str, Any] = {
    "methods": ("burn",), "place": "焚烧间", "began": f"{DAY}10:00:00+08:00", "ended": f"{DAY}11:00:00+08:00",
    "performed_by": ("p-op1",),
}  # fmt: skip
SHREDDED: dict[str, Any] = {
    **BURNT, "methods": ("shred",), "equipment": "样例牌", "equipment_no": "样检7号", "standard": "样例", "grade": "高",
}  # fmt: skip


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def original(room: Room, level: Level = Level.STATE_SECRET, *, kind: str = "paper", **given: Any) -> str:
    """The original of an expired paper, held in the room."""
    document = room.expired(level=level, **given)
    with room.station.write() as session:
        row = session.get_one(Document, document)
        session.add(Carrier(id=f"Z-{document}", receipt_id=row.receipt_id, document_id=document, type=kind,
                            serial="000017", place="3柜", state="held"))  # fmt: skip
    return f"Z-{document}"


def batch_of(room: Room, *carriers: str, approvers: tuple[str, ...] = ("lead",), **given: Any) -> str:
    return room.until("supervised", carriers=carriers, approvers=approvers, **given)


def record(room: Room, batch: str, facts: dict[str, Any], by: str = "op1", **given: Any) -> dict[str, Any]:
    return physical.record(room.station, room.as_(by, "destroy.execute"), batch=batch,
                           facts=PhysicalFacts(route="", **facts), **given)  # fmt: skip


@pytest.mark.req("R-119", "R-117", "R-118")
def test_escorted_to_the_plant_supervised_and_certified(room: Room, tmp_path: Path) -> None:
    carrier, other = original(room), original(room)
    batch = batch_of(room, carrier, other)
    room.refused("physical_facts_first", room.execute, batch, "op1")
    for name, code in (
        ("plant_receipt", "physical_needs"),
        ("seal_no", "physical_needs"),
        ("way", "physical_needs"),
    ):
        room.refused(code, record, room, batch, {**PLANT, name: ""})
    room.refused("physical_escorts", record, room, batch, {**PLANT, "escorts": ("p-op1",)})
    room.refused("physical_needs", record, room, batch, SHREDDED)
    record(room, batch, PLANT)
    room.refused("same_person_twice", room.execute, batch, "op1b")
    value = room.execute(batch, "op2")
    assert (value["state"], value["verdict"]) == ("verified", "complete")
    with room.station.read() as session:
        assert {session.get_one(Carrier, one).state for one in (carrier, other)} == {"destroyed"}
        moved = session.scalars(select(Movement).where(Movement.object_id == carrier)).all()
        assert [row.act for row in moved] == ["destroy"]
    for user in ("sup1", "sup2"):
        value = room.attest(batch, user)
    assert value["certificate"] == "C2026-00001"
    written = destruction_certificate.write_certificate(
        room.station, room.as_("clerk", "certificate"), batch=batch, out=tmp_path / "c.pdf"
    )
    report = verify_file(
        tmp_path / "c.pdf", trust=Path(written["ca"]), proof=Path(written["proof"]), home=tmp_path
    )
    assert report["valid"] and report["trusted"] and report["items"] == 2
    room.refused("already_destroyed", room.propose, carriers=(carrier,))


@pytest.mark.req("R-120")
def test_top_secret_paper_is_burnt_here_by_a_named_person(room: Room) -> None:
    batch = batch_of(room, original(room, Level.STATE_TOP), approvers=("lead", "prin"))
    room.refused("physical_burn_in_house", record, room, batch, PLANT)
    room.refused("physical_needs", record, room, batch, {**BURNT, "performed_by": ()})
    room.refused("physical_burn_only", record, room, batch, SHREDDED)
    assert record(room, batch, BURNT)["physical"]["route"] == "in_house_burn"
    telegram = batch_of(room, original(room, Level.STATE_SECRET, overlays=("cipher_telegram",)))
    room.refused("physical_burn_in_house", record, room, telegram, PLANT)
    mixed = batch_of(room, original(room), original(room, Level.STATE_TOP), approvers=("lead", "prin"))
    room.refused("physical_routes_differ", record, room, mixed, BURNT)


@pytest.mark.req("R-123", "R-122")
def test_a_small_amount_is_shredded_after_approval_within_the_policys_limit(room: Room) -> None:
    batch = batch_of(room, original(room), original(room))
    small = {**SHREDDED, "small_amount": True}
    policy = room.station.policy.destruction
    object.__setattr__(policy, "small_items", 1)
    room.refused("physical_not_small", record, room, batch, small)
    object.__setattr__(policy, "small_items", 20)
    room.refused("physical_soft", record, room, batch, {**small, "methods": ("delete_only",)})
    assert record(room, batch, small)["state"] == "executing"
    record(room, batch, {**small, "grade": "最高"})
    assert room.execute(batch, "op2")["physical"]["grade"] == "最高", "stated anew before it was confirmed"


@pytest.mark.req("R-125")
def test_media_are_destroyed_with_a_record_of_each_or_kept_at_their_level(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageFault):
        room.propose(reason="media_retired", media=("SN-1",))
    room.refused(
        "blocked", room.count, room.propose(media=("SN-0",), level=Level.STATE_SECRET)["id"], "clerk"
    )
    batch = room.until(
        "supervised", media=("SN-1",), level=Level.STATE_SECRET, reason="media_retired", approvers=("lead",)
    )
    facts = {**SHREDDED, "methods": ("degauss", "crush")}
    room.refused("physical_medium_record", record, room, batch, facts)
    plain = {"item": 1, "serial": "SN-1", "media_type": "固态盘", "level_before": "机密", "sanitization": "destroy",
             "verification": "visual", "destination": "销毁中心"}  # fmt: skip
    file = tmp_path / "media.json"
    file.write_text(json.dumps([plain]), "utf-8")
    media = physical.stated({**facts, "media": physical.media_of(file)}).media
    wiped = {**facts, "methods": ("device_sanitize",), "media": media}
    room.refused("physical_medium_kept", record, room, batch, wiped)
    room.refused("physical_soft", record, room, batch, {**wiped, "methods": ("overwrite",)})
    given = {**wiped, "media": (dataclasses.replace(media[0], level_after="机密"),)}
    with monkeypatch.context() as patch:
        patch.setattr(physical.asked, "roles_given", lambda *_: ["determiner"])
        room.refused("media_reuse_approval", record, room, batch, given)
    assert record(room, batch, given)["state"] == "executing", "used again at its level, with a leader's word"
    with monkeypatch.context() as patch:
        patch.setattr(physical, "_level", lambda _item: Level.STATE_TOP)
        room.refused("media_reuse_denied", record, room, batch, given)
    record(room, batch, {**facts, "media": media})
    assert room.execute(batch, "op2")["verdict"] == "complete"
    for user in ("sup1", "sup2"):
        value = room.attest(batch, user)
    assert value["state"] == "certified"


@pytest.mark.req("R-119", "R-053")
def test_paper_is_bound_by_its_documents_rules_until_that_is_destroyed(room: Room) -> None:
    with pytest.raises(UsageFault):
        room.propose("D1", carriers=("Z1",))
    document = room.document(level=Level.INTERNAL)
    with room.station.write() as session:
        row = session.get_one(Document, document)
        for number in (1, 2):
            session.add(Carrier(id=f"Z{number}", receipt_id=row.receipt_id, document_id=document, type="paper",
                                state="held"))  # fmt: skip
    blocks = room.propose(carriers=("Z1",), dry_run=True)["items"][0]["blocks"]
    assert "not_appraised" in [block["code"] for block in blocks]
    surplus = {"reason": "surplus_copy", "dry_run": True}
    assert [one["code"] for one in room.propose(carriers=("Z1",), **surplus)["items"][0]["blocks"]] == [
        "is_main_copy"
    ]
    assert room.propose(carriers=("Z2",), **surplus)["items"][0]["blocks"] == []
    with room.station.write() as session:
        session.get_one(Carrier, "Z2").state = "missing"
    assert room.propose(carriers=("Z2",), **surplus)["items"][0]["blocks"][0]["code"] == "carrier_missing"
    gone = room.expired()
    with room.station.write() as session:
        row = session.get_one(Document, gone)
        session.add(Carrier(id="Z3", receipt_id=row.receipt_id, document_id=gone, type="paper", state="held"))
    room.until("verified", gone)
    assert room.propose(carriers=("Z3",), dry_run=True)["items"][0]["blocks"] == []


@pytest.mark.req("R-119", "R-120", "R-121")
def test_no_paper_of_such_a_level_is_written_off_past_the_batch(room: Room) -> None:
    carrier = original(room)
    room.until("verified", carrier.removeprefix("Z-"), approvers=("lead",))
    hand = Hand(together_with=("p-sup1", "p-sup2"))
    room.refused("paper_needs_batch", custody.move, room.station, room.as_("clerk", "carriers.move"), "destroy",
                 (carrier,), hand)  # fmt: skip


@pytest.mark.req("R-118")
def test_titles_stay_hidden_where_the_policy_says_so(room: Room, tmp_path: Path) -> None:
    document = room.expired("关于绝不外传的样例事项的函")
    object.__setattr__(room.station.policy.destruction, "redact_titles", True)
    batch = room.until("certified", document)
    object.__setattr__(room.station.policy.destruction, "redact_titles", False)
    clerk = room.as_("clerk", "certificate")
    written = destruction_certificate.write_certificate(
        room.station, clerk, batch=batch, out=tmp_path / "c.pdf"
    )
    given = {"station": room.station, "actor": clerk, "batch": batch}
    destruction_certificate.open_title(**given, item=1, out=tmp_path / "t.json")
    room.refused("no_such_line", destruction_certificate.open_title, **given, item=2, out=tmp_path / "u.json",
                 exit_code=3)  # fmt: skip
    plain = {"trust": Path(written["ca"]), "proof": None, "home": tmp_path}
    assert verify_file(tmp_path / "c.pdf", **plain, title=tmp_path / "t.json")["valid"]
    from test_certificate import printed

    assert "绝不外传" not in printed((tmp_path / "c.pdf").read_bytes())
