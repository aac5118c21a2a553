"""The named baseline `keyword rules`: the policy's word lists and the plain mark pattern, nothing more.

What a careful administrator could write in an afternoon from `policy.yaml`: a line that is a mark exactly as printed;
otherwise the highest rule whose words occur (weight × hits, capped); otherwise 内部. Only a topic without a level
asks for a person. Retention: the first row of the table whose origin and words fit. The other anchor flags everything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

from ..models.level import Level
from ..models.policy.schema import ENTERPRISE_PROFILES, ContentRule, Origin, Policy
from ..models.suggestion import Retention
from .judged_answer import Answer
from .judged_set import Case

NAME = "keyword rules"
_MARK = re.compile(r"^(绝密|机密|秘密)★(\d{1,2}年|\d{1,2}个月|长期|[^\s,。;:]{1,10}前)?$")
_COMPANY = re.compile(r"^(公司绝密|公司机密|公司秘密|核心商密|普通商密|工作秘密)[▲ ]?(\d{1,2}年)?$")
_DATE = re.compile(r"((?:19|20)\d{2})年(\d{1,2})月(\d{1,2})日")
_KINDS = re.compile(r"(决议|决定|命令|令|公报|公告|通告|意见|通知|通报|报告|请示|批复|议案|函|纪要)$")


def keyword_answer(case: Case, policy: Policy) -> Answer:
    """What the keyword rules say of a paper."""
    rows = [unicodedata.normalize("NFKC", row).strip("^> ") for row in case.text.split("\n")]
    text = "".join("".join(rows).split())
    level, period, interim = _marked(rows, policy)
    signed = _last_date(rows)
    if level is None:
        level, interim = _content(text, case, policy)
    return Answer(
        level=level,
        interim=interim,
        candidates=tuple(one for one in (level, interim) if one),
        must_review=level is None,
        confidence=0.5 if level is None else 1.0,
        marked=period is not None,
        period=period or None,
        ends=_ends(period, signed),
        overlays=(),
        retention=_retention(rows, case, policy),
    )


def flag_everything(case: Case, policy: Policy) -> Answer:
    """The other anchor: 机密, and a person looks at everything."""
    del case, policy
    return Answer(
        level=Level.STATE_SECRET, interim=None, candidates=(Level.STATE_SECRET,), must_review=True,
        confidence=0.0, marked=False, period=None, ends=None, overlays=(), retention=Retention.PERMANENT,
    )  # fmt: skip


def _marked(rows: list[str], policy: Policy) -> tuple[Level | None, str | None, Level | None]:
    """Level, period (`` without one) and no interim; three times None without a mark."""
    for row in rows:
        if found := _MARK.match(row) or _COMPANY.match(row):
            level = Level(found[1])
            years = policy.max_years(level)
            return level, found[2] or (f"{years}年" if years else ""), None
    if any(word in row for row in rows for word in ("内部资料", "内部文件", "注意保存", "不得外传")):
        return Level.INTERNAL, "", None
    if any("公开发布" in row for row in rows):
        return Level.PUBLIC, "", None
    return None, None, None


def _content(text: str, case: Case, policy: Policy) -> tuple[Level | None, Level | None]:
    best: ContentRule | None = None
    for rule in policy.content_rules(case.profile):
        if rule.kind == "overlay" or _absent(rule, text):
            continue
        hits = sum(min(policy.engine.repeat_cap, text.count(word)) for word in rule.words.any)
        if rule.weight * min(hits, policy.engine.repeat_cap) < policy.engine.min_score:
            continue
        if best is None or policy.rank(rule.level or rule.interim) > policy.rank(best.level or best.interim):
            best = rule
    if best is None:
        return Level.INTERNAL, None
    return best.level, None if best.level else best.interim


def _absent(rule: ContentRule, text: str) -> bool:
    words = rule.words
    return any(word in text for word in words.none) or bool(
        words.and_any and not any(word in text for word in words.and_any)
    )


def _last_date(rows: Iterable[str]) -> date | None:
    for row in reversed(list(rows)):
        if found := _DATE.search(row):
            try:
                return date(int(found[1]), int(found[2]), int(found[3]))
            except ValueError:
                return None
    return None


def _ends(period: str | None, signed: date | None) -> date | None:
    number = re.match(r"^(\d{1,2})(年|个月)$", period or "")
    if not number or signed is None:
        return None
    count = int(number[1])
    months = signed.month - 1 + (count * 12 if number[2] == "年" else count)
    return date(signed.year + months // 12, months % 12 + 1, min(signed.day, 28))


def _retention(rows: list[str], case: Case, policy: Policy) -> Retention:
    title = next((row for row in rows if "关于" in row or _KINDS.search(row)), "".join(rows[:3]))
    origin: Origin = case.origin or "self"
    table = policy.retention.enterprise if case.profile in ENTERPRISE_PROFILES else policy.retention.agency
    for rule in table:
        if rule.flags or (rule.origins and origin not in rule.origins):
            continue
        if rule.important is not None and rule.important is not (case.important is not False):
            continue
        sets = [word for name in rule.sets for word in policy.retention.keyword_sets[name]]
        groups = [group for group in (rule.any, tuple(sets)) if group]
        if groups and all(any(word in title for word in group) for group in groups):
            return rule.retention
    return policy.retention.defaults[origin]
