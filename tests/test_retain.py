"""Retention: exclusions first, most conditions, ties longer, unknown importance said."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiyao.models.fields import OfficialFields
from jiyao.models.page import Transcript
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.policy.schema import Origin, Profile
from jiyao.models.retention import RetentionTerm
from jiyao.models.suggestion import Retention, RetentionSuggestion
from jiyao.stages.retain import retain

POLICY = parse_policy(default_policy_text())


def judge(
    title: str,
    kind: str,
    origin: Origin | None = "self",
    profile: Profile = "organ",
    important: bool | None = None,
    flags: tuple[str, ...] = (),
) -> RetentionSuggestion:
    return retain(
        transcript=Transcript(()),
        fields=OfficialFields(title=title, kind=kind),
        policy=POLICY,
        profile=profile,
        origin=origin,
        important=important,
        flags=flags,
    )


def test_exclusions_come_first() -> None:
    found = judge("关于印发管理办法的通知", "通知", "superior", flags=("普发性", "不需办理"))
    assert found.retention is Retention.NOT_FILED and found.evidence[0].rule == "A-NA1"
    assert judge("关于某事的通知", "通知", flags=("校对稿",)).retention is Retention.NOT_FILED
    assert judge("关于某事的通知", "通知", "superior", flags=("普发性",)).retention is not Retention.NOT_FILED


def test_most_conditions_win_and_importance_is_said() -> None:
    asked = judge("关于申请经费的请示", "请示", "subordinate")
    assert asked.retention is Retention.PERMANENT and "importance_unknown" in asked.reasons
    assert asked.must_review and asked.evidence[0].rule == "8.3.1"
    minor = judge("关于申请经费的请示", "请示", "subordinate", important=False)
    assert minor.retention is Retention.THIRTY and "importance_unknown" not in minor.reasons


@pytest.mark.parametrize(
    ("title", "kind", "origin", "profile", "period"),
    [
        ("某某学院院长办公会议纪要", "纪要", "self", "college", "永久"),
        ("关于情况的工作说明", "说明", "self", "organ", "30年"),
        ("2024年度工作总结", "总结", "self", "organ", "永久"),
        ("关于公司章程修订的通知", "通知", "self", "company", "永久"),
        ("劳动合同", "合同", "self", "company", "永久"),
        ("银行对账单", "表", "self", "company", "10年"),
    ],
)
def test_tables(title: str, kind: str, origin: Origin, profile: Profile, period: str) -> None:
    assert judge(title, kind, origin, profile).retention == Retention(period)


def test_defaults_and_unknown_origin() -> None:
    assert judge("关于某事的函件说明", "说明", "peer").retention is Retention.TEN
    unknown = judge("关于某事的说明", "说明", None)
    assert unknown.retention is Retention.THIRTY and "origin_unknown" in unknown.reasons


def test_the_clock_starts_in_the_next_january() -> None:
    assert RetentionTerm(Retention.TEN, date(2013, 5, 6)).ends == date(2024, 1, 1)
    assert RetentionTerm(Retention.PERMANENT, date(2013, 5, 6)).ends is None
    assert RetentionTerm(Retention.TEN, None).ends is None
    assert RetentionTerm(Retention.NOT_FILED, date(2013, 5, 6)).ends is None


def test_some_clocks_wait_for_an_event() -> None:
    lease = judge("房屋租赁合同", "合同", "self", "company", important=False)
    assert (lease.starts, lease.event) == ("event", "合同履行完毕")
    assert judge("关于某事的说明", "说明").starts == "document_year"
    assert judge("劳动合同", "合同", "self", "company").retention is Retention.PERMANENT
    assert judge("劳动合同", "合同", "self", "company").event == ""


# ---------------------------------------------------------------- laws of the tables

_LENGTH = {Retention.PERMANENT: 1000, Retention.THIRTY: 30, Retention.TEN: 10, Retention.NOT_FILED: 0}
_WORDS = sorted({word for words in POLICY.retention.keyword_sets.values() for word in words})
_KINDS = ("通知", "请示", "批复", "函", "报告", "纪要", "决定", "决议", "意见", "总结", "合同", "说明")
_TITLES = st.lists(
    st.sampled_from([*_WORDS, "虚构", "样例", "董事会", "公司章程"]), min_size=1, max_size=3
).map(lambda words: f"关于{''.join(words)}的材料")
_ORIGINS = st.sampled_from(["self", "superior", "peer", "subordinate"])
_PROFILES = st.sampled_from(["organ", "hospital", "college", "company", "soe"])


@given(_TITLES, st.sampled_from(_KINDS), _ORIGINS, _PROFILES)
def test_unknown_importance_is_never_the_shorter_answer(
    title: str, kind: str, origin: Any, profile: Any
) -> None:
    unknown, important, minor = (
        judge(title, kind, origin, profile, important=value) for value in (None, True, False)
    )
    assert unknown.retention is important.retention
    if "importance_unknown" in unknown.reasons:
        assert unknown.must_review
    elif unknown.retention is not minor.retention:
        # another rule, which does not ask, was the stronger one when the paper counted as important
        assert minor.evidence[0].rule != unknown.evidence[0].rule


@given(_TITLES, st.sampled_from(_KINDS), _ORIGINS, _PROFILES)
def test_of_rules_that_fit_as_well_the_longest_counts(
    title: str, kind: str, origin: Any, profile: Any
) -> None:
    found = judge(title, kind, origin, profile, important=True)
    if found.candidates:
        assert found.retention is found.candidates[0]
        lengths = [_LENGTH[one] for one in found.candidates]
        assert lengths == sorted(lengths, reverse=True) and "retention_tie" in found.reasons


@given(_TITLES, st.sampled_from(_KINDS), _PROFILES)
def test_an_unknown_origin_never_shortens(title: str, kind: str, profile: Any) -> None:
    unknown = judge(title, kind, None, profile)
    origins: tuple[Origin, ...] = ("self", "superior", "peer", "subordinate")
    each = [judge(title, kind, origin, profile) for origin in origins]
    assert unknown.retention is not None
    assert _LENGTH[unknown.retention] == max(_LENGTH[one.retention or Retention.PERMANENT] for one in each)
    assert len({one.retention for one in each}) == 1 or "origin_unknown" in unknown.reasons


@given(_TITLES, st.sampled_from(_KINDS), _ORIGINS, _PROFILES)
def test_a_surplus_original_is_not_filed_whatever_its_subject(
    title: str, kind: str, origin: Any, profile: Any
) -> None:
    found = judge(title, kind, origin, profile, flags=("重份",))
    assert (found.retention, found.evidence[0].rule) == (Retention.NOT_FILED, "A-NA4")


@pytest.mark.parametrize("profile", ["organ", "company"])
def test_every_row_of_the_tables_can_be_reached(profile: Profile) -> None:
    """A row that no paper can reach would be a gap in the table: each is met by a paper of just its conditions."""
    rules = POLICY.retention.table(profile)
    missed = []
    for rule in rules:
        word = (*rule.any, *(POLICY.retention.keyword_sets[rule.sets[0]] if rule.sets else ()), "")[0]
        second = POLICY.retention.keyword_sets[rule.sets[0]][0] if rule.any and rule.sets else ""
        found = judge(
            f"关于{word}{second}的文件", rule.kinds[0] if rule.kinds else "材料",
            rule.origins[0] if rule.origins else "self", profile, important=rule.important, flags=rule.flags,
        )  # fmt: skip
        length = _LENGTH[found.retention or Retention.PERMANENT]
        if rule.ref not in [one.rule for one in found.evidence] and length < _LENGTH[rule.retention]:
            missed.append(rule.ref)
    assert missed == []
