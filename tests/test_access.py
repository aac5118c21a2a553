"""The access decision, rule by rule; dated clearances and circles, deputies, purposes, the reading record, lists."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiyao.common.errors import JiyaoError, UsageFault
from jiyao.models.level import Level
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.policy.reading import USES, Use
from jiyao.pipeline.copies import copies
from jiyao.pipeline.desk import custody, deadlines, matter_book
from jiyao.pipeline.papers import documents, hold
from jiyao.pipeline.persons import access, approvals, circle, deputies, people, readers, vetting
from jiyao.pipeline.persons.decision import ONESELF, Standing, decide
from policy_kit import plain_policy, policy_text
from room_kit import Room
from test_custody import approve, carrier, move

POLICY = parse_policy(default_policy_text())
ALL = frozenset(USES)
FINE = Standing(
    level=Level.STATE_SECRET, rank=80, clearance="important", circle_set=True, in_circle=True, open_now=ALL
)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def reading(**changed: Any) -> Any:
    """The shipped policy with other rules of reading."""
    plain = plain_policy()
    plain["reading"] |= changed
    return parse_policy(policy_text(plain))


def put(room: Room, **changed: Any) -> None:
    room.station._policy = reading(**changed)  # noqa: SLF001


@cache
def _strict() -> Any:
    return reading(purpose_from="机密")


# ---------------------------------------------------------------- the pure decision


@pytest.mark.req("R-128", "R-129")
@pytest.mark.parametrize(
    ("changed", "use", "rule"),
    [
        ({}, "text", "circle"),
        ({"clearance": None, "lapsed": "suspended"}, "text", "clearance_suspended"),
        ({"clearance": None, "lapsed": "expired"}, "handle", "clearance_expired"),
        ({"clearance": "general"}, "text", "clearance_too_low"),
        ({"in_circle": False, "staff": True}, "text", "not_in_circle"),
        ({"circle_set": False, "in_circle": False, "staff": True}, "text", "staff"),
        ({"circle_set": False, "in_circle": False}, "text", "not_in_circle"),
        ({"circle_set": False, "in_circle": False}, "circulate", "not_in_circle"),
        ({"circle_set": False, "in_circle": False, "rank": 70}, "circulate", "no_circle"),
        ({"circle_set": False, "in_circle": False, "by_approval": True}, "lend", "approval"),
        ({"circle_set": False, "in_circle": False, "staff": True}, "issue", "not_in_circle"),
        ({"in_circle": False, "deputy_of": "p-a"}, "circulate", "not_in_circle"),
        ({"in_circle": False, "deputy_of": "p-a", "level": Level.WORK, "rank": 35}, "circulate", "deputy"),
        ({"in_circle": False, "deputy_of": "p-a", "level": Level.WORK, "rank": 35}, "export", "not_in_circle"),
        # handled like 绝密 because it is a cipher telegram: nobody receives it for another
        ({"in_circle": False, "deputy_of": "p-a", "level": Level.WORK, "rank": 90}, "circulate", "not_in_circle"),
        ({"above_station": True}, "text", "above_station_level"),
        ({"blocks": frozenset({"hold"})}, "lend", "use_blocked_hold"),
        ({"blocks": frozenset({"hold"})}, "text", "circle"),
        ({"blocks": frozenset({"incident"})}, "export", "use_blocked_incident"),
        ({"open_now": ALL - {"text"}}, "text", "outside_hours"),
        ({"in_circle": False, "keeper": True}, "keep_for", "keeper"),
        ({"in_circle": False}, "entrust", "not_in_circle"),
    ],
)  # fmt: skip
def test_each_condition_decides(changed: dict[str, Any], use: Use, rule: str) -> None:
    decision = decide(POLICY, replace(FINE, **changed), use)
    assert decision.rule == rule
    assert decision.allowed is (rule in ("circle", "staff", "no_circle", "approval", "deputy", "keeper"))


@pytest.mark.req("R-128")
@given(
    level=st.sampled_from(list(Level)),
    clearance=st.sampled_from([None, "none", "general", "important", "core", "grand"]),
    circle_set=st.booleans(), in_circle=st.booleans(), staff=st.booleans(), keeper=st.booleans(),
    by_approval=st.booleans(), above_station=st.booleans(), purpose=st.booleans(),
    deputy_of=st.sampled_from([None, "p-a"]), blocks=st.frozensets(st.sampled_from(["hold", "incident"])),
    open_now=st.frozensets(st.sampled_from(USES)), use=st.sampled_from(USES),
)  # fmt: skip
def test_taking_a_condition_away_never_lets_in(use: Use, **given: Any) -> None:
    """Deny by default: whoever is let in is cleared, on a station of the level, within the hours, and admitted."""
    policy = _strict()
    standing = Standing(rank=policy.rank(given["level"]), **given)
    decision = decide(policy, standing, use)
    if not decision.allowed:
        weaker = (
            replace(standing, clearance=None), replace(standing, in_circle=False), replace(standing, staff=False),
            replace(standing, above_station=True), replace(standing, open_now=frozenset()),
        )  # fmt: skip
        if standing.circle_set:
            assert not any(decide(policy, one, use).allowed for one in weaker)
        return
    assert standing.clearance is not None and policy.reaches(standing.clearance, standing.level)
    assert not standing.above_station and use in standing.open_now
    if use in ONESELF:
        assert standing.in_circle or (standing.staff and not standing.circle_set) or standing.deputy_of
        assert standing.purpose or standing.rank < 80
    if (
        standing.level is Level.STATE_TOP
        and standing.circle_set
        and use in ("text", "issue", "circulate", "lend")
    ):
        assert standing.in_circle


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"deputy_levels": ["绝密"]}, "绝密"),
        ({"blocked_by": {"hold": ["dream"]}}, "dream"),
        ({"hours": [{"uses": ["text"], "days": [1], "from": "18:00", "to": "08:00"}]}, "end"),
        ({"hours": [{"uses": ["text"], "days": [1], "from": "8", "to": "soon"}]}, "time"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(changed: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageFault) as caught:
        reading(**changed)
    assert word in str(caught.value.facts["what"])


# ---------------------------------------------------------------- in the room


def text(room: Room, by: str, document: str, **given: Any) -> dict[str, Any]:
    return documents.text_of(room.station, room.as_(by, "text"), document=document, **given)


def known_to(room: Room, document: str, *persons: str, **given: Any) -> None:
    circle.set_circle(room.station, room.as_("lead", "circle"), document=document, persons=persons, **given)


@pytest.mark.req("R-042", "R-063", "R-128", "R-131")
def test_the_rooms_staff_read_until_a_circle_is_set_and_every_decision_is_in_the_ledger(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    text(room, "clerk", document)
    room.refused("not_in_circle", text, room, "reader", document)
    known_to(room, document, "p-reader")
    room.refused("not_in_circle", text, room, "clerk", document)
    text(room, "reader", document)
    told = [
        (entry["person"], entry["result"], entry["rule_or_approval"])
        for entry in room.entries("documents.text")
    ]
    assert told == [
        ("p-clerk", "allowed", "staff"), ("p-reader", "denied", "not_in_circle"),
        ("p-clerk", "denied", "not_in_circle"), ("p-reader", "allowed", "circle"),
    ]  # fmt: skip


@pytest.mark.req("R-129", "R-131")
def test_a_clearance_that_is_suspended_or_over_reaches_nothing(room: Room) -> None:
    document = room.document("关于某事的函", level=Level.INTERNAL)
    known_to(room, document, "p-reader")
    secadmin = room.as_("secadmin", "person.vet")
    vetting.suspend(room.station, secadmin, person="p-reader", reason="审查期间")
    room.refused("clearance_suspended", text, room, "reader", document)
    room.open()
    (row,) = documents.list_documents(room.station, room.as_("reader", "documents"))["documents"]
    assert row["title"] is None
    vetting.resume(room.station, room.as_("secadmin", "person.vet"), person="p-reader", reason="已查清")
    text(room, "reader", document)
    until = vetting.renew(
        room.station, room.as_("secadmin", "person.vet"), person="p-reader", until=date(2026, 11, 3)
    )
    assert (until["clearance_until"], until["clearance_state"]) == ("2026-11-03", "valid")
    room.clock.forward(days=2)
    room.refused("clearance_expired", text, room, "reader", document)
    vetting.renew(
        room.station, room.as_("secadmin", "person.vet"), person="p-reader", until=date(2027, 11, 3)
    )
    text(room, "reader", document)
    people.disable(room.station, room.as_("secadmin", "account.disable"), user="reader2")
    one = carrier(room, room.document(level=Level.STATE_CONFIDENTIAL))
    room.refused("clearance_disabled", move, room, "circulate", one, taker="p-reader2")


@pytest.mark.req("R-042", "R-128")
def test_a_place_in_the_circle_may_end_on_a_day_and_never_opens_the_room(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    known_to(room, document, "p-reader", until=date(2026, 11, 2))
    text(room, "reader", document)
    room.clock.forward(hours=20)
    room.refused("not_in_circle", text, room, "reader", document)
    # the staff are not the circle again because everybody's days are over, and nobody sets it "for the first time"
    room.refused("not_in_circle", text, room, "clerk", document)
    room.refused("approval_required", known_to, room, document, "p-reader2")
    with pytest.raises(UsageFault, match="circle_empty"):
        known_to(room, document)


@pytest.mark.req("R-005", "R-066")
def test_a_deputy_receives_for_who_is_away_where_the_policy_lets(room: Room) -> None:
    work, secret = room.document(level=Level.WORK), room.document(level=Level.STATE_CONFIDENTIAL)
    for document in (work, secret):
        known_to(room, document, "p-reader")
    ours, theirs = carrier(room, work), carrier(room, secret)
    mine = room.as_("reader", "person.deputy")
    room.refused(
        "not_your_papers", deputies.appoint, room.station, mine, person="p-reader2", deputy="p-dir",
        until=date(2026, 11, 9),
    )  # fmt: skip
    room.refused(
        "deputy_oneself", deputies.appoint, room.station, room.as_("lead", "person.deputy"), person="p-reader",
        deputy="p-lead", until=date(2026, 11, 9),
    )  # fmt: skip
    made = deputies.appoint(
        room.station,
        mine,
        person="p-reader",
        deputy="p-reader2",
        since=date(2026, 11, 3),
        until=date(2026, 11, 4),
    )
    room.refused("not_in_circle", move, room, "circulate", ours, taker="p-reader2")
    room.clock.forward(days=1)
    move(room, "circulate", ours, taker="p-reader2")
    assert room.entries("move")[-1]["facts"]["deputy_of"] == ["p-reader"]
    room.refused("not_in_circle", move, room, "circulate", theirs, taker="p-reader2")
    (listed,) = deputies.list_deputies(room.station, room.as_("reader2", "person.deputies"))["deputies"]
    assert listed["id"] == made["id"]
    deputies.end(room.station, mine, deputy=made["id"])
    room.refused("not_in_circle", text, room, "reader2", work)


@pytest.mark.req("R-131", "R-128")
def test_who_came_to_know_a_secret_is_on_its_record(room: Room) -> None:
    secret, low = room.document(level=Level.STATE_SECRET), room.document(level=Level.STATE_CONFIDENTIAL)
    for document in (secret, low):
        text(room, "clerk", document)
        known_to(room, document, "p-reader", "p-dir")
        text(room, "reader", document, purpose="起草样例答复" if document == secret else None)
    one = carrier(room, secret)
    approve(room, "borrow", secret, "dir", to=("p-reader",))
    move(room, "lend", one, taker="p-reader", words={"precautions": "当面交代"}, place="阅文室")
    asked = lambda by, document: readers.readers_of(  # noqa: E731
        room.station, room.as_(by, "documents.readers"), document=document
    )
    found = asked("lead", secret)
    assert [(row["person"], row["act"], row["purpose"]) for row in found["readers"]] == [
        ("p-clerk", "text", None), ("p-reader", "text", "起草样例答复"), ("p-reader", "lend", None),
    ]  # fmt: skip
    assert found["persons"] == ["p-clerk", "p-reader"] and found["readers"][1]["rule"] == "circle"
    assert asked("lead", low)["readers"] == []
    assert "起草" not in json.dumps(room.entries("documents.text"), ensure_ascii=False)


@pytest.mark.req("R-075")
def test_without_a_task_the_purpose_is_stated_where_the_policy_asks(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    known_to(room, document, "p-reader", "p-reader2")
    text(room, "reader", document)
    put(room, purpose_from="机密")
    room.refused("purpose_needed", text, room, "reader", document)
    room.refused("purpose_needed", text, room, "reader", document, purpose="  ")
    text(room, "reader", document, purpose="核对样例数据")
    room.copy(document, holder="p-reader2")
    text(room, "reader2", document)
    low = room.document(level=Level.STATE_CONFIDENTIAL)
    known_to(room, low, "p-reader")
    text(room, "reader", low)


@pytest.mark.req("R-128")
def test_hours_holds_and_incidents_stand_in_the_way(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    put(room, hours=[{"uses": ["text"], "days": [1, 2, 3, 4, 5], "from": "08:30", "to": "17:30"}])
    text(room, "clerk", document)
    room.clock.moment = datetime(2026, 11, 2, 17, 30, tzinfo=room.clock.moment.tzinfo)
    room.refused("outside_hours", text, room, "clerk", document)
    put(room)
    hold.add_hold(room.station, room.as_("lead", "hold.add"), document=document, reason="样例冻结")
    one = carrier(room, document)
    room.refused(
        "use_blocked_hold", move, room, "lend", one, taker="p-reader", words={"precautions": "已交代"},
        place="阅文室",
    )  # fmt: skip


@pytest.mark.req("R-128", "R-131")
def test_lists_show_only_what_the_viewer_may_know_exists(room: Room) -> None:
    mine, others = room.document(level=Level.STATE_CONFIDENTIAL), room.document(level=Level.STATE_SECRET)
    for document, person in ((mine, "p-reader"), (others, "p-lead")):
        known_to(room, document, person, "p-dir")
        room.copy(document, holder=person)
        one = carrier(room, document)
        move(room, "circulate", one, taker=person)
        approvals.request(
            room.station, room.as_("clerk", "approval.request"), act="export", documents=(document,),
            recipients=(person,),
        )  # fmt: skip
        matter_book.open_matter(
            room.station, room.as_("clerk", "matter.open"), "discrepancy", document=document,
            words={"differs": "少一页"},
        )  # fmt: skip

    def seen(by: str) -> dict[str, set[str]]:
        station = room.station
        matters = matter_book.list_matters(station, room.as_(by, "matter.list"))["matters"]
        return {
            "documents": {
                row["id"] for row in documents.list_documents(station, room.as_(by, "documents"))["documents"]
            },
            "copies": {row["document"] for row in copies.list_copies(station, room.as_(by, "copies.list"))["copies"]},
            "carriers": {
                row["document"] for row in custody.list_carriers(station, room.as_(by, "carriers.list"))["objects"]
            },
            "approvals": {
                row["objects"][0]
                for row in approvals.list_approvals(station, room.as_(by, "approval.list"))["approvals"]
            },
            "matters": {row["document"] for row in matters},
        }  # fmt: skip

    assert all(found == {mine} for found in seen("reader").values()), seen("reader")
    assert all(found == {mine, others} for found in seen("clerk").values()), seen("clerk")
    assert all(found == set() for found in seen("reader2").values()), seen("reader2")
    room.refused(
        "not_in_circle",
        documents.show_document,
        room.station,
        room.as_("reader2", "documents"),
        document=mine,
    )
    matter = matter_book.list_matters(room.station, room.as_("clerk", "matter.list"), document=others)[
        "matters"
    ][0]
    room.refused(
        "matter_not_known",
        matter_book.show,
        room.station,
        room.as_("reader", "matter.list"),
        matter=matter["id"],
    )
    items = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 12, 1))["items"]
    assert {item["document"] for item in items} >= {mine, others}


@pytest.mark.req("R-128")
def test_many_secrets_in_one_list_need_an_approval(room: Room) -> None:
    put(room, bulk={"rows": 2, "from": "秘密", "days": 1})
    for _ in range(3):
        room.document(level=Level.STATE_CONFIDENTIAL)
    clerk = room.as_("clerk", "documents")
    error = room.refused("bulk_approval_required", documents.list_documents, room.station, clerk)
    assert error.facts["rows"] == 3
    assert len(documents.list_documents(room.station, clerk, limit=2)["documents"]) == 2
    words = {"what": "documents", "purpose": "年度清理"}
    opened = matter_book.open_matter(
        room.station, room.as_("clerk", "matter.open"), "bulk_access", words=words
    )
    room.refused("bulk_approval_required", documents.list_documents, room.station, clerk)
    matter_book.do_step(room.station, room.as_("lead", "matter.do"), matter=opened["id"])
    assert len(documents.list_documents(room.station, clerk)["documents"]) == 3
    other = room.as_("clerk2", "documents")
    room.refused("bulk_approval_required", documents.list_documents, room.station, other)
    room.clock.forward(days=3)
    room.refused("bulk_approval_required", documents.list_documents, room.station, clerk)


def test_a_condition_of_a_query_agrees_with_the_single_answer(room: Room) -> None:
    papers = [room.document(level=Level.INTERNAL) for _ in range(2)]
    known_to(room, papers[0], "p-reader", until=date(2026, 11, 2))
    for days in (0, 1):
        room.clock.forward(days=days)
        with room.station.read() as session:
            for by in ("reader", "reader2", "clerk", "lead"):
                actor = room.as_(by, "documents")
                listed = {row["id"] for row in documents.list_documents(room.station, actor)["documents"]}
                assert listed == {one for one in papers if access.may_know(session, actor, one)}


def test_errors_have_words(room: Room) -> None:
    with pytest.raises(JiyaoError):
        vetting.renew(
            room.station, room.as_("secadmin", "person.vet"), person="p-reader", until=date(2020, 1, 1)
        )
    room.refused(
        "own_rights", vetting.suspend, room.station, room.as_("secadmin", "person.vet"), person="secadmin",
        reason="试",
    )  # fmt: skip
