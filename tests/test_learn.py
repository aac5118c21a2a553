"""How often persons agreed with the machine: counts from register and events, and what they never say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period
from jiyao.models.suggestion import Retention
from jiyao.pipeline.learning import learning
from jiyao.pipeline.review import review
from room_kit import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "room")


def told(room: Room, month: str | None = None) -> dict[str, Any]:
    return learning.report(room.station, room.as_("auditor", "learn.report"), month=month)


def total(room: Room, **wanted: int) -> None:
    counted = told(room)["totals"]["level"]
    assert {name: counted[name] for name in wanted} == wanted


def override(room: Room, document: str, level: Level, *, seconds: str = "det") -> None:
    review.set_values(
        room.station, room.as_("rev", "review"), document=document, reason="内容与建议不符", level=level
    )
    review.accept(room.station, room.as_(seconds, "review.accept"), documents=(document,))


@pytest.mark.req("R-169")
def test_what_was_confirmed_raised_lowered_and_abstained_from_is_counted(room: Room) -> None:
    room.paper(level=Level.COMPANY_SECRET)
    room.document(level=Level.COMPANY_SECRET)
    override(room, room.paper(level=Level.COMPANY_SECRET), Level.COMPANY_TOP)
    override(room, room.paper(level=Level.COMPANY_SECRET), Level.COMPANY_CONFIDENTIAL)
    override(room, room.paper(level=None, interim=Level.STATE_SECRET), Level.STATE_CONFIDENTIAL)
    total(room, suggested=5, waiting=1, confirmed=1, up=1, down=1, abstained=1, other=0)
    rows = {row["level"]: row for row in told(room)["levels"]}
    assert set(rows) == {"公司机密", "机密"}
    assert (rows["公司机密"]["agreement"], rows["机密"]["agreement"]) == (0.333, None)
    low, high = rows["公司机密"]["interval"]
    assert 0.05 < low < 0.333 < high < 0.8


def test_rows_are_by_month_level_and_rule(room: Room) -> None:
    room.document(level=Level.INTERNAL)
    for _ in range(36):
        room.clock.forward(hours=20)
        told(room)  # the clock may not jump further than a day past the newest entry
    room.document(level=Level.INTERNAL)
    months = [row["month"] for row in told(room)["levels"]]
    assert months == ["2026-11", "2026-12"]
    assert told(room, "2026-12")["documents"] == 1
    assert told(room, "2026-10")["levels"] == []


def test_retention_that_the_archivist_changed_is_counted(room: Room) -> None:
    for retention in (Retention.THIRTY, Retention.NOT_FILED, None):
        document = room.paper(retention=Retention.TEN)
        if retention is not None:
            review.set_values(
                room.station,
                room.as_("arch", "review"),
                document=document,
                reason="鉴定",
                retention=retention,
            )
        review.accept(room.station, room.as_("clerk", "review.accept"), documents=(document,))
    counted = told(room)["totals"]["retention"]
    assert (counted["longer"], counted["shorter"], counted["confirmed"]) == (1, 1, 1)


def test_a_misreading_is_counted_as_one(room: Room) -> None:
    mark = Mark(level=Level.STATE_SECRET, period=Period("years", number=10), star=True, raw="机密★10年")
    document = room.paper(level=Level.STATE_SECRET, mark=mark)
    review.set_values(
        room.station, room.as_("clerk", "review"), document=document, reason="看错",
        level=Level.STATE_CONFIDENTIAL, misread=True,
    )  # fmt: skip
    review.accept(room.station, room.as_("clerk2", "review.accept"), documents=(document,))
    total(room, misread=1, down=1)


def test_figures_outlive_destruction_and_leave_out_what_was_replaced(room: Room) -> None:
    gone = room.expired()
    replaced = room.document()
    before = told(room)["totals"]
    room.until("verified", gone)
    assert told(room)["totals"] == before
    room.change(replaced, status="void")
    assert told(room)["documents"] == 1


def test_the_report_says_nothing_of_any_document(room: Room) -> None:
    document = room.document("关于极为特别的题名的函", text="极为特别的正文")
    said = json.dumps(told(room), ensure_ascii=False)
    assert "特别" not in said and document not in said and "乌有" not in said
    entry = room.last_entry()
    assert (entry["act"], entry["facts"]) == ("learn.report", {"month": "all", "documents": 1})


@pytest.mark.parametrize("month", ["2026", "2026-13", "11", "2026-11-01"])
def test_a_month_that_is_none_is_refused(room: Room, month: str) -> None:
    with pytest.raises(UsageFault) as caught:
        told(room, month)
    assert caught.value.code == "bad_month"
