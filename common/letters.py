"""Text reduced to what two readings of it share, one way for all: compatibility forms folded, white space gone."""

from __future__ import annotations

import unicodedata


def squeezed(text: str) -> str:
    """NFKC without white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def letters(text: str) -> str:
    """Letters, digits and Han characters after NFKC: neither punctuation nor white space."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text)))
