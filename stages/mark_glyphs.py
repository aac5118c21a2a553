"""Reads shifted glyphs of a suspect file against pages as they were, and says which copies' signs they show.

Threat model. The suspect file is hostile and opened under limits in a worker. What it may bring about at most is no
answer: a copy is named only when its signs, which nobody without the station's key knows, agree so well that of all
copies that were compared none does by chance with more than 10^-9 (`needed`), whatever is in the picture.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..formats.fault import FormatFault
from ..formats.opened import OpenedDocument
from ..models.copy import MarkMatch, MarkView, ReadMark
from ..watermark.glyph_pages import GlyphPage, halved
from ..watermark.glyphs import GlyphKey
from ..watermark.glyphs_place import Features, features, likeness, place, sketch
from ..watermark.glyphs_read import Leak, Plane, agreement, leak_of, measure
from .mark_channels import DPI, DRAWN, OWN_PIXELS

TRIES = 4
"""Pages as they were that are laid on one page of the suspect, at most."""
MOST_PAGES = 12
"""Pages of the suspect that are looked at."""
_FALSE = 1e-9
_SECOND = 1e-2
_MIRROR_SHARE = 0.1
"""Of the bound, for mirror images, which are looked at where the files as they are name nobody."""
_PAGES = 1_000_000
"""More than a file has pages."""
_ENOUGH, _PLAINLY = 12, 30
"""Points that must lie alike for a page to be tried; so many that no other page need be."""
_FEW_PAGES = 40
"""So many pages, the likeliest, are tried; by all their points where the few that are kept do not find one."""
_HALF, _DOUBLE = np.diag([0.5, 0.5, 1.0]), np.diag([2.0, 2.0, 1.0])


@dataclass(frozen=True, slots=True)
class GlyphSet:
    """Pages that some copies share, as they were, and these copies' numbers."""

    pages: tuple[GlyphPage, ...]
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Laid:
    """One page as it was, laid on one picture: the picture's number, agreeing points, the page, its glyphs' shifts."""

    number: int
    agree: int
    page: GlyphPage
    shifts: NDArray[np.float32]
    lies: Plane
    """Takes mm of the page to the picture's own pixels (3 x 3)."""
    mirrored: bool = False


@dataclass(slots=True)
class Measurement:
    """What was measured on pictures by one set's pages."""

    laid: list[_Laid] = field(default_factory=list)


def tests_for(copies: int, pages: int) -> int:
    """How often copies are compared with pages of a suspect, at most."""
    return max(1, copies * (TRIES * min(pages, MOST_PAGES) + 1))


def needed(tests: float, false: float = _FALSE) -> float:
    """The least z at which the bound of a false answer, tests * exp(-z * z / 2), is `false`."""
    return math.sqrt(2 * math.log(max(1.0, tests) / false))


def read_glyphs(
    opened: OpenedDocument | Sequence[OpenedDocument],
    sets: Sequence[GlyphSet],
    key: GlyphKey,
    *,
    copies: int,
    end: float,
) -> list[ReadMark]:
    """The copies whose signs one file, or several together, show, the surest first; `coded` when it is one alone.

    Args:
        copies: how many are compared with these files in all, in this call and others: each call has the share of the
            bound that its own copies have of all.
        end: `time.monotonic`.
    """
    files = list(opened) if isinstance(opened, Sequence) else [opened]
    return read_placed(files, sets, key, copies=copies, end=end)[0]


def read_placed(
    files: Sequence[OpenedDocument], sets: Sequence[GlyphSet], key: GlyphKey, *, copies: int, end: float
) -> tuple[list[ReadMark], list[Measurement]]:
    """`read_glyphs`, and what it was measured from: the files as they are, else their mirror images."""
    marks: list[ReadMark] = []
    laid: list[Measurement] = []
    for mirrored, share in ((False, 1 - _MIRROR_SHARE), (True, _MIRROR_SHARE)):
        laid = measured(files, sets, mirrored=mirrored, end=end)
        marks = judged(sets, laid, key, copies=copies, share=share)
        if marks or time.monotonic() > end:
            break
    return marks, laid


