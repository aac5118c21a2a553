"""Retention in the register: clocks that wait, what only the archivist says, filing, and the list of what falls due."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.common.errors import JiyaoError
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.suggestion import Retention
from jiyao.models.tables import Copy, DestructionItem, Document
from jiyao.pipeline.desk import deadlines, handling, timers
from jiyao.pipeline.papers import appraisal
from jiyao.pipeline.review import review
from room_kit import Room
from terms_kit import happen, kinds, put, show

# ---------------------------------------------------------------- retention


def lease(room: Room, **given: Any) -> str:
    """A paper whose years wait for the end of a contract."""
    document = room.document("关于虚构房屋租赁合同的函", **given)
    put(room, document, "arch", retention=Retention.TEN)
    review.accept(room.station, room.as_("clerk", "review.accept"), documents=(document,))
    return document


@pytest.mark.req("R-053", "R-124")
def test_a_clock_that_was_not_started_destroys_nothing(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = lease(room)
    term = show(room, document)["retention_term"]
    assert (term["state"], term["event"], term["ends"]) == ("waiting", "合同履行完毕", None)
    assert "retention_event" in dict(kinds(room, "2027-12-31", document))
    appraisal.appraise(room.station, room.as_("arch", "appraise"), document=document, reason="已鉴定")
    blocks = room.propose(document)["items"][0]["blocks"]
    assert [(one["code"], one["event"]) for one in blocks] == [("clock_not_started", "合同履行完毕")]
    batch = room.show(deadlines_batch(room, document))
    room.refused("blocked", room.count, batch["id"], "clerk")


def deadlines_batch(room: Room, document: str) -> str:
    with room.station.read() as session:
        return session.scalars(
            select(DestructionItem.destruction_id).where(DestructionItem.item_id == document)
        ).one()


@pytest.mark.req("R-053")
def test_the_event_starts_the_years_and_stands_in_the_ledger(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = lease(room, signed=date(2009, 3, 1))
    room.refused("event_before_paper", happen, room, document, "arch", "retention_start", "2008-12-31")
    value = happen(room, document, "arch", "retention_start", "2014-06-30")
    assert (value["retention_until"], value["retention_term"]["event_on"]) == ("2025-01-01", "2014-06-30")
    entry = room.entries("documents.event")[-1]
    assert (entry["person"], entry["objects"], entry["facts"]["on"]) == ("p-arch", [document], "2014-06-30")
    assert entry["reason_hash"] and "来函" not in str(entry)
    appraisal.appraise(room.station, room.as_("arch", "appraise"), document=document, reason="已鉴定")
    assert room.propose(document)["items"][0]["blocks"] == []
    later = happen(room, document, "arch", "retention_start", "2024-06-30")
    assert later["retention_until"] == "2035-01-01" and not later["appraised"], "a correction counts anew"
    seen = review.show_review(room.station, room.as_("arch", "review"), document=document)["history"]
    days = [(event["old"], event["new"]) for event in seen if event["what"] == "retention_clock"]
    assert days == [(None, "2014-06-30"), ("2014-06-30", "2024-06-30")]


def test_the_archivist_says_what_the_years_wait_for(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document("关于样例事项的函", signed=date(2012, 3, 1))
    room.refused("no_event_awaited", happen, room, document, "arch", "retention_start", "2014-06-30")
    waiting = put(room, document, "arch", fields={"retention_event": "结案"})
    assert (waiting["retention_until"], waiting["retention_term"]["state"]) == (None, "waiting")
    plain = put(room, document, "arch", fields={"retention_event": ""})
    assert plain["retention_until"] == "2023-01-01"
    with pytest.raises(JiyaoError) as caught:
        put(room, document, "arch", fields={"retention_event": "天下雨"})
    assert caught.value.code == "bad_value"
    room.refused("role_missing", put, room, document, "clerk", fields={"retention_event": "结案"})


@pytest.mark.req("R-053")
def test_importance_that_nobody_judged_is_asked_and_destroys_nothing(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document("关于申请经费的函", signed=date(2012, 3, 1))
    assert put(room, document, "clerk", fields={"origin": "peer"})["retention"] == "永久"
    review.accept(room.station, room.as_("clerk", "review.accept"), documents=(document,))
    asked = show(room, document)["retention_term"]
    assert asked["asks_archivist"] and "retention_asked" in dict(kinds(room, "2027-01-01", document))
    room.refused(
        "retention_open", appraisal.appraise, room.station, room.as_("arch", "appraise"),
        document=document, reason="x",
    )  # fmt: skip
    by_desk = put(room, document, "clerk", fields={"important": "false"})
    assert by_desk["retention_term"]["asks_archivist"], "the desk's word alone settles nothing"
    settled = put(room, document, "arch", fields={"important": "false"})
    assert settled["retention"] == "30年" and not settled["retention_term"]["asks_archivist"]
    assert settled["suggested"]["retention"] == "30年"


def test_what_the_archivist_set_by_hand_stays(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document("关于申请经费的函")
    put(room, document, "arch", retention=Retention.TEN)
    assert put(room, document, "arch", fields={"important": "true"})["retention"] == "10年"


@pytest.mark.req("R-049")
def test_circumstances_that_a_person_says_exclude_from_filing(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document("关于印发虚构办法的通知")
    put(room, document, "clerk", fields={"origin": "superior"})
    value = put(room, document, "arch", fields={"flags": "普发性、不需办理"})
    assert (value["retention"], value["retention_flags"]) == ("不归档", ["普发性", "不需办理"])
    with pytest.raises(JiyaoError) as caught:
        put(room, document, "arch", fields={"flags": "好看"})
    assert caught.value.code == "bad_value"


# ---------------------------------------------------------------- filing and the list of what is due


@pytest.mark.req("R-046", "R-047", "R-048", "R-052")
@pytest.mark.parametrize(
    ("choice", "finished", "due"),
    [
        ("one_month_after_handling", "2027-01-31", "2027-02-28"),
        ("one_month_after_handling", "2028-01-31", "2028-02-29"),
        ("one_month_after_handling", "2026-11-02", "2026-12-02"),
        ("next_year_by_date", "2026-05-20", "2027-03-31"),
        ("year_end", "2026-05-20", "2026-12-31"),
    ],
)
def test_filing_is_due_as_the_unit_chose(choice: str, finished: str, due: str) -> None:
    text = default_policy_text().replace("default: one_month_after_handling", f"default: {choice}")
    assert handling.archive_by(parse_policy(text), date.fromisoformat(finished)).isoformat() == due


@pytest.mark.req("R-046", "R-052")
def test_what_was_handled_is_due_for_filing_and_not_before(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document(retention=Retention.PERMANENT)
    assert ("archive", "2026-12-02") in kinds(room, "2026-12-02", document)
    copy = room.copy(document)
    assert "archive" not in dict(kinds(room, "2030-01-01", document)), "handling has not ended"
    with room.station.write() as session:
        session.get_one(Copy, copy).status = "returned"
    assert "archive" in dict(kinds(room, "2030-01-01", document))


@pytest.mark.req("R-050", "R-052")
def test_what_somebody_still_holds_is_listed_with_the_holder(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document()
    copy = room.copy(document, holder="p-reader")
    with room.station.write() as session:
        timers.begin(
            room.station, session, "copy_return", kind="copy", object_id=copy,
            document=session.get_one(Document, document), holder="p-reader", due=date(2026, 11, 5),
        )  # fmt: skip
    assert "copy_return" not in dict(kinds(room, "2026-11-04"))
    value = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 11, 30))
    held = next(one for one in value["items"] if one["kind"] == "copy_return")
    assert (held["id"], held["holder"], held["due"], held["action"]) == (
        copy,
        "p-reader",
        "2026-11-05",
        "collect",
    )
    assert "archive" not in {one["kind"] for one in value["items"]}


@pytest.mark.req("R-053")
def test_what_has_expired_is_listed_with_what_is_next(tmp_path: Path) -> None:
    room = Room(tmp_path)
    old = room.document(signed=date(2012, 3, 1))
    young = room.document(signed=date(2024, 3, 1))
    value = deadlines.due(room.station, room.as_("arch", "due"))
    ended = [one for one in value["items"] if one["kind"] == "retention_end"]
    assert [(one["id"], one["due"], one["role"], one["action"]) for one in ended] == [
        (old, "2023-01-01", "archivist", "appraise")
    ]
    assert ended[0]["days"] < 0 and value["on"] == "2026-11-02"
    appraisal.appraise(room.station, room.as_("arch", "appraise"), document=old, reason="已鉴定")
    assert ("retention_end", "2035-01-01") in kinds(room, "2035-01-01", young)
    again = deadlines.due(room.station, room.as_("arch", "due"))["items"]
    assert next(one for one in again if one["kind"] == "retention_end")["action"] == "propose_destruction"


def test_the_list_changes_nothing(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = lease(room)
    before = show(room, document)
    first = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2060, 1, 1))
    assert first == deadlines.due(room.station, room.as_("clerk", "due"), on=date(2060, 1, 1))
    assert show(room, document) == before
    with room.station.read() as session:
        assert session.get_one(Document, document).confirmed
