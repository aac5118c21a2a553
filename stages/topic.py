"""topic: what a paper is about, and with what calibrated probability it would be protected at which level.

The small model sees the policy's topics by context (`topic_features`); a topic's rule gives the level. Probabilities of
topics with one level add up. State levels that come out here are interim protections, never suggestions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..models.fields import OfficialFields
from ..models.level import Family, Level
from ..models.policy.schema import ContentRule, Policy, Profile
from ..models.suggestion import Evidence, LevelCandidate
from .content_match import Body, Hit
from .topic_features import Seen, see
from .topic_model import TopicModel, shipped_model

HARMLESS = frozenset({Family.INTERNAL, Family.PUBLIC})
MOST_EVIDENCE = 5


@dataclass(frozen=True, slots=True)
class Weighed:
    """Levels by probability, the likeliest first; the topics behind them; how harmless the paper is."""

    candidates: tuple[LevelCandidate, ...]
    harmless: float
    """Probability that it is 内部 or 公开."""
    topic: str
    seen: Seen
    body: Body
    policy: Policy
    profile: Profile
    model: TopicModel

    @property
    def secret(self) -> LevelCandidate | None:
        """The likeliest level above 内部."""
        return next((one for one in self.candidates if one.level.family not in HARMLESS), None)

    def evidence(self, candidate: LevelCandidate) -> tuple[Evidence, ...]:
        """The words that speak for a level; without words of its topic, the sentence that weighs most."""
        rule = rule_of(candidate.topic, self.policy, self.profile)
        if rule is None:
            return ()
        zh = next(topic.zh for topic in self.policy.topics if topic.id == candidate.topic)
        purpose: Literal["interim", "level"] = "interim" if rule.level is None else "level"
        source = f"{rule.source} {zh}".strip()
        score = round(candidate.confidence, 3)
        hits = sorted(
            {one.hit.start: one for one in self.seen.hits.get(candidate.topic, ())}.values(),
            key=lambda one: (-one.weight, one.hit.start),
        )
        live = [one for one in hits if one.weight >= 1.0][:MOST_EVIDENCE]
        if live:
            return tuple(
                Evidence(
                    purpose,
                    rule.id,
                    source,
                    f"{one.hit.word}：{one.hit.context}",
                    one.hit.page,
                    one.hit.box,
                    score,
                )
                for one in live
            )
        heaviest = self._heaviest(candidate.topic)
        if heaviest is None:
            return (Evidence(purpose, rule.id, source, zh, score=score),)
        return (Evidence(purpose, rule.id, source, heaviest.word, heaviest.page, heaviest.box, score),)

    def _heaviest(self, topic: str) -> Hit | None:
        """The sentence whose pairs of characters speak most for a topic."""
        if topic not in self.model.topics:
            return None
        index = self.model.topics.index(topic)
        best: tuple[float, int, int] | None = None
        start = 0
        for end in (*self.seen.contexts.sentences, len(self.body.text)):
            text = self.body.text[start:end]
            weight = sum(
                self.model.weights[name][index]
                for size in (2, 3)
                for at in range(len(text) - size + 1)
                if (name := f"n:{text[at : at + size]}") in self.model.weights
            )
            if text.strip() and (best is None or weight > best[0]):
                best = (weight, start, end)
            start = end
        if best is None or best[0] <= 0:
            return None
        return self.body.hit(self.body.text[best[1] : min(best[2], best[1] + 40)].strip(), best[1], best[2])


def rule_of(topic: str, policy: Policy, profile: Profile) -> ContentRule | None:
    """The rule that a topic cites in a profile."""
    return next((one.rule(profile) for one in policy.topics if one.id == topic), None)


def weigh(
    *,
    body: Body,
    found: dict[str, tuple[Hit, ...]],
    fields: OfficialFields,
    policy: Policy,
    profile: Profile,
    model: TopicModel | None = None,
) -> Weighed:
    """Weighs the content of a paper. Pure."""
    model = model or shipped_model()
    seen = see(body=body, found=found, fields=fields, policy=policy, profile=profile)
    levels: dict[str, Level] = {}
    for topic in policy.topics:
        rule = topic.rule(profile)
        level = rule and (rule.level or rule.interim)
        if level:
            levels[topic.id] = level
    chances = _with_new_topics(model.probabilities(seen.features, frozenset(levels)), seen, levels, model)
    totals: dict[Level, float] = {}
    leading: dict[Level, str] = {}
    for topic_id, chance in sorted(chances.items(), key=lambda one: -one[1]):
        level = levels[topic_id]
        totals[level] = totals.get(level, 0.0) + chance
        leading.setdefault(level, topic_id)
    ordered = sorted(totals, key=lambda level: (-totals[level], -policy.rank(level)))
    return Weighed(
        candidates=tuple(LevelCandidate(level, round(totals[level], 3), leading[level]) for level in ordered),
        harmless=sum(share for level, share in totals.items() if level.family in HARMLESS),
        topic=max(chances, key=lambda one: chances[one], default=""),
        seen=seen,
        body=body,
        policy=policy,
        profile=profile,
        model=model,
    )


def _with_new_topics(
    chances: dict[str, float], seen: Seen, levels: dict[str, Level], model: TopicModel
) -> dict[str, float]:
    """Topics that a unit added are not in the model: two plain words of one give it an even chance."""
    new = {
        topic: min(0.8, 0.25 * len({one.hit.word for one in hits if one.weight >= 1.0}))
        for topic, hits in seen.hits.items()
        if topic in levels and topic not in model.topics
    }
    share = min(0.8, sum(new.values()))
    if not share:
        return chances
    total = sum(new.values())
    return {topic: chance * (1 - share) for topic, chance in chances.items()} | {
        topic: share * value / total for topic, value in new.items()
    }
