"""How near a reading comes to the truth: characters (`cer`) and fields (`fields_exact`).

The measure for characters: NFKC, no white space, edit distance over the characters of the truth, page by page (the
documents as a whole where their numbers of pages differ). `raw` counts everything printed; `ex` leaves out, on both
sides, page numbers, lines with tick boxes and the words of the receiving stamp. 样张 in the margins counts in neither.

Order: lines are compared in reading order, with two allowances. Texts without a place in that order (stamp, page
number, tick boxes, the 文件 beside joint letterheads) are looked for anywhere and taken out before the rest is
compared; ends of one row (`number　签发人：…`) may come either way round. Nothing else may move.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..common.letters import squeezed
from ..models.fields import OfficialFields
from ..models.mark import Mark
from .marks import PUBLIC_NOTE
from .paper import STAMP

Verdict = Literal["right", "wrong", "missing", "false"]
"""`missing`: the paper says it, the reading does not; `false`: the other way round."""

_DASH = "—\\-–―−一~_.·•=ー"
_PAGE_NUMBER = re.compile(rf"[{_DASH}]{{0,4}}[\dIl|OoZ]{{1,4}}[{_DASH}]{{0,4}}")
_MARGIN = re.compile("".join(f"(?:{part})?" for part in STAMP.split("　")))
"""What is left of a line in the margin, at the head or the foot of a page."""
_NEAR = 0.5
"""A text counts as found where at most this part of it is wrong; otherwise it is missing."""
_SHORT = 4
"""Shorter texts must be found as they are, or chance would find them anywhere."""
_MOST_PLACES = 6
_LONG = 4000
"""Of longer readings the first best place is taken: weighing each would take seconds."""


@dataclass(frozen=True, slots=True)
class PageTruth:
    """What a perfect reader finds on one page. `lines` are in reading order, ends of a row divided by `　`."""

    lines: tuple[str, ...]
    loose: tuple[str, ...] = ()
    """Counts in both measures, stands anywhere."""
    left_out: tuple[str, ...] = ()
    """Counts in `raw` alone: words of the receiving stamp, lines with tick boxes."""
    page_number: str | None = None
    """As printed, `— 3 —`; counts in `raw` alone."""


@dataclass(frozen=True, slots=True)
class Score:
    """Edit operations and characters of the truth, so that scores add up; `raw` and `ex` are parts of one."""

    raw_errors: int = 0
    raw_characters: int = 0
    ex_errors: int = 0
    characters: int = 0
    """Of the truth, as `ex` counts them."""

    @property
    def raw(self) -> float:
        """Character error rate with everything printed."""
        return self.raw_errors / max(1, self.raw_characters)

    @property
    def ex(self) -> float:
        """Character error rate by the measure that leaves out stamps, tick boxes and page numbers."""
        return self.ex_errors / max(1, self.characters)

    def __add__(self, other: Score) -> Score:
        return Score(
            self.raw_errors + other.raw_errors, self.raw_characters + other.raw_characters,
            self.ex_errors + other.ex_errors, self.characters + other.characters,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldScore:
    """Verdicts by field; a field that neither side has is in none of them."""

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Fields that the truth or the reading has."""
        return len(self.verdicts)

    @property
    def right(self) -> int:
        """How many of them agree."""
        return sum(verdict == "right" for verdict in self.verdicts.values())


def plain(text: str) -> str:
    """NFKC without white space."""
    return squeezed(text)


def cer(truth_pages: Sequence[PageTruth | str], read_pages: Sequence[Any]) -> Score:
    """Scores a document.

    Args:
        truth_pages: one for each page; a string means lines alone.
        read_pages: strings, or `models.page.Page`, or whatever has a `text`.
    """
    truths = [PageTruth(tuple(page.split("\n"))) if isinstance(page, str) else page for page in truth_pages]
    reads = [page if isinstance(page, str) else str(page.text) for page in read_pages]
    if len(truths) == len(reads):
        return sum((_page(*pair) for pair in zip(truths, reads, strict=True)), Score())
    numbers = [truth.page_number for truth in truths if truth.page_number]
    joined = PageTruth(
        lines=tuple(line for truth in truths for line in truth.lines),
        loose=tuple(text for truth in truths for text in truth.loose),
        left_out=tuple(text for truth in truths for text in truth.left_out),
    )
    return _page(joined, "\n".join(reads), numbers)


