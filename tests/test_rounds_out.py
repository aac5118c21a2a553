"""What leaves by list: transport runs, clearing, recall, filing; counted by two, signed for, shortages named."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flow_kit import reviewed
from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.models.suggestion import Retention
from jiyao.models.tables import Carrier, Copy, Document, Timer
from jiyao.pipeline.desk import custody, deadlines, movements
from jiyao.pipeline.destruction import inventory as destruction_list
from jiyao.pipeline.destruction.known import know
from jiyao.pipeline.papers import filing
from jiyao.pipeline.review import review
from jiyao.pipeline.rounds import (
    circulation,
    circulation_list,
    clearing,
    list_sheets,
    lists,
    recall,
    return_cycle,
    transport,
)
from room_kit import Room
from test_custody import approve, carrier, move, state
from test_lending import pass_days, with_choice


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def run(room: Room, act: str, by: str = "clerk", **given: Any) -> dict[str, Any]:
    door = "transport.take" if act in ("take", "show") else "transport"
    value: dict[str, Any] = getattr(transport, act)(room.station, room.as_(by, door), **given)
    return value


def clear(room: Room, act: str, by: str = "clerk", **given: Any) -> dict[str, Any]:
    if act == "show":
        return lists.show(room.station, room.as_(by, "clearing"), kind="clearing", **given)
    value: dict[str, Any] = getattr(clearing, act)(room.station, room.as_(by, "clearing"), **given)
    return value


def pack(room: Room, *objects: str, escorts: tuple[str, ...], **given: Any) -> dict[str, Any]:
    said = {
        "organ": "乌有县局",
        "channel": "机要交通",
        "bag": "袋7封3",
        "purpose": "return_to_issuer",
        **given,
    }
    return run(room, "pack", objects=objects, escorts=escorts, **said)


def superior(room: Room, level: Level = Level.STATE_CONFIDENTIAL) -> str:
    """A confirmed secret paper of a superior organ."""
    document = room.paper(level=level)
    room.change(document, origin="superior")
    one = carrier(room, document)
    review.accept(room.station, room.as_("clerk", "review.accept"), documents=(document,))
    return one


def due(room: Room, on: date, kind: str) -> list[dict[str, Any]]:
    items = deadlines.due(room.station, room.as_("clerk", "due"), on=on)["items"]
    return [item for item in items if item["kind"] == kind]


# ---------------------------------------------------------------- transport


@pytest.mark.req("R-013", "R-014", "R-018")
def test_a_run_with_two_escorts_who_sign_for_the_bag(room: Room) -> None:
    top, plain = carrier(room, room.document(level=Level.STATE_TOP)), carrier(room, room.document())
    room.refused(
        "channel_open",
        pack,
        room,
        top,
        escorts=("p-reader", "p-reader2"),
        channel="顺丰速运",
        purpose="come_back",
    )
    room.refused("movement_persons", pack, room, top, escorts=("p-reader", "p-reader"), purpose="come_back")
    room.refused("clearance_too_low", pack, room, top, escorts=("p-reader", "p-supnone"), purpose="come_back")
    with pytest.raises(UsageFault, match="clearing_list_needed"):
        pack(room, top, plain, escorts=("p-reader", "p-reader2"))
    room.refused("movement_within", move, room, "return_to_issuer", plain, words={"receipt_no": "收字9号"})
    cleared = clear(room, "start", organ="乌有县局", objects=(top, plain))["list"]
    room.refused("not_counted", pack, room, escorts=("p-reader", "p-reader2"), cleared=cleared)
    for user in ("clerk", "arch"):
        clear(room, "count", by=user, matter=cleared, counted=2)
    matter = pack(room, escorts=("p-reader", "p-reader2"), cleared=cleared)["run"]
    room.refused("matter_step", run, room, "depart", run=matter)
    room.refused("not_an_escort", run, room, "take", by="lead", run=matter)
    run(room, "take", by="reader", run=matter)
    told = run(room, "take", run=matter, escort="p-reader2")
    assert [(one["person"], one["paper"]) for one in told["escorts"]] == [
        ("p-reader", False),
        ("p-reader2", True),
    ]
    assert run(room, "depart", run=matter)["step"] == "arrive"
    assert state(room, top) == ("transit", "p-reader")
    assert room.entries("move")[-2]["facts"]["together_with"] == ["p-reader2"]
    pass_days(room, 2)
    late = due(room, date(2026, 11, 4), "transport")
    assert [(item["days"], item["action"]) for item in late] == [(-1, "confirm_arrival")] * 2
    assert run(room, "show", by="reader", run=matter)["late"]
    told = run(room, "arrive", run=matter, receipt_no="收字9号")
    assert (told["state"], told["late"], told["receipt_no"]) == ("closed", True, "收字9号")
    assert clear(room, "show", matter=cleared)["state"] == "closed"
    assert state(room, top) == ("returned", None) and state(room, plain) == ("returned", None)
    room.refused("not_an_escort", run, room, "show", by="plain", run=matter)


@pytest.mark.req("R-018", "R-085")
def test_a_run_to_another_organ_needs_its_approval_and_may_come_back(room: Room) -> None:
    document = room.document(level=Level.COMPANY_CONFIDENTIAL)
    one = carrier(room, document)
    room.refused("approval_required", pack, room, one, escorts=("p-reader",), purpose="hand_over")
    room.refused("approval_required", move, room, "hand_over", one)
    approve(room, "provide_external", document, "prin")
    room.refused("release_review_missing", pack, room, one, escorts=("p-reader",), purpose="hand_over")
    reviewed(room, document, "provide_external")
    matter = pack(room, one, escorts=("p-reader",), purpose="hand_over")["run"]
    run(room, "take", by="reader", run=matter)
    assert run(room, "unpack", run=matter, reason="今天不发车，改日再运")["state"] == "closed"
    assert state(room, one) == ("held", "p-clerk")
    matter = pack(room, one, escorts=("p-reader",), purpose="hand_over")["run"]
    run(room, "take", by="reader", run=matter)
    run(room, "depart", run=matter)
    run(room, "arrive", run=matter, receipt_no="未交接", brought_back=True)
    assert state(room, one) == ("held", "p-clerk")
    counts = custody.count(room.station, room.as_("clerk", "carriers.out"))
    assert counts["differences"] == [] and counts["originals"]["held"] == 1


# ---------------------------------------------------------------- clearing


@pytest.mark.req("R-086", "R-087", "R-088")
def test_what_came_from_a_superior_goes_back_listed_and_counted_by_two(room: Room) -> None:
    one, two = superior(room), superior(room)
    assert [item["due"] for item in due(room, date(2027, 6, 1), "return_to_issuer")] == ["2027-05-02"] * 2
    with pytest.raises(UsageFault, match="nothing_to_clear"):
        clear(room, "start", organ="乌有县局")
    clear(room, "require", objects=(one, two), due=date(2026, 11, 2), source="某办〔2026〕1号要求年底前清退")
    told = clear(room, "start", organ="乌有县局")
    assert [item["object"] for item in told["items"]] == [one, two]
    matter = told["list"]
    room.refused("on_another_list", clear, room, "start", organ="乌有县局", objects=(one,))
    room.refused("matter_step", clear, room, "hand_over", matter=matter, receipt_no="收1")
    room.refused("count_wrong", clear, room, "count", matter=matter, counted=1)
    clear(room, "count", matter=matter, counted=2)
    room.refused("same_person_twice", clear, room, "count", matter=matter, counted=2)
    room.refused("count_differs", clear, room, "count", by="arch", matter=matter, counted=1, missing=(two,))
    told = clear(room, "count", by="arch", matter=matter, counted=2)
    assert told["step"] == "hand_over" and told["counted_by"] == ["p-arch", "p-clerk"]
    told = clear(room, "hand_over", matter=matter, receipt_no="收字1号")
    assert (told["state"], told["receipt_no"]) == ("closed", "收字1号")
    assert state(room, one) == ("returned", None) and due(room, date(2027, 6, 1), "return_to_issuer") == []
    words = json.dumps(
        [*room.entries("clearing.require"), *room.entries("matter.clearing")], ensure_ascii=False
    )
    assert "清退" not in words and "乌有" not in words


@pytest.mark.req("R-088", "R-104")
def test_what_two_persons_did_not_find_is_missing_from_then_on(room: Room) -> None:
    one, two = superior(room), superior(room)
    matter = clear(room, "start", organ="乌有县局", objects=(one, two))["list"]
    clear(room, "count", matter=matter, counted=1, missing=(two,))
    told = clear(room, "count", by="arch", matter=matter, counted=1, missing=(two,))
    assert [item["state"] for item in told["items"]] == ["open", "short"] and told["items"][1]["incident"]
    assert state(room, two)[0] == "missing"
    clear(room, "hand_over", matter=matter, receipt_no="收字1号")
    assert state(room, two)[0] == "missing" and state(room, one)[0] == "returned"


@pytest.mark.req("R-087")
def test_a_superiors_secret_paper_is_never_destroyed_here(room: Room) -> None:
    one = superior(room)
    document = one.rsplit("-", 1)[0]
    with room.station.read() as session:
        row = session.get_one(Document, document)
        blocks = destruction_list._carriers(room.station, know(session, [document]), row)
        assert [block["code"] for block in blocks] == ["return_due"]
    approve(room, "destroy", document, "lead")
    room.refused(
        "superior_paper", move, room, "destroy", one, taker=None, together_with=("p-sup1", "p-sup2"),
        words=dict.fromkeys(("reason", "witnesses", "place"), "x"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("choice", "last"),
    [
        ("monthly_internal_6m_return", "2027-05-02"),
        ("yearly_return", "2027-11-02"),
        ("as_issuer_requires", None),
    ],
)
def test_the_units_own_cycle(room: Room, choice: str, last: str | None) -> None:
    with_choice(room, return_cycle=choice)
    one = superior(room)
    with room.station.read() as session:
        timers = session.scalars(select(Timer).where(Timer.object_id == one)).all()
        assert [timer.due[:10] for timer in timers] == ([] if last is None else [f"{last[:-2]}03"])
    peer = carrier(room, room.document(level=Level.STATE_CONFIDENTIAL))
    with room.station.write() as session:
        return_cycle.begin(room.station, session, session.get_one(Document, peer.rsplit("-", 1)[0]))
        assert not session.scalars(select(Timer).where(Timer.object_id == peer)).all()


# ---------------------------------------------------------------- recall


@pytest.mark.req("R-088", "R-094")
def test_after_a_meeting_everything_is_collected_and_what_is_short_is_named(room: Room) -> None:
    document = room.document(level=Level.COMPANY_CONFIDENTIAL)
    one = carrier(room, document)
    copies = [room.copy(document, holder=person) for person in ("p-reader", "p-reader2")]
    with room.station.write() as session:
        for copy in copies:
            actor = room.as_("clerk", "copies.issue")
            movements.enter(room.station, session, actor, session.get_one(Copy, copy), "issue")
    move(room, "circulate", one, taker="p-lead")
    call = (recall, room.station, room.as_("clerk", "recall"))
    told = recall.start(*call[1:], occasion="样例工作会议", documents=(document,), due=date(2026, 11, 2))
    matter = told["list"]
    assert [item["object"] for item in told["items"]] == [one, *copies]
    assert [item["kind"] for item in due(room, date(2026, 11, 2), "recall")] == ["recall"]
    told = recall.back(*call[1:], matter=matter, objects=(one, copies[0]), pages=1)
    assert [item["state"] for item in told["items"]] == ["back", "back", "open"]
    with pytest.raises(UsageFault, match="matter_each"):
        recall.back(*call[1:], matter=matter, objects=(one,), pages=1)
    told = recall.close(*call[1:], matter=matter)
    assert (told["step"], told["items"][2]["state"]) == ("settle", "short") and told["items"][2]["incident"]
    room.refused("role_missing", recall.settle, *call[1:], matter=matter, decision="继续追查")
    told = recall.settle(room.station, room.as_("dir", "recall"), matter=matter, decision="继续追查")
    assert told["state"] == "closed"
    with room.station.read() as session:
        assert session.get_one(Copy, copies[0]).status == "returned"
        assert session.get_one(Copy, copies[1]).status == "recalled"
    with pytest.raises(UsageFault, match="nothing_to_recall"):
        recall.start(*call[1:], occasion="又一次", documents=(room.document(),))


# ---------------------------------------------------------------- filing


@pytest.mark.req("R-048", "R-050", "R-051")
def test_the_archivist_checks_item_by_item_and_signs(room: Room) -> None:
    good = room.document(retention=Retention.THIRTY)
    bad = room.document(retention=Retention.TEN)
    one, other = carrier(room, good), carrier(room, bad)
    desk, shelf = room.as_("clerk", "filing"), room.as_("arch", "filing")
    told = filing.start(room.station, desk)
    assert {item["document"] for item in told["items"]} == {good, bad}
    matter = told["list"]
    room.refused("on_another_list", filing.start, room.station, desk, documents=(good,))
    check = (filing.check, room.station)
    room.refused("role_missing", *check, desk, matter=matter, document=good, place="档案柜1")
    with pytest.raises(UsageFault, match="usage_missing"):
        filing.check(room.station, shelf, matter=matter, document=good)
    room.refused("filing_pages", *check, shelf, matter=matter, document=good, place="档案柜1", pages=9)
    filing.check(
        room.station, shelf, matter=matter, document=good, place="档案柜1", number="WS·2026-1", pages=1
    )
    room.refused("matter_step", filing.receive, room.station, shelf, matter=matter)
    filing.check(room.station, shelf, matter=matter, document=bad, differs="缺附件一")
    told = filing.receive(room.station, shelf, matter=matter)
    assert [(item["state"], item["number"], item["differs"]) for item in told["items"]] == [
        ("filed", "WS·2026-1", None), ("differs", None, "缺附件一"),
    ]  # fmt: skip
    assert told["state"] == "closed" and told["received_by"] == "p-arch"
    assert state(room, one) == ("archived", "p-arch") and state(room, other)[0] == "held"
    with room.station.read() as session:
        assert session.get_one(Carrier, one).place == "档案柜1"
    assert [item["document"] for item in filing.start(room.station, desk)["items"]] == [bad]


# ---------------------------------------------------------------- printed lists


@pytest.mark.req("R-084", "R-088")
def test_lists_are_printed_with_the_ledgers_checkpoint(room: Room) -> None:
    from openpyxl import load_workbook
    from pypdf import PdfReader

    document = room.document("关于样例清退的通知", level=Level.STATE_CONFIDENTIAL)
    one = carrier(room, document)
    desk = room.as_("clerk", "circulate")
    matter = circulation.start(room.station, desk, document=document, readers=("p-reader",))["matter"]
    circulation.give(room.station, desk, matter=matter)
    shown = circulation_list.show(room.station, desk, matter=matter)
    told = list_sheets.write_list(
        room.station, desk, kind="circulation", value=shown, out=room.base / "传阅单.pdf"
    )
    text = "".join(page.extract_text() for page in PdfReader(room.base / "传阅单.pdf").pages)
    text = text.replace("\0", "")
    assert told["rows"] == 1 and "文件传阅单" in text and "人员reader" in text and "已送" in text
    assert "台账检查点" in text
    out = custody.outstanding(room.station, desk)
    list_sheets.write_list(room.station, desk, kind="closing", value=out, out=room.base / "下班.xlsx")
    sheet = load_workbook(room.base / "下班.xlsx").active
    assert sheet is not None and sheet["B4"].value == one and "根 " in str(sheet["A2"].value)
    with pytest.raises(UsageFault, match="unknown_format"):
        list_sheets.write_list(room.station, desk, kind="closing", value=out, out=room.base / "下班.doc")
    assert [entry["facts"]["list"] for entry in room.entries("list.print")] == ["circulation", "closing"]
