"""What every format gives: pages, text where it can be trusted, pictures, and what is hidden or signed."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..models.incoming import Kind
from ..models.page import Finding, Line, Table

Picture = NDArray[np.uint8]
"""Height x width x 3, RGB."""


class OpenedDocument(Protocol):
    """One document, opened under limits. Page numbers count from 1."""

    kind: Kind
    page_count: int
    signature: Literal["none", "present"]
    protection: Literal["none", "owner", "read"]
    active: tuple[str, ...]
    findings: tuple[Finding, ...]

    def size_mm(self, number: int) -> tuple[float, float]:
        """Width and height of a page in millimetres."""
        ...

    def text_lines(self, number: int) -> tuple[Line, ...] | None:
        """The page's own text, lines in reading order; None when there is none or it cannot be trusted."""
        ...

    def render(self, number: int, dpi: int) -> Picture:
        """The page as a picture; a picture file gives its own pixels when `dpi` is above its own."""
        ...

    def native_dpi(self, number: int) -> float | None:
        """Pixels an inch of a page that is nothing but one picture (a scan); None for any other page."""
        ...

    def close(self) -> None:
        """Lets go of the parser and its memory."""
        ...


@runtime_checkable
class WithPictures(Protocol):
    """A document that knows its pictures without drawing a page."""

    def picture_share(self, number: int) -> float:
        """Share (0..1) of a page that pictures cover; 0 for a page without text of its own."""
        ...


class Sheet(Protocol):
    """A page that is drawn piece by piece, where somebody looks."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the whole in pixels."""
        ...

    def cut(self, top: int, bottom: int, left: int, right: int) -> Picture:
        """Rows `top` to `bottom`, columns `left` to `right` (the second one not included), within the shape."""
        ...


@runtime_checkable
class WithSheets(Protocol):
    """A document whose pages can be drawn piece by piece, each piece as in the picture of the whole."""

    def sheet(self, number: int, dpi: int) -> Sheet:
        """A page as `render` would draw it."""
        ...


@runtime_checkable
class WithTables(Protocol):
    """A document that knows its tables without looking at a picture."""

    def tables(self, number: int) -> tuple[Table, ...]:
        """The ruled tables of a page; their lines have the role `cell`."""
        ...
