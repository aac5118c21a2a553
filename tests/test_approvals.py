"""Approvals of the matrix: who must give them, what they bind, how long they hold (policy.md; roles.md section 2)."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.common.errors import JiyaoError, Refused, UsageFault
from jiyao.models.level import Level
from jiyao.models.period import Period
from jiyao.models.tables import ApprovalAct, Clear, Document
from jiyao.pipeline.papers import documents, exports
from jiyao.pipeline.persons import approvals, circle, paper_approval, people
from jiyao.pipeline.station import authority
from jiyao.vault import cms
from room_kit import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def ask(room: Room, act: str, *ids: str, by: str = "clerk", **given: Any) -> dict[str, Any]:
    return approvals.request(room.station, room.as_(by, "approval.request"), act=act, documents=ids, **given)


def give(room: Room, approval: str, by: str) -> dict[str, Any]:
    return approvals.give(room.station, room.as_(by, "approval.give"), approval=approval)


def need(room: Room, act: str, *ids: str, to: tuple[str, ...] = ()) -> str | None:
    with room.station.write() as session:
        rows = [session.get_one(Document, document) for document in ids]
        return approvals.require(room.station, session, act=act, rows=rows, recipients=to)


def missing(
    room: Room, act: str, *ids: str, to: tuple[str, ...] = (), code: str = "approval_required"
) -> Refused:
    with pytest.raises(Refused) as caught:
        need(room, act, *ids, to=to)
    assert (caught.value.code, caught.value.exit_code) == (code, 4)
    return caught.value


def paper(room: Room, act: str, document: str, approver: str, by: str = "clerk") -> dict[str, Any]:
    scan = room.base / "scan.pdf"
    scan.write_bytes(b"%PDF paper with a signature")
    return paper_approval.enter(room.station, room.as_(by, "approval.paper"), act=act, documents=(document,),
                                scan=scan, approver=approver)  # fmt: skip


def check(room: Room, approval: str, by: str) -> dict[str, Any]:
    return paper_approval.check(room.station, room.as_(by, "approval.paper"), approval=approval)


ROWS: list[tuple[str, Level, list[str]]] = [
     ("distribute", Level.STATE_TOP, ["lead"]), ("distribute", Level.STATE_SECRET, ["lead"]),
     ("distribute", Level.STATE_CONFIDENTIAL, ["dir"]), ("distribute", Level.COMPANY_TOP, ["prin"]),
     ("distribute", Level.COMPANY_SECRET, ["lead"]), ("distribute", Level.SOE_CORE, ["lead"]),
     ("distribute", Level.COMPANY_CONFIDENTIAL, []), ("distribute", Level.WORK, []), ("distribute", Level.INTERNAL, []),
     ("read", Level.STATE_TOP, ["lead"]), ("read", Level.STATE_SECRET, []), ("read", Level.COMPANY_TOP, ["prin"]),
     ("export", Level.INTERNAL, ["secadmin", "dir"]), ("export", Level.STATE_TOP, ["secadmin", "dir"]),
     ("widen_scope", Level.PUBLIC, ["lead"]), ("borrow", Level.STATE_SECRET, ["dir"]),
     ("copy", Level.STATE_TOP, ["dir"]), ("relay", Level.STATE_SECRET, ["dir"])]  # fmt: skip


@pytest.mark.req("R-055", "R-060", "R-128")
def test_the_rows_of_the_matrix(room: Room) -> None:
    for act, level, givers in ROWS:
        _one_the_rows_of_the_matrix(room, act, level, givers)


def _one_the_rows_of_the_matrix(room: Room, act: str, level: Level, givers: list[str]) -> None:
    document = room.document(level=level)
    if not givers:
        assert need(room, act, document) is None
        with pytest.raises(UsageFault) as caught:
            ask(room, act, document)
        assert caught.value.code == "no_approval_needed"
        return
    missing(room, act, document)
    value = ask(room, act, document)
    assert (value["state"], value["act"], value["objects"], value["expires"]) == (
        "requested", act, [document], "2026-12-02",
    )  # fmt: skip
    for user in sorted({"secadmin", "dir", "lead", "prin", "rev"} - set(givers)):
        room.refused("not_the_approver", give, room, value["id"], user)
    for number, user in enumerate(givers):
        assert missing(room, act, document).facts["act"] == act
        value = give(room, value["id"], user)
        assert value["state"] == ("given" if number == len(givers) - 1 else "requested")
    assert need(room, act, document) == value["id"] and len(value["given"]) == len(givers)
    room.refused("approval_closed", give, room, value["id"], givers[0])


@pytest.mark.req("R-183")
def test_the_same_paper_entered_again_or_given_from_the_desk_is_its_check(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    first = paper(room, "distribute", document, "p-lead")
    again = paper(room, "distribute", document, "p-lead", by="scan")
    assert (again["id"], again["state"]) == (first["id"], "given")
    other = room.document(level=Level.STATE_SECRET)
    entered = paper(room, "distribute", other, "p-lead")
    actor = room.as_("scan", "approval.give")
    assert paper_approval.give_or_check(room.station, actor, approval=entered["id"])["state"] == "given"


@pytest.mark.req("R-055")
def test_denied_and_unknown_acts(room: Room) -> None:
    document = room.document(level=Level.STATE_TOP)
    room.refused("act_denied", ask, room, "carry_abroad", document)
    missing(room, "carry_abroad", document, code="act_denied")
    with pytest.raises(UsageFault) as caught:
        ask(room, "dance", document)
    assert caught.value.code == "unknown_approval_act"
    assert ask(room, "excerpt", document)["needed"] == ["originator_or_superior"], (
        "lifted by the originator only"
    )


@pytest.mark.req("R-055")
def test_nobody_approves_what_he_asked_for(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    own = ask(room, "distribute", document, by="dir")["id"]
    room.refused("own_request", give, room, own, "dir")
    room.refused("own_request", approvals.refuse, room.station, room.as_("dir", "approval.give"), approval=own,
                 reason="不")  # fmt: skip
    assert give(room, own, "both")["state"] == "given"
    other = ask(room, "distribute", document, by="both")["id"]
    room.refused("own_request", give, room, other, "both")


@pytest.mark.req("R-150", "R-055")
def test_two_roles_are_two_persons(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when one account holds both roles."""
    document = room.document(level=Level.STATE_TOP, period=Period("years", number=5))
    people.grant(room.station, room.as_("secadmin", "account.grant"), user="lead", roles=("release_reviewer",),
                 clearance=None)  # fmt: skip
    value = ask(room, "publish", document)
    assert value["needed"] == ["release_reviewer", "leader_in_charge"]
    assert give(room, value["id"], "lead")["state"] == "requested"
    room.refused("same_person_twice", give, room, value["id"], "lead")


