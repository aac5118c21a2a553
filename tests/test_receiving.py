"""Receiving in full: what was declared against what came, sealed mail for a person, things that are not scanned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.common.errors import UsageFault
from jiyao.models.fields import OfficialFields
from jiyao.models.level import Level
from jiyao.models.tables import Carrier, Document, Matter, Receipt
from jiyao.pipeline.desk import custody, matter_book
from jiyao.pipeline.intake import discrepancy, receipt
from jiyao.pipeline.intake.receipt import Arrival
from jiyao.pipeline.papers import documents
from jiyao.pipeline.review import review
from room_kit import Room


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    # drawing the slip loads fonts; its own tests look at it
    monkeypatch.setattr(receipt, "draw_slip", lambda _spec: b"%PDF-")
    return Room(tmp_path)


def receive(room: Room, **given: Any) -> dict[str, Any]:
    arrival = Arrival(organ="乌有县局", **given)
    return receipt.receive(room.station, room.as_("clerk", "receive"), arrival)


def open_matters(room: Room, document: str) -> list[Matter]:
    with room.station.read() as session:
        rows = session.scalars(
            select(Matter).where(Matter.document_id == document, Matter.state == "open")
        ).all()
        session.expunge_all()
        return list(rows)


def step(room: Room, matter: str, by: str, **given: Any) -> dict[str, Any]:
    return matter_book.do_step(room.station, room.as_(by, "matter.do"), matter=matter, **given)


@pytest.mark.req("R-004")
def test_fewer_copies_than_declared_open_a_discrepancy_that_blocks(room: Room) -> None:
    told = receive(room, copies=3, counted=2, serials=("000012", "000013"), level=Level.STATE_CONFIDENTIAL,
                   title="关于样例的通知", unscanned=True)  # fmt: skip
    (matter,) = open_matters(room, told["id"])
    assert (matter.kind, matter.step) == ("discrepancy", "ask")
    with room.station.read() as session:
        rows = session.scalars(select(Carrier).where(Carrier.document_id == told["id"])).all()
        assert [row.serial for row in rows] == ["000012", "000013"] and all(
            row.holder == "p-clerk" for row in rows
        )
    accept = (review.accept, room.station, room.as_("clerk", "review.accept"))
    room.refused("matter_blocks", *accept, documents=(told["id"],))
    step(room, matter.id, "clerk", words={"answer": "来文单位确认少装一份"})
    room.refused("role_missing", step, room, matter.id, "clerk", words={"decision": "按实收登记"})
    step(room, matter.id, "dir", words={"decision": "按实收登记"})
    confirmed = review.accept(room.station, room.as_("clerk", "review.accept"), documents=(told["id"],))
    assert confirmed["confirmed"] and confirmed["copies_received"] == 2


def test_as_many_as_declared_open_nothing(room: Room) -> None:
    assert open_matters(room, receive(room, copies=2, counted=2)["id"]) == []


@pytest.mark.req("R-004")
@pytest.mark.parametrize(
    ("declared", "read", "differs"),
    [
        ({"number": "乌有函〔2026〕1号"}, {"doc_number": "乌有函〔2026〕7号"}, "number"),
        ({"number": "乌有函〔2026〕1号"}, {"doc_number": "乌有函 〔2026〕 １号"}, ""),
        ({"serials": ("000001",)}, {"serials": ("000002",)}, "serials"),
        ({"serials": ("000001",)}, {"serials": ("000001",)}, ""),
        ({"pages": 5}, {}, "pages"),
        ({"pages": 1}, {}, ""),
        ({"level": Level.STATE_CONFIDENTIAL}, {"level": Level.STATE_SECRET}, "level"),
        ({}, {"doc_number": "乌有函〔2026〕7号"}, ""),
    ],
)
def test_what_was_read_is_compared_with_what_was_declared(
    room: Room, declared: dict[str, Any], read: dict[str, Any], differs: str
) -> None:
    told = receive(room, **declared)
    level = read.pop("level", None)
    with room.station.write() as session:
        row = session.get_one(Document, told["id"])
        row.pages, row.read_level_code = 3, level.code if level else None
        discrepancy.of_reading(
            room.station, session, room.as_("clerk", "receive"), row,
            receipt=session.get_one(Receipt, told["receipt"]),
            declared={"doc_number": declared.get("number"), "serials": list(declared.get("serials", ()))},
            fields=OfficialFields(**read),
        )  # fmt: skip
    found = open_matters(room, told["id"])
    assert bool(found) == bool(differs)
    if found:
        assert found[0].step == "check"
        shown = matter_book.show(room.station, room.as_("clerk", "matter.list"), matter=found[0].id)
        assert shown["words"]["differs"] == differs
        assert step(room, found[0].id, "clerk", result="misread")["state"] == "closed"


@pytest.mark.req("R-006", "R-019")
def test_a_thing_that_is_not_scanned_is_registered_and_followed(room: Room) -> None:
    with pytest.raises(UsageFault, match="title_needed"):
        receive(room, carrier="object", unscanned=True)
    told = receive(room, carrier="object", unscanned=True, title="样机一台", level=Level.COMPANY_SECRET)
    review.accept(room.station, room.as_("clerk", "review.accept"), documents=(told["id"],))
    shown = documents.show_document(room.station, room.as_("clerk", "documents"), document=told["id"])
    assert (shown["status"], shown["level"], shown["title"]) == ("registered", "公司机密", "样机一台")
    (one,) = custody.list_carriers(room.station, room.as_("clerk", "carriers.list"), document=told["id"])[
        "objects"
    ]
    assert (one["state"], one["holder"]) == ("held", "p-clerk")


def test_an_unmarked_thing_waits_for_a_level(room: Room) -> None:
    told = receive(room, carrier="usb", unscanned=True, title="移动硬盘")
    room.refused(
        "level_needed",
        review.accept,
        room.station,
        room.as_("clerk", "review.accept"),
        documents=(told["id"],),
    )


@pytest.mark.req("R-005")
def test_sealed_mail_for_a_person_is_handed_over_unopened(room: Room) -> None:
    told = receive(room, addressee="p-lead")
    (matter,) = open_matters(room, told["id"])
    assert matter.kind == "personal_mail"
    room.refused(
        "matter_blocks",
        receipt.to_be_read,
        room.station,
        room.as_("clerk", "ingest"),
        receipt=told["receipt"],
    )

    def holder() -> str | None:
        listed = custody.list_carriers(room.station, room.as_("clerk", "carriers.list"), document=told["id"])[
            "objects"
        ]
        return str(listed[0]["holder"])

    step(room, matter.id, "clerk")
    assert holder() == "p-lead"
    step(room, matter.id, "clerk2", result="to_register", words={"outcome": "收件人交室登记"})
    assert holder() == "p-clerk2"
    receipt.to_be_read(room.station, room.as_("clerk", "ingest"), receipt=told["receipt"])
