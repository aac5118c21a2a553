"""Measures suggesting: level, secrecy period and retention on the judged set's test split, against keyword rules.

No organisation, layout or phrase of the test split is in training (`samples/judged_set`); product and baseline judge
the same papers in one run, fields included.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from ...models.policy.loader import default_policy_text, parse_policy
from ...samples.judged_answer import product_answer
from ...samples.judged_baseline import NAME, keyword_answer
from ...samples.judged_measure import CHARACTERS, FIRST, Figure, Judged, figures, judge, pace
from ...samples.judged_set import load_cases
from .race import Better, Race, Races, Unit, require, seconds

_MEASURES: Final[tuple[tuple[str, Unit, Better], ...]] = (
    ("marked_exact", "%", "more"), ("damaged_exact_flagged", "%", "more"), ("running_taken_for_mark", "%", "less"),
    ("running_acceptable", "%", "more"), ("unmarked_acceptable_or_abstained", "%", "more"),
    ("unmarked_acceptable", "%", "more"), ("family", "%", "more"), ("too_low_unflagged", "%", "less"),
    ("too_low", "%", "less"), ("too_high", "%", "less"), ("harmless_flagged", "%", "less"),
    ("wrong_flagged", "%", "more"), ("overlays", "%", "more"), ("cost", "cost/paper", "less"),
    ("retention", "%", "more"), ("retention_too_short", "%", "less"), ("ends", "%", "more"),
)  # fmt: skip


def suggest(folder: Path, quick: bool) -> Races:
    """Shares of papers judged right and wrong, the cost of a paper, its pace, and the start of a worker.

    The first of each group alone when quick.
    """
    del folder
    policy = parse_policy(default_policy_text())
    cases = load_cases("test")
    if quick:
        cases = tuple({case.group: case for case in reversed(cases)}.values())
    product, keyword = (judge(answer, cases, policy) for answer in (product_answer, keyword_answer))
    require(len(product) == len(keyword) == len(cases), "suggest")
    mine, other = _by_name(product), _by_name(keyword)
    for name, unit, better in _MEASURES:
        scale = 100.0 if unit == "%" else 1.0
        yield Race(
            name=f"suggest.{name}", unit=unit, better=better, against=NAME, rounds=1,
            product=_constant(scale * mine[name].value), baseline=_constant(scale * other[name].value),
            note=f"{mine[name].of} papers of the test split",
        )  # fmt: skip
    rounds = 5 if quick else 15
    yield Race(
        name="suggest.pace", unit="ms", better="less", against=NAME, rounds=1,
        product=partial(pace, cases, policy, rounds=rounds),
        baseline=partial(pace, cases, policy, rounds=rounds, answerer=keyword_answer),
        note=f"CPU for a paper of {CHARACTERS} characters, fields included",
    )  # fmt: skip
    yield Race(
        name="suggest.start", unit="s", against="python -c pass", rounds=1 if quick else 3, better="less",
        product=partial(seconds, partial(_run, FIRST)), baseline=partial(seconds, partial(_run, "pass")),
        note="a new process to its first suggestion",
    )  # fmt: skip


def _by_name(judged: list[Judged]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures(judged)}


def _constant(value: float) -> Callable[[], float]:
    return lambda: value


def _run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False)
    require(done.returncode == 0, "suggest")
