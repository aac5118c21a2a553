"""Headers, footers, page numbers and receiving stamps, told from the body over all pages of a document.

Nothing is taken out of the text: a line gets its role. What is a page number is written as such, with the dashes that
engines lose: the number is what was read, its confidence stays the reading's.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ..models.page import Box, Line, Page, Role, Transcript
from .fields_text import tight
from .page_printed import number_of

EDGE = 0.13
"""Page numbers, headers and footers stand in this share of the page at its head or foot."""
STRIP = 0.075
"""Repeated lines count as header or footer in this outermost share."""
MOST_PAGES = 2000
STAMP_REACH = 0.12
STAMP_GAP = 1.0
"""Free space, in heights of the lower line, between two lines of one stamp."""
WIDEST_STAMP = 0.4
_STAMP_INK = ("red", "other")
_DASH = r"—–―−‐\-一_~·"
_DASHED = re.compile(
    rf"[{_DASH}]{{1,3}}\s*(\d{{1,4}})\s*[{_DASH}]{{0,3}}|[{_DASH}]{{0,3}}\s*(\d{{1,4}})\s*[{_DASH}]{{1,3}}"
)
_PAGE_OF = re.compile(r"第\s*(\d{1,4})\s*[页頁](?:[，,/\s]*共\s*(\d{1,4})\s*[页頁])?")
_SLASH = re.compile(r"(\d{1,4})\s*/\s*(\d{1,4})")
_STAMP = re.compile(
    r"收文(?:日期|编号|号|章|专用章)|收\s*文\s*(?:日\s*期|编\s*号)|来文登记|收件(?:日期|编号|章)"
)
_MARK = re.compile("密|内部")
"""A mark printed on every page is read as a mark, wherever it stands."""
_STAMP_PART = re.compile(r"^(?:收文|收件|编号|日期|登记|办理|[第字号年月日\d\s.:：/-]+$)")


def assign_roles(transcript: Transcript) -> Transcript:
    """The transcript with roles, printed page numbers and totals; doing it again changes nothing."""
    repeated = _repeated(transcript.pages)
    bare = bare_numbers(transcript.pages)
    return replace(
        transcript,
        pages=tuple(_page(page, repeated, bare[index]) for index, page in enumerate(transcript.pages)),
    )


def _page(page: Page, repeated: frozenset[tuple[Role, str]], bare: Line | None) -> Page:
    number, total = page.printed_number, page.printed_total
    stamps = [line.box for line in page.lines if line.colour != "black" and _STAMP.search(line.text)]
    stamped = _stamped(page.lines)
    lines = []
    for line in page.lines:
        told = line
        if line.role in ("body", "page_number"):
            found = _number(line, page.direction)
            if found is None and line is bare:
                found = line.text, int(tight(line.text)), None
            if found is not None:
                text, seen, of = found
                told = replace(_rewritten(line, text), role="page_number")
                number, total = (seen, of) if number is None else (number, total)
            elif (edge := _edge(line, page.direction)) is not None and (edge, _key(line.text)) in repeated:
                told = replace(line, role=edge)
            elif line in stamped or _in_stamp(line, stamps):
                told = replace(line, role="stamp")
        lines.append(told)
    return replace(page, lines=tuple(lines), printed_number=number, printed_total=total)


def _down(box: Box, direction: float) -> tuple[float, float]:
    """From where to where a box reaches from the head of the page (0) to its foot (1), however the page lay."""
    match round(direction / 90) % 4:
        case 1:
            return 1 - box.right, 1 - box.left
        case 2:
            return 1 - box.bottom, 1 - box.top
        case 3:
            return box.left, box.right
        case _:
            return box.top, box.bottom


def _number(line: Line, direction: float) -> tuple[str, int, int | None] | None:
    """As it is printed, the number and the total; None where the line is no page number."""
    if EDGE < sum(_down(line.box, direction)) / 2 < 1 - EDGE or line.vertical:
        return None
    text = unicodedata.normalize("NFKC", line.text).strip()
    if dashed := _DASHED.fullmatch(text):
        digits = dashed[1] or dashed[2]
        return f"— {digits} —", int(digits), None
    if said := _PAGE_OF.fullmatch(text):
        return line.text, int(said[1]), int(said[2]) if said[2] else None
    if (of := _SLASH.fullmatch(text)) and 1 <= int(of[1]) <= int(of[2]) <= MOST_PAGES:
        return line.text, int(of[1]), int(of[2])
    other = number_of(text)
    return (line.text, *other) if other is not None and not tight(text).isdigit() else None


def bare_numbers(pages: Sequence[Page]) -> list[Line | None]:
    """Of each page the figure that stands alone at its foot or head, where such figures count the pages.

    They do when on two pages and more, and on half of those that have one at that height, they go on as the pages do:
    then the others are page numbers too, of pages in another order.
    """
    found = [_bare(page) for page in pages]
    told: list[Line | None] = [None] * len(pages)
    for foot in (True, False):
        own = [
            (index, line)
            for index, (line, down) in ((i, one) for i, one in enumerate(found) if one is not None)
            if (down > 0.5) == foot
        ]
        steps = Counter(int(tight(line.text)) - index for index, line in own)
        votes = max(steps.values(), default=0)
        if votes >= 2 and 2 * votes >= len(own):
            for index, line in own:
                told[index] = told[index] or line
    return told


def _bare(page: Page) -> tuple[Line, float] | None:
    """The figure that stands alone nearest to the foot, else to the head, and how far down it does."""
    best: tuple[Line, float] | None = None
    for line in page.lines:
        top, bottom = _down(line.box, page.direction)
        middle = (top + bottom) / 2
        if line.role not in ("body", "page_number") or EDGE < middle < 1 - EDGE:
            continue
        if not re.fullmatch(r"[1-9]\d{0,2}", tight(line.text)):
            continue
        beside = any(
            other is not line and upper < bottom and top < lower and tight(other.text)
            for other, (upper, lower) in ((one, _down(one.box, page.direction)) for one in page.lines)
        )
        if not beside and (best is None or middle > best[1]):
            best = line, middle
    return best


def _rewritten(line: Line, text: str) -> Line:
    if text == line.text:
        return line
    scores = (round(line.confidence, 2),) * len(text) if line.characters else ()
    return replace(line, text=text, characters=scores, parts=())


def _edge(line: Line, direction: float) -> Role | None:
    top, bottom = _down(line.box, direction)
    if bottom <= STRIP + 0.02 and top < STRIP:
        return "header"
    return "footer" if top >= 1 - STRIP - 0.02 and bottom > 1 - STRIP else None


def _repeated(pages: tuple[Page, ...]) -> frozenset[tuple[Role, str]]:
    """Lines that stand at the head or foot of most pages of two and more."""
    counts: Counter[tuple[Role, str]] = Counter()
    for page in pages:
        counts.update(
            (edge, _key(line.text))
            for line in {_key(line.text): line for line in page.lines}.values()
            if (edge := _edge(line, page.direction)) is not None
        )
    least = max(2, (len(pages) + 1) // 2)
    return frozenset(
        one for one, count in counts.items() if count >= least and one[1] and not _MARK.search(one[1])
    )


def _key(text: str) -> str:
    """The words without what changes from page to page."""
    return re.sub(r"[\W\d_]+", "", unicodedata.normalize("NFKC", text))


def _stamped(lines: tuple[Line, ...]) -> list[Line]:
    """The lines of receiving stamps in coloured ink: those of the same ink that stand close above or below one that
    says so, one after the other. The letterhead is larger and wider than a stamp beside it."""
    found = [line for line in lines if line.colour in _STAMP_INK and _STAMP.search(line.text)]
    left = [line for line in lines if line.colour in _STAMP_INK and line not in found]
    while near := [line for line in left if any(_stacked(line, one) for one in found)]:
        found += near
        left = [line for line in left if line not in near]
    return found


def _stacked(line: Line, other: Line) -> bool:
    """Two lines of one ink, of about one size, right above one another around one middle."""
    if line.colour != other.colour or line.vertical or _wide(line) > WIDEST_STAMP:
        return False
    high, of = line.box.bottom - line.box.top, other.box.bottom - other.box.top
    gap = max(line.box.top, other.box.top) - min(line.box.bottom, other.box.bottom)
    middle = abs(line.box.centre[0] - other.box.centre[0])
    return gap < STAMP_GAP * min(high, of) and max(high, of) < 2 * min(high, of) and middle < STAMP_REACH / 2


def _wide(line: Line) -> float:
    return line.box.right - line.box.left


def _in_stamp(line: Line, stamps: list[Box]) -> bool:
    if line.colour == "black" or not stamps:
        return False
    text = line.text.strip()
    return any(
        line.box == stamp
        or (
            _STAMP_PART.match(text) is not None
            and abs(line.box.centre[0] - stamp.centre[0]) < STAMP_REACH
            and abs(line.box.centre[1] - stamp.centre[1]) < STAMP_REACH / 2
        )
        for stamp in stamps
    )
