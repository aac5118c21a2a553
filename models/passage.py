"""What of a paper's text can be found again in another: fingerprints of its passages, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass

from .page import Box

SHINGLE = 12
"""Characters of one fingerprint, after leaving out everything but Han, letters and figures."""


@dataclass(frozen=True, slots=True)
class PrintLine:
    """A line of the paper: the character with which it begins in the text that counts, its page and place."""

    start: int
    page: int
    box: Box | None


@dataclass(frozen=True, slots=True)
class Prints:
    """Fingerprints (64 bits, without a key) of passages of a paper, in order. They never leave the coordinator.

    Threat: who holds them can test whether a known sentence is in the paper. The register keeps them only under its
    key, shortened to 64 bits; and they go with the document.
    """

    hashes: tuple[int, ...] = ()
    starts: tuple[int, ...] = ()
    """For each the character with which it begins."""
    lines: tuple[PrintLine, ...] = ()
    titles: tuple[str, ...] = ()
    """Titles in 《》 that the paper names."""

    def __post_init__(self) -> None:
        if len(self.hashes) != len(self.starts):
            raise ValueError("a fingerprint without a place")
