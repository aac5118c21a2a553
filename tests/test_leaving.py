"""What leaves or is made of other papers: reviewed, approved, linked to its sources, counted."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flow_kit import begin, do, final, reviewed, signed
from jiyao.common.errors import Refused, UsageFault
from jiyao.models.level import Level
from jiyao.models.period import Period
from jiyao.models.tables import Document, Receipt
from jiyao.pipeline.desk import custody
from jiyao.pipeline.intake import register_entry
from jiyao.pipeline.papers import compiling, documents, leaving
from jiyao.pipeline.persons import approvals, circle
from room_kit import BATCH, Room
from test_custody import approve, carrier


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


# ---------------------------------------------------------------- what leaves


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
