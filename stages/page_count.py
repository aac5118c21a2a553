"""Printed page numbers against the pages seen: pages lost, doubled or out of order (double feed, turned sheets).

Numbers are read by a machine, so one that its neighbours contradict says nothing. What else is normal raises
nothing: a first page without a number (letters), blank backs, annexes that begin again at 1 or go on counting,
unnumbered pages at the end (版记页). GB/T 9704-2012 7.5: page numbers stand below the text, annexes bound in go on
counting, blank pages and a 版记 page behind one bear none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..models.page import Finding, Page
from .page_kind import NON_DOCUMENT
from .page_printed import printed_of

_SURE = 0.85
_MOST = 2000
_FAR = 5
_ALIKE = frozenset(
    map(frozenset, ("17", "38", "56", "68", "89", "08", "06", "27", "49", "35", "58", "09", "14"))
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A page: its place, blank ones counted or not, and what is printed on it."""

    page: int
    place: int
    number: int | None
    total: int | None
    sure: bool
    blank: bool


def document_pages(pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages of the document itself: no envelope, no list, no slip, and no blank back of one of these."""
    own: list[Page] = []
    foreign = False
    for page in pages:
        foreign = page.kind in NON_DOCUMENT or (foreign and page.kind == "blank")
        if not foreign:
            own.append(page)
    return tuple(own)


def check_pages(pages: Sequence[Page], *, declared: int | None = None) -> tuple[Finding, ...]:
    """What the page numbers of one document, and a number of pages declared for it, say about its pages.

    Args:
        pages: in the order they were scanned, with their kinds; envelopes and lists are passed over.
        declared: pages by the slip or the cover list.

    Returns:
        Findings; the detail gives printed numbers (`3、4`) or `declared/seen`, and no text of the document.
    """
    own = document_pages(pages)
    found = _count(own, declared)
    tries = [_Numbers(_look(own, blanks=blanks)) for blanks in (True, False)]
    best = min(tries, key=lambda numbers: (-numbers.agreement, len(numbers.findings)))
    return tuple(dict.fromkeys((*found, *best.findings, *best.totals())))


def _look(pages: Sequence[Page], *, blanks: bool) -> list[_Seen]:
    seen, place = [], 0
    for page in pages:
        blank = page.kind == "blank"
        number, total, confidence = (None, None, 0.0) if blank else printed_of(page)
        if number is not None and not 1 <= number <= min(_MOST, 40 * len(pages) + 300):
            number = None
        seen.append(_Seen(page.number, place, number, total, confidence >= _SURE, blank))
        place += blanks or not blank
    return seen


def _count(pages: Sequence[Page], declared: int | None) -> list[Finding]:
    """Pages against the number declared. Blank backs may have been counted or not: both are right."""
    if declared is None:
        return []
    inked = sum(page.kind != "blank" for page in pages)
    if declared in (inked, len(pages)):
        return []
    return [
        Finding("pages_missing" if len(pages) < declared else "pages_extra", detail=f"{declared}/{inked}")
    ]


class _Numbers:
    """The numbers of one document, gone through once; `starts` are the places where counting begins."""

    def __init__(self, seen: list[_Seen]) -> None:
        self._seen = seen
        items = [item for item in seen if item.number is not None]
        self.agreement = sum(_fits(before, after) for before, after in pairwise(items))
        """How many neighbours agree: tells whether blank pages were counted when the numbers were printed."""
        self._items = _without_misread(items)
        self.starts = [0]
        self.findings: list[Finding] = []
        if len(self._items) >= 2:
            self._walk()

    def _walk(self) -> None:
        items = self._items
        numbers = [_number(item) for item in items]
        if _odd_only(items):
            self._say("page_numbers_odd_only", items[0], numbers)
            return
        jumps = list(pairwise(items))
        for index, (before, after) in enumerate(jumps):
            step, span = _number(after) - _number(before), after.place - before.place
            if step == span or 0 < step < span:
                continue
            if step > span:
                self._gap(index, numbers)
            elif (start := after.place - _number(after) + 1) > before.place:
                self.starts.append(start)
            elif self._believed(index):
                again = _number(after) in numbers[: index + 1]
                self._say("page_number_repeated" if again else "page_order", after, [_number(after)])
        self._beginning(items)
        self._shuffled(items, numbers)

    def _believed(self, index: int) -> bool:
        """Whether a jump after the page `index` is more than a misread figure.

        It is when the pages on both sides agree with their own neighbours; a page that stands alone must be read
        surely, as a number that is not easily taken for the expected one, and not far off.
        """
        items = self._items
        before, after = items[index], items[index + 1]
        span = after.place - before.place
        left = index > 0 and _fits(items[index - 1], before)
        right = index + 2 < len(items) and _fits(after, items[index + 2])
        if left and right:
            return True
        alone, expected = (before, _number(after) - span) if right else (after, _number(before) + span)
        near = abs(_number(alone) - expected) <= _FAR
        return alone.sure and near and not _alike(str(alone.number), str(expected))

    def _gap(self, index: int, numbers: list[int]) -> None:
        before, after = self._items[index], self._items[index + 1]
        expected = _number(before) + after.place - before.place
        if not self._believed(index):
            return
        missing = [number for number in range(expected, _number(after)) if number not in numbers]
        if missing:
            self._say("page_number_gap", after, missing)
        else:
            self._say("page_order", after, [_number(after)])

    def _beginning(self, items: list[_Seen]) -> None:
        """Counting that begins above 1 with pages to prove it: the first ones were not scanned."""
        first = items[0]
        before = _number(first) - first.place - 1
        if before > 0 and len(items) > 1 and _fits(first, items[1]):
            self._say("page_number_gap", first, list(range(1, before + 1)))

    def _shuffled(self, items: list[_Seen], numbers: list[int]) -> None:
        """1 to n, each once, and not in order: sheets were turned or dropped."""
        whole = sorted(numbers) == list(range(min(numbers), max(numbers) + 1)) and min(numbers) <= 2
        if not whole or numbers == sorted(numbers) or not all(item.sure for item in items):
            return
        heads = [max(start for start in self.starts if start <= item.place) for item in items]
        if all(_number(item) - (item.place - head) <= 1 for item, head in zip(items, heads, strict=True)):
            return
        self.findings = []
        self._say("page_order", items[0], numbers)

    def totals(self) -> list[Finding]:
        """`共5页` against the pages there are, each count for itself, where its pages agree about the total."""
        found = []
        ends = [*self.starts[1:], self._seen[-1].place + 1 if self._seen else 0]
        for start, end in zip(self.starts, ends, strict=True):
            pages = [item for item in self._seen if start <= item.place < end]
            counted = Counter(item.total for item in pages if item.total is not None)
            if not counted:
                continue
            total, votes = counted.most_common(1)[0]
            said = [item for item in pages if item.total == total]
            highest = max((item.number for item in pages if item.number is not None), default=0)
            agreed = votes > 1 or (said[0].sure and len(counted) == 1)
            if total and agreed and (total > len(pages) or (votes > 1 and total < highest)):
                inked = sum(not item.blank for item in pages)
                found.append(Finding("page_total_differs", page=said[-1].page, detail=f"{total}/{inked}"))
        return found

    def _say(self, code: str, item: _Seen, numbers: list[int]) -> None:
        few = [str(number) for number in numbers[:12]] + (["…"] if len(numbers) > 12 else [])
        self.findings.append(Finding(code, page=item.page, detail="、".join(few)))


def _number(item: _Seen) -> int:
    return item.number or 0


def _fits(before: _Seen, after: _Seen) -> bool:
    return _number(after) - _number(before) == after.place - before.place


def _without_misread(items: list[_Seen]) -> list[_Seen]:
    """Without numbers whose neighbours on both sides agree with each other and not with them."""
    return [
        item
        for index, item in enumerate(items)
        if not (
            0 < index < len(items) - 1
            and _fits(items[index - 1], items[index + 1])
            and not _fits(items[index - 1], item)
        )
    ]


def _odd_only(items: list[_Seen]) -> bool:
    """1, 3, 5 on pages that follow one another: the backs were not scanned, or were blank and dropped."""
    return (
        len(items) >= 3
        and all(
            _number(after) - _number(before) == 2 * (after.place - before.place)
            for before, after in pairwise(items)
        )
        and all(_number(item) % 2 for item in items)
    )


def _alike(read: str, expected: str) -> bool:
    """Figures that are taken for one another, or one figure lost or gained."""
    if len(read) != len(expected):
        longer, shorter = sorted((read, expected), key=len, reverse=True)
        return len(longer) - len(shorter) == 1 and (longer.startswith(shorter) or longer.endswith(shorter))
    wrong = [frozenset(pair) for pair in zip(read, expected, strict=True) if pair[0] != pair[1]]
    return len(wrong) == 1 and wrong[0] in _ALIKE
