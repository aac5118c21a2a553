"""Mail as it comes off the scanner: stacks with slips, envelopes, cover lists and blank backs, and their truth.

Everything is deterministic by seed. Pages are scans (JPEG in a PDF); the truth says of each page what it is, and of
each document which pages it has and what is wrong with them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import pypdfium2

from ..formats.opened import Picture
from ..stages.separator import SeparatorSpec, draw_separators
from ..stages.slip import SlipSpec, draw_slip
from .damage import plan
from .forms import make_rich, new_version, numbered, with_annexes
from .layout import lay_out
from .mail_sheets import cover_list, envelope, vertical_page
from .paper import Paper, Severity, Split
from .pdf import pictures_pdf
from .picture import draw_picture
from .render import jpeg, page_truth, scan
from .score import PageTruth
from .sheet import Sheet, fonts_for
from .truth import fields_truth

Between = Literal["letterhead", "slip", "separator", "blank_sheet"]
Wrong = Literal["lost", "double_fed", "turned", "swapped"]
Scanned = Literal["paper", "annex", "letterhead", "blank", "slip", "separator", "envelope", "cover_slip"]
_RECEIVED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPage:
    """One page of the stack. `document` counts from 0; `number` is the page's own number in its paper."""

    kind: Scanned
    document: int | None = None
    number: int | None = None
    text: PageTruth = field(default_factory=lambda: PageTruth(()))
    turned: int = 0
    """Quarter turns, anticlockwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackDocument:
    """One paper in the stack. `first` and `last` are pages of the stack, from 1, its blank backs with them."""

    paper: Paper
    fields: dict[str, Any]
    first: int
    last: int
    printed_pages: int
    """Pages the paper has."""
    missing: tuple[int, ...] = ()
    """Numbers of pages that did not come through the scanner."""
    wrong: Wrong | None = None
    receipt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackTruth:
    """Truth of a stack."""

    pages: tuple[StackPage, ...]
    documents: tuple[StackDocument, ...]


@dataclass(slots=True)
class _Stack:
    rng: random.Random
    split: Split
    severity: Severity
    seed: int
    pictures: list[Picture] = field(default_factory=list)
    pages: list[StackPage] = field(default_factory=list)

    def add(self, sheet: Sheet, page: StackPage) -> None:
        """Draws, scans and notes one page."""
        done = plan(self.severity, seed=self.seed, split=self.split)
        drawn = draw_picture(sheet, dpi=done.dpi, fonts=fonts_for(self.split, self.seed))
        self._scan(drawn, page)

    def add_own(self, pdf: bytes, page: StackPage) -> None:
        """A page the room itself has printed."""
        dpi = plan(self.severity, seed=self.seed, split=self.split).dpi
        document = pypdfium2.PdfDocument(pdf)
        drawn = np.array(document[0].render(scale=dpi / 72).to_pil().convert("RGB"))
        document.close()
        self._scan(drawn, page)

    def _scan(self, drawn: Picture, page: StackPage) -> None:
        done = plan(self.severity, seed=self.seed, split=self.split)
        picture = scan(drawn, self.severity, done, seed=self.seed * 1000 + len(self.pages))
        if page.turned:
            picture = np.ascontiguousarray(np.rot90(picture, page.turned))
        self.pictures.append(picture)
        self.pages.append(page)

    def bytes(self) -> bytes:
        """The stack as one PDF."""
        done = plan(self.severity, seed=self.seed, split=self.split)
        return pictures_pdf([jpeg(page, done.quality) for page in self.pictures], dpi=done.dpi)


def make_stack(
    seed: int, *, split: Split = "test", severity: Severity = "office", papers: int = 3,
    between: Between = "letterhead", backs: bool = False, with_envelope: bool = False, with_list: bool = False,
    wrong: Wrong | None = None, receipts: Sequence[str] = (), most_pages: int = 4,
) -> tuple[bytes, StackTruth]:  # fmt: skip
    """A stack as one scanned PDF, and its truth.

    Args:
        seed, split, severity: as for `render`; damage holds for the whole stack.
        papers: documents in it, each of at most `most_pages` pages.
        between: what stands before each document: nothing but its letterhead, one of our slips (`receipts` names
            them, else `SW-0001` and so on), a separator, or a blank sheet (front and back).
        backs: scanned from both sides: a blank back behind every page.
        with_envelope, with_list: an envelope, and a 发文清单 of all papers, before the first document.
        wrong: what went wrong with one page of the longest document: a middle page lost, two sheets drawn in
            together, a page upside down, two pages in the wrong order.

    Raises:
        MissingTool: without the Noto CJK fonts.
    """
    rng = random.Random(f"stack:{split}:{seed}")
    stack = _Stack(rng, split, severity, seed)
    chosen = _papers(rng, split, count=papers, most=most_pages, least=4 if wrong else 1)
    laid = [lay_out(paper) for paper in chosen]
    bad = max(range(papers), key=lambda index: len(laid[index])) if wrong else -1
    if with_envelope:
        sheet = envelope(chosen[0], rng)
        stack.add(sheet, StackPage(kind="envelope", text=page_truth(sheet)))
    if with_list:
        sheet = cover_list(chosen, [len(sheets) for sheets in laid])
        stack.add(sheet, StackPage(kind="cover_slip", text=page_truth(sheet)))
    documents = []
    for index, (paper, sheets) in enumerate(zip(chosen, laid, strict=True)):
        receipt = receipts[index] if index < len(receipts) else f"SW-{index + 1:04d}"
        _divide(stack, between, receipt, index=index, of=papers, pages=len(sheets))
        first = len(stack.pages) + 1
        order, turned = _fed(len(sheets), wrong if index == bad else None)
        for number in order:
            sheet = sheets[number - 1]
            stack.add(sheet, _page_of(paper, sheet, index, 2 if number == turned else 0))
            if backs:
                stack.add(Sheet(number=0), StackPage(kind="blank", document=index))
        documents.append(
            StackDocument(
                paper=paper, fields=fields_truth(paper), first=first, last=len(stack.pages),
                printed_pages=len(sheets), missing=tuple(sorted({*range(1, len(sheets) + 1)} - {*order})),
                wrong=wrong if index == bad else None, receipt=receipt if between == "slip" else "",
            )
        )  # fmt: skip
    return stack.bytes(), StackTruth(pages=tuple(stack.pages), documents=tuple(documents))


def _papers(rng: random.Random, split: Split, *, count: int, most: int, least: int) -> list[Paper]:
    """Papers with a letterhead, at most `most` pages long; the first has `least` at least, by its annexes."""
    found: list[Paper] = []
    while len(found) < count:
        paper = make_rich(rng.randrange(1 << 30), split)
        if paper.layout == "plain":
            continue
        pages = len(lay_out(paper))
        if not found and pages < least:
            paper = with_annexes(paper, rng, count=3)
            pages = len(lay_out(paper))
        if (least if not found else 1) <= pages <= max(most, least + 3):
            found.append(paper)
    rng.shuffle(found)
    return found


def _divide(stack: _Stack, between: Between, receipt: str, *, index: int, of: int, pages: int) -> None:
    match between:
        case "slip":
            pdf = draw_slip(SlipSpec(receipt=receipt, at=_RECEIVED, sender="样张机关", pages=pages))
            stack.add_own(pdf, StackPage(kind="slip"))
        case "separator":
            pdf = draw_separators([SeparatorSpec(receipt="SW-0001", order=index + 1, of=of, pages=pages)])
            stack.add_own(pdf, StackPage(kind="separator"))
        case "blank_sheet" if index:
            for _ in range(2):
                stack.add(Sheet(number=0), StackPage(kind="blank"))
        case _:
            pass


def _fed(count: int, wrong: Wrong | None) -> tuple[list[int], int | None]:
    """Numbers of the pages as the scanner saw them, and the one that lies upside down."""
    order = list(range(1, count + 1))
    middle = (count + 1) // 2
    match wrong:
        case "lost":
            order.remove(middle)
        case "double_fed":
            del order[middle - 1 : middle + 1]
        case "swapped":
            order[middle - 1 : middle + 1] = order[middle - 1 : middle + 1][::-1]
        case "turned":
            return order, middle
    return order, None


def _page_of(paper: Paper, sheet: Sheet, document: int, turned: int) -> StackPage:
    annex = (
        bool(paper.annexes) and bool(sheet.lines) and sheet.lines[0].startswith("附件") and sheet.number > 1
    )
    kind: Scanned = "letterhead" if sheet.number == 1 else "annex" if annex else "paper"
    return StackPage(kind=kind, document=document, number=sheet.number, text=page_truth(sheet), turned=turned)


# ---------------------------------------------------------------- the same paper more than once


def make_originals(
    seed: int, *, serials: Sequence[int] = (12, 13, 14, 15, 16), split: Split = "test",
    severity: Severity = "office",
) -> list[tuple[bytes, dict[str, Any]]]:  # fmt: skip
    """Numbered originals of one paper, each with a scan of its own, and the fields of each."""
    paper = _marked(seed, split)
    copies = [numbered(paper, serial) for serial in serials]
    return [(_scanned(copy, severity, seed * 100 + i), fields_truth(copy)) for i, copy in enumerate(copies)]


def make_rescans(
    seed: int, *, split: Split = "test", severity: Severity = "office", count: int = 2
) -> list[bytes]:
    """The same paper put on the scanner again: other noise and skew, the same words and serial."""
    paper = _marked(seed, split)
    return [_scanned(paper, severity, seed * 100 + i) for i in range(count)]


def make_versions(
    seed: int, *, split: Split = "test", severity: Severity = "office"
) -> list[tuple[bytes, dict[str, Any]]]:
    """A paper and its new version: same number and title, later date, other words."""
    paper = _marked(seed, split)
    both = (paper, new_version(paper, seed=seed))
    return [(_scanned(one, severity, seed * 100 + i), fields_truth(one)) for i, one in enumerate(both)]


def _marked(seed: int, split: Split) -> Paper:
    """The first paper from this seed on that bears a serial and has a number and at most four pages."""
    rng = random.Random(f"marked:{split}:{seed}")
    while True:
        paper = make_rich(rng.randrange(1 << 30), split)
        if paper.fields.serials and paper.fields.doc_number and len(lay_out(paper)) <= 4:
            return paper


def _scanned(paper: Paper, severity: Severity, seed: int) -> bytes:
    stack = _Stack(random.Random(seed), paper.split, severity, seed)
    for sheet in lay_out(paper):
        stack.add(sheet, _page_of(paper, sheet, 0, 0))
    return stack.bytes()


# ---------------------------------------------------------------- odd sheets


def make_spreads(
    seed: int, *, split: Split = "test", severity: Severity = "office"
) -> tuple[bytes, tuple[PageTruth, ...]]:
    """A paper of two or four pages scanned as A3: two pages side by side on each; the texts page by page."""
    rng = random.Random(f"spread:{split}:{seed}")
    while True:
        sheets = lay_out(make_rich(rng.randrange(1 << 30), split))
        if len(sheets) in (2, 4):
            break
    done = plan(severity, seed=seed, split=split)
    fonts = fonts_for(split, seed)
    drawn = [draw_picture(sheet, dpi=done.dpi, fonts=fonts) for sheet in sheets]
    wide = [np.hstack(drawn[i : i + 2]) for i in range(0, len(drawn), 2)]
    scans = [scan(page, severity, done, seed=seed * 1000 + i) for i, page in enumerate(wide)]
    data = pictures_pdf([jpeg(page, done.quality) for page in scans], dpi=done.dpi)
    return data, tuple(map(page_truth, sheets))


def make_vertical(
    seed: int, *, split: Split = "test", severity: Severity = "office"
) -> tuple[bytes, tuple[PageTruth, ...]]:
    """A page of vertical text, columns from right to left."""
    sheet = vertical_page(make_rich(seed, split))
    stack = _Stack(random.Random(seed), split, severity, seed)
    stack.add(sheet, StackPage(kind="paper", text=page_truth(sheet)))
    return stack.bytes(), (page_truth(sheet),)