@pytest.mark.req("R-055", "R-128")
def test_a_changed_level_voids_what_was_approved_or_asked(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    first, second = (ask(room, "distribute", document)["id"] for _ in range(2))
    give(room, first, "lead")
    assert need(room, "distribute", document) == first
    room.change(document, level_code="S3")
    missing(room, "distribute", document)
    room.refused("approval_void", give, room, second, "lead")
    room.change(document, level_code="S2")
    assert need(room, "distribute", document) == first


@pytest.mark.req("R-055")
def test_it_holds_for_thirty_days(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    given, asked = (ask(room, "distribute", document)["id"] for _ in range(2))
    give(room, given, "lead")

    def live(days: int) -> None:
        for _ in range(days):
            room.clock.forward(hours=23, minutes=59)
            with room.station.write() as session:
                room.station.log(session, "day")

    live(30)
    assert need(room, "distribute", document) == given
    live(2)
    missing(room, "distribute", document)
    room.refused("approval_closed", give, room, asked, "lead")
    listed = approvals.list_approvals(room.station, room.as_("clerk", "approval.list"))["approvals"]
    assert [row["state"] for row in listed] == ["expired", "expired"]


@pytest.mark.req("R-128", "R-101")
def test_named_recipients_bind_and_none_named_covers_the_circle(room: Room) -> None:
    document = room.document(level=Level.STATE_TOP)
    named = ask(room, "distribute", document, recipients=("p-reader",))["id"]
    give(room, named, "lead")
    assert need(room, "distribute", document, to=("p-reader",)) == named
    missing(room, "distribute", document, to=("p-reader2",))
    missing(room, "distribute", document, to=("p-reader", "p-reader2"))
    anyone = ask(room, "distribute", document)["id"]
    give(room, anyone, "lead")
    assert need(room, "distribute", document, to=("p-reader", "p-reader2")) == anyone


@pytest.mark.req("R-128")
def test_several_documents_in_one_approval(room: Room) -> None:
    one, two = room.document(level=Level.STATE_SECRET), room.document(level=Level.STATE_CONFIDENTIAL)
    value = ask(room, "distribute", one, two)
    assert value["needed"] == ["leader_in_charge", "office_director"]
    for user in ("dir", "lead"):
        give(room, value["id"], user)
    assert need(room, "distribute", one) == need(room, "distribute", one, two) == value["id"]
    room.change(two, level_code="S2")
    missing(room, "distribute", one)


@pytest.mark.req("R-042", "R-128")
def test_where_a_circle_is_set_the_approver_stands_in_it(room: Room) -> None:
    document = room.document(level=Level.STATE_TOP)
    dir_ = room.as_("dir", "circle")
    circle.set_circle(room.station, dir_, document=document, persons=["p-reader", "p-dir"])
    value = ask(room, "distribute", document)
    room.refused("not_in_circle", give, room, value["id"], "lead")
    export = ask(room, "export", document)["id"]
    assert give(room, export, "secadmin")["state"] == "requested", "signs for the medium, does not read"
    assert give(room, export, "dir")["state"] == "given"


@pytest.mark.req("R-042", "R-128", "R-131")
def test_widening_the_circle_and_reading_top_secret(room: Room) -> None:
    document = room.document(level=Level.STATE_TOP, text="绝密件的正文，只有写明的人可以看。")
    dir_, clerk, reader = room.as_("dir", "circle"), room.as_("clerk", "text"), room.as_("reader", "text")
    assert documents.text_of(room.station, clerk, document=document), (
        "staff read for handling until a circle is set"
    )
    room.refused("not_in_circle", documents.text_of, room.station, reader, document=document)
    circle.set_circle(room.station, dir_, document=document, persons=["p-reader", "p-lead"])
    room.refused("not_in_circle", documents.text_of, room.station, clerk, document=document)
    room.refused("approval_required", documents.text_of, room.station, reader, document=document)
    value = ask(room, "read", document, recipients=("p-reader",))["id"]
    give(room, value, "lead")
    assert "只有写明的人" in documents.text_of(room.station, reader, document=document)["pages"][0]["text"]
    wider = {"document": document, "persons": ["p-reader", "p-lead", "p-reader2"]}
    room.refused("approval_required", circle.set_circle, room.station, dir_, **wider)
    give(room, ask(room, "widen_scope", document, recipients=("p-reader2",))["id"], "lead")
    assert circle.set_circle(room.station, dir_, **wider)["persons"] == ["p-lead", "p-reader", "p-reader2"]
    room.refused(
        "approval_required", documents.text_of, room.station, room.as_("reader2", "text"), document=document
    )
    assert circle.set_circle(room.station, dir_, document=document, persons=["p-lead"])["persons"] == [
        "p-lead"
    ]
    room.refused("not_in_circle", documents.text_of, room.station, reader, document=document)


@pytest.mark.req("R-150", "R-140", "R-131")
def test_an_export_is_approved_twice_and_listed_as_outstanding(room: Room) -> None:
    data = b"the original, byte for byte" * 9
    document = room.document(level=Level.COMPANY_CONFIDENTIAL, data=data)
    out = room.base / "out.docx"
    arch = room.as_("arch", "export")
    room.refused("approval_required", exports.export_document, room.station, arch, document=document, out=out)
    assert not out.exists()
    value = ask(room, "export", document, by="arch")["id"]
    give(room, value, "secadmin")
    room.refused("approval_required", exports.export_document, room.station, arch, document=document, out=out)
    give(room, value, "dir")
    answer = exports.export_document(room.station, arch, document=document, out=out)
    assert out.read_bytes() == data and answer["approval"] == value
    with room.station.read() as session:
        place = session.get_one(Clear, answer["export"])
        assert (place.kind, place.state, place.holder) == ("export", "outstanding", "p-arch")
    room.refused("file_exists", exports.export_document, room.station, arch, document=document, out=out)
    with room.station.read() as session:
        places = session.scalars(select(Clear).where(Clear.kind == "export").order_by(Clear.id)).all()
        assert [place.state for place in places] == ["outstanding", "erased"], (
            "what was not written is not outstanding"
        )
    assert out.read_bytes() == data


@pytest.mark.req("R-138", "R-055")
def test_a_delegated_role_is_recorded_with_its_giver(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    value = ask(room, "distribute", document)["id"]
    room.refused("not_the_approver", give, room, value, "dir")
    people.delegate(room.station, room.as_("lead", "delegate"), giver="lead", taker="dir", role="leader_in_charge",
                    until=date(2026, 11, 4))  # fmt: skip
    room._actors.clear()
    assert give(room, value, "dir")["given"][0]["role"] == "leader_in_charge"
    with room.station.read() as session:
        act = session.scalars(select(ApprovalAct).where(ApprovalAct.act == "give")).one()
        statement = json.loads(act.statement)
        signed = cms.verify_statement(act.statement, act.signature, authority.certificate(session, "ca"))
    assert (statement["person"], statement["delegated_by"], signed.person) == ("p-dir", "p-lead", "p-dir")


def test_refusing_ends_a_request(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    value = ask(room, "distribute", document, note="急用")["id"]
    room.refused("not_the_approver", approvals.refuse, room.station, room.as_("dir", "approval.give"), approval=value,
                 reason="不归我管")  # fmt: skip
    answer = approvals.refuse(
        room.station, room.as_("lead", "approval.give"), approval=value, reason="无必要"
    )
    assert answer["state"] == "refused" and room.last_entry()["reason_hash"]
    room.refused("approval_closed", give, room, value, "lead")
    missing(room, "distribute", document)


# ---------------------------------------------------------------- on paper


@pytest.mark.req("R-183", "R-055")
def test_a_paper_is_entered_by_one_and_checked_by_another(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    value = paper(room, "distribute", document, "p-lead")
    assert (value["state"], value["paper"], value["given"]) == ("requested", True, [])
    missing(room, "distribute", document)
    room.refused("approval_on_paper", give, room, value["id"], "lead")
    room.refused("same_person_twice", check, room, value["id"], "clerk")
    value = check(room, value["id"], "scan")
    assert value["state"] == "given" and need(room, "distribute", document) == value["id"]
    room.refused("approval_closed", check, room, value["id"], "clerk2")
    assert not any(
        b"paper with a signature" in path.read_bytes() for path in room.station.blobs.rglob("*.jyb")
    )
    with room.station.read() as session:
        acts = session.scalars(select(ApprovalAct).order_by(ApprovalAct.id)).all()
        told = [(act.act, act.person, json.loads(act.statement)["approver"], act.role) for act in acts]
    assert told == [
        ("enter", "p-clerk", "p-lead", "leader_in_charge"),
        ("check", "p-scan", "p-lead", "leader_in_charge"),
    ]


@pytest.mark.req("R-055")
def test_a_paper_speaks_for_one_approver_only(room: Room) -> None:
    """One signed paper does not stand for both roles of an export."""
    document = room.document()
    value = paper(room, "export", document, "p-dir")
    assert value["needed"] == ["secadmin", "office_director"]
    value = check(room, value["id"], "clerk2")
    assert value["state"] == "requested" and [item["role"] for item in value["given"]] == ["office_director"]
    missing(room, "export", document)
    room.refused("same_person_twice", give, room, value["id"], "dir")
    assert give(room, value["id"], "secadmin")["state"] == "given"


@pytest.mark.req("R-055")
def test_whose_paper_counts(room: Room) -> None:
    document = room.document(level=Level.COMPANY_TOP)
    people.add_person(room.station, room.as_("sysadmin", "person"), person="p-head", name="外出的总经理")
    room.refused("not_the_approver", paper, room, "distribute", document, "p-reader")
    room.refused("own_request", paper, room, "distribute", document, "p-clerk")
    with pytest.raises(JiyaoError) as nobody:
        paper(room, "distribute", document, "p-nobody")
    assert nobody.value.exit_code == 3
    with pytest.raises(UsageFault):
        paper(room, "distribute", room.document(), "p-lead")
    value = paper(room, "distribute", document, "外出的总经理")
    assert check(room, value["id"], "clerk2")["state"] == "given", (
        "a person without an account gives it on paper"
    )


@pytest.mark.req("R-055")
def test_a_paper_for_something_that_changed_is_void(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    value = paper(room, "distribute", document, "p-lead")["id"]
    room.change(document, level_code="S3")
    room.refused("approval_void", check, room, value, "scan")


@pytest.mark.req("R-078", "R-171")
def test_an_originators_consent_is_confirmed_by_the_office_director(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    people.add_person(room.station, room.as_("sysadmin", "person"), person="p-origin", name="乌有县局")
    value = paper(room, "relay", document, "p-origin")
    assert value["needed"] == ["originator"]
    room.refused("approval_on_paper", give, room, value["id"], "dir")
    assert check(room, value["id"], "scan")["state"] == "requested", "the desk alone does not confirm it"
    missing(room, "relay", document)
    room.refused("not_the_approver", give, room, value["id"], "lead")
    assert give(room, value["id"], "dir")["state"] == "given"
    assert need(room, "relay", document) == value["id"]
