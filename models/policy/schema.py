"""The policy as typed, frozen values. What each section means and where it comes from: the comments of
`default.yaml`, which name the article of every rule and how sure its source is (`conf`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..copy import MarkProfile
from ..level import Family, Level
from ..suggestion import Retention
from .authority import Authority
from .choices import chosen_route, chosen_row, delegates_too
from .durations import Cycle as Cycle
from .durations import Duration as Duration
from .durations import Telegrams
from .durations import Urging as Urging
from .learning import Learning

if TYPE_CHECKING:
    from .calendar import Calendar
    from .desk import Desk
    from .handling import Handling
    from .reading import ReadingRules

SCHEMA = "jiyao.policy/1"
Profile = Literal["organ", "company", "soe", "hospital", "college"]
Origin = Literal["self", "superior", "peer", "subordinate"]
Conf = Literal["law", "seed", "web", "mem", "own"]
Zone = Literal["title", "head", "body"]

CONTENT_PROFILES: Mapping[str, frozenset[str]] = {
    "organ": frozenset({"any", "agency", "institution"}),
    "hospital": frozenset({"any", "agency", "institution"}),
    "college": frozenset({"any", "agency", "institution"}),
    "company": frozenset({"any", "company"}),
    "soe": frozenset({"any", "company", "soe"}),
}
"""Which rule profiles a station's profile selects; marks of every family are read in every profile."""
ENTERPRISE_PROFILES = frozenset({"company", "soe"})


@dataclass(frozen=True, slots=True)
class LevelRule:
    """One level: rank (handling strictness), greatest period in years (None: not fixed), damage."""

    level: Level
    rank: int
    max_years: int | None
    damage: str
    conf: str
    source: str


@dataclass(frozen=True, slots=True)
class FamilyRule:
    """A family of secrets and whether its marks bear the ★."""

    family: Family
    zh: str
    star_mark: bool
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Overlay:
    """A protection added to any level; `min_rank` is the least handling rank it asks for."""

    id: str
    zh: str
    min_rank: int
    conf: str
    source: str


@dataclass(frozen=True, slots=True)
class Clearance:
    """A clearance and every level it reaches, those of lower clearances included."""

    id: str
    zh: str
    reaches: frozenset[Level]


@dataclass(frozen=True, slots=True)
class Engine:
    """How content rules are scored: weight × zone weight × hits (capped), passing at `min_score`."""

    min_score: float
    zone_weights: Mapping[Zone, float]
    repeat_cap: int
    interim_state_topic: Level
    always_reviewed: frozenset[Family]


@dataclass(frozen=True, slots=True)
class Words:
    """What a rule looks for (literal words after NFKC without spaces, and named patterns)."""

    any: tuple[str, ...] = ()
    and_any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    doc_kinds: tuple[str, ...] = ()
    where: Literal["title", "head", "body", "any"] = "any"
    min_hits: int = 1
    with_identity: bool = False


@dataclass(frozen=True, slots=True)
class ContentRule:
    """One classification rule; `level` None means: words alone give none, `interim` protects meanwhile."""

    id: str
    kind: Literal["mark", "derivative", "content", "negative", "overlay"]
    profile: str
    family: Family | None
    overlay: str | None
    level: Level | None
    interim: Level | None
    topic: str
    words: Words
    weight: float
    source: str
    conf: str
    line: int


@dataclass(frozen=True, slots=True)
class Topic:
    """What a paper may be about: words, pairs of words in one clause, and the rules it cites.

    The first of `rules` that a station's profile has gives level, interim protection and source.
    """

    id: str
    zh: str
    rules: tuple[ContentRule, ...]
    words: tuple[str, ...]
    pairs: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    harmless: bool = False

    def rule(self, profile: Profile) -> ContentRule | None:
        """The rule it cites in a profile; None where the topic does not exist there."""
        wanted = CONTENT_PROFILES[profile]
        return next((rule for rule in self.rules if rule.profile in wanted), None)


@dataclass(frozen=True, slots=True)
class Abstaining:
    """Bounds of calibrated probability (0..1), below which a person decides.

    `least_confidence`: of the likeliest level. `least_harmless`: from which on content is called surely harmless,
    or surely not. A person is asked below `ask_below`, and below `ask_below_worded` where two words of a secret topic
    are said plainly; below `protect_below` the paper is also protected at the likeliest secret level meanwhile.
    """

    least_confidence: float
    least_harmless: float
    protect_below: float
    ask_below: float
    ask_below_worded: float


