"""The injected clock. Time is never set from outside; tests pass their own clock."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

STATION_ZONE = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Tells the time; every room that needs it is handed one."""

    def now(self) -> datetime:
        """The present moment, with its offset."""
        ...


class SystemClock:
    """The machine's clock in the station's zone."""

    def now(self) -> datetime:
        """The present moment in Asia/Shanghai."""
        return datetime.now(STATION_ZONE)


def iso(moment: datetime) -> str:
    """ISO 8601 with offset, to the second."""
    return moment.isoformat(timespec="seconds")


def today(clock: Clock) -> date:
    """The station's date."""
    return clock.now().date()
