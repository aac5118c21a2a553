"""Does a page's own text say what the page shows? A few lines are read from the picture and compared.

Threat model: a file is made to be registered as something else than a reader sees: its fonts map the shapes of 机密 to
the characters of 公开, or its text was replaced under the drawing. The text alone looks sound (`formats/soundness.py`
judges that). So the lines that decide most are cut from the drawn page and read by the engine; where they say
something else, the page is read like a scan. Where pictures are on the pages, text and drawing may have come from two
hands: more lines of the first page are compared then, and a few of one further page, which nobody sees from outside.
A sample: a single changed word in a long line is not noticed, nor what stands on the pages left out; and whoever has
this program can work out which they are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from ..common.letters import letters
from ..formats.fault import FormatFault
from ..formats.opened import OpenedDocument, Picture, Sheet, WithPictures
from ..models.page import Line
from .engines.engine import Engine, EngineFault
from .engines.rapid import RapidEngine
from .fields_mark import is_secret_mark
from .fields_number import is_number
from .fields_text import tight
from .sheet import PICTURED, Whole, sheet_of

DPI = 120
"""Type of 5 mm is then 24 pixels high, half of what the recogniser sees it at: enough to tell, not to transcribe."""
MOST_LINES = 3
"""Lines compared of a page that is drawn from its text alone …"""
MOST_KEY_LINES = 6
"""… of a first page with pictures: number, mark, date and addressee are among them …"""
FURTHER_LINES = 2
"""… and of one further page with pictures."""
_LEAST_CHARACTERS = 3
_LIKE = 0.3
"""Share of characters that agree in a sound line; under a seal 0.36 was seen, else 0.8 and above. A map that lies about
Han characters leaves digits alone: then a line without them tells."""
_SURE = 0.8
"""Confidence below which what was read from the picture is no testimony."""
_SECONDS = 5.0
_MARGIN = 0.25
_DATE = re.compile(r"(?:\d{4}|[一二三四五六七八九〇○零]{4})年.{1,3}月.{1,3}日")
_ADDRESSEE = re.compile(r"[^。；;]{3,60}[:：]")


@dataclass(frozen=True, slots=True)
class Difference:
    """A line whose picture says something else; `likeness` is 0..1."""

    line: Line
    likeness: float


def says_otherwise(opened: OpenedDocument, number: int, lines: tuple[Line, ...]) -> Difference | None:
    """Whether the picture of page `number` (from 1) says something else than its own text `lines`.

    The first page is looked at, for it bears the head, and a font that lies lies everywhere; one further page where
    large pictures are on it. The quick engine looks; what it finds different, the exact one confirms. None also when
    no engine is there that reads single lines fast: then the text stands as it is.

    Raises:
        FormatFault: the page cannot be drawn.
    """
    quick, exact = RapidEngine("fast"), RapidEngine()
    chosen = _sample(opened, number, lines) if exact.available() else []
    if not chosen:
        return None
    sheet = sheet_of(opened, number, DPI)
    for engine in (quick, exact) if quick.available() else (exact,):
        found = find_difference(sheet, chosen, engine=engine)
        if found is None:
            return None
    return found


def _sample(opened: OpenedDocument, number: int, lines: tuple[Line, ...]) -> list[Line]:
    """The lines of a page that are compared; none of a page that is left out."""
    if number == 1:
        return deciding(lines, most=MOST_KEY_LINES if _is_pictured(opened, 1) else MOST_LINES)
    if not _is_pictured(opened, number):
        return []
    seed = _seed(opened)
    if number != 2 + seed % (opened.page_count - 1):
        return []
    fit = _fit(lines)
    if not fit:
        return []
    most_digits = max(fit, key=_digits)
    return list(dict.fromkeys((fit[seed // opened.page_count % len(fit)], most_digits)))[:FURTHER_LINES]


def _is_pictured(opened: OpenedDocument, number: int) -> bool:
    return isinstance(opened, WithPictures) and opened.picture_share(number) >= PICTURED


def _seed(opened: OpenedDocument) -> int:
    """A number that the document's first page gives: the same in every worker that reads some of its pages."""
    try:
        lines = opened.text_lines(1) or ()
    except FormatFault:  # said where that page is read
        lines = ()
    digest = hashlib.sha256("\n".join(line.text for line in lines).encode("utf-8", "surrogatepass"))
    return int.from_bytes(digest.digest()[:8], "big")