@dataclass(frozen=True, slots=True)
class PersonalPattern:
    """A pattern of personal data and the checksum that proves a hit (`gb11643`, `luhn`, or none)."""

    id: str
    regex: re.Pattern[str]
    check: Literal["gb11643", "luhn"] | None


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """One row of a retention table; a condition that is empty or None does not bind."""

    ref: str
    retention: Retention
    conf: str
    text: str
    origins: tuple[Origin, ...] = ()
    kinds: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    flags_any: bool = False
    important: bool | None = None
    source: str = ""
    note: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Tables of 档案局令第8号 (agency) and 第10号 (enterprise), exclusions, defaults and words."""

    exclusions: tuple[RetentionRule, ...]
    agency: tuple[RetentionRule, ...]
    enterprise: tuple[RetentionRule, ...]
    common: tuple[RetentionRule, ...]
    """Accounting papers and the room's own proof records: in every profile."""
    defaults: Mapping[Origin, Retention]
    keyword_sets: Mapping[str, tuple[str, ...]]
    organs: Mapping[Origin, tuple[str, ...]]
    """The unit's own table of organs by their standing to it; empty until the unit fills it."""
    event_clocks: tuple[tuple[tuple[str, ...], str], ...] = ()
    """Words of a title, and the event after which the years are counted (end of a contract, closing of a case)."""
    archiving: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Rule of filing -> months, or month and day."""

    def origin_of(self, organs: tuple[str, ...]) -> Origin | None:
        """Where a paper comes from by the unit's table of organs; None when the lead organ is not in it."""
        for origin, known in self.organs.items():
            if organs and organs[0] in known:
                return origin
        return None

    def table(self, profile: Profile) -> tuple[RetentionRule, ...]:
        """The rules of a station's profile."""
        own = self.enterprise if profile in ENTERPRISE_PROFILES else self.agency
        return own + self.common


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the approval matrix: who must approve an act on a level.

    `mode`: `register` (logged and signed), `approve` (each of `by`), `any_of` (one of `by`),
    `second_person` (another person out of `by`), `deny` (only `override` may lift it).
    """

    action: str
    level: str
    mode: Literal["register", "approve", "any_of", "second_person", "deny"]
    by: tuple[str, ...] = ()
    subject: str | None = None
    extra: tuple[str, ...] = ()
    override: str | None = None
    suggest_to: str | None = None
    restricted: Mapping[str, tuple[str, ...]] | None = None
    execute_by: tuple[str, ...] = ()
    document_required: str | None = None
    record_reader: bool = False
    then: Mapping[str, object] | None = None
    source: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Conditions:
    """What binds every approval."""

    no_self_approval: bool
    approver_must_be_in_scope: str
    scope_exempt: tuple[str, ...]
    principal_delegate_includes_principal: bool
    top_secret_needs_second_pair_of_eyes: bool
    scope_exempt_acts: tuple[str, ...] = ()
    """Acts by which nobody reads: their approvers need not stand in the circle."""
    superior_paper_goes_back: bool = True
    """A superior's secret paper is returned, never destroyed here (001-A§5; TL art. 27)."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Terms of handling; `None` in `circulation` means: the same day, until 24:00."""

    telegram_ack_minutes: int
    telegram_handling: Mapping[str, Duration]
    circulation: Mapping[str, Duration | None]
    borrow_days: Mapping[str, int]
    idle_lock: Duration
    idle_signout: Duration
    leak_report_hours: int
    minutes_within_hours: int
    cycles: tuple[Cycle, ...]
    urging: Urging = field(default_factory=Urging)
    business_days: bool = False
    """Whether days of circulation are working days of the calendar."""
    telegrams: Telegrams = field(default_factory=Telegrams)


@dataclass(frozen=True, slots=True)
class Route:
    """How a level's paper and electronic carriers are destroyed."""

    paper: str
    electronic: str
    source: str


@dataclass(frozen=True, slots=True)
class DestructionPolicy:
    """The destruction protocol's data (004-B§4.10; 实施条例 art. 28)."""

    routes: Mapping[str, Route]
    redact_titles: bool = False
    """Whether certificates leave titles out and print salted commitments instead."""
    small_items: int = 20
    small_pages: int = 200
    """Up to how many items and pages are a small amount that the unit destroys itself (TL art. 28)."""


@dataclass(frozen=True, slots=True)
class SecrecyPeriods:
    """Rules of the secrecy period (保密法 art. 20, 24; 实施条例 art. 19)."""

    forever_levels: frozenset[Level]
    expiry: Mapping[Family, str]
    notice_days: tuple[int, ...]
    ask_days: int
    """How long before the end the determiner must have been asked whether to extend."""
    condition_review_months: int


