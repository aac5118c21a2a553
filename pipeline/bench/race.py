"""A comparison: the product and a named baseline do the same work, in turns, in one run.

What counts is the ratio. Seconds alone say more about the machine and its load than about the product; turns bring
load that comes and goes to both alike, and medians leave out the odd one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, TypeVar

from ...common.errors import Unexpected

Unit = Literal[
    "pages/min", "documents/s", "MB/s", "MiB", "KB", "B/key", "s", "ms", "%", "s/page", "cost/paper", "queries",
    "fsyncs", "dB",
]  # fmt: skip
Better = Literal["more", "less"]
_Value = TypeVar("_Value")
_RATES = ("pages/min", "documents/s", "MB/s")
_ENOUGH = 20
"""Rounds from which the nearly worst can be told from the worst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """One comparison.

    Args:
        name: as in the results; a topic's first race may have the topic's own name.
        against: the baseline in plain words, the same in every language.
        product, baseline: do the work once and give the figure, in `unit`; no baseline when it is not installed,
            or when there is none (`against` is empty).
        rounds: how often each has its turn.
        note: what was measured with which engine or size.
        better: which way the figure should go, where the unit does not tell.
    """

    name: str
    unit: Unit
    against: str
    product: Callable[[], float]
    baseline: Callable[[], float] | None
    rounds: int
    note: str = ""
    better: Better | None = None


Races = Generator[Race, None, None]
"""Comparisons one after the other; what they need is made before the first and taken down after the last."""


def run_race(race: Race) -> dict[str, Any]:
    """Runs both in turns, each first every other time; medians, and their ratio.

    Returns:
        `name, value, p95, unit, baseline, ratio, better, against, rounds, note, missing`. `p95` is the product's figure
        that nineteen in twenty rounds do not pass (the nearest of those measured), null with fewer rounds than that.
        `better` says which way `value`
        and `ratio` should go: `more` for rates, `less` for times and memory. Without a baseline both it and the
        ratio are null, and `missing` is `bench_baseline_missing` where one could have been; a ratio to nothing is
        null too.
    """
    figures: dict[str, list[float]] = {"product": [], "baseline": []}
    turns = [("product", race.product)]
    if race.baseline is not None:
        turns.append(("baseline", race.baseline))
    for number in range(race.rounds):
        for name, work in turns if number % 2 == 0 else reversed(turns):
            figures[name].append(work())
    value = median(figures["product"])
    baseline = median(figures["baseline"]) if race.baseline is not None else None
    return {
        "name": race.name,
        "value": _short(value),
        "p95": _short(_nearly_worst(race, figures["product"])) if race.rounds >= _ENOUGH else None,
        "unit": race.unit,
        "baseline": None if baseline is None else _short(baseline),
        "ratio": _short(value / baseline) if baseline else None,
        "better": _better(race),
        "against": race.against,
        "rounds": race.rounds,
        "note": race.note,
        "missing": "bench_baseline_missing" if baseline is None and race.against else None,
    }


def _better(race: Race) -> Better:
    return race.better or ("more" if race.unit in _RATES else "less")


def _nearly_worst(race: Race, figures: list[float]) -> float:
    ranked = sorted(figures, reverse=_better(race) == "more")
    return ranked[-(-len(ranked) * 95 // 100) - 1]


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def timed(work: Callable[[], _Value]) -> tuple[float, _Value]:
    """As `seconds`, with what it gives."""
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


def require(sound: bool, name: str) -> None:
    """Measured work must also have been done right: a figure for something else would be worse than none.

    Raises:
        Unexpected: `bench_wrong`.
    """
    if not sound:
        raise Unexpected("bench_wrong", name=name)


def _short(figure: float) -> float:
    """Four digits: more would feign exactness."""
    return float(f"{figure:.4g}")
