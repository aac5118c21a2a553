"""What is said of one paper of the judged set, by the product or by a baseline, in one form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from ..models.level import Level
from ..models.policy.schema import Policy
from ..models.suggestion import LevelSuggestion, Retention
from ..stages.classify import classify, secrecy_until
from ..stages.extract import extract
from ..stages.retain import retain
from ..stages.topic_model import TopicModel
from .judged_set import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One paper's suggestion, as it is scored."""

    level: Level | None
    interim: Level | None
    candidates: tuple[Level, ...]
    """The two that a person is asked to choose between, the likelier first."""
    must_review: bool
    confidence: float
    """That the level shown is acceptable, 0..1."""
    marked: bool
    """Level and period were taken from a mark on the paper."""
    period: str | None
    ends: date | None
    overlays: tuple[str, ...]
    retention: Retention | None

    @property
    def shown(self) -> Level | None:
        """The level that a person sees first."""
        return self.level or self.interim

    def protected(self, policy: Policy) -> int:
        """Rank at which the paper is handled meanwhile."""
        return policy.effective_rank(policy.highest(self.level, self.interim), self.overlays)


def product_answer(case: Case, policy: Policy, *, model: TopicModel | None = None) -> Answer:
    """What the product says of a paper, in process: extract, classify (by `model`, else the shipped one), retain."""
    transcript = case.transcript
    fields = extract(transcript)
    found = classify(
        transcript=transcript, fields=fields, policy=policy, profile=case.profile, relations=case.relations,
        model=model,
    )  # fmt: skip
    kept = retain(
        transcript=transcript, fields=fields, policy=policy, profile=case.profile, origin=case.origin,
        important=case.important, flags=case.flags,
    )  # fmt: skip
    return Answer(
        level=found.level,
        interim=found.interim,
        candidates=_candidates(found),
        must_review=found.must_review,
        confidence=found.confidence,
        marked=found.basis == "marked",
        period=None if found.period is None else str(found.period),
        ends=secrecy_until(found, fields),
        overlays=found.overlays,
        retention=kept.retention,
    )


def _candidates(found: LevelSuggestion) -> tuple[Level, ...]:
    """Those that the suggestion names, else its level and its interim protection; two at most."""
    named: Any = getattr(found, "candidates", ())
    levels = [getattr(one, "level", one) for one in named] or [found.level, found.interim]
    return tuple(dict.fromkeys(one for one in levels if one is not None))[:2]
