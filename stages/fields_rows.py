"""The rows of a paper without what is not the paper's own: running heads, fax lines, receiving stamps, 样张.

GB/T 9704-2012 §5.2: the text area begins 37 mm below the upper edge and ends 35 mm above the lower one; what stands
outside it in small type is furniture. Pieces of one line that came apart are put together again.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from ..models.page import Box, Line, Page, Transcript
from .fields_text import PAGE_NUMBER, Row, normal

MIDDLE = 0.5
"""Signatures stand in the right half (GB/T 9704-2012 7.3.5.1)."""
UPPER, LOWER = 0.085, 0.925
"""Text outside is a running head when it is small or comes again: 25 mm from the edge."""
WIDE_UPPER, WIDE_LOWER = 0.13, 0.88
"""Of pages with narrow margins, only what comes again at the same height counts as a running head."""
MOST = 2000
"""Characters of a line that are looked at: no field's line is longer, and patterns must not meet a hostile one."""
MARGIN_LEFT, MARGIN_RIGHT = 0.1, 0.885
"""Edges of the text area with a little room: 28 mm at the left, 26 mm at the right (§5.2.1)."""
SCRIBBLE = 4
"""Characters that a scribble in the margin is read as, at most."""
EXTREME = 0.05
"""15 mm from the edge stands nothing of a paper but what is large, as on a photo cut close."""
SMALL = 0.85
"""Type this much smaller than the body's."""
_FAX = re.compile(
    r"^(?=.*(?:\d{1,2}[:：]\d{2}|FAX|Fax|传真|TEL|发件人))(?=.*(?:P[.:]?\d|第\d+页|\d{1,3}/\d{1,3}|\d{7,}|FROM|From|TO:|传真))"
)
_WATERMARK = re.compile(
    r"^(?:样张|样本|副本|复印件|复印无效|草稿|作废|COPY|SAMPLE|DRAFT|VOID)$", re.IGNORECASE
)
_RECEIVED = re.compile(
    r"^.{0,24}收文(?:专用)?(?:章|戳)$|^收文(?:日期|时间|编号|登记|号|序号|字)?[:：]?(?:第?[\dA-Za-z〔〕\[\]\-]{1,16}号?)?$|"
    r"^收文.{0,4}第?\d{1,6}号$|^(?:收文|签收|收到)(?:日期|时间)?[:：]?(?:\d{2,4}[年./-]\d{1,2}[月./-]\d{1,2}日?)?$|"
    r"^(?:拟办意见|领导批示|批示|阅处|承办人|拟办|传阅)[:：]?$|^\d{4}[年.]\d{1,2}[月.]\d{1,2}日?[收到]{1,2}$"
)
_OWN_HEAD = re.compile(r"^附[件录表]|^第.{1,3}[章条]|^(?:抄送|主送|主题词)|印发$")
_SYMBOL = re.compile(r"[●•○◯■□◆◇▪·.,'`~|/\\*_—-]{1,3}")
_TICKS = re.compile(r"^(?:[^□☐☑☒]{0,6}[□☐☑☒√✓][^□☐☑☒√✓]{0,6}){1,6}$")
_STRONG = re.compile(
    r"^\d{6}(?!\d)|[绝机秘]密|商密|^特急|^加急|^特提|〔\d{4}〕|文件$|印发$|^抄送|^附件\d{0,2}$|^主送|^共印|关于.+的"
)


def paper_rows(transcript: Transcript) -> tuple[Row, ...]:
    """The rows that may bear a field, numbered in reading order. An empty transcript gives none."""
    upright = tuple(_upright(page) for page in transcript.pages)
    running = _running(upright)
    found: list[Row] = []
    size = _body_size(upright)
    for page, turns in zip(upright, map(turns_of, transcript.pages), strict=True):
        own = [_inside(line) for line in page.lines if _is_own(line, size, running)]
        lines = _together([line for line in own if line is not None])
        stamped = _stamped(lines, size)
        for place, line in enumerate(lines):
            text = normal(line.text[:MOST])
            tight = text.replace(" ", "")
            if tight and place not in stamped:
                where = turned(line.box, -turns) if turns else None
                found.append(Row(len(found), page.number, line, text, tight, where))
    return tuple(found)


