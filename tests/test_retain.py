"""Retention: exclusions first, most conditions, ties longer, unknown importance said."""

from __future__ import annotations

from datetime import date

import pytest

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