@dataclass(frozen=True, slots=True)
class UnitItem:
    """One row of the unit's own list of secret matters (国家秘密事项一览表); `period` as on paper or empty."""

    item: str
    level: Level
    period: str
    scope: str
    words: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One version of the policy. Compared by identity, so that compiled matchers can be kept per policy."""

    version: str
    approved_by: str | None
    effective_from: str | None
    timezone: str
    sha256: str
    """Of the YAML text, hex."""
    levels: Mapping[Level, LevelRule]
    families: Mapping[Family, FamilyRule]
    overlays: Mapping[str, Overlay]
    clearances: Mapping[str, Clearance]
    flatten_min_rank: int
    periods: SecrecyPeriods
    engine: Engine
    rules: tuple[ContentRule, ...]
    topics: tuple[Topic, ...]
    abstaining: Abstaining
    learning: Learning
    patterns: Mapping[str, PersonalPattern]
    similarity_threshold: float
    retention: RetentionPolicy
    lookup: tuple[str, ...]
    conditions: Conditions
    approval_days: int
    rows: tuple[Row, ...]
    deadlines: Deadlines
    desk: Desk
    handling: Handling
    reading: ReadingRules
    calendar: Calendar
    destruction: DestructionPolicy
    choices: Mapping[str, object]
    """The chosen option of each conflict between the seeds."""
    marks: tuple[tuple[int, MarkProfile], ...] = ()
    """How strongly the invisible marks of copies are drawn: rank from which on, and profile; ranks rise."""
    text_layer: bool = False
    """Whether flattened copies carry the text that was read, unseen."""
    unit_items: tuple[UnitItem, ...] = ()
    """Empty until the unit has loaded its list."""
    authority: Authority = field(default_factory=Authority)
    """Which levels the unit may determine originally."""

    def rank(self, level: Level | None) -> int:
        """Handling rank; 0 without a level."""
        return 0 if level is None else self.levels[level].rank

    def max_years(self, level: Level) -> int | None:
        """Greatest secrecy period in years; None where no law fixes one."""
        return self.levels[level].max_years

    def highest(self, *levels: Level | None) -> Level | None:
        """The strictest of the levels; None when there is none."""
        return max((level for level in levels if level is not None), key=self.rank, default=None)

    def effective_rank(self, level: Level | None, overlays: tuple[str, ...] = ()) -> int:
        """Rank for handling: the level's, or that of its overlays when higher (policy.md section 1)."""
        extra = [self.overlays[name].min_rank for name in overlays if name in self.overlays]
        return max([self.rank(level), *extra])

    def must_flatten(self, level: Level | None) -> bool:
        """Whether pages of a copy are turned into pictures."""
        return self.rank(level) >= self.flatten_min_rank

    def mark_profile(self, level: Level | None) -> MarkProfile:
        """How strongly the invisible marks of a copy are drawn."""
        rank = self.rank(level)
        profile: MarkProfile = "normal"
        for least, chosen in self.marks:
            if rank >= least:
                profile = chosen
        return profile

    def reaches(self, clearance: str, level: Level) -> bool:
        """Whether a clearance reaches a level; an unknown clearance reaches nothing."""
        known = self.clearances.get(clearance)
        return known is not None and level in known.reaches

    def clearance_for(self, level: Level) -> str:
        """The least clearance that reaches the level."""
        for name, clearance in self.clearances.items():
            if level in clearance.reaches:
                return name
        raise KeyError(level)

    def content_rules(self, profile: Profile) -> tuple[ContentRule, ...]:
        """Content, negative and overlay rules of a station's profile."""
        wanted = CONTENT_PROFILES[profile]
        kinds = ("content", "negative", "overlay")
        return tuple(rule for rule in self.rules if rule.kind in kinds and rule.profile in wanted)

    @property
    def small_room(self) -> bool:
        """Fewer distinct persons, stated on certificates."""
        return self.choices.get("small_room") is True

    def approval(self, act: str, level: Level | None, subject: str | None = None) -> Row:
        """The row that binds an act on a level (and subject, such as `minutes`); without a row: denied.

        Order: the matrix's `lookup`. A chosen conflict option (`borrow_approval`, `copy_approval`,
        `carry_out`, `secret_reuse_of_scope`) then replaces the approvers; 绝密 is never loosened below the law's row.
        """
        return chosen_row(self._row(act, level, subject), level, self.choices)

    def _row(self, act: str, level: Level | None, subject: str | None) -> Row:
        name = str(level) if level else "default"
        family = f"family:{level.family}" if level else "family:"
        rows = [row for row in self.rows if row.action == act]
        for step in self.lookup:
            for row in rows:
                same_subject = row.subject is not None and row.subject == subject
                plain = row.subject is None
                hit = {
                    "exact_level_and_subject": same_subject and row.level == name,
                    "subject": same_subject and row.level in ("any", family),
                    "exact_level": plain and row.level == name,
                    "family": plain and row.level == family,
                    "any": plain and row.level == "any",
                    "default": plain and row.level == "default",
                }.get(step, False)
                if hit:
                    return row
        return Row(action=act, level=name, mode="deny", subject=subject, source="no row")

    def satisfies(self, needed: str, held: str) -> bool:
        """Whether a held role may act where another is asked for (a principal for the delegate)."""
        if needed == held:
            return True
        if needed != "principal_delegate":
            return False
        if delegates_too(held, self.choices):
            return True
        return self.conditions.principal_delegate_includes_principal and held == "principal"

    def route(self, level: Level | None, overlays: tuple[str, ...] = ()) -> Route:
        """The destruction route of a level after the unit's choice (C-04); cipher telegrams have their own."""
        secret = level is not None and level.family not in (Family.INTERNAL, Family.PUBLIC)
        return chosen_route(self._own_route(level, overlays), self.choices, secret=secret)

    def _own_route(self, level: Level | None, overlays: tuple[str, ...]) -> Route:
        routes = self.destruction.routes
        if "cipher_telegram" in overlays and "密码电报" in routes:
            return routes["密码电报"]
        if level is not None:
            for name in (str(level), str(level.family)):
                if name in routes:
                    return routes[name]
        return routes["default"]
