"""Marks: what is printed parses back to itself; damage is repaired and named; sentences are no marks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiyao.models.fields import OfficialFields
from jiyao.models.level import Family, Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.stages.mark_check import check_mark
from jiyao.stages.mark_grammar import parse_mark, print_mark, read_mark

POLICY = parse_policy(default_policy_text())
DATES = st.dates(date(1990, 1, 1), date(2099, 12, 31))
PERIODS = st.one_of(
    st.integers(1, 99).map(lambda n: Period("years", number=n)),
    st.integers(1, 36).map(lambda n: Period("months", number=n)),
    st.integers(1, 90).map(lambda n: Period("days", number=n)),
    st.just(Period("forever")),
    DATES.map(lambda d: Period("until", date=f"{d.year}年{d.month}月{d.day}日")),
    DATES.map(lambda d: Period("until", date=f"{d.year}年{d.month}月")),
    DATES.map(lambda d: Period("until", date=f"{d.year}年")),
    st.sampled_from(["启用前", "公布前", "会议开始前", "考试结束后", "开标时"]).map(
        lambda c: Period("condition", condition=c)
    ),
)
STATE = st.sampled_from([Level.STATE_TOP, Level.STATE_SECRET, Level.STATE_CONFIDENTIAL])
MARKS = st.one_of(
    st.builds(Mark, STATE, st.none() | PERIODS, st.just(True)),
    st.builds(Mark, STATE, st.none() | PERIODS, st.just(False)),
    st.builds(
        Mark,
        st.sampled_from([Level.SOE_CORE, Level.SOE_ORDINARY]),
        st.none() | PERIODS,
        st.just(False),
        st.none() | st.sampled_from(["某某集团", "华能", "东海石化"]),
    ),
    st.builds(
        Mark,
        st.sampled_from([Level.COMPANY_TOP, Level.COMPANY_SECRET, Level.COMPANY_CONFIDENTIAL, Level.WORK]),
        st.none() | PERIODS,
    ),
    st.sampled_from(["内部", "内部资料注意保存", "内部文件不得外传", "此件不公开"]).map(
        lambda w: Mark(Level.INTERNAL, wording=w)
    ),
    st.sampled_from(["此件公开发布", "主动公开"]).map(lambda w: Mark(Level.PUBLIC, wording=w)),
)


@settings(max_examples=400, deadline=None)
@given(MARKS)
def test_print_and_parse(mark: Mark) -> None:
    parsed = parse_mark(print_mark(mark))
    assert parsed is not None
    assert replace(parsed, raw="") == mark


@settings(max_examples=200, deadline=None)
@given(MARKS)
def test_the_star_is_the_states_own(mark: Mark) -> None:
    if mark.level.family is not Family.STATE:
        assert "★" not in print_mark(mark)


TERMS = st.sampled_from(["20年", "5年", "6个月", "长期", "至2030年12月31日"])


@pytest.mark.req("R-023")
@settings(max_examples=300, deadline=None)
@given(
    STATE,
    TERMS,
    st.sampled_from(["大", "太", "女", "☆", "*", "＊", "※", "K", "★"]),
    st.sampled_from(["", " ", "　", "  "]),
)
def test_damaged_stars_still_parse(level: Level, term: str, star: str, blank: str) -> None:
    reading = read_mark(f"{str(level)[0]}{blank}{str(level)[1]}{blank}{star}{blank}{term}")
    assert reading is not None and reading.mark.level is level and reading.mark.star
    assert str(reading.mark.period) == term
    assert (star == "★") == ("star_repaired" not in reading.repairs)


@pytest.mark.req("R-023")
@pytest.mark.parametrize(
    ("text", "level", "term", "repair"),
    [
        ("机蜜★20年", "机密", "20年", "level_repaired"),
        ("凡密★10年", "机密", "10年", "level_repaired"),
        ("私密*5年", "秘密", "5年", "level_repaired"),
        ("絕密★三十年", "绝密", "30年", "traditional"),
        ("机密★2O年", "机密", "20年", "digits_repaired"),
        ("秘密★１０午", "秘密", "10年", "unit_repaired"),
        ("器密★30年", "绝密", "30年", "level_unreadable"),
        ("机密 20年", "机密", "20年", "star_lost"),
        ("机密六启用前", "机密", "启用前", "star_repaired"),
        ("商密▲3年", "普通商密", "3年", "level_not_named"),
    ],
)
def test_repairs_are_named(text: str, level: str, term: str, repair: str) -> None:
    reading = read_mark(text)
    assert reading is not None
    assert (str(reading.mark.level), str(reading.mark.period)) == (level, term)
    assert repair in reading.repairs


@pytest.mark.parametrize(
    "text",
    ["机密级文件管理培训", "保守国家秘密", "机密文件", "商业秘密保护", "内部控制", "绝密级",
     "机密★20年等标志", "秘密战线", "绝密机密秘密", "密级", "", "★", "机密工作会议通知"],
)  # fmt: skip
def test_sentences_are_no_marks(text: str) -> None:
    assert read_mark(text) is None


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="绝机秘密★▲年月日长期至前后个0123456789公司核心商内部工作()【】: 大太", max_size=20))
def test_any_text_is_read_without_error(text: str) -> None:
    reading = read_mark(text)
    if reading is not None:
        again = parse_mark(print_mark(reading.mark))
        assert again is not None and again.level is reading.mark.level


def fields(**given: object) -> OfficialFields:
    return replace(OfficialFields(serials=("000001",), signed_date=date(2024, 5, 1)), **given)  # type: ignore[arg-type]


@pytest.mark.req("R-026")
@pytest.mark.parametrize(
    ("text", "given", "code"),
    [
        ("秘密★20年", {}, "period_above_maximum"),
        ("机密★至2060年", {}, "period_above_maximum"),
        ("机密★长期", {}, "forever_not_allowed"),
        ("机密★20年", {"serials": ()}, "serial_missing"),
        ("机密★20年", {"organs": ("华瑞制衣有限公司",)}, "star_on_company_paper"),
        ("秘密★5年", {"kind": "公告"}, "mark_on_public_kind"),
        ("秘密★至2020年1月1日", {}, "until_before_issue"),
        ("秘密★5年", {"public_note": True}, "mark_and_public_note"),
        ("秘密★18个月", {}, "months_should_be_years"),
        ("秘密 5年", {}, "star_missing"),
    ],
)
def test_what_is_wrong_with_a_mark(text: str, given: dict[str, object], code: str) -> None:
    mark = parse_mark(text)
    assert mark is not None
    assert code in check_mark(mark, fields=fields(**given), policy=POLICY)


def test_a_sound_mark_has_no_findings() -> None:
    mark = parse_mark("绝密★长期")
    assert mark is not None and check_mark(mark, fields=fields(), policy=POLICY) == ()
