"""What comes in is scanned by whom it may be, sorted, stored and shown by it; registers of shift and work."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flow_kit import begin, do
from jiyao.common.errors import JiyaoError, Refused, UsageFault
from jiyao.models.level import Level
from jiyao.models.policy.loader import parse_policy
from jiyao.models.rights import MAY
from jiyao.models.tables import Artefact, Document
from jiyao.pipeline.desk import custody, matter_book
from jiyao.pipeline.papers import documents, incidents, leaving
from jiyao.pipeline.persons import actors, approvals, circle, people
from jiyao.pipeline.registers import export
from jiyao.pipeline.registers.look import Scope
from jiyao.pipeline.station import ledgers, policies
from jiyao.pipeline.station.founding import Plan, found_station
from policy_kit import plain_policy, policy_text
from room_kit import SECRETS, HandClock, Room
from test_custody import BACK, carrier, move


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def with_places(room: Room) -> None:
    plain = plain_policy()
    plain["handling"]["places"] = [
        {"name": "绝密柜", "levels": ["绝密"], "keeper": "jiyao_clerk"},
        {"name": "机密柜", "levels": ["机密", "秘密", "公司绝密"]},
        {"name": "普通柜", "levels": ["公司秘密", "工作秘密", "内部", "公开"]},
    ]
    room.station._policy = parse_policy(policy_text(plain))


def person(room: Room, user: str, role: str) -> None:
    system, security = room.as_("sysadmin", "account.add"), room.as_("secadmin", "account.grant")
    people.add_account(room.station, system, SECRETS, user=user, name=f"人员{user}", person=f"p-{user}")
    people.grant(room.station, security, user=user, roles=(role,), clearance="core")


# ---------------------------------------------------------------- scanning, sorting, storing


@pytest.mark.req("R-020")
def test_scanning_is_done_by_its_operators_on_a_registered_station_and_names_its_receipt(
    room: Room, tmp_path: Path
) -> None:
    for act in ("ingest", "rescan"):
        for user in ("reader", "lead", "plain", "sysadmin"):
            with pytest.raises(Refused, match="role_missing"):
                actors.enter(room.station, user=user, act=act, secrets=SECRETS)
            assert (room.last_entry()["result"], room.last_entry()["act"]) == ("denied", act)
    document = room.paper(level=Level.STATE_CONFIDENTIAL)
    entry = room.last_entry()
    assert (entry["act"], entry["person"], entry["account"], entry["level"]) == (
        "ingest",
        "p-clerk",
        "clerk",
        "秘密",
    )
    # why it was scanned: the receipt it came with, and the batch of that shift
    assert entry["objects"] == [document, room.row(document).receipt_id, room.row(document).batch_id]
    plan = Plan(unit="样例单位", kdf="test", station_level=Level.STATE_CONFIDENTIAL)
    with pytest.raises(Refused, match="authorisation_needed"):
        found_station(tmp_path / "other" / "home", plan, SECRETS, clock=HandClock())


@pytest.mark.req("R-024", "R-110")
def test_family_level_kind_and_subject_decide_where_it_lies_and_who_sees_it(room: Room) -> None:
    with_places(room)
    top = room.document("关于样例甲的函", level=Level.STATE_TOP)
    work = room.document("关于样例乙的函", level=Level.WORK)
    minutes = room.document("样例办公会议纪要", level=Level.WORK)
    room.change(minutes, kind="纪要")
    one, two, three = (carrier(room, name) for name in (top, work, minutes))
    # where it lies: bytes by level, paper by the place that is for its level, by who keeps it
    with room.station.read() as session:
        for name, level in ((top, Level.STATE_TOP), (work, Level.WORK)):
            paths = session.scalars(select(Artefact.path).where(Artefact.document_id == name)).all()
            assert paths and {path.split("/")[0] for path in paths} == {level.code.lower()}
    room.refused("place_level", move, room, "place", one, place="机密柜2层")
    room.refused("place_level", move, room, "place", two, place="绝密柜")
    room.refused("place_unknown", move, room, "place", one, place="办公桌")
    room.refused("place_keeper", move, room, "place", one, place="绝密柜1层", by="arch")
    move(room, "place", one, place="绝密柜1层")
    move(room, "place", two, three, place="普通柜3层")
    listed = custody.list_carriers(room.station, room.as_("clerk", "carriers.list"))["objects"]
    assert {row["object"]: row["place"] for row in listed} == {
        one: "绝密柜1层",
        two: "普通柜3层",
        three: "普通柜3层",
    }
    move(room, "entrust", two, taker="p-lead")
    room.refused("place_level", move, room, "archive", three, by="arch", taker="p-arch", place="机密柜")
    # who sees it: the matrix's row for the level, or for the subject
    clerk = room.as_("clerk", "documents")
    found = documents.list_documents(room.station, clerk, level=Level.STATE_TOP)["documents"]
    assert [row["id"] for row in found] == [top]
    with room.station.read() as session:
        asked = {
            name: approvals.matrix_row(room.station, "borrow", session.get_one(Document, name)).by
            for name in (top, work, minutes)
        }
    assert asked == {top: ("leader_in_charge",), work: ("office_director",), minutes: ("leader_in_charge",)}


def test_绝密_stands_in_a_place_of_its_own() -> None:
    plain = plain_policy()
    plain["handling"]["places"] = [{"name": "柜", "levels": ["绝密", "机密"]}]
    with pytest.raises(UsageFault, match="policy_invalid"):
        parse_policy(policy_text(plain))


@pytest.mark.req("R-101")
def test_a_cipher_telegram_is_for_named_readers_back_as_read_and_destroyed_in_house(room: Room) -> None:
    document = room.document("样例电报", level=Level.INTERNAL, overlays=("cipher_telegram",))
    one = carrier(room, document)
    room.refused("not_in_circle", move, room, "circulate", one, taker="p-reader")
    circle.set_circle(
        room.station, room.as_("dir", "circle"), document=document, persons=("p-reader", "p-lead")
    )
    room.refused("not_in_circle", move, room, "circulate", one, taker="p-reader2")
    move(room, "circulate", one, taker="p-reader")
    (out,) = custody.outstanding(room.station, room.as_("clerk", "carriers.out"))["items"]
    assert (out["overnight"], out["due"]) == (True, "2026-11-02")
    room.refused("movement_state", move, room, "circulate", one, taker="p-lead")
    move(room, "read_back", one, words=BACK)
    assert room.station.policy.route(Level.INTERNAL, ("cipher_telegram",)).paper == "in_house_burn"
    with pytest.raises(Refused, match="no_electronic_way"):
        leaving.release(
            room.station, room.as_("clerk", "documents.release"), document=document, way="provide_external",
            to="县局", form="electronic",
        )  # fmt: skip
    # its row never makes less of what the level asks for
    top = room.document("样例电报二", level=Level.STATE_TOP, overlays=("cipher_telegram",))
    second = carrier(room, top)
    circle.set_circle(room.station, room.as_("lead", "circle"), document=top, persons=("p-reader", "p-lead"))
    room.refused("approval_required", move, room, "circulate", second, taker="p-reader", place="阅文室")
    with pytest.raises(JiyaoError, match=r"approval_required|act_denied"), room.station.write() as session:
        approvals.require(room.station, session, act="copy", rows=(session.get_one(Document, document),))


# ---------------------------------------------------------------- registers


def lines(room: Room, name: str, by: str = "clerk", **scope: Any) -> list[dict[str, Any]]:
    told = export.show_register(room.station, room.as_(by, "register"), name=name, scope=Scope(**scope))
    rows: list[dict[str, Any]] = told["rows"]
    return rows


@pytest.mark.req("R-097")
def test_telegrams_stand_in_a_register_of_their_own_item_by_item(room: Room) -> None:
    words = {"number": "样例电1号", "organ": "市局", "urgency": "加急", "subject": "样例事项"}
    first = begin(room, "telegram", words=words)
    begin(room, "telegram", words={**words, "number": "样例电2号", "urgency": "特急"})
    room.clock.forward(minutes=20)
    do(room, first, "clerk", receipt_no="回字1号")
    do(room, first, "clerk", outcome="已转办公室")
    rows = lines(room, "telegrams")
    assert [(row["报号"], row["等级"], row["回单号"], row["迟误"]) for row in rows] == [
        ("样例电1号", "加急", "回字1号", "缺岗"), ("样例电2号", "特急", "", ""),
    ]  # fmt: skip
    assert rows[0]["办理时限"] == "2026-11-05 00:00" and rows[0]["办理结果"] == "已转办公室"
    assert lines(room, "inbound") == []


@pytest.mark.req("R-111")
def test_everybody_who_enters_the_room_is_in_its_log(room: Room) -> None:
    with pytest.raises(UsageFault, match="matter_needs"):
        begin(room, "visit", words={"name": "来人甲", "unit": "县局", "purpose": "送文"})
    visit = begin(
        room, "visit", words={"name": "来人甲", "unit": "县局", "purpose": "送文", "allowed_by": "p-dir"}
    )
    staff = begin(
        room, "visit", words={"name": "人员scan", "unit": "本室", "purpose": "上班", "allowed_by": "p-dir"}
    )
    room.clock.forward(minutes=30)
    do(room, visit, "clerk")
    rows = lines(room, "visits")
    assert [(row["编号"], row["姓名"], row["单位"], row["事由"], row["离开时间"]) for row in rows] == [
        (visit, "来人甲", "县局", "送文", "2026-11-02 09:30"), (staff, "人员scan", "本室", "上班", ""),
    ]  # fmt: skip
    with pytest.raises(Refused, match="role_missing"):
        begin(
            room,
            "visit",
            by="reader",
            words={"name": "a", "unit": "b", "purpose": "c", "allowed_by": "p-dir"},
        )


@pytest.mark.req("R-115")
def test_a_seal_has_a_custodian_and_a_place_and_every_use_is_written_down(room: Room) -> None:
    with_places(room)
    taken: dict[str, Any] = {"seal": "样例市局公章", "custodian": "p-clerk2", "place": "普通柜"}
    with pytest.raises(Refused, match="place_level"):  # with 绝密 items, in the safe
        begin(room, "seal", words=taken)
    seal = begin(room, "seal", words={**taken, "place": "绝密柜1层"})
    use = {"what": "样例函〔2026〕3号", "copies": "2", "approved_by": "p-dir"}
    with pytest.raises(Refused, match="matter_step_of_other"):
        do(room, seal, "clerk", "used", **use)
    with pytest.raises(Refused, match="own_request"):
        do(room, seal, "clerk2", "used", **{**use, "approved_by": "p-clerk2"})
    with pytest.raises(UsageFault, match="matter_needs"):
        do(room, seal, "clerk2", "used", what="样例函")
    do(room, seal, "clerk2", "used", **use)
    do(room, seal, "clerk2", "moved", what="保管人更换", custodian="p-clerk", place="绝密柜2层")
    with pytest.raises(Refused, match="matter_step_of_other"):
        do(room, seal, "clerk2", "used", **use)
    do(room, seal, "clerk", "used", **use)
    rows = lines(room, "seals")
    assert [(row["事项"], row["经手人"], row["批准人"]) for row in rows] == [
        ("登记", "人员clerk", ""), ("用印", "人员clerk2", "人员dir"), ("移交", "人员clerk2", ""),
        ("用印", "人员clerk", "人员dir"),
    ]  # fmt: skip
    page = export.show_register(
        room.station, room.as_("clerk", "register"), name="seals", scope=Scope(limit=3)
    )
    rest = lines(room, "seals", after=page["next"])
    assert [*page["rows"], *rest] == rows
    assert {(row["现保管人"], row["存放位置"]) for row in rows} == {("人员clerk", "绝密柜2层")}


@pytest.mark.req("R-168", "R-169")
def test_the_work_of_a_month_and_a_year_is_counted_with_timeliness_overdue_and_errors(room: Room) -> None:
    in_time, late = (carrier(room, room.document()) for _ in "ab")
    for one in (in_time, late):
        move(room, "circulate", one, taker="p-reader")
    move(room, "read_back", in_time, words=BACK)
    room.clock.forward(hours=23)
    waiting = carrier(room, room.document())
    for days in range(6):
        room.clock.forward(days=1)
        with room.station.write() as session:
            room.station.log(session, "work", facts={"day": days})
        if days == 3:
            move(room, "circulate", waiting, taker="p-reader2")
    move(room, "read_back", late, words=BACK)
    begin(room, "telegram", words={"number": "1", "organ": "市局", "urgency": "一般"})
    move(room, "miss", waiting)
    told = {
        row["项目"]: row for row in lines(room, "work", since=date(2026, 11, 1), until=date(2026, 11, 30))
    }
    assert (told["登记文件"]["数量"], told["送阅"]["数量"], told["收报办理"]["数量"]) == (3, 3, 1)
    assert told["传阅"]["说明"] == "按时 1，逾期 1，按时率 50%"
    assert told["carrier_missing"]["说明"] == "未结 1" and told["现在短缺或遗失的原件"]["数量"] == 1
    before = {
        row["项目"]: row for row in lines(room, "work", since=date(2025, 1, 1), until=date(2025, 12, 31))
    }
    assert before["登记文件"]["数量"] == 0 and "传阅" not in before
    year = {
        row["项目"]: row["数量"]
        for row in lines(room, "work", since=date(2026, 1, 1), until=date(2026, 12, 31))
    }
    assert year["登记文件"] == 3 and year["现在逾期未办"] == 0
    out = room.base / "work.xlsx"
    done = export.export_register(
        room.station, room.as_("clerk", "register"), name="work", form="xlsx", out=out
    )
    assert out.stat().st_size > 0 and done["rows"] > 8


# ---------------------------------------------------------------- the committee, the rules


@pytest.mark.req("R-183")
def test_what_the_committee_approved_is_kept_with_the_document(room: Room) -> None:
    person(room, "member", "committee_reviewer")
    document = room.document(level=Level.STATE_SECRET)
    asked = begin(
        room, "committee_approval", document=document, words={"subject": "样例专项", "reason": "提请审批"}
    )
    with pytest.raises(Refused, match="role_missing"):
        do(room, asked, "lead", decision="同意", minutes_no="保委纪〔2026〕2号")
    told = do(room, asked, "member", decision="原则同意", minutes_no="保委纪〔2026〕2号")
    assert told["state"] == "closed"
    kept = matter_book.list_matters(
        room.station,
        room.as_("clerk", "matter.list"),
        document=document,
        kind="committee_approval",
        ended=True,
    )["matters"]
    shown = matter_book.show(room.station, room.as_("clerk", "matter.list"), matter=kept[0]["id"])
    assert shown["words"]["decision"] == "原则同意" and shown["steps"][1]["person"] == "p-member"


@pytest.mark.req("R-114")
def test_who_supervises_reads_reports_and_evidence_and_changes_nothing(room: Room) -> None:
    person(room, "member", "committee_reviewer")
    document = room.document("关于样例事项的密件", level=Level.STATE_SECRET)
    one = carrier(room, document)
    move(room, "miss", one)
    member = room.as_("member", "register")
    work = export.show_register(room.station, member, name="work")
    assert any(row["项目"] == "carrier_missing" for row in work["rows"])
    # lines of papers that the member is not to know of stay out
    assert export.show_register(room.station, member, name="inbound")["rows"] == []
    assert custody.count(room.station, room.as_("member", "carriers.out"))["differences"] == []
    assert incidents.list_incidents(room.station)["incidents"]
    room.as_("member", "incident"), room.as_("member", "ledger")
    assert ledgers.verify_log(room.station)["ok"]
    for act in (
        "text",
        "export",
        "review",
        "ingest",
        "copies.issue",
        "incident.close",
        "amend",
        "circle",
        "destroy.count",
    ):
        assert "committee_reviewer" not in MAY[act]
    room.refused("role_missing", move, room, "find", one, words={"reason": "找到"}, by="member")


@pytest.mark.req("R-182")
def test_rules_are_versions_with_a_date_and_take_effect_by_a_leaders_signature(room: Room) -> None:
    before = policies.show(room.station)
    text = room.station.policy_text.replace('version: "', 'version: "x-', 1).replace(
        "telegram_ack_minutes: 15", "telegram_ack_minutes: 10", 1
    )
    file = room.base / "other.yaml"
    file.write_text(text, "utf-8")
    told = policies.activate(room.station, room.as_("secadmin", "policy.activate"), file=file)
    assert told["state"] == "proposed" and room.station.policy.deadlines.telegram_ack_minutes == 15
    policies.activate(room.station, room.as_("secadmin", "policy.activate"), file=file)
    assert room.station.policy.deadlines.telegram_ack_minutes == 15
    policies.activate(room.station, room.as_("lead", "policy.activate"), file=file)
    assert room.station.policy.deadlines.telegram_ack_minutes == 10
    after = policies.show(room.station)
    assert (
        after["version"].startswith("x-")
        and after["version"] != before["version"]
        and after["state"] == "active"
    )
    entry = room.entries("policy.activate")[-1]
    assert (entry["person"], entry["at"][:10]) == ("p-lead", "2026-11-02")
