"""Counting what is there against the register: listed, scanned, signed by two, searched for, settled by a third."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.models.tables import Carrier, Copy
from jiyao.pipeline.desk import deadlines
from jiyao.pipeline.papers import incidents, inventory
from jiyao.pipeline.rounds import list_sheets
from jiyao.stages.slip import slip_text
from jiyao.watermark.payload import encode, station_tag
from room_kit import Room
from test_custody import carrier, move, state


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def count(room: Room, act: str, by: str = "clerk", **given: Any) -> dict[str, Any]:
    door = "inventory.settle" if act == "settle" else "rounds.show" if act == "show" else "inventory"
    value: dict[str, Any] = getattr(inventory, act)(room.station, room.as_(by, door), **given)
    return value


def barcode(room: Room, copy: str, secret: bytes | None = None) -> str:
    with room.station.read() as session:
        key = secret or bytes(room.station.vault.derive(session, "mark"))
        number = session.get_one(Copy, copy).forensic_id
        return encode(key, station_tag(room.station.settings.store_uuid), number)


def slip_of(room: Room, one: str) -> str:
    with room.station.read() as session:
        return slip_text(session.get_one(Carrier, one).receipt_id)


@pytest.mark.req("R-103", "R-104")
def test_two_count_what_is_there_and_what_is_missing_is_searched_for(room: Room) -> None:
    papers = [room.document(level=Level.STATE_CONFIDENTIAL) for _ in range(3)]
    here, gone, elsewhere = (carrier(room, one) for one in papers)
    move(room, "circulate", elsewhere, taker="p-reader")
    copy, lost = (room.copy(papers[0], status=status) for status in ("returned", "returned"))
    other = room.copy(papers[1], holder="p-reader2")
    told = count(room, "start", holder="p-clerk")
    assert told["expected"] == [here, gone] and told["counts"]["missing"] == 2
    told = count(room, "start", document=papers[0])
    assert told["expected"] == sorted([here, copy, lost])
    ours = count(room, "start")
    assert ours["counts"]["expected"] == 6
    number = ours["inventory"]
    scanned = count(
        room, "scan", inventory=number, by="arch",
        codes=[slip_of(room, here), barcode(room, copy), elsewhere, other, barcode(room, copy, b"x" * 32), "纸条"],
    )  # fmt: skip
    assert [one["state"] for one in scanned["read"]] == ["found"] * 4 + ["unexpected"] * 2
    assert "纸条" not in str(scanned["unexpected"])
    assert scanned["missing"] == [gone, lost]
    room.refused("inventory_not_signed", count, room, "close", inventory=number, disagree="没数完")
    assert count(room, "close", inventory=number)["step"] == "count"
    room.refused("same_person_twice", count, room, "close", inventory=number, by="clerkb")  # the same person
    room.refused("inventory_signed", count, room, "scan", inventory=number, codes=[gone])
    assert state(room, gone)[0] == "held"  # one signature changes nothing
    told = count(room, "close", inventory=number, by="arch")
    assert (told["step"], told["missing"], told["signed_by"]) == (
        "settle",
        [gone, lost],
        ["p-arch", "p-clerk"],
    )
    assert state(room, gone)[0] == "missing"
    found = incidents.list_incidents(room.station)["incidents"]
    assert sorted((one["kind"], one["copy"]) for one in found) == [
        ("carrier_missing", None),
        ("copy_missing", lost),
    ]
    day = room.clock.now().date() + timedelta(days=1)
    due = deadlines.due(room.station, room.as_("clerk", "due"), on=day)["items"]
    assert sorted(one["id"] for one in due if one["kind"] == "search") == sorted([gone, lost])
    assert count(room, "settle", by="dir", inventory=number, decision="限两日内查找")["state"] == "closed"
    move(room, "find", gone, words={"reason": "夹在卷内"})
    sheet = count(room, "show", inventory=number)
    assert {one["state"] for one in sheet["items"]} == {"found", "missing", "unexpected"}
    out = room.base / "sheet.csv"
    list_sheets.write_list(
        room.station, room.as_("clerk", "rounds.show"), kind="inventory", value=sheet, out=out
    )
    rows = list(csv.reader(out.read_text("utf-8-sig").splitlines()))
    assert sum("短缺" in row for row in rows) == 2 and any(gone in row for row in rows)


def test_a_count_that_agrees_ends_with_the_second_signature_and_moved_papers_are_not_missing(
    room: Room,
) -> None:
    one, two = (carrier(room, room.document()) for _ in "ab")
    move(room, "place", one, two, place="A柜")
    told = count(room, "start", place="A柜", by="arch")
    number = told["inventory"]
    assert told["expected"] == [one, two]
    count(room, "scan", inventory=number, codes=[one])
    move(room, "circulate", two, taker="p-reader")
    count(room, "close", inventory=number)
    told = count(room, "close", inventory=number, by="scan")
    assert (told["state"], told["missing"], told["moved"]) == ("closed", [], [two])
    # who does not agree makes it void
    again = count(room, "start", holder="p-clerk")["inventory"]
    count(room, "close", inventory=again)
    assert count(room, "close", inventory=again, by="arch", disagree="少数一件")["state"] == "refused"
    assert state(room, one)[0] == "held"
    with pytest.raises(UsageFault, match="inventory_empty"):
        count(room, "start", place="无此柜")


def test_a_slip_of_several_originals_names_none(room: Room) -> None:
    document = room.document()
    first, second = carrier(room, document), carrier(room, document, 2)
    number = count(room, "start", document=document)["inventory"]
    with pytest.raises(UsageFault, match="slip_of_several"):
        count(room, "scan", inventory=number, codes=[slip_of(room, first)])
    told = count(room, "scan", inventory=number, codes=[first, second])
    assert told["counts"] == {"expected": 2, "found": 2, "missing": 0, "unexpected": 0}
