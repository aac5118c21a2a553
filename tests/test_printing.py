"""Printing: through a pipe, one run one entry, as many as approved, spoiled pages counted and destroyed by two."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from copy_kit import letter
from jiyao.common.errors import JiyaoError, MissingTool
from jiyao.models.level import Level
from jiyao.models.tables import Clear, Copy, Matter
from jiyao.pipeline.copies import issuing, printing
from jiyao.pipeline.desk import custody, matter_book
from jiyao.pipeline.persons import approvals, circle
from room_kit import Room

LP = """#!/bin/sh
# stands in for the system's own lp: keeps what it was called with, and the number of bytes it was given
printf '%s\n' "$*" >> "{log}"
cat > "{base}/job.$(wc -l < "{log}" | tr -d ' ')"
[ ! -e "{base}/jam" ] || [ "$(wc -l < "{log}")" -lt 2 ]
"""


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    programs = tmp_path / "bin"
    programs.mkdir()
    lp = programs / "lp"
    lp.write_text(LP.format(log=tmp_path / "lp.log", base=tmp_path))
    lp.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return Room(tmp_path)


def paper(room: Room, *persons: str) -> str:
    document = room.document(level=Level.COMPANY_SECRET, data=letter(2))
    circle.set_circle(
        room.station, room.as_("lead", "circle"), document=document, persons=("p-lead", *persons)
    )
    return document


def approve(room: Room, document: str, copies: int | None) -> None:
    asked = approvals.request(
        room.station,
        room.as_("clerk", "approval.request"),
        act="distribute",
        documents=(document,),
        copies=copies,
    )
    approvals.give(room.station, room.as_("lead", "approval.give"), approval=asked["id"])


def run(room: Room, document: str, *to: str) -> dict[str, Any]:
    return printing.print_copies(
        room.station, room.as_("clerk", "copies.issue"), document=document, to=to, printer="涉密1号"
    )


@pytest.mark.req("R-058", "R-062", "R-123", "R-167")
def test_a_run_is_one_entry_with_its_pages_and_spoiled_pages(room: Room) -> None:
    document = paper(room, "p-reader", "p-reader2")
    approve(room, document, 2)
    told = run(room, document, "p-reader", "p-reader2")
    assert told["pages"] == 4 and [copy["pages"] for copy in told["copies"]] == [2, 2]
    calls = (room.base / "lp.log").read_text().splitlines()
    assert calls == [f"-n 1 -t {document}-C{number} -d 涉密1号 -" for number in (1, 2)]
    assert (room.base / "job.1").read_bytes()[:5] == b"%PDF-"
    (entry,) = room.entries("print.run")
    assert entry["facts"] == {"copies": 2, "pages": 4} and entry["rule_or_approval"].startswith("A")
    refused = room.refused("more_than_approved", run, room, document, "p-lead")
    assert refused.facts["approved"] == 2
    with room.station.read() as session:
        places = session.scalars(select(Clear).where(Clear.kind == "print")).all()
        assert [place.holder for place in places] == ["p-reader", "p-reader2"]
        assert {copy.out for copy in session.scalars(select(Copy))} == {False}
    after = printing.close_run(room.station, room.as_("clerk", "copies.issue"), run=told["run"], spoiled=3)
    assert (after["step"], after["words"]["spoiled"]) == ("approve", 3)
    with room.station.read() as session:
        (used,) = printing.paper_used(room.station, session, session.scalars(select(Matter)).all())
    assert (used["pages"], used["spoiled"], used["copies"]) == (4, 3, 2)
    do = (matter_book.do_step, room.station)
    shred = {"matter": told["run"], "words": {"method": "shred"}}
    room.refused("role_missing", *do, room.as_("sup1", "matter.do"), **shred)
    assert do[0](room.station, room.as_("dir", "matter.do"), matter=told["run"])["step"] == "destroy"
    assert do[0](room.station, room.as_("clerk", "matter.do"), **shred)["state"] == "open"
    room.refused("same_person_twice", *do, room.as_("clerk", "matter.do"), **shred)
    assert do[0](room.station, room.as_("sup1", "matter.do"), **shred)["state"] == "closed"


@pytest.mark.slow
@pytest.mark.req("R-058")
def test_a_jam_leaves_no_copy_that_nobody_holds(room: Room) -> None:
    document = paper(room, "p-reader", "p-reader2")
    approve(room, document, 2)
    (room.base / "jam").touch()
    with pytest.raises(JiyaoError, match="printing_failed"):
        run(room, document, "p-reader", "p-reader2")
    with room.station.read() as session:
        states = {copy.number: copy.status for copy in session.scalars(select(Copy))}
        assert states == {1: "issued", 2: "returned"}
        (run_id,) = session.scalars(select(Matter.id).where(Matter.kind == "print_run")).all()
        places = session.scalars(select(Clear.state).where(Clear.kind == "print").order_by(Clear.id))
        assert places.all() == ["outstanding", "erased"]
    assert custody.count(room.station, room.as_("clerk", "carriers.out"))["differences"] == []
    assert printing.close_run(
        room.station, room.as_("clerk", "copies.issue"), run=run_id, spoiled=0
    )["state"] == "closed"  # fmt: skip
    (room.base / "jam").unlink()
    assert run(room, document, "p-reader2")["copies"][0]["number"] == 3


def test_without_a_print_command_nothing_is_issued(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    document = paper(room, "p-reader")
    monkeypatch.setenv("PATH", str(room.base))
    with pytest.raises(MissingTool, match="printer_missing"):
        run(room, document, "p-reader")
    with room.station.read() as session:
        assert session.scalars(select(Copy)).all() == []


@pytest.mark.req("R-058")
def test_files_count_against_the_approval_like_prints(room: Room) -> None:
    document = paper(room, "p-reader", "p-reader2")
    approve(room, document, 1)
    issue = (issuing.issue, room.station, room.as_("clerk", "copies.issue"))
    folder = issuing.Folder(room.base / "out")
    issue[0](*issue[1:], document=document, to=("p-reader",), sink=folder)
    room.refused("more_than_approved", *issue, document=document, to=("p-reader2",), sink=folder)
