"""Terms of the policy: durations, what comes round again, when it is urged, which telegrams are reported to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Duration:
    """An ISO 8601 duration: calendar months and days, and seconds."""

    months: int = 0
    days: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Cycle:
    """Something that falls due again and again."""

    id: str
    scope: str
    every: Duration | None
    due: str | None
    source: str
    dates: tuple[str, ...] = ()
    """Names of public holidays of the calendar, or as the policy calls them: it falls due before each."""
    days_before: int = 0


@dataclass(frozen=True, slots=True)
class Urging:
    """When what runs out is urged (催办), and who is told as it grows late, each one step later."""

    before: tuple[Duration, ...] = ()
    """So long before the end; the longest first."""
    after: tuple[Duration, ...] = ()
    """So long after it; the shortest first."""
    escalate_to: tuple[str, ...] = ()
    """Roles, for clocks that name none of their own."""


@dataclass(frozen=True, slots=True)
class Telegrams:
    """Which telegrams are reported to whom (001-B§4.3)."""

    report_to: Mapping[str, str] = field(default_factory=dict)
    """Urgency -> role."""
    warnings: tuple[str, ...] = ()
    """Words of a telegram's subject by which it is a warning, of which `warned` takes charge in person."""
    warned: str = "head_of_room"
