"""classify: a level and secrecy period to suggest, with evidence; a named person decides.

Order: mark, derivative source, the unit's own list, content, negative rules; overlays always
(policy.md section 3).
A state level comes only from a mark, a derivative source or the unit's list (实施条例 art. 12-13, 18);
words alone give at most an interim protection. Families are never mixed: a company's 机密 is 公司机密.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from ..models.fields import FieldEvidence, OfficialFields
from ..models.level import Family, Level
from ..models.mark import Mark
from ..models.page import Transcript
from ..models.period import Period
from ..models.policy.schema import ENTERPRISE_PROFILES, Policy, Profile
from ..models.suggestion import Evidence, LevelCandidate, LevelSuggestion, RelatedDocument, Relations
from .classify_content import ContentView, view_content
from .derive import CONFIDENCE, highest_source, inherited_period, live_sources, source_evidence
from .fields_text import tight
from .mark_changes import change_evidence, former_above, mark_of_parts
from .mark_check import check_mark, is_company_paper, is_contradiction
from .mark_grammar import parse_mark, read_term
from .topic import HARMLESS
from .topic_model import TopicModel

SURE = 0.85
NOTHING_RELATED = Relations()
_COMPANY_LEVEL = {
    Level.STATE_TOP: Level.COMPANY_TOP,
    Level.STATE_SECRET: Level.COMPANY_SECRET,
    Level.STATE_CONFIDENTIAL: Level.COMPANY_CONFIDENTIAL,
}
_HARMLESS = frozenset({"traditional"})


@dataclass(frozen=True, slots=True)
class _Case:
    fields: OfficialFields
    policy: Policy
    profile: Profile
    relations: Relations
    view: ContentView


def classify(
    *,
    transcript: Transcript,
    fields: OfficialFields,
    policy: Policy,
    profile: Profile,
    relations: Relations = NOTHING_RELATED,
    model: TopicModel | None = None,
) -> LevelSuggestion:
    """The suggestion for one paper. Pure; `relations` says what the register knows of other papers.

    `model`: one made on the station, instead of the shipped one.

    `must_review` is False for a sound mark read surely without contradiction, and for plain administrative
    papers whose title says so; `reasons` are finding codes.
    """
    view = view_content(
        transcript=transcript, fields=fields, policy=policy, profile=profile, unit_items=relations.unit_items,
        model=model,
    )  # fmt: skip
    case = _Case(fields, policy, profile, relations, view)
    suggestion = (
        _by_mark(case)
        or _by_source(case)
        or _by_unit_list(case)
        or _by_public_note(case)
        or _by_content(case)
    )
    suggestion = _with_changes(suggestion, fields)
    suggestion = _with_hidden_mark(suggestion, transcript, policy)
    evidence = suggestion.evidence + view.overlay_evidence
    if model is not None:
        evidence += (Evidence("level", "station_model", model.version, ""),)
    return replace(
        suggestion, overlays=view.overlays, evidence=evidence, policy=policy.version,
        sources=tuple((one.document, one.how) for one in _sources(case)),
        model=view.weighed.model.version,
    )  # fmt: skip


def _with_changes(suggestion: LevelSuggestion, fields: OfficialFields) -> LevelSuggestion:
    """Stamps and struck marks ask a person also where no mark is left to read."""
    if not fields.mark_changes or (suggestion.basis == "marked" and suggestion.level is not Level.PUBLIC):
        return suggestion
    codes = {"struck": "mark_struck", "declassified": "old_mark_declassified"}
    reasons = (*suggestion.reasons, *(codes.get(one.kind, "mark_changed") for one in fields.mark_changes))
    return replace(
        suggestion,
        must_review=True,
        reasons=tuple(dict.fromkeys(reasons)),
        evidence=(*suggestion.evidence, *change_evidence(fields.mark_changes)),
    )


def _with_hidden_mark(suggestion: LevelSuggestion, transcript: Transcript, policy: Policy) -> LevelSuggestion:
    """A mark that the file holds without showing it protects meanwhile; only a person may say what it means."""
    hidden = [
        (mark, finding)
        for finding in transcript.findings
        if finding.code == "hidden_mark" and (mark := parse_mark(finding.detail)) is not None
    ]
    if not hidden:
        return suggestion
    mark, finding = max(hidden, key=lambda one: policy.rank(one[0].level))
    held = policy.highest(suggestion.level, suggestion.interim)
    return replace(
        suggestion,
        interim=mark.level if policy.rank(mark.level) > policy.rank(held) else suggestion.interim,
        must_review=True,
        reasons=tuple(dict.fromkeys((*suggestion.reasons, "hidden_mark"))),
        evidence=(
            *suggestion.evidence,
            Evidence("interim", "hidden_mark", "BMF art.22", finding.detail, finding.page, finding.box, 0.5),
        ),
    )


def secrecy_until(suggestion: LevelSuggestion, fields: OfficialFields) -> date | None:
    """The first day no longer protected, counted from 成文日期; None when no date follows."""
    if suggestion.period is None:
        return None
    if suggestion.period.kind != "until" and fields.signed_date is None:
        return None
    try:
        return suggestion.period.ends(fields.signed_date or date.min)
    except (ValueError, OverflowError):
        return None


def _level_maximum(level: Level, policy: Policy) -> Period | None:
    years = policy.max_years(level)
    return Period("years", number=years) if years else None


# ---------------------------------------------------------------- marks


def _by_mark(case: _Case) -> LevelSuggestion | None:
    read = next((item for item in case.fields.evidence if item.rule == "mark.head"), None)
    own = case.fields.mark
    parts = [
        (mark, item)
        for item in case.fields.evidence
        if item.rule == "mark.attachment" and (mark := parse_mark(item.value)) is not None
    ]
    whole = mark_of_parts(
        own, [mark for mark, _ in parts], signed=case.fields.signed_date, policy=case.policy
    )
    if whole is None:
        return None
    if own is not None and whole.level is own.level and whole.period == own.period:
        return _marked(case, own, read, ())
    higher = case.policy.rank(whole.level) > case.policy.rank(own.level if own else None)
    said = next((item for mark, item in parts if mark.level is whole.level), read) if higher else read
    reasons = ("attachment_mark_higher",) if higher else ("attachment_period_longer",)
    return _marked(case, whole, said, reasons)


def _marked(case: _Case, mark: Mark, read: FieldEvidence | None, more: tuple[str, ...]) -> LevelSuggestion:
    policy, fields = case.policy, case.fields
    mark, reasons = _own_family(case, mark, list(more))
    reasons += check_mark(mark, fields=fields, policy=policy)
    doubts = list(read.doubt) if read else ["no_evidence"]
    if mark.level.family is not Family.STATE:
        doubts = [code for code in doubts if code != "star_lost"]
    reasons += [code for code in doubts if code not in _HARMLESS]
    score = read.score if read else 0.5
    if mark.level.family is not Family.STATE and fields.mark and fields.mark.level.family is Family.STATE:
        # the star that was missed is none of a company's
        score = min(0.99, score + 0.15)
    related = highest_source(_sources(case), policy)
    below = related is not None and policy.rank(related.level) > policy.rank(mark.level)
    if below:
        reasons.append("below_source")
    interim = former_above(fields.mark_changes, mark, policy)
    if mark.level.family is not Family.STATE:
        secret = case.view.likely_secret(policy)
        if (
            secret
            and policy.rank(secret.level) > policy.rank(mark.level)
            and _contradicts(case, mark, secret)
        ):
            interim = policy.highest(secret.level, interim)
            reasons.append("content_above_mark")
    if score < SURE:
        reasons.append("low_confidence")
    rule = {
        Family.STATE: "M-STATE", Family.SOE: "M-SOE", Family.COMPANY: "M-COMPANY", Family.WORK: "M-WORK",
        Family.INTERNAL: "M-INTERNAL", Family.PUBLIC: "M-PUBLIC",
    }[mark.level.family]  # fmt: skip
    source = next((one.source for one in policy.rules if one.id == rule), "")
    evidence = [_mark_evidence("level", rule, source, mark, read, score)]
    period = mark.period
    if period is not None:
        evidence.append(_mark_evidence("period", rule, source, mark, read, score))
    else:
        period = _level_maximum(mark.level, policy)
        if period:
            text = f"{mark.level} {period}"
            evidence.append(Evidence("period", "secrecy_period.unmarked_term", "BMF art.20", text, score=0.9))
    if below:
        evidence += source_evidence(_sources(case))
    if "content_above_mark" in reasons and secret:
        evidence += case.view.weighed.evidence(secret)
    evidence += change_evidence(fields.mark_changes)
    reasons = list(dict.fromkeys(reasons))
    return LevelSuggestion(
        level=mark.level,
        interim=interim,
        basis="marked",
        period=period,
        confidence=round(score, 3),
        must_review=any(is_contradiction(code) for code in reasons),
        reasons=tuple(reasons),
        evidence=tuple(evidence),
    )


def _own_family(case: _Case, mark: Mark, reasons: list[str]) -> tuple[Mark, list[str]]:
    """A level word without star on a company's paper is the company's level (001-E§9)."""
    if mark.level.family is not Family.STATE or mark.star:
        return mark, reasons
    company = is_company_paper(case.fields)
    if company or (company is None and case.profile in ENTERPRISE_PROFILES):
        if company is None:
            reasons.append("issuer_unknown")
        return replace(mark, level=_COMPANY_LEVEL[mark.level]), reasons
    return mark, reasons


def _mark_evidence(
    for_: str, rule: str, source: str, mark: Mark, read: FieldEvidence | None, score: float
) -> Evidence:
    return Evidence(
        for_=for_,  # type: ignore[arg-type]
        rule=rule,
        source=source,
        text=read.raw if read else mark.raw,
        page=read.page if read else None,
        box=read.box if read else None,
        score=round(score, 3),
    )


# ---------------------------------------------------------------- sources and the unit's list


def _sources(case: _Case) -> tuple[RelatedDocument, ...]:
    return live_sources(case.relations, case.fields.signed_date)


def _by_source(case: _Case) -> LevelSuggestion | None:
    """派生定密: the source's level, a period not beyond its end (实施条例 art. 18).

    The unit's list or the content may ask for more: then that is the level, or protects meanwhile.
    """
    sources, policy = _sources(case), case.policy
    source = highest_source(sources, policy)
    if source is None or source.level is None:
        return None
    reasons = ["derivative_to_confirm"]
    if case.fields.public_note:
        reasons.append("mark_and_public_note")
    listed = _by_unit_list(case)
    if listed is not None and policy.rank(listed.level) > policy.rank(source.level):
        return replace(
            listed,
            reasons=(*listed.reasons, *reasons),
            evidence=(*listed.evidence, *source_evidence(sources)),
        )
    secret = case.view.likely_secret(policy)
    interim = secret.level if secret else None
    above = policy.rank(interim) > policy.rank(source.level)
    if above:
        reasons.append("content_above_source")
    return LevelSuggestion(
        level=source.level,
        interim=interim if above else None,
        basis="derivative",
        period=inherited_period(source, sources) or _level_maximum(source.level, policy),
        confidence=CONFIDENCE[source.how],
        must_review=True,
        reasons=tuple(reasons),
        evidence=(
            *source_evidence(sources),
            *(case.view.weighed.evidence(secret) if above and secret else ()),
        ),
    )


def _by_unit_list(case: _Case) -> LevelSuggestion | None:
    """The unit's own 国家秘密事项一览表 (实施条例 art. 12): its words, scored like a rule of weight two."""
    policy = case.policy
    best: tuple[int, str, Level, str, tuple[Evidence, ...]] | None = None
    for item, level_id, period_text, words in case.relations.unit_items:
        hits = [hit for word in words for hit in case.view.found.get(tight(word), ())]
        weights = policy.engine.zone_weights
        hits.sort(key=lambda hit: -weights[hit.zone])
        score = 2.0 * sum(weights[hit.zone] for hit in hits[: policy.engine.repeat_cap])
        if not hits or score < policy.engine.min_score:
            continue
        try:
            level = Level.parse(level_id)
        except ValueError:
            continue
        if best is None or policy.rank(level) > best[0]:
            proof = tuple(
                Evidence(
                    "level", f"U:{item}", "TL art.12", f"{hit.word}：{hit.context}", hit.page, hit.box, 0.7
                )
                for hit in hits[:5]
            )
            best = (policy.rank(level), item, level, period_text, proof)
    if best is None:
        return None
    _, _, level, period_text, proof = best
    read = read_term(period_text) if period_text else None
    return LevelSuggestion(
        level=level,
        interim=None,
        basis="unit_list",
        period=read[0] if read else _level_maximum(level, policy),
        confidence=0.65,
        must_review=True,
        reasons=("unit_list_to_confirm",),
        evidence=proof,
    )


