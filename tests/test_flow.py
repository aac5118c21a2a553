"""The flow of papers: inbound, outbound from draft to file, urging, review before release, excerpts, compilations."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.common.errors import Refused, UsageFault
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period
from jiyao.models.tables import Copy, Document, Receipt
from jiyao.pipeline import (
    approvals,
    archiving,
    circle,
    compiling,
    custody,
    deadlines,
    documents,
    leaving,
    matter_book,
    outbound,
    register_entry,
    review,
    urging,
)
from room import Room as Day
from room_kit import BATCH, Room
from test_custody import BACK, approve, carrier, move


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def begin(room: Room, kind: str, by: str = "clerk", **given: Any) -> str:
    words, items = given.pop("words", {}), given.pop("items", ())
    value = matter_book.open_matter(
        room.station, room.as_(by, "matter.open"), kind, items=items, words=words, **given
    )
    return str(value["id"])


def do(room: Room, matter: str, by: str, result: str = "done", **words: str) -> dict[str, Any]:
    return matter_book.do_step(
        room.station, room.as_(by, "matter.do"), matter=matter, result=result, words=words
    )


def flow(room: Room, document: str) -> dict[str, Any]:
    value = documents.show_document(room.station, room.as_("clerk", "documents"), document=document)
    return dict(value["flow"])


def inbound(room: Room, document: str) -> str:
    """A paper that was proposed on and instructed; it waits to be distributed."""
    matter = begin(room, "inbound", document=document, words={"scope": "局领导、办公室"})
    do(room, matter, "dir", opinion="拟请分管领导阅示，由业务科承办。")
    do(room, matter, "lead", instruction="同意，请按期办结。")
    return matter


# ---------------------------------------------------------------- inbound


@pytest.mark.req("R-008", "R-009", "R-010")
def test_an_inbound_paper_goes_step_by_step_and_shows_where_it_is(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET, urgency="加急")
    matter = begin(room, "inbound", document=document, words={"scope": "局领导"})
    assert (flow(room, document)["step"], flow(room, document)["zh"]) == ("propose", "拟办")
    words = matter_book.show(room.station, room.as_("clerk", "matter.list"), matter=matter)["words"]
    assert words == {"scope": "局领导", "read_by": "2026-11-04"}
    room.refused("role_missing", do, room, matter, "clerk", opinion="不是我的步骤")
    do(room, matter, "dir", opinion="拟请分管领导阅示。")
    do(room, matter, "lead", result="again", instruction="请主要负责人阅示。")
    do(room, matter, "prin", instruction="由业务科承办。")
    do(room, matter, "clerk", result="handle", handler="p-plain")
    now = flow(room, document)
    assert (now["zh"], now["persons"], now["due"]) == ("承办", ["p-plain"], "2026-11-04")
    room.refused("matter_step_of_other", do, room, matter, "reader", outcome="代他人办结")
    do(room, matter, "dir", result="transfer", outcome="承办人出差")
    do(room, matter, "clerk", result="handle", handler="p-reader")
    room.refused("matter_step_of_other", do, room, matter, "plain", outcome="已不由我承办")
    do(room, matter, "reader", outcome="已函复来文单位。")
    room.refused("handling_open", archiving.archive, room.station, room.as_("arch", "archive"),
                 document=document, place="柜1")  # fmt: skip
    do(room, matter, "clerk")
    assert (flow(room, document)["step"], flow(room, document)["zh"]) == ("done", "办结")
    due = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 12, 31))["items"]
    assert [one["due"] for one in due if one["kind"] == "archive"] == ["2026-12-02"]


@pytest.mark.req("R-008", "R-063")
def test_nobody_handles_what_he_is_not_cleared_for_and_nothing_ends_while_it_is_out(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    one = carrier(room, document)
    matter = inbound(room, document)
    room.refused("clearance_too_low", do, room, matter, "clerk", result="handle", handler="p-supnone")
    circle.set_circle(room.station, room.as_("dir", "circle"), document=document, persons=("p-reader",))
    room.refused("not_in_circle", do, room, matter, "clerk", result="handle", handler="p-plain")
    with pytest.raises(UsageFault, match="matter_needs"):
        do(room, matter, "clerk", result="both")
    do(room, matter, "clerk", result="read")
    move(room, "circulate", one, taker="p-reader")
    room.refused("object_is_out", do, room, matter, "clerk")
    move(room, "read_back", one, words=BACK)
    do(room, matter, "clerk")
    do(room, matter, "clerk", outcome="阅毕")
    assert flow(room, document)["zh"] == "办结"


@pytest.mark.req("R-015")
def test_papers_brought_back_from_a_meeting_are_handed_in(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    matter = begin(
        room, "brought_back", document=document, words={"brought_by": "p-reader", "meeting": "样例会议"}
    )
    due = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 11, 30))["items"]
    assert [(one["holder"], one["due"]) for one in due if one["id"] == matter] == [("p-reader", "2026-11-07")]
    do(room, matter, "clerk2", pages="12")


# ---------------------------------------------------------------- urging


@pytest.mark.req("R-070")
def test_urging_counts_escalates_and_is_answered(room: Room) -> None:
    document = room.document(level=Level.INTERNAL)
    matter = inbound(room, document)
    do(room, matter, "clerk", result="handle", handler="p-plain")
    clerk = room.as_("clerk", "urge")
    answer = (urging.answer, room.station, room.as_("plain", "urge.answer"))
    room.refused("never_urged", *answer, ids=(matter,), text="在办")
    (first,) = urging.urge(room.station, clerk, ids=(matter,))["urged"]
    assert (first["reminders"], first["holder"]) == (1, "p-plain")
    assert first["told"] == [{"role": "holder", "persons": ["p-plain"]}]
    room.clock.forward(days=6)
    late = urging.overdue(room.station, clerk)["groups"]
    assert [(one["who"], one["count"], one["items"][0]["urge_now"]) for one in late] == [("p-plain", 1, True)]
    assert urging.overdue(room.station, clerk, by="department")["groups"][0]["who"] == "—"
    (second,) = urging.urge(room.station, clerk, ids=(document,), reason="逾期未办")["urged"]
    assert [one["role"] for one in second["told"]] == ["holder", "office_director"]
    assert "p-dir" in second["told"][1]["persons"]
    room.clock.forward(days=4)
    (third,) = urging.urge(room.station, clerk, ids=(matter,))["urged"]
    assert [one["role"] for one in third["told"]] == ["holder", "office_director", "leader_in_charge"]
    urging.answer(*answer[1:], ids=(matter,), text="材料已齐，明日报送")
    room.refused(
        "not_yours_to_answer", urging.answer, room.station, room.as_("reader", "urge.answer"), ids=(matter,),
        text="不是我",
    )  # fmt: skip
    room.refused("nothing_runs", urging.urge, room.station, clerk, ids=("M2026-99999",), exit_code=3)
    entries = [one for one in room.entries("urge") if one["result"] == "done"]
    assert [one["facts"]["reminders"] for one in entries] == [1, 2, 3]
    assert "逾期" not in json.dumps(entries, ensure_ascii=False)
    history = review.show_review(room.station, room.as_("clerk", "review"), document=document)["history"]
    assert [one["act"] for one in history if one["what"] == "urging"] == ["urge", "urge", "urge", "answer"]


# ---------------------------------------------------------------- the slip


@pytest.mark.req("R-009", "R-010", "R-070")
def test_the_handling_slip_shows_what_was_signed(room: Room, tmp_path: Path) -> None:
    from jiyao.pipeline import handling_slip

    document = room.document("关于样例工作安排的通知", level=Level.STATE_SECRET)
    one = carrier(room, document)
    persons = ("p-reader", "p-plain", "p-dir", "p-lead")
    circle.set_circle(room.station, room.as_("dir", "circle"), document=document, persons=persons)
    matter = inbound(room, document)
    move(room, "circulate", one, taker="p-reader")
    move(room, "read_back", one, words=BACK)
    do(room, matter, "clerk", result="handle", handler="p-plain")
    urging.urge(room.station, room.as_("clerk", "urge"), ids=(matter,), reason="领导催问")
    urging.answer(room.station, room.as_("plain", "urge.answer"), ids=(matter,), text="正在办理")
    out = tmp_path / "签.pdf"
    told = handling_slip.write_slip(
        room.station, room.as_("clerk", "documents.slip"), document=document, out=out
    )
    assert told["words"] and told["step"] == "承办"
    text = text_of(out)
    for wanted in (
        document, "关于样例工作安排的通知", "拟请分管领导阅示", "同意，请按期办结", "人员lead", "局领导、办公室",
        "人员reader", "11-02", "第1次催办", "领导催问", "正在办理", "台账检查点", "机密", "承办时限",
    ):  # fmt: skip
        assert wanted in text, wanted
    shown = documents.show_document(room.station, room.as_("clerk", "documents"), document=document)
    assert [one["kind"] for one in shown["cleartext_history"]] == ["inbox", "sheet"]
    room.refused(
        "file_exists", handling_slip.write_slip, room.station, room.as_("clerk", "documents.slip"),
        document=document, out=out,
    )  # fmt: skip


def text_of(path: Path) -> str:
    import pypdf

    pages = pypdf.PdfReader(path).pages
    return "".join("".join(page.extract_text().replace("\0", "").split()) for page in pages)


# ---------------------------------------------------------------- outbound

DRAFT = {
    "title": "关于样例事项的请示", "level": "秘密", "period": "5年", "basis": "样例保密事项范围第1条",
    "scope": "市局、县局", "copies": "3", "may_copy": "no",
}  # fmt: skip
MARK = Mark(Level.STATE_CONFIDENTIAL, Period("years", number=5), star=True)


def signed(room: Room, **changed: str) -> str:
    """An outbound paper that was signed off and waits for its final version."""
    matter = begin(room, "outbound", by="plain", words={**DRAFT, **changed})
    do(room, matter, "rev", opinion="标注合规")
    do(room, matter, "det")
    do(room, matter, "rel", opinion="可以印发")
    do(room, matter, "lead", copies="2")
    return matter


def final(room: Room, *, mark: Mark | None = MARK) -> str:
    """The final paper as ingest takes it in; it waits to be confirmed."""
    level = mark.level if mark else Level.INTERNAL
    document = room.paper(DRAFT["title"], level=level, mark=mark)
    room.change(document, origin="self")
    return document


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
    rule = room.station.policy.desk.matters["outbound_committee"]
    sign, look = rule.step("sign"), rule.step("review")
    assert sign is not None and look is not None
    assert (sign.by, look.by) == (("principal",), ("committee_reviewer",))
    matter = begin(room, "outbound_committee", by="plain", words=DRAFT)
    room.refused("role_missing", do, room, matter, "rev", opinion="不是委员会审核人")


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
    do(room, sent, "clerk", receipt_no="回字1号", signed_by="市局收发员")
    do(room, matter, "arch", place="柜3")


# ---------------------------------------------------------------- what leaves


def reviewed(room: Room, document: str, way: str) -> str:
    matter = begin(
        room, "release_review", document=document, words={"way": way, "to": "某单位", "purpose": "工作需要"}
    )
    do(room, matter, "rel", opinion="不含不宜提供的内容")
    return matter


@pytest.mark.req("R-078", "R-170")
def test_another_organs_paper_is_relayed_with_its_consent_and_a_review(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    words = {"organ": "县局", "channel": "机要交通", "envelope": "机字2", "copies": "1"}
    send = (begin, room, "dispatch")
    room.refused("approval_required", *send, document=document, words=words)
    approve(room, "relay", document, "dir")
    room.refused("release_review_missing", *send, document=document, words=words)
    reviewed(room, document, "publish")
    room.refused("release_review_missing", *send, document=document, words=words)
    reviewed(room, document, "relay")
    begin(room, "dispatch", document=document, words=words)


@pytest.mark.req("R-085", "R-170", "R-171")
def test_providing_outside_takes_approval_review_agreement_and_no_electronic_way(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    clerk = room.as_("clerk", "documents.release")
    given: dict[str, Any] = {"document": document, "way": "provide_external", "to": "合作单位"}
    room.refused("no_electronic_way", leaving.release, room.station, clerk, form="electronic", **given)
    room.refused("approval_required", leaving.release, room.station, clerk, form="paper", **given)
    approve(room, "provide_external", document, "prin")
    room.refused("release_review_missing", leaving.release, room.station, clerk, form="paper", **given)
    reviewed(room, document, "provide_external")
    with pytest.raises(UsageFault, match="agreement_needed"):
        leaving.release(room.station, clerk, form="paper", **given)
    told = leaving.release(room.station, clerk, form="paper", agreement="协字1号", **given)["release"]
    assert (told["form"], told["to"], told["agreement"]) == ("paper", "合作单位", "协字1号")
    assert [one["facts"]["form"] for one in room.entries("documents.release") if one["result"] == "done"] == [
        "paper"
    ]


@pytest.mark.req("R-170")
def test_a_review_is_void_once_the_level_has_changed_or_it_is_old(room: Room) -> None:
    document = room.document(level=Level.COMPANY_CONFIDENTIAL)
    with room.station.write() as session:
        row = session.get_one(Document, document)
        assert leaving.require_review(room.station, session, row, "export") is None
    reviewed(room, document, "relay")
    with room.station.write() as session:
        row = session.get_one(Document, document)
        assert leaving.require_review(room.station, session, row, "relay")
    room.change(document, level_code=Level.COMPANY_SECRET.code)
    with room.station.write() as session, pytest.raises(Refused, match="release_review_missing"):
        leaving.require_review(room.station, session, session.get_one(Document, document), "relay")
    room.change(document, level_code=Level.COMPANY_CONFIDENTIAL.code)
    room.clock.forward(days=40)
    with room.station.write() as session, pytest.raises(Refused, match="release_review_missing"):
        leaving.require_review(room.station, session, session.get_one(Document, document), "relay")


# ---------------------------------------------------------------- excerpts and compilations


def compiled(room: Room, *sources: str, **given: Any) -> dict[str, Any]:
    clerk = room.as_("clerk", "documents.compile")
    return compiling.compile_documents(room.station, clerk, sources=sources, title="样例材料汇编", **given)


def approve_all(room: Room, act: str, documents_: tuple[str, ...], *by: str) -> None:
    asked = approvals.request(
        room.station, room.as_("clerk", "approval.request"), act=act, documents=documents_
    )
    for user in by:
        approvals.give(room.station, room.as_(user, "approval.give"), approval=asked["id"])


@pytest.mark.req("R-044", "R-077", "R-080", "R-081")
def test_a_compilation_takes_the_highest_level_and_the_longest_period_and_keeps_its_sources(
    room: Room,
) -> None:
    low = room.document(
        level=Level.STATE_CONFIDENTIAL, period=Period("years", number=10), signed=date(2026, 1, 5)
    )
    high = room.document(level=Level.STATE_SECRET, period=Period("years", number=5), signed=date(2026, 1, 5))
    plain = room.document()
    room.refused("approval_required", compiled, room, low, high)
    approve_all(room, "compile", (low, high, plain), "lead")
    with pytest.raises(UsageFault, match="compile_sources"):
        compiled(room, low, low)
    made = compiled(room, low, high, plain)
    assert (made["status"], made["level"], made["level_basis"]) == ("pending", "机密", "derivative")
    assert (made["secrecy_period"], made["secrecy_until"]) == ("至2036年1月4日", "2036-01-05")
    assert [(one["document"], one["how"], one["above"]) for one in made["sources"]] == [
        (low, "compiled", False), (high, "compiled", False), (plain, "compiled", False),
    ]  # fmt: skip
    assert [one["state"] for one in made["carriers"]] == ["held"]
    room.refused("not_confirmed", compiled, room, made["id"], low)


@pytest.mark.req("R-044", "R-079", "R-080")
def test_excerpts_of_company_secrets_ask_the_head_and_stay_in_the_circle(room: Room) -> None:
    one = room.document(level=Level.COMPANY_SECRET)
    other = room.document(level=Level.COMPANY_SECRET)
    for document, persons in ((one, ("p-clerk", "p-reader")), (other, ("p-clerk", "p-reader", "p-reader2"))):
        circle.set_circle(room.station, room.as_("dir", "circle"), document=document, persons=persons)
    asked = approvals.request(
        room.station, room.as_("dir", "approval.request"), act="excerpt", documents=(one, other)
    )
    assert asked["needed"] == ["principal"]


@pytest.mark.req("R-044")
def test_the_scan_of_a_compilation_keeps_its_sources_and_their_protection(room: Room) -> None:
    given: dict[str, Any] = {"period": Period("years", number=5), "signed": date(2026, 1, 5)}
    sources = tuple(room.document(level=Level.STATE_SECRET, **given) for _ in "ab")
    approve_all(room, "compile", sources, "lead")
    made = compiled(room, *sources)
    paper = room.reading("样例材料汇编", level=Level.INTERNAL)
    with room.station.write() as session:
        row = session.get_one(Document, made["id"])
        again = register_entry.enter(
            room.station, session, room.as_("clerk", "ingest"), paper,
            receipt=session.get_one(Receipt, row.receipt_id), batch=BATCH,
        )  # fmt: skip
        assert again.id == made["id"]
    shown = documents.show_document(room.station, room.as_("clerk", "documents"), document=made["id"])
    assert (shown["level"], shown["interim_level"], shown["must_review"]) == ("内部", "机密", True)
    assert [(one["document"], one["above"]) for one in shown["sources"]] == [(one, True) for one in sources]


@pytest.mark.req("R-044", "R-080")
def test_what_is_not_to_be_copied_is_neither_excerpted_nor_photocopied(room: Room) -> None:
    matter = signed(room)
    document = final(room)
    do(room, matter, "clerk", document=document)
    room.refused("not_to_be_copied", compiled, room, document, kind="excerpt")
    asked = begin(room, "reproduction", document=document, words={"asked": "2", "purpose": "会议用"})
    approve(room, "copy", document, "lead")
    room.refused("not_to_be_copied", do, room, asked, "clerk", copies="2")


@pytest.mark.req("R-077", "R-078", "R-162")
def test_photocopies_are_made_by_the_room_within_the_number_and_counted(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    carrier(room, document)
    asked = begin(
        room, "reproduction", by="reader", document=document, words={"asked": "2", "purpose": "会议用"}
    )
    room.refused("role_missing", do, room, asked, "reader", copies="2")
    room.refused("approval_required", do, room, asked, "clerk", copies="2")
    request = approvals.request(
        room.station, room.as_("clerk2", "approval.request"), act="copy", documents=(document,), copies=3
    )
    approvals.give(room.station, room.as_("lead", "approval.give"), approval=request["id"])
    with pytest.raises(UsageFault, match="matter_needs"):
        do(room, asked, "clerk", copies="2")
    room.refused("more_than_proposed", do, room, asked, "clerk", copies="3", consent="样函〔2026〕1号")
    do(room, asked, "clerk", copies="2", consent="样函〔2026〕1号")
    shown = documents.show_document(room.station, room.as_("clerk", "documents"), document=document)
    assert [(one["id"][-2:], one["state"]) for one in shown["carriers"]] == [
        ("Z1", "held"), ("Z2", "held"), ("Z3", "held"),
    ]  # fmt: skip
    counts = custody.count(room.station, room.as_("clerk", "carriers.out"))
    assert counts["originals"]["entered"] == 3 and counts["differences"] == []
    more = begin(room, "reproduction", document=document, words={"asked": "2", "purpose": "会议用"})
    room.refused("more_than_approved", do, room, more, "clerk", copies="2", consent="样函〔2026〕1号")


@pytest.mark.req("R-170", "R-171")
def test_nothing_is_published_within_its_period_or_without_review_and_approval(room: Room) -> None:
    clerk = room.as_("clerk", "documents.release")
    given: dict[str, Any] = {"way": "publish", "to": "门户网站", "form": "electronic"}
    secret = room.document(level=Level.STATE_CONFIDENTIAL, period=Period("years", number=10),
                           signed=date(2026, 1, 5))  # fmt: skip
    room.refused("within_secrecy_period", leaving.release, room.station, clerk, document=secret, **given)
    plain = room.document()
    room.refused("approval_required", leaving.release, room.station, clerk, document=plain, **given)
    approve(room, "publish", plain, "rel", "lead")
    room.refused("release_review_missing", leaving.release, room.station, clerk, document=plain, **given)
    reviewed(room, plain, "publish")
    told = leaving.release(room.station, clerk, document=plain, **given)["release"]
    assert told["review"] and told["approval"]


# ---------------------------------------------------------------- at the command line


@pytest.mark.req("R-009", "R-044", "R-070")
def test_the_commands_of_the_flow(day: Day, tmp_path: Path) -> None:
    document = day.marked
    day.confirm(document)
    matter = day.ok("matter", "open", "inbound", "--document", document, "--word", "scope=院领导")["id"]
    assert day.show(document)["flow"]["zh"] == "拟办"
    told = day.ok("urge", matter, "--reason", "请速办")["urged"]
    assert [one["role"] for one in told[0]["told"]] == ["office_director"]
    assert day.ok("urge", "--by", "department")["groups"] == []
    assert day.run("urge", matter, as_json=False).exit == 0
    day.ok("urge", matter, "--answer", "今日拟办", user="director")
    out = tmp_path / "slip.pdf"
    assert day.ok("documents", "slip", document, "--out", str(out))["step"] == "拟办"
    assert out.read_bytes().startswith(b"%PDF")
    words = ("documents", "compile", "--excerpt", "--from", document, "--title", "样例摘录")
    day.refused(*words, code="approval_required")
    day.approve("excerpt", document)
    made = day.ok(*words)
    assert made["sources"][0]["how"] == "excerpted" and made["status"] == "pending"
    day.refused("documents", "release", document, "--way", "relay", "--to", "某局", "--form", "paper",
                code="approval_required")  # fmt: skip
