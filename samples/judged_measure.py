"""Measures on the judged set: each suggestion against the truth, the table of figures, the cost, pace and start-up.

Cost of a paper (own): anchored so that `flag everything at 机密` and the keyword rules stand near 3.3 and 4.5, the
figures of an earlier independent set; see `cost_of`.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from ..models.policy.loader import default_policy_text, parse_policy
from ..models.policy.schema import Policy
from ..models.suggestion import Retention
from .judged_answer import Answer, product_answer
from .judged_set import HARD, UNMARKED, Case, load_cases

SECRET_RANK: Final = 35
"""工作秘密 and above is secret; 内部 and 公开 are harmless."""
CHARACTERS: Final = 3000
FIRST: Final = "from jiyao.samples.judged_measure import first; first()"
"""What a new process is given to run: all imports, and one suggestion."""
_YEARS = {Retention.PERMANENT: 1000, Retention.THIRTY: 30, Retention.TEN: 10, Retention.NOT_FILED: 0}
Answerer = Callable[[Case, Policy], Answer]


@dataclass(frozen=True, slots=True)
class Judged:
    """One paper and what was said of it."""

    case: Case
    answer: Answer
    policy: Policy

    @property
    def least(self) -> int:
        """Rank of the lowest acceptable level."""
        return min(self.policy.rank(level) for level in self.case.truth.levels)

    @property
    def secret(self) -> bool:
        """The best answer is 工作秘密 or higher."""
        return self.policy.rank(self.case.truth.levels[0]) >= SECRET_RANK

    @property
    def harmless(self) -> bool:
        """No acceptable answer is secret."""
        return all(self.policy.rank(level) < SECRET_RANK for level in self.case.truth.levels)

    @property
    def acceptable(self) -> bool:
        """The level shown first is acceptable."""
        return self.answer.shown in self.case.truth.levels

    @property
    def abstained(self) -> bool:
        """A person is asked, and an acceptable level is among the two candidates."""
        among = any(level in self.case.truth.levels for level in self.answer.candidates[:2])
        return self.answer.must_review and among

    @property
    def too_low(self) -> bool:
        """Secret, and protected below every acceptable level meanwhile."""
        return self.secret and self.answer.protected(self.policy) < self.least

    @property
    def too_high(self) -> bool:
        """Harmless, and suggested or protected as secret."""
        overlays = self.case.truth.overlays & set(self.answer.overlays)
        allowed = max(SECRET_RANK - 1, self.policy.effective_rank(None, tuple(overlays)))
        return self.harmless and self.answer.protected(self.policy) > allowed

    @property
    def mark_exact(self) -> bool:
        """Level, period and end date are those of the mark."""
        return self.acceptable and self.period_exact and self.ends_exact

    @property
    def period_exact(self) -> bool:
        """The period, where one is asked for."""
        return not self.case.truth.asks_period or self.answer.period == self.case.truth.period

    @property
    def ends_exact(self) -> bool:
        """The end date, where one is asked for."""
        return not self.case.truth.asks_ends or self.answer.ends == self.case.truth.ends

    @property
    def flag_right(self) -> bool:
        """A person is asked where one must be, and not where none need be."""
        return self.case.truth.review in (None, self.answer.must_review)

    @property
    def overlays_right(self) -> bool:
        """Overlays that must be there are, those that must not are not."""
        found = set(self.answer.overlays)
        return self.case.truth.overlays <= found and not self.case.truth.no_overlays & found

    @property
    def retention_right(self) -> bool:
        """The retention period is acceptable."""
        return self.answer.retention in self.case.truth.retention

    @property
    def retention_short(self) -> bool:
        """Shorter than every acceptable retention period."""
        said = self.answer.retention
        return said is not None and _YEARS[said] < min(_YEARS[one] for one in self.case.truth.retention)


def cost_of(judged: Judged) -> float:
    """What a suggestion costs the room: 0 for an acceptable level, asked about only where a person must.

    Too low: 12 when a secret comes out as harmless and nobody is asked, 8 when it comes out as a lower secret; 5 and 4
    when a person is asked. Too high: a harmless paper as secret 7 (asked: 5); a secret paper above its levels 4 (3), as
    its readers are shut out. Another family of no lower rank 2 (1). Abstaining with the truth among two: 1.
    A needless question to a person: 0.5; one that was needed and not asked: 3.
    """
    asked = judged.answer.must_review
    if judged.acceptable and not judged.too_low and not judged.too_high:
        if judged.case.truth.review is False and asked:
            return 0.5
        return 3.0 if judged.case.truth.review and not asked else 0.0
    if judged.abstained and not judged.too_low:
        return 1.0
    rank = judged.answer.protected(judged.policy)
    if judged.too_low:
        bare = rank < SECRET_RANK
        return (5.0 if bare else 4.0) if asked else (12.0 if bare else 8.0)
    if judged.too_high:
        return 5.0 if asked else 7.0
    if rank > max(judged.policy.rank(level) for level in judged.case.truth.levels) and judged.secret:
        return 3.0 if asked else 4.0
    return 1.0 if asked else 2.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: a share or a mean, of how many papers; `target` as the product is held to."""

    name: str
    value: float
    of: int
    target: str = ""

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.of})"


def judge(answerer: Answerer, cases: Sequence[Case], policy: Policy) -> list[Judged]:
    """Every case with its answer."""
    return [Judged(case, answerer(case, policy), policy) for case in cases]


