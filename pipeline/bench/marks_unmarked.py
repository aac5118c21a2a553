"""Runs on pictures that no copy of this station has a part in: the only right answer is none.

Unmarked pages, the same words typed anew, copies of another station, photographs, plain and odd pictures; whole,
cropped and attacked; small pictures as well as large ones. Where a page as it was is in the ledger, glyphs are
compared too.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ...formats.opened import Picture
from ...samples import leaks
from ...samples.paper import Block
from ...samples.photograph import photograph
from ...samples.render import render
from ...stages.mark_glyphs import GlyphSet
from ...watermark.tint import TintKey
from .marks_decision import best_innocent, best_innocent_signs, decide
from .marks_pages import KINDS, REGISTER, MarkedPage, first_page, id_of
from .marks_run import in_turns
from .race import require

RUNS: Final = {True: 20, False: 2000}
_A_PAGE = 20
"""Runs that one page gives."""
_FOREIGN = TintKey(bytes(range(7, 39)))
_SIDES = (160, 640)
_ATTACKS: Final = tuple(
    attack for name, attacks in {**leaks.FAMILIES, "more": leaks.MORE["plain"]}.items() for attack in attacks if name
) + tuple(leaks.BLACK_AND_WHITE.values())  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Silence:
    """What so many runs gave. `best_z`: of any copy's fingerprint in any of them; `comparisons`: of fingerprints, and
    of glyphs' signs.
    """

    runs: int = 0
    answers: int = 0
    best_z: float = 0.0
    best_signs_z: float = 0.0
    comparisons: float = 0.0
    glyph_comparisons: float = 0.0
    lattices: int = 0
    """Runs in which something like the tint's lattice was seen."""
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    answered: list[str] = field(default_factory=list)

    def add(self, other: Silence) -> None:
        """Counts the runs of another."""
        self.runs += other.runs
        self.answers += other.answers
        self.best_z = max(self.best_z, other.best_z)
        self.best_signs_z = max(self.best_signs_z, other.best_signs_z)
        self.comparisons += other.comparisons
        self.glyph_comparisons += other.glyph_comparisons
        self.lattices += other.lattices
        self.seconds += other.seconds
        self.kinds += other.kinds
        self.answered += other.answered

    def said(self) -> str:
        """In one line."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.kinds.items()))
        return (
            f"{self.runs} runs, {self.answers} answers; best z of fingerprints {self.best_z:.2f} in "
            f"{self.comparisons:.2e} comparisons, of glyphs' signs {self.best_signs_z:.2f} in "
            f"{self.glyph_comparisons:.2e}; lattice seen in {self.lattices}; "
            f"{self.seconds / max(1, self.runs):.2f} CPU s a run; {kinds}"
        )


def silence(seed: int, runs: int, *, told: Callable[[str], None]) -> Silence:
    """So many runs; `told` hears of every answer, and of the sums now and then.

    Raises:
        Unexpected: `bench_wrong`, at the end, when there was any answer.
    """
    total = Silence()
    tasks = -(-runs // _A_PAGE)
    every = max(5, tasks // 20)
    calls = [partial(perform_silent, seed, number, _A_PAGE) for number in range(tasks)]
    for done, found in enumerate(in_turns(calls), start=1):
        for line in found.answered:
            told(f"ANSWER: {line}")
        total.add(found)
        if done % every == 0 or done == tasks:
            told(f"seed {seed}: {total.said()}")
    require(total.answers == 0, "marks.unmarked")
    return total


def perform_silent(seed: int, number: int, runs: int) -> Silence:
    """The runs of one page."""
    rng = random.Random(f"{seed}:silent:{number}")  # noqa: S311 (no secret)
    page = MarkedPage(number=number, seed=seed, kind=KINDS[number % len(KINDS)])
    ids = [id_of(serial) for serial in range(REGISTER)]
    found = Silence()
    for run, (kind, picture, masters) in zip(range(runs), _pictures(page, rng, ids), strict=False):
        decision = decide([picture], ids, masters)
        z, comparisons = best_innocent(decision.seen, ids)
        found.runs += 1
        found.kinds[kind] += 1
        found.seconds += decision.seconds
        found.best_z, found.comparisons = max(found.best_z, z), found.comparisons + comparisons
        if masters:
            signs_z, signs = best_innocent_signs(picture, masters)
            found.best_signs_z = max(found.best_signs_z, signs_z)
            found.glyph_comparisons += signs
        found.lattices += bool(decision.seen)
        if decision.word != "none":
            found.answers += 1
            said = f"{decision.word} by {decision.layer}, z {decision.z:.1f}"
            found.answered.append(f"{kind}, page {number} ({page.kind}), run {run}: {said}")
    return found


def _pictures(
    page: MarkedPage, rng: random.Random, ids: list[int]
) -> Iterator[tuple[str, Picture, list[GlyphSet]]]:
    """Twenty pictures, and for some of them the pages as they were."""
    bare = page.bare
    for _ in range(5):
        yield "unmarked, part", _part(_attacked(bare, rng), rng), []
    yield "unmarked, whole", _small(_attacked(bare, rng), rng), []
    stranger = replace(page, tint=_FOREIGN, number=page.number + 50_000)
    foreign = stranger.picture
    for _ in range(5):
        yield "foreign, part", _part(_attacked(foreign, rng), rng), []
    retyped = _retyped(page, rng)
    for _ in range(2):
        yield "retyped, part", _part(_attacked(retyped, rng), rng), []
    before = page.masters
    known = [GlyphSet(before.pages, tuple(ids))] if before else []
    bits = rng.choice(tuple(leaks.BLACK_AND_WHITE.values()))
    for kind, picture in (
        ("unmarked, glyphs", bare),
        ("retyped, glyphs", retyped),
        ("foreign, glyphs", foreign),
    ):
        yield kind, bits(picture, rng), known
    for _ in range(2):
        yield "photograph", photograph(rng.randrange(*_SIDES), rng.randrange(*_SIDES), rng), []
    for _ in range(2):
        yield _odd(rng)


def _attacked(page: Picture, rng: random.Random) -> Picture:
    return rng.choice(_ATTACKS)(page, rng)


def _part(picture: Picture, rng: random.Random) -> Picture:
    rows, columns = (min(side, rng.randrange(*_SIDES)) for side in picture.shape[:2])
    top, left = rng.randrange(picture.shape[0] - rows + 1), rng.randrange(picture.shape[1] - columns + 1)
    return np.ascontiguousarray(picture[top : top + rows, left : left + columns])


def _small(picture: Picture, rng: random.Random) -> Picture:
    rate = rng.uniform(700, 1700) / max(picture.shape[:2])
    return np.asarray(cv2.resize(picture, None, fx=rate, fy=rate, interpolation=cv2.INTER_AREA), np.uint8)


def _retyped(page: MarkedPage, rng: random.Random) -> Picture:
    """The same words set anew: other breaks, other places."""
    words = "".join(block.text for block in page.paper.body if block.text)
    cut = rng.randrange(20, 60)
    blocks = tuple(Block("para", words[at : at + 150]) for at in range(cut, min(len(words), 1200) + cut, 150))
    return first_page(render(replace(page.paper, layout="plain", body=blocks), "pdf"))


def _odd(rng: random.Random) -> tuple[str, Picture, list[GlyphSet]]:
    made = np.random.default_rng(rng.getrandbits(32))
    high, wide = rng.randrange(*_SIDES), rng.randrange(*_SIDES)
    rows, columns = np.indices((high, wide), np.float32)
    plane: NDArray[Any]
    kind = rng.choice(("blank", "tiny", "noise", "stripes", "waves", "dots", "slope", "huge"))
    match kind:
        case "blank":
            plane = np.full((high, wide), rng.randrange(256), np.float32)
        case "tiny":
            plane = made.integers(0, 256, (rng.randrange(1, 40), rng.randrange(1, 40))).astype(np.float32)
        case "noise":
            plane = made.normal(rng.uniform(60, 250), rng.uniform(1, 40), (high, wide)).astype(np.float32)
        case "stripes":
            plane = 235 + 12 * np.sign(np.sin(rows / rng.uniform(1, 20) + columns / rng.uniform(1, 20)))
        case "waves":
            plane = np.full((high, wide), 240, np.float32)
            for _ in range(rng.randrange(2, 20)):
                plane += 2 * np.cos(
                    rows * rng.uniform(0, 1.5) + columns * rng.uniform(-1.5, 1.5) + rng.random()
                )
        case "dots":
            plane = np.full((high, wide), 255, np.float32)
            step = rng.uniform(6, 25)
            for row in np.arange(3, high - 3, step):
                for column in np.arange(3, wide - 3, step):
                    plane[int(row + rng.uniform(-1, 1)), int(column + rng.uniform(-1, 1))] = 0
        case "slope":
            plane = 120 + 120 * (rows / high) * (columns / wide)
        case _:
            plane = np.full((3500, 5000), 246, np.float32)
            plane[::7] -= rng.uniform(1, 6)
    picture: Picture = np.repeat(np.clip(plane, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    return kind, picture, []
