"""What the policy's content rules say of a paper, before anything is weighed against a mark."""

from __future__ import annotations

from dataclasses import dataclass

from ..models.fields import OfficialFields
from ..models.level import Family, Level
from ..models.page import Transcript
from ..models.policy.schema import Policy, Profile
from ..models.suggestion import Evidence
from .content_match import Hit, RuleScore, body_of, find_words, score_rule
from .fields_text import tight
from .mark_check import PUBLIC_KINDS
from .personal_data import overlays_of


@dataclass(frozen=True, slots=True)
class ContentView:
    """Levels, interim protection and overlays that the words speak for."""

    level: Level | None
    interim: Level | None
    negative: Level | None
    negative_in_title: bool
    public_kind: bool
    strong: bool
    """A rule with a level has at least twice the least score, and words of it stand in title or head."""
    confidence: float
    evidence: tuple[Evidence, ...]
    overlays: tuple[str, ...]
    overlay_evidence: tuple[Evidence, ...]
    found: dict[str, tuple[Hit, ...]]

    def evidence_for(self, purpose: str) -> list[Evidence]:
        """Evidence of content rules, turned to another purpose where they raise a mark's protection."""
        return [item for item in self.evidence if item.for_ in (purpose, "level")]


def view_content(
    *,
    transcript: Transcript,
    fields: OfficialFields,
    policy: Policy,
    profile: Profile,
    unit_items: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (),
) -> ContentView:
    """Scores every content, negative and overlay rule of the profile."""
    body = body_of(transcript)
    extra = tuple(sorted({tight(word) for _, _, _, words in unit_items for word in words if tight(word)}))
    found = find_words(body, policy, extra)
    rules = policy.content_rules(profile)
    least = policy.engine.min_score
    passed: list[RuleScore] = []
    negatives: list[RuleScore] = []
    for rule in rules:
        if rule.kind not in ("content", "negative"):
            continue
        scored = score_rule(rule, body=body, found=found, policy=policy, kind=fields.kind)
        if scored and scored.score >= least:
            (passed if rule.kind == "content" else negatives).append(scored)
    passed.sort(key=lambda one: (-policy.rank(one.rule.level or one.rule.interim), -one.score))
    with_level = [one for one in passed if one.rule.level is not None]
    topics = [one for one in passed if one.rule.interim is not None]
    top = with_level[0] if with_level else None
    overlays, overlay_evidence = overlays_of(rules, body=body, found=found, policy=policy, kind=fields.kind)
    evidence = [item for one in passed for item in _evidence(one, least)]
    negative = negatives[0] if negatives else None
    if negative:
        evidence += _evidence(negative, least)
    public_kind = fields.kind in PUBLIC_KINDS and not passed
    if public_kind:
        evidence.append(
            Evidence("level", "kind.public", "official-documents section 3", fields.kind or "", score=0.8)
        )
    return ContentView(
        level=top.rule.level if top else None,
        interim=policy.highest(*(one.rule.interim for one in topics)),
        negative=negative.rule.level if negative else None,
        negative_in_title=bool(negative and any(hit.zone == "title" for hit in negative.hits)),
        public_kind=public_kind,
        strong=bool(top and top.score >= 2 * least and any(hit.zone != "body" for hit in top.hits)),
        confidence=_confidence(top or (topics[0] if topics else None), least),
        evidence=tuple(evidence),
        overlays=overlays,
        overlay_evidence=overlay_evidence,
        found=found,
    )


def _evidence(one: RuleScore, least: float) -> list[Evidence]:
    purpose = "interim" if one.rule.level is None else "level"
    score = round(one.score / (one.score + least), 3)
    source = f"{one.rule.source} {one.rule.topic}".strip()
    return [
        Evidence(purpose, one.rule.id, source, f"{hit.word}：{hit.context}", hit.page, hit.box, score)  # type: ignore[arg-type]
        for hit in one.hits[:5]
    ]


def _confidence(one: RuleScore | None, least: float) -> float:
    """Honest for keyword rules: measured alone they are right less than half the time unless words add up."""
    if one is None:
        return 0.4
    base = 0.35 if one.rule.family is Family.STATE else 0.4
    title = 0.1 if any(hit.zone == "title" for hit in one.hits) else 0.0
    return round(
        min(0.75, base + 0.07 * (one.distinct - 1) + title + 0.05 * min(3.0, one.score / least - 1)), 3
    )
