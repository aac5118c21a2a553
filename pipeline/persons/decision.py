"""The access decision: clearance and circle and purpose and station level and not blocked and time window.

One pure function; whatever is missing denies (roles.md section 4; BMF art. 21, 26; TL art. 29). `access.py` gathers
what it rests on; approvals of the policy's matrix come on top, where the act asks for one.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...models.level import Level
from ...models.policy.reading import Use
from ...models.policy.schema import Policy

ONESELF: frozenset[Use] = frozenset({"text", "export"})
"""Uses by which somebody reads: for them there is a circle, or one is of the room's staff."""
ADMITTED: frozenset[Use] = frozenset({"issue", "forward"})
"""Uses for which a person must stand in a circle that is set, whoever it is."""
FREE: frozenset[Use] = frozenset({"handle", "circle"})
"""Uses that the circle does not bind: the room's own handling, being put into the circle."""
KEEPING: frozenset[Use] = frozenset({"keep_for", "entrust"})
"""Uses by which somebody keeps an original without reading it: those whose post it is need not be of the circle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything a decision rests on: one person, one document, one moment."""

    level: Level
    """What the document is protected as."""
    rank: int
    """Handling rank, overlays included."""
    clearance: str | None
    """None: suspended or over, and reaches nothing."""
    lapsed: str | None = None
    """Why it reaches nothing: `suspended`, `expired`, `disabled`."""
    circle_set: bool = False
    in_circle: bool = False
    deputy_of: str | None = None
    """A member of the circle, away now, for whom this person receives."""
    staff: bool = False
    keeper: bool = False
    """Holds a post that keeps papers."""
    by_approval: bool = False
    """The act is approved for this person by somebody whom the policy names: before a circle is set, that admits."""
    above_station: bool = False
    blocks: frozenset[str] = frozenset()
    open_now: frozenset[str] = frozenset()
    """Uses that the time window lets through now."""
    purpose: bool = False
    """Has a current task with the document, or said what for."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or not, and by which rule: what let it through, or the code of the refusal."""

    allowed: bool
    rule: str
    deputy_of: str | None = None


def decide(policy: Policy, standing: Standing, use: Use) -> Decision:
    """Whether the person may use the document so."""
    rules = policy.reading
    if standing.clearance is None:
        return Decision(False, f"clearance_{standing.lapsed or 'suspended'}")
    if not policy.reaches(standing.clearance, standing.level):
        return Decision(False, "clearance_too_low")
    if standing.above_station:
        return Decision(False, "above_station_level")
    rule, deputy_of = _circle(policy, standing, use)
    if rule is None:
        return Decision(False, "not_in_circle")
    for block in sorted(standing.blocks):
        if use in rules.blocked_by.get(block, ()):
            return Decision(False, f"use_blocked_{block}")
    if use not in standing.open_now:
        return Decision(False, "outside_hours")
    if use in ONESELF and needs_purpose(policy, standing) and not standing.purpose:
        return Decision(False, "purpose_needed")
    return Decision(True, rule, deputy_of)


def needs_purpose(policy: Policy, standing: Standing) -> bool:
    """Whether who reads says what for."""
    least = policy.reading.purpose_from
    return least is not None and standing.rank >= policy.rank(least)


def _circle(policy: Policy, standing: Standing, use: Use) -> tuple[str | None, str | None]:
    """The rule by which a person counts as one who may know, None where there is none; and for whom."""
    if use in FREE:
        return "handling", None
    if use in KEEPING and standing.keeper:
        return "keeper", None
    if standing.circle_set:
        if standing.in_circle:
            return "circle", None
        if standing.deputy_of is not None and _deputy_may(policy, standing, use):
            return "deputy", standing.deputy_of
        return None, None
    if use in ADMITTED:
        return None, None
    if standing.staff:
        return "staff", None
    if standing.by_approval and use not in ONESELF:
        return "approval", None
    if use in ONESELF or standing.rank >= policy.rank(policy.reading.circle_from):
        return None, None
    return "no_circle", None


def _deputy_may(policy: Policy, standing: Standing, use: Use) -> bool:
    """Never for 绝密 or what is handled like it; nobody takes a file out for another."""
    return (
        use != "export"
        and standing.level in policy.reading.deputy_levels
        and standing.rank < policy.rank(Level.STATE_TOP)
    )
