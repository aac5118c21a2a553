"""Reads a document's pages: the sound text layer where there is one, else the picture through an engine.

Pure and keyless: a document in, a `Transcript` out. A page that could not be read is in the transcript all
the same, empty, with the finding that says why; it never goes missing and never stops the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import cv2
import numpy as np

from ..common.errors import JiyaoError
from ..common.limits import Limits
from ..formats.fault import FormatFault
from ..formats.opened import OpenedDocument, Picture
from ..models.outcome import Done, Doubt, Failure, Outcome
from ..models.page import Box, Finding, Page, Transcript
from .engines.choose import choose
from .engines.engine import Engine, EngineFault
from .page_join import Row
from .page_layout import lay_out
from .page_pieces import read_pieces
from .page_prepare import Prepared, prepare
from .page_rows import read_rows

BEST_DPI = 300
"""Small type (4号 and less) is read better at 300 than at 200; above 300 nothing is gained."""
MOST_PIXELS = 24_000_000
"""A3 at 300 dpi has 17 million. Larger pages are drawn coarser."""
LONGEST_SIDE = 6000
LEAST_DPI = 50

LOW_CONFIDENCE = 0.75
"""Pages below it are asked about. Clean and office scans read at 0.97 and above, bad ones at 0.9."""
TURN_CONFIDENCE = 0.75
"""A page that reads worse than this may stand on its head (measured: 0.63 for a clean one)."""
SIDEWAYS = 0.5
"""Share of the text in upright pieces from which a page counts as lying on its side."""
FEW_CHARACTERS = 6

UNREAD = frozenset({"ocr_page_timeout", "ocr_page_failed", "page_not_drawn", "page_out_of_memory"})
ASKED = UNREAD | {"low_confidence_page", "no_text_found"}
"""Findings that a person has to look at; the others only inform."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A prepared page with its rows; `confidence` is the mean by characters, 0 without text."""

    prepared: Prepared
    rows: tuple[Row, ...]

    @property
    def characters(self) -> int:
        return sum(len(row.text) for row in self.rows)

    @property
    def confidence(self) -> float:
        count = self.characters
        return sum(row.confidence * len(row.text) for row in self.rows) / count if count else 0.0

    @property
    def sideways(self) -> bool:
        """Most of the text runs up or down the page."""
        standing = 0
        for row in self.rows:
            for piece in row.pieces:
                if piece.raw.vertical:
                    continue
                across = [x for x, _ in piece.raw.quad]
                down = [y for _, y in piece.raw.quad]
                if max(down) - min(down) > 1.5 * (max(across) - min(across)):
                    standing += len(piece.raw.text)
        return standing > SIDEWAYS * self.characters

    @property
    def worth(self) -> float:
        """Characters that were read well; the right way up has the most of them."""
        return self.confidence * self.characters * (0.5 if self.sideways else 1.0)


def ocr(opened: OpenedDocument, *, engine: str, first: int, last: int, limits: Limits) -> Outcome[Transcript]:
    """Reads the pages `first` to `last` (from 1, both included).

    Args:
        opened: the document.
        engine: `auto`, `rapidocr` or `tesseract`. Chosen only when a page needs it.
        limits: `seconds_per_page` bounds each page's reading; the page is drawn within `page_pixels`.

    Returns:
        `Done`, or `Doubt` whose questions are the codes of `ASKED` that occurred. `Failure` when no page
        could be read at all (`ocr_nothing_read`, the detail says why), or when the engine is not there:
        `no_ocr_engine`, `ocr_engine_missing`, `ocr_engine_unknown`, `ocr_model_altered`.
    """
    try:
        return outcome_of(transcribe(opened, engine=engine, first=first, last=last, limits=limits))
    except JiyaoError as fault:
        return Failure(code=fault.code, detail=str(fault.facts.get("detail", "")))


def transcribe(opened: OpenedDocument, *, engine: str, first: int, last: int, limits: Limits) -> Transcript:
    """As `ocr`; pages that could not be read are in it, empty, with their finding, be it all of them.

    Raises:
        JiyaoError: the engine is not there.
    """
    cv2.setNumThreads(1)
    chosen: list[Engine] = []

    def get_engine() -> Engine:
        if not chosen:
            chosen.append(choose(engine).engine)
        return chosen[0]

    pages: list[Page] = []
    findings: list[Finding] = []
    for number in range(max(1, first), min(last, opened.page_count) + 1):
        try:
            page, found = _page(opened, number, get_engine, limits)
        except FormatFault as fault:
            page, found = _unread(opened, number, "page_not_drawn", detail=fault.code)
        except EngineFault as fault:
            page, found = _unread(opened, number, fault.code)
        pages.append(page)
        findings += found
    read = {page.number for page in pages}
    noticed = [finding for finding in opened.findings if finding.page in read]
    return Transcript(pages=tuple(pages), findings=(*noticed, *findings))


