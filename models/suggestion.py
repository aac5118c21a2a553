"""What the machine suggests, with its evidence. A named person decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from .level import Level
from .page import Box
from .period import Period

Basis = Literal["marked", "derivative", "unit_list", "content", "none"]


class Retention(StrEnum):
    """Retention period 保管期限 (国家档案局令第8号 art. 6; 令第10号 art. 7), not the secrecy period."""

    PERMANENT = "永久"
    THIRTY = "30年"
    TEN = "10年"
    NOT_FILED = "不归档"

    @property
    def years(self) -> int | None:
        """Years to keep; None for ever, 0 for not filed."""
        return {"永久": None, "30年": 30, "10年": 10, "不归档": 0}[self.value]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why something was suggested: rule, source article, the words, where they stand, how strong (0..1)."""

    for_: Literal["level", "period", "retention", "overlay", "interim"]
    rule: str
    source: str
    text: str
    page: int | None = None
    box: Box | None = None
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class LevelCandidate:
    """One of the levels that the content speaks for; `confidence` is a calibrated probability (0..1).

    A state level here is never a suggestion: it says at which level the paper would be protected.
    """

    level: Level
    confidence: float
    topic: str = ""
    """Id of the policy's topic that speaks for it."""


@dataclass(frozen=True, slots=True)
class LevelSuggestion:
    """Suggested level and secrecy period.

    `level` is None when words alone cannot give one (state topics): then `interim` protects meanwhile and a
    定密责任人 decides. `interim` may also stand above a suggested level's handling.
    """

    level: Level | None
    interim: Level | None
    basis: Basis
    period: Period | None
    confidence: float
    must_review: bool
    """A person must look before anything is final; not true for a sound, sure reading."""
    reasons: tuple[str, ...] = ()
    """Finding codes: why `must_review` or what contradicts what."""
    overlays: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    policy: str = ""
    """Version of the policy that judged."""
    candidates: tuple[LevelCandidate, ...] = ()
    """The two likeliest levels by content, the likeliest first; empty where mark or source decides."""
    abstained: bool = False
    """Too unsure to suggest one level: a person decides between the candidates, protected at the higher one."""
    topic: str = ""
    """What the paper is about, by the policy's topics; empty when no content was weighed."""
    model: str = ""
    """Version of the small model that weighed the content: the release's, or `M…/hash` of one made on the station."""
    sources: tuple[tuple[str, str], ...] = ()
    """Registered documents that the paper draws on and that still have a level: number, and how it is known."""


@dataclass(frozen=True, slots=True)
class RetentionSuggestion:
    """Suggested retention period; confirmed by the archivist."""

    retention: Retention | None
    confidence: float
    must_review: bool
    reasons: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    candidates: tuple[Retention, ...] = ()
    """Periods of rules that fit as well, the longest first; empty when one rule stands out."""
    starts: Literal["document_year", "event"] = "document_year"
    """`event`: the clock starts in the year after what `event` names (end of a contract, closing of a case)."""
    event: str = ""


@dataclass(frozen=True, slots=True)
class SharedPassage:
    """Words that stand in this paper and in a registered one: where they begin here, how many characters."""

    page: int
    box: Box | None
    characters: int


@dataclass(frozen=True, slots=True)
class RelatedDocument:
    """A registered document that the one being judged refers to."""

    document: str
    doc_number: str | None
    level: Level | None
    period: Period | None
    ends: str | None
    """ISO date of the source's first day no longer protected."""
    how: Literal["cited", "attachment", "near_duplicate"]
    passages: tuple[SharedPassage, ...] = ()
    """The longest first; for `near_duplicate`."""
    share: float = 0.0
    """How much of the registered document stands in this one (0..1); for `near_duplicate`."""

    @property
    def characters(self) -> int:
        """How many characters the two share."""
        return sum(one.characters for one in self.passages)


@dataclass(frozen=True, slots=True)
class Relations:
    """What `classify` must know of other documents; the runner looks it up first."""

    related: tuple[RelatedDocument, ...] = ()
    unit_items: tuple[tuple[str, str, str, tuple[str, ...]], ...] = ()
    """The unit's own list of secret matters: (item, level, period, words)."""
