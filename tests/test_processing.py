"""Electronic processing by approval (C-10), and approval before the list (C-21): each option brings its own order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ingest_kit import counts, ingest, letter
from jiyao.common.errors import Refused
from jiyao.models.level import Level
from jiyao.models.policy.loader import parse_policy
from jiyao.models.tables import Artefact, Clear
from jiyao.pipeline.intake import receipt as receipts
from jiyao.pipeline.papers import documents as register
from jiyao.pipeline.persons import approvals
from room_kit import Room
from test_choices import chosen, chosen_text

ACT = "electronic_processing"
BODY = "现将第九百九十九号绝无仅有之事项函告如下"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def choose(room: Room, **choices: str) -> None:
    text = chosen_text(**choices)
    room.station._policy, room.station._policy_text = parse_policy(text), text


def approve(room: Room, document: str, *, by: str = "lead") -> None:
    asked = approvals.request(
        room.station, room.as_("clerk", "approval.request"), act=ACT, documents=(document,)
    )
    approvals.give(room.station, room.as_(by, "approval.give"), approval=asked["id"])


@pytest.mark.req("R-022")
@pytest.mark.parametrize(
    ("option", "level", "mode", "by"),
    [
        ("approved_stations", Level.STATE_TOP, "register", ()),
        ("approved_stations", Level.STATE_SECRET, "register", ()),
        ("per_document_approval", Level.STATE_TOP, "deny", ("leader_in_charge",)),
        ("per_document_approval", Level.STATE_SECRET, "approve", ("leader_in_charge",)),
        ("per_document_approval", Level.STATE_CONFIDENTIAL, "approve", ("office_director",)),
        ("per_document_approval", Level.INTERNAL, "register", ()),
        ("forbidden", Level.STATE_TOP, "deny", ()),
        ("forbidden", Level.STATE_CONFIDENTIAL, "deny", ()),
        ("forbidden", Level.INTERNAL, "register", ()),
    ],
)
def test_who_lets_a_paper_be_processed(option: str, level: Level, mode: str, by: tuple[str, ...]) -> None:
    row = chosen(**{ACT: option}).approval(ACT, level)
    assert (row.mode, approvals.approvers(row)) == (mode, by)


@pytest.mark.req("R-022")
def test_what_is_declared_is_not_scanned_before_it_is_approved(room: Room) -> None:
    arrival = receipts.Arrival(organ="乌有县局", title="关于样例的函", level=Level.STATE_SECRET)
    clerk = room.as_("clerk", "receive")
    free = receipts.receive(room.station, clerk, arrival, slip_to=room.base / "0.pdf")
    receipts.to_be_read(room.station, room.as_("clerk", "ingest"), receipt=free["receipt"])
    choose(room, electronic_processing="per_document_approval")
    got = receipts.receive(room.station, clerk, arrival, slip_to=room.base / "1.pdf")
    read = receipts.to_be_read, room.station, room.as_("clerk", "ingest")
    told = room.refused("approval_required", *read, receipt=got["receipt"])
    assert told.facts["roles"] == "leader_in_charge"
    room.refused("own_request", _by_the_clerk_alone, room, got["id"])
    approve(room, got["id"])
    receipts.to_be_read(room.station, room.as_("clerk", "ingest"), receipt=got["receipt"])
    choose(room, electronic_processing="forbidden")
    room.refused("act_denied", *read, receipt=got["receipt"])


def _by_the_clerk_alone(room: Room, document: str) -> None:
    both = room.as_("both", "approval.request")
    asked = approvals.request(room.station, both, act=ACT, documents=(document,))
    approvals.give(room.station, room.as_("both", "approval.give"), approval=asked["id"])


@pytest.mark.req("R-022")
def test_an_undeclared_mark_leaves_only_its_row_until_it_is_approved(room: Room, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    choose(room, electronic_processing="per_document_approval")
    path = letter(inbox, "密件.docx", mark="机密★10年", title="关于九头鸟工程的通知", body=BODY)
    plain = letter(inbox, "常件.docx", title="关于食堂的通知")
    first = ingest(room, inbox)
    assert counts(first) == {"received": 2, "pending": 1, "failed": 1}
    (problem,) = first["problems"]
    assert (problem["code"], problem["level"]) == ("processing_unapproved", "机密")
    row = room.row(problem["document"])
    assert (row.status, row.level_code, row.key_slot) == ("failed", Level.STATE_SECRET.code, None)
    with room.station.read() as session:
        for table in (Artefact, Clear):
            assert not session.scalars(select(table).where(table.document_id == row.id)).all()
        assert register.words_of(room.station, session, row).get("title") is None
    assert counts(ingest(room, path)) == {"received": 1, "failed": 1}
    approve(room, row.id)
    second = ingest(room, path)
    assert counts(second) == {"received": 1, "pending": 1}
    assert [one["id"] for one in second["documents"]] == [row.id], "its own row"
    choose(room, electronic_processing="forbidden")
    other = letter(inbox, "密件二.docx", number="乌有函〔2026〕2号", mark="秘密★5年", body=BODY + "。又及")
    third = ingest(room, other, plain)
    assert {one["code"] for one in third["problems"]} == {"processing_forbidden", "duplicate"}


def test_an_approval_for_a_lower_level_does_not_count(room: Room) -> None:
    from jiyao.pipeline.intake import processing

    choose(room, electronic_processing="per_document_approval")
    document = room.paper(level=Level.STATE_CONFIDENTIAL)
    approve(room, document, by="dir")
    with room.station.read() as session:
        row = register.access.get_document(session, document)
        processing.check(room.station, session, row, Level.STATE_CONFIDENTIAL)
        for mark in (Level.STATE_SECRET, Level.STATE_TOP):
            with pytest.raises(Refused, match="approval_required"):
                processing.check(room.station, session, row, mark)


# ---------------------------------------------------------------- approval first


def through(room: Room, batch: str, *steps: tuple[Any, str]) -> list[str]:
    return [step(batch, user)["state"] for step, user in steps]


@pytest.mark.req("R-117")
def test_approval_first_then_the_list_is_counted(room: Room) -> None:
    document = room.expired()
    choose(room, list_and_approval_order="approve_then_list")
    batch = room.propose(document)["id"]
    room.refused("destruction_state", room.count, batch, "clerk2")
    room.refused("destruction_state", room.supervise, batch, "sup1")
    assert through(room, batch, (room.approve, "dir")) == ["approved"]
    room.refused("destruction_state", room.supervise, batch, "sup1")
    room.refused("destruction_state", room.approve, batch, "lead")
    assert through(room, batch, (room.count, "clerk"), (room.count, "arch")) == ["approved", "counted"]
    room.refused("destruction_state", room.count, batch, "clerk2")
    rest = (room.supervise, "sup1"), (room.supervise, "sup2"), (room.execute, "op1")
    assert through(room, batch, *rest) == ["counted", "supervised", "executing"]


@pytest.mark.req("R-117")
def test_who_approved_first_does_not_count(room: Room) -> None:
    document = room.expired()
    choose(room, list_and_approval_order="approve_then_list")
    batch = room.propose(document, by="arch")["id"]
    room.approve(batch, "both")
    room.refused("not_own_batch", room.count, batch, "both")


@pytest.mark.req("R-117")
def test_the_other_choice_in_the_middle_skips_neither(room: Room) -> None:
    document, other = room.expired(), room.expired("关于另一样例的函")
    counted = room.until("counted", document)
    choose(room, list_and_approval_order="approve_then_list")
    room.refused("destruction_state", room.supervise, counted, "sup1")
    assert through(room, counted, (room.approve, "dir"), (room.supervise, "sup1")) == ["approved", "approved"]
    approved = room.propose(other)["id"]
    room.approve(approved, "dir")
    choose(room, list_and_approval_order="list_then_approve")
    room.refused("destruction_state", room.supervise, approved, "sup1")
    rest = (room.count, "clerk"), (room.count, "arch"), (room.supervise, "sup1"), (room.supervise, "sup2")
    assert through(room, approved, *rest) == ["approved", "counted", "counted", "supervised"]
