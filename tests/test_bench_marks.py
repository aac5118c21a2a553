"""The attack bench: its families are those of the design's table, and a wrong number ends it."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from jiyao.common.errors import Unexpected
from jiyao.pipeline.bench import marks as bench_marks
from jiyao.pipeline.bench import marks_decision, marks_run, marks_unmarked
from jiyao.pipeline.bench.marks_families import BY_NAME, FAMILIES
from jiyao.pipeline.bench.marks_pages import KINDS, id_of
from jiyao.pipeline.bench.marks_run import Outcome, Tally, plan, run, table
from jiyao.pipeline.bench.race import run_race
from jiyao.samples import leaks

AIMS = {
    "plain": 99, "crop-25": 98, "crop-10": 95, "screen": 97, "print-scan": 95, "print-scan, crop-25": 95, "photo": 90,
    "bits": 95, "bits, crop-25": 90, "photo page": 90, "mixed": 98,
}  # fmt: skip
"""The design's table: family and per cent to be recovered."""


def outcome(**changed: object) -> Outcome:
    given = Outcome(
        family="plain", page=1, kind="letter", case=0, right=True, lead=False, wrong=0, z=40.0, clarity=60.0, glyphs=0,
        seconds=1.0,
    )  # fmt: skip
    return replace(given, **changed)  # type: ignore[arg-type]


@pytest.mark.req("R-060", "R-061")
def test_every_row_of_the_table_is_there_with_enough_cases() -> None:
    assert {family.name: family.aim for family in FAMILIES if family.aim is not None} == AIMS
    assert all(family.cases >= 40 for family in FAMILIES if family.aim is not None)
    assert {"estimated", "mirror", "fold", "diffused", "dots, photocopy", "three far photos"} <= set(BY_NAME)
    assert all(family.attacks or family.mixed for family in FAMILIES)


@pytest.mark.req("R-060")
def test_a_full_run_has_more_than_300_pages_each_with_work_and_the_same_again() -> None:
    tasks = plan(5, quick=False)
    assert sum(bool(task.cases) for task in tasks) > 300 and len({task.page for task in tasks}) == len(tasks)
    assert {task.kind for task in tasks} == set(KINDS)
    cases = [case for task in tasks for case in task.cases if case[1] < 1000]
    assert len(cases) == len(set(cases)) >= sum(family.cases for family in FAMILIES)
    for task in tasks:
        assert all(task.kind in BY_NAME[name].kinds for name, _ in task.cases)
    assert plan(5, quick=False) == tasks != plan(6, quick=False)
    assert {name for task in plan(5, quick=True) for name, _ in task.cases} == set(BY_NAME)


@pytest.mark.req("R-061")
def test_a_wrong_number_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    bad = [[outcome(), outcome(family="photo", right=False)], [outcome(right=False, wrong=1)], [outcome()]]
    monkeypatch.setattr(marks_run, "_outcomes", lambda _: iter(bad))
    with pytest.raises(Unexpected) as fault:
        run(5, quick=True, told=heard.append)
    assert fault.value.code == "bench_wrong"
    assert [line.split(":")[0] for line in heard] == ["missed", "WRONG"]


@pytest.mark.req("R-061")
def test_an_answer_to_a_picture_without_a_mark_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    decision = marks_decision.Decision(
        word="candidates", named=(1,), layer="tint", z=9.5, clarity=9.0, seconds=0.1
    )
    monkeypatch.setattr(marks_unmarked, "decide", lambda *_: decision)
    blank = ("blank", np.zeros((9, 9, 3), np.uint8), [])
    monkeypatch.setattr(marks_unmarked, "_pictures", lambda *_: iter([blank] * 20))
    found = marks_unmarked.perform_silent(5, 0, 3)
    assert (found.runs, found.answers) == (3, 3) and "candidates by tint, z 9.5" in found.answered[0]


def test_shares_and_rivals_stand_in_the_rows() -> None:
    tally = Tally()
    tally.add(outcome(rivals={"blind-watermark": True, "invisible-watermark": False}, innocent_z=4.25))
    tally.add(outcome(right=False, rivals={"blind-watermark": False, "invisible-watermark": False}))
    row = run_race(bench_marks._race(BY_NAME["plain"], tally))
    assert (row["name"], row["value"], row["baseline"], row["unit"]) == ("marks.plain", 50.0, 50.0, "%")
    assert "1 of 2, 0 as candidates, 0 wrong; aim 99 %" in row["note"]
    assert "invisible-watermark 0.2.0 0 of 2" in row["note"]
    alone = run_race(bench_marks._race(BY_NAME["photo"], Tally()))
    assert alone["missing"] == "bench_baseline_missing"
    assert "1/2" in table({"plain": tally}) and "4.2" in table({"plain": tally})


@pytest.mark.parametrize(
    "name", ["fold", "estimated", "mirror", "diffused", "three far photos", "bits, crop-25"]
)
def test_attacks_give_pictures_and_the_same_again(name: str) -> None:
    rng = np.random.default_rng(3)
    page = np.where(rng.random((440, 310, 1)) < 0.1, 30, 250).astype(np.uint8).repeat(3, axis=2)
    for attack in BY_NAME[name].attacks[:1]:
        first, again = (attack(page, random.Random(4)) for _ in range(2))
        assert all((one == other).all() for one, other in zip(first, again, strict=True))
        assert all(one.dtype == np.uint8 and one.ndim == 3 and min(one.shape[:2]) > 40 for one in first)


def test_a_pattern_that_repeats_is_estimated_and_taken_away() -> None:
    tile = np.random.default_rng(2).normal(0, 3, (315, 315, 3))
    page = np.clip(np.tile(tile, (6, 5, 1)) + 240, 0, 255).astype(np.uint8)
    clean = leaks.estimated(page, random.Random(1))
    inner = slice(200, -200)
    assert clean[inner, inner].std() < 0.6 * page[inner, inner].std()


def test_without_any_sighting_there_is_nothing_to_compare() -> None:
    assert marks_decision.best_innocent((), [id_of(1)]) == (0.0, 0.0)
