"""The judged set is large, varied, sound and honestly split; its measures count what they say."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest

from jiyao.models.level import Family, Level
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.suggestion import Retention
from jiyao.samples.judge_score import main
from jiyao.samples.judged_answer import Answer, product_answer
from jiyao.samples.judged_baseline import flag_everything, keyword_answer
from jiyao.samples.judged_measure import Judged, cost_of, figures, judge
from jiyao.samples.judged_page import COLUMNS, pages_of
from jiyao.samples.judged_set import HARD, Case, filled, load_cases
from jiyao.stages.extract import extract

POLICY = parse_policy(default_policy_text())
CASES = load_cases()
TRAIN, TEST, SECOND = load_cases("train"), load_cases("test"), load_cases("second")
_PHRASE = 11
"""No run of so many characters stands in both splits; digits, layout and the prescribed note left out."""


def test_it_is_large_and_a_third_is_hard() -> None:
    assert len(CASES) >= 300 and len(TRAIN) + len(TEST) + len(SECOND) == len(CASES)
    assert sum(case.sort in HARD for case in CASES) * 3 >= len(CASES)
    for split in (TRAIN, TEST):
        assert len(split) >= 150 and sum(case.sort in HARD for case in split) * 3 >= len(split)
        assert {case.profile for case in split} == {"organ", "company", "soe", "hospital", "college"}
        assert {case.truth.levels[0].family for case in split} == set(Family)
        assert {case.truth.levels[0] for case in split} == set(Level)
        assert {kept for case in split for kept in case.truth.retention} == set(Retention)
        assert all(count >= 2 for count in Counter(case.sort for case in split).values())


def test_the_second_test_set_is_large_enough_and_of_all_profiles() -> None:
    assert len(SECOND) >= 60 and sum(case.sort in HARD for case in SECOND) * 3 >= len(SECOND)
    assert {case.profile for case in SECOND} == {"organ", "company", "soe", "hospital", "college"}


def test_ids_are_unique_and_every_truth_is_argued() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    assert all(len(case.why) > 20 for case in CASES)


def test_authors_and_groups_are_of_one_split() -> None:
    splits = [{case.group.split("/")[0] for case in split} for split in (TRAIN, TEST, SECOND)]
    assert sum(map(len, splits)) == len(set().union(*splits))


def _runs(text: str) -> set[str]:
    text = re.sub(r"[\d\s^>=]|（此件(?:主动)?公开(?:发布)?）", "", text)
    return {text[at : at + _PHRASE] for at in range(len(text) - _PHRASE + 1)}


def test_no_phrase_of_the_test_is_in_training() -> None:
    known = {run for case in TRAIN for run in _runs(case.text)}
    shared = {run for case in (*TEST, *SECOND) for run in _runs(case.text)} & known
    assert not shared, sorted(shared)[:20]


def test_no_phrase_of_the_test_teaches_the_model() -> None:
    folder = files("jiyao.samples") / "teach"
    if not folder.is_dir():
        pytest.skip("no texts for teaching are shipped")
    known = {run for entry in folder.iterdir() for run in _runs(entry.read_text("utf-8"))}
    shared = {run for case in (*TEST, *SECOND) for run in _runs(case.text)} & known
    assert not shared, sorted(shared)[:20]


def test_truths_agree_with_law() -> None:
    for case in CASES:
        truth = case.truth
        if case.sort == "marked" and (years := re.fullmatch(r"(\d+)年", truth.period or "")):
            maximum = POLICY.max_years(truth.levels[0])
            assert not maximum or int(years[1]) <= maximum, case.id
        count = re.fullmatch(r"(\d+)(年|个月)", truth.period or "")
        if truth.ends is None or count is None or case.sort == "derivative":
            continue
        signed = extract(case.transcript).signed_date
        assert signed is not None, case.id
        months = int(count[1]) * (12 if count[2] == "年" else 1)
        assert (truth.ends.year - signed.year) * 12 + truth.ends.month - signed.month == months, case.id
        last_of_month = date.fromordinal(truth.ends.toordinal() + 1).day == 1
        assert truth.ends.day == signed.day or (last_of_month and truth.ends.day < signed.day), case.id


def test_slots_are_filled_and_empty_lines_go() -> None:
    assert filled("a\n{b}\n^{c}\n{d}", {"b": "", "d": "x{e}", "e": "y"}) == "a\nxy"
    with pytest.raises(ValueError, match="left"):
        filled("one {left} over", {})


def test_pages_are_laid_out() -> None:
    paper = pages_of("^中间\n>右边\n" + "字" * 60 + "\n===\n第二页", ocr=True)
    assert [page.number for page in paper.pages] == [1, 2] and paper.pages[0].source == "ocr"
    middle, right, first, *_ = paper.pages[0].lines
    assert abs(middle.box.left + middle.box.right - (28 + 184) / 210) < 0.01
    assert right.box.left > 0.6 and len(first.text) == COLUMNS - 2
    assert len(pages_of("\n".join("甲" * 5 for _ in range(30))).pages) == 2


def _answer(**changes: object) -> Answer:
    plain = Answer(
        level=Level.INTERNAL, interim=None, candidates=(Level.INTERNAL,), must_review=False, confidence=0.9,
        marked=False, period=None, ends=None, overlays=(), retention=None,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def _case(*levels: Level, review: bool | None = None) -> Case:
    return replace(CASES[0], sort="paraphrase", truth=replace(CASES[0].truth, levels=levels, review=review))


def test_the_cost_weighs_a_level_too_low_most() -> None:
    secret = _case(Level.STATE_SECRET, review=True)

    def cost(case: Case, **changes: object) -> float:
        return cost_of(Judged(case, _answer(**changes), POLICY))

    silent, asked = cost(secret), cost(secret, must_review=True)
    lower = cost(secret, level=Level.WORK)
    right = cost(secret, level=Level.STATE_SECRET, must_review=True)
    high = cost(_case(Level.INTERNAL), level=Level.STATE_SECRET)
    between = cost(secret, level=Level.WORK, interim=Level.STATE_SECRET, must_review=True,
                   candidates=(Level.WORK, Level.STATE_SECRET))  # fmt: skip
    assert right == 0 < between < asked < high < lower < silent
    assert cost(_case(Level.INTERNAL, review=False), must_review=True) == 0.5
    assert cost(secret, level=Level.STATE_SECRET) > 0


def test_abstaining_needs_the_truth_among_two_and_a_question() -> None:
    case = _case(Level.STATE_SECRET)
    answer = _answer(interim=Level.STATE_SECRET, candidates=(Level.INTERNAL, Level.STATE_SECRET))
    assert not Judged(case, answer, POLICY).abstained
    assert Judged(case, replace(answer, must_review=True), POLICY).abstained
    third = replace(answer, must_review=True, candidates=(Level.INTERNAL, Level.WORK, Level.STATE_SECRET))
    assert not Judged(case, third, POLICY).abstained


def test_an_overlay_counts_as_protection() -> None:
    case = _case(Level.COMPANY_CONFIDENTIAL)
    assert Judged(case, _answer(), POLICY).too_low
    assert not Judged(case, _answer(overlays=("patient_privacy",)), POLICY).too_low


def test_the_baselines_stand_where_the_cost_is_anchored() -> None:
    rules, all_ = (
        {figure.name: figure.value for figure in figures(judge(one, CASES, POLICY))}
        for one in (keyword_answer, flag_everything)
    )
    assert 4.0 < rules["cost"] < 5.0 and 2.7 < all_["cost"] < 3.6
    assert rules["damaged_exact"] == 0 and all_["too_high"] == 1


@pytest.mark.req("R-025", "R-026", "R-027")
def test_sound_and_damaged_marks_of_the_training_split() -> None:
    marks = [case for case in TRAIN if case.sort in ("marked", "damaged")]
    found = {figure.name: figure.value for figure in figures(judge(product_answer, marks, POLICY))}
    assert found["marked_exact"] >= 0.95 and found["damaged_exact"] >= 0.9 and found["ends"] >= 0.97


def test_the_test_split_is_told_in_sorts_not_papers(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--split", "test", "--sort", "scary", "--no-time", "-v"])
    told = capsys.readouterr().out
    assert "keyword rules" in told and "scary" in told
    assert not any(case.group in told or case.why in told for case in TEST)
    main(["--split", "train", "--sort", "running", "--no-time"])
    assert "papers" in capsys.readouterr().out
