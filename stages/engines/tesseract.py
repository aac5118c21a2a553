"""Tesseract through pytesseract: `chi_sim` alone, on the page's lines drawn at one size, in grey.

Its own search for lines dropped whole lines and read rules as characters (measured: half of its errors on short pages),
so the lines are found here (`page_strips`) and given to it one below the other; what it then leaves out, or hardly
reads, it gets once more, line by line.

Threat model. pytesseract hands pages to the program through files in the temporary directory; the worker's
`TMPDIR` is the station's scratch, and the files go when the call ends, also on a time-out. After a killed
process they are removed with the scratch directory. The program is killed when the page's time is over.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from time import monotonic

import cv2
import numpy as np
import pytesseract
from PIL import Image

from ...common.errors import MissingTool
from ...formats.opened import Picture
from .engine import EngineFault, EngineTimeout, RawLine
from .names import TESSERACT
from .page_strips import Grey, Strip, find_lines

LANGUAGE = "chi_sim"
PAGE, COLUMN, LINE = "--psm 3", "--psm 6", "--psm 7"
"""Page segmentation: the program's own, one column of lines, or one line of text."""
HEIGHT, AGAIN = 36, 44
"""Pixels of the type in the column (measured: 30 and 44 are worse), and of what is read a second time."""
BETWEEN, AROUND = 14, 20
"""Pixels of paper between two lines of the column, and around it."""
DOUBTFUL = 0.6
"""A piece that reads worse than this is read once more, alone."""
MOST_AGAIN = 40
NUMBERS_AT, NUMBER_WIDE = 0.13, 6.0
"""Page numbers stand in this part of the page at its head or foot, and are at most so many times as wide as high; in a
column of other lines their dashes are read as strokes of a character."""
UNREADABLE = 0.55
"""Where all pieces together read worse, the program looks at the page as a whole, too."""
FRAME = 12
"""Pixels of paper around a line."""
SPLIT_GAP = 1.6
"""A gap wider than this many line heights ends a piece: the two ends of a header row are two pieces."""
FASTEST = "PPM"
"""pytesseract's own choice, PNG, spends more time on packing than the page is worth."""
_NUMBER = re.compile(r"[—–\-一_~·.]{1,3}\d{1,4}[—–\-一_~·.]{1,3}")
_YEAR = re.compile(r"[\[【〔〈《{]((?:19|20)\d\d)[\]】〕〉》}](?= ?\d{1,5} ?号)")
_ANGLE = re.compile(r"[〈《]([^〈《〉》()（）]{1,40})([)）])")


