"""Review: who confirms, who overrides, and what is never lowered (cli.md; R-023, R-039; BMF art. 16)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period
from jiyao.models.suggestion import Retention
from jiyao.pipeline.review import review
from room_kit import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def years(number: int) -> Period:
    return Period("years", number)


def put(room: Room, document: str, by: str, *, reason: str = "核对原件", **given: Any) -> dict[str, Any]:
    act = "review.level" if {"level", "period"} & given.keys() else "review"
    if given.get("misread"):
        act = "review.misread"
    return review.set_values(room.station, room.as_(by, act), document=document, reason=reason, **given)


def accept(room: Room, document: str, by: str) -> dict[str, Any]:
    return review.accept(room.station, room.as_(by, "review"), documents=(document,))


def history(room: Room, document: str) -> list[dict[str, Any]]:
    value = review.show_review(room.station, room.as_("det", "review"), document=document)
    events: list[dict[str, Any]] = value["history"]
    return events


@pytest.mark.req("R-023", "R-039")
def test_the_clerk_alone_accepts_what_is_unchanged(room: Room) -> None:
    for given in ({}, {"mark": Mark(Level.STATE_SECRET, years(20), star=True), "level": Level.STATE_SECRET}):
        document = room.paper(**given)
        assert room.row(document).status == "pending" and not room.row(document).confirmed
        value = accept(room, document, "clerk")
        assert (value["status"], value["confirmed"]) == ("registered", True)
        room.refused("not_in_review", accept, room, document, "clerk")
    assert accept(room, room.paper(), "scan")["confirmed"]
    room.refused("role_missing", accept, room, room.paper(), "arch")


@pytest.mark.req("R-039", "R-041")
def test_without_a_level_nothing_is_confirmed(room: Room) -> None:
    document = room.paper(level=None, interim=Level.STATE_SECRET, must_review=True)
    room.refused("level_needed", accept, room, document, "clerk")
    room.refused("level_needed", accept, room, document, "det")
    value = put(room, document, "det", level=Level.STATE_SECRET)
    assert (value["status"], value["level"], value["level_basis"]) == ("pending", "机密", "content")
    value = accept(room, document, "det2")
    assert value["confirmed"] and value["interim_level"] is None


@pytest.mark.req("R-039")
def test_set_does_not_confirm_and_another_determiner_accepts(room: Room) -> None:
    document = room.document()
    value = put(room, document, "rev", level=Level.COMPANY_SECRET, reason="含经营数据")
    assert (value["status"], value["confirmed"], value["level"]) == ("pending", False, "公司机密")
    room.refused("role_missing", accept, room, document, "clerk")
    room.refused("same_person_twice", accept, room, document, "rev")
    value = accept(room, document, "det")
    assert (value["status"], value["confirmed"]) == ("registered", True)
    own = room.paper()
    put(room, own, "det", level=Level.WORK)
    room.refused("same_person_twice", accept, room, own, "det")
    room.refused("role_missing", accept, room, own, "rev")
    assert accept(room, own, "det2")["confirmed"]


@pytest.mark.req("R-039")
def test_a_period_set_needs_the_same_second_person(room: Room) -> None:
    document = room.paper(level=Level.COMPANY_SECRET, period=years(5))
    assert put(room, document, "det", period="8年")["secrecy_period"] == "8年"
    room.refused("role_missing", accept, room, document, "clerk")
    assert accept(room, document, "det2")["secrecy_until"] == "2020-03-01"
    with pytest.raises(UsageFault):
        put(room, document, "det", period="很久")


@pytest.mark.req("R-039")
def test_below_the_suggestion_waits_for_a_second_whom_a_reviewer_suffices(room: Room) -> None:
    document = room.paper(level=Level.COMPANY_SECRET)
    value = put(room, document, "det", level=Level.INTERNAL, reason="内容已公开")
    assert (value["status"], value["level"], value["suggested"]["level"]) == (
        "pending_second",
        "内部",
        "公司机密",
    )
    room.refused("role_missing", accept, room, document, "clerk")
    room.refused("same_person_twice", accept, room, document, "det")
    value = accept(room, document, "rev")
    assert value["confirmed"] and value["suggested"]["level"] == "公司机密", "the suggestion stays on record"
    again = put(room, document, "rev", level=Level.COMPANY_CONFIDENTIAL)
    assert again["status"] == "pending_second", "still below what was suggested"


@pytest.mark.req("R-039", "R-041")
def test_below_an_interim_protection_counts_as_lowered(room: Room) -> None:
    document = room.paper(level=None, interim=Level.STATE_SECRET)
    assert put(room, document, "det", level=Level.INTERNAL)["status"] == "pending_second"
    room.refused("role_missing", accept, room, document, "clerk")
    assert accept(room, document, "det2")["confirmed"]


@pytest.mark.req("R-039", "R-034")
@pytest.mark.parametrize("lower", [Level.COMPANY_CONFIDENTIAL, Level.INTERNAL, Level.PUBLIC, Level.WORK])
def test_a_read_mark_is_never_lowered(room: Room, lower: Level) -> None:
    document = room.paper(level=Level.COMPANY_SECRET, mark=Mark(Level.COMPANY_SECRET, years(10)))
    for user in ("det", "rev"):
        room.refused("mark_never_lowered", put, room, document, user, level=lower)
    assert room.row(document).level_code == "C2"
    assert put(room, document, "det", level=Level.COMPANY_TOP, period="10年")["status"] == "pending"
    room.refused("mark_never_lowered", put, room, document, "det2", level=lower)
    accept(room, document, "det2")
    room.refused("mark_never_lowered", put, room, document, "det", level=lower)


@pytest.mark.req("R-039", "R-034", "R-026")
def test_the_period_of_a_read_mark_is_never_shortened(room: Room) -> None:
    def paper(level: Level, period: Period | None) -> str:
        return room.paper(level=level, mark=Mark(level, period, star=True), period=period or years(20))

    ten = paper(Level.COMPANY_SECRET, years(10))
    room.refused("mark_never_lowered", put, room, ten, "det", period="9年")
    room.refused("mark_never_lowered", put, room, ten, "det", level=Level.COMPANY_TOP, period="1年")
    assert put(room, ten, "det", period="12年")["secrecy_period"] == "12年"
    assert put(room, ten, "det", period="10年")["secrecy_period"] == "10年", (
        "back to the mark is not below it"
    )
    forever = paper(Level.STATE_TOP, Period("forever"))
    for term in ("30年", "至2050年12月31日", "启用前"):
        room.refused("mark_never_lowered", put, room, forever, "det", period=term)
    condition = paper(Level.STATE_SECRET, Period("condition", condition="启用前"))
    room.refused("mark_never_lowered", put, room, condition, "det", period="20年")
    assert put(room, condition, "det", period="启用前")["secrecy_period"] == "启用前"
    assert put(room, condition, "det", period="长期")["secrecy_period"] == "长期"
    bare = paper(Level.STATE_SECRET, None)
    room.refused("mark_never_lowered", put, room, bare, "det", period="19年")
    assert put(room, bare, "det", period="20年")["secrecy_period"] == "20年"


@pytest.mark.req("R-039")
def test_a_misreading_is_corrected_by_two(room: Room) -> None:
    document = room.paper(level=Level.STATE_SECRET, mark=Mark(Level.STATE_SECRET, years(20), star=True))
    room.refused("role_missing", put, room, document, "arch", level=Level.STATE_CONFIDENTIAL, misread=True)
    value = put(
        room, document, "clerk", level=Level.STATE_CONFIDENTIAL, period="5年", misread=True, reason="秘误作机"
    )
    assert (value["status"], value["level"], value["level_basis"]) == ("pending", "秘密", "marked")
    room.refused("same_person_twice", accept, room, document, "clerk")
    value = accept(room, document, "scan")
    assert (value["confirmed"], value["level"], value["secrecy_period"]) == (True, "秘密", "5年")
    room.refused("mark_never_lowered", put, room, document, "det", level=Level.INTERNAL)
    room.refused("mark_never_lowered", put, room, document, "det", period="4年")
    assert put(room, document, "det", period="6年")["secrecy_period"] == "6年"


@pytest.mark.req("R-021")
def test_above_the_stations_level(tmp_path: Path) -> None:
    room = Room(tmp_path, level=Level.COMPANY_TOP)
    document = room.paper()
    room.refused("above_station_level", put, room, document, "det", level=Level.STATE_CONFIDENTIAL)
    room.refused("above_station_level", put, room, document, "clerk", level=Level.STATE_TOP, misread=True)
    assert put(room, document, "det", level=Level.COMPANY_TOP)["level"] == "公司绝密"


@pytest.mark.req("R-039", "R-049")
def test_retention_is_the_archivists(room: Room) -> None:
    document = room.expired()
    for user in ("clerk", "det"):
        room.refused("role_missing", put, room, document, user, retention=Retention.THIRTY)
    value = put(room, document, "arch", retention=Retention.THIRTY, reason="重要")
    assert (value["retention"], value["retention_until"], value["confirmed"]) == ("30年", "2043-01-01", False)
    assert not value["appraised"], "an appraisal is about the retention it was made for"
    assert value["suggested"]["retention"] == "10年"
    assert accept(room, document, "clerk")["confirmed"]
    room.refused("role_missing", put, room, document, "arch", level=Level.WORK)


@pytest.mark.req("R-023")
def test_fields_are_corrected_and_old_values_kept(room: Room) -> None:
    document = room.document("关于错字的函")
    value = put(
        room, document, "clerk", fields={"title": "关于改正的函", "organ": "甲局、乙局", "date": "2014-05-06"}
    )
    assert (value["title"], value["organ"], value["date"]) == ("关于改正的函", "甲局、乙局", "2014-05-06")
    assert value["retention_until"] == "2025-01-01" and not value["confirmed"]
    assert accept(room, document, "clerk")["confirmed"]
    changed = [(event["what"], event["act"], event["person"]) for event in history(room, document)]
    assert changed.count(("field", "set", "p-clerk")) == 3 and ("level", "suggest", None) in changed
    old = {event["field"]: event["old"] for event in history(room, document) if event["what"] == "field"}
    assert old == {"title": "关于错字的函", "organ": ["乌有县局"], "date": "2012-03-01"}
    for fields, code in (({"colour": "red"}, "unknown_field"), ({"date": "gestern"}, "bad_value"),
                         ({"important": "perhaps"}, "bad_value"), ({"origin": "moon"}, "bad_value"),
                         ({}, "nothing_to_set")):  # fmt: skip
        with pytest.raises(UsageFault) as caught:
            put(room, document, "clerk", fields=fields)
        assert caught.value.code == code
    with pytest.raises(UsageFault):
        put(room, document, "clerk", fields={"title": "x"}, reason="  ")


@pytest.mark.req("R-039", "R-135")
def test_reasons_are_sealed_and_hashed(room: Room) -> None:
    document = room.paper()
    put(room, document, "det", level=Level.COMPANY_SECRET, reason="因涉及虚构并购底价而提高")
    entry = room.entries("review.set")[-1]
    assert entry["reason_hash"] and "并购" not in str(entry)
    assert not any(
        "虚构并购底价".encode() in path.read_bytes() for path in room.home.rglob("*") if path.is_file()
    )
    assert history(room, document)[-1]["reason"] == "因涉及虚构并购底价而提高"


@pytest.mark.req("R-129")
def test_clearance_binds_reviewers_too(room: Room) -> None:
    from jiyao.pipeline.persons import people

    document = room.paper(level=Level.STATE_TOP)
    people.grant(
        room.station, room.as_("secadmin", "account.grant"), user="clerk2", roles=(), clearance="general"
    )
    for act in (accept, put):
        given = {"fields": {"title": "x"}} if act is put else {}
        room.refused("clearance_too_low", act, room, document, "clerk2", **given)


def test_many_at_once_name_each_refusal(room: Room) -> None:
    good, bad = room.paper(), room.paper(level=None, interim=Level.WORK)
    value = review.accept(
        room.station, room.as_("clerk", "review.accept"), documents=(good, bad, "D2026-999999")
    )
    assert [item["id"] for item in value["documents"]] == [good]
    assert value["problems"] == [
        {"document": bad, "code": "level_needed"}, {"document": "D2026-999999", "code": "no_document"},
    ]  # fmt: skip
