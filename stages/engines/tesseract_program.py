"""The program tesseract: what is installed, one run of it, and its table of words.

Strips are read by its library in this process where that is installed (`tesseract_library`), by the program otherwise.

Threat model. pytesseract hands pages to the program through files in the temporary directory; the worker's
`TMPDIR` is the station's scratch, and the files go when the call ends, also on a time-out. After a killed
process they are removed with the scratch directory. The program is killed when the page's time is over.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import monotonic

import pytesseract
from PIL import Image

from ...common.errors import MissingTool
from . import tesseract_library
from .engine import EngineFault, EngineTimeout
from .names import TESSERACT
from .page_strips import Grey

CHINESE, LATIN = "chi_sim", "eng"
FASTEST = "PPM"
"""pytesseract's own choice, PNG, spends more time on packing than the page is worth."""


@dataclass(frozen=True, slots=True)
class Word:
    """`page` counts from 1; `key`: block, paragraph and line; the box in pixels of the picture."""

    page: int
    key: tuple[int, int, int]
    left: int
    top: int
    right: int
    bottom: int
    confidence: float
    text: str


def missing() -> str | None:
    """`tesseract_not_installed`, `tesseract_no_chinese`, or None."""
    program = shutil.which("tesseract")
    if program is None:
        return "tesseract_not_installed"
    return None if CHINESE in _languages(program) else "tesseract_no_chinese"


def reads_latin() -> bool:
    """Whether the model for Latin letters and figures is there, too."""
    program = shutil.which("tesseract")
    return program is not None and LATIN in _languages(program)


def run(grey: Grey, *, psm: int, seconds: float) -> tuple[Word, ...]:
    """The words of one picture.

    Args:
        grey: height x width.
        psm: the program's page segmentation.
        seconds: longest time this may take.

    Raises:
        EngineTimeout: it took longer.
        EngineFault: the program broke down.
        MissingTool: it is not installed.
    """
    page = Image.fromarray(grey)
    page.format = FASTEST
    _, _, rows = _table(page, language=CHINESE, psm=psm, seconds=seconds).partition("\n")
    return tuple(_words(rows))


def run_each(
    pictures: Sequence[Grey], *, psm: int, seconds: float, language: str = CHINESE
) -> list[tuple[Word, ...]]:
    """The words of each picture, all of them read in one run. As `run`."""
    if not pictures:
        return []
    deadline = monotonic() + seconds
    reader = _reader(language)
    if reader is None:
        return _run_program(pictures, psm=psm, seconds=deadline - monotonic(), language=language)
    read = []
    for at, picture in enumerate(pictures):
        if monotonic() >= deadline:
            raise EngineTimeout
        read.append(tuple(_words(reader.table(picture, psm=psm, page=at))))
    return read


def _reader(language: str) -> tesseract_library.Reader | None:
    if missing() is not None:
        raise MissingTool("ocr_engine_missing", detail=TESSERACT)
    with one_thread():
        return tesseract_library.reader(language, version())


def _run_program(
    pictures: Sequence[Grey], *, psm: int, seconds: float, language: str
) -> list[tuple[Word, ...]]:
    read: list[list[Word]] = [[] for _ in pictures]
    with tempfile.TemporaryDirectory() as folder:
        names = [Path(folder, f"{at}.pgm") for at in range(len(pictures))]
        for name, picture in zip(names, pictures, strict=True):
            Image.fromarray(picture).save(name)
        listed = Path(folder, "lines.txt")
        listed.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        table = _table(str(listed), language=language, psm=psm, seconds=seconds)
    _, _, rows = table.partition("\n")
    for word in _words(rows):
        if word.page <= len(pictures):
            read[word.page - 1].append(word)
    return [tuple(words) for words in read]


def joined(words: Sequence[Word]) -> tuple[str, tuple[float, ...]]:
    """The words as one text, Latin ones divided by spaces, with a confidence for each character."""
    text = ""
    scores: list[float] = []
    for word in words:
        if text and _latin(text[-1]) and _latin(word.text[0]):
            text += " "
            scores.append(word.confidence)
        text += word.text
        scores += [word.confidence] * len(word.text)
    return text, tuple(scores)


def version() -> str:
    """Of the program: `5.3.0`."""
    return _version()


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


def _table(page: Image.Image | str, *, language: str, psm: int, seconds: float) -> str:
    """The program's table of words. `page`: a picture, or the path of a list of pictures."""
    if missing() is not None:
        raise MissingTool("ocr_engine_missing", detail=TESSERACT)
    try:
        with one_thread():
            return str(
                pytesseract.image_to_data(
                    page, lang=language, config=f"--psm {psm}", timeout=max(seconds, 0.1)
                )
            )
    except pytesseract.TesseractError as fault:
        raise EngineFault("ocr_page_failed") from fault
    except RuntimeError as fault:  # pytesseract's time-out has no class of its own
        raise EngineTimeout from fault


def _words(table: str) -> Iterator[Word]:
    for row in table.splitlines():
        cells = row.split("\t", 11)
        if len(cells) < 12 or cells[0] != "5" or not cells[11].strip():
            continue
        block, paragraph, line = (int(cell) for cell in cells[2:5])
        left, top, width, height = (int(cell) for cell in cells[6:10])
        yield Word(
            page=int(cells[1]),
            key=(block, paragraph, line),
            left=left,
            top=top,
            right=left + width,
            bottom=top + height,
            confidence=max(0.0, float(cells[10])) / 100,
            text=cells[11].strip(),
        )


def _latin(character: str) -> bool:
    """Words of such characters are divided by spaces; Chinese and its punctuation are not."""
    return character.isascii() or unicodedata.name(character, "").startswith("LATIN")


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
