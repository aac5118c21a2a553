"""What the copies of one document share, kept between them: how its pages stand on their sheets, its pages as they were
before their glyphs were shifted, and those that stay text, ready to be written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ..common.errors import Refused
from ..common.limits import Limits
from ..formats.opened import OpenedDocument
from ..watermark.glyph_pages import GlyphPage
from ..watermark.layout import INK_DPI, Sheet, ink_of, lay_out
from .stamp_vector import KeptPages

_MOST_PIXELS = 8_000_000
"""Of a page that is looked at for its margins."""


@dataclass
class Prepared:
    """Of one document, for one way of copying it."""

    glyphs: dict[int, GlyphPage | None] = field(default_factory=dict)
    """Pages as they were; None: looked at, and not to be shifted."""
    kept: KeptPages | None = None
    _sheets: dict[int, Sheet] = field(default_factory=dict)

    def sheet(self, opened: OpenedDocument, number: int) -> Sheet:
        """The sheet on which a page stands."""
        if number not in self._sheets:
            width, height = opened.size_mm(number)
            dpi = min(INK_DPI, int(25.4 * math.sqrt(_MOST_PIXELS / max(1.0, width * height))))
            self._sheets[number] = lay_out(width, height, ink_of(opened.render(number, max(1, dpi))))
        return self._sheets[number]


class PreparedDocuments:
    """What was made ready for the document copied last; another takes its place."""

    def __init__(self) -> None:
        self._name = ""
        self._prepared = Prepared()

    def of(self, name: str) -> Prepared:
        """Of the document with this name (any that tells its bytes and how it is copied), to be added to."""
        if name != self._name:
            self._name, self._prepared = name, Prepared()
        return self._prepared


def check_pages(opened: OpenedDocument, limits: Limits) -> range:
    """The numbers of the document's pages.

    Raises:
        Refused: `too_many_pages_to_copy`.
    """
    if opened.page_count > limits.pages:
        raise Refused("too_many_pages_to_copy", pages=opened.page_count, limit=limits.pages)
    return range(1, opened.page_count + 1)
