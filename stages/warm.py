"""A worker gets ready before there is a file: what reading and judging need is loaded while the register is opened."""

from __future__ import annotations

from collections.abc import Collection

_WORD = frozenset({".docx", ".docm", ".dotx", ".dotm"})
_PDF = frozenset({".pdf"})


def warm(suffixes: Collection[str]) -> None:
    """Loads it. `suffixes` (`.docx`): of files to come; only a guess at which readers they will need."""
    from . import classify, read_job, retain  # noqa: F401
    from .content_match import vocabulary
    from .topic_model import shipped_model

    vocabulary()
    shipped_model()
    if _WORD.intersection(suffixes):
        from ..formats import docx  # noqa: F401
    if _PDF.intersection(suffixes):
        from ..formats import pdf  # noqa: F401
