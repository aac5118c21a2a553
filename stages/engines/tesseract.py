"""Tesseract through pytesseract: each line of the page alone, in grey, at several sizes that vote.

Its own search for lines drops whole lines and reads rules as characters, so the lines are found here (`page_strips`).
A line alone is read wrong or dropped at one size and read right at another, and the program's confidence hardly tells
which: so each is read twice, where both differ a third time, and the readings vote (`agreement`). Figures are read by
the model for Latin letters, which the Chinese one reads worse. Stars, triangles and the dashes of page numbers, which
neither knows, are told by their shape (`strip_marks`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median_low
from time import monotonic

import cv2
import numpy as np

from ...formats.opened import Picture
from . import tesseract_program as program
from .agreement import NOTHING, Reading, agree
from .engine import EngineFault, RawLine
from .names import TESSERACT
from .page_strips import Box, Drawn, Grey, Lines, find_lines
from .strip_marks import between_dashes, cut_at_signs
from .tesseract_program import CHINESE, LATIN, Word, joined


@dataclass(frozen=True, slots=True)
class _Look:
    """A way to read a line: `height` of its type in pixels, white `around` it (below and above, at the sides)."""

    psm: int
    height: int
    around: tuple[int, int]
    language: str = CHINESE
    darker: bool = False
    """Whether greys are drawn darker: what a copier left of thin strokes is grey."""
    drawn: Drawn = "paper"
    """How a noisy page is drawn."""


PAGE = 3
"""Page segmentation by the program itself."""
FIRST = _Look(7, 32, (6, 10))
SECOND = _Look(13, 36, (8, 8))
THIRD = _Look(7, 40, (4, 8))
FIGURES = _Look(7, 36, (8, 8), LATIN), _Look(7, 30, (12, 16), LATIN)
"""A text line as the program cuts it (7), and the strip as it is (13), of which it drops nothing. Measured over 400
strips: 3.2, 3.6 and 3.7 % of the characters wrong alone, 2.3 % the first two together, 2.15 % all three."""
OF_NOISY: tuple[Drawn, Drawn, Drawn, Drawn] = "soft", "stark", "paper", "stark"
"""How the looks draw a noisy page, figures last. Measured over 137 strips of dark pages, characters wrong: 2.4 % the
three together, 3.0 % all of the page as it is (alone 3.1, 3.0 and 3.5 %; as it is 4.5, 9.6 and 3.5 %)."""
CLEAR = 0.8
"""A line that two readings say alike, each character at least so sure, is not read a third time."""
HOPELESS = 0.4
"""A page whose first readings are no surer lies otherwise or is no text: nothing is gained by reading on."""
MOSTLY_FIGURES = 0.5
FIGURES_SURE = 0.8
HAN_SURE = 0.65
"""A line of which the readings have so many figures and Latin letters, and no Chinese character so sure, is read as
such, and believed if read so well."""
NARROW = 0.75
"""A piece narrower than this, in its heights, is no Chinese character: those are as wide as high."""
NUMBERS_AT, NUMBER_WIDE = 0.13, 6.0
"""Page numbers stand in this part of the page at its head or foot, and are at most so many times as wide as high."""
SIGN_SURE = 0.95
"""Of a star or triangle told by its shape."""
UNREADABLE = 0.55
"""Where all pieces together read worse, the program looks at the page as a whole, too."""
LEAST_CONTRAST = 36
"""Levels between the paper and the darkest ink of a strip that bears writing."""
SPLIT_GAP = 1.6
"""A gap wider than this many line heights ends a piece: the two ends of a header row are two pieces."""
PRINT, HALF_SURE = 0.82, 0.5
"""What stands as print does is no guess from half sure on: the program is unsure of headings, worn type and rare
characters that are there for everyone to see. (Measured on 40 bad scans: 14 of 16 such pieces were print.)"""
OF_TYPE, PITCH = (0.85, 1.4), (0.78, 1.3)
"""Height of a piece in heights of the page's type; its width in that of its characters."""
_WORDS = re.compile(r"[\u4e00-\u9fff〇〔〕()（）、，。:：0-9OoQ—]+")
_DARKER = np.asarray([round(255 * (level / 255) ** 3) for level in range(256)], np.uint8)
"""Paper, evened out near white, stays light."""
WORN, TRIED, SURER = 0.8, 12, 0.06
"""A page whose first readings are no surer may have worn strokes: so many of its lines are drawn darker, and if they
are this much surer, all are. (Measured on copies of copies: up to 40 % fewer characters wrong; on dark pages more.)"""
_YEAR = re.compile(r"[\[【〔〈《{(]((?:19|20)\d\d)[\]】〕〉》})](?= ?\d{1,5} ?号)")
_YEARS = re.compile(r"[\[【〔〈《{(]+ ?((?:19|20)\d\d) ?[\]】〕〉》})]+(?= ?\d{1,5} ?号)")
_ANGLE = re.compile(r"[〈《]([^〈《〉》()（）]{1,40})([)）])")
_OPEN = re.compile(r"〈(?=[^〈〉]*$)")
_DAY = re.compile(r"(?<=月)(\d{1,2})[目旦曰](?![录的标前])")
_NUMERALS = re.compile(r"(?<![一二三四五六七八九〇])[一二][一二三四五六七八九〇OoQ0]{3,5}(?=年)")
_ZERO_RUN = re.compile("〇{2,}")
_ZEROS = str.maketrans("OoQ0", "〇〇〇〇")
_FIGURES = re.compile(r"[0-9A-Za-z.,:/%()+\-— ]*\d[0-9A-Za-z.,:/%()+\-— ]*")


