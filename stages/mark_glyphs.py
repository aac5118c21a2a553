"""Reads shifted glyphs of a suspect file against pages as they were, and says which copies' signs they show.

Threat model. The suspect file is hostile and opened under limits in a worker. What it may bring about at most is no
answer: a copy is named only when its signs, which nobody without the station's key knows, agree so well that of all
copies that were compared none does by chance with more than 10^-9 (`needed`), whatever is in the picture.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..formats.fault import FormatFault
from ..formats.opened import OpenedDocument
from ..models.copy import ReadMark
from ..watermark.glyph_pages import GlyphPage, halved
from ..watermark.glyphs import GlyphKey
from ..watermark.glyphs_read import Features, Leak, Plane, agreement, features, leak_of, measure, place
from .mark_channels import DPI, DRAWN, OWN_PIXELS

TRIES = 4
"""Pages as they were that are laid on one page of the suspect, at most."""
MOST_PAGES = 12
"""Pages of the suspect that are looked at."""
_FALSE = 1e-9
_SECOND = 1e-2
_FEWEST_TESTS = 1000
_ENOUGH, _PLAINLY = 12, 30
"""Points that must lie alike for a page to be tried; so many that no other page need be."""
_FEW_PAGES = 40
"""Up to so many pages are tried by all their points where the few that are kept do not find one."""
_HALF, _DOUBLE = np.diag([0.5, 0.5, 1.0]), np.diag([2.0, 2.0, 1.0])


@dataclass(frozen=True, slots=True)
class GlyphSet:
    """Pages that some copies share, as they were, and these copies' numbers."""

    pages: tuple[GlyphPage, ...]
    ids: tuple[int, ...]


@dataclass(slots=True)
class _Laid:
    """What was measured on the suspect's pages by one set's pages: (agreeing points, page as it was, shifts)."""

    by_page: dict[int, list[tuple[int, GlyphPage, NDArray[np.float32]]]] = field(default_factory=dict)


def tests_for(copies: int, pages: int) -> int:
    """How often copies are compared with pages of a suspect, at most."""
    return max(_FEWEST_TESTS, copies * (TRIES * min(pages, MOST_PAGES) + 1))


def needed(tests: float, false: float = _FALSE) -> float:
    """The least z at which the bound of a false answer, tests * exp(-z * z / 2), is `false`."""
    return math.sqrt(2 * math.log(tests / false))


def read_glyphs(
    opened: OpenedDocument, sets: Sequence[GlyphSet], key: GlyphKey, *, copies: int, end: float
) -> list[ReadMark]:
    """The copies whose signs the file shows, the surest first; `coded` when it is one alone.

    Args:
        copies: how many are compared with this file in all, in this call and others. end: `time.monotonic`.
    """
    laid = [_Laid() for _ in sets]
    numbers = range(1, min(opened.page_count, MOST_PAGES) + 1)
    for number in numbers:
        if time.monotonic() > end:
            break
        try:
            wanted = DPI if opened.kind in DRAWN else OWN_PIXELS
            leak = leak_of(opened.render(number, wanted))
        except FormatFault:
            continue
        for which, agree, page, shifts in _placed(leak, sets, end=end):
            laid[which].by_page.setdefault(number, []).append((agree, page, shifts))
    tests = tests_for(copies, opened.page_count)
    best: dict[int, tuple[float, int]] = {}
    for one, seen in zip(sets, laid, strict=True):
        for id in one.ids:
            z, number = _best(seen, key, id)
            best[id] = max((z, number), best.get(id, (0.0, 0)))
    sure = {id: found for id, found in best.items() if found[0] >= needed(tests)}
    second = sum(found[0] >= needed(tests, _SECOND) for found in best.values())
    return [
        ReadMark(
            page=number, channel="forensic", layer="glyphs", value=f"{id:012x}", score=round(z, 2), tests=tests,
            coded=len(sure) == 1 and second == 1,
        )
        for id, (z, number) in sorted(sure.items(), key=lambda item: -item[1][0])
    ]  # fmt: skip


def _best(laid: _Laid, key: GlyphKey, id: int) -> tuple[float, int]:
    """The best z of a copy, by each page laid on each page, and by all pages together; the page of the suspect."""
    zs = [
        (agreement([shifts], [key.signs(id, page.number, len(page.boxes))]), number)
        for number, found in laid.by_page.items()
        for _, page, shifts in found
    ]
    if len(laid.by_page) > 1:
        firsts = [(number, max(found, key=lambda item: item[0])) for number, found in laid.by_page.items()]
        signs = [key.signs(id, page.number, len(page.boxes)) for _, (_, page, _) in firsts]
        zs.append((agreement([shifts for _, (_, _, shifts) in firsts], signs), firsts[0][0]))
    return max(zs, default=(0.0, 0))


def _placed(
    leak: Leak, sets: Sequence[GlyphSet], *, end: float
) -> Iterable[tuple[int, int, GlyphPage, NDArray[np.float32]]]:
    """The pages that lie best on the picture: number of the set, agreeing points, page, shifts of its glyphs."""
    points = features(halved(leak.ink))
    pages = [(which, page) for which, one in enumerate(sets) for page in one.pages]
    ranked = _ranked(points, pages, end=end)
    if (not ranked or ranked[0][0] < _PLAINLY) and len(pages) <= _FEW_PAGES:
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
        measured = measure(leak, page.ink, page.boxes, matrix, page.per_mm)
        if measured.seen:
            yield which, agree, page, measured.shifts


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
