"""A pen for printed forms: Chinese text in embedded subsets, each character in a font that has it.

Lengths are millimetres from the top left, type sizes points. Nothing is drawn that has no glyph.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Literal

import numpy as np
from fpdf import FPDF
from numpy.typing import NDArray

from ..common.embedding import embed, written
from ..common.errors import Refused
from ..common.fonts import Face, Run, Style, Weight, clean, faces, runs

Align = Literal["left", "right", "centre"]
Colour = tuple[int, int, int]

SMALLEST_POINTS = 5.0


class Pen:
    """Draws on the pages of one PDF; `pdf` is open to the caller for lines and shapes."""

    def __init__(self) -> None:
        self.pdf = FPDF(unit="mm")
        self.pdf.set_auto_page_break(False)
        self.pdf.set_margin(0)
        self.pdf.c_margin = 0
        self._names: dict[Face, str] = {}
        self._faces: dict[tuple[Style, Weight], tuple[Face, ...]] = {}

    def page(self, width: float, height: float) -> None:
        """Begins a page of this size in mm."""
        self.pdf.add_page(orientation="P", format=(width, height))

    def width(self, text: str, points: float, *, bold: bool = False, style: Style = "sans") -> float:
        """Width of the text in mm."""
        total = 0.0
        for run in self._runs(text, style, bold):
            self.pdf.set_font(self._family(run.face), size=points)
            total += float(self.pdf.get_string_width(run.text))
        return total

    def text(
        self,
        x: float,
        base: float,
        text: str,
        points: float,
        *,
        bold: bool = False,
        style: Style = "sans",
        colour: Colour = (20, 20, 20),
    ) -> float:
        """Writes from `x` on the base line; returns where it ends.

        Raises:
            MissingTool: `font_missing`, `glyph_missing`.
        """
        self.pdf.set_text_color(*colour)
        for run in self._runs(text, style, bold):
            self.pdf.set_font(self._family(run.face), size=points)
            self.pdf.text(x, base, run.text)
            x += float(self.pdf.get_string_width(run.text))
        return x

    def fitted(
        self,
        left: float,
        right: float,
        base: float,
        text: str,
        points: float,
        *,
        align: Align = "left",
        bold: bool = False,
        style: Style = "sans",
        colour: Colour = (20, 20, 20),
    ) -> None:
        """One line between `left` and `right`, made smaller when it would not fit.

        Raises:
            MissingTool: `font_missing`, `glyph_missing`.
            Refused: `mark_too_long`, when it does not fit at 5 points.
        """
        width = self.width(text, points, bold=bold, style=style)
        if width > right - left:
            points *= (right - left) / width * 0.995
            if points < SMALLEST_POINTS:
                raise Refused("mark_too_long")
            width = self.width(text, points, bold=bold, style=style)
        start = {"left": left, "right": right - width, "centre": (left + right - width) / 2}[align]
        self.text(start, base, text, points, bold=bold, style=style, colour=colour)

    def wrapped(self, text: str, points: float, width: float, *, bold: bool = False) -> tuple[str, ...]:
        """The text in lines no wider than `width` mm; breaks between any two characters, as Chinese does."""
        lines, line, used = [], "", 0.0
        for char in clean(text):
            step = self.width(char, points, bold=bold)
            if line and used + step > width:
                lines.append(line)
                line, used = "", 0.0
            line += char
            used += step
        return (*lines, line)

    def code(self, left: float, top: float, side: float, dark: NDArray[np.bool_]) -> None:
        """A barcode's modules on white with its quiet zone of four modules."""
        module = side / len(dark)
        quiet = 4 * module
        self.pdf.set_fill_color(255, 255, 255)
        self.pdf.rect(left - quiet, top - quiet, side + 2 * quiet, side + 2 * quiet, style="F")
        self.pdf.set_fill_color(0, 0, 0)
        for row, line in enumerate(dark):
            edges = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]]).astype(np.int8)))
            for start, end in edges.reshape(-1, 2):
                self.pdf.rect(
                    left + start * module, top + row * module, (end - start) * module, module, style="F"
                )

    def rule(
        self, left: float, right: float, y: float, thickness: float, colour: Colour = (20, 20, 20)
    ) -> None:
        """A horizontal line."""
        self.pdf.set_draw_color(*colour)
        self.pdf.set_line_width(thickness)
        self.pdf.line(left, y, right, y)

    def frame(
        self,
        left: float,
        top: float,
        width: float,
        height: float,
        thickness: float,
        colour: Colour = (20, 20, 20),
    ) -> None:
        """The outline of a box, as of a stamp."""
        self.pdf.set_draw_color(*colour)
        self.pdf.set_line_width(thickness)
        self.pdf.rect(left, top, width, height, style="D")

    def faint(self, opacity: float) -> AbstractContextManager[None]:
        """What is drawn inside multiplies with what lies below, at this opacity."""
        context: AbstractContextManager[None] = self.pdf.local_context(
            fill_opacity=opacity, blend_mode="Multiply"
        )
        return context

    def output(self) -> bytes:
        """The finished PDF."""
        return written(self.pdf)

    def _runs(self, text: str, style: Style, bold: bool) -> tuple[Run, ...]:
        key: tuple[Style, Weight] = (style, "bold" if bold else "regular")
        if key not in self._faces:
            self._faces[key] = faces(*key)
        return runs(clean(text), self._faces[key])

    def _family(self, face: Face) -> str:
        if face not in self._names:
            name = f"f{len(self._names)}"
            embed(self.pdf, name, face)
            self._names[face] = name
        return self._names[face]