def measured(
    files: Sequence[OpenedDocument], sets: Sequence[GlyphSet], *, mirrored: bool = False, end: float
) -> list[Measurement]:
    """What each set's pages give on the files' pages, in their order; on their mirror images, if so asked."""
    laid = [Measurement() for _ in sets]
    for count, picture in enumerate(_pictures(files, end=end)):
        if picture is None:
            continue
        page, leak, rate = picture
        back = np.diag([1 / rate, 1 / rate, 1.0])
        if mirrored:
            back = back @ np.array([[-1.0, 0, leak.ink.shape[1] - 1], [0, 1, 0], [0, 0, 1]])
            leak = Leak(np.ascontiguousarray(leak.ink[:, ::-1]))  # noqa: PLW2901 (one or the other)
        for which, one in _placed(leak, sets, end=end):
            laid[which].laid.append(
                replace(one, number=count * _PAGES + page, lies=back @ one.lies, mirrored=mirrored)
            )
    return laid


def views(marks: Sequence[ReadMark], sets: Sequence[GlyphSet], laid: Sequence[Measurement]) -> list[MarkView]:
    """How the pages of the copies that were named lie on one file's pictures, for the report."""
    shown: dict[int, tuple[int, MarkView]] = {}
    for mark in marks:
        for one, seen in zip(sets, laid, strict=True):
            for lying in seen.laid if int(mark.value, 16) in one.ids else ():
                known = shown.get(mark.page)
                if lying.number % _PAGES == mark.page and (known is None or lying.agree > known[0]):
                    shown[mark.page] = lying.agree, _view(mark, lying)
    return [view for _, view in shown.values()]


def _view(mark: ReadMark, lying: _Laid) -> MarkView:
    match = MarkMatch(id=int(mark.value, 16), z=round(mark.score, 1), row=0, column=0, grid=())
    lies = tuple(float(value) for value in lying.lies.ravel())
    return MarkView(
        page=mark.page, channel="glyphs", homography=lies, mirrored=lying.mirrored, clarity=mark.score,
        matches=(match,),
    )  # fmt: skip


def judged(
    sets: Sequence[GlyphSet], laid: Sequence[Measurement], key: GlyphKey, *, copies: int, share: float = 1.0
) -> list[ReadMark]:
    """The copies that what was measured names. Which pages lie on which pictures, and what was measured there, knows
    nothing of any sign: so only the copies of these pages count as compared, as often as they were. `share`: of the
    bound, that is spent here.
    """
    compared = sum(len(one.ids) * _comparisons(seen) for one, seen in zip(sets, laid, strict=True))
    here = sum(len(one.ids) for one in sets)
    tests = max(1, math.ceil(compared * max(1.0, copies / max(1, here)) / share))
    best: dict[int, tuple[float, int]] = {}
    for one, seen in zip(sets, laid, strict=True):
        for id in one.ids if seen.laid else ():
            z, number = _best(seen, key, id)
            best[id] = max((z, number), best.get(id, (0.0, 0)))
    sure = {id: found for id, found in best.items() if found[0] >= needed(tests)}
    second = sum(found[0] >= needed(tests, _SECOND) for found in best.values())
    return [
        ReadMark(
            page=number % _PAGES, channel="forensic", layer="glyphs", value=f"{id:012x}", score=round(z, 2),
            tests=tests, coded=len(sure) == 1 and second == 1,
        )
        for id, (z, number) in sorted(sure.items(), key=lambda item: -item[1][0])
    ]  # fmt: skip


def sketches(opened: OpenedDocument, *, mirror: bool, end: float) -> list[Features]:
    """A few points of each page of a suspect, and of its mirror image, by which many pages are gone through."""
    found = []
    for picture in _pictures([opened], end=end):
        if picture is not None:
            ink = halved(picture[1].ink)
            found += [sketch(ink), *([sketch(np.ascontiguousarray(ink[:, ::-1]))] if mirror else [])]
    return found


