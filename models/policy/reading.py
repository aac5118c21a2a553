"""Who may come to know what, as data (`reading`): what the access decision rests on beside clearance and circle.

Sources: roles.md section 4; BMF art. 21, 26, 36; TL art. 20, 29. The shipped values stand in `default.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal, get_args

from ..level import Level
from .nodes import Reader

Use = Literal[
    "handle",
    "text",
    "export",
    "issue",
    "forward",
    "circulate",
    "keep_for",
    "entrust",
    "lend",
    "carry_out",
    "circle",
]
"""What a person would do with a document: handle it in the room, read its text, take it out as a file, be given a copy,
be handed an original, or be put into its reading circle."""
USES: tuple[Use, ...] = get_args(Use)
BLOCKS = ("hold", "incident")
"""What may stand in the way, beside a clearance that is suspended or over."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When a use is open: weekdays (1 Monday … 7 Sunday) and a time of day, the end not included."""

    uses: frozenset[str]
    days: frozenset[int]
    start: time
    end: time

    def is_open(self, moment: datetime) -> bool:
        """Whether a moment of the station's clock lies within."""
        return moment.isoweekday() in self.days and self.start <= moment.time() < self.end


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """The section `reading`."""

    circle_from: Level
    """From this level on, only the room's staff are handed a document whose circle is not set."""
    purpose_from: Level | None
    """From this level on, who reads has a current task with the document, or says what for. None: nobody is asked."""
    record_from: Level
    """From this level on, everyone who came to know a document is on its record (TL art. 20)."""
    deputy_levels: frozenset[Level]
    """Levels at which a reader's deputy may receive for him; never 绝密 (TL art. 29)."""
    blocked_by: Mapping[str, frozenset[str]]
    """Block -> uses it stands in the way of."""
    hours: tuple[Hours, ...]
    """A use that stands in none is open at any time."""
    bulk_rows: int
    """So many rows of `bulk_from` and above one list, search or register may show without approval (BMF art. 36)."""
    bulk_from: Level
    bulk_days: int
    """How long an approval of such a list holds."""

    def is_open(self, use: str, moment: datetime) -> bool:
        """Whether a use is open at a moment."""
        asked = [hours for hours in self.hours if use in hours.uses]
        return not asked or any(hours.is_open(moment) for hours in asked)


def read_reading(reader: Reader) -> ReadingRules:
    """The section `reading`.

    Raises:
        UsageFault: `policy_invalid` with the line.
    """
    section = reader.map(
        need=("circle_from", "purpose_from", "record_from", "deputy_levels", "blocked_by", "hours", "bulk"),
        may=("conf",),
    )
    deputies = frozenset(_level(one) for one in section["deputy_levels"].list())
    if Level.STATE_TOP in deputies:
        section["deputy_levels"].wrong("绝密 is received in person (实施条例 art. 29)")
    blocked: dict[str, frozenset[str]] = {}
    for name, uses in section["blocked_by"].items():
        if name not in BLOCKS:
            uses.wrong(f"{name!r} is not one of {', '.join(BLOCKS)}")
        blocked[name] = frozenset(one.one_of(USES) for one in uses.list())
    bulk = section["bulk"].map(need=("rows", "from", "days"))
    return ReadingRules(
        circle_from=_level(section["circle_from"]),
        purpose_from=None if section["purpose_from"].plain() is None else _level(section["purpose_from"]),
        record_from=_level(section["record_from"]),
        deputy_levels=deputies,
        blocked_by=blocked,
        hours=tuple(_hours(one) for one in section["hours"].list()),
        bulk_rows=bulk["rows"].integer(1, 1_000_000),
        bulk_from=_level(bulk["from"]),
        bulk_days=bulk["days"].integer(0, 366),
    )


def _hours(reader: Reader) -> Hours:
    entry = reader.map(need=("uses", "days", "from", "to"))
    start, end = _time(entry["from"]), _time(entry["to"])
    if start >= end:
        entry["to"].wrong("the end comes after the beginning")
    return Hours(
        uses=frozenset(one.one_of(USES) for one in entry["uses"].list()),
        days=frozenset(day.integer(1, 7) for day in entry["days"].list()),
        start=start,
        end=end,
    )


def _time(reader: Reader) -> time:
    try:
        return time.fromisoformat(reader.text())
    except ValueError:
        reader.wrong('a time of day such as "08:30" is expected')


def _level(reader: Reader) -> Level:
    return Level(reader.one_of(tuple(Level)))
