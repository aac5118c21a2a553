"""The flow of inbound papers: step by step, urged, on the handling slip; its commands."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from flow_kit import begin, do, flow, inbound
from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.pipeline.desk import deadlines, matter_book, urging
from jiyao.pipeline.papers import archiving, documents
from jiyao.pipeline.persons import circle, people
from jiyao.pipeline.review import review
from jiyao.pipeline.rounds import circulation_list
from room import Room as Day
from room_kit import Room
from test_custody import BACK, carrier, move


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


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


@pytest.mark.req("R-008", "R-063")
def test_what_is_handled_and_read_at_once_has_its_circulation_list(room: Room) -> None:
    document = room.document(level=Level.INTERNAL)
    one = carrier(room, document)
    matter = inbound(room, document)
    with pytest.raises(UsageFault, match="matter_needs"):
        do(room, matter, "clerk", result="both", handler="p-plain")
    done = do(room, matter, "clerk", result="both", handler="p-plain", readers="p-reader、人员reader2")
    listed = done["words"]["circulation"]
    shown = circulation_list.show(room.station, room.as_("clerk", "circulate.show"), matter=listed)
    assert (shown["object"], [reader["person"] for reader in shown["readers"]]) == (
        one,
        ["p-reader", "p-reader2"],
    )
    do(room, matter, "plain", outcome="已办")
    room.refused("handling_open", do, room, matter, "clerk")
    other = room.document(level=Level.STATE_CONFIDENTIAL)
    carrier(room, other)
    matter = inbound(room, other)
    persons = ("p-plain", "p-reader", "p-lead")
    circle.set_circle(room.station, room.as_("dir", "circle"), document=other, persons=persons)
    listed = do(room, matter, "clerk", result="both", handler="p-plain")["words"]["circulation"]
    shown = circulation_list.show(room.station, room.as_("clerk", "circulate.show"), matter=listed)
    assert [reader["person"] for reader in shown["readers"]] == ["p-lead", "p-reader"]


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


@pytest.mark.slow
@pytest.mark.req("R-009", "R-010", "R-070")
def test_the_handling_slip_shows_what_was_signed(room: Room, tmp_path: Path) -> None:
    from jiyao.pipeline.papers import handling_slip

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
    security = room.as_("secadmin", "account.grant")
    people.grant(room.station, security, user="scan", roles=("scan_operator",), clearance="none")
    bare = tmp_path / "无权.pdf"
    told = handling_slip.write_slip(
        room.station, room.as_("scan", "documents.slip"), document=document, out=bare
    )
    text = text_of(bare)
    assert not told["words"] and document in text and "（按密级不显示）" in text
    assert not [word for word in ("样例工作", "拟请", "同意", "领导催问", "局领导", "乌有") if word in text]
    room.refused(
        "file_exists", handling_slip.write_slip, room.station, room.as_("clerk", "documents.slip"),
        document=document, out=out,
    )  # fmt: skip


def text_of(path: Path) -> str:
    import pypdf

    pages = pypdf.PdfReader(path).pages
    return "".join("".join(page.extract_text().replace("\0", "").split()) for page in pages)


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
