"""The decision that `jiyao trace` comes to about pictures, by their invisible marks alone: barcodes and words left out.

The same functions in the same order as in the product: channels of a file, the judgement, shifted glyphs where that
names no copy, several files together where none says anything alone. Seconds are those of the processor: on a machine
that is busy with other things a limit by the clock would cut the search short.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from ...formats.opened import Picture
from ...models.copy import ReadMark
from ...stages.mark_channels import Suspect, read_channels
from ...stages.mark_glyphs import GlyphSet, read_glyphs
from ...stages.mark_tint import add_up
from ...watermark.glyph_pages import halved
from ...watermark.glyphs import GlyphKey
from ...watermark.glyphs_place import features, place
from ...watermark.glyphs_read import agreement, leak_of, measure
from ...watermark.tint_match import Seen, first_pass, highest, print_z
from ...watermark.trace import VerdictWord, judge
from .marks_pages import KEY, TAG, TINT, Shown

_SECONDS, _GLYPH_SECONDS = 16.0, 12.0
_LOOKED_AT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was said about one leak.

    `named`: every copy that was named, as the copy or as a candidate; `z`: the best of the marks it rests on;
    `clarity`: how surely the tint's lattice was there; `seconds` of processor.
    """

    word: VerdictWord
    named: tuple[int, ...]
    layer: str
    z: float
    clarity: float
    seconds: float
    seen: tuple[Seen, ...] = ()


def decide(
    pictures: Sequence[Picture],
    ids: Sequence[int],
    masters: Sequence[GlyphSet] = (),
    *,
    thorough: bool = False,
) -> Decision:
    """The answer for the pictures of one leak, among copies with these numbers; `masters`: pages as they were."""
    begun = time.process_time()
    with _processor_clock():
        decisions = [_one(picture, ids, masters, thorough) for picture in pictures]
        marks = next((found for found, _ in decisions if _says(found)), ())
        seen = [(number, one) for number, (_, some) in enumerate(decisions, start=1) for one in some]
        if not marks and len(pictures) > 1:
            marks = add_up(seen, TINT, ids).marks
            if masters and not marks:
                marks = _glyphs([Shown(picture) for picture in pictures], masters)
    verdict = judge(marks, key=KEY, tag=TAG)
    named = {verdict.id} if verdict.id is not None else {lead.id for lead in verdict.candidates}
    best = max(marks, key=lambda mark: mark.score, default=None)
    return Decision(
        word=verdict.verdict, named=tuple(sorted(id for id in named if id is not None)),
        layer=best.layer if best else "", z=best.score if best else 0.0,
        clarity=max((one.clarity for _, one in seen), default=0.0), seconds=time.process_time() - begun,
        seen=tuple(one for _, one in seen),
    )  # fmt: skip


def best_innocent(seen: Sequence[Seen], ids: Sequence[int]) -> tuple[float, float]:
    """The highest z of any of these copies in any sighting, and how many comparisons it is the highest of."""
    if not seen:
        return 0.0, 0.0
    scores = first_pass(seen, TINT, ids)
    best = 0.0
    for number, one in enumerate(seen):
        for index in highest(scores[number], _LOOKED_AT):
            best = max(best, print_z(one, TINT, int(ids[int(index)])))
    return best, float(len(ids)) * sum(one.places for one in seen)


def best_innocent_signs(picture: Picture, masters: Sequence[GlyphSet]) -> tuple[float, float]:
    """The highest z of any copy's glyphs where a page as it was can be laid on the picture, and the comparisons."""
    leak, key, best, tests = leak_of(picture), GlyphKey(TINT.key), 0.0, 0
    points = features(halved(leak.ink))
    for one in masters:
        for page in one.pages:
            found = place(points, features(halved(page.ink)))
            if found is None:
                continue
            matrix = np.diag([2.0, 2.0, 1.0]) @ found[0] @ np.diag([0.5, 0.5, 1.0])
            shifts = measure(leak, page.ink, page.boxes, matrix, page.per_mm).shifts
            for id in one.ids:
                best = max(best, agreement([shifts], [key.signs(id, page.number, len(page.boxes))]))
                tests += 1
    return best, float(tests)


def _one(
    picture: Picture, ids: Sequence[int], masters: Sequence[GlyphSet], thorough: bool
) -> tuple[tuple[ReadMark, ...], tuple[Seen, ...]]:
    shown = Shown(picture)
    suspect = Suspect(opened=shown, numbers=[1], key=TINT, ids=ids, thorough=thorough)
    limit = 90.0 if thorough else _SECONDS
    marks = tuple(read_channels(suspect, end=time.monotonic() + limit))
    if masters and judge(marks, key=KEY, tag=TAG).verdict != "copy":
        marks += _glyphs([shown], masters)
    return marks, tuple(one for _, one in suspect.seen)


def _glyphs(shown: Sequence[Shown], masters: Sequence[GlyphSet]) -> tuple[ReadMark, ...]:
    copies = sum(len(one.ids) for one in masters)
    end = time.monotonic() + _GLYPH_SECONDS
    return tuple(read_glyphs(list(shown), masters, GlyphKey(TINT.key), copies=copies, end=end))


def _says(marks: tuple[ReadMark, ...]) -> bool:
    return judge(marks, key=KEY, tag=TAG).verdict != "none"


@contextmanager
def _processor_clock() -> Iterator[None]:
    """Limits of time count processor seconds while the block runs."""
    clock = time.monotonic
    vars(time)["monotonic"] = time.process_time
    try:
        yield
    finally:
        vars(time)["monotonic"] = clock
