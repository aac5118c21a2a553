"""Shifts the glyphs of a copy's pages, and keeps the pages as they were so that the shifts can be read.

Pages that become pictures are shifted as pictures, whatever they come from; pages that stay text in their text
operators (stamp_glyph_text.py). A page with few glyphs, or whose text cannot be placed, keeps its own and is not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from ..models.copy import CopySpec
from ..watermark.glyph_pages import GlyphPage, keep, pack
from ..watermark.glyphs import STEPS_MM, GlyphKey, boxes, shifted
from ..watermark.glyphs_confirm import agreement, shifts
from ..watermark.layout import Sheet, dpi_of
from .stamp_glyph_spread import Spread, spread
from .stamp_glyph_text import Matrix, Operations, Shown, characters, font_of, glyph_of

LEAST = 24
"""Glyphs below which a page is left as it is."""
MOST_PIXELS = 16_000_000
"""Of a page whose glyphs are shifted: up to A2 at 200 dpi."""
READABLE = 72
"""Glyphs from which on they can name a copy alone (docs/spec/mark.md); below they only add to other pages."""
_ODD = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError)
"""What a page raises whose fonts or numbers are not as they should be: it keeps its places."""
_CONFIRMED, _DRAWN, _SURE = 0.5, 0.25, 6.5
"""Share of the agreement of a page without any error that a page must show when it is read again; the least of it where
the agreement is sure already (renderers put characters on whole pixels); the agreement that is.
"""


@dataclass
class Shifter:
    """The shifts of one copy, and the pages that carry them."""

    key: GlyphKey
    id: int
    masters: dict[int, GlyphPage | None] = field(default_factory=dict)
    """Pages as they were; None: looked at, and not to be shifted."""
    carried: dict[int, GlyphPage] = field(default_factory=dict)
    """Pages of this copy that are shifted."""

    @classmethod
    def of(cls, spec: CopySpec, masters: dict[int, GlyphPage | None] | None = None) -> Shifter | None:
        """The specification's shifts; None where it asks for none."""
        if spec.forensic_id is None or not spec.glyphs:
            return None
        return cls(
            GlyphKey(bytes.fromhex(spec.tint_key)), spec.forensic_id, {} if masters is None else masters
        )

    def picture(self, number: int, page: Picture, per_mm: float) -> Picture:
        """The page's picture (before any mark is put on it) with its glyphs shifted; its own when it has too few."""
        small = page.shape[0] * page.shape[1] <= MOST_PIXELS
        master = self._master(number, lambda: page, per_mm, lambda found, _size: found) if small else None
        if master is None:
            return page
        self.carried[number] = master
        return shifted(page, master.boxes, self.signs(master), per_mm)

    def text(
        self,
        number: int,
        body: Operations,
        dictionaries: Mapping[str, Any],
        place: Matrix,
        sheet: Sheet,
        draw: Callable[[int], Picture],
    ) -> Spread | None:
        """The operators of a page that stays text, ready to be written with its glyphs shifted; None when it has too
        few, or when it is not understood.

        Args:
            dictionaries: of the page's fonts, by name.
            place: takes the page's own points to the pixels of `draw`, which draws it on its sheet without any mark.
        """
        per_mm = dpi_of(sheet) / 25.4
        if sheet.width * sheet.height * per_mm**2 > MOST_PIXELS:
            self.masters[number] = None
            return None
        try:
            fonts = {name: font_of(value) for name, value in dictionaries.items()}
            shown = characters(body, fonts, place, per_mm)
            master = self._master(
                number, lambda: draw(number), per_mm, lambda found, size: _reached(shown, found, size)
            )
            if master is None:
                return None
            return spread(body, fonts, shown, glyph_of(shown, master.boxes, master.size))
        except _ODD:
            self.masters[number] = None
            return None

    def moved(self, number: int, ready: Spread) -> bytes:
        """The operators of a page that was made ready, with this copy's shifts."""
        master = self.masters[number]
        if master is None:
            raise ValueError("a page without glyphs")
        self.carried[number] = master
        return ready.written(self.signs(master) * np.array(STEPS_MM))

    def confirmed(self, number: int, again: Picture, bare: Picture) -> bool:
        """Whether a page, as it is read again (gray), shows its signs against the same page as it was (RGB); of a page
        that is not shifted nothing is asked. One that does not show them is no longer among those that carry any.
        """
        page = self.carried.get(number)
        if page is None:
            return True
        before = np.asarray(cv2.cvtColor(bare, cv2.COLOR_RGB2GRAY), np.uint8)
        z = agreement(shifts(again, before, page.boxes), self.signs(page))
        whole = (2 * len(page.boxes)) ** 0.5
        if z >= max(_DRAWN * whole, min(_SURE, _CONFIRMED * whole)):
            return True
        del self.carried[number]
        return False

    @property
    def claimed(self) -> dict[int, int]:
        """Of each page that carries shifts, and enough of them to be read alone, how many."""
        counts = {number: len(page.boxes) for number, page in self.carried.items()}
        return {number: count for number, count in sorted(counts.items()) if count >= READABLE}

    def signs(self, page: GlyphPage) -> NDArray[np.int8]:
        """Of the page's glyphs."""
        return self.key.signs(self.id, page.number, len(page.boxes))

    def packed(self) -> bytes:
        """The pages that are shifted, as they were; empty when there is none."""
        pages = [self.carried[number] for number in sorted(self.carried)]
        return pack(pages) if pages else b""

    def _master(
        self,
        number: int,
        draw: Callable[[], Picture],
        per_mm: float,
        chosen: Callable[[NDArray[np.int32], tuple[int, int]], NDArray[np.int32]],
    ) -> GlyphPage | None:
        if number not in self.masters:
            page = draw()
            found = boxes(page, per_mm)
            if len(found) >= LEAST:
                found = chosen(found, (page.shape[1], page.shape[0]))
            self.masters[number] = keep(number, page, found, per_mm) if len(found) >= LEAST else None
        return self.masters[number]


def _reached(shown: list[Shown], found: NDArray[np.int32], size: tuple[int, int]) -> NDArray[np.int32]:
    """The glyphs that the page's characters can move."""
    return found[np.isin(np.arange(len(found)), glyph_of(shown, found, size))]