def turns_of(page: Page) -> int:
    """How often the page must be turned a quarter against the clock for its rows to run to the right, 0 to 3."""
    turns = round(page.direction / 90) % 4
    if turns:
        return turns
    long = [line for line in page.lines if len(line.text) > 6 and not line.vertical]
    tall = [
        line for line in long
        if (line.box.bottom - line.box.top) * page.height_mm > 2 * (line.box.right - line.box.left) * page.width_mm
    ]  # fmt: skip
    if len(tall) <= len(long) / 2:
        return 0
    # rows that run down follow one another to the left, rows that run up to the right
    return 1 if tall[0].box.left >= tall[-1].box.left else 3


def turned(box: Box, turns: int) -> Box:
    """The box after quarter turns against the clock; minus turns go back."""
    for _ in range(turns % 4):
        box = Box(box.top, 1 - box.right, box.bottom, 1 - box.left)
    return box


def _upright(page: Page) -> Page:
    turns = turns_of(page)
    if not turns:
        return page
    lines = tuple(
        replace(line, box=turned(line.box, turns), parts=tuple(turned(part, turns) for part in line.parts))
        for line in page.lines
    )
    return replace(page, lines=lines)


def _is_own(line: Line, size: float | None, running: frozenset[str]) -> bool:
    if line.role in ("header", "footer", "page_number", "stamp"):
        return False
    text = normal(line.text[:MOST])
    bare = text.replace(" ", "")
    if not bare or PAGE_NUMBER.match(bare) or _WATERMARK.match(bare):
        return False
    middle = (line.box.top + line.box.bottom) / 2
    if not WIDE_UPPER <= middle <= WIDE_LOWER and _pattern(bare) in running:
        return False
    if _TICKS.match(bare) and not WIDE_UPPER <= middle <= WIDE_LOWER:
        return False
    if UPPER <= middle <= LOWER:
        return True
    if _FAX.search(text):
        return False
    if _STRONG.search(bare) or size is None or line.size_mm is None:
        return True
    if not EXTREME <= middle <= 1 - EXTREME and line.size_mm < 1.2 * size:
        return bool(re.search(r"\d{4}年", bare))
    return line.size_mm >= SMALL * size


def _inside(line: Line) -> Line | None:
    """The line without what stands in the side margins: holes, staples, scribbles; None when nothing else is there."""
    text = line.text[:MOST]
    if line.box.left > MARGIN_RIGHT or line.box.right < MARGIN_LEFT:
        return line if len(text.strip()) > SCRIBBLE or _STRONG.search(normal(text).replace(" ", "")) else None
    words = re.split(r"\s{2,}", line.text)
    if len(words) < 2 or line.vertical:
        return line
    places = line.parts if len(line.parts) == len(words) else ()
    drop = {place for place, word in enumerate(words) if word and not _cleared(word, line.text)}
    first, last = words[0].strip(), words[-1].strip()
    outside = places[-1].left > MARGIN_RIGHT if places else line.box.right > 0.93
    if outside and len(last) <= SCRIBBLE and not _STRONG.search(last):
        drop.add(len(words) - 1)
    outside = places[0].right < MARGIN_LEFT if places else line.box.left < 0.08
    if first and (_SYMBOL.fullmatch(first) or (outside and len(first) <= 2 and not first.isdigit())):
        drop.add(0)
    keep = [place for place in range(len(words)) if place not in drop]
    if not drop or not any(words[place] for place in keep):
        return line if not drop else None
    box = line.box
    if places:
        box = Box(places[keep[0]].left, box.top, places[keep[-1]].right, box.bottom)
    return replace(line, text="  ".join(words[place] for place in keep), box=box, characters=(), parts=())


def _cleared(word: str, whole: str) -> str:
    """A run, or nothing when it is a seal's star or a word across the page."""
    star = word.strip() in ("★", "☆", "*", "✩") and not re.search(r"密|[年月期前]\s*$", whole)
    return "" if star or _WATERMARK.match(word.strip()) else word


def _pattern(text: str) -> str:
    return re.sub(r"\d+", "0", text)


