"""Whether a paper's first page says that it may not wait (条例 art. 9 (3); GB/T 9704-2012, 7.2.3: 紧急程度).

Asked as soon as that page is read, or of its own text before its turn has come: the paper then overtakes the others.
A wrong answer costs order alone; the field itself is read from the whole paper later.
"""

from __future__ import annotations

from typing import Final

from ..common.limits import Limits
from ..formats.fault import FormatFault
from ..formats.open import open_document
from ..formats.sniff import sniff
from ..models.page import Page, Transcript
from .fields_head import read_head
from .fields_mark import may_overtake
from .fields_rows import paper_rows

OVERTAKING: Final = frozenset({"特提", "特急"})
_WITH_TEXT: Final = frozenset({"pdf", "docx", "ofd"})
"""Kinds whose first page's text is had at once."""


def says_urgent(transcript: Transcript) -> bool:
    """Whether the head of these pages bears 特提 or 特急 at its place."""
    rows = paper_rows(transcript)
    return may_overtake(rows) and read_head(rows).urgency in OVERTAKING


def peek(data: bytes, *, limits: Limits) -> bool:
    """The same of a file's first page, by its own text alone; False for a scan, and for what cannot be opened so."""
    try:
        kind = sniff(data).kind
        if kind not in _WITH_TEXT:
            return False
        opened = open_document(data, kind, limits=limits)
        try:
            lines = opened.text_lines(1)
            width, height = opened.size_mm(1)
        finally:
            opened.close()
    except FormatFault:  # said when its turn comes
        return False
    if not lines:
        return False
    page = Page(
        number=1, width_mm=width, height_mm=height, lines=lines, source="text_layer", engine="text-layer",
        confidence=1.0,
    )  # fmt: skip
    return says_urgent(Transcript(pages=(page,)))
