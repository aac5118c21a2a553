"""Copies that another organ has: a clock of their own, apart on the closing list, lost on the way; and what is late."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from flow_kit import begin, do, reviewed
from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.pipeline.copies import copies
from jiyao.pipeline.desk import custody, deadlines
from jiyao.pipeline.papers import incidents
from room_kit import Room
from test_custody import approve, carrier, move
from test_lending import pass_days


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


WORDS = {"organ": "样例县局", "channel": "机要交通", "envelope": "机字2", "copies": "1"}


def sendable(room: Room, level: Level) -> str:
    document = room.document(level=level)
    approve(room, "relay", document, "dir")
    reviewed(room, document, "relay")
    return document


def closing(room: Room) -> dict[str, Any]:
    return custody.outstanding(room.station, room.as_("clerk", "carriers.out"))


@pytest.mark.req("R-012", "R-069")
def test_a_copy_at_another_organ_has_its_own_clock_and_stands_apart(room: Room) -> None:
    document = sendable(room, Level.STATE_CONFIDENTIAL)
    here, there = room.copy(document), room.copy(document, holder="p-reader2")
    with pytest.raises(UsageFault, match="bad_value"):
        begin(room, "dispatch", document=document, items=(f"copy:{there}",), words={**WORDS, "due": "春节"})
    sent = begin(room, "dispatch", document=document, items=(f"copy:{there}",), words=WORDS)
    told = closing(room)
    assert (told["copies"], told["at_organs"]) == (1, 1)
    assert [(one["id"], one["organ"], one["holder"]) for one in told["items"]] == [
        (here, None, "p-reader"), (there, "样例县局", None),
    ]  # fmt: skip
    # half a year, not the term of a loan; and it is nobody's here
    assert told["items"][1]["due"] == "2027-05-02"
    with room.station.read() as session:
        assert custody.held_by(session, "p-reader2") == [] == custody.held_by(session, "p-clerk")
    row = copies.list_copies(room.station, room.as_("clerk", "copies.list"), document=document)["copies"][1]
    assert (row["status"], row["holder"], row["sent_in"]) == ("issued", None, sent)
    keep = (room.station, room.as_("clerk", "copies.keep"))
    room.refused("copy_at_organ", copies.forward_copies, *keep, copies=[there], to="p-reader")
    room.refused("not_your_copy", copies.return_copies, room.station, room.as_("reader2", "copies.return"),
                 copies=[there])  # fmt: skip
    items = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2027, 5, 2))["items"]
    assert [(one["id"], one["action"]) for one in items if one["kind"] == "organ_return"] == [
        (there, "call_in")
    ]
    do(room, sent, "clerk", receipt_no="回字1号", signed_by="县局收发员")
    assert closing(room)["at_organs"] == 1
    copies.return_copies(*keep, copies=[there])
    told = closing(room)
    assert (told["copies"], told["at_organs"], [one["id"] for one in told["items"]]) == (1, 0, [here])


@pytest.mark.req("R-014")
def test_own_messengers_with_a_top_secret_copy_are_two_and_a_lost_one_opens_an_incident(room: Room) -> None:
    document = room.document(level=Level.STATE_TOP)
    room.change(document, origin="self")
    reviewed(room, document, "dispatch")
    copy = room.copy(document)
    words = {**WORDS, "channel": "机要人员"}
    send: dict[str, Any] = {"document": document, "words": words}
    room.refused(
        "movement_persons", begin, room, "dispatch", items=(f"copy:{copy}", "person:p-clerk2"), **send
    )
    two = (f"copy:{copy}", "person:p-clerk2", "person:p-lead")
    sent = begin(room, "dispatch", items=two, **send)
    assert room.entries("move")[-1]["facts"]["together_with"] == ["p-clerk2", "p-lead"]
    do(room, sent, "clerk", "missing", receipt_no="-", signed_by="-")
    do(room, sent, "clerk", "lost", outcome="交换站无此件")
    found = incidents.list_incidents(room.station)["incidents"]
    assert [(one["kind"], one["copy"], one["by"]) for one in found] == [("copy_lost", copy, "p-clerk")]
    row = copies.list_copies(room.station, room.as_("clerk", "copies.list"), document=document)["copies"][0]
    assert (row["status"], row["sent_in"]) == ("lost", None)


@pytest.mark.req("R-104", "R-174", "R-175")
def test_what_is_missing_is_searched_for_and_counts_as_a_leak_when_the_search_ends_in_vain(
    room: Room,
) -> None:
    first, second = (carrier(room, room.document(level=Level.STATE_CONFIDENTIAL)) for _ in "ab")
    move(room, "miss", first, by="both")
    move(room, "miss", second)

    def kinds() -> list[tuple[str, str | None, str | None]]:
        rows = incidents.list_incidents(room.station)["incidents"]
        return sorted((one["kind"], one["document"], one["by"]) for one in rows)

    one, two = first.partition("-Z")[0], second.partition("-Z")[0]
    missing = sorted([("carrier_missing", one, "p-both"), ("carrier_missing", two, "p-clerk")])
    assert kinds() == missing
    move(room, "find", first, words={"reason": "夹在另一文件内"})
    pass_days(room, 1)
    assert kinds() == missing  # the search ends at 24:00 of its last day
    pass_days(room, 1)
    assert kinds() == [*missing, ("leak", two, None)]
    assert kinds() == [*missing, ("leak", two, None)]  # once
    leak = next(row for row in incidents.list_incidents(room.station)["incidents"] if row["kind"] == "leak")
    assert leak["at"][:10] == (date(2026, 11, 2) + timedelta(days=2)).isoformat()
    # it is not hidden by declaring it lost, nor by him who found it missing
    move(room, "lose", second, words={"reason": "查找无果"})
    assert ("carrier_lost", two, "p-clerk") in kinds()
    own = next(
        row["id"] for row in incidents.list_incidents(room.station)["incidents"] if row["document"] == one
    )
    close = (incidents.close_incident, room.station)
    room.refused("own_request", *close, room.as_("both", "incident.close"), incident=own, reason="算了")
    incidents.close_incident(room.station, room.as_("lead", "incident.close"), incident=own, reason="已找回")