# ---------------------------------------------------------------- public note, content


def _by_public_note(case: _Case) -> LevelSuggestion | None:
    """此件公开发布 on the paper: the issuer has decided; state topics are then the published ones."""
    if not case.fields.public_note:
        return None
    read = next((item for item in case.fields.evidence if item.name == "note" and "公开" in item.value), None)
    secret = case.view.likely_secret(case.policy)
    doubtful = (
        secret is not None and 1.0 - case.view.weighed.harmless >= case.policy.abstaining.least_harmless
    )
    return LevelSuggestion(
        level=Level.PUBLIC,
        interim=secret.level if doubtful and secret else None,
        basis="marked",
        period=None,
        confidence=round(read.score if read else 0.8, 3),
        must_review=doubtful,
        reasons=("content_above_mark",) if doubtful else (),
        evidence=(
            Evidence(
                "level", "M-PUBLIC", "GB/T 9704 7.3.7", read.raw if read else "公开发布",
                read.page if read else None, read.box if read else None, read.score if read else 0.8,
            ),
        ),
    )  # fmt: skip


def _by_content(case: _Case) -> LevelSuggestion:
    """The likeliest level by content, or both candidates when it is not likely enough (policy `abstaining`)."""
    weighed, policy = case.view.weighed, case.policy
    bounds = policy.abstaining
    top, secret = weighed.candidates[0], weighed.secret
    if case.view.public_kind and weighed.harmless >= bounds.protect_below:
        return _harmless(case, replace(top, level=Level.PUBLIC), sure=_is_sure(case))
    if secret is None or weighed.harmless >= bounds.protect_below:
        top = next(one for one in weighed.candidates if one.level.family in HARMLESS)
        return _harmless(case, top, sure=_is_sure(case))
    if top.level.family not in HARMLESS and top.confidence >= bounds.least_confidence:
        return _secret(case, top, weighed.candidates[:2], abstained=False)
    if top.level.family in HARMLESS or 1.0 - weighed.harmless >= bounds.least_harmless:
        # surely secret: the second candidate is the next secret level, not a harmless one
        pair = (
            top,
            next(one for one in weighed.candidates[1:] if one.level.family not in HARMLESS or one is secret),
        )
    else:
        pair = (top, weighed.candidates[1])
    return _secret(case, top, pair, abstained=True)


