"""Shifts the glyphs of a copy's pages, and keeps the pages as they were so that the shifts can be read.

Pages that become pictures are shifted as pictures, whatever they come from; pages that stay text in their text
operators (stamp_glyph_text.py). A page with few glyphs, or whose text cannot be placed, keeps its own and is not kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from ..models.copy import CopySpec
from ..watermark.glyph_pages import GlyphPage, keep, pack
from ..watermark.glyphs import STEPS_MM, GlyphKey, boxes, shifted
from ..watermark.glyphs_read import agreement, leak_of, measure
from ..watermark.layout import Sheet, dpi_of
from .stamp_glyph_spread import Spread, spread
from .stamp_glyph_text import Matrix, Operations, Shown, characters, font_of, glyph_of

LEAST = 24
"""Glyphs below which a page is left as it is."""
_KEPT_DOCUMENTS = 2
_ODD = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError)
"""What a page raises whose fonts or numbers are not as they should be: it keeps its places."""
_READ_BACK = 0.35
"""Share of the agreement of a page without any error that a page must show when it is read back."""


@dataclass
class Masters:
    """Pages as they were, of the documents drawn last: the next copy of the same document need not find them again."""

    _by_document: OrderedDict[str, dict[int, GlyphPage | None]] = field(default_factory=OrderedDict)

    def of(self, name: str) -> dict[int, GlyphPage | None]:
        """The pages found so far of a document (any name that tells its bytes), to be added to."""
        pages = self._by_document.setdefault(name, {})
        self._by_document.move_to_end(name)
        while len(self._by_document) > _KEPT_DOCUMENTS:
            self._by_document.popitem(last=False)
        return pages


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
        master = self._master(number, lambda: page, per_mm, lambda found, _size: found)
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

    def reads(self, picture: Picture, number: int) -> bool:
        """Whether the drawn page of the copy shows its own signs, where they are known to stand; of a page that is not
        shifted nothing is asked.
        """
        page = self.carried.get(number)
        if page is None:
            return True
        leak = leak_of(picture)
        rate = np.diag([leak.ink.shape[1] / page.size[0], leak.ink.shape[0] / page.size[1], 1.0])
        measured = measure(leak, page.ink, page.boxes, rate, page.per_mm)
        z = agreement([measured.shifts], [self.signs(page)])
        return bool(z >= _READ_BACK * (2 * len(page.boxes)) ** 0.5)

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