def _pictures(files: Sequence[OpenedDocument], *, end: float) -> Iterable[tuple[int, Leak, float] | None]:
    """The files' pages as pictures, until `end`: number of the page, picture, and by how much it was brought down; None
    for one that cannot be drawn.
    """
    for opened in files:
        for number in range(1, min(opened.page_count, MOST_PAGES) + 1):
            if time.monotonic() > end:
                return
            try:
                wanted = DPI if opened.kind in DRAWN else OWN_PIXELS
                drawn = opened.render(number, wanted)
                leak = leak_of(drawn)
                yield number, leak, leak.ink.shape[1] / drawn.shape[1]
            except FormatFault:
                yield None


def _comparisons(seen: Measurement) -> int:
    """How often each copy of a set is compared: by each page on each picture, and by all together."""
    pictures = len({one.number for one in seen.laid})
    return len(seen.laid) + (pictures > 1)


def _best(seen: Measurement, key: GlyphKey, id: int) -> tuple[float, int]:
    """The best z of a copy, by each page laid on each picture, and by all pictures together; the picture's number.

    Together, what several pictures show of one page is added glyph by glyph before its length is taken: each sign
    counts once, and a picture given twice says no more than once.
    """
    signs = {one.page.number: key.signs(id, one.page.number, len(one.page.boxes)) for one in seen.laid}
    zs = [(agreement([one.shifts], [signs[one.page.number]]), one.number) for one in seen.laid]
    firsts: dict[int, _Laid] = {}
    for one in seen.laid:
        if one.number not in firsts or one.agree > firsts[one.number].agree:
            firsts[one.number] = one
    if len(firsts) > 1:
        sums: dict[int, NDArray[np.float32]] = {}
        for one in firsts.values():
            sums[one.page.number] = sums.get(one.page.number, np.float32(0.0)) + one.shifts
        zs.append((agreement(list(sums.values()), [signs[number] for number in sums]), min(firsts)))
    return max(zs)


def _placed(leak: Leak, sets: Sequence[GlyphSet], *, end: float) -> Iterable[tuple[int, _Laid]]:
    """The pages that lie best on the picture, and the numbers of their sets."""
    points = features(halved(leak.ink))
    pages = [(which, page) for which, one in enumerate(sets) for page in one.pages]
    if len(pages) > _FEW_PAGES:
        drawn = sketch(halved(leak.ink))
        pages.sort(key=lambda item: -likeness(drawn, item[1].found_by))
        pages = pages[:_FEW_PAGES]
    ranked = _ranked(points, pages, end=end)
    if not ranked or ranked[0][0] < _PLAINLY:
        ranked += [
            (1, which, page) for which, page in pages if not any(page is other for _, _, other in ranked)
        ]
        tries = len(ranked)
    else:
        tries = TRIES
    laid = []
    for _, which, page in ranked[:tries]:
        if time.monotonic() > end:
            break
        found = place(points, features(halved(page.ink)))
        if found is not None:
            laid.append((found[1], which, page, found[0]))
    laid.sort(key=lambda item: -item[0])
    for agree, which, page, at_half in laid[:TRIES]:
        matrix: Plane = _DOUBLE @ at_half @ _HALF
        found_there = measure(leak, page.ink, page.boxes, matrix, page.per_mm)
        if found_there.seen:
            mm = np.diag([page.per_mm, page.per_mm, 1.0])
            yield which, _Laid(0, agree, page, found_there.shifts, matrix @ mm)


def _ranked(
    points: Features, pages: Iterable[tuple[int, GlyphPage]], *, end: float
) -> list[tuple[int, int, GlyphPage]]:
    """The pages of whose points some lie alike on the picture, those with the most first."""
    ranked = []
    for which, page in pages:
        if time.monotonic() > end:
            break
        found = place(points, page.found_by, least=_ENOUGH)
        if found is not None:
            ranked.append((found[1], which, page))
    return sorted(ranked, key=lambda item: -item[0])
