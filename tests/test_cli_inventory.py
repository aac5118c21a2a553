"""清点 at the command line, and the matters of the shift: names, keys and codes of the contract."""

from __future__ import annotations

from room import Room


def test_a_count_from_the_first_line_to_the_sheet(room: Room) -> None:
    got = room.ok("receive", "--from", "乌有县局", "--copies", "2")
    ids = [one["object"] for one in room.ok("carriers", "list", "--document", got["id"])["objects"]]
    told = room.ok("inventory", "start", "--holder", "clerk")
    assert {"expected", "found", "missing", "unexpected"} <= told.keys()
    assert told["expected"] == ids and told["counts"]["missing"] == 2
    number = told["inventory"]
    room.refused("inventory", "scan", number, ids[0], user="reader", code="role_missing")
    assert room.ok("inventory", "scan", number, ids[0], "ZZ9", user="archivist")["unexpected"] == ["ZZ9"]
    room.refused("matter", "do", number, "--step", "count", code="matter_command", exit=2)
    room.ok("inventory", "close", number)
    room.refused("inventory", "close", number, code="same_person_twice")
    told = room.ok("inventory", "close", number, user="archivist")
    assert (told["found"], told["missing"], told["step"]) == ([ids[0]], [ids[1]], "settle")
    kinds = [one["kind"] for one in room.ok("incident", "list", user="director")["incidents"]]
    assert kinds == ["carrier_missing"]
    out = room.home.parent / "sheet.csv"
    assert room.ok("inventory", "show", number, "--out", out)["rows"] == 3
    assert (
        room.ok("inventory", "settle", number, "--decision", "限期查找", user="director")["state"] == "closed"
    )
    assert [one["inventory"] for one in room.ok("inventory", "list", "--all")["inventories"]] == [number]
    shown = room.run("inventory", "show", number, as_json=False)
    assert shown.exit == 0 and ids[1] in shown.out
    room.refused("inventory", "close", "M1999-00001", code="no_matter", exit=3)
    # what comes round again, and what nobody told of the calendar
    answer = room.run("due", "--on", "2030-01-01", as_json=False)
    assert answer.exit == 0 and "2029" in answer.err
    value = room.ok("due", "--on", "2030-01-01")
    assert {"inventory", "holiday_inspection", "facility_check"} <= {one["kind"] for one in value["items"]}
    assert 2029 in value["calendar_unknown"]
    words = ("--word", "what=碎纸机", "--word", "findings=卡纸", "--result", "faulty")
    assert room.ok("matter", "open", "facility_check", *words)["step"] == "repair"
