"""Changes of levels, notices of issuers, disputes and unclear matters: two persons, old values kept, everyone told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period
from jiyao.models.tables import Document
from jiyao.pipeline.desk import deadlines, matter_book, matters
from jiyao.pipeline.levels import former, term_events
from jiyao.pipeline.papers import documents
from jiyao.pipeline.persons import circle
from jiyao.pipeline.review import review
from room_kit import Room
from test_custody import approve

TEN, TWENTY = Period("years", number=10), Period("years", number=20)
SECRET = Mark(Level.STATE_SECRET, TWENTY, star=True)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def own(room: Room, level: Level = Level.STATE_SECRET, period: Period = TWENTY, **given: Any) -> str:
    """A confirmed paper whose level this unit determined."""
    document = room.document(
        mark=Mark(level, period, star=True), level=level, period=period, signed=date(2020, 3, 1), **given
    )
    room.change(document, origin="self")
    return document


def others(room: Room, **given: Any) -> str:
    return room.document(
        mark=SECRET, level=Level.STATE_SECRET, period=TWENTY, signed=date(2020, 3, 1), **given
    )


def propose(room: Room, document: str, by: str = "clerk", kind: str = "level_change", **words: str) -> str:
    made = matter_book.open_matter(
        room.station,
        room.as_(by, "matter.open"),
        kind,
        document=document,
        words={"reason": "情况变化", **words},
    )
    return str(made["id"])


def do(room: Room, matter: str, by: str, result: str = "done", **words: str) -> dict[str, Any]:
    return matter_book.do_step(
        room.station, room.as_(by, "matter.do"), matter=matter, result=result, words=words
    )


def wrong(code: str, act: Callable[..., object], *args: Any, **given: Any) -> None:
    """What makes no sense is told before anything is done."""
    with pytest.raises(UsageFault) as caught:
        act(*args, **given)
    assert caught.value.code == code


def stands(room: Room, document: str) -> tuple[str | None, str | None, str | None]:
    row = room.row(document)
    return row.level_code, row.period, row.secrecy_until


def marks(room: Room, document: str) -> tuple[tuple[str, str], list[tuple[str, str]]]:
    with room.station.read() as session:
        now, before = former.marks_of(room.station, session, room.row(document))
    return (now[0].value, str(now[1])), [(level.value, str(period)) for level, period in before]


# ---------------------------------------------------------------- own determinations


@pytest.mark.req("R-039")
def test_the_handler_proposes_and_another_person_decides(room: Room) -> None:
    document = own(room)
    matter = propose(room, document, change="downgrade", level="秘密", period="10年")
    assert stands(room, document) == ("S2", "20年", "2040-03-01")
    room.refused("role_missing", do, room, matter, "lead")
    do(room, matter, "det")
    assert stands(room, document) == ("S1", "10年", "2030-03-01")
    assert marks(room, document) == (("秘密", "10年"), [("机密", "20年")])
    # the paper itself is marked anew
    event = (term_events.record, room.station, room.as_("clerk", "documents.event"))
    asked = lambda: {  # noqa: E731
        one["kind"] for one in deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 11, 6))["items"]
    }  # fmt: skip
    assert "level_mark" in asked()
    event[0](*event[1:], document=document, happening="remarked", on=date(2026, 11, 2), reason="已改标")
    assert "level_mark" not in asked()
    never = own(room)
    room.refused(
        "no_former_mark", *event, document=never, happening="remarked", on=date(2026, 11, 2), reason="已改标"
    )
    shown = review.show_review(room.station, room.as_("clerk", "review"), document=document)
    (change,) = [one for one in shown["history"] if one["what"] == "level" and one["act"] == "set"]
    assert (change["old"], change["person"], change["matter"]) == (
        {"level": "S2", "period": "20年"}, "p-clerk", matter,
    )  # fmt: skip
    assert shown["history"][-2]["person"] == "p-det" or shown["history"][-1]["person"] == "p-det"
    assert shown["confirmed"] and shown["status"] == "registered"
    assert "情况变化" not in str(room.entries("level.change"))


def test_who_proposed_does_not_decide_and_a_refusal_changes_nothing(room: Room) -> None:
    document = own(room)
    matter = propose(room, document, by="det", change="upgrade", level="绝密", period="30年")
    room.refused("same_person_twice", do, room, matter, "det")
    do(room, matter, "det2", result="refused")
    assert stands(room, document) == ("S2", "20年", "2040-03-01")
    again = propose(room, document, change="upgrade", level="绝密", period="30年")
    do(room, again, "det2")
    assert stands(room, document) == ("S3", "30年", "2050-03-01")


def test_a_decision_is_about_what_was_proposed(room: Room) -> None:
    document = own(room)
    matter = propose(room, document, change="downgrade", level="秘密", period="10年")
    room.change(document, period="15年", secrecy_until="2035-03-01")
    room.refused("level_moved", do, room, matter, "det")
    assert stands(room, document)[0] == "S2"


@pytest.mark.req("R-039")
def test_longer_before_its_end_shorter_by_declassifying_and_never_after(room: Room) -> None:
    document = own(room, Level.STATE_CONFIDENTIAL, Period("years", number=7))
    do(room, propose(room, document, change="extend", period="10年"), "det")
    assert stands(room, document) == ("S1", "7年", "2030-03-01")
    assert marks(room, document) == (("秘密", "10年"), [("秘密", "7年")])
    room.refused("extension_too_long", propose, room, document, change="extend", period="20年")
    matter = propose(room, document, change="early_declassify")
    do(room, matter, "det")
    assert stands(room, document) == ("S1", "7年", "2026-11-02")
    assert marks(room, document)[0] == ("秘密", "10年")
    room.refused("extension_too_late", propose, room, document, change="extend", period="30年")
    room.refused("level_change_ended", propose, room, document, change="upgrade", level="机密")
    due = deadlines.due(room.station, room.as_("clerk", "due"))["items"]
    assert ("secrecy_stamp", document) in {(one["kind"], one["document"]) for one in due}
    with room.station.read() as session:
        assert former.declassified_on(room.station, session, room.row(document)) == date(2026, 11, 2)


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        ({"change": "lower", "level": "秘密"}, "level_change_unknown", 2),
        ({"change": "downgrade", "level": "绝密"}, "level_no_change", 2),
        ({"change": "downgrade", "level": "公司秘密"}, "level_other_family", 4),
        ({"change": "downgrade", "level": "秘密"}, "level_period_above", 4),
        ({"change": "correct"}, "level_change_needs", 2),
        ({"change": "correct", "period": "20年"}, "level_no_change", 2),
        ({"change": "change_scope"}, "level_change_needs", 2),
        ({"change": "extend"}, "level_change_needs", 2),
        ({"change": "downgrade", "level": "很密"}, "unknown_level", 2),
    ],
)
def test_changes_that_make_no_sense(tmp_path: Path, words: dict[str, str], code: str, status: int) -> None:
    room = Room(tmp_path)
    if status == 2:
        wrong(code, propose, room, own(room), **words)
    else:
        room.refused(code, propose, room, own(room), **words)


@pytest.mark.req("R-044")
def test_a_paper_does_not_fall_below_what_it_draws_on_nor_below_its_parts(room: Room) -> None:
    source, part, document = others(room), own(room), own(room)
    with room.station.write() as session:
        row = session.get_one(Document, document)
        words = documents.words_of(room.station, session, row)
        documents.keep_words(room.station, session, row, {**words, "sources": [[source, "cited"]]})
    words = {"change": "downgrade", "level": "秘密", "period": "10年"}
    room.refused("source_above", propose, room, document, **words)
    room.refused("source_above", propose, room, document, change="early_declassify")
    notice = propose(
        room, source, by="rev", kind="level_notice", change="early_declassify", organ="乌有县局", notice="函",
        date="2026-11-01",
    )  # fmt: skip
    do(room, notice, "det")
    room.change(part, parent_id=document)
    room.refused("part_above", propose, room, document, **words)
    do(room, propose(room, part, **words), "det")
    do(room, propose(room, document, **words), "det")
    assert stands(room, document)[0] == "S1"


# ---------------------------------------------------------------- of others


@pytest.mark.req("R-039")
def test_another_organs_level_is_never_changed_here_only_suggested(room: Room) -> None:
    document = others(room)
    room.refused(
        "others_determination_kept", propose, room, document, change="downgrade", level="秘密", period="10年"
    )
    matter = propose(room, document, kind="level_suggestion", change="downgrade", level="秘密", period="10年")
    room.refused("same_person_twice", do, room, propose_by_det(room), "det")
    do(room, matter, "det")
    do(room, matter, "clerk", letter_no="样函〔2026〕9号", organ="乌有县局", date="2026-11-02")
    told = do(room, matter, "clerk", result="agreed", answer_no="乌有函〔2026〕3号", date="2026-11-02")
    assert told["state"] == "closed" and stands(room, document)[0] == "S2"


def propose_by_det(room: Room) -> str:
    return propose(room, others(room), by="det", kind="level_suggestion", change="downgrade", level="秘密")


@pytest.mark.req("R-039")
def test_the_issuers_own_notice_is_applied_by_two(room: Room) -> None:
    document = others(room)
    given = {
        "change": "downgrade",
        "level": "秘密",
        "period": "10年",
        "organ": "乌有县局",
        "notice": "乌有函〔2026〕7号",
    }
    room.refused("event_in_future", propose, room, document, kind="level_notice", date="2026-12-01", **given)
    matter = propose(room, document, by="rev", kind="level_notice", date="2026-10-20", **given)
    room.refused("same_person_twice", do, room, matter, "rev")
    do(room, matter, "det")
    assert stands(room, document) == ("S1", "10年", "2030-03-01")
    assert marks(room, document) == (("秘密", "10年"), [("机密", "20年")])


def test_who_made_a_paper_the_units_own_lowers_it_with_nobody(room: Room) -> None:
    document = others(room)
    review.set_values(
        room.station,
        room.as_("clerk", "review"),
        document=document,
        reason="核实",
        fields={"origin": "self"},
    )
    review.accept(room.station, room.as_("clerk", "review.accept"), documents=(document,))
    matter = propose(room, document, change="downgrade", level="秘密", period="10年")
    room.refused("same_person_twice", do, room, matter, "det")
    room.refused(
        "matter_open", propose, room, document, by="rev", change="downgrade", level="秘密", period="10年"
    )
    do(room, matter, "det", result="refused")
    do(room, propose(room, document, by="rev", change="downgrade", level="秘密", period="10年"), "det")
    assert stands(room, document)[0] == "S1"


# ---------------------------------------------------------------- the circle


@pytest.mark.req("R-042")
def test_the_issuers_scope_is_not_widened_here_but_by_its_notice(room: Room) -> None:
    document = others(room)
    review.set_values(
        room.station,
        room.as_("clerk", "review"),
        document=document,
        reason="文件写明",
        fields={"scope_fixed": "处级以上"},
    )
    review.accept(room.station, room.as_("clerk", "review.accept"), documents=(document,))
    lead = room.as_("lead", "circle")
    staff = ("p-lead", "p-det", "p-rev", "p-clerk")
    circle.set_circle(room.station, lead, document=document, persons=staff)
    room.refused(
        "scope_fixed", circle.set_circle, room.station, lead, document=document, persons=(*staff, "p-reader")
    )
    wrong("circle_empty", circle.set_circle, room.station, lead, document=document, persons=())
    room.refused(
        "scope_fixed", review.set_values, room.station, room.as_("clerk", "review"), document=document,
        reason="更正", fields={"scope_fixed": ""},
    )  # fmt: skip
    matter = propose(
        room, document, kind="level_notice", change="change_scope", organ="乌有县局", notice="同意函",
        date="2026-11-01", scope="p-lead、p-det、p-rev、p-clerk、p-reader",
    )  # fmt: skip
    do(room, matter, "rev")
    with room.station.read() as session:
        assert "p-reader" in {one.person_id for one in session.query(circle.CircleMember).all()}


@pytest.mark.req("R-042")
def test_a_wider_circle_needs_the_leader_besides_the_determiner(room: Room) -> None:
    document = own(room)
    circle.set_circle(
        room.station, room.as_("lead", "circle"), document=document, persons=("p-det", "p-clerk", "p-lead")
    )
    wider = "p-det、p-clerk、p-lead、p-reader"
    matter = propose(room, document, change="change_scope", scope=wider)
    room.refused("approval_required", do, room, matter, "det")
    approve(room, "widen_scope", document, "lead", to=("p-reader",))
    do(room, matter, "det")
    told = circle.show(room.station, document=document)["persons"]
    assert set(told) == set(wider.split("、"))
    # who falls out of a narrower circle is told, too
    do(room, propose(room, document, change="change_scope", scope="p-det、p-clerk、p-lead"), "det")
    listed = matter_book.list_matters(room.station, room.as_("clerk", "matter.list"), kind="level_notify")[
        "matters"
    ]
    shown = matter_book.show(room.station, room.as_("clerk", "matter.list"), matter=listed[0]["id"])
    assert "p-reader" in {one["id"] for one in shown["items"]}


# ---------------------------------------------------------------- notices


@pytest.mark.req("R-039")
def test_everyone_in_the_circle_and_every_holder_is_told_and_signs(room: Room) -> None:
    document = own(room)
    copy = room.copy(document, holder="p-reader2")
    circle.set_circle(
        room.station, room.as_("lead", "circle"), document=document, persons=("p-reader", "p-det", "p-clerk")
    )
    do(room, propose(room, document, change="downgrade", level="秘密", period="10年"), "det")
    (listed,) = matter_book.list_matters(room.station, room.as_("clerk", "matter.list"), kind="level_notify")[
        "matters"
    ]
    notice = listed["id"]
    shown = matter_book.show(room.station, room.as_("clerk", "matter.list"), matter=notice)
    items = {one["id"]: one for one in shown["items"]}
    assert set(items) == {"p-reader", "p-reader2", "p-det", "p-clerk"}
    assert items["p-reader2"]["holds"] == [copy] and items["p-reader2"]["recall"] is True
    assert items["p-reader"]["recall"] is False
    # each signs alone; nobody but the desk signs for another
    do(room, notice, "reader", person="p-reader", date="2026-11-02", signed="本人")
    room.refused(
        "role_missing", do, room, notice, "reader", person="p-reader2", date="2026-11-02", signed="代"
    )
    wrong("matter_each", do, room, notice, "clerk", person="p-reader", date="2026-11-02", signed="回执")
    due = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 11, 5))["items"]
    assert "level_notify" in {one["kind"] for one in due}
    for person in ("p-reader2", "p-det", "p-clerk"):
        told = do(room, notice, "clerk", person=person, date="2026-11-02", signed=f"回执 {person}")
    assert told["state"] == "closed"
    assert {(one["state"], one["date"]) for one in told["items"]} == {("done", "2026-11-02")}
    with pytest.raises(Exception, match="matter_closed"):
        do(room, notice, "clerk", person="p-reader")


# ---------------------------------------------------------------- disputes and unclear matters


@pytest.mark.req("R-041")
def test_an_unclear_matter_is_protected_at_once_and_submitted_in_ten_working_days(room: Room) -> None:
    document = room.document(level=Level.INTERNAL)
    matter = propose(room, document, kind="level_unclear", level="机密", period="20年")
    assert room.row(document).interim_code == "S2"
    (item,) = [
        one
        for one in deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 11, 30))["items"]
        if one["kind"] == "level_submit"
    ]
    assert item["due"] == "2026-11-16"
    do(room, matter, "det")
    assert [one["due"] for one in deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 11, 30))["items"]
            if one["kind"] == "level_submit"] == ["2026-11-16"]  # fmt: skip
    do(room, matter, "clerk", letter_no="样函1号", authority="样例市保密局", date="2026-11-02")
    do(
        room,
        matter,
        "clerk",
        decision_no="样保决1号",
        organ="样例市保密局",
        date="2026-11-02",
        level="秘密",
        period="5年",
    )
    room.refused("role_missing", do, room, matter, "clerk2")
    assert room.row(document).interim_code == "S2"
    told = do(room, matter, "rev")
    row = room.row(document)
    assert told["state"] == "closed" and (row.interim_code, row.level_code, row.period) == (None, "S1", "5年")
    assert row.confirmed


@pytest.mark.req("R-041")
def test_a_dispute_is_protected_at_the_highest_claim_until_the_decision(room: Room) -> None:
    document = others(room)
    matter = propose(room, document, kind="level_dispute", claims="绝密、秘密")
    row = room.row(document)
    assert (row.level_code, row.interim_code) == ("S2", "S3")
    room.refused(
        "matter_binding",
        matter_book.cancel,
        room.station,
        room.as_("clerk", "matter.do"),
        matter=matter,
        reason="算了",
    )
    wrong("matter_result", do, room, matter, "clerk", result="refused")
    room.refused("matter_blocks", propose, room, document, kind="level_notice", change="downgrade", level="秘密",
                 period="5年", organ="乌有县局", notice="函", date="2026-11-01")  # fmt: skip
    room.refused("matter_open", propose, room, document, kind="level_unclear", level="绝密")
    review.set_values(
        room.station,
        room.as_("clerk", "review"),
        document=document,
        reason="核实",
        fields={"copies_received": "2"},
    )
    accept = (review.accept, room.station)
    room.refused("matter_blocks", *accept, room.as_("clerk", "review.accept"), documents=(document,))
    room.change(document, status="registered", confirmed=True)
    do(room, matter, "clerk", letter_no="样函2号", organ="乌有县局", date="2026-11-02")
    do(room, matter, "clerk", result="unsettled")
    do(room, matter, "clerk", letter_no="样函3号", authority="样例省保密局", date="2026-11-02")
    do(
        room,
        matter,
        "rev",
        decision_no="样保决2号",
        organ="样例省保密局",
        date="2026-11-02",
        level="绝密",
        period="30年",
    )
    room.refused("same_person_twice", do, room, matter, "rev")
    do(room, matter, "det", result="wrong")
    do(room, matter, "rev", decision_no="样保决2号", organ="样例省保密局", date="2026-11-02", level="机密")
    do(room, matter, "det")
    row = room.row(document)
    assert (row.level_code, row.period, row.interim_code) == ("S2", "20年", None)


def test_a_dispute_raised_by_mistake_is_withdrawn_by_two(room: Room) -> None:
    document = others(room)
    matter = propose(room, document, by="rev", kind="level_dispute", claims="绝密")
    do(room, matter, "clerk", result="withdrawn")
    assert room.row(document).interim_code == "S3"
    do(room, matter, "det")
    assert (room.row(document).level_code, room.row(document).interim_code) == ("S2", None)


@pytest.mark.req("R-041")
def test_of_an_unconfirmed_paper_the_decision_is_accepted_by_another_person(room: Room) -> None:
    document = room.paper(level=None, interim=Level.STATE_SECRET, must_review=True)
    matter = propose(room, document, kind="level_unclear", level="绝密")
    do(room, matter, "det", result="withdrawn")
    do(room, matter, "rev")
    assert room.row(document).interim_code == "S2"
    matter = propose(room, document, kind="level_unclear", level="绝密")
    do(room, matter, "det")
    do(room, matter, "clerk", letter_no="样函1号", authority="样例市保密局", date="2026-11-02")
    do(room, matter, "clerk", decision_no="样保决1号", organ="样例市保密局", date="2026-11-02", level="秘密")
    do(room, matter, "rev")
    row = room.row(document)
    assert (row.level_code, row.period, row.interim_code, row.confirmed) == ("S1", "10年", None, False)
    accept = (review.accept, room.station)
    room.refused("role_missing", *accept, room.as_("clerk2", "review.accept"), documents=(document,))
    review.accept(room.station, room.as_("det2", "review.accept"), documents=(document,))
    assert room.row(document).confirmed


# ---------------------------------------------------------------- at the end of a term


def test_a_work_secret_is_looked_at_when_its_term_ends(room: Room) -> None:
    given = {"level": Level.WORK, "period": Period("years", number=5), "signed": date(2020, 3, 1)}
    kept, lifted = room.document(**given), room.document(**given)
    for document in (kept, lifted):
        room.change(document, origin="self")
    asked = {
        (one["kind"], one["document"])
        for one in deadlines.due(room.station, room.as_("clerk", "due"))["items"]
    }
    assert {("secrecy_review", kept), ("secrecy_review", lifted)} <= asked
    do(room, propose(room, kept, kind="level_review", outcome="keep", period="10年"), "det")
    do(room, propose(room, lifted, kind="level_review", outcome="lift"), "det")
    assert stands(room, kept) == ("W", "10年", "2030-03-01") and stands(room, lifted)[0] == "I"
    left = deadlines.due(room.station, room.as_("clerk", "due"))["items"]
    assert not {one["document"] for one in left if one["kind"] == "secrecy_review"}


def test_nobody_is_asked_again_once_a_term_is_left_to_end(room: Room) -> None:
    document = own(room, Level.STATE_CONFIDENTIAL, Period("until", date="2026年12月31日"))
    due = lambda: {  # noqa: E731
        one["kind"] for one in deadlines.due(room.station, room.as_("clerk", "due"), on=date(2027, 1, 31))["items"]
        if one["document"] == document
    }  # fmt: skip
    assert {"secrecy_ask", "secrecy_end"} <= due()
    room.refused("level_outcome_state", propose, room, document, kind="level_review", outcome="lift")
    do(room, propose(room, document, kind="level_review", outcome="lapse"), "det")
    assert "secrecy_ask" not in due() and "secrecy_end" in due()
    assert matters.OPEN == "open" and documents.level_name("S1") == "秘密"