@dataclass(frozen=True, slots=True)
class TesseractEngine:
    """Tesseract 5 with the simplified Chinese model of the distribution."""

    @property
    def name(self) -> str:
        """As on the command line."""
        return TESSERACT

    @property
    def name_version(self) -> str:
        """Name and version of the program."""
        return f"tesseract {program.version()}"

    @property
    def flat(self) -> bool:
        """Yes: on dark and stained pages it halves the errors."""
        return True

    def without(self) -> str | None:
        """Nothing."""
        return None

    def missing(self) -> str | None:
        """`tesseract_not_installed`, `tesseract_no_chinese`, or None."""
        return program.missing()

    def available(self) -> bool:
        """Whether the program and its Chinese model are installed."""
        return self.missing() is None

    def read(self, picture: Picture, *, seconds: float) -> tuple[RawLine, ...]:
        """Reads the page's lines one by one; a page without any, or one that reads badly, as a whole."""
        deadline = monotonic() + seconds
        grey: Grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        lines = find_lines(grey)
        if lines is None:
            return _whole(grey, seconds=seconds)
        if not lines.boxes:
            return ()
        boxes, signs = cut_at_signs(lines.paper, lines.boxes)
        numbers = _page_numbers(lines, boxes, deadline=deadline)
        boxes = tuple(box for box in boxes if box not in numbers)
        readings = _read(lines, boxes, deadline=deadline)
        pieces = [
            _piece(box, reading, size=lines.size)
            for box, reading in zip(boxes, readings, strict=True) if reading.text
        ]  # fmt: skip
        left = deadline - monotonic()
        if _mean(pieces) < UNREADABLE and left > 0:
            try:
                whole = _whole(grey, seconds=left)
            except EngineFault:  # the first reading stands
                whole = ()
            if _worth(whole) > _worth(pieces):
                return whole
        pieces += [_piece(box, Reading(sign, (SIGN_SURE,))) for box, sign in signs.items()]
        pieces += [_piece(box, reading) for box, reading in numbers.items()]
        return tuple(sorted(pieces, key=lambda piece: (piece.quad[0][1], piece.quad[0][0])))

    def read_strip(self, strip: Picture, *, seconds: float) -> RawLine | None:
        """Reads a single line, cut out with or without paper around it."""
        return self.read_strips((strip,), seconds=seconds)[0]

    def read_strips(self, strips: Sequence[Picture], *, seconds: float) -> tuple[RawLine | None, ...]:
        """Reads single lines together: where the program has to be started, that is most of what one of them costs."""
        deadline = monotonic() + seconds
        found: list[RawLine | None] = [None] * len(strips)
        sheet = _sheet(strips)
        if not sheet:
            return tuple(found)
        lines = Lines(
            paper=np.vstack([grey for grey, _, _ in sheet.values()]),
            boxes=tuple(box for _, box, _ in sheet.values()),
            size=float(min(box[3] - box[1] for _, box, _ in sheet.values())),
        )
        readings = _read(lines, lines.boxes, deadline=deadline)
        for (at, (_, box, (wide, high))), reading in zip(sheet.items(), readings, strict=True):
            if reading.text:
                corners = ((0.0, 0.0), (wide, 0.0), (wide, high), (0.0, high))
                found[at] = replace(_piece(box, reading), quad=corners)
        return tuple(found)


