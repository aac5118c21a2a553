"""retain: a retention period (保管期限) to suggest by 档案局令第8号 or 第10号; the archivist confirms.

Exclusions of art. 4 first; then the rule of the table with the most matched conditions, ties to the
longer period; else the default of the origin. Importance is a person's judgement: unknown counts as
important, and the suggestion says that it did. Not to be mixed with the secrecy period.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from ..models.fields import OfficialFields
from ..models.page import Transcript
from ..models.policy.schema import Origin, Policy, Profile, RetentionRule
from ..models.suggestion import Evidence, Retention, RetentionSuggestion
from .fields_text import rows_of, tight

_ORIGINS: tuple[Origin, ...] = ("self", "superior", "peer", "subordinate")
_SURENESS = {"law": 0.95, "web": 0.85, "seed": 0.85, "own": 0.7, "mem": 0.65}
_LENGTH = {Retention.PERMANENT: 1000, Retention.THIRTY: 30, Retention.TEN: 10, Retention.NOT_FILED: 0}


@dataclass(frozen=True, slots=True)
class _Match:
    rule: RetentionRule
    conditions: int
    words: tuple[str, ...]


def retain(
    *,
    transcript: Transcript,
    fields: OfficialFields,
    policy: Policy,
    profile: Profile,
    origin: Origin | None = None,
    important: bool | None = None,
    flags: tuple[str, ...] = (),
) -> RetentionSuggestion:
    """The suggestion for one paper.

    Args:
        origin: of the paper, seen from the unit; None when unknown (then the longest of all is suggested).
        important: a person's judgement; None when nobody has judged yet.
        flags: what persons have said of the paper (普发性, 重份, 主办 …), as the policy names them.
    """
    subject = _subject(transcript, fields)
    if origin is not None:
        return _clocked(_judge(subject, fields, policy, profile, origin, important, flags), subject, policy)
    each = [_judge(subject, fields, policy, profile, one, important, flags) for one in _ORIGINS]
    best = max(each, key=lambda one: _LENGTH[one.retention or Retention.PERMANENT])
    if len({one.retention for one in each}) == 1:
        return _clocked(best, subject, policy)
    asked = replace(
        best,
        confidence=round(min(0.5, best.confidence), 3),
        must_review=True,
        reasons=tuple(dict.fromkeys(("origin_unknown", *best.reasons))),
    )
    return _clocked(asked, subject, policy)


def _clocked(found: RetentionSuggestion, subject: str, policy: Policy) -> RetentionSuggestion:
    """With the event that its years wait for; 永久 and 不归档 have no clock."""
    if not found.retention or not found.retention.years:
        return found
    event = awaited_event(subject, policy)
    return replace(found, starts="event", event=event) if event else found


def awaited_event(subject: str, policy: Policy) -> str:
    """What the years of a paper with this title wait for (合同履行完毕 …); empty: nothing but its own year."""
    plain = tight(subject)
    for words, event in policy.retention.event_clocks:
        if any(_word(word) in plain for word in words):
            return event
    return ""


def _subject(transcript: Transcript, fields: OfficialFields) -> str:
    """The words the tables look at: the title, or the first lines of a paper without one."""
    if fields.title:
        return tight(fields.title)
    return "".join(row.tight for row in rows_of(transcript)[:6])


def _judge(
    subject: str,
    fields: OfficialFields,
    policy: Policy,
    profile: Profile,
    origin: Origin,
    important: bool | None,
    flags: tuple[str, ...],
) -> RetentionSuggestion:
    for rule in policy.retention.exclusions:
        match = _match(rule, subject, fields, policy, origin, important, flags)
        if match:
            return RetentionSuggestion(
                retention=Retention.NOT_FILED,
                confidence=0.85,
                must_review=False,
                evidence=(_evidence(match),),
            )
    matches = [
        match
        for rule in policy.retention.table(profile)
        if (match := _match(rule, subject, fields, policy, origin, important, flags))
    ]
    if not matches:
        default = policy.retention.defaults[origin]
        text = f"{origin}: {default}"
        return RetentionSuggestion(
            retention=default,
            confidence=0.5,
            must_review=True,
            reasons=("retention_default",),
            evidence=(Evidence("retention", "retention.defaults", "own", text, score=0.5),),
        )
    matches.sort(key=lambda one: (-one.conditions, -_LENGTH[one.rule.retention], one.rule.conf == "mem"))
    best = matches[0]
    rivals = [
        one
        for one in matches[1:]
        if one.conditions == best.conditions and one.rule.retention is not best.rule.retention
    ]
    reasons: list[str] = []
    if important is None and best.rule.important is not None:
        reasons.append("importance_unknown")
    if rivals:
        reasons.append("retention_tie")
    if best.rule.conf == "mem":
        reasons.append("rule_unverified")
    confidence = _SURENESS[best.rule.conf] - 0.2 * len(
        [code for code in reasons if code != "rule_unverified"]
    )
    confidence -= 0.1 if best.conditions == 1 else 0.0
    return RetentionSuggestion(
        retention=best.rule.retention,
        confidence=round(max(0.3, confidence), 3),
        must_review=bool(reasons) or best.conditions == 1,
        reasons=tuple(reasons),
        evidence=tuple(_evidence(one) for one in [best, *rivals[:2]]),
        candidates=tuple(
            dict.fromkeys(
                one.rule.retention
                for one in sorted([best, *rivals], key=lambda one: -_LENGTH[one.rule.retention])
            )
        )
        if rivals
        else (),
    )


@cache
def _word(word: str) -> str:
    """A word of the policy, as it is looked for."""
    return tight(word)


def _match(
    rule: RetentionRule,
    subject: str,
    fields: OfficialFields,
    policy: Policy,
    origin: Origin,
    important: bool | None,
    flags: tuple[str, ...],
) -> _Match | None:
    conditions = 0
    words: list[str] = []
    if rule.origins:
        if origin not in rule.origins:
            return None
        conditions += 1
    if rule.kinds:
        kind = _kind(fields, subject, rule.kinds)
        if kind is None:
            return None
        conditions += 1
        words.append(kind)
    named = [
        (group, [word for word in group if _word(word) in subject])
        for group in (
            rule.any,
            tuple(word for name in rule.sets for word in policy.retention.keyword_sets[name]),
        )
        if group
    ]
    for _, hits in named:
        if not hits:
            return None
        conditions += 1
        words += hits
    if rule.flags:
        given = [flag for flag in rule.flags if flag in flags]
        if not given or (not rule.flags_any and len(given) < len(rule.flags)):
            return None
        conditions += len(given)
        words += given
    if rule.important is not None:
        if rule.important is not (important is not False):
            return None
        conditions += 1
    return _Match(rule, conditions, tuple(dict.fromkeys(words)))


def _kind(fields: OfficialFields, subject: str, kinds: tuple[str, ...]) -> str | None:
    if fields.kind in kinds:
        return fields.kind
    for kind in sorted(kinds, key=len, reverse=True):
        if len(kind) > 1 and subject.endswith(kind):
            return kind
    return None


def _evidence(match: _Match) -> Evidence:
    rule = match.rule
    named = [part for part in (rule.text, "、".join(match.words), rule.note) if part]
    return Evidence(
        for_="retention",
        rule=rule.ref,
        source=f"{rule.source} ({rule.conf})",
        text=f"{rule.retention}：{'；'.join(named)}" if named else str(rule.retention),
        score=_SURENESS[rule.conf],
    )
