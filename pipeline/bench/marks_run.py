"""Runs the attack bench: pages are made, stamped and attacked in two processes; outcomes come as they are ready.

A wrong number anywhere ends the run with an error.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

import cv2

from ...formats.opened import Picture
from ...samples import leaks
from ...stages.mark_glyphs import GlyphSet
from .marks_decision import best_innocent, decide
from .marks_families import BY_NAME, FAMILIES, MIXES, Family
from .marks_pages import KINDS, REGISTER, MarkedPage, PageKind, id_of
from .marks_rivals import RivalPage, installed
from .race import require

PAGES: Final = {True: 12, False: 306}
_PROCESSES: Final = 2
_RIVAL_PAGES: Final = {True: 1, False: 4}

_RIVAL_QUICK = ("plain", "crop-25", "photo")
_DECOYS = 6
"""Other pages as they were among which the right one must be found."""
_FOR_INNOCENTS = 2
"""Sightings in which innocent copies' fingerprints are looked for, to say how high the best comes."""
_A_LIFE = 80
"""Calls after which the processes begin anew. (`max_tasks_per_child` may leave none: python/cpython issue 115634.)"""
Result = TypeVar("Result")
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Cases on one page: family and number of each; `rivals`: those in which other programs are asked too."""

    page: int
    kind: PageKind
    seed: int
    cases: tuple[tuple[str, int], ...]
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One case. `right`: the copy was named alone, or of a mix at least one; `lead`: it is among candidates only.

    `rivals`: of those that were asked, whether the whole payload came back.
    """

    family: str
    page: int
    kind: PageKind
    case: int
    right: bool
    lead: bool
    wrong: int
    z: float
    clarity: float
    glyphs: int
    seconds: float
    innocent_z: float = 0.0
    innocent_tests: float = 0.0
    layer: str = ""
    """That said it."""
    rivals: dict[str, bool] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """Outcomes of one family so far."""

    cases: int = 0
    right: int = 0
    leads: int = 0
    wrong: int = 0
    seconds: float = 0.0
    least_z: float = float("inf")
    innocent_z: float = 0.0
    innocent_tests: float = 0.0
    layers: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    recovered: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Counts one more."""
        self.cases += 1
        self.right += outcome.right
        self.leads += outcome.lead
        self.wrong += outcome.wrong
        self.seconds += outcome.seconds
        self.innocent_z = max(self.innocent_z, outcome.innocent_z)
        self.innocent_tests += outcome.innocent_tests
        if outcome.right:
            self.least_z = min(self.least_z, outcome.z)
            self.layers[outcome.layer] += 1
        for name, done in outcome.rivals.items():
            self.asked[name] += 1
            self.recovered[name] += done

    @property
    def share(self) -> float:
        """Per cent recovered."""
        return 100 * self.right / self.cases if self.cases else 0.0


def plan(seed: int, *, quick: bool) -> list[Task]:
    """Which cases fall on which pages: every family has its cases, spread over the pages of its kinds by seed."""
    rng = random.Random(f"{seed}:plan")  # noqa: S311 (no secret)
    pages = [(number, KINDS[number % len(KINDS)]) for number in range(PAGES[quick])]
    cases: dict[int, list[tuple[str, int]]] = defaultdict(list)
    asked: dict[int, tuple[str, ...]] = {}
    there = installed()
    for family in FAMILIES:
        able = [number for number, kind in pages if kind in family.kinds]
        rng.shuffle(able)
        count = min(family.cases, 2) if quick else family.cases
        for case in range(count):
            cases[able[case % len(able)]].append((family.name, case))
    usual = FAMILIES[0]
    idle = [number for number, kind in pages if not cases[number] and kind in usual.kinds]
    for case, number in enumerate(idle if not quick else (), start=usual.cases):
        cases[number].append((usual.name, case))
    for number in range(_RIVAL_PAGES[quick] if there else 0):
        kind = pages[number][1]
        names = [family.name for family in FAMILIES if family.rivals and kind in family.kinds]
        asked[number] = tuple(name for name in names if not quick or name in _RIVAL_QUICK)
        # numbers of their own, so that the pictures differ from those of the other pages
        cases[number] += [(name, 1000 + number) for name in asked[number]]
    tasks = [
        Task(page=number, kind=kind, seed=seed, cases=tuple(cases[number]), rivals=asked.get(number, ()))
        for number, kind in pages
    ]  # fmt: skip
    # the long ones neither first, when nothing is known yet, nor last, when one process would wait for the other
    plain, long = [task for task in tasks if not task.rivals], [task for task in tasks if task.rivals]
    early = len(plain) // 4
    return [*plain[:early], *long, *plain[early:]]


def run(seed: int, *, quick: bool, told: Callable[[str], None] = lambda _: None) -> dict[str, Tally]:
    """All cases; `told` hears of every miss, and of the tallies now and then.

    Raises:
        Unexpected: `bench_wrong`, when a wrong copy was named.
    """
    tallies = {family.name: Tally() for family in FAMILIES}
    tasks = [task for task in plan(seed, quick=quick) if task.cases]
    every = max(6, len(tasks) // 12)
    begun = time.monotonic()
    for done, outcomes in enumerate(_outcomes(tasks), start=1):
        for outcome in outcomes:
            tallies[outcome.family].add(outcome)
            if outcome.wrong or not outcome.right:
                told(_said(outcome))
            require(outcome.wrong == 0, "marks")
        if done % every == 0 or done == len(tasks):
            told(
                f"marks, seed {seed}: {done} of {len(tasks)} pages, {time.monotonic() - begun:.0f} s\n{table(tallies)}"
            )
    return tallies


def table(tallies: dict[str, Tally]) -> str:
    """The figures so far, one family a line."""
    names = sorted({name for tally in tallies.values() for name in tally.asked})
    rows = [
        ("family", "cases", "right", "leads", "wrong", "%", "aim", "least z", "innocent z", "CPU s", *names)
    ]
    for name, tally in tallies.items():
        aim = BY_NAME[name].aim
        rows.append(
            (
                name, str(tally.cases), str(tally.right), str(tally.leads), str(tally.wrong), f"{tally.share:.1f}",
                "-" if aim is None else f"{aim:g}", "-" if not tally.right else f"{tally.least_z:.1f}",
                f"{tally.innocent_z:.1f}", f"{tally.seconds / max(1, tally.cases):.2f}",
                *(f"{tally.recovered[other]}/{tally.asked[other]}" if tally.asked[other] else "-" for other in names),
            )
        )  # fmt: skip
    wide = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(size) for cell, size in zip(row, wide, strict=True)) for row in rows
    )


def perform(task: Task) -> list[Outcome]:
    """The cases of one page."""
    pages: dict[bool, MarkedPage] = {}
    found = []
    rival: RivalPage | None = None
    for name, case in task.cases:
        family = BY_NAME[name]
        page = pages.get(family.dots) or MarkedPage(
            number=task.page, seed=task.seed, kind=task.kind, profile="dots" if family.dots else "normal"
        )
        pages[family.dots] = page
        asked: dict[str, bool] = {}
        if name in task.rivals and case >= 1000:
            rival = rival or RivalPage(page.bare, task.page)
            asked = {
                other: rival.recovered(other, _leaked(family, rival.marked(other), task, case)[0])
                for other in installed()
            }
        found.append(_case(family, case, page, task, asked))
    return found


def _case(family: Family, case: int, page: MarkedPage, task: Task, asked: dict[str, bool]) -> Outcome:
    ids = [id_of(serial) for serial in range(REGISTER)]
    true = {page.id}
    masters: list[GlyphSet] = []
    if family.mixed:
        how, count = MIXES[case % len(MIXES)]
        serials = [task.page, *range(REGISTER // 2 + 1, REGISTER // 2 + count)]
        true = {id_of(serial) for serial in serials}
        pictures = [leaks.mixed([page.copy(serial) for serial in serials], how)]
    else:
        pictures = _leaked(family, page.picture, task, case)
    if family.glyphs and page.masters is not None:
        masters = [*_DECOY_SETS[-_DECOYS:], page.masters]
    decision = decide(pictures, ids, masters)
    if family.glyphs and page.masters is not None:
        _DECOY_SETS.append(page.masters)
        del _DECOY_SETS[:-_DECOYS]
    named = set(decision.named)
    clearest = sorted(decision.seen, key=lambda one: -one.clarity)[:_FOR_INNOCENTS]
    innocent_z, innocent_tests = best_innocent(clearest, [id for id in ids if id not in true])
    return Outcome(
        family=family.name, page=task.page, kind=task.kind, case=case,
        right=bool(named & true) if family.mixed else (decision.word == "copy" and named == true),
        lead=decision.word == "candidates" and bool(named & true), wrong=len(named - true), z=decision.z,
        clarity=decision.clarity, glyphs=page.glyphs, seconds=decision.seconds,
        innocent_z=innocent_z, innocent_tests=innocent_tests, layer=decision.layer, rivals=asked,
    )  # fmt: skip


_DECOY_SETS: list[GlyphSet] = []
"""Of this process: pages as they were of the last cases."""


def _leaked(family: Family, picture: Picture, task: Task, case: int) -> list[Picture]:
    rng = random.Random(f"{task.seed}:{family.name}:{task.page}:{case}")  # noqa: S311 (no secret)
    return family.attacks[case % len(family.attacks)](picture, rng)


def _said(outcome: Outcome) -> str:
    word = "WRONG" if outcome.wrong else "lead only" if outcome.lead else "missed"
    return (
        f"{word}: {outcome.family}, case {outcome.case}, page {outcome.page} ({outcome.kind}, {outcome.glyphs} "
        f"glyphs), clarity {outcome.clarity:.1f}, z {outcome.z:.1f}, {outcome.seconds:.1f} CPU s"
    )


def _outcomes(tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
    yield from in_turns([partial(perform, task) for task in tasks])


def in_turns(calls: Sequence[Callable[[], Result]]) -> Iterator[Result]:
    """What the calls give, as they are done. Processes begin anew after some calls, so that none grows without end."""
    for start in range(0, len(calls), _A_LIFE):
        with _pool() as processes:
            waiting = [processes.submit(call) for call in calls[start : start + _A_LIFE]]
            for future in as_completed(waiting):
                yield future.result()


def _pool() -> ProcessPoolExecutor:
    """Two processes of one thread each: the machine's other work is hardly felt, and their seconds add up."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    return ProcessPoolExecutor(
        _PROCESSES,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_one_thread,
    )


def _one_thread() -> None:
    cv2.setNumThreads(1)
