"""Working days 工作日: public holidays and the days worked instead (法定节假日、调休), year by year, as dated data.

They are announced each year and cannot be worked out. A year that the data lack counts Monday to Friday, and whoever
is shown a term that reaches into it is told so (`knows`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from .nodes import Reader

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Holiday:
    """A public holiday: its name and the days off, in order."""

    name: str
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The section `calendar`."""

    holidays: Mapping[int, tuple[Holiday, ...]]
    """Year of the announcement -> its holidays, in their order."""
    workdays: frozenset[date]
    """Days of a weekend that are worked instead."""
    fixed: Mapping[str, tuple[int, int]]
    """Holidays whose first day is the same each year: month and day, also for years without data."""
    also: Mapping[str, str]
    """Other names of holidays -> the name in the data."""
    off: frozenset[date]

    def knows(self, year: int) -> bool:
        """Whether the announcement of a year is in the data."""
        return year in self.holidays

    def is_working(self, day: date) -> bool:
        """Whether it is a working day; of a year without data: Monday to Friday."""
        if day in self.off:
            return False
        return day in self.workdays or day.weekday() < _SATURDAY

    def working_day_after(self, day: date, number: int) -> date:
        """The so many-th working day after a day."""
        for _ in range(number):
            day += timedelta(days=1)
            while not self.is_working(day):
                day += timedelta(days=1)
        return day

    def unknown_years(self, first: date, last: date) -> tuple[int, ...]:
        """The years between two days, both of them included, that the data lack."""
        return tuple(year for year in range(first.year, last.year + 1) if not self.knows(year))

    def begins(self, name: str, year: int) -> date | None:
        """The first day off of a holiday; None where neither the year's data nor its fixed day tell it."""
        name = self.also.get(name, name)
        for holiday in self.holidays.get(year, ()):
            if holiday.name == name:
                return holiday.days[0]
        return date(year, *self.fixed[name]) if name in self.fixed else None


def read_calendar(reader: Reader) -> Calendar:
    """The section.

    Raises:
        UsageFault: `policy_invalid` with the line.
    """
    entry = reader.map(need=("years",), may=("fixed", "also", "source", "conf"))
    holidays: dict[int, tuple[Holiday, ...]] = {}
    workdays: set[date] = set()
    for item in entry["years"].list():
        year = item.map(need=("year", "holidays"), may=("workdays", "source", "conf"))
        number = year["year"].integer(1990, 2200)
        if number in holidays:
            item.wrong(f"year {number} stands twice")
        found = []
        for name, span in year["holidays"].items():
            first, _, last = span.text().partition("..")
            start, end = _day(span, first, number), _day(span, last or first, number)
            if not start <= end or (end - start).days > 30:
                span.wrong("a day, or the first and last day as A..B")
            found.append(
                Holiday(name, tuple(start + timedelta(days=step) for step in range((end - start).days + 1)))
            )
        holidays[number] = tuple(sorted(found, key=lambda one: one.days[0]))
        for one in year["workdays"].list() if "workdays" in year else ():
            worked = _day(one, one.text(), number)
            if worked.weekday() < _SATURDAY:
                one.wrong("a day of a weekend is expected")
            workdays.add(worked)
    off = frozenset(day for named in holidays.values() for one in named for day in one.days)
    if off & workdays:
        reader.wrong("a day is both off and worked")
    fixed: dict[str, tuple[int, int]] = {}
    for name, value in entry["fixed"].items() if "fixed" in entry else ():
        day = _day(value, f"2024-{value.text()}", 2024)
        fixed[name] = (day.month, day.day)
    also = {name: value.text() for name, value in entry["also"].items()} if "also" in entry else {}
    return Calendar(holidays, frozenset(workdays), fixed, also, off)


def _day(reader: Reader, text: str, year: int) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        reader.wrong("an ISO date is expected")
    # an announcement may reach into the years beside its own
    if abs(day.year - year) > 1:
        reader.wrong(f"a day of {year} is expected")
    return day