def _is_sure(case: _Case) -> bool:
    """Whether harmless content is suggested without asking; words of a secret topic said plainly ask for more."""
    weighed, bounds = case.view.weighed, case.policy.abstaining
    worded = any(
        len({one.hit.word for one in hits if one.weight >= 1.0}) > 1 for hits in weighed.seen.hits.values()
    )
    return weighed.harmless >= (bounds.ask_below_worded if worded else bounds.ask_below)


def _harmless(case: _Case, top: LevelCandidate, *, sure: bool) -> LevelSuggestion:
    view, policy = case.view, case.policy
    secret = view.weighed.secret
    above = view.above if policy.rank(view.above) > policy.rank(top.level) else None
    asked = not sure or above is not None or view.strong is not None
    return LevelSuggestion(
        level=top.level,
        interim=above,
        basis="content",
        period=None,
        confidence=round(view.weighed.harmless, 3),
        must_review=asked,
        reasons=("no_mark", "content_to_confirm") if asked else (),
        evidence=(*view.weighed.evidence(top), *view.evidence),
        candidates=(top, secret) if asked and secret else (top,),
        topic=top.topic,
    )


def _secret(
    case: _Case, top: LevelCandidate, pair: tuple[LevelCandidate, ...], *, abstained: bool
) -> LevelSuggestion:
    """A level by content; a state one is protection meanwhile (实施条例 art. 12-13). A person always looks."""
    policy = case.policy
    level = None if top.level.family is Family.STATE else top.level
    wanted = [top.level] if not abstained else [one.level for one in pair]
    higher = policy.highest(*wanted, case.view.above)
    interim = higher if policy.rank(higher) > policy.rank(level) else None
    reasons = ["no_mark", "content_to_confirm"]
    if interim and interim.family is Family.STATE:
        reasons.append("state_topic")
    if abstained:
        reasons.append("needs_person")
    shown = [top] if not abstained else list(pair)
    return LevelSuggestion(
        level=level,
        interim=interim,
        basis="content",
        period=_level_maximum(level, policy) if level else None,
        confidence=top.confidence,
        must_review=True,
        reasons=tuple(reasons),
        evidence=(*(item for one in shown for item in case.view.weighed.evidence(one)), *case.view.evidence),
        candidates=pair,
        abstained=abstained,
        topic=top.topic,
    )


def _contradicts(case: _Case, mark: Mark, secret: LevelCandidate) -> bool:
    """Whether content above a mark contradicts it: of its own family or the state's, or surely above 内部."""
    if mark.level.family in HARMLESS:
        sure = 1.0 - case.view.weighed.harmless >= case.policy.abstaining.least_harmless
        return sure or case.view.strong is not None
    return secret.level.family in (mark.level.family, Family.STATE)