@dataclass(frozen=True, slots=True)
class _Word:
    page: int
    key: tuple[int, int, int]
    left: int
    top: int
    right: int
    bottom: int
    confidence: float
    text: str


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
        return f"tesseract {_version()}"

    @property
    def flat(self) -> bool:
        """Yes: on dark and stained pages it halves the errors."""
        return True

    def without(self) -> str | None:
        """Nothing."""
        return None

    def missing(self) -> str | None:
        """`tesseract_not_installed`, `tesseract_no_chinese`, or None."""
        program = shutil.which("tesseract")
        if program is None:
            return "tesseract_not_installed"
        return None if LANGUAGE in _languages(program) else "tesseract_no_chinese"

    def available(self) -> bool:
        """Whether the program and its Chinese model are installed."""
        return self.missing() is None

    def read(self, picture: Picture, *, seconds: float) -> tuple[RawLine, ...]:
        """Reads the page's lines, as a column; a page without any, or one that reads badly, as a whole."""
        deadline = monotonic() + seconds
        grey: Grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        found = find_lines(grey)
        if found is None:
            return self._run(grey, PAGE, seconds=seconds)
        strips = found.strips(HEIGHT)
        read = self._column(strips, seconds=seconds)
        weak = [
            at
            for at, words in enumerate(read)
            if _sure(words) < DOUBTFUL or _may_be_a_number(strips[at], grey.shape[0])
        ][:MOST_AGAIN]
        left = deadline - monotonic()
        if weak and left > 0:
            larger = found.strips(AGAIN)
            try:
                again = self._alone([larger[at] for at in weak], seconds=left)
            except EngineFault:  # the first reading stands
                again = [()] * len(weak)
            for at, words in zip(weak, again, strict=True):
                if _is_page_number(words) or _worth(words) > _worth(read[at]):
                    read[at] = words
        pieces = tuple(_repaired(_piece(part)) for words in read if words for part in _split(words))
        left = deadline - monotonic()
        if _mean(pieces) < UNREADABLE and left > 0:
            try:
                whole = self._run(grey, PAGE, seconds=left)
            except EngineFault:
                return pieces
            return max(pieces, whole, key=lambda one: _mean(one) * sum(len(piece.text) for piece in one))
        return pieces

    def _column(self, strips: Sequence[Strip], *, seconds: float) -> list[tuple[_Word, ...]]:
        """The words of each strip, all of them drawn below one another on one picture."""
        wide = max(strip.picture.shape[1] for strip in strips) + 2 * AROUND
        tops = [AROUND]
        for strip in strips:
            tops.append(tops[-1] + strip.picture.shape[0] + BETWEEN)
        page = np.full((tops[-1] + AROUND, wide), 255, np.uint8)
        for strip, top in zip(strips, tops, strict=False):
            high, across = strip.picture.shape
            page[top : top + high, AROUND : AROUND + across] = strip.picture
        read: list[list[_Word]] = [[] for _ in strips]
        for word in _words(self._table(_drawn(page), COLUMN, seconds=seconds)):
            at = min(max(0, bisect_right(tops, (word.top + word.bottom) / 2) - 1), len(strips) - 1)
            read[at].append(_on_page(word, strips[at], shift=AROUND))
        return [tuple(sorted(words, key=lambda word: word.left)) for words in read]

    def _alone(self, strips: Sequence[Strip], *, seconds: float) -> list[tuple[_Word, ...]]:
        """The words of each strip, read one by one in one run of the program."""
        read: list[list[_Word]] = [[] for _ in strips]
        with tempfile.TemporaryDirectory() as folder:
            names = [Path(folder, f"{at}.pgm") for at in range(len(strips))]
            for name, strip in zip(names, strips, strict=True):
                _drawn(strip.picture).save(name)
            listed = Path(folder, "lines.txt")
            listed.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
            table = self._table(str(listed), LINE, seconds=seconds)
        for word in _words(table):
            if word.page <= len(strips):
                read[word.page - 1].append(_on_page(word, strips[word.page - 1]))
        return [tuple(words) for words in read]

    def read_strip(self, strip: Picture, *, seconds: float) -> RawLine | None:
        """Reads a single line, with paper around it, which the program needs."""
        framed = cv2.copyMakeBorder(
            strip, FRAME, FRAME, FRAME, FRAME, cv2.BORDER_CONSTANT, value=(255, 255, 255)
        )
        grey: Grey = np.asarray(cv2.cvtColor(framed, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        pieces = self._run(grey, LINE, seconds=seconds)
        if not pieces:
            return None
        height, width = strip.shape[:2]
        text = "".join(piece.text for piece in pieces)
        scores = tuple(score for piece in pieces for score in piece.characters)
        return RawLine(
            text=text,
            quad=((0.0, 0.0), (width, 0.0), (width, height), (0.0, height)),
            confidence=sum(scores) / len(scores),
            characters=scores,
        )

    def _run(self, grey: Grey, options: str, *, seconds: float) -> tuple[RawLine, ...]:
        words = tuple(_words(self._table(_drawn(grey), options, seconds=seconds)))
        return tuple(
            _repaired(_piece(piece))
            for _, line in groupby(words, key=lambda word: word.key)
            for piece in _split(tuple(line))
        )

    def _table(self, page: Image.Image | str, options: str, *, seconds: float) -> str:
        """The program's table of words. `page`: a picture, or the path of a list of pictures."""
        if self.missing() is not None:
            raise MissingTool("ocr_engine_missing", detail=self.name)
        try:
            with one_thread():
                return str(
                    pytesseract.image_to_data(page, lang=LANGUAGE, config=options, timeout=max(seconds, 0.1))
                )
        except pytesseract.TesseractError as fault:
            raise EngineFault("ocr_page_failed") from fault
        except RuntimeError as fault:  # pytesseract's time-out has no class of its own
            raise EngineTimeout from fault


def _drawn(grey: Grey) -> Image.Image:
    page = Image.fromarray(grey)
    page.format = FASTEST
    return page


def _on_page(word: _Word, strip: Strip, *, shift: int = 0) -> _Word:
    """The word in pixels of the page; as high as its strip."""
    left, right = (strip.left + (across - shift) / strip.scale for across in (word.left, word.right))
    return replace(word, left=max(0, round(left)), right=round(right), top=strip.box[1], bottom=strip.box[3])


def _count(words: Sequence[_Word]) -> int:
    return sum(len(word.text) for word in words)


def _worth(words: Sequence[_Word]) -> float:
    return _sure(words) * _count(words)


def _may_be_a_number(strip: Strip, page_height: int) -> bool:
    """A short piece at the head or foot of the page, where page numbers stand."""
    left, top, right, bottom = strip.box
    middle = (top + bottom) / 2 / page_height
    return abs(middle - 0.5) > 0.5 - NUMBERS_AT and right - left < NUMBER_WIDE * (bottom - top)


def _is_page_number(words: Sequence[_Word]) -> bool:
    return _NUMBER.fullmatch("".join(word.text for word in words)) is not None


def _sure(words: Sequence[_Word]) -> float:
    """Mean confidence by characters; 0 without words."""
    return sum(word.confidence * len(word.text) for word in words) / max(1, _count(words))


def _mean(pieces: Sequence[RawLine]) -> float:
    count = sum(len(piece.text) for piece in pieces)
    return sum(piece.confidence * len(piece.text) for piece in pieces) / max(1, count)


def _repaired(piece: RawLine) -> RawLine:
    """Brackets that the model confuses: those around the year of a 发文字号, and an angle one closed by a round one."""
    text = _YEAR.sub(r"〔\1〕", piece.text)
    text = _ANGLE.sub(r"(\1\2", text)
    return replace(piece, text=text) if len(text) == len(piece.text) else piece


def _words(table: str) -> Iterator[_Word]:
    for row in table.splitlines()[1:]:
        cells = row.split("\t", 11)
        if len(cells) < 12 or cells[0] != "5" or not cells[11].strip():
            continue
        block, paragraph, line = (int(cell) for cell in cells[2:5])
        left, top, width, height = (int(cell) for cell in cells[6:10])
        yield _Word(
            page=int(cells[1]),
            key=(block, paragraph, line),
            left=left,
            top=top,
            right=left + width,
            bottom=top + height,
            confidence=max(0.0, float(cells[10])) / 100,
            text=cells[11].strip(),
        )


def _split(line: tuple[_Word, ...]) -> Iterator[tuple[_Word, ...]]:
    heights = sorted(word.bottom - word.top for word in line)
    widest = SPLIT_GAP * heights[len(heights) // 2]
    start = 0
    for index in range(1, len(line)):
        if line[index].left - line[index - 1].right > widest:
            yield line[start:index]
            start = index
    yield line[start:]


def _piece(words: tuple[_Word, ...]) -> RawLine:
    text = words[0].text
    scores = [words[0].confidence] * len(text)
    for word in words[1:]:
        if _latin(text[-1]) and _latin(word.text[0]):
            text += " "
            scores.append(word.confidence)
        text += word.text
        scores += [word.confidence] * len(word.text)
    left, right = min(word.left for word in words), max(word.right for word in words)
    top, bottom = min(word.top for word in words), max(word.bottom for word in words)
    return RawLine(
        text=text,
        quad=((left, top), (right, top), (right, bottom), (left, bottom)),
        confidence=sum(scores) / len(scores),
        characters=tuple(scores),
    )


def _latin(character: str) -> bool:
    """Words of such characters are divided by spaces; Chinese and its punctuation are not."""
    return character.isascii() or unicodedata.name(character, "").startswith("LATIN")


@contextmanager
def one_thread() -> Iterator[None]:
    """Has the programs started meanwhile use one thread: more cost more than they save when pages run side by side."""
    before = os.environ.get("OMP_THREAD_LIMIT")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_THREAD_LIMIT"]
        else:
            os.environ["OMP_THREAD_LIMIT"] = before


@cache
def _languages(program: str) -> frozenset[str]:
    del program  # the key of the memory: another program on the path is asked again
    try:
        return frozenset(pytesseract.get_languages())
    except (pytesseract.TesseractError, pytesseract.TesseractNotFoundError, OSError):
        return frozenset()


@cache
def _version() -> str:
    return str(pytesseract.get_tesseract_version()).split("-")[0]
