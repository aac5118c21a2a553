"""What two persons carry: top-secret papers and the classified papers of meetings, in transit and when handed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow_kit import begin
from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.pipeline.desk import matter_book
from jiyao.pipeline.persons import approvals
from room_kit import Room
from test_custody import approve, carrier, move, state
from test_rounds_out import clear, pack, run


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def told_of_meeting(room: Room, document: str) -> None:
    matter_book.open_matter(
        room.station, room.as_("clerk", "matter.open"), "meeting_papers", document=document,
        words={"meeting": "样例工作会议"},
    )  # fmt: skip


@pytest.mark.req("R-014")
def test_classified_meeting_papers_travel_with_two_and_are_handed_over_by_two(room: Room) -> None:
    said = room.document("关于样例事项的报告", level=Level.STATE_CONFIDENTIAL)
    titled = room.document("样例工作会议材料之一", level=Level.STATE_CONFIDENTIAL)
    plain = room.document("关于样例事项的通知", level=Level.STATE_CONFIDENTIAL)
    unmarked = room.document("样例工作会议材料之二")
    told_of_meeting(room, said)
    by_matter, by_title, alone, open_ = (carrier(room, one) for one in (said, titled, plain, unmarked))
    for one in (by_matter, by_title):
        room.refused("movement_persons", pack, room, one, escorts=("p-reader",), purpose="come_back")
    for one in (alone, open_):
        pack(room, one, escorts=("p-reader",), purpose="come_back")
    matter = pack(room, by_matter, escorts=("p-reader", "p-reader2"), purpose="come_back")["run"]
    run(room, "take", by="reader", run=matter)
    room.refused("matter_step", run, room, "depart", run=matter)  # the second escort has not signed for it
    run(room, "take", by="reader2", run=matter)
    run(room, "depart", run=matter)
    run(room, "arrive", run=matter, receipt_no="无", brought_back=True)
    # carried out by one: refused, whatever was approved
    approve(room, "carry_out", titled, "lead")
    words = {"case": "箱1", "destination": "样例会场"}
    room.refused("movement_persons", move, room, "carry_out", by_title, taker="p-reader", words=words)
    move(room, "carry_out", by_title, taker="p-reader", together_with=("p-reader2",), words=words)
    assert state(room, by_title) == ("carried", "p-reader")
    # back to its issuer: whoever takes it there takes somebody with him
    cleared = clear(room, "start", organ="乌有县局", objects=(by_matter,))["list"]
    for user in ("clerk", "arch"):
        clear(room, "count", by=user, matter=cleared, counted=1)
    hand = {"matter": cleared, "receipt_no": "收字1号"}
    room.refused("movement_persons", clear, room, "hand_over", **hand)
    room.refused("movement_persons", clear, room, "hand_over", carried_by=("p-clerk",), **hand)
    clear(room, "hand_over", carried_by=("p-clerk2",), **hand)
    assert state(room, by_matter) == ("returned", None)
    assert room.entries("move")[-1]["facts"]["together_with"] == ["p-clerk2"]


@pytest.mark.req("R-162")
@pytest.mark.parametrize("level", [Level.STATE_CONFIDENTIAL, Level.INTERNAL])
def test_meeting_papers_are_copied_by_approval_only_within_the_number(room: Room, level: Level) -> None:
    document = room.document("样例工作会议文件", level=level)
    told_of_meeting(room, document)
    made = begin(
        room, "reproduction", by="reader", document=document, words={"asked": "2", "purpose": "分组讨论"}
    )
    step = {"matter": made, "words": {"copies": "2", "consent": "来电同意"}}
    desk = (matter_book.do_step, room.station)
    room.refused("role_missing", *desk, room.as_("reader", "matter.do"), **step)
    room.refused("approval_required", *desk, room.as_("clerk", "matter.do"), **step)
    approver = "lead" if level is Level.STATE_CONFIDENTIAL else "dir"
    asked = approvals.request(
        room.station, room.as_("clerk", "approval.request"), act="copy", documents=(document,), copies=2
    )
    room.refused("approval_required", *desk, room.as_("clerk", "matter.do"), **step)
    approvals.give(room.station, room.as_(approver, "approval.give"), approval=asked["id"])
    told = matter_book.do_step(room.station, room.as_("clerk", "matter.do"), **step)
    assert told["state"] == "closed" and len(told["words"]["carriers"]) == 2
    again = begin(
        room, "reproduction", by="reader", document=document, words={"asked": "1", "purpose": "又要"}
    )
    more = {"matter": again, "words": {"copies": "1", "consent": "来电同意"}}
    room.refused("more_than_approved", *desk, room.as_("clerk", "matter.do"), **more)
    with pytest.raises(UsageFault, match="matter_needs"):
        matter_book.open_matter(
            room.station,
            room.as_("clerk", "matter.open"),
            "meeting_papers",
            document=room.document(),
            words={},
        )
