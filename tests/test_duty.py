"""Telegrams and shifts, checks before holidays and at closing time, leaks followed to their end, leaving a post."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from flow_kit import begin, do
from jiyao.common.clock import STATION_ZONE
from jiyao.common.errors import JiyaoError, Refused, UsageFault
from jiyao.models.level import Level
from jiyao.pipeline.desk import deadlines, matter_book, movements
from jiyao.pipeline.papers import incidents
from jiyao.pipeline.persons import actors, people
from room_kit import SECRETS, Room
from test_custody import BACK, carrier, move
from test_lending import with_choice


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """A room with a shift of two, a head and a member of the committee."""
    room = Room(tmp_path)
    system, security = room.as_("sysadmin", "account.add"), room.as_("secadmin", "account.grant")
    for user, role in (
        ("duty", "duty_officer"), ("duty2", "duty_officer"), ("head", "head_of_room"), ("member", "committee_reviewer"),
    ):  # fmt: skip
        people.add_account(room.station, system, SECRETS, user=user, name=f"人员{user}", person=f"p-{user}")
        people.grant(room.station, security, user=user, roles=(role,), clearance="core")
    return room


def found(room: Room) -> list[tuple[str, str, str | None]]:
    return [
        (one["kind"], one["at"][11:16], one["by"])
        for one in incidents.list_incidents(room.station)["incidents"]
    ]


def telegram(room: Room, urgency: str = "加急", **words: str) -> str:
    said = {"number": "样例电1号", "organ": "市局", "urgency": urgency, **words}
    return begin(room, "telegram", by="duty", words=said)


def due(room: Room, on: date, kind: str) -> list[dict[str, Any]]:
    told = deadlines.due(room.station, room.as_("clerk", "due"), on=on)["items"]
    return [one for one in told if one["kind"] == kind]


# ---------------------------------------------------------------- telegrams


@pytest.mark.req("R-096")
def test_a_telegram_not_acknowledged_within_15_minutes_is_an_absent_shift(room: Room) -> None:
    in_time, late, never = (telegram(room) for _ in range(3))
    room.clock.forward(minutes=15)
    do(room, in_time, "duty", receipt_no="回1")
    assert found(room) == []
    room.clock.forward(minutes=1)
    assert [one[:2] for one in found(room)] == [
        ("absent_shift", "09:15")
    ] * 2  # whoever looks at 09:16 sees it
    do(room, late, "duty", receipt_no="回2")
    do(room, never, "duty", receipt_no="回3")
    assert len(found(room)) == 2 and found(room)[0][2] is None
    # found too when nobody looked in between
    unseen = telegram(room)
    room.clock.forward(minutes=20)
    do(room, unseen, "duty", receipt_no="回4")
    assert len(found(room)) == 3


@pytest.mark.req("R-099", "R-100")
def test_four_urgencies_have_four_terms_and_delay_and_wrong_handling_are_found(room: Room) -> None:
    terms = {"一般": "2026-11-05", "加急": "2026-11-04", "特急": "2026-11-03", "特提": "2026-11-02"}
    made = {urgency: telegram(room, urgency) for urgency in terms}
    listed = {one["id"]: one["due"] for one in due(room, date(2026, 11, 5), "telegram_handling")}
    assert listed == {made[urgency]: day for urgency, day in terms.items()}
    with pytest.raises(UsageFault, match="telegram_urgency"):
        telegram(room, "随便")
    do(room, made["一般"], "duty", receipt_no="回1")
    do(room, made["一般"], "duty", outcome="已转业务科")
    with pytest.raises(Refused, match="same_person_twice"):
        do(room, made["一般"], "duty")  # not checked by who handled it
    do(room, made["一般"], "clerk", "wrong")
    kinds = [one[0] for one in found(room)]
    assert "telegram_wrong" in kinds
    do(room, made["一般"], "duty", outcome="改送办公室")
    assert do(room, made["一般"], "clerk")["state"] == "closed"
    # 特提 is due at once; 加急, which nobody handled, once its two days are over
    assert kinds.count("telegram_delay") == 0
    room.clock.forward(minutes=1)
    assert [one[0] for one in found(room)].count("telegram_delay") == 1
    room.clock.moment = datetime(2026, 11, 5, 0, 1, tzinfo=STATION_ZONE)
    with room.station.write() as session:
        room.station.log(session, "work")
    assert [one[0] for one in found(room)].count("telegram_delay") == 3


@pytest.mark.req("R-098")
def test_the_most_urgent_and_warnings_go_to_the_head_of_the_room(room: Room) -> None:
    urgent, warning, plain = telegram(room, "特急"), telegram(room, subject="暴雨预警通知"), telegram(room)
    for one in (urgent, warning):
        with pytest.raises(Refused, match="telegram_must_be_reported"):
            do(room, one, "duty", receipt_no="回1")
        do(room, one, "duty", "report", receipt_no="回1")
        with pytest.raises(Refused, match="role_missing"):
            do(room, one, "duty", instruction="自行办理")
        do(room, one, "head", instruction="立即办理")
    do(room, plain, "duty", receipt_no="回2")
    do(room, urgent, "duty", outcome="已办")
    with pytest.raises(Refused, match="matter_step_of_other"):
        do(room, warning, "duty", outcome="已办")  # the head took charge in person
    do(room, warning, "head", outcome="已部署")


@pytest.mark.req("R-102")
def test_a_shift_hands_over_everything_unfinished_and_both_sign(room: Room) -> None:
    first, second = telegram(room), telegram(room)
    with pytest.raises(UsageFault, match="duty_two_persons"):
        begin(room, "duty", by="duty", words={"main": "p-duty2", "deputy": "p-duty2", "notes": "无"})
    shift = begin(
        room, "duty", by="duty", words={"main": "p-duty2", "deputy": "p-clerk", "notes": "电话已通"}
    )
    for user, taken in (("duty", f"{first}、{second}"), ("head", f"{first}、{second}"), ("duty2", first)):
        with pytest.raises(Refused):
            do(room, shift, user, taken=taken)
    told = do(room, shift, "duty2", taken=f"{first}、{second}")
    assert told["state"] == "closed"
    assert [(one["id"], one["state"], one["person"]) for one in told["items"]] == [
        (first, "taken", "p-duty2"), (second, "taken", "p-duty2"),
    ]  # fmt: skip
    assert [(one["step"], one["person"]) for one in told["steps"]] == [
        ("hand_over", "p-duty"), ("take_over", "p-duty2"),
    ]  # fmt: skip


# ---------------------------------------------------------------- checks


CHECKED = {"locked": "是", "machines_off": "是", "desks_clear": "是"}


@pytest.mark.req("R-107")
def test_the_closing_check_lists_what_is_out_and_is_not_done_while_something_must_come_back(
    room: Room,
) -> None:
    one = carrier(room, room.document(level=Level.STATE_CONFIDENTIAL))
    with pytest.raises(UsageFault, match="closing_not_done"):
        begin(room, "closing_check", words={**CHECKED, "machines_off": "否"})
    move(room, "circulate", one, taker="p-reader")
    with pytest.raises(Refused, match="must_be_back"):
        begin(room, "closing_check", words=CHECKED)
    check = begin(room, "closing_check", words={**CHECKED, "reason": "局领导批阅中，已电话确认入柜"})
    told = matter_book.show(room.station, room.as_("clerk", "matter.list"), matter=check)
    assert [(item["id"], item["person"]) for item in told["items"]] == [(one, "p-reader")]
    with pytest.raises(Refused, match="same_person_twice"):
        do(room, check, "clerk")
    assert do(room, check, "duty")["state"] == "closed"
    move(room, "read_back", one, words=BACK)
    assert do(room, begin(room, "closing_check", words=CHECKED), "head")["words"]["out"] == 0


@pytest.mark.req("R-113")
def test_the_rooms_facilities_are_looked_at_every_three_months_and_what_is_broken_is_followed(
    room: Room,
) -> None:
    assert due(room, date(2027, 2, 1), "facility_check") == []
    assert [one["due"] for one in due(room, date(2027, 2, 2), "facility_check")] == ["2027-02-02"]
    found = {"what": "门禁、保密柜、碎纸机", "findings": "碎纸机卡纸"}
    told = matter_book.open_matter(
        room.station, room.as_("duty", "matter.open"), "facility_check", words=found, result="faulty"
    )
    assert told["step"] == "repair"
    assert [one["id"] for one in due(room, date(2026, 12, 2), "rectify")] == [told["id"]]
    assert do(room, told["id"], "clerk", outcome="已修复")["state"] == "closed"
    room.clock.forward(days=1)
    begin(room, "facility_check", by="head", words={**found, "findings": "正常"})
    assert [one["due"] for one in due(room, date(2027, 12, 31), "facility_check")] == ["2027-02-03"]


@pytest.mark.req("R-103", "R-105")
def test_what_comes_round_again_falls_due_until_it_is_done(room: Room) -> None:
    assert due(room, date(2026, 12, 14), "inventory") == []
    assert [one["due"] for one in due(room, date(2026, 12, 15), "inventory")] == ["2026-12-15"]
    assert [one["due"] for one in due(room, date(2027, 2, 5), "facility_check")] == ["2027-02-02"]
    told = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2027, 5, 1))
    (holiday,) = [one for one in told["items"] if one["kind"] == "holiday_inspection"]
    assert (holiday["due"], holiday["id"]) == ("2026-12-25", "CY-6-2027-元旦")
    assert told["holidays_unknown"] == ["2027 春节"]
    room.clock.moment = datetime(2026, 12, 24, 9, tzinfo=STATION_ZONE)
    with room.station.write() as session:
        room.station.log(session, "work")
    words = {"holiday": "元旦", "lost": "无", "leaks": "无", "measures": "已落实"}
    check = begin(room, "holiday_inspection", by="head", words=words)
    do(room, check, "head", report_no="机要报〔2026〕9号")
    with pytest.raises(Refused, match="role_missing"):
        do(room, check, "dir", opinion="同意")
    do(room, check, "member", opinion="同意，节日期间加强值班")
    assert [one["due"] for one in due(room, date(2027, 5, 1), "holiday_inspection")] == ["2027-04-24"]
    with_choice(room, inspection_calendar="monthly")
    assert [one["due"] for one in due(room, date(2027, 5, 1), "holiday_inspection")] == ["2027-01-24"]


@pytest.mark.req("R-106")
def test_an_inspection_sets_a_day_for_what_it_found_and_looks_again(room: Room) -> None:
    check = begin(
        room,
        "inspection",
        by="member",
        words={"what": "保密柜", "problems": "一只未上锁", "deadline": "2026-11-06"},
    )
    assert [one["due"] for one in due(room, date(2026, 11, 6), "rectify")] == ["2026-11-06"]
    do(room, check, "clerk", measures="已换锁")
    with pytest.raises(Refused, match="role_missing"):
        do(room, check, "clerk")
    assert do(room, check, "member", "again")["step"] == "rectify"
    do(room, check, "clerk", measures="再换")
    assert do(room, check, "head")["state"] == "closed"


# ---------------------------------------------------------------- leaks


@pytest.mark.req("R-173", "R-175")
def test_a_leak_is_reported_remedied_reported_upwards_and_concluded_by_another(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    facts = {"time": "2026-11-02 08:30", "person": "某借阅人", "facts": "文件照片出现在聊天群"}
    leak = begin(room, "leak", by="reader", document=document, words=facts)
    (incident,) = incidents.list_incidents(room.station)["incidents"]
    assert (incident["kind"], incident["document"], incident["state"]) == ("leak", document, "open")
    with pytest.raises(Refused, match="incident_handled"):
        incidents.close_incident(
            room.station, room.as_("lead", "incident.close"), incident=incident["id"], reason="不了了之"
        )
    with pytest.raises(Refused, match="matter_binding"):
        matter_book.cancel(room.station, room.as_("reader", "matter.do"), matter=leak, reason="撤回")
    do(room, leak, "dir", measures="已要求删除并收回原件")
    room.clock.forward(hours=25)
    assert ("leak_not_reported", "09:00", None) in found(room)  # the authority had to know within 24 hours
    do(room, leak, "dir", authority="市保密局", report_no="样密报1号")
    with pytest.raises(Refused, match="role_missing"):
        do(room, leak, "reader", conclusion="没事", responsible="无")
    told = do(room, leak, "lead", conclusion="属泄密，已补救", responsible="借阅人")
    assert (
        told["state"] == "closed"
        and {*facts, "measures", "conclusion", "responsible"} <= told["words"].keys()
    )
    states = {one["id"]: one["state"] for one in incidents.list_incidents(room.station)["incidents"]}
    assert states[incident["id"]] == "closed"
    assert "聊天群" not in str(room.entries("matter.leak"))


# ---------------------------------------------------------------- leaving a post


@pytest.mark.req("R-108", "R-109")
def test_who_leaves_hands_over_everything_and_the_rights_end_with_the_last_signature(room: Room) -> None:
    one = carrier(room, room.document())
    move(room, "circulate", one, taker="p-reader")
    copy = room.copy(room.document(), holder="p-reader")
    leaving = begin(room, "leaving_post", words={"person": "p-reader", "receiver": "p-reader2"})
    told = matter_book.show(room.station, room.as_("clerk", "matter.list"), matter=leaving)
    listed = [item["id"] for item in told["items"] if item["kind"] != "person"]
    assert {one, copy, "post"} <= {*listed}
    for name in listed[:-1]:
        do(room, leaving, "clerk", item=name)
    with pytest.raises(Refused, match="still_has"):
        do(room, leaving, "clerk", item=listed[-1])
    move(room, "read_back", one, words=BACK)
    with room.station.write() as session:
        movements.move(
            room.station, session, room.as_("clerk", "copies.keep"), movements.find(session, copy), "return"
        )
    do(room, leaving, "clerk", item=listed[-1])
    with pytest.raises(Refused, match="matter_step_of_other"):
        do(room, leaving, "reader2", commitment="已签")
    do(room, leaving, "reader", commitment="离岗保密承诺书 2026-11-02")
    with pytest.raises(Refused, match="matter_step_of_other"):
        do(room, leaving, "clerk")
    do(room, leaving, "reader2")
    actors.enter(room.station, user="reader", act="text", secrets=SECRETS)  # until then the rights go on
    assert do(room, leaving, "head")["state"] == "closed"
    with pytest.raises(JiyaoError) as caught:
        actors.enter(room.station, user="reader", act="text", secrets=SECRETS)
    assert caught.value.code == "account_disabled"
    with room.station.read() as session:
        assert people.person_json(room.station, session, "p-reader")["clearance_state"] == "suspended"


# ---------------------------------------------------------------- the yearly round


@pytest.mark.req("R-124")
def test_what_falls_due_is_listed_for_the_next_years_round(room: Room) -> None:
    expired = room.expired(signed=date(2015, 3, 1))
    kept = room.document(signed=date(2020, 3, 1))
    assert room.row(expired).retention_until == "2026-01-01"

    def listed(on: date) -> list[tuple[str, str, str]]:
        told = due(room, on, "retention_end")
        return [(one["id"], one["due"], one["action"]) for one in told]

    # appraised in 2026, it goes with the round of January 2027, and nothing earlier asks for it
    assert listed(date(2027, 1, 30)) == []
    assert listed(date(2027, 1, 31)) == [(expired, "2027-01-31", "propose_destruction")]
    assert kept not in str(listed(date(2027, 12, 31)))
    with_choice(room, destruction_timing="immediate")
    assert listed(date(2026, 11, 2)) == [(expired, "2026-01-01", "propose_destruction")]
