"""Levels: marks first, families apart, words never a state level; doubts are said, sound marks not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiyao.models.level import Family, Level
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.models.period import Period
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.policy.schema import Profile
from jiyao.models.suggestion import LevelSuggestion, RelatedDocument, Relations
from jiyao.stages.classify import NOTHING_RELATED, classify, secrecy_until
from jiyao.stages.extract import extract
from jiyao.stages.personal_data import gb11643, luhn

POLICY = parse_policy(default_policy_text())


def transcript(text: str, confidence: float = 1.0) -> Transcript:
    lines = tuple(
        Line(row, Box(0.1, 0.02 * i, 0.9, 0.02 * i + 0.015), confidence)
        for i, row in enumerate(text.split("\n"))
        if row.strip()
    )
    return Transcript((Page(1, 210, 297, lines, "ocr", "test", confidence),))


def judge(
    text: str, profile: Profile = "organ", relations: Relations = NOTHING_RELATED, confidence: float = 1.0
) -> LevelSuggestion:
    paper = transcript(text, confidence)
    return classify(
        transcript=paper, fields=extract(paper), policy=POLICY, profile=profile, relations=relations
    )


def paper(mark: str, body: str = "现将有关事项通知如下，请遵照执行。", organ: str = "某某市人民政府") -> str:
    return (
        f"000123\n{mark}\n{organ}文件\n某政发〔2024〕15号\n关于做好有关工作的通知\n各单位：\n"
        f"{body}\n{organ}\n2024年5月1日"
    )


@pytest.mark.req("R-025", "R-027")
def test_a_sound_mark_is_not_doubted() -> None:
    text = paper("机密★5年")
    found = judge(text)
    assert (found.level, found.basis, str(found.period)) == (Level.STATE_SECRET, "marked", "5年")
    assert not found.must_review and found.reasons == () and found.confidence > 0.9
    until = secrecy_until(found, extract(transcript(text)))
    assert until is not None and until.isoformat() == "2029-05-01"
    assert found.evidence[0].rule == "M-STATE" and found.evidence[0].box is not None


@pytest.mark.req("R-026")
@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ("秘密★20年", "period_above_maximum"),
        ("机密大20年", "star_repaired"),
        ("机蜜★20年", "level_repaired"),
        ("机密 20年", "star_missing"),
        ("机密★长期", "forever_not_allowed"),
    ],
)
def test_doubtful_marks_are_reviewed(mark: str, reason: str) -> None:
    found = judge(paper(mark))
    assert found.basis == "marked" and found.must_review and reason in found.reasons


def test_low_confidence_is_reviewed() -> None:
    assert judge(paper("机密★5年"), confidence=0.6).must_review


@pytest.mark.req("R-026")
def test_a_mark_without_period_has_the_maximum() -> None:
    found = judge(paper("绝密★"))
    assert found.period == Period("years", number=30) and not found.must_review


def test_families_stay_apart() -> None:
    company = judge(paper("机密 3年", organ="华瑞制衣有限公司"), "company")
    assert company.level is Level.COMPANY_SECRET and not company.must_review
    starred = judge(paper("机密★3年", organ="华瑞制衣有限公司"), "company")
    assert starred.level is Level.STATE_SECRET and "star_on_company_paper" in starred.reasons
    soe = judge(paper("某某集团 核心商密▲5年", organ="某某集团有限公司"), "organ")
    assert soe.level is Level.SOE_CORE and str(soe.period) == "5年"
    organ = judge(paper("秘密★1年"), "company")
    assert organ.level is Level.STATE_CONFIDENTIAL
    work = judge(paper("工作秘密 1年"))
    assert work.level is Level.WORK and not work.must_review


WORDS = sorted({word for rule in POLICY.rules for word in rule.words.any + rule.words.and_any})


@pytest.mark.req("R-041")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8), st.sampled_from(["organ", "company", "soe"]))
def test_words_alone_never_give_a_state_level(words: list[str], profile: Profile) -> None:
    body = "，".join(words) + "等事项，请遵照执行。"
    found = judge("某某局文件\n某发〔2024〕1号\n关于有关事项的方案\n各单位：\n" + body, profile)
    assert found.level is None or found.level.family is not Family.STATE
    if found.level is None:
        assert found.interim is not None and found.must_review


@pytest.mark.req("R-041")
def test_a_state_topic_protects_meanwhile() -> None:
    found = judge("某某局文件\n关于密码设备更换的报告\n省局：\n现将密码机和密钥更换情况报告如下，请审阅。")
    assert (found.level, found.interim, found.basis) == (None, Level.STATE_SECRET, "content")
    assert found.must_review and "state_topic" in found.reasons
    assert any(item.rule == "I-COMMS" and item.box is not None for item in found.evidence)


@pytest.mark.req("R-032")
def test_company_content() -> None:
    text = "华瑞制衣有限公司\n关于收购方案的报告\n董事会：\n现将收购方案和股权转让安排报告如下，请审议。"
    found = judge(text, "company")
    assert found.level is Level.COMPANY_TOP and found.basis == "content" and found.must_review
    assert judge(text, "organ").level is not Level.COMPANY_TOP


def test_plain_administration_is_not_doubted() -> None:
    text = "关于清明节放假的通知\n各部门：\n现将放假安排通知如下，请做好值班工作。\n行政部\n2024年3月28日"
    for profile in ("organ", "company"):
        found = judge(text, profile)
        assert found.level is Level.INTERNAL and not found.must_review


def test_public_note_and_public_kind() -> None:
    note = judge(paper("特急") + "\n（此件公开发布）")
    assert (note.level, note.basis, note.must_review) == (Level.PUBLIC, "marked", False)
    both = judge(paper("秘密★5年") + "\n（此件公开发布）")
    assert both.level is Level.STATE_CONFIDENTIAL and "mark_and_public_note" in both.reasons
    kind = judge("某某市人民政府公告\n2024年第5号\n现将道路施工事项公告如下，请市民绕行。\n2024年5月1日")
    assert kind.level is Level.PUBLIC


@pytest.mark.req("R-044")
def test_derivative_follows_the_source() -> None:
    source = RelatedDocument(
        "d1", "某发〔2023〕1号", Level.STATE_SECRET, Period("years", number=5), "2028-03-01", "cited"
    )
    expired = RelatedDocument("d2", "某发〔2000〕1号", Level.STATE_TOP, None, "2020-01-01", "cited")
    found = judge(paper("特急"), relations=Relations((source, expired)))
    assert (found.level, found.basis, str(found.period)) == (
        Level.STATE_SECRET,
        "derivative",
        "至2028年2月29日",
    )
    assert found.must_review
    marked = judge(paper("秘密★1年"), relations=Relations((source,)))
    assert marked.level is Level.STATE_CONFIDENTIAL and "below_source" in marked.reasons


def test_the_units_own_list() -> None:
    item = ("考试命题", "秘密", "启用前", ("高考命题",))
    found = judge(paper("特急", "现就高考命题人员安排通知如下。"), relations=Relations((), (item,)))
    assert (found.level, found.basis, str(found.period)) == (Level.STATE_CONFIDENTIAL, "unit_list", "启用前")


def test_checksums() -> None:
    assert gb11643("11010519491231002X") and not gb11643("110105194912310021")
    assert luhn("4111111111111111") and not luhn("4111111111111112") and not luhn("0000000000000000")


def test_overlays_need_identity_and_proof() -> None:
    case = "住院号：123456，诊断：肺炎，病历附后，请各科室注意。"
    named = judge(paper("内部", "患者姓名：张三，" + case), "hospital")
    assert "patient_privacy" in named.overlays
    assert "patient_privacy" not in judge(paper("内部", case), "hospital").overlays
    proved = judge(paper("内部", "身份证号11010519491231002X，请核对。"))
    assert "sensitive_pi" in proved.overlays
    assert not any("19491231" in item.text and item.rule == "P-SENSITIVE" for item in proved.evidence)
    assert "sensitive_pi" not in judge(paper("内部", "编号110105194912310021，请核对。")).overlays


def test_content_above_an_internal_mark() -> None:
    found = judge(paper("内部", "附财务报表和销售数据，请董事会审阅。", "华瑞制衣有限公司"), "company")
    assert found.level is Level.INTERNAL and "content_above_mark" in found.reasons
    assert found.interim is Level.COMPANY_SECRET


def test_speed_on_a_long_paper() -> None:
    text = paper("机密★5年", "\n".join(["现就有关工作安排说明如下，请各单位认真组织落实到位。"] * 1500))
    judge(text)
    start = time.perf_counter()
    judge(text)
    assert time.perf_counter() - start < 3.0
