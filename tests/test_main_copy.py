"""The main copy bears the retention; what is surplus is not filed, and goes only while the main copy stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiyao.models.suggestion import Retention
from jiyao.models.tables import Carrier, Document
from jiyao.pipeline.destruction import batch as destruction
from jiyao.pipeline.papers import documents
from jiyao.pipeline.papers.main_copy import main_of, retention_of
from room_kit import Room

STATES = ["held", "out", "lent", "carried", "transit", "archived", "returned", "handed_over", "missing", "lost",
          "destroyed"]  # fmt: skip


@given(st.lists(st.sampled_from(STATES), max_size=6), st.sampled_from(list(Retention)))
def test_one_original_at_most_bears_the_retention(states: list[str], retention: Retention) -> None:
    carriers = [Carrier(id=f"D-Z{number}", state=state) for number, state in enumerate(states)]
    document = Document(id="D", retention=retention.value)
    main = main_of(carriers)
    kept = {one.id: retention_of(one, carriers, document) for one in carriers}
    for one in carriers:
        if main is not None and one.id == main.id:
            assert kept[one.id] == retention.value
        else:
            assert kept[one.id] in (None, "不归档")
    if "archived" in states:
        assert main is not None and main.state == "archived"
    assert (main is None) == (not set(states) & {"held", "out", "lent", "carried", "transit", "archived"})


def originals(room: Room, document: str, *states: str) -> None:
    with room.station.write() as session:
        row = session.get_one(Document, document)
        for number, state in enumerate(states, start=1):
            session.add(
                Carrier(id=f"{document}-Z{number}", receipt_id=row.receipt_id, document_id=document, type="paper",
                        serial=f"{number:06d}", state=state, place="3号柜" if number == 1 else None)
            )  # fmt: skip


def proposed(room: Room, copy: str) -> dict[str, Any]:
    value = destruction.propose(
        room.station,
        room.as_("clerk", "destroy.propose"),
        copies=(copy,),
        reason="surplus_copy",
        dry_run=True,
    )
    return dict(value["items"][0])


@pytest.mark.req("R-049", "R-118")
def test_further_originals_are_surplus(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document(retention=Retention.PERMANENT)
    originals(room, document, "held", "held", "returned")
    shown = documents.show_document(room.station, room.as_("clerk", "documents"), document=document)
    assert [one["retention"] for one in shown["carriers"]] == ["永久", "不归档", None]


@pytest.mark.req("R-118")
def test_a_surplus_copy_goes_only_while_the_main_copy_is_there(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document()
    copy = room.copy(document, status="returned")
    assert (proposed(room, copy)["blocks"], proposed(room, copy)["archive_copy_at"]) == ([], "vault")
    originals(room, document, "held", "held")
    assert proposed(room, copy)["archive_copy_at"] == "3号柜"
    with room.station.write() as session:
        for number in (1, 2):
            session.get_one(Carrier, f"{document}-Z{number}").state = "missing"
    item = proposed(room, copy)
    assert [one["code"] for one in item["blocks"]] == ["main_copy_gone"] and item["archive_copy_at"] is None
