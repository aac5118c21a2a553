"""Rows that lie across the desk: families, meeting papers, printing, departments, violations, roles, audits."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from copy_kit import letter
from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.models.rights import MAY, ROLES
from jiyao.models.tables import Artefact, Document
from jiyao.pipeline.copies import copies, issuing, printing
from jiyao.pipeline.desk import custody, deadlines, matter_book
from jiyao.pipeline.papers import archiving
from jiyao.pipeline.persons import actors, circle, people
from jiyao.pipeline.registers import export
from jiyao.pipeline.review import review
from jiyao.pipeline.station import ledgers, policies
from room_kit import SECRETS, Room
from test_custody import BACK, approve, carrier, move
from week_kit import fake_lp


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def begin(room: Room, kind: str, by: str, **words: str) -> str:
    told = matter_book.open_matter(room.station, room.as_(by, "matter.open"), kind, words=words)
    return str(told["id"])


def step(room: Room, matter: str, by: str, result: str = "done", **words: str) -> dict[str, Any]:
    return matter_book.do_step(
        room.station, room.as_(by, "matter.do"), matter=matter, result=result, words=words
    )


@pytest.mark.req("R-007")
@pytest.mark.parametrize(
    ("level", "overlays"),
    [
        (Level.STATE_SECRET, ()), (Level.WORK, ()), (Level.COMPANY_CONFIDENTIAL, ()), (Level.SOE_CORE, ()),
        (Level.INTERNAL, ()), (Level.INTERNAL, ("patient_privacy",)),
    ],
)  # fmt: skip
def test_every_family_is_registered_handed_out_counted_and_filed(
    room: Room, level: Level, overlays: tuple[str, ...]
) -> None:
    document = room.document(level=level, overlays=overlays)
    one = carrier(room, document)
    persons = ("p-reader", "p-lead", "p-prin", "p-dir")
    circle.set_circle(room.station, room.as_("lead", "circle"), document=document, persons=persons)
    move(room, "circulate", one, taker="p-reader")
    move(room, "read_back", one, words=BACK)
    assert custody.count(room.station, room.as_("clerk", "carriers.out"))["differences"] == []
    told = archiving.archive(
        room.station, room.as_("arch", "archive"), document=document, place="柜", number="1"
    )
    assert told["status"] == "archived" and room.row(document).level_code == level.code


def meeting(room: Room, *to: str) -> tuple[str, list[dict[str, Any]]]:
    """A meeting paper with its copies handed out."""
    document = room.document("关于样例会议的材料", level=Level.STATE_CONFIDENTIAL, data=letter(1))
    persons = (*to, "p-dir")
    circle.set_circle(room.station, room.as_("dir", "circle"), document=document, persons=persons)
    approve(room, "distribute", document, "dir")
    told = issuing.issue(
        room.station, room.as_("clerk", "copies.issue"), document=document, to=to, purpose="样例会议",
        sink=issuing.Folder(room.base / "out"),
    )  # fmt: skip
    return document, told["copies"]


@pytest.mark.req("R-056", "R-060")
def test_meeting_papers_are_numbered_in_one_series_and_handed_out_against_a_register(room: Room) -> None:
    document, made = meeting(room, "p-reader", "p-reader2", "p-lead")
    assert [one["number"] for one in made] == [1, 2, 3]
    out = room.base / "copies.csv"
    export.export_register(room.station, room.as_("clerk", "register"), name="copies", form="csv", out=out)
    text = out.read_text("utf-8-sig")
    rows = [row for row in csv.reader(text.splitlines()) if any(document in cell for cell in row)]
    assert len(rows) == 3 and all(any("秘密" in cell for cell in row) for row in rows)
    for one, person in zip(rows, ("人员reader", "人员reader2", "人员lead"), strict=True):
        assert person in one
    back = copies.return_copies(
        room.station, room.as_("clerk", "copies.keep"), copies=[one["copy"] for one in made]
    )
    assert {one["status"] for one in back["copies"]} == {"returned"}


@pytest.mark.req("R-059")
def test_printing_is_done_by_a_named_person_on_the_classified_machine(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_lp(room.base, monkeypatch)
    document = room.document(level=Level.COMPANY_SECRET, data=letter(1))
    persons = ("p-reader", "p-lead")
    circle.set_circle(room.station, room.as_("lead", "circle"), document=document, persons=persons)
    approve(room, "distribute", document, "lead")
    with pytest.raises(Exception, match="role_missing"):
        actors.enter(room.station, user="reader", act="copies.issue", secrets=SECRETS)
    told = printing.print_copies(
        room.station,
        room.as_("clerk", "copies.issue"),
        document=document,
        to=("p-reader",),
        printer="涉密1号",
    )
    shown = matter_book.show(room.station, room.as_("clerk", "matter.list"), matter=told["run"])
    assert (shown["opened_by"], shown["words"]["printer"]) == ("p-clerk", "涉密1号")
    low = Room(room.base / "low", level=Level.COMPANY_SECRET)
    with pytest.raises(Exception, match="above_station_level"):
        review.set_values(
            low.station, low.as_("rev", "review"), document=low.paper(level=None), level=Level.STATE_SECRET,
            reason="定密",
        )  # fmt: skip


@pytest.mark.req("R-061")
def test_stored_files_stand_apart_by_class_and_level(room: Room) -> None:
    made = {
        level: room.document(level=level) for level in (Level.STATE_SECRET, Level.COMPANY_SECRET, Level.WORK)
    }
    with room.station.read() as session:
        for level, document in made.items():
            paths = session.scalars(select(Artefact.path).where(Artefact.document_id == document)).all()
            assert paths and all(path.split("/")[0] == level.code.lower() for path in paths)
            assert session.get_one(Document, document).level_code == level.code


# ---------------------------------------------------------------- departments


@pytest.fixture
def department(room: Room) -> Room:
    """A room whose finance department has a liaison and a reader."""
    system = room.as_("sysadmin", "account.add")
    security = room.as_("secadmin", "account.grant")
    for user, role in (("liaison", "unit_liaison"), ("fin", "reader")):
        people.add_person(room.station, system, person=f"p-{user}", name=f"人员{user}", dept="财务处")
        people.add_account(room.station, system, SECRETS, user=user, name=f"人员{user}", person=f"p-{user}")
        people.grant(room.station, security, user=user, roles=(role,), clearance="core")
    return room


@pytest.mark.req("R-095")
def test_a_department_clears_what_it_holds_once_a_month(department: Room) -> None:
    room = department
    with pytest.raises(UsageFault, match="department_unknown"):
        begin(room, "department_clearing", "clerk", department="无此处")
    first, second = carrier(room, room.document()), carrier(room, room.document())
    elsewhere = carrier(room, room.document())
    for one, person in ((first, "p-fin"), (second, "p-liaison"), (elsewhere, "p-reader")):
        move(room, "circulate", one, taker=person)
    matter = begin(room, "department_clearing", "clerk", department="财务处")

    def listed() -> dict[str, str]:
        shown = matter_book.show(room.station, room.as_("clerk", "matter.list"), matter=matter)
        return {item["id"]: item["state"] for item in shown["items"] if item["state"] != "former"}

    assert listed() == {first: "open", second: "open"}
    room.refused("holdings_differ", step, room, matter, "liaison", counted="1")
    told = step(room, matter, "liaison", "short", counted="1", missing=second)
    assert told["step"] == "settle"
    room.refused("role_missing", step, room, matter, "liaison", decision="算了")
    step(room, matter, "dir", decision="限期查找，找到后重新清点")
    assert listed() == {first: "cleared", second: "missing"}

    def due(day: date) -> list[str]:
        told = deadlines.due(room.station, room.as_("clerk", "due"), on=day)["items"]
        return [one["due"] for one in told if one["id"] == matter]

    assert due(date(2026, 12, 1)) == [] and due(date(2026, 12, 2)) == ["2026-12-02"]
    move(room, "read_back", first, words=BACK)
    room.clock.forward(hours=20)
    step(room, matter, "clerk")
    assert listed() == {second: "open"}
    assert step(room, matter, "liaison", counted="1")["step"] == "list"


# ---------------------------------------------------------------- violations, roles, audits


@pytest.mark.req("R-135", "R-136")
def test_a_violation_is_reported_acted_on_and_concluded(room: Room) -> None:
    matter = begin(room, "violation", "reader", facts="下班后文件未入柜")
    room.refused("role_missing", step, room, matter, "reader2", action="我来处置")
    room.refused("matter_binding", matter_book.cancel, room.station, room.as_("reader", "matter.do"),
                 matter=matter, reason="不报了")  # fmt: skip
    step(room, matter, "dir", action="当场收回，提醒教育")
    told = step(room, matter, "lead", "sanction", outcome="通报批评")
    assert told["state"] == "closed"
    assert [(one["step"], one["person"]) for one in told["steps"]] == [
        ("report", "p-reader"), ("act", "p-dir"), ("conclude", "p-lead"),
    ]  # fmt: skip
    assert (told["words"]["facts"], told["words"]["outcome"]) == ("下班后文件未入柜", "通报批评")
    assert "入柜" not in str(room.entries("matter.violation"))
    own = begin(room, "violation", "dir", facts="发现他人私自复印")
    room.refused("same_person_twice", step, room, own, "dir", action="自报自处")


@pytest.mark.req("R-137")
def test_the_roles_of_room_office_leaders_departments_and_committee_exist(room: Room) -> None:
    security = room.as_("secadmin", "account.grant")
    wanted = (
        "head_of_room", "office_director", "leader_in_charge", "principal", "unit_liaison", "committee_reviewer"
    )  # fmt: skip
    assert set(wanted) <= ROLES
    for role in wanted:
        told = people.grant(room.station, security, user="plain", roles=(role,), clearance=None)
        assert role in told["roles"]
    # the committee watches: it sees the count, and opens no document
    assert "committee_reviewer" in MAY["carriers.out"] and "committee_reviewer" not in MAY["text"]


@pytest.mark.req("R-134")
def test_a_change_of_rules_takes_effect_only_once_a_leader_signs_and_is_on_record(room: Room) -> None:
    text = room.station.policy_text.replace(
        "{key: small_room, default: false", "{key: small_room, default: true"
    )
    file = room.base / "other.yaml"
    file.write_text(text.replace('version: "', 'version: "x-', 1), "utf-8")
    told = policies.activate(room.station, room.as_("secadmin", "policy.activate"), file=file)
    assert told["state"] == "proposed" and not room.station.policy.small_room
    policies.activate(room.station, room.as_("lead", "policy.activate"), file=file)
    assert room.station.policy.small_room
    assert len(room.entries("policy.propose")) == 1 == len(room.entries("policy.activate"))


@pytest.mark.req("R-141")
def test_an_auditor_takes_evidence_away_and_opens_no_document(room: Room) -> None:
    document = room.document()
    carrier(room, document)
    room.as_("auditor", "ledger")
    out = room.base / "ledger.jsonl"
    told = ledgers.export(room.station, out=out)
    assert ledgers.verify_log(room.station)["ok"] and out.stat().st_size > 0 and told
    assert "样例事项" not in out.read_text("utf-8")
    counted = custody.count(room.station, room.as_("auditor", "carriers.out"))
    assert counted["differences"] == []
    for act in ("documents", "text", "export", "review"):
        with pytest.raises(Exception, match="role_missing"):
            actors.enter(room.station, user="auditor", act=act, secrets=SECRETS)
