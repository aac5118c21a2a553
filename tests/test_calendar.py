"""Working days: holidays and days worked instead, year by year; a year without data is told, never guessed silently."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from jiyao.common.clock import STATION_ZONE
from jiyao.common.errors import UsageFault
from jiyao.models.policy.calendar import Calendar, read_calendar
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.policy.nodes import compose
from jiyao.pipeline.desk import deadlines, timers
from jiyao.pipeline.station import doctor
from policy_kit import plain_policy, policy_text
from room_kit import HandClock, Room


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return parse_policy(default_policy_text()).calendar


@pytest.mark.parametrize(
    ("start", "number", "ends"),
    [
        ("2026-09-30", 1, "2026-10-08"),  # over the National Day week
        ("2026-10-08", 2, "2026-10-10"),  # a Saturday worked instead
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-14", 1, "2026-02-24"),
        ("2026-11-20", 1, "2026-11-23"),  # an ordinary weekend
        ("2026-12-31", 1, "2027-01-01"),  # the year is not known: a Friday counts
    ],
)
def test_working_days_of_a_year(calendar: Calendar, start: str, number: int, ends: str) -> None:
    assert calendar.working_day_after(date.fromisoformat(start), number) == date.fromisoformat(ends)


def test_what_is_known_and_what_is_not(calendar: Calendar) -> None:
    assert calendar.unknown_years(date(2026, 1, 1), date(2027, 3, 1)) == (2027,)
    assert calendar.begins("春节", 2026) == date(2026, 2, 15) and calendar.begins("春节", 2027) is None
    assert calendar.begins("元旦", 2027) == date(2027, 1, 1)
    assert not calendar.is_working(date(2026, 10, 1)) and calendar.is_working(date(2026, 10, 10))


@pytest.mark.parametrize(
    "text",
    [
        "{years: [{year: 2026, holidays: {元旦: 2026-13-01}}]}",
        "{years: [{year: 2026, holidays: {元旦: 2026-01-03..2026-01-01}}]}",
        "{years: [{year: 2026, holidays: {}, workdays: ['2026-01-05']}]}",
        "{years: [{year: 2026, holidays: {元旦: 2026-01-03..2026-01-04}, workdays: ['2026-01-04']}]}",
        "{years: [{year: 2026, holidays: {}}, {year: 2026, holidays: {}}]}",
        "{years: [{year: 2026, holidays: {元旦: 2036-01-03..2036-01-04}}]}",
    ],
)
def test_faults_have_their_line(text: str) -> None:
    with pytest.raises(UsageFault, match="policy_invalid"):
        read_calendar(compose(text))


def test_clocks_of_working_days_skip_holidays_and_say_what_they_do_not_know(tmp_path: Path) -> None:
    room = Room(tmp_path, clock=HandClock(datetime(2026, 12, 20, 9, 0, tzinfo=STATION_ZONE)))
    document = room.document()
    with room.station.write() as session:
        row = session.get_one(type(room.row(document)), document)
        timer = timers.begin(
            room.station, session, "level_submit", kind="document", object_id=document, document=row, holder=None
        )  # fmt: skip
        # ten working days: 21–25, 28–31 December, and 1 January, of which nothing is known
        assert timers.last_day(timer) == date(2027, 1, 1)
    clerk = room.as_("clerk", "due")
    told = deadlines.due(room.station, clerk, on=date(2027, 1, 5))
    assert told["calendar_unknown"] == [2027]
    assert [one["unsure"] for one in told["items"] if one["kind"] == "level_submit"] == [[2027]]
    assert deadlines.due(room.station, clerk, on=date(2026, 12, 30))["calendar_unknown"] == []
    checks = {one["name"]: one for one in doctor.examine(room.station, lang="zh")["checks"]}
    assert not checks["calendar"]["ok"] and "2027" in checks["calendar"]["detail"]
    # the announcement is entered: the same ten days end later
    plain = plain_policy()
    plain["calendar"]["years"].append({"year": 2027, "holidays": {"元旦": "2027-01-01..2027-01-03"}})
    text = policy_text(plain)
    assert parse_policy(text).calendar.working_day_after(date(2026, 12, 20), 10) == date(2027, 1, 4)
