"""Scores suggestions on the judged set: product and baselines in one run, in process.

`python -m jiyao.samples.judge_score --split train -v` lists what is wrong; on the test split `-v` counts by sort of
hardness and never names a paper, so that nothing is fitted to them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import cast

from ..models.policy.loader import default_policy_text, parse_policy
from .judged_answer import product_answer
from .judged_baseline import NAME, flag_everything, keyword_answer
from .judged_measure import Judged, cost_of, figures, judge, mean, pace, start_up, wrong
from .judged_set import HARD, Split, load_cases


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table, by profile and by sort; `-v` what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m jiyao.samples.judge_score")
    parser.add_argument("--split", choices=("train", "test", "second", "all"), default="train")
    parser.add_argument("--sort", default=None, help="only this sort of hardness")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("--no-time", action="store_true", help="leave out pace and start-up")
    asked = parser.parse_args(arguments)
    policy = parse_policy(default_policy_text())
    cases = load_cases(None if asked.split == "all" else cast("Split", asked.split))
    cases = tuple(case for case in cases if asked.sort in (None, case.sort))
    groups = len({case.group for case in cases})
    write = sys.stdout.write
    write(f"{asked.split}: {len(cases)} papers, {groups} groups, "
        f"{sum(case.sort in HARD for case in cases)} hard\n\n")  # fmt: skip
    product = judge(product_answer, cases, policy)
    keyword, anchor = judge(keyword_answer, cases, policy), judge(flag_everything, cases, policy)
    write(f"{'':34}{'product':>14}{NAME:>16}{'all at 机密':>14}   target\n")
    for row in zip(figures(product), figures(keyword), figures(anchor), strict=True):
        write(f"{row[0].name:34}{row[0]!s:>14}{row[1]!s:>16}{row[2]!s:>14}   {row[0].target}\n")
    if not asked.no_time:
        write(f"{'ms a paper of 3,000 characters':34}{pace(cases, policy):14.1f}{'':32}   ≤ 60\n")
        write(f"{'start-up, s':34}{start_up():14.2f}{'':32}   ≤ 3\n")
    _break_down("profile", lambda one: one.case.profile, product, keyword, write)
    _break_down("sort", lambda one: one.case.sort, product, keyword, write)
    if asked.verbose:
        _tell(product, shown=asked.split == "train", write=write)


def _break_down(
    title: str,
    key: Callable[[Judged], str],
    product: Sequence[Judged],
    keyword: Sequence[Judged],
    write: Callable[[str], int],
) -> None:
    write(f"\n{title:14}{'n':>5}{'acceptable':>12}{'or asked':>10}{'cost':>8}{'keyword cost':>14}\n")
    for name in sorted({key(one) for one in product}):
        mine = [one for one in product if key(one) == name]
        theirs = [one for one in keyword if key(one) == name]
        write(
            f"{name:14}{len(mine):5}{mean(one.acceptable for one in mine):12.2f}"
            f"{mean(one.acceptable or one.abstained for one in mine):10.2f}"
            f"{mean(map(cost_of, mine)):8.2f}{mean(map(cost_of, theirs)):14.2f}\n"
        )


def _tell(product: Sequence[Judged], *, shown: bool, write: Callable[[str], int]) -> None:
    write("\n")
    if not shown:
        counts: dict[tuple[str, str], int] = {}
        for one in product:
            for code in wrong(one):
                counts[one.case.sort, code] = counts.get((one.case.sort, code), 0) + 1
        for (sort, code), count in sorted(counts.items()):
            write(f"{sort:14}{code:22}{count:4}\n")
        return
    for one in product:
        if codes := wrong(one):
            truth, answer = one.case.truth, one.answer
            write(
                f"{one.case.id} [{one.case.profile}, {one.case.sort}] {' '.join(codes)}\n"
                f"    truth  {'/'.join(truth.levels)} {truth.period or ''} {truth.ends or ''}"
                f" {'/'.join(truth.retention)} review={truth.review} {' '.join(truth.overlays)}\n"
                f"    answer {answer.level} interim={answer.interim} {answer.period or ''} {answer.ends or ''}"
                f" {answer.retention} review={answer.must_review} {' '.join(answer.overlays)}\n"
                f"    why    {one.case.why}\n"
            )


if __name__ == "__main__":
    main()
