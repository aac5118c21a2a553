"""Reads a document's pages: the sound text layer where there is one, else the picture through an engine.

Pure and keyless: a document in, a `Transcript` out. A page that could not be read is in the transcript all
the same, empty, with the finding that says why; it never goes missing and never stops the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import cv2
import numpy as np

from ..common.errors import JiyaoError
from ..common.limits import Limits
from ..formats.fault import FormatFault
from ..formats.opened import OpenedDocument, Picture, WithTables
from ..models.outcome import Done, Doubt, Failure, Outcome
from ..models.page import Finding, Line, Page, Transcript
from .engines.choose import Choice, choose
from .engines.engine import EngineFault
from .page_foot import with_number
from .page_layers import overlaps
from .page_layout import lay_out
from .page_prepare import look_over
from .page_read import Read, read_overview
from .page_roles import assign_roles
from .page_steps import ALL, Preparation
from .page_strike import may_be_mark, struck_marks
from .sheet import sheet_of
from .text_trust import says_otherwise

BEST_DPI = 300
"""Small type (4号 and less) is read better at 300 than at 200; above 300 nothing is gained."""
MOST_PIXELS = 24_000_000
"""A3 at 300 dpi has 17 million. Larger pages are drawn coarser."""
LONGEST_SIDE = 6000
LEAST_DPI = 50

_TOLD_BY_OTHERS = frozenset({"pdf", "ofd"})
"""Formats whose text and drawing may disagree; the pages of the others are drawn from their text."""
LOW_CONFIDENCE = 0.75
"""Pages below it are asked about. Clean and office scans read at 0.97 and above, bad ones at 0.9."""
UNREAD = frozenset({"ocr_page_timeout", "ocr_page_failed", "page_not_drawn", "page_out_of_memory"})
ASKED = UNREAD | {"low_confidence_page", "no_text_found", "text_layer_differs"}
"""Findings that a person has to look at; the others only inform."""


def ocr(
    opened: OpenedDocument,
    *,
    engine: str,
    first: int,
    last: int,
    limits: Limits,
    preparation: Preparation = ALL,
) -> Outcome[Transcript]:
    """Reads the pages `first` to `last` (from 1, both included).

    Args:
        opened: the document.
        engine: one of `engines.choose.ENGINES`. Chosen only when a page needs it.
        limits: `seconds_per_page` bounds each page's reading; the page is drawn within `page_pixels`.
        preparation: the steps to take.

    Returns:
        `Done`, or `Doubt` whose questions are the codes of `ASKED` that occurred. `Failure` when no page
        could be read at all (`ocr_nothing_read`, the detail says why), or when the engine is not there:
        `no_ocr_engine`, `ocr_engine_missing`, `ocr_engine_unknown`, `ocr_model_altered`.
    """
    try:
        read = transcribe(
            opened, engine=engine, first=first, last=last, limits=limits, preparation=preparation
        )
    except JiyaoError as fault:
        return Failure(code=fault.code, detail=str(fault.facts.get("detail", "")))
    return outcome_of(read)


def transcribe(
    opened: OpenedDocument,
    *,
    engine: str,
    first: int,
    last: int,
    limits: Limits,
    preparation: Preparation = ALL,
) -> Transcript:
    """As `ocr`; pages that could not be read are in it, empty, with their finding, be it all of them.

    Raises:
        JiyaoError: the engine is not there.
    """
    cv2.setNumThreads(1)
    chosen: list[Choice] = []

    def get_engine() -> Choice:
        if not chosen:
            chosen.append(choose(engine))
        return chosen[0]

    pages: list[Page] = []
    findings: list[Finding] = []
    for number in range(max(1, first), min(last, opened.page_count) + 1):
        try:
            page, found = _page(opened, number, get_engine, limits, preparation)
        except FormatFault as fault:
            page, found = _unread(opened, number, "page_not_drawn", detail=fault.code)
        except EngineFault as fault:
            page, found = _unread(opened, number, fault.code)
        pages.append(page)
        findings += found
    read = {page.number for page in pages}
    noticed = [
        finding
        for finding in opened.findings
        if finding.page in read or (finding.page is None and 1 in read and finding.code in _JUDGED)
    ]
    return assign_roles(Transcript(pages=tuple(pages), findings=(*noticed, *findings)))


_LEVEL_WORD = re.compile(r"[绝机秘商]\s*密")
_STRIKE_DPI = 150
"""Enough for a thin rule through type of a mark."""
_JUDGED = frozenset({"hidden_mark", "mark_struck"})
"""What a file says of itself as a whole, and what its level depends on: told with its first page."""


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
    opened: OpenedDocument,
    number: int,
    get_engine: Callable[[], Choice],
    limits: Limits,
    preparation: Preparation,
) -> tuple[Page, list[Finding]]:
    width, height = opened.size_mm(number)
    own = opened.text_lines(number)
    lie = says_otherwise(opened, number, own) if own and opened.kind in _TOLD_BY_OTHERS else None
    if own and lie is None:
        return Page(
            number=number,
            width_mm=width,
            height_mm=height,
            lines=own,
            source="text_layer",
            engine="text-layer",
            confidence=min(1.0, sum(line.confidence for line in own) / len(own)),
            tables=opened.tables(number) if isinstance(opened, WithTables) else (),
        ), _struck_in_layer(opened, number, own)
    dpi = choose_dpi(width, height, native=opened.native_dpi(number), limits=limits)
    picture = _square(opened.render(number, dpi), width_mm=width, height_mm=height)
    over = look_over(picture, dpi=picture.shape[1] / width * 25.4, options=preparation)
    if over.blank:
        return _blank(number, width, height, over.steps)
    choice = get_engine()
    read = read_overview(over, picture, engine=choice.engine, seconds=limits.seconds_per_page)
    if read.blank:
        return _blank(number, width, height, read.steps)
    if opened.page_count > 1:
        read = with_number(read, choice.engine, seconds=limits.seconds_per_page)
    page, findings = _report(read, number=number, width=width, height=height, choice=choice)
    findings += struck_marks(picture, page.lines, page=number)
    if lie is not None:
        differs = Finding("text_layer_differs", page=number, detail=f"{lie.likeness:.2f}", box=lie.line.box)
        return page, [differs, *findings]
    return page, findings


def _struck_in_layer(opened: OpenedDocument, number: int, lines: tuple[Line, ...]) -> list[Finding]:
    """Marks of a text layer that a drawn line strikes out: the page is drawn only where a mark stands on top."""
    if opened.kind not in _TOLD_BY_OTHERS or not any(
        may_be_mark(line) and _LEVEL_WORD.search(line.text) for line in lines
    ):
        return []
    return list(struck_marks(sheet_of(opened, number, _STRIKE_DPI), lines, page=number))


def choose_dpi(width_mm: float, height_mm: float, *, native: float | None = None, limits: Limits) -> int:
    """Pixels an inch to draw a page of this size with.

    A scan's own (`native`), which is never drawn finer than it is: that costs time and tells nothing; else
    `BEST_DPI`. Less where it would grow too large.
    """
    across, down = width_mm / 25.4, height_mm / 25.4
    most = min(MOST_PIXELS, limits.page_pixels)
    by_area = (most / (across * down)) ** 0.5
    by_side = LONGEST_SIDE / max(across, down)
    best = BEST_DPI if native is None else min(BEST_DPI, round(native))
    return max(LEAST_DPI, int(min(best, by_area, by_side)))


def _square(picture: Picture, *, width_mm: float, height_mm: float) -> Picture:
    """Makes pixels square: a fax of 204 x 98 dpi comes half as high as it is."""
    height, width = picture.shape[:2]
    wanted = width * height_mm / width_mm
    if 0.95 <= wanted / height <= 1.05:
        return picture
    size = (width, round(wanted)) if wanted > height else (round(height * width_mm / height_mm), height)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _report(
    read: Read, *, number: int, width: float, height: float, choice: Choice
) -> tuple[Page, list[Finding]]:
    laid = [lay_out(side.rows, side.prepared, side.grids) for side in read.sides]
    lines = tuple(line for side in laid for line in side.lines)
    seals = read.prepared.seals
    findings: list[Finding] = []
    if not lines:
        findings.append(Finding(code="no_text_found", page=number))
    elif read.confidence < LOW_CONFIDENCE:
        findings.append(Finding(code="low_confidence_page", page=number, detail=f"{read.confidence:.2f}"))
    if len(laid) > 1:
        findings.append(Finding(code="double_page", page=number))
    for line in lines:
        if any(overlaps(line.box, seal) for seal in seals):
            findings.append(Finding(code="covered_by_seal", page=number, detail=line.text, box=line.box))
    page = Page(
        number=number,
        width_mm=width,
        height_mm=height,
        lines=lines,
        source="ocr" if lines else "none",
        engine=choice.engine.name_version,
        confidence=read.confidence,
        steps=(*read.steps, *(f"engine {code}" for code in choice.remarks)),
        seal=max(seals, key=lambda box: box.bottom, default=None),
        tables=tuple(table for side in laid for table in side.tables),
        unread=tuple(place for side in laid for place in side.unread),
        direction=laid[0].direction,
        seals=tuple(sorted(seals, key=lambda box: (box.bottom, box.left))),
    )
    return page, findings


def _unread(
    opened: OpenedDocument, number: int, code: str, *, detail: str = ""
) -> tuple[Page, list[Finding]]:
    width, height = opened.size_mm(number)
    return _empty(number, width, height), [Finding(code=code, page=number, detail=detail)]


def _blank(number: int, width: float, height: float, steps: tuple[str, ...]) -> tuple[Page, list[Finding]]:
    return _empty(number, width, height, steps=steps), [Finding(code="blank_page", page=number)]


def _empty(number: int, width: float, height: float, *, steps: tuple[str, ...] = ()) -> Page:
    return Page(
        number=number, width_mm=width, height_mm=height, lines=(), source="none", engine="", confidence=0.0,
        steps=steps,
    )  # fmt: skip
