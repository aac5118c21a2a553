"""doubts: what a reviewer should look at, in the order that saves most time (issue of R-023, R-024).

Pure. A question is worth its chance of being an error times the harm of that error, for each second it takes to
look. A wrong 密级 or 份号 harms the register more than a wrong word of the body; a crop beside a value takes a few
seconds, a whole page takes long. A list ordered by that quotient catches the most harm in any stretch of time that
the reviewer has (the greedy order of a fractional knapsack).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from ..models.doubt import DoubtItem
from ..models.fields import FieldEvidence, OfficialFields
from ..models.page import Box, Line, Page, Transcript

WEAK_CHARACTER = 0.6
"""Characters below it are asked about. Measured on made-up scans: most of those below 0.5 are wrong, few above."""
WEAK_FIELD = 0.9
"""Fields whose evidence scores less are asked about even without a named doubt."""
MANY = 0.2
"""A page with more than this share of weak characters is one question, not many; `FEW` of them are still not."""
FEW = 8
MOST_SPANS = 12
"""Nor are more spans than this asked about on one page."""

_HARM = {
    "mark": 30.0, "serial": 12.0, "doc_number": 10.0, "date": 8.0, "title": 8.0, "organ": 6.0, "urgency": 6.0,
    "recipients": 4.0, "signer": 4.0, "copied_to": 3.0,
}  # fmt: skip
"""Errors of the body that one wrong field outweighs; 2 where nothing is said."""
_FIELD_HARM = 2.0
_CROP_SECONDS = 3.0
_CHARACTER_SECONDS = 0.12
"""Comparing one character of a value with its crop."""
_PAGE_SECONDS = 20.0
_DOUBT_CHANCE = {
    "engines_disagree": 0.5, "two_candidates": 0.4, "impossible_date": 0.9, "number_out_of_range": 0.6,
    "covered_by_seal": 0.25, "repaired": 0.1, "low_confidence": 0.3,
}  # fmt: skip
"""Chance that a field with such a doubt is wrong; 0.2 for others. Only their order matters."""
_OTHER_CHANCE = 0.2
_PAGE_CODES = frozenset(
    {
        "ocr_page_timeout", "ocr_page_failed", "page_not_drawn", "page_out_of_memory", "low_confidence_page",
        "no_text_found", "text_layer_differs",
    }
)  # fmt: skip
_UNREAD_SECONDS = 5.0


def list_doubts(transcript: Transcript, fields: OfficialFields) -> tuple[DoubtItem, ...]:
    """Every question about this paper, the one worth most a second first; ties in the order of the paper.

    Args:
        transcript: what was read; its findings name pages that were not read, or badly.
        fields: with their evidence.
    """
    asked = (*_fields(fields), *_pages(transcript))
    return tuple(sorted(asked, key=lambda item: (-item.gain, item.page, item.box.top if item.box else 0.0)))


def _fields(fields: OfficialFields) -> Iterator[DoubtItem]:
    for item in fields.evidence:
        chance = _chance(item)
        if chance is None:
            continue
        seconds = _CROP_SECONDS + _CHARACTER_SECONDS * len(item.value)
        yield DoubtItem(
            what="field", name=item.name, page=item.page, box=item.box, text=item.value, score=item.score,
            alternatives=item.alternatives, reasons=item.doubt or ("low_confidence",),
            gain=_rounded(chance * _HARM.get(item.name, _FIELD_HARM) / seconds),
        )  # fmt: skip


def _chance(item: FieldEvidence) -> float | None:
    """That the value is wrong; None when there is nothing to ask."""
    if not item.doubt and item.score >= WEAK_FIELD:
        return None
    right = item.score
    for code in item.doubt:
        right *= 1 - _DOUBT_CHANCE.get(code, _OTHER_CHANCE)
    return 1 - right


def _pages(transcript: Transcript) -> Iterator[DoubtItem]:
    by_page: dict[int, list[str]] = {}
    for finding in transcript.findings:
        if finding.code in _PAGE_CODES and finding.page is not None:
            by_page.setdefault(finding.page, []).append(finding.code)
    for page in transcript.pages:
        spans = list(_spans(page))
        reasons = by_page.get(page.number, [])
        weak, count = sum(len(span.text) for span in spans), sum(len(line.text) for line in page.lines)
        if weak > max(FEW, MANY * count) or len(spans) > MOST_SPANS:
            reasons.append("many_weak_characters")
        if reasons:
            yield _page(page, tuple(dict.fromkeys(reasons)), weak=weak, count=count)
        else:
            yield from spans
        for place in page.unread:
            yield DoubtItem(
                what="unread", page=page.number, box=place.box, text="", score=0.0,
                reasons=(f"unread_{place.why}",), gain=_rounded(1 / _UNREAD_SECONDS),
            )  # fmt: skip


def _page(page: Page, reasons: tuple[str, ...], *, weak: int, count: int) -> DoubtItem:
    """A page as one question; one that gave no text may hide a whole paper's worth of errors."""
    errors = max(1.0, weak * (1 - page.confidence)) if count else _PAGE_SECONDS
    seconds = _PAGE_SECONDS + _CHARACTER_SECONDS * count
    return DoubtItem(
        what="page", page=page.number, text="", score=page.confidence, reasons=reasons,
        gain=_rounded(errors / seconds),
    )  # fmt: skip


def _spans(page: Page) -> Iterator[DoubtItem]:
    """Runs of weak characters, each with the part of its line's box where it stands."""
    for line in page.lines:
        if len(line.characters) != len(line.text) or line.role == "page_number":
            continue
        place = 0
        for weak, run in groupby(line.characters, lambda score: score < WEAK_CHARACTER):
            scores = list(run)
            start, place = place, place + len(scores)
            if weak and line.text[start:place].strip():
                yield _span(page, line, start, place, scores)


def _span(page: Page, line: Line, start: int, end: int, scores: list[float]) -> DoubtItem:
    return DoubtItem(
        what="text", page=page.number, box=part_of(line, start, end), text=line.text[start:end],
        score=round(min(scores), 4), reasons=("weak_characters",),
        gain=_rounded(sum(1 - score for score in scores) / (_CROP_SECONDS + _CHARACTER_SECONDS * len(scores))),
    )  # fmt: skip


def part_of(line: Line, start: int, end: int) -> Box:
    """Where the characters from `start` to `end` of a line stand: half-width ones take half the place."""
    widths = [1 if character.isascii() else 2 for character in line.text]
    whole = max(1, sum(widths))
    before, after = sum(widths[:start]) / whole, sum(widths[:end]) / whole
    box = line.box
    if line.vertical:
        height = box.bottom - box.top
        return Box(box.left, box.top + before * height, box.right, box.top + after * height)
    width = box.right - box.left
    return Box(box.left + before * width, box.top, box.left + after * width, box.bottom)


def _rounded(value: float) -> float:
    return round(value, 4)
