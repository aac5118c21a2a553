"""Words by their context, the small model, abstaining, hidden marks, terms that end."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest

from jiyao.models.level import Family, Level
from jiyao.models.page import Box, Finding, Line, Page, Transcript
from jiyao.models.period import Period, PeriodChange, SecrecyTerm, term_of
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.policy.schema import Profile
from jiyao.models.suggestion import LevelSuggestion
from jiyao.stages.classify import classify
from jiyao.stages.context import contexts_of
from jiyao.stages.extract import extract
from jiyao.stages.topic_model import shipped_model

POLICY = parse_policy(default_policy_text())


def judge(text: str, profile: Profile = "organ", findings: tuple[Finding, ...] = ()) -> LevelSuggestion:
    rows = [part[at : at + 28] for part in text.split("\n") for at in range(0, len(part), 28)]
    lines = tuple(Line(row, Box(0.1, 0.03 * i, 0.9, 0.03 * i + 0.02)) for i, row in enumerate(rows))
    paper = Transcript((Page(1, 210, 297, lines, "text_layer", "test", 1.0),), findings)
    return classify(transcript=paper, fields=extract(paper), policy=POLICY, profile=profile)


@pytest.mark.parametrize(
    ("text", "word", "reading"),
    [
        ("本方案不涉及部队番号。", "番号", "denied"),
        ("依据《武器装备管理条例》执行。", "武器", "cited"),
        ("邀请专家作保密知识培训,讲解密码机的用途。", "密码机", "taught"),
        ("展厅陈列抗战时期的兵力部署图。", "兵力", "past"),
        ("桌面推演中假设发生聚集。", "聚集", "supposed"),
        ("上述收购已于四月一日公告。", "收购", "published"),
        ("拟收购对方股权,消息尚未公布。", "收购", "plain"),
        ("今年的考试培训不变。下周开始封闭命题。", "命题", "plain"),
    ],
)
def test_words_are_read_in_their_clause(text: str, word: str, reading: str) -> None:
    start = text.index(word)
    assert contexts_of(text).read(start, start + len(word)) == reading


def test_the_model_is_small_and_of_this_policy() -> None:
    text = files("jiyao.models.policy").joinpath("topics.json").read_bytes()
    assert len(text) < 3_000_000
    assert set(shipped_model().topics) == {topic.id for topic in POLICY.topics}


@pytest.mark.full
def test_the_shipped_model_is_what_training_makes() -> None:
    from jiyao.samples.teach import make_model

    shipped = files("jiyao.models.policy").joinpath("topics.json").read_bytes()
    assert hashlib.sha256(make_model().encode()).hexdigest() == hashlib.sha256(shipped).hexdigest()


@pytest.mark.req("R-028", "R-041")
def test_meaning_without_the_words_of_the_law() -> None:
    found = judge(
        "关于铁路装卸配合的请示\n县政府：\n下周三夜里有四个营从我站下车转公路，约一千六百名官兵，集结地点另行当面告知，请公安封住便道，不对外解释。"
    )
    assert found.level is None and found.interim is not None and found.interim.family is Family.STATE
    assert found.must_review and found.evidence and found.candidates
    assert all(item.source for item in found.evidence)


def test_frightening_words_in_a_training_notice() -> None:
    found = judge(
        "关于举办保密知识讲座的通知\n各科室：\n定于周四下午举办讲座，讲解绝密、机密、秘密的区别和泄密案例，请按时参加并签到。"
    )
    assert found.level in (Level.INTERNAL, Level.PUBLIC) and found.interim is None


def test_an_abstaining_suggestion_protects_at_the_higher_candidate() -> None:
    bounds = replace(POLICY.abstaining, least_confidence=1.0)
    policy = replace(POLICY, abstaining=bounds)
    rows = ("关于拟收购对方工厂的报告", "董事会：", "对方开价一亿元，我方底线八千万，正式签约前不得外传。")
    lines = tuple(Line(row, Box(0.1, 0.03 * i, 0.9, 0.03 * i + 0.02)) for i, row in enumerate(rows))
    paper = Transcript((Page(1, 210, 297, lines, "text_layer", "test", 1.0),))
    found = classify(transcript=paper, fields=extract(paper), policy=policy, profile="company")
    assert found.abstained and found.must_review and len(found.candidates) == 2
    held = POLICY.rank(POLICY.highest(found.level, found.interim))
    assert held >= max(POLICY.rank(one.level) for one in found.candidates)
    assert "needs_person" in found.reasons


def test_a_hidden_mark_protects_and_asks() -> None:
    text = "关于放假的通知\n各部门：\n现将放假安排通知如下，请做好值班。"
    found = judge(text, findings=(Finding("hidden_mark", 1, "机密★10年"),))
    assert found.level is not Level.STATE_SECRET and found.interim is Level.STATE_SECRET
    assert found.must_review and "hidden_mark" in found.reasons


@pytest.mark.req("R-026", "R-027")
def test_terms_start_end_and_change() -> None:
    five = Period("years", number=5)
    assert term_of(five, signed=date(2024, 2, 29)).ends == date(2029, 2, 28)
    notified = term_of(five, signed=None, notified=date(2024, 5, 6))
    assert (notified.started_by, notified.ends) == ("notified", date(2029, 5, 6))
    early = PeriodChange("early_declassify", date(2025, 1, 1), date(2025, 2, 1))
    late = PeriodChange("extend", date(2030, 1, 1), date(2040, 1, 1))
    longer = PeriodChange("extend", date(2028, 1, 1), date(2035, 1, 1))
    assert SecrecyTerm(five, date(2024, 5, 6), changes=(early, longer)).ends == date(2025, 2, 1)
    assert SecrecyTerm(five, date(2024, 5, 6), changes=(late,)).ends == date(2029, 5, 6)
    assert SecrecyTerm(five, date(2024, 5, 6), changes=(longer,)).ends == date(2035, 1, 1)
    condition = SecrecyTerm(Period("condition", condition="启用前"), date(2024, 5, 6))
    assert condition.ends is None