def figures(all_: Sequence[Judged]) -> list[Figure]:
    """The table of suggesting. Shares are 0..1."""
    sound = [one for one in all_ if one.case.sort == "marked"]
    damaged = [one for one in all_ if one.case.sort == "damaged"]
    running = [one for one in all_ if one.case.sort == "running"]
    unmarked = [one for one in all_ if one.case.sort in UNMARKED]
    secret = [one for one in all_ if one.secret]
    harmless = [one for one in all_ if one.harmless]
    kept = [one for one in all_ if one.case.truth.retention]
    odd = [one for one in all_ if one.case.sort == "odd_mark"]
    must = [one for one in all_ if one.case.truth.review]
    need_not = [one for one in all_ if one.case.truth.review is False]
    overlaid = [one for one in all_ if one.case.truth.overlays or one.case.truth.no_overlays]
    families = [one for one in all_ if one.answer.shown is not None]
    return [
        _share("marked_exact", sound, lambda one: one.mark_exact, "≥ 0.98"),
        _share("damaged_exact_flagged", damaged, lambda one: one.mark_exact and one.answer.must_review, "≥ 0.90"),
        _share("damaged_exact", damaged, lambda one: one.mark_exact),
        _share("odd_mark_flagged", odd, lambda one: one.acceptable and one.answer.must_review),
        _share("running_taken_for_mark", running, lambda one: one.answer.marked and not one.acceptable, "0"),
        _share("running_acceptable", running, lambda one: one.acceptable, "≥ 0.9"),
        _share("unmarked_acceptable_or_abstained", unmarked, lambda one: one.acceptable or one.abstained, "≥ 0.85"),
        _share("unmarked_acceptable", unmarked, lambda one: one.acceptable, "≥ 0.65"),
        _share("family", families, lambda one: one.answer.shown is not None and one.answer.shown.family
               in {level.family for level in one.case.truth.levels}),
        _share("too_low_unflagged", secret, lambda one: one.too_low and not one.answer.must_review, "≤ 0.02"),
        _share("too_low", secret, lambda one: one.too_low),
        _share("too_high", harmless, lambda one: one.too_high, "≤ 0.08"),
        _share("flag_missing", must, lambda one: not one.answer.must_review),
        _share("flag_needless", need_not, lambda one: one.answer.must_review),
        _share("harmless_flagged", harmless, lambda one: one.answer.must_review),
        _share("wrong_flagged", [one for one in all_ if not one.acceptable], lambda one: one.answer.must_review),
        Figure("calibration_error", calibration_error(all_), len(all_)),
        _share("overlays", overlaid, lambda one: one.overlays_right),
        Figure("cost", mean(map(cost_of, all_)), len(all_), "≤ 1.6"),
        _share("retention", kept, lambda one: one.retention_right, "≥ 0.92"),
        _share("retention_too_short", kept, lambda one: one.retention_short, "≤ 0.03"),
        _share("ends", [one for one in all_ if one.case.truth.asks_ends], lambda one: one.ends_exact, "≥ 0.97"),
        _share("hard_acceptable_or_abstained", [one for one in all_ if one.case.sort in HARD],
               lambda one: one.acceptable or one.abstained),
    ]  # fmt: skip


def calibration_error(all_: Sequence[Judged], bins: int = 5) -> float:
    """How far confidence is from the share of acceptable levels: mean over equal bins, weighted by papers."""
    total = 0.0
    for number in range(bins):
        here = [one for one in all_ if min(bins - 1, int(one.answer.confidence * bins)) == number]
        total += abs(sum(one.answer.confidence - one.acceptable for one in here))
    return total / len(all_) if all_ else 0.0


def _share(name: str, among: Sequence[Judged], good: Callable[[Judged], bool], target: str = "") -> Figure:
    return Figure(name, mean(float(good(one)) for one in among), len(among), target)


def mean(values: Iterable[float]) -> float:
    """Their mean; 0 of none."""
    kept = list(values)
    return sum(kept) / len(kept) if kept else 0.0


def wrong(one: Judged) -> tuple[str, ...]:
    """What is wrong with a suggestion, in codes; empty when nothing is."""
    checks = (
        ("too_low_unflagged", one.too_low and not one.answer.must_review),
        ("too_low", one.too_low and one.answer.must_review),
        ("too_high", one.too_high),
        ("level", not one.acceptable and not one.abstained and not one.too_low and not one.too_high),
        ("abstained", not one.acceptable and one.abstained and not one.too_low and not one.too_high),
        ("period", one.acceptable and not one.period_exact),
        ("ends", one.acceptable and not one.ends_exact),
        ("flag", not one.flag_right),
        ("overlays", not one.overlays_right),
        ("retention", bool(one.case.truth.retention) and not one.retention_right),
    )
    return tuple(code for code, bad in checks if bad)


def pace(
    cases: Sequence[Case], policy: Policy, *, rounds: int = 9, answerer: Answerer = product_answer
) -> float:
    """CPU milliseconds for a paper of 3,000 characters: median of `rounds` papers, each made of several."""
    taken: list[float] = []
    for number in range(rounds + 1):
        text, at = "", number * 7
        while len(text) < CHARACTERS:
            text += cases[at % len(cases)].text.strip() + "\n"
            at += 1
        paper = replace(cases[(number * 7) % len(cases)], text=text[:CHARACTERS])
        start = time.process_time()
        answerer(paper, policy)
        taken.append(time.process_time() - start)
    return 1000 * median(taken[1:])


def start_up() -> float:
    """CPU seconds until a new process has given its first suggestion."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", FIRST], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def first() -> None:
    """One suggestion, as a worker's first job."""
    product_answer(load_cases()[0], parse_policy(default_policy_text()))