def find_difference(picture: Picture | Sheet, lines: Iterable[Line], *, engine: Engine) -> Difference | None:
    """The first of the lines that differs from the picture; None when all agree or cannot be told.

    Args:
        picture: the page as drawn, height x width x 3, RGB, best at `DPI`.
        lines: of the page's own text, with boxes in fractions of the page.
        engine: reads the strips; what it is not sure of counts as agreement.
    """
    sheet = Whole(picture) if isinstance(picture, np.ndarray) else picture
    for line in lines:
        strip = _strip(sheet, line)
        if strip is None:
            continue
        try:
            seen = engine.read_strip(strip, seconds=_SECONDS)
        except EngineFault:
            continue
        if seen is None or seen.confidence < _SURE or len(letters(seen.text)) < _LEAST_CHARACTERS:
            continue
        likeness = _likeness(letters(line.text), letters(seen.text))
        if likeness < _LIKE:
            return Difference(line, round(likeness, 2))
    return None


def deciding(lines: Iterable[Line], *, most: int = MOST_LINES) -> list[Line]:
    """The lines that decide most: the topmost, the one with most digits above the middle, the largest, the longest;
    then number, mark, date and addressee by their form."""
    fit = _fit(lines)
    if not fit:
        return []
    longest = max(fit, key=lambda line: len(line.text))
    upper = [line for line in fit if line.box.top < 0.5] or fit
    wanted: Iterable[Line] = (
        min(fit, key=lambda line: line.box.top),
        max(upper, key=_digits),
        max(fit, key=lambda line: (line.size_mm or 0.0, len(line.text))),
        *(_key_lines(fit) if most > MOST_LINES else ()),
        longest,
    )
    return list(dict.fromkeys(wanted))[:most]


def _key_lines(fit: list[Line]) -> Iterator[Line]:
    """The first line of each form that a key field has."""
    texts = [(line, tight(line.text)) for line in fit]
    for is_one in (is_number, is_secret_mark, _DATE.fullmatch, _ADDRESSEE.fullmatch):
        yield from [line for line, text in texts if is_one(text)][:1]


def _fit(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if not line.vertical and len(letters(line.text)) >= _LEAST_CHARACTERS]


def _digits(line: Line) -> int:
    return sum(character.isdigit() for character in line.text)


def _strip(sheet: Sheet, line: Line) -> Picture | None:
    height, width = sheet.shape
    box = line.box
    extra = _MARGIN * (box.bottom - box.top) * height
    top, bottom = max(0, int(box.top * height - extra)), min(height, int(box.bottom * height + extra) + 1)
    left, right = max(0, int(box.left * width - extra)), min(width, int(box.right * width + extra) + 1)
    if min(bottom - top, right - left) < 4:
        return None
    return np.ascontiguousarray(sheet.cut(top, bottom, left, right))


def _likeness(told: str, seen: str) -> float:
    """Share of characters that agree place by place, with one gap allowed anywhere.

    Not a longest common subsequence: a character map shifted by one keeps nearly all of that.
    """
    fewest = min(len(told), len(seen))
    ahead = [0, *accumulate(map(str.__eq__, told, seen))]
    back = [0, *accumulate(map(str.__eq__, told[::-1], seen[::-1]))]
    return max(ahead[split] + back[fewest - split] for split in range(fewest + 1)) / max(len(told), len(seen))
