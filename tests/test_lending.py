"""Borrowing: minutes and personnel files, papers of the archive, extensions, what the conditions of the matrix ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.models.policy.loader import parse_policy
from jiyao.models.suggestion import Retention
from jiyao.models.tables import Carrier
from jiyao.pipeline.desk import custody, matter_book
from jiyao.pipeline.papers import archiving
from jiyao.pipeline.persons import approvals, circle, people
from jiyao.pipeline.rounds import lending
from policy_kit import plain_policy, policy_text
from room_kit import SECRETS, Room
from test_custody import BACK, approve, carrier, move, state

TOLD = "当面交代注意事项"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def call(room: Room, act: str, by: str = "clerk", **given: Any) -> dict[str, Any]:
    value: dict[str, Any] = getattr(lending, act)(room.station, room.as_(by, "borrow"), **given)
    return value


def lend(room: Room, *objects: str, to: str = "p-reader", by: str = "clerk", **given: Any) -> dict[str, Any]:
    return call(room, "lend", by=by, objects=objects, to=to, precautions=TOLD, **given)


def with_choice(room: Room, **choices: str) -> None:
    """A policy in force with other choices between the seeds."""
    plain = plain_policy()
    for row in plain["conflicts"]:
        row["default"] = choices.get(row["key"], row["default"])
    room.station._policy = parse_policy(policy_text(plain))


def needed(room: Room, act: str, document: str) -> list[str]:
    with room.station.read() as session:
        return approvals.needed_for(room.station, session, act, (document,))


def pass_days(room: Room, number: int) -> None:
    """Days of work: the ledger goes on, so that the clock is trusted."""
    for _ in range(number):
        room.clock.forward(days=1)
        custody.outstanding(room.station, room.as_("clerk", "carriers.out"))


def known_to(room: Room, document: str, *persons: str) -> None:
    circle.set_circle(room.station, room.as_("lead", "circle"), document=document, persons=persons)


@pytest.mark.req("R-090")
def test_who_lets_see_minutes(room: Room) -> None:
    ordinary = room.document("某处工作例会纪要", level=Level.STATE_CONFIDENTIAL)
    plenary = room.document("党组会议纪要", level=Level.STATE_CONFIDENTIAL)
    top = room.document("某处专题会议纪要", level=Level.STATE_TOP)
    for minutes in (ordinary, plenary, top):
        room.change(minutes, kind="纪要")
    letter = room.document("关于某事的函", level=Level.STATE_CONFIDENTIAL)
    asked = {
        name: needed(room, "borrow", one)
        for name, one in zip(
            ("ordinary", "plenary", "top", "letter"), (ordinary, plenary, top, letter), strict=True
        )
    }
    assert asked == {
        "ordinary": ["office_director"], "plenary": ["leader_in_charge"], "top": ["leader_in_charge"], "letter": [],
    }  # fmt: skip
    one = carrier(room, plenary)
    room.refused("approval_required", lend, room, one)
    approve(room, "borrow", plenary, "lead")
    assert lend(room, one)["loans"][0]["due"] == "2026-11-11"
    with_choice(room, minutes_lookup="office_director")
    assert needed(room, "borrow", plenary) == ["office_director"]
    assert needed(room, "borrow", top) == ["office_director", "leader_in_charge"]
    with_choice(room, minutes_lookup="leader_in_charge")
    assert needed(room, "borrow", ordinary) == ["leader_in_charge"]


@pytest.mark.req("R-092")
def test_a_personnel_file_goes_to_its_keeper_who_looks_things_up(room: Room) -> None:
    system, security = room.as_("sysadmin", "account.add"), room.as_("secadmin", "account.grant")
    people.add_account(room.station, system, SECRETS, user="files", name="人员档案", person="p-files")
    people.grant(room.station, security, user="files", roles=("personnel_file_keeper",), clearance="core")
    document = room.document("某人档案材料", level=Level.COMPANY_SECRET, overlays=("personnel_file",))
    one = carrier(room, document)
    approve(room, "borrow", document, "dir")
    room.refused("keeper_only", lend, room, one)
    asked = matter_book.open_matter(
        room.station, room.as_("reader", "matter.open"), "lookup", document=document,
        words={"requester": "p-reader", "content": "任职时间"},
    )  # fmt: skip
    look = (matter_book.do_step, room.station)
    room.refused(
        "role_missing", *look, room.as_("clerk", "matter.do"), matter=asked["id"], words={"outcome": "已代查"}
    )
    lend(room, one, to="p-files")
    told = matter_book.do_step(
        room.station,
        room.as_("files", "matter.do"),
        matter=asked["id"],
        words={"outcome": "已代查，口头答复"},
    )
    assert told["state"] == "closed" and told["steps"][-1]["role"] == "personnel_file_keeper"
    call(room, "back", by="files", objects=(one,), pages=1)
    assert state(room, one)[0] == "held"


@pytest.mark.req("R-089", "R-091")
def test_papers_of_the_archive_are_read_in_the_reading_room(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL, retention=Retention.THIRTY)
    one = carrier(room, document)
    archiving.archive(room.station, room.as_("arch", "archive"), document=document, place="档案柜3")
    room.refused("reading_room_only", lend, room, one, by="arch")
    room.refused("role_missing", lend, room, one, by="clerk", place="档案阅览室")
    told = lend(room, one, by="arch", place="档案阅览室")["loans"][0]
    assert told["in_room_only"] and told["state"] == "lent"
    with pytest.raises(UsageFault, match="movement_needs"):
        call(room, "back", by="arch", objects=(one,), pages=1)
    call(room, "back", by="arch", objects=(one,), pages=1, place="档案柜3")
    with room.station.read() as session:
        row = session.get_one(Carrier, one)
        assert (row.state, row.place, row.holder) == ("archived", "档案柜3", "p-arch")
    people.add_person(
        room.station, room.as_("secadmin", "person"), person="p-guest", name="某乡来人", clearance="core"
    )
    room.refused("introduction_needed", lend, room, one, to="p-guest", by="arch", place="档案阅览室")
    letter = {"unit": "样例乡政府", "letter": "介字〔2026〕1号", "content": "土地划界部分"}
    lend(room, one, to="p-guest", by="arch", place="档案阅览室", **letter)
    trail = custody.trail(room.station, room.as_("arch", "carriers.list"), object_id=one)["movements"]
    assert trail[-1]["act"] == "consult" and trail[-1]["words"] == {"precautions": TOLD, **letter}
    assert custody.count(room.station, room.as_("clerk", "carriers.out"))["differences"] == []


@pytest.mark.req("R-071", "R-076")
def test_what_is_lent_in_the_room_only_comes_back_the_same_day(room: Room) -> None:
    document = room.document(level=Level.STATE_TOP)
    one = carrier(room, document)
    approve(room, "borrow", document, "lead")
    room.refused("reading_room_only", lend, room, one)
    told = lend(room, one, place="阅文室")["loans"][0]
    assert (told["due"], told["in_room_only"], told["same_day"]) == ("2026-11-02", True, True)
    room.refused(
        "extension_as_read", call, room, "extend", thing=one, due=date(2026, 11, 3), reason="明天还要看一天"
    )
    room.clock.forward(days=1)
    late = lending.list_loans(room.station, room.as_("reader", "borrow.list"), overdue=True)["loans"]
    assert [(loan["object"], loan["days"]) for loan in late] == [(one, -1)]


@pytest.mark.req("R-074")
def test_a_loan_is_extended_before_its_end_by_an_approval_of_its_own(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    one = carrier(room, document)
    approve(room, "borrow", document, "dir")
    lend(room, one)
    longer = {"thing": one, "due": date(2026, 11, 9), "reason": "材料尚未核完"}
    pass_days(room, 3)
    room.refused("extension_unapproved", call, room, "extend", **longer)
    approve(room, "borrow", document, "dir", to=("p-reader",))
    with pytest.raises(UsageFault, match="extension_earlier"):
        call(room, "extend", **{**longer, "due": date(2026, 11, 6)})
    room.refused("due_too_late", call, room, "extend", **{**longer, "due": date(2026, 11, 10)})
    assert call(room, "extend", **longer)["due"] == "2026-11-09"
    assert room.entries("borrow.extend")[-1]["facts"] == {"from": "2026-11-06", "until": "2026-11-09"}
    pass_days(room, 6)
    room.refused("extension_late", call, room, "extend", **{**longer, "due": date(2026, 11, 12)})
    call(room, "back", objects=(one,), pages=0, irregular="第1页缺失")
    assert [entry["facts"]["kind"] for entry in room.entries("incident.open")] == ["return_irregular"]
    room.refused("not_on_loan", call, room, "extend", **{**longer, "due": date(2026, 11, 12)})


@pytest.mark.req("R-065")
@pytest.mark.parametrize(
    ("level", "overlays", "scope", "last"),
    [
        (Level.STATE_CONFIDENTIAL, (), "restricted_only", 7),
        (Level.STATE_CONFIDENTIAL, (), "all_marked", 2),
        (Level.STATE_CONFIDENTIAL, ("restricted_rank",), "restricted_only", 2),
        (Level.COMPANY_CONFIDENTIAL, (), "all_marked", 7),
    ],
)
def test_what_is_returned_as_read_is_the_units_choice(
    room: Room, level: Level, overlays: tuple[str, ...], scope: str, last: int
) -> None:
    with_choice(room, as_read_scope=scope)
    document = room.document(level=level, overlays=overlays)
    known_to(room, document, "p-reader", "p-lead")
    one = carrier(room, document)
    move(room, "circulate", one, taker="p-reader")
    (item,) = custody.outstanding(room.station, room.as_("clerk", "carriers.out"))["items"]
    assert item["due"] == f"2026-11-{last:02}"


@pytest.mark.req("R-082", "R-083")
def test_carrying_out_and_abroad(room: Room) -> None:
    top, secret = room.document(level=Level.STATE_TOP), room.document(level=Level.STATE_SECRET)
    for paper in (top, secret):
        known_to(room, paper, "p-reader", "p-reader2", "p-lead")
    words = {"case": "箱3", "destination": "境外某地", "permit": "证1号"}
    room.refused(
        "act_denied", move, room, "carry_abroad", carrier(room, top), taker="p-reader",
        together_with=("p-reader2",), words=words, place="随身",
    )  # fmt: skip
    one = carrier(room, secret)
    abroad: Callable[[], Any] = lambda: move(  # noqa: E731
        room, "carry_abroad", one, taker="p-reader", together_with=("p-reader2",), words=words
    )
    room.refused("approval_required", abroad)
    with_choice(room, carry_out="deny")
    room.refused("act_denied", move, room, "carry_out", one, taker="p-reader", words=words)
    with_choice(room)
    approve(room, "carry_out", secret, "lead")
    move(room, "carry_out", one, taker="p-reader", words=words)
    move(room, "carry_back", one, words=BACK)


@pytest.mark.req("R-084")
def test_over_night_outside_the_room(room: Room) -> None:
    one = carrier(room, room.document(level=Level.STATE_CONFIDENTIAL))
    plain = carrier(room, room.document(level=Level.INTERNAL))
    cipher = room.document(level=Level.STATE_CONFIDENTIAL, overlays=("cipher_telegram",))
    known_to(room, cipher, "p-reader", "p-lead")
    telegram = carrier(room, cipher)
    for thing in (one, plain, telegram):
        move(room, "circulate", thing, taker="p-reader")

    def overnight() -> dict[str, bool]:
        items = custody.outstanding(room.station, room.as_("clerk", "carriers.out"))["items"]
        return {item["id"]: item["overnight"] for item in items}

    def ask(*things: str) -> dict[str, Any]:
        return matter_book.open_matter(
            room.station, room.as_("clerk", "matter.open"), "overnight", items=[f"carrier:{one}" for one in things],
            words={"cabinet": "局长室铁皮柜", "until": "2026-11-03"},
        )  # fmt: skip

    assert overnight() == {one: True, plain: False, telegram: True}
    room.refused("overnight_denied", ask, one)
    with_choice(room, overnight_outside_room="cabinet_by_approval")
    room.refused("overnight_as_read", ask, telegram)
    matter = ask(one)["id"]
    assert overnight()[one]
    room.refused(
        "role_missing", matter_book.do_step, room.station, room.as_("clerk", "matter.do"), matter=matter
    )
    matter_book.do_step(room.station, room.as_("dir", "matter.do"), matter=matter)
    assert overnight() == {one: False, plain: False, telegram: True}
    room.clock.forward(days=2)
    assert overnight()[one]


@pytest.mark.req("R-093")
def test_who_does_not_work_in_the_room_asks_it_to_do_things(room: Room) -> None:
    asked = matter_book.open_matter(
        room.station, room.as_("plain", "matter.open"), "proxy_request", words={"what": "扫描会议材料一份"}
    )
    step = (matter_book.do_step, room.station)
    done = {"matter": asked["id"], "words": {"outcome": "已办"}}
    room.refused("role_missing", *step, room.as_("reader", "matter.do"), **done)
    assert step[0](room.station, room.as_("clerk", "matter.do"), **done)["state"] == "closed"
