"""Outbound papers: from the draft to the file, drafts counted back, dispatch signed for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from flow_kit import DRAFT, MARK, begin, do, final, flow, signed
from jiyao.common.errors import Refused, UsageFault
from jiyao.models.tables import Copy, Document
from jiyao.pipeline.desk import deadlines, matter_book
from jiyao.pipeline.papers import documents, outbound
from jiyao.pipeline.persons import people
from room_kit import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


# ---------------------------------------------------------------- outbound


@pytest.mark.req("R-011", "R-037", "R-038", "R-170")
def test_an_outbound_paper_is_drafted_determined_reviewed_signed_issued_and_filed(room: Room) -> None:
    matter = begin(room, "outbound", by="plain", words=DRAFT)
    do(room, matter, "rev", result="back", opinion="期限过长，请改")
    do(room, matter, "plain", **{**DRAFT, "period": "3年"})
    do(room, matter, "rev", opinion="标注合规")
    do(room, matter, "det", period="5年")
    do(room, matter, "rel", opinion="可以印发")
    room.refused("more_than_proposed", do, room, matter, "lead", copies="4")
    # words that another step says of the level count for nothing
    do(room, matter, "lead", copies="2", level="内部", period="无")
    room.refused("final_mark_differs", do, room, matter, "clerk", document=final(room, mark=None))
    room.refused("final_not_own", do, room, matter, "clerk", document=room.paper(mark=MARK))
    document = final(room)
    do(room, matter, "clerk", document=document)
    shown = documents.show_document(room.station, room.as_("clerk", "documents"), document=document)
    assert (shown["status"], shown["level"], shown["secrecy_period"]) == ("registered", "秘密", "5年")
    assert (shown["flow"]["matter"], shown["flow"]["zh"]) == (matter, "编号分发")
    with room.station.write() as session:
        row = session.get_one(Document, document)
        outbound.within(room.station, session, row, 2)
        with pytest.raises(Refused, match="more_than_approved"):
            outbound.within(room.station, session, row, 3)
    room.copy(document)
    with room.station.write() as session, pytest.raises(Refused, match="more_than_approved"):
        outbound.within(room.station, session, session.get_one(Document, document), 2)
    do(room, matter, "clerk")
    room.refused("object_is_out", do, room, matter, "arch", place="柜3")
    with room.station.write() as session:
        session.scalars(select(Copy).where(Copy.document_id == document)).one().status = "returned"
    do(room, matter, "arch", place="柜3", number="WS·2026-30-0001")
    assert (room.row(document).status, flow(room, document)["zh"]) == ("archived", "办结")


@pytest.mark.req("R-037")
def test_a_drafter_neither_determines_nor_signs_his_own_paper_and_marks_it_properly(room: Room) -> None:
    for changed, code in (
        ({"level": "很密"}, "unknown_level"), ({"period": "随便"}, "bad_period"), ({"copies": "许多"}, "bad_value"),
        ({"may_copy": "maybe"}, "bad_value"), ({"basis": " "}, "matter_needs"),
    ):  # fmt: skip
        with pytest.raises(UsageFault, match=code):
            begin(room, "outbound", by="plain", words={**DRAFT, **changed})
    room.refused(
        "draft_period_too_long", begin, room, "outbound", by="plain", words={**DRAFT, "period": "11年"}
    )
    matter = begin(room, "outbound", by="plain", words=DRAFT)
    room.refused("role_missing", do, room, matter, "plain", opinion="自审")
    room.refused(
        "matter_not_known", matter_book.show, room.station, room.as_("supnone", "matter.list"), matter=matter
    )


@pytest.mark.req("R-172")
def test_what_bears_the_committees_name_is_signed_by_its_head(room: Room) -> None:
    security = room.as_("secadmin", "account.grant")
    people.grant(room.station, security, user="sup3", roles=("committee_reviewer",), clearance="core")
    matter = begin(room, "outbound_committee", by="plain", words=DRAFT)
    room.refused("role_missing", do, room, matter, "rev", opinion="不是委员会审核人")
    do(room, matter, "sup3", opinion="符合会议议定内容")
    do(room, matter, "det")
    do(room, matter, "rel", opinion="可以印发")
    room.refused("role_missing", do, room, matter, "lead", copies="1")
    do(room, matter, "prin", copies="1")
    room.refused("final_not_own", do, room, matter, "clerk", document=room.paper(mark=MARK))
    document = final(room)
    do(room, matter, "clerk", document=document)
    assert flow(room, document)["kind"] == "outbound_committee"


@pytest.mark.req("R-043")
def test_drafts_are_counted_back_at_the_level_of_the_paper_they_become(room: Room) -> None:
    matter = signed(room)
    given = {"holder": "p-reader", "pages": "7"}
    room.refused(
        "clearance_too_low", begin, room, "draft_copy", words={**given, "holder": "p-supnone"},
        items=(f"matter:{matter}",),
    )  # fmt: skip
    with pytest.raises(UsageFault, match="matter_item"):
        begin(room, "draft_copy", words=given)
    draft = begin(room, "draft_copy", words=given, items=(f"matter:{matter}",))
    due = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 12, 31))["items"]
    assert [one["holder"] for one in due if one["id"] == draft] == ["p-reader"]
    document = final(room)
    do(room, matter, "clerk", document=document)
    do(room, matter, "clerk")
    room.refused("drafts_open", do, room, matter, "arch", place="柜3")
    room.refused("draft_pages_differ", do, room, draft, "clerk", pages="6")
    do(room, draft, "clerk", pages="7")
    do(room, draft, "clerk", result="destroy")
    do(room, draft, "sup1")
    room.refused("same_person_twice", do, room, draft, "sup1")
    room.refused("drafts_open", do, room, matter, "arch", place="柜3")
    do(room, draft, "sup2")
    do(room, matter, "arch", place="柜3")


@pytest.mark.req("R-003", "R-012", "R-013")
def test_dispatch_goes_by_confidential_channel_within_the_number_and_is_signed_for(room: Room) -> None:
    matter = signed(room)
    document = final(room)
    do(room, matter, "clerk", document=document)
    words = {"organ": "市局", "channel": "机要交换站", "envelope": "机字001", "copies": "2"}
    post = {**words, "channel": "平信"}
    room.refused("channel_refused", begin, room, "dispatch", document=document, words=post)
    room.refused(
        "more_than_approved", begin, room, "dispatch", document=document, words={**words, "copies": "3"}
    )
    sent = begin(room, "dispatch", document=document, words=words)
    room.refused(
        "more_than_approved", begin, room, "dispatch", document=document, words={**words, "copies": "1"}
    )
    do(room, matter, "clerk")
    room.refused("handling_open", do, room, matter, "arch", place="柜3")
    done = do(room, sent, "clerk", receipt_no="回字1号", signed_by="市局收发员")
    assert done["words"] == {**words, "receipt_no": "回字1号", "signed_by": "市局收发员"}
    assert (done["document"], done["opened_at"][:10], done["closed_at"][:10]) == (
        document, "2026-11-02", "2026-11-02",
    )  # fmt: skip
    kept = matter_book.show(room.station, room.as_("clerk", "matter.list"), matter=matter)["words"]
    assert (kept["recipients"], kept["signer"]) == ("市局 2份（机要交换站 机字001）", "p-lead")
    assert kept["receipts"] == "市局 市局收发员 回字1号"
    do(room, matter, "arch", place="柜3")
