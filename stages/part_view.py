"""One document of a stack, seen as a file of its own: its pages count from 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..formats.opened import OpenedDocument, Picture, WithPictures, WithTables
from ..models.page import Finding, Line, Table


class PartView:
    """The opened stack with the numbers of one part. Everything else is the stack's; it is closed with it."""

    def __init__(self, opened: OpenedDocument, pages: Sequence[int]) -> None:
        self._opened, self._pages = opened, tuple(pages)
        self.page_count = len(self._pages)
        self.kind, self.active = opened.kind, opened.active
        self.signature, self.protection = opened.signature, opened.protection

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of the stack: they grow while it is read."""
        return self._opened.findings

    @findings.setter
    def findings(self, _value: tuple[Finding, ...]) -> None:
        raise AttributeError("findings come from the document")

    def size_mm(self, number: int) -> tuple[float, float]:
        """As the stack's page."""
        return self._opened.size_mm(self._pages[number - 1])

    def text_lines(self, number: int) -> tuple[Line, ...] | None:
        """As the stack's page."""
        return self._opened.text_lines(self._pages[number - 1])

    def tables(self, number: int) -> tuple[Table, ...]:
        """As the stack's page; none where the format knows of none."""
        opened = self._opened
        return opened.tables(self._pages[number - 1]) if isinstance(opened, WithTables) else ()

    def picture_share(self, number: int) -> float:
        """As the stack's page; 0 where the format does not tell."""
        opened = self._opened
        return opened.picture_share(self._pages[number - 1]) if isinstance(opened, WithPictures) else 0.0

    def render(self, number: int, dpi: int) -> Picture:
        """As the stack's page."""
        return self._opened.render(self._pages[number - 1], dpi)

    def native_dpi(self, number: int) -> float | None:
        """As the stack's page."""
        return self._opened.native_dpi(self._pages[number - 1])

    def close(self) -> None:
        """The stack is closed by who opened it."""


class Remembered(PartView):
    """A whole document that reads the text of a page once, however often it is asked for."""

    def __init__(self, opened: OpenedDocument) -> None:
        super().__init__(opened, range(1, opened.page_count + 1))
        self._lines: dict[int, tuple[Line, ...] | None] = {}

    def text_lines(self, number: int) -> tuple[Line, ...] | None:
        """As the document's page."""
        if number not in self._lines:
            self._lines[number] = super().text_lines(number)
        return self._lines[number]


class Watched(PartView):
    """A whole document that reports each page reached, so that a long paper is given the time it needs."""

    def __init__(self, opened: OpenedDocument, report: Callable[[int], None]) -> None:
        super().__init__(opened, range(1, opened.page_count + 1))
        self._report, self._furthest = report, 1

    def text_lines(self, number: int) -> tuple[Line, ...] | None:
        """As the document's page."""
        self._reach(number)
        return super().text_lines(number)

    def render(self, number: int, dpi: int) -> Picture:
        """As the document's page."""
        self._reach(number)
        return super().render(number, dpi)

    def _reach(self, number: int) -> None:
        if number > self._furthest:
            self._furthest = number
            self._report(number)


def seen_alone(opened: OpenedDocument, pages: Sequence[int]) -> OpenedDocument:
    """The document of these pages (numbers of the stack): the stack itself when they are all of it."""
    whole = list(pages) == list(range(1, opened.page_count + 1))
    return opened if whole else PartView(opened, pages)
