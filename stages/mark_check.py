"""What is wrong with a mark that was read: said, never corrected (official-documents.md section 4).

Finding codes: `period_above_maximum`, `forever_not_allowed`, `serial_missing`, `star_on_company_paper`,
`star_missing`, `mark_on_public_kind`, `mark_and_public_note`, `until_before_issue`, `months_should_be_years`,
`period_not_named`, `condition_needs_watch`, `old_mark_declassified`, `mark_struck`,
`mark_changed`.
"""

from __future__ import annotations

import re

from ..models.fields import OfficialFields
from ..models.level import Family, Level
from ..models.mark import Mark
from ..models.policy.schema import Policy

PUBLIC_KINDS = frozenset({"公告", "公报", "通告"})
_COMPANY = re.compile(
    r"公司|集团|股份|企业|商行|工厂|合作社|事务所|总经理|董事会|监事会|股东|[\u4e00-\u9fff]厂$|银行|Co\.|Ltd",
    re.IGNORECASE,
)
_STATE_ORGAN = re.compile(
    r"人民政府|国务院|中共|中央|人大|政协|法院|检察院|[厅局署]$|办公厅$|军区|纪委|机要局|公安|"
    r"[省市县区州旗](?:委|委办公室|政府办公室)$|国家.{2,12}(?:部|委员会)$"
)
"""Organs of the state by name; 办公室, 部 and 党委 alone may be anybody's."""
_NOTES = frozenset({"months_should_be_years", "period_not_named", "condition_needs_watch"})


def is_company_paper(fields: OfficialFields) -> bool | None:
    """Whether a company issued it; None when the issuer is unknown or of neither sort."""
    if not fields.organs:
        return None
    lead = fields.organs[0]
    if _COMPANY.search(lead):
        return True
    return False if _STATE_ORGAN.search(lead) else None


def check_mark(mark: Mark, *, fields: OfficialFields, policy: Policy) -> tuple[str, ...]:
    """Finding codes for a mark on a paper with these fields."""
    found: list[str] = []
    if mark.level.family is Family.STATE:
        found += _state(mark, fields, policy)
    found += _term(mark, fields, policy)
    if mark.level is not Level.PUBLIC and fields.public_note:
        found.append("mark_and_public_note")
    if mark.level.family in (Family.STATE, Family.WORK) and fields.kind in PUBLIC_KINDS:
        found.append("mark_on_public_kind")
    if fields.old_declassified:
        found.append("old_mark_declassified")
    if any(one.kind == "struck" for one in fields.mark_changes):
        found.append("mark_struck")
    if any(one.kind in ("former", "changed") for one in fields.mark_changes):
        found.append("mark_changed")
    return tuple(dict.fromkeys(found))


def is_contradiction(code: str) -> bool:
    """Whether a finding needs a person; the others are told only."""
    return code not in _NOTES


def _state(mark: Mark, fields: OfficialFields, policy: Policy) -> list[str]:
    found: list[str] = []
    if mark.star and is_company_paper(fields):
        found.append("star_on_company_paper")
    if not mark.star:
        found.append("star_missing")
    if not fields.serials and policy.rank(mark.level) >= policy.rank(Level.STATE_SECRET):
        found.append("serial_missing")
    if mark.period is None:
        found.append("period_not_named")
    return found


def _term(mark: Mark, fields: OfficialFields, policy: Policy) -> list[str]:
    period, found = mark.period, list[str]()
    if period is None:
        return found
    maximum = policy.max_years(mark.level)
    if mark.level.family is Family.STATE and period.kind == "forever":
        if mark.level not in policy.periods.forever_levels:
            found.append("forever_not_allowed")
    elif maximum is not None and maximum > 0:
        years = {"years": 1.0, "months": 1 / 12, "days": 1 / 365}.get(period.kind)
        if years is not None and years * (period.number or 0) > maximum:
            found.append("period_above_maximum")
    if period.kind == "months" and (period.number or 0) >= 12:
        found.append("months_should_be_years")
    if period.kind == "condition":
        found.append("condition_needs_watch")
    if period.kind == "until" and fields.signed_date:
        try:
            ends = period.ends(fields.signed_date)
        except ValueError:
            return [*found, "until_before_issue"]
        if ends is not None and ends <= fields.signed_date:
            found.append("until_before_issue")
        elif ends is not None and maximum and (ends - fields.signed_date).days > maximum * 365.25 + 1:
            found.append("period_above_maximum")
    return found
