"""Measures how far a leak can be traced: pages of copies, attacked in seeded families; two open programs beside.

Every picture is decided as `jiyao trace` decides, by the invisible marks alone. A wrong number anywhere ends the
measurement with an error: there may be none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import cv2

from ...watermark.tint import PagePattern, embed
from .marks_families import FAMILIES, TEXT, Family
from .marks_pages import PER_MM, TINT, MarkedPage, PageKind
from .marks_rivals import NAMES
from .marks_run import Tally, run
from .marks_unmarked import RUNS, Silence, silence
from .race import Race, Races

PSNR: Final = 37.0
"""dB, RGB: the least that the tint may leave of a page of text."""
_LEADING: Final = "blind-watermark"


def marks(folder: Path, quick: bool, seed: int, *, told: Callable[[str], None] = lambda _: None) -> Races:
    """Shares of leaked pictures traced to the right copy, by family; then pictures without any mark of ours.

    Baseline: blind-watermark's share of the same attacks on the same pages, 64 bits, the whole payload, where it is
    installed; the note has invisible-watermark's. `told` hears of misses and tallies.
    """
    del folder
    tallies = run(seed, quick=quick, told=told)
    for family in FAMILIES:
        yield _race(family, tallies[family.name])
    yield Race(
        name="marks.psnr", unit="dB", against="the limit set for it", baseline=partial(float, PSNR), rounds=1,
        product=partial(_psnr, seed, TEXT[:2] if quick else TEXT), better="more",
        note="the tint alone, RGB, the least of one page of each kind with text",
    )  # fmt: skip
    if quick:
        yield from unmarked(Path(), quick, seed, told=told)


def unmarked(folder: Path, quick: bool, seed: int, *, told: Callable[[str], None] = lambda _: None) -> Races:
    """Answers on pictures that no copy has a part in: unmarked, retyped, another station's, odd ones."""
    del folder
    found = silence(seed, RUNS[quick], told=told)
    yield _answers(found)
    yield Race(
        name="marks.unmarked.pace", unit="s", against="", product=lambda: found.seconds / max(1, found.runs),
        baseline=None, rounds=1, note="processor, a run",
    )  # fmt: skip


def _psnr(seed: int, kinds: Sequence[PageKind]) -> float:
    """The least peak signal-to-noise ratio of the tint on pages of these kinds, 200 dpi."""
    ratios = []
    for number, kind in enumerate(kinds):
        page = MarkedPage(number=number, seed=seed, kind=kind)
        height, width = page.bare.shape[:2]
        size = {"width_mm": width / PER_MM, "height_mm": height / PER_MM}
        marked = embed(page.bare, PagePattern(TINT, **size).tone(page.id), **size)
        ratios.append(cv2.PSNR(page.bare, marked))
    return min(ratios)


def _race(family: Family, tally: Tally) -> Race:
    asked = tally.asked[_LEADING]
    aim = f"aim {family.aim:g} %" if family.aim is not None else "reported only"
    parts = [
        f"{tally.right} of {tally.cases}, {tally.leads} as candidates, {tally.wrong} wrong",
        aim,
    ]
    parts += [f"by {layer} {count}" for layer, count in sorted(tally.layers.items())]
    if tally.innocent_tests:
        parts.append(f"best innocent z {tally.innocent_z:.1f}")
    parts += [
        f"{name} {version} {tally.recovered[name]} of {tally.asked[name]}"
        for name, version in NAMES.items()
        if tally.asked[name]
    ]
    return Race(
        name=f"marks.{family.name}", unit="%", better="more", rounds=1, note="; ".join(parts),
        against=f"{_LEADING} {NAMES[_LEADING]}" if family.rivals else "",
        product=partial(float, tally.share),
        baseline=partial(float, 100 * tally.recovered[_LEADING] / asked) if asked else None,
    )  # fmt: skip


def _answers(found: Silence) -> Race:
    return Race(
        name="marks.unmarked", unit="%", against="", product=lambda: 100 * found.answers / max(1, found.runs),
        baseline=None, rounds=1, note=found.said(), better="less",
    )  # fmt: skip
