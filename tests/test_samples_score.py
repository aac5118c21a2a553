"""The measure of reading: what counts, what may stand elsewhere, what a field may differ in."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiyao.models.fields import OfficialFields
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period
from jiyao.samples.make import make_paper
from jiyao.samples.paper import STAMP
from jiyao.samples.score import PageTruth, cer, distance, fields_exact
from jiyao.samples.truth import fields_truth

PAGE = PageTruth(
    lines=("机密★20年", "柯政发〔2024〕5号　签发人：梅子陵", "关于举行汇报会的通知", "南柯市教育局："),
    left_out=("南柯市办公室", "收文第0123号", "☑急办　□平件"),
    page_number="— 1 —",
)
PERFECT = [f"{STAMP}\n机密★20年 南柯市办公室", "收文第 0123 号", "☑急办□平件", "柯政发〔2024〕5号 签发人:梅子陵",
           "关于举行汇报会的通知", "南柯市教育局:", "— 1 —"]  # fmt: skip


def _slow(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


@given(st.text("甲乙1a", max_size=12), st.text("甲乙1a", max_size=12))
def test_distance_is_levenshtein(one: str, other: str) -> None:
    assert distance(one, other) == _slow(one, other) == distance(other, one)


def test_a_perfect_reading_has_no_errors_whatever_stands_between() -> None:
    score = cer([PAGE], ["\n".join(PERFECT)])
    assert (score.raw, score.ex) == (0, 0)
    assert score.characters == sum(len(line.replace("　", "")) for line in PAGE.lines)
    assert score.raw_characters == score.characters + 6 + 8 + 6 + 3


def test_what_is_left_out_costs_only_in_raw() -> None:
    poor = [line.replace("0123", "O723").replace("☑", "").replace("— 1 —", "-1-") for line in PERFECT]
    score = cer([PAGE], ["\n".join(poor)])
    assert score.ex_errors == 0
    assert score.raw_errors == 5
    missing = cer([PAGE], ["\n".join(line for line in PERFECT if "收文" not in line and "1 —" not in line)])
    assert (missing.ex_errors, missing.raw_errors) == (0, 8 + 3)


def test_errors_of_the_paper_itself_cost_in_both() -> None:
    score = cer([PAGE], ["\n".join(PERFECT).replace("★", "大").replace("教育局", "教局")])
    assert (score.ex_errors, score.raw_errors) == (2, 2)
    assert cer([PAGE], [""]).ex == 1


def test_ends_of_a_row_may_turn_round_but_lines_may_not() -> None:
    turned = "\n".join(PERFECT).replace("柯政发〔2024〕5号 签发人:梅子陵", "签发人:梅子陵\n柯政发〔2024〕5号")
    assert cer([PAGE], [turned]).ex == 0
    moved = PERFECT.copy()
    moved.append(moved.pop(0))
    assert cer([PAGE], ["\n".join(moved)]).ex > 0


def test_the_word_beside_joint_letterheads_may_stand_anywhere_but_must_be_there() -> None:
    truth = PageTruth(lines=("华胥省人民政府", "南柯市人民政府"), loose=("文件",))
    for read in ("华胥省人民政府文件\n南柯市人民政府", "华胥省人民政府\n南柯市人民政府文件"):
        assert cer([truth], [read]).ex == 0
    assert cer([truth], ["华胥省人民政府\n南柯市人民政府"]).ex_errors == 2


STAMPED = PageTruth(
    lines=("关于汇报会的通知", "南柯市教育局:", "定于五月召开。", "南柯市办公室", "2024年5月7日"),
    left_out=("南柯市办公室", "收文第0123号", "2024年5月9日"),
)
BODY = "\n".join(STAMPED.lines)


def test_a_stamp_that_was_not_read_is_not_taken_out_of_the_body() -> None:
    score = cer([STAMPED], [BODY])
    assert (score.ex_errors, score.raw_errors) == (0, 6 + 8 + 9)
    near = cer([STAMPED], ["南柯市办公宝\n收文第0123号\n2024年5月9日\n" + BODY])
    assert (near.ex_errors, near.raw_errors) == (0, 1)


def test_a_stamp_does_not_stand_for_what_the_body_lost() -> None:
    lost = BODY.replace("\n南柯市办公室", "")
    score = cer([STAMPED], ["南柯市办公室\n收文第0123号\n2024年5月9日\n" + lost])
    assert (score.ex_errors, score.raw_errors) == (6, 6)
    assert cer([STAMPED], [lost]).ex_errors == 6


def test_a_misread_end_of_the_margin_is_no_error_of_the_paper() -> None:
    for line in ("祥" + STAMP[1:], STAMP[:-1] + "办", "祥" + STAMP[1:-1] + "办", STAMP[1:]):
        assert cer(["甲乙丙丁戊己"], [f"{line}\n甲乙丙丁戊己\n{line}"]).ex_errors == 0
    assert cer(["甲乙丙丁戊己"], ["样张\n甲乙丙丁戊己\n样张 不具任何效力"]).ex_errors == 0
    assert cer(["甲乙丙丁戊己"], ["甲乙丙丁\n样张\n戊己"]).ex_errors == 2
    assert cer(["甲乙丙丁戊己"], [f"{STAMP}\n甲乙丙丁戊已\n祥{STAMP[1:]}"]).ex_errors == 1


def test_pages_that_do_not_match_in_number_compare_as_a_whole() -> None:
    assert cer(["甲乙丙丁", "戊己庚辛"], ["甲乙丙丁戊己庚辛"]).ex == 0
    assert cer(["甲乙丙丁", "戊己庚辛"], ["甲乙丙丁"]).ex_errors == 4


def test_scores_add_up() -> None:
    total = cer(["甲乙"], ["甲"]) + cer(["丙丁"], ["丙丁"])
    assert (total.ex_errors, total.characters) == (1, 4)


def _read(**changes: object) -> OfficialFields:
    values: dict[str, object] = {
        "title": "南柯市人民政府 关于…", "doc_number": "柯政发〔2024〕5号", "signed_date": date(2024, 5, 1),
        "recipients": ("亡是县人民政府",),
        "mark": Mark(Level.STATE_SECRET, Period("years", 20), star=True, raw="机密大20年"),
    }  # fmt: skip
    return OfficialFields(**{**values, **changes})  # type: ignore[arg-type]


TRUTH = {
    "title": "南柯市人民政府关于…", "doc_number": "柯政发〔2024〕5号", "signed_date": "2024-05-01",
    "recipients": ["亡是县人民政府"], "mark": "机密★20年", "serials": [], "note": None, "public_note": False,
}  # fmt: skip


def test_fields_agree_after_the_stated_normalisation() -> None:
    score = fields_exact(TRUTH, _read())
    assert (score.right, score.total) == (5, 5)


@pytest.mark.parametrize(
    ("changes", "name", "verdict"),
    [
        ({"doc_number": "柯政发[2024]5号"}, "doc_number", "wrong"),
        ({"signed_date": None}, "signed_date", "missing"),
        ({"note": "此件发至县团级"}, "note", "false"),
        ({"mark": Mark(Level.STATE_SECRET, Period("years", 20), raw="机密★20年")}, "mark", "wrong"),
        ({"recipients": ("亡是县人民政府", "蕉鹿县人民政府")}, "recipients", "wrong"),
    ],
)
def test_a_field_that_differs_says_how(changes: dict[str, object], name: str, verdict: str) -> None:
    assert fields_exact(TRUTH, _read(**changes)).verdicts[name] == verdict


def test_every_made_up_mark_compares_equal_to_itself() -> None:
    from jiyao.stages.mark_grammar import parse_mark

    for seed in range(120):
        truth = fields_truth(make_paper(seed, "test"))
        if truth["mark"] and not truth["public_note"]:
            read = OfficialFields(mark=parse_mark(truth["mark"]))
            assert fields_exact(truth, read).verdicts["mark"] == "right", truth["mark"]
