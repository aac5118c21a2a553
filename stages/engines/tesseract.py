"""Tesseract through pytesseract: `chi_sim` alone, page segmentation 3, on a grey page.

Threat model. pytesseract hands pages to the program through files in the temporary directory; the worker's
`TMPDIR` is the station's scratch, and the files go when the call ends, also on a time-out. After a killed
process they are removed with the scratch directory. The program is killed when the page's time is over.
"""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import groupby

import cv2
import numpy as np
import pytesseract
from PIL import Image

from ...common.errors import MissingTool
from ...formats.opened import Picture
from .engine import EngineFault, EngineTimeout, RawLine

LANGUAGE = "chi_sim"
PAGE, LINE = "--psm 3", "--psm 7"
"""Page segmentation: the program's own, or one line of text."""
FRAME = 12
"""Pixels of paper around a line."""
SPLIT_GAP = 1.6
"""A gap wider than this many line heights ends a piece: the two ends of a header row are two pieces."""
FASTEST = "PPM"
"""pytesseract's own choice, PNG, spends more time on packing than the page is worth."""


@dataclass(frozen=True, slots=True)
class _Word:
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
        return "tesseract"

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
        """Runs the program once on the page in grey, puts its words together to pieces of lines."""
        return self._run(picture, PAGE, seconds=seconds)

    def read_strip(self, strip: Picture, *, seconds: float) -> RawLine | None:
        """Reads a single line, with paper around it, which the program needs."""
        framed = cv2.copyMakeBorder(
            strip, FRAME, FRAME, FRAME, FRAME, cv2.BORDER_CONSTANT, value=(255, 255, 255)
        )
        pieces = self._run(np.asarray(framed, dtype=np.uint8), LINE, seconds=seconds)
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

    def _run(self, picture: Picture, options: str, *, seconds: float) -> tuple[RawLine, ...]:
        if self.missing() is not None:
            raise MissingTool("ocr_engine_missing", detail=self.name)
        page = Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        page.format = FASTEST
        try:
            with _one_thread():
                table = pytesseract.image_to_data(
                    page, lang=LANGUAGE, config=options, timeout=max(seconds, 0.1)
                )
        except pytesseract.TesseractError as fault:
            raise EngineFault("ocr_page_failed") from fault
        except RuntimeError as fault:  # pytesseract's time-out has no class of its own
            raise EngineTimeout from fault
        words = tuple(_words(table))
        return tuple(
            _piece(piece)
            for _, line in groupby(words, key=lambda word: word.key)
            for piece in _split(tuple(line))
        )


def _words(table: str) -> Iterator[_Word]:
    for row in table.splitlines()[1:]:
        cells = row.split("\t", 11)
        if len(cells) < 12 or cells[0] != "5" or not cells[11].strip():
            continue
        block, paragraph, line = (int(cell) for cell in cells[2:5])
        left, top, width, height = (int(cell) for cell in cells[6:10])
        yield _Word(
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
def _one_thread() -> Iterator[None]:
    """The program's own threads cost more than they save when pages run side by side."""
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
