"""Splits a stack into its documents, from pages that are read already: at slips, separators, blank sheets, letterheads.

Pure; the pages may have been read in any order. Modes:

- `none`: the file is one document.
- `slip`: a page with a slip or a separator begins a document and is not part of it; a blank page right behind it is
  its back and goes with it.
- `blank`: besides, a blank **sheet** begins one: two blank pages in a row (front and back of a sheet put between), or
  one blank page before a page that looks like a first one. A lone blank back never does.
- `auto`: besides slips and separators, a page that looks like a first one (letterhead) begins a document once the
  one before has a page, and so does an envelope or cover list. Its documents must be looked at by a person.

Envelopes and cover lists belong to the document that follows: they stay in its file and outside its fields and its
count of pages. With nothing behind them they belong to the document before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..models.page import Page
from .page_kind import with_kinds
from .slip import Slip

Mode = Literal["none", "slip", "blank", "auto"]
Begun = Literal["start", "slip", "separator", "blank", "letterhead", "envelope"]
_COVER = frozenset({"envelope", "cover_slip"})
_DIVIDER = frozenset({"slip", "separator"})


@dataclass(frozen=True, slots=True)
class Part:
    """The pages of one document in a stack (numbers of the stack, from 1), and what began it."""

    pages: tuple[int, ...]
    slip: Slip | None = None
    begun: Begun = "start"

    @property
    def first(self) -> int:
        """The first page."""
        return self.pages[0]

    @property
    def last(self) -> int:
        """The last page."""
        return self.pages[-1]

    @property
    def whole(self) -> bool:
        """Whether no page is left out between first and last."""
        return self.pages == tuple(range(self.first, self.last + 1))


def split(
    pages: Sequence[Page], *, slips: Mapping[int, str | Slip] | None = None, mode: Mode = "none"
) -> tuple[Part, ...]:
    """The documents of a stack in order.

    Args:
        pages: all pages, in order, with their kinds (see `page_kind.with_kinds`).
        slips: page number -> the slip or separator found there (a receipt's number counts as a slip).
        mode: as above.

    Returns:
        At least one part when there is a page that is no slip; a slip with nothing behind it gives none.
    """
    if not pages:
        return ()
    if mode == "none":
        return (Part(tuple(page.number for page in pages)),)
    known = {
        number: Slip(receipt=found) if isinstance(found, str) else found
        for number, found in (slips or {}).items()
    }
    ordered = [
        page if page.number not in known or page.kind in _DIVIDER else with_kinds((page,), slips=known)[0]
        for page in sorted(pages, key=lambda page: page.number)
    ]
    return _Cutter(ordered, known, mode).parts()


class _Cutter:
    """Goes through the pages once; `held` are envelopes and lists that wait for their document."""

    def __init__(self, pages: list[Page], slips: Mapping[int, Slip], mode: Mode) -> None:
        self._pages, self._slips, self._mode = pages, slips, mode
        self._done: list[Part] = []
        self._own: list[int] = []
        self._held: list[int] = []
        self._slip: Slip | None = None
        self._begun: Begun = "start"
        self._has_paper = False

    def parts(self) -> tuple[Part, ...]:
        """All of them."""
        skip_back = False
        for index, page in enumerate(self._pages):
            if page.kind in _DIVIDER:
                self._divide(page)
                skip_back = True
            elif page.kind == "blank" and skip_back:
                skip_back = False
            else:
                skip_back = False
                self._page(index, page)
        self._end()
        return tuple(self._done)

    def _divide(self, page: Page) -> None:
        """A slip: what is held goes to the document behind it; blank pages that belong to no document too."""
        if self._has_paper:
            self._close()
        self._held = [*self._own, *self._held]
        self._own = []
        self._slip = self._slips.get(page.number)
        self._begun = "slip" if page.kind == "slip" else "separator"

    def _page(self, index: int, page: Page) -> None:
        if page.kind in _COVER:
            if self._has_paper and self._mode == "auto":
                self._begin("envelope")
            self._held.append(page.number)
        elif page.kind == "blank":
            self._blank(index, page)
        else:
            if self._mode == "auto" and self._has_paper and page.kind == "letterhead":
                self._begin("letterhead")
            self._take(page.number)
            self._has_paper = True

    def _blank(self, index: int, page: Page) -> None:
        if self._held:
            self._held.append(page.number)
        elif self._mode == "blank" and self._has_paper and self._is_sheet(index):
            self._begin("blank")
        elif self._begun != "blank" or self._has_paper:
            self._take(page.number)

    def _is_sheet(self, index: int) -> bool:
        """A blank sheet put between: two blank pages in a row, or one right before a first page."""
        after = self._pages[index + 1] if index + 1 < len(self._pages) else None
        return after is not None and after.kind in ("blank", "letterhead", *_COVER)

    def _take(self, number: int) -> None:
        self._own += [*self._held, number]
        self._held = []

    def _begin(self, begun: Begun) -> None:
        self._close()
        self._slip, self._begun = None, begun

    def _close(self) -> None:
        if self._own:
            self._done.append(Part(tuple(self._own), self._slip, self._begun))
        self._own, self._has_paper = [], False

    def _end(self) -> None:
        """The end of the stack: envelopes and lists with nothing behind them stay with what came before."""
        if self._held and not self._own and self._done and self._slip is None:
            last = self._done.pop()
            self._own, self._slip, self._begun = [*last.pages], last.slip, last.begun
        self._own += self._held
        self._held = []
        if self._own and not self._has_paper and self._slip is None and self._done and self._begun == "blank":
            return
        self._close()
