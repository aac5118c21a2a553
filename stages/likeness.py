"""Whether two transcripts are of one text: read twice, of another numbered original, or changed in between.

Pure. Two scans of one text differ by misread characters, here and there, one at a time; a new version differs by
words, or by a figure. Stamps, serials and page numbers are no part of the text. What cannot be told counts as changed:
then a person looks.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from ..common.letters import squeezed
from ..models.page import Box, Line, Page, Transcript
from .fields_text import is_organ
from .page_kind import NON_DOCUMENT

MOST_NOISE = 0.06
"""Share of characters that two readings of one page may differ in: bad scans are read with 1 % wrong, each."""
LONGEST_SLIP = 5
"""Characters in a row that are misread together at most; a word that was changed is hardly shorter than two, and then
a figure or several places tell."""
_GRAM = 8
_MOST = 200_000
_GAP = 4000
_TOP, _BOTTOM = 0.07, 0.93
"""Beyond them stand running heads and feet: the text begins 37 mm below the top and ends 35 mm above the bottom."""
_SIGNED = 36
_DATE = re.compile(r"(?:\d{4}|[一二〇○零三四五六七八九]{4})年.{1,3}月.{1,3}日")
_LEFT_OUT = frozenset({"page_number", "stamp", "header", "footer"})
_SERIAL = re.compile(r"(?:份号|No\.?|№)?:?\d{6}")
_STAMP = re.compile(r"收文(?:日期|编号|号|章)|签收|^收文|办文编号|来文登记")
_PAGE_NUMBER = re.compile(r"[—\-–―~·_]*\d{1,4}[—\-–―~·_]*|第\d+页(?:共\d+页)?")


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two texts are: `same`, or the share of equal characters and what kind of change speaks against it."""

    same: bool
    ratio: float
    why: str = ""
    """`figures`, `words`, `noise`, `other_text`; empty for the same text. Never words of the text."""


def compare(first: Transcript, second: Transcript) -> Likeness:
    """Compares two transcripts, each a whole document."""
    return compare_texts(plain_text(first.pages), plain_text(second.pages))


def plain_text(pages: Iterable[Page]) -> str:
    """The characters that count: Han, letters and figures after NFKC; no stamps, serials and page numbers."""
    return "".join(text for _, _, text in lines_that_count(pages))[:_MOST]


def lines_that_count(pages: Iterable[Page]) -> Iterable[tuple[Page, Line, str]]:
    """The lines of `plain_text`, each with its page and with what of it counts."""
    for page in pages:
        if page.kind in NON_DOCUMENT:
            continue
        for line in page.lines:
            text = squeezed(line.text)
            if not _is_left_out(page, line, text):
                yield page, line, "".join(char for char in text if char.isalnum())


def _is_left_out(page: Page, line: Line, text: str) -> bool:
    """Marginal lines, stamps, serials; and what stands under a seal or signs the paper, where scans differ most.

    Organ and date are fields: they are compared as such.
    """
    if line.role in _LEFT_OUT or _SERIAL.fullmatch(text) or _STAMP.search(text):
        return True
    if line.box.bottom < _TOP or line.box.top > _BOTTOM or (page.seal and _touches(line.box, page.seal)):
        return True
    if len(text) <= _SIGNED and (is_organ(text) or _DATE.fullmatch(text)):
        return True
    edge = line.box.top < 0.1 or line.box.bottom > 0.88
    return edge and _PAGE_NUMBER.fullmatch(text) is not None


def _touches(line: Box, seal: Box) -> bool:
    wide = min(line.right, seal.right) - max(line.left, seal.left)
    high = min(line.bottom, seal.bottom) - max(line.top, seal.top)
    return wide > 0 and high > 0


def compare_texts(first: str, second: str) -> Likeness:
    """As `compare`, of two plain texts."""
    if first == second:
        return Likeness(bool(first), 1.0, "" if first else "other_text")
    longer = max(len(first), len(second))
    if not first or not second or min(len(first), len(second)) < 0.5 * longer:
        return Likeness(False, 0.0, "other_text")
    likeness = _weigh(list(_changes(first, second)), longer)
    if likeness.same or longer > _GAP:
        return likeness
    # passages that come twice may be aligned with the wrong one of the two: a short text can be compared as a whole
    return max(likeness, _weigh(list(_fine(first, second)), longer), key=lambda one: (one.same, one.ratio))


def _weigh(changes: Sequence[tuple[str, str]], longer: int) -> Likeness:
    """What the changes of a text of so many characters amount to."""
    changed = sum(max(len(old), len(new)) for old, new in changes)
    ratio = max(0.0, 1 - changed / longer)
    if ratio < 0.5:
        return Likeness(False, ratio, "other_text")
    if any(_figures(old) != _figures(new) for old, new in changes):
        return Likeness(False, ratio, "figures")
    if any(max(len(old), len(new)) > LONGEST_SLIP for old, new in changes):
        return Likeness(False, ratio, "words")
    if 1 - ratio > MOST_NOISE:
        return Likeness(False, ratio, "noise")
    return Likeness(True, ratio)


def _figures(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _changes(first: str, second: str) -> Iterable[tuple[str, str]]:
    """What stands differently, piece by piece: aligned at passages that stand once in each, the rest compared whole."""
    at_first = at_second = 0
    for start, other in [*_anchors(first, second), (len(first), len(second))]:
        if start < at_first or other < at_second:
            continue
        yield from _fine(first[at_first:start], second[at_second:other])
        at_first, at_second = start + _GRAM, other + _GRAM


def _fine(old: str, new: str) -> Iterable[tuple[str, str]]:
    if old == new:
        return
    if not old or not new or max(len(old), len(new)) > _GAP:
        yield old, new
        return
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    blocks = [block for block in matcher.get_matching_blocks() if block.size >= 2 or block.size == 0]
    a = b = 0
    for block in blocks:
        if old[a : block.a] != new[b : block.b]:
            yield old[a : block.a], new[b : block.b]
        a, b = block.a + block.size, block.b + block.size


def _anchors(first: str, second: str) -> list[tuple[int, int]]:
    """Places of passages that stand exactly once in each text, in an order that both share (the longest)."""
    once = _once(first)
    pairs = sorted((once[gram], place) for gram, place in _once(second).items() if gram in once)
    return _rising(pairs)


def _once(text: str) -> dict[str, int]:
    grams = [text[place : place + _GRAM] for place in range(len(text) - _GRAM + 1)]
    counted = Counter(grams)
    return {gram: place for place, gram in enumerate(grams) if counted[gram] == 1}


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs in which both numbers rise."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, place) in enumerate(pairs):
        slot = bisect_left(tails, place)
        before.append(ends[slot - 1] if slot else -1)
        if slot == len(tails):
            tails.append(place)
            ends.append(index)
        else:
            tails[slot], ends[slot] = place, index
    chosen, index = [], ends[-1] if ends else -1
    while index >= 0:
        chosen.append(pairs[index])
        index = before[index]
    return chosen[::-1]