def _sheet(strips: Sequence[Picture]) -> dict[int, tuple[Grey, Box, tuple[int, int]]]:
    """By place in `strips`, those with writing, one below the other: the strip in grey, widened to the widest; the box
    of its writing on the sheet; its own width and height."""
    widest = max((strip.shape[1] for strip in strips), default=0)
    sheet: dict[int, tuple[Grey, Box, tuple[int, int]]] = {}
    below = 0
    for at, strip in enumerate(strips):
        grey = np.asarray(cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        high, wide = grey.shape
        dark, paper = np.percentile(grey, (1, 80))
        if paper - dark < LEAST_CONTRAST:
            continue
        rows = np.flatnonzero((grey < (dark + paper) / 2).any(axis=1))
        box = (0, below + int(rows[0]), wide, below + int(rows[-1]) + 1)
        spread = cv2.copyMakeBorder(grey, 0, 0, 0, widest - wide, cv2.BORDER_CONSTANT, value=(float(paper),))
        sheet[at] = np.asarray(spread, dtype=np.uint8), box, (wide, high)
        below += high
    return sheet


def _read(lines: Lines, boxes: Sequence[Box], *, deadline: float) -> list[Reading]:
    """What each piece says, by the vote of its readings.

    Raises:
        EngineFault: the first reading failed, or there was no time for it; later ones may be missing.
    """
    noisy = lines.stark is not None
    one, two, three, figure = OF_NOISY if noisy else ("paper",) * 4
    first = _look(lines, boxes, replace(FIRST, drawn=one), seconds=deadline - monotonic())
    worn = not noisy and _sure(first) < WORN and _is_worn(lines, boxes, first, deadline=deadline)
    if worn:
        first = _look(lines, boxes, replace(FIRST, darker=True), seconds=deadline - monotonic())
    elif any(one.text for one in first) and _sure(first) < HOPELESS:
        return first
    second, third, *figure_looks = (
        replace(look, darker=worn, drawn=drawn)
        for look, drawn in zip((SECOND, THIRD, *FIGURES), (two, three, figure, figure), strict=True)
    )
    votes = [[one] for one in first]
    _vote(lines, boxes, range(len(boxes)), votes, second, deadline=deadline)
    agreed = [agree(one) for one in votes]
    doubtful = [at for at, one in enumerate(agreed) if min(one.scores, default=0.0) < CLEAR]
    _vote(lines, boxes, doubtful, votes, third, deadline=deadline)
    for at in doubtful:
        agreed[at] = agree(votes[at])
    figures = [
        at for at, box in enumerate(boxes)
        if _is_narrow(box) or (at in doubtful and _of_figures(agreed[at], votes[at]))
    ] if program.reads_latin() else []  # fmt: skip
    latin: list[list[Reading]] = [[] for _ in boxes]
    for look in figure_looks:
        _vote(lines, boxes, figures, latin, look, deadline=deadline)
    for at in figures:
        best = max(latin[at], key=lambda one: one.sure, default=NOTHING)
        alike = len(latin[at]) > 1 and len({one.text for one in latin[at]}) == 1
        if _FIGURES.fullmatch(best.text) and (best.sure >= FIGURES_SURE or alike):
            agreed[at] = agree(latin[at]) if alike else best
        elif not _is_narrow(boxes[at]):
            agreed[at] = agree([*votes[at], *(one for one in latin[at] if _FIGURES.fullmatch(one.text))])
    return agreed


def _is_worn(lines: Lines, boxes: Sequence[Box], first: Sequence[Reading], *, deadline: float) -> bool:
    """Whether the strokes of a page are so worn that it reads better with its greys drawn darker."""
    step = max(1, len(boxes) // TRIED)
    votes: list[list[Reading]] = [[] for _ in boxes]
    places = range(0, len(boxes), step)
    _vote(lines, boxes, places, votes, replace(FIRST, darker=True), deadline=deadline)
    darker = [votes[at][0] for at in places if votes[at]]
    return bool(darker) and _sure(darker) >= _sure([first[at] for at in places]) + SURER


def _sure(readings: Sequence[Reading]) -> float:
    """Mean by characters, 0 without text."""
    count = sum(len(one.text) for one in readings)
    return sum(one.sure * len(one.text) for one in readings) / max(1, count)


def _vote(
    lines: Lines, boxes: Sequence[Box], places: Sequence[int], votes: list[list[Reading]], look: _Look,
    *, deadline: float,
) -> None:  # fmt: skip
    """Adds another reading of the pieces at `places`; none where the time is over or the program breaks down."""
    left = deadline - monotonic()
    if not places or left <= 0:
        return
    try:
        read = _look(lines, [boxes[at] for at in places], look, seconds=left)
    except EngineFault:
        return
    for at, one in zip(places, read, strict=True):
        votes[at].append(one)


def _look(lines: Lines, boxes: Sequence[Box], look: _Look, *, seconds: float) -> list[Reading]:
    strips = [
        lines.strip(box, height=look.height, around=look.around, drawn=look.drawn).picture for box in boxes
    ]
    if look.darker:
        strips = [np.asarray(cv2.LUT(strip, _DARKER), np.uint8) for strip in strips]
    read = program.run_each(strips, psm=look.psm, seconds=seconds, language=look.language)
    return [_reading(words) for words in read]


def _reading(words: Sequence[Word]) -> Reading:
    if not words:
        return NOTHING
    return _with_brackets(_with_zeros(Reading(*joined(words))))


def _of_figures(agreed: Reading, readings: Sequence[Reading]) -> bool:
    """Whether a piece may be nothing but figures: the Chinese model reads some of them as characters, unsurely."""
    if any(
        not letter.isascii() and letter.isalnum() and score >= HAN_SURE for letter, score in _each(agreed)
    ):
        return False
    text = "".join(one.text for one in readings if one.text)
    figures = sum(letter.isascii() and letter.isalnum() for letter in text)
    return figures > 0 and figures >= MOSTLY_FIGURES * sum(letter.isalnum() for letter in text)


def _each(reading: Reading) -> Iterator[tuple[str, float]]:
    return zip(reading.text, reading.scores, strict=True)


def _is_narrow(box: Box) -> bool:
    """Too narrow for any character but a figure or a letter."""
    left, top, right, bottom = box
    return right - left < NARROW * (bottom - top)


def _page_numbers(lines: Lines, boxes: Sequence[Box], *, deadline: float) -> dict[Box, Reading]:
    """`— 12 —` at the head or foot of the page: the dashes by their shape, the digits as figures."""
    high = lines.paper.shape[0]
    found: dict[Box, Box] = {}
    for box in boxes:
        left, top, right, bottom = box
        outside = abs((top + bottom) / 2 / high - 0.5) > 0.5 - NUMBERS_AT
        if outside and right - left < NUMBER_WIDE * max(bottom - top, lines.size / 2):
            inner = between_dashes(lines.paper, box)
            if inner is not None:
                found[box] = inner
    votes: list[list[Reading]] = [[] for _ in found]
    for look in FIGURES if program.reads_latin() else (SECOND, THIRD):
        _vote(lines, list(found.values()), range(len(found)), votes, look, deadline=deadline)
    numbers: dict[Box, Reading] = {}
    for box, several in zip(found, votes, strict=True):
        digits = [one for one in several if re.fullmatch(r"\d{1,4}", one.text)]
        if digits:
            best = max(digits, key=lambda one: one.sure)
            numbers[box] = Reading(f"—{best.text}—", (best.sure,) * (len(best.text) + 2))
    return numbers


def _whole(grey: Grey, *, seconds: float) -> tuple[RawLine, ...]:
    """The page as the program cuts it."""
    words = program.run(grey, psm=PAGE, seconds=seconds)
    pieces = []
    for _, line in groupby(words, key=lambda word: word.key):
        for part in _split(tuple(line)):
            box = (
                min(word.left for word in part), min(word.top for word in part),
                max(word.right for word in part), max(word.bottom for word in part),
            )  # fmt: skip
            pieces.append(_piece(box, Reading(*joined(part))))
    return tuple(pieces)


def _split(line: tuple[Word, ...]) -> Iterator[tuple[Word, ...]]:
    heights = sorted(word.bottom - word.top for word in line)
    widest = SPLIT_GAP * heights[len(heights) // 2]
    start = 0
    for index in range(1, len(line)):
        if line[index].left - line[index - 1].right > widest:
            yield line[start:index]
            start = index
    yield line[start:]


def _piece(box: Box, reading: Reading, *, size: float = 0.0) -> RawLine:
    """`size`: height of the page's type, pixels; 0 where it is not known."""
    left, top, right, bottom = box
    # A line of which most is sure is no guess, whatever its rare characters are taken for.
    sure = max(reading.sure, median_low(reading.scores))
    if HALF_SURE <= sure < PRINT and _stands_as_print(reading.text, box, size):
        sure = PRINT
    return RawLine(
        text=_repaired(reading.text),
        quad=((left, top), (right, top), (right, bottom), (left, bottom)),
        confidence=sure,
        characters=reading.scores,
    )


def _stands_as_print(text: str, box: Box, size: float) -> bool:
    """Whether a piece is as high as the page's type and as wide as what was read on it: scribbles, remains of seals and
    what shines through are read as this and that, seldom as what takes just their room."""
    left, top, right, bottom = box
    high, text = bottom - top, text.replace(" ", "")
    if len(text) < 2 or not _WORDS.fullmatch(text) or not OF_TYPE[0] * size <= high <= OF_TYPE[1] * size:
        return False
    wide = sum(0.5 if letter.isascii() else 1.0 for letter in text)
    return PITCH[0] * wide * high <= right - left <= PITCH[1] * wide * high


def _with_zeros(reading: Reading) -> Reading:
    """〇 in a year of numerals, which the model reads as letters: one of them as two, while a year has four places."""
    year = _NUMERALS.search(reading.text)
    if year is None:
        return reading
    start, end = year.span()
    text = reading.text[:start] + year.group().translate(_ZEROS) + reading.text[end:]
    zeros = _ZERO_RUN.search(text, start, end)
    more = min(end - start - 4, len(zeros.group()) - 1) if zeros else 0
    drop = range(zeros.start(), zeros.start() + more) if zeros else range(0)
    kept = [at for at in range(len(text)) if at not in drop]
    return Reading("".join(text[at] for at in kept), tuple(reading.scores[at] for at in kept))


def _with_brackets(reading: Reading) -> Reading:
    """The brackets around the year of a 发文字号, one before and one behind it: readings that take them for others, or
    for two, then vote for the same."""
    year = _YEARS.search(reading.text)
    if year is None:
        return reading
    (start, end), (first, last) = year.span(), year.span(1)
    text, scores = reading.text, reading.scores
    return Reading(
        f"{text[:start]}〔{text[first:last]}〕{text[end:]}",
        (*scores[:start], scores[start], *scores[first:last], scores[end - 1], *scores[end:]),
    )


def _repaired(text: str) -> str:
    """What the model confuses: brackets around the year of a 发文字号, an angle one closed by a round one or by none,
    and the 日 of a date. As long as before."""
    text = _YEAR.sub(r"〔\1〕", text)
    text = _OPEN.sub("(", _ANGLE.sub(r"(\1\2", text))
    return _DAY.sub(r"\1日", text)


def _mean(pieces: Sequence[RawLine]) -> float:
    return _worth(pieces) / max(1, sum(len(piece.text) for piece in pieces))


def _worth(pieces: Sequence[RawLine]) -> float:
    return sum(piece.confidence * len(piece.text) for piece in pieces)
