"""Circulation lists: in order, through the room after each reader, signed both ways, no wider than the circle."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.models.tables import Clear, Copy, MatterStep, Timer
from jiyao.pipeline.desk import custody, deadlines, matter_book, movements, timers
from jiyao.pipeline.persons import circle
from jiyao.pipeline.rounds import circulation, circulation_list
from room_kit import Room
from test_custody import approve, carrier, state


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def call(room: Room, act: str, by: str = "clerk", **given: Any) -> dict[str, Any]:
    door = "circulate.receive" if act == "receive" else "circulate"
    value: dict[str, Any] = getattr(circulation, act)(room.station, room.as_(by, door), **given)
    return value


def begin(room: Room, document: str, *readers: str, **given: Any) -> str:
    return str(call(room, "start", document=document, readers=readers, **given)["matter"])


def read(room: Room, matter: str, user: str, **given: Any) -> dict[str, Any]:
    """One reader's turn."""
    call(room, "give", matter=matter, **given)
    call(room, "receive", by=user, matter=matter)
    return call(room, "back", matter=matter, pages=1)


@pytest.mark.req("R-063", "R-067", "R-068", "R-069")
def test_a_list_goes_round_in_order_and_every_hand_over_is_signed(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL, urgency="加急")
    one = carrier(room, document)
    room.refused("role_missing", call, room, "start", by="reader", document=document, readers=("p-lead",))
    matter = begin(room, document, "p-lead", "p-reader", "p-reader2")
    told = read(room, matter, "lead")
    assert [one["state"] for one in told["readers"]] == ["read", "open", "open"]
    assert told["due"] == "2026-11-04" and state(room, one) == ("held", "p-clerk")
    call(room, "give", matter=matter)
    assert state(room, one) == ("out", "p-reader")
    room.refused("with_a_reader", call, room, "give", matter=matter)
    room.refused("not_signed_for", call, room, "back", matter=matter, pages=1)
    room.refused("not_the_reader", call, room, "receive", by="reader2", matter=matter)
    call(room, "receive", matter=matter, on_paper=True)
    call(room, "back", matter=matter, pages=1)
    told = read(room, matter, "reader2")
    assert (told["state"], told["step"]) == ("closed", None)
    assert [one["paper"] for one in told["readers"]] == [False, True, False]
    with room.station.read() as session:
        steps = session.scalars(select(MatterStep).where(MatterStep.matter_id == matter)).all()
        assert [step.step for step in steps] == ["start", *("give", "receive", "back") * 3]
        assert [step.person for step in steps][1:4] == ["p-clerk", "p-lead", "p-clerk"]
        assert all(len(step.signature) > 100 for step in steps) and timers.running(session) == []
    assert custody.count(room.station, room.as_("clerk", "carriers.out"))["differences"] == []
    with pytest.raises(UsageFault, match="matter_command"):
        matter_book.open_matter(
            room.station, room.as_("clerk", "matter.open"), "circulation", document=document
        )


@pytest.mark.req("R-065", "R-066", "R-086")
def test_what_is_read_on_the_spot_is_back_the_same_day_before_the_next_reader(room: Room) -> None:
    telegram = room.document(
        level=Level.STATE_SECRET, overlays=("cipher_telegram",), signed=date(2026, 10, 1)
    )
    carrier(room, telegram)
    room.refused("readers_unnamed", call, room, "start", document=telegram, readers=("p-reader", "p-reader2"))
    people = ("p-reader", "p-reader2", "p-lead")
    circle.set_circle(room.station, room.as_("lead", "circle"), document=telegram, persons=people)
    room.refused("not_in_circle", call, room, "start", document=telegram, readers=("p-reader", "p-arch"))
    matter = begin(room, telegram, "p-reader", "p-reader2")
    told = call(room, "give", matter=matter)
    assert told["as_read"] and told["readers"][0]["due"] == "2026-11-02"
    due = deadlines.due(room.station, room.as_("clerk", "due"))["items"]
    assert [item["kind"] for item in due] == ["circulation"]
    room.refused("with_a_reader", call, room, "skip", matter=matter, reason="外出开会不在办公室")
    out = custody.outstanding(room.station, room.as_("clerk", "carriers.out"))["items"]
    assert [item["overnight"] for item in out] == [True]
    call(room, "receive", by="reader", matter=matter)
    told = call(room, "back", matter=matter, pages=1)
    assert told["readers"][0]["back"].startswith("2026-11-02")


@pytest.mark.req("R-065", "R-076")
def test_top_secret_is_read_in_the_reading_room_by_approval(room: Room) -> None:
    document = room.document(level=Level.STATE_TOP)
    carrier(room, document)
    circle.set_circle(
        room.station, room.as_("lead", "circle"), document=document, persons=("p-reader", "p-lead")
    )
    room.refused("approval_required", call, room, "start", document=document, readers=("p-reader",))
    approve(room, "read", document, "lead")
    matter = begin(room, document, "p-reader")
    room.refused("reading_room_only", call, room, "give", matter=matter)
    told = read(room, matter, "reader", place="阅文室")
    assert told["state"] == "closed" and told["readers"][0]["place"] == "阅文室"


