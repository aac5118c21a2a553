"""What was read: pages, lines, boxes. Lengths in millimetres are never mixed with pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TextSource = Literal["ocr", "text_layer", "none"]
Role = Literal["body", "header", "footer", "page_number", "cell", "stamp"]
"""What a line is on its page; `header` and `footer` repeat from page to page, `stamp` was put on by a receiver."""
PageKind = Literal["paper", "letterhead", "annex", "cover_slip", "slip", "separator", "envelope", "blank"]
"""`letterhead` begins a document, `annex` an annex; `cover_slip` is a 发文清单, `slip` one of our own."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page as fractions of its width and height (0..1), origin at the top left."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box (x, y)."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text in reading order. `confidence` is 0..1 (1 for a sound text layer)."""

    text: str
    box: Box
    confidence: float = 1.0
    size_mm: float | None = None
    """Height of the type in mm, where known."""
    colour: Literal["black", "red", "other"] | None = None
    characters: tuple[float, ...] = ()
    """Confidence of each character of `text`, two decimals; empty where the source gives none."""
    role: Role = "body"
    vertical: bool = False
    """The characters stand below one another."""
    parts: tuple[Box, ...] = ()
    """Where each run stands in a line of several that stand apart (divided by two spaces); empty for one run."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; `row` and `column` count from 0."""

    row: int
    column: int
    text: str
    box: Box
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """A ruled table as cells, row by row. Its lines stand in the page too, with the role `cell`."""

    box: Box
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """A place with ink that was not read: shown to a person as a crop, never guessed."""

    box: Box
    why: Literal["handwriting", "illegible", "covered"]


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it was read. `number` counts from 1."""

    number: int
    width_mm: float
    height_mm: float
    lines: tuple[Line, ...]
    source: TextSource
    engine: str
    """`rapidocr 3.10.0`, `tesseract 5.3.0`, `text-layer`, or `` for a blank page."""
    confidence: float
    steps: tuple[str, ...] = ()
    """Page preparation that was done: `deskew 1.2`, `deseal 1`, …"""
    seal: Box | None = None
    """The lowest of `seals`."""
    kind: PageKind = "paper"
    printed_number: int | None = None
    """The number printed on the page, and how many pages it says there are."""
    printed_total: int | None = None
    tables: tuple[Table, ...] = ()
    unread: tuple[Unread, ...] = ()
    direction: float = 0.0
    """Degrees clockwise in which the rows run on the page as it came: 1.2 for skew, 90 for a page on its side."""
    seals: tuple[Box, ...] = ()
    """Where seals were found, red or black, from the top down."""

    @property
    def text(self) -> str:
        """The page's lines, one per row."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know. `code` is a message code; `detail` may quote the document."""

    code: str
    page: int | None = None
    detail: str = ""
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """All pages of one document as read."""

    pages: tuple[Page, ...]
    findings: tuple[Finding, ...] = field(default=())

    @property
    def text(self) -> str:
        """The whole text, pages divided by a form feed."""
        return "\f".join(page.text for page in self.pages)

    @property
    def confidence(self) -> float:
        """Mean page confidence, weighted by characters; 0 without text."""
        weights = [(page.confidence, sum(len(line.text) for line in page.lines)) for page in self.pages]
        total = sum(count for _, count in weights)
        return sum(score * count for score, count in weights) / total if total else 0.0