def outcome_of(transcript: Transcript) -> Outcome[Transcript]:
    """What came of all pages of a file: a value, a value with questions, or `ocr_nothing_read`."""
    codes = [finding.code for finding in transcript.findings]
    unread = [code for code in codes if code in UNREAD]
    if unread and len(unread) == len(transcript.pages):
        return Failure(code="ocr_nothing_read", detail=unread[0])
    questions = dict.fromkeys(code for code in codes if code in ASKED)
    if transcript.pages and codes.count("blank_page") == len(transcript.pages):
        questions["blank_page"] = None
    return Doubt(value=transcript, questions=tuple(questions)) if questions else Done(value=transcript)


def _page(
    opened: OpenedDocument, number: int, get_engine: Callable[[], Engine], limits: Limits
) -> tuple[Page, list[Finding]]:
    width, height = opened.size_mm(number)
    own = opened.text_lines(number)
    if own:
        return Page(
            number=number,
            width_mm=width,
            height_mm=height,
            lines=own,
            source="text_layer",
            engine="text-layer",
            confidence=min(1.0, sum(line.confidence for line in own) / len(own)),
        ), []
    picture = opened.render(number, choose_dpi(width, height, limits=limits))
    picture = _square(picture, width_mm=width, height_mm=height)
    dpi = picture.shape[1] / width * 25.4
    prepared = prepare(picture, dpi=dpi)
    if prepared.blank:
        return _empty(number, width, height), [Finding(code="blank_page", page=number)]
    engine = get_engine()
    read = _read_upright(picture, prepared, engine, seconds=limits.seconds_per_page)
    return _report(read, number=number, width=width, height=height, engine=engine)


def choose_dpi(width_mm: float, height_mm: float, *, limits: Limits) -> int:
    """Pixels an inch to draw a page of this size with: `BEST_DPI`, less where it would grow too large."""
    across, down = width_mm / 25.4, height_mm / 25.4
    most = min(MOST_PIXELS, limits.page_pixels)
    by_area = (most / (across * down)) ** 0.5
    by_side = LONGEST_SIDE / max(across, down)
    return max(LEAST_DPI, int(min(BEST_DPI, by_area, by_side)))


def _square(picture: Picture, *, width_mm: float, height_mm: float) -> Picture:
    """Makes pixels square: a fax of 204 x 98 dpi comes half as high as it is."""
    height, width = picture.shape[:2]
    wanted = width * height_mm / width_mm
    if 0.95 <= wanted / height <= 1.05:
        return picture
    size = (width, round(wanted)) if wanted > height else (round(height * width_mm / height_mm), height)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _read_upright(picture: Picture, prepared: Prepared, engine: Engine, *, seconds: float) -> _Read:
    """Reads the page; where that goes badly, also turned, and keeps the way that reads best."""
    deadline = monotonic() + seconds
    best = _read(prepared, engine, seconds=seconds)
    if _reads_well(best):
        return best
    for turns in (1, 3) if best.sideways else (2, 1, 3):
        left = deadline - monotonic()
        if left <= 0:
            break
        try:
            tried = _read(prepare(picture, dpi=prepared.dpi, turns=turns), engine, seconds=left)
        except EngineFault:
            break
        if tried.worth > best.worth:
            best = tried
        if _reads_well(best):
            break
    return best


def _reads_well(read: _Read) -> bool:
    enough = read.characters >= FEW_CHARACTERS
    return enough and read.confidence >= TURN_CONFIDENCE and not read.sideways


def _read(prepared: Prepared, engine: Engine, *, seconds: float) -> _Read:
    return _Read(prepared=prepared, rows=read_rows(read_pieces(prepared, engine, seconds=seconds)))


def _report(
    read: _Read, *, number: int, width: float, height: float, engine: Engine
) -> tuple[Page, list[Finding]]:
    prepared = read.prepared
    laid = lay_out(read.rows, prepared)
    lines = laid.lines
    findings: list[Finding] = []
    if not lines:
        findings.append(Finding(code="no_text_found", page=number))
    elif read.confidence < LOW_CONFIDENCE:
        findings.append(Finding(code="low_confidence_page", page=number, detail=f"{read.confidence:.2f}"))
    for line in lines:
        if any(_overlaps(line.box, seal) for seal in prepared.seals):
            findings.append(Finding(code="covered_by_seal", page=number, detail=line.text, box=line.box))
    page = Page(
        number=number,
        width_mm=width,
        height_mm=height,
        lines=lines,
        source="ocr" if lines else "none",
        engine=engine.name_version,
        confidence=read.confidence,
        steps=prepared.steps,
        seal=max(prepared.seals, key=lambda box: box.bottom, default=None),
        tables=laid.tables,
        unread=laid.unread,
        direction=laid.direction,
    )
    return page, findings


def _overlaps(line: Box, seal: Box) -> bool:
    wide = min(line.right, seal.right) - max(line.left, seal.left)
    high = min(line.bottom, seal.bottom) - max(line.top, seal.top)
    return wide > 0 and high > 0.3 * (line.bottom - line.top)


def _unread(
    opened: OpenedDocument, number: int, code: str, *, detail: str = ""
) -> tuple[Page, list[Finding]]:
    width, height = opened.size_mm(number)
    return _empty(number, width, height), [Finding(code=code, page=number, detail=detail)]


def _empty(number: int, width: float, height: float) -> Page:
    return Page(
        number=number, width_mm=width, height_mm=height, lines=(), source="none", engine="", confidence=0.0
    )