def distance(one: str, other: str) -> int:
    """Levenshtein distance; rows are vectors, so ten thousand characters against as many take half a second."""
    cut = _same(one, other)
    one, other = one[cut:], other[cut:]
    cut = _same(one[::-1], other[::-1])
    one, other = one[: len(one) - cut], other[: len(other) - cut]
    one, other = (one, other) if len(one) < len(other) else (other, one)
    return int(_table(one, other, np.arange(len(other) + 1))[-1])


def _same(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _table(down: str, across: str, first: NDArray[np.int64]) -> NDArray[np.int64]:
    """The last row of the edit table whose first row is given."""
    row, letters = first, np.array([ord(char) for char in across], dtype=np.int64)
    steps = np.arange(len(across) + 1)
    for char in down:
        best = row + 1
        best[1:] = np.minimum(best[1:], row[:-1] + (letters != ord(char)))
        row = np.minimum.accumulate(best - steps) + steps
    return row


def _find(text: str, where: str) -> tuple[int, int, int] | None:
    """(errors, start, end) of the place most like `text`; None when nothing is near enough."""
    return next(iter(_places(text, where)), None)


def _places(text: str, where: str) -> list[tuple[int, int, int]]:
    """The place most like `text`, in all its widths that are alike: whether a misread character at its ends is part
    of it or stands beside it, the text alone does not tell. The narrowest first."""
    at = where.find(text)
    if at >= 0:
        return [(0, at, at + len(text))]
    if len(text) < _SHORT or not where:
        return []
    ends = _table(text, where, np.zeros(len(where) + 1, dtype=np.int64))
    first = int(ends.argmin())
    errors = int(ends[first])
    if errors > _NEAR * len(text):
        return []
    found = []
    for end in range(first, min(first + errors, len(where)) + 1):
        if ends[end] != errors:
            break
        before = where[:end][::-1]
        starts = _table(text[::-1], before, np.arange(len(before) + 1))
        alike = np.flatnonzero(starts == errors)
        found += [(errors, end - int(wide), end) for wide in dict.fromkeys((alike[0], alike[-1]))]
    return found


def _page(truth: PageTruth, read: str, numbers: Sequence[str] | None = None) -> Score:
    lines = [line for line in map(plain, read.split("\n")) if line]
    outside = 0
    printed = numbers if numbers is not None else [truth.page_number] if truth.page_number else []
    for number in map(plain, printed):
        outside += _take_number(lines, number)
    for edge in (0, -1):
        if lines and _MARGIN.fullmatch(lines[edge]):
            lines.pop(edge)
    text = "".join(lines)
    whole = "".join(_turned(line, text) for line in truth.lines)
    for words in (STAMP, STAMP):
        _, text = _take(plain(words), text, whole)
    for words in truth.left_out:
        errors, text = _take(plain(words), text, whole)
        outside += errors
    inside = 0
    for words in truth.loose:
        errors, text = _take(plain(words), text, whole)
        inside += errors
    whole = "".join(_turned(line, text) for line in truth.lines)
    inside += distance(whole, text)
    characters = len(whole) + sum(len(plain(words)) for words in truth.loose)
    extra = sum(len(plain(words)) for words in (*truth.left_out, *printed))
    return Score(inside + outside, characters + extra, inside, characters)


def _take(words: str, text: str, whole: str) -> tuple[int, str]:
    """Errors of a text that stands anywhere, and what is left without it.

    Taken is what leaves the fewest errors in all. Where the words were not read, the same words of `whole` are no
    substitute: what is taken from there would be missing there. Where both come to the same, the words are those of
    `whole`, unless they stand just so at the head of the page, where stamps stand.
    """
    found = _everywhere(words, text)
    if len(text) > _LONG:
        found = found[:1]
        missing = math.inf
    else:
        missing = len(words) + distance(whole, text)
    best, errors, rest = missing, len(words), text
    for wrong, start, end in found:
        left = text[:start] + text[end:]
        total = wrong + (distance(whole, left) if len(text) <= _LONG else 0)
        headed = total == missing and wrong == 0 and start < len(words)
        if total < best or (headed and best == missing):
            best, errors, rest = total, wrong, left
    return errors, rest


def _everywhere(words: str, text: str) -> list[tuple[int, int, int]]:
    """The places of `words`, the best first: a stamp may be read worse than the same words elsewhere."""
    found: list[tuple[int, int, int]] = []
    while words and len(found) < _MOST_PLACES and (places := _places(words, text)):
        found += places
        _, start, end = places[0]
        text = text[:start] + "\0" * (end - start) + text[end:]
    return found


def _take_number(lines: list[str], number: str) -> int:
    """Takes the printed page number out of `lines`: the last line like one, the right digits first."""
    digits = re.sub(r"\D", "", number)
    like = [i for i, line in enumerate(lines) if _PAGE_NUMBER.fullmatch(line)]
    if not like:
        return len(number)
    same = [i for i in like if re.sub(r"\D", "", lines[i]) == digits]
    return distance(number, lines.pop((same or like)[-1]))


def _turned(line: str, text: str) -> str:
    """The line as the reading has it: its ends may come in the other order."""
    ends = [plain(end) for end in line.split("　") if plain(end)]
    if len(ends) == 2:
        first, second = (_find(end, text) for end in ends)
        if first and second and second[2] <= first[1] and second[2] + _SHORT >= first[1]:
            ends.reverse()
    return "".join(ends)


# ---------------------------------------------------------------- fields

_SEPARATORS = re.compile(r"[,、;:。.\s]")
_SIGNS = re.compile(r"[▲△·]")
_NUMBERING = re.compile(r"^(?:附件)?\d{0,2}[.、:]?")
_LISTS = ("serials", "organs", "signers", "recipients", "copied_to", "attachments")
_TEXTS = ("urgency", "doc_number", "title", "kind", "note")
_DATES = ("signed_date", "printed_date")
_FLAGS = ("public_note", "old_declassified")
FIELDS: tuple[str, ...] = ("mark", *_LISTS, *_TEXTS, *_DATES, "print_count", *_FLAGS)
"""The fields that are compared, by their names in `OfficialFields`."""


def fields_exact(truth_fields: Mapping[str, Any], read: OfficialFields) -> FieldScore:
    """Compares every field of `FIELDS` with the truth (`fields` of `truth.json`).

    Allowed to differ: width of characters, white space, separators between the entries of a list, brackets around
    a note, numbering before the name of an attachment, the sign between 商密 and its period, 公司 before a company's
    level. Lists compare in their order. A mark compares by level, star, owner and period as understood; one that
    says 此件公开发布 counts as `public_note`. 发文字号 must have its own brackets 〔〕.
    """
    verdicts: dict[str, Verdict] = {}
    for name in FIELDS:
        true, seen = _comparable(name, truth_fields.get(name)), _comparable(name, getattr(read, name))
        if true or seen:
            verdicts[name] = _verdict(true, seen)
    return FieldScore(verdicts)


def _verdict(true: str, seen: str) -> Verdict:
    if not seen:
        return "missing"
    if not true:
        return "false"
    return "right" if true == seen else "wrong"


def _comparable(name: str, value: Any) -> str:
    if not value:
        return ""
    if name == "mark":
        words = plain(value if isinstance(value, str) else _rebuilt(value))
        return "" if words == plain(PUBLIC_NOTE) else _SIGNS.sub("", words).removeprefix("公司")
    if name in _LISTS:
        cut = _NUMBERING if name == "attachments" else _SEPARATORS
        return "|".join(_SEPARATORS.sub("", cut.sub("", plain(str(entry)))) for entry in value)
    if name == "note":
        return plain(str(value)).strip("()")
    if name == "kind":
        return str(value).replace("命令(令)", "令").replace("命令", "令")
    return plain(value.isoformat() if hasattr(value, "isoformat") else str(value))


def _rebuilt(mark: Mark) -> str:
    """The mark as it prints when it was understood."""
    words = mark.wording or mark.level.value
    return f"{mark.owner or ''}{words}{'★' if mark.star else ''}{mark.period or ''}"