@pytest.mark.req("R-066")
def test_an_absent_reader_is_passed_over_or_a_named_keeper_waits_for_him(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    one = carrier(room, document)
    matter = begin(room, document, "p-lead", "p-reader", "p-reader2")
    told = call(room, "skip", matter=matter, reason="出差，回来再阅", later=True)
    assert [item["person"] for item in told["readers"]] == ["p-reader", "p-reader2", "p-lead"]
    told = call(room, "skip", matter=matter, reason="休假，不再传阅")
    assert [item["state"] for item in told["readers"]] == ["skipped", "open", "open"]
    room.refused(
        "clearance_too_low", call, room, "keep", matter=matter, keeper="p-supnone", reason="本人在外地"
    )
    call(room, "keep", matter=matter, keeper="p-arch", reason="本人下午回来")
    assert state(room, one) == ("out", "p-arch")
    room.refused("object_is_out", call, room, "skip", matter=matter, reason="本人明天才回")
    with pytest.raises(UsageFault, match="usage_missing"):
        call(room, "give", matter=matter)
    call(room, "give", matter=matter, pages=1)
    assert state(room, one) == ("out", "p-reader2")
    call(room, "receive", by="reader2", matter=matter)
    call(room, "back", matter=matter, pages=1)
    call(room, "stop", matter=matter, reason="其余领导不再传阅")
    trail = custody.trail(room.station, room.as_("clerk", "carriers.list"), object_id=one)["movements"]
    assert [row["act"] for row in trail] == [
        "receive", "keep_for", "read_back", "circulate", "read_back",
    ]  # fmt: skip


@pytest.mark.req("R-063", "R-064")
def test_a_list_is_made_longer_only_within_the_circle(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    carrier(room, document)
    set_to = (circle.set_circle, room.station, room.as_("lead", "circle"))
    set_to[0](*set_to[1:], document=document, persons=("p-reader", "p-lead"))
    matter = begin(room, document, "p-reader")
    room.refused("not_in_circle", call, room, "add", matter=matter, readers=("p-reader2",))
    wider = ("p-reader", "p-lead", "p-reader2")
    room.refused("approval_required", *set_to, document=document, persons=wider)
    approve(room, "widen_scope", document, "lead", to=("p-reader2",))
    set_to[0](*set_to[1:], document=document, persons=wider)
    told = call(room, "add", matter=matter, readers=("p-reader2",))
    assert [item["person"] for item in told["readers"]] == ["p-reader", "p-reader2"]


@pytest.mark.req("R-074", "R-099")
def test_a_missing_page_opens_an_incident_and_a_late_list_is_due(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    one, two = carrier(room, document), carrier(room, document, 2)
    first, second = begin(room, document, "p-reader"), begin(room, document, "p-lead", thing=two)
    room.refused("nothing_to_circulate", call, room, "start", document=document, readers=("p-lead",))
    room.refused("on_another_list", call, room, "start", document=document, readers=("p-lead",), thing=one)
    call(room, "give", matter=first)
    call(room, "give", matter=second)
    room.clock.forward(days=6)
    due = [one for one in deadlines.due(room.station, room.as_("clerk", "due"))["items"] if one["days"] == -1]
    assert sorted((item["kind"], item["days"]) for item in due) == [
        ("circulation", -1), ("circulation", -1), ("circulation_list", -1), ("circulation_list", -1),
    ]  # fmt: skip
    call(room, "receive", by="reader", matter=first)
    call(room, "back", matter=first, pages=0, irregular="缺一页")
    assert [entry["facts"]["kind"] for entry in room.entries("incident.open")] == ["return_irregular"]
    said = json.dumps(room.entries("incident.open") + room.entries("matter.circulation"), ensure_ascii=False)
    assert "缺一页" not in said


@pytest.mark.req("R-069")
def test_a_copy_goes_round_too_and_its_written_file_with_it(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    copy = room.copy(document)
    with room.station.write() as session:
        movements.enter(
            room.station, session, room.as_("clerk", "copies.issue"), session.get_one(Copy, copy), "issue"
        )
        session.add(
            Clear(document_id=document, copy_id=copy, kind="copy_out", at=room.station.now(), holder="p-reader",
                  sealed=room.station.seal(session, "clear", {"path": "/x", "size": 1}))
        )  # fmt: skip
    approve(room, "distribute", document, "dir")
    matter = begin(room, document, "p-reader2", thing=copy)
    call(room, "give", matter=matter)
    with room.station.read() as session:
        assert (session.get_one(Copy, copy).holder, session.get_one(Copy, copy).status) == (
            "p-reader2",
            "issued",
        )
        assert session.scalars(select(Clear).where(Clear.copy_id == copy)).one().holder == "p-reader2"
    call(room, "receive", by="reader2", matter=matter)
    call(room, "back", matter=matter, pages=1)
    with room.station.read() as session:
        assert session.get_one(Copy, copy).status == "returned"
        assert session.scalars(select(Clear).where(Clear.copy_id == copy)).one().state == "returned"
        assert not session.scalars(select(Timer).where(Timer.state == "running")).all()
    mine = circulation_list.list_open(room.station, room.as_("reader2", "circulate.show"), ended=True)
    assert [one["matter"] for one in mine["circulations"]] == [matter]
    none = circulation_list.list_open(room.station, room.as_("reader", "circulate.show"), ended=True)
    assert none["circulations"] == []