def _running(pages: tuple[Page, ...]) -> frozenset[str]:
    """Texts that stand at the edge, at the same height, of more than one page; digits not compared."""
    if len(pages) < 2:
        return frozenset()
    seen: Counter[tuple[str, int]] = Counter()
    for page in pages:
        found = set()
        for line in page.lines:
            middle = (line.box.top + line.box.bottom) / 2
            text = _pattern(normal(line.text[:MOST]).replace(" ", ""))
            if text and not WIDE_UPPER <= middle <= WIDE_LOWER and not _OWN_HEAD.match(text):
                found.add((text, round(middle / 0.02)))
        seen.update(found)
    return frozenset(text for (text, _), count in seen.items() if count > 1)


def _body_size(pages: tuple[Page, ...]) -> float | None:
    """Height of the body's type in mm: the middle one, each line weighed by its length."""
    sizes = sorted(
        (line.size_mm, len(line.text))
        for page in pages
        for line in page.lines
        if line.size_mm and UPPER <= (line.box.top + line.box.bottom) / 2 <= LOWER
    )
    half = sum(count for _, count in sizes) / 2
    for size, count in sizes:
        half -= count
        if half <= 0:
            return size
    return None


def _stamped(lines: list[Line], size: float | None) -> frozenset[int]:
    """Lines of a receiving stamp: those that say so, and the short ones right above or below inside its width."""
    found = {
        place
        for place, line in enumerate(lines)
        if _RECEIVED.match(normal(line.text[:MOST]).replace(" ", ""))
    }
    says = [
        lines[place]
        for place in found
        if re.search("收文", normal(lines[place].text[:MOST]).replace(" ", ""))
    ]
    if says and any(one.box.right - one.box.left < 0.4 for one in says):
        for place, line in enumerate(lines):
            if any(_in_stamp(line, one, size) for one in says):
                found.add(place)
    return frozenset(found)


def _in_stamp(line: Line, says: Line, size: float | None) -> bool:
    """Whether a line stands in the stamp of the one that says 收文: close to it around one middle, and smaller than
    the body, in coloured ink, at the head of the page, or as large as that one where no signature stands."""
    box = says.box
    text, height = normal(line.text[:MOST]).replace(" ", ""), box.bottom - box.top
    if (
        box.right - box.left > 0.4
        or len(text) > 16
        or not re.search(r"\d{4}[年.\-/]\d|第\d+号|[室局办院司]$", text)
    ):
        return False
    near = line.box.top < box.bottom + 1.6 * height and box.top < line.box.bottom + 1.6 * height
    middle = (box.left + box.right) / 2
    alike = abs((line.box.left + line.box.right) / 2 - middle) < 0.04
    small = size is not None and line.size_mm is not None and line.size_mm < 0.95 * size
    same = bool(line.size_mm and says.size_mm and 0.75 < line.size_mm / says.size_mm < 1.33)
    apart = box.bottom < WIDE_UPPER or box.right < MIDDLE
    return (
        near
        and alike
        and (small or line.colour == "other" or line.box.bottom < WIDE_UPPER or (same and apart))
    )


def _together(lines: list[Line]) -> list[Line]:
    """Neighbouring pieces of one line as one line."""
    found: list[Line] = []
    for line in lines:
        if found and _torn(found[-1], line):
            before = found.pop()
            found.append(
                replace(
                    before,
                    text=before.text + line.text,
                    box=Box(
                        min(before.box.left, line.box.left), min(before.box.top, line.box.top),
                        max(before.box.right, line.box.right), max(before.box.bottom, line.box.bottom),
                    ),
                    confidence=min(before.confidence, line.confidence),
                    characters=before.characters + line.characters,
                    parts=(),
                )
            )  # fmt: skip
        else:
            found.append(line)
    return found


def _torn(one: Line, other: Line) -> bool:
    if one.role == "cell" or other.role == "cell" or one.vertical or other.vertical:
        return False
    height = min(one.box.bottom - one.box.top, other.box.bottom - other.box.top)
    shared = min(one.box.bottom, other.box.bottom) - max(one.box.top, other.box.top)
    if height <= 0 or shared < 0.7 * height:
        return False
    if one.size_mm and other.size_mm and not 0.8 < one.size_mm / other.size_mm < 1.25:
        return False
    # one character is about 0.7 as wide (in page widths) as it is high (in page heights) on upright A4
    gap = other.box.left - one.box.right
    return -0.2 * height < gap < 1.1 * height
