"""Ruled tables drawn for the tests: spans, double rules, open sides; and what stands in each cell."""

from __future__ import annotations

from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from drawn_page import BLACK, font
from jiyao.stages.engines.engine import Quad, RawLine
from jiyao.stages.page_placed import Piece
from jiyao.stages.page_type import Type

Span = tuple[int, int, int, int]
"""Row, column, rows, columns."""


@dataclass(frozen=True)
class Drawn:
    """A table to draw: edges in mm, cells that span, thickness of the rules in mm."""

    rows: tuple[float, ...]
    columns: tuple[float, ...]
    spans: tuple[Span, ...] = ()
    rule: float = 0.25
    border: float | None = None
    double: bool = False
    open_sides: bool = False
    colour: tuple[int, int, int] = BLACK
    texts: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)

    @property
    def cells(self) -> tuple[Span, ...]:
        """All cells, row by row."""
        covered = {
            (row + i, column + j)
            for row, column, rows, columns in self.spans
            for i in range(rows)
            for j in range(columns)
        }
        alone = [
            (row, column, 1, 1)
            for row in range(len(self.rows) - 1)
            for column in range(len(self.columns) - 1)
            if (row, column) not in covered
        ]
        return tuple(sorted((*alone, *self.spans)))

    def box(self, cell: Span) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in mm."""
        row, column, rows, columns = cell
        return self.columns[column], self.rows[row], self.columns[column + columns], self.rows[row + rows]


def blank(dpi: float = 200.0) -> Image.Image:
    """An empty A4 page."""
    return Image.new("RGB", (round(210 / 25.4 * dpi), round(297 / 25.4 * dpi)), "white")


def draw(page: Image.Image, table: Drawn, *, dpi: float = 200.0, size: float = 3.7) -> list[Piece]:
    """Draws the table; gives its lines of text as an engine would."""
    pen, scale = ImageDraw.Draw(page), dpi / 25.4

    def rule(x0: float, y0: float, x1: float, y1: float, thick: float) -> None:
        wide = max(1, round(thick * scale))
        for shift in (0.0, 1.0) if table.double and thick == table.border else (0.0,):
            move = (0, shift) if y0 == y1 else (shift, 0)
            ends = [
                (x0 + move[0]) * scale,
                (y0 + move[1]) * scale,
                (x1 + move[0]) * scale,
                (y1 + move[1]) * scale,
            ]
            pen.line([round(end) for end in ends], fill=table.colour, width=wide)

    pieces: list[Piece] = []
    right, bottom = table.columns[-1], table.rows[-1]
    for cell in table.cells:
        x0, y0, x1, y1 = table.box(cell)
        outer = table.border or table.rule
        rule(x0, y0, x1, y0, outer if y0 == table.rows[0] else table.rule)
        rule(x0, y1, x1, y1, outer if y1 == bottom else table.rule)
        if not (table.open_sides and x0 == table.columns[0]):
            rule(x0, y0, x0, y1, outer if x0 == table.columns[0] else table.rule)
        if not (table.open_sides and x1 == right):
            rule(x1, y0, x1, y1, outer if x1 == right else table.rule)
        lines = table.texts.get(cell[:2], ())
        for number, text in enumerate(lines):
            y = (y0 + y1) / 2 + (number - (len(lines) - 1) / 2) * size * 1.3
            pen.text(((x0 + x1) / 2 * scale, y * scale), text, fill=BLACK, font=font(size, dpi), anchor="mm")
            half = pen.textlength(text, font=font(size, dpi)) / scale / 2
            pieces.append(
                piece(text, (x0 + x1) / 2 - half, y - size / 2, (x0 + x1) / 2 + half, y + size / 2, scale)
            )
    return pieces


def piece(text: str, left: float, top: float, right: float, bottom: float, scale: float) -> Piece:
    """A piece of text between sides in mm."""
    quad: Quad = (
        (left * scale, top * scale), (right * scale, top * scale),
        (right * scale, bottom * scale), (left * scale, bottom * scale),
    )  # fmt: skip
    raw = RawLine(text=text, quad=quad, confidence=0.99, characters=(0.99,) * len(text))
    return Piece(raw=raw, type=Type(size_mm=bottom - top, colour="black"))
