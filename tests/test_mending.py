"""Mistakes are put right without losing the trail: old values stay, numbers are never reused, levels need two."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.pipeline.desk import custody
from jiyao.pipeline.intake import receipt
from jiyao.pipeline.papers import documents
from jiyao.pipeline.review import mending, review
from room_kit import Room
from test_custody import carrier


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def amend(room: Room, document: str, by: str = "clerk", **fields: str) -> dict[str, object]:
    return mending.amend(
        room.station, room.as_(by, "amend"), document=document, fields=fields, reason="登记时录错"
    )


def void(room: Room, document: str, by: str, **given: str) -> dict[str, object]:
    return mending.void(room.station, room.as_(by, "void"), document=document, reason="重复登记", **given)


@pytest.mark.req("R-003", "R-023")
def test_a_field_is_put_right_and_the_old_value_stays(room: Room) -> None:
    document = room.document("关于样例事项的涵")
    told = amend(room, document, title="关于样例事项的函")
    assert (told["title"], told["status"], told["confirmed"]) == ("关于样例事项的函", "registered", True)
    shown = review.show_review(room.station, room.as_("clerk", "review"), document=document)
    (change,) = [row for row in shown["history"] if row.get("field") == "title"]
    assert (change["old"], change["new"], change["person"]) == (
        "关于样例事项的涵",
        "关于样例事项的函",
        "p-clerk",
    )
    assert "函" not in str(room.entries("documents.amend"))
    with pytest.raises(UsageFault):
        amend(room, document, colour="red")


@pytest.mark.req("R-039")
def test_a_level_or_date_put_right_is_accepted_by_another(room: Room) -> None:
    document = room.document(level=Level.COMPANY_CONFIDENTIAL)
    told = amend(room, document, by="rev", level="公司机密")
    assert (told["level"], told["confirmed"], told["status"]) == ("公司机密", False, "pending")
    accept = (review.accept, room.station)
    room.refused("same_person_twice", *accept, room.as_("rev", "review.accept"), documents=(document,))
    review.accept(room.station, room.as_("det", "review.accept"), documents=(document,))
    assert amend(room, document, date="2013-01-01")["confirmed"] is False


def test_an_unconfirmed_paper_is_not_amended(room: Room) -> None:
    room.refused("not_amendable", amend, room, room.paper(), title="别名")


@pytest.mark.req("R-016")
def test_two_persons_void_an_entry_and_its_original_goes_to_the_other(room: Room) -> None:
    wrong, right = room.document(), room.document()
    one = carrier(room, wrong)
    room.refused("void_originals", void, room, wrong, "clerk")
    assert void(room, wrong, "clerk", replaced_by=right)["status"] == "registered"
    room.refused("same_person_twice", void, room, wrong, "clerk")
    assert void(room, wrong, "clerk2")["status"] == "void"
    (moved,) = custody.list_carriers(room.station, room.as_("clerk", "carriers.list"), document=right)[
        "objects"
    ]
    assert moved["object"] == one
    assert custody.count(room.station, room.as_("clerk", "carriers.out"))["differences"] == []
    room.refused("not_amendable", void, room, wrong, "clerk")
    shown = documents.show_document(room.station, room.as_("clerk", "documents"), document=wrong)
    assert shown["status"] == "void"
    with room.station.write() as session:
        new = receipt.new_document(
            room.station, session, receipt=receipt.get_receipt(session, room.row(right).receipt_id)
        )
        assert new.id > max(wrong, right)


def test_an_entry_with_a_copy_out_is_not_voided(room: Room) -> None:
    document = room.document()
    room.copy(document)
    room.refused("void_copies", void, room, document, "clerk")
    with pytest.raises(UsageFault, match="void_itself"):
        other = room.document()
        void(room, other, "clerk", replaced_by=other)
