"""Filing and handing over: complete, by the right person, nothing out; copies passed on through the room."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flow_kit import reviewed
from jiyao.models.level import Level
from jiyao.models.suggestion import Retention
from jiyao.models.tables import Copy
from jiyao.pipeline.copies import copies
from jiyao.pipeline.desk import custody, deadlines, movements
from jiyao.pipeline.papers import archiving
from jiyao.pipeline.persons import circle
from room_kit import Room
from test_custody import BACK, approve, carrier, move


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def archive(room: Room, document: str, **given: Any) -> dict[str, Any]:
    return archiving.archive(
        room.station,
        room.as_("arch", "archive"),
        document=document,
        place="档案柜3",
        number="WS·2026-10-0001",
        **given,
    )


@pytest.mark.req("R-046", "R-049", "R-051")
def test_the_main_original_is_filed_the_others_are_surplus(room: Room) -> None:
    document = room.document(retention=Retention.THIRTY)
    main, other = carrier(room, document), carrier(room, document, 2)
    due = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 12, 31))["items"]
    assert [one["due"] for one in due if one["kind"] == "archive"] == ["2026-12-02"]
    told = archive(room, document)
    assert told["status"] == "archived"
    states = {one["object"]: one for one in custody.list_carriers(
        room.station, room.as_("clerk", "carriers.list"), document=document)["objects"]}  # fmt: skip
    assert (states[main]["state"], states[main]["place"], states[main]["holder"]) == (
        "archived",
        "档案柜3",
        "p-arch",
    )
    assert states[other]["state"] == "held"
    due = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 12, 31))["items"]
    assert not [one for one in due if one["kind"] == "archive"]
    room.refused("not_confirmed", archive, room, document)


@pytest.mark.req("R-050", "R-052")
def test_nothing_is_filed_while_something_of_it_is_out(room: Room) -> None:
    document = room.document(retention=Retention.TEN)
    one = carrier(room, document)
    move(room, "circulate", one, taker="p-reader")
    room.refused("object_is_out", archive, room, document)
    move(room, "read_back", one, words=BACK)
    room.copy(document)
    room.refused("object_is_out", archive, room, document)
    room.refused("not_for_filing", archive, room, room.document(retention=Retention.NOT_FILED))


@pytest.mark.req("R-085", "R-088")
def test_originals_leave_for_another_organ_by_approval(room: Room) -> None:
    document = room.document(level=Level.COMPANY_CONFIDENTIAL)
    carrier(room, document)
    hand = (archiving.hand_over, room.station, room.as_("clerk", "handover"))
    room.refused("approval_required", *hand, document=document, to="市档案馆", receipt_no="收字1号")
    approve(room, "provide_external", document, "prin")
    room.refused("release_review_missing", *hand, document=document, to="市档案馆", receipt_no="收字1号")
    reviewed(room, document, "provide_external")
    told = hand[0](*hand[1:], document=document, to="市档案馆", receipt_no="收字1号")
    assert told["status"] == "handed_over"
    counts = custody.count(room.station, room.as_("clerk", "carriers.out"))
    assert counts["originals"]["returned"] == 1 and counts["differences"] == []
    room.refused("not_confirmed", *hand, document=document, to="市档案馆", receipt_no="收字2号")


@pytest.mark.req("R-069")
def test_a_copy_is_passed_on_through_the_room(room: Room) -> None:
    document = room.document(level=Level.COMPANY_SECRET)
    circle.set_circle(
        room.station,
        room.as_("lead", "circle"),
        document=document,
        persons=("p-reader", "p-reader2", "p-lead"),
    )
    copy = room.copy(document)
    with room.station.write() as session:
        movements.enter(
            room.station, session, room.as_("clerk", "copies.issue"), session.get_one(Copy, copy), "issue"
        )
    pass_on = (copies.forward_copies, room.station, room.as_("clerk", "copies.keep"))
    room.refused("approval_required", *pass_on, copies=(copy,), to="p-reader2")
    approve(room, "distribute", document, "lead")
    room.refused("not_in_circle", *pass_on, copies=(copy,), to="p-arch")
    told = pass_on[0](*pass_on[1:], copies=(copy,), to="p-reader2")
    assert (told["copies"][0]["holder"], told["copies"][0]["recipient"]) == ("p-reader2", "p-reader")
    trail = custody.trail(room.station, room.as_("reader2", "carriers.list"), object_id=copy)["movements"]
    assert [(row["giver"], row["taker"]) for row in trail] == [(None, "p-reader"), ("p-reader", "p-reader2")]
    room.refused(
        "role_missing", custody.trail, room.station, room.as_("plain", "carriers.list"), object_id=copy
    )
