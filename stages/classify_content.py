"""What the policy's content rules say of a paper, before anything is weighed against a mark."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..models.fields import OfficialFields
from ..models.level import Level
from ..models.page import Transcript
from ..models.policy.schema import Policy, Profile
from ..models.suggestion import Evidence, LevelCandidate
from .content_match import Hit, RuleScore, body_of, find_words, prepare, score_rule
from .fields_text import tight_word
from .mark_check import PUBLIC_KINDS
from .personal_data import overlays_of
from .topic import Weighed, weigh
from .topic_features import all_words
from .topic_model import TopicModel


@dataclass(frozen=True, slots=True)
class ContentView:
    """Levels, interim protection and overlays that the words speak for."""

    weighed: Weighed
    above: Level | None
    """Protection asked for by rules that no topic cites (a unit's own, 中发 papers, limits of circulation)."""
    strong: Level | None
    """What rules speak for of which two words are said plainly of the paper itself, at twice the least score."""
    public_kind: bool
    evidence: tuple[Evidence, ...]
    """Of the rules behind `above`, and of a public kind."""
    overlays: tuple[str, ...]
    overlay_evidence: tuple[Evidence, ...]
    found: dict[str, tuple[Hit, ...]]

    def likely_secret(self, policy: Policy) -> LevelCandidate | None:
        """The likeliest level above 内部, when the content speaks for it surely enough to contradict a mark."""
        secret, bounds = self.weighed.secret, policy.abstaining
        if self.strong and self.weighed.harmless < bounds.least_harmless:
            return next((one for one in self.weighed.candidates if one.level is self.strong), secret)
        if secret is None or 1.0 - self.weighed.harmless < bounds.least_confidence:
            return None
        return secret


def view_content(
    *,
    transcript: Transcript,
    fields: OfficialFields,
    policy: Policy,
    profile: Profile,
    unit_items: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (),
    model: TopicModel | None = None,
) -> ContentView:
    """Scores every content, negative and overlay rule of the profile."""
    body = body_of(transcript)
    found = find_words(body, policy, _sought(policy, (words for _, _, _, words in unit_items)))
    rules = policy.content_rules(profile)
    least = policy.engine.min_score
    weighed = weigh(body=body, found=found, fields=fields, policy=policy, profile=profile, model=model)
    cited = {rule.id for topic in policy.topics for rule in topic.rules}
    passed: list[RuleScore] = []
    strong: list[Level | None] = []
    for rule in rules:
        if rule.kind != "content":
            continue
        scored = score_rule(rule, body=body, found=found, policy=policy, kind=fields.kind)
        if not scored or scored.score < least:
            continue
        plain = {
            hit.word
            for hit in scored.hits
            if weighed.seen.contexts.read(hit.start, hit.start + len(hit.word)) == "plain"
        }
        if rule.id not in cited and plain:
            passed.append(scored)
        if len(plain) > 1 and scored.score >= 2 * least:
            strong.append(rule.level or rule.interim)
    overlays, overlay_evidence = overlays_of(rules, body=body, found=found, policy=policy, kind=fields.kind)
    evidence = [item for one in passed for item in _evidence(one, least)]
    public_kind = fields.kind in PUBLIC_KINDS
    if public_kind:
        evidence.append(
            Evidence("level", "kind.public", "official-documents section 3", fields.kind or "", score=0.8)
        )
    return ContentView(
        weighed=weighed,
        above=policy.highest(*(one.rule.level or one.rule.interim for one in passed)),
        strong=policy.highest(*strong),
        public_kind=public_kind,
        evidence=tuple(evidence),
        overlays=overlays,
        overlay_evidence=overlay_evidence,
        found=found,
    )


def get_ready(policy: Policy) -> None:
    """Builds what looks for the policy's words, before there is a paper."""
    prepare(policy, _sought(policy, (item.words for item in policy.unit_items)))


def _sought(policy: Policy, listed: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The words of topics and of the unit's list; those of the rules are sought anyway."""
    extra = {tight_word(word) for words in listed for word in words if tight_word(word)}
    return tuple(sorted(extra.union(all_words(policy))))


def _evidence(one: RuleScore, least: float) -> list[Evidence]:
    purpose = "interim" if one.rule.level is None else "level"
    score = round(one.score / (one.score + least), 3)
    source = f"{one.rule.source} {one.rule.topic}".strip()
    return [
        Evidence(purpose, one.rule.id, source, f"{hit.word}：{hit.context}", hit.page, hit.box, score)  # type: ignore[arg-type]
        for hit in one.hits[:5]
    ]
