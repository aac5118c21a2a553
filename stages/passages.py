"""The fingerprints of a paper's passages, and the titles that it names. Pure; runs in the worker.

Shingles of `SHINGLE` characters are hashed, and of every `WINDOW` neighbours the least is kept (winnowing: Schleimer,
Wilkerson, Aiken 2003): of words that two papers share, `SHINGLE + WINDOW - 1` characters or more, at least one
fingerprint is the same in both, wherever they stand. About one character in nine gives a fingerprint.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..models.page import Transcript
from ..models.passage import SHINGLE, PrintLine, Prints
from .likeness import lines_that_count

WINDOW = 16
MOST = 40_000
"""Fingerprints of one paper: some 340,000 characters."""
_MOST_CHARACTERS = 340_000
_MOST_TITLES = 200
_BASE = 0x9E3779B97F4A7C15
_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_TITLE = re.compile(r"《([^《》]{8,120})》")
_LAW = re.compile(r"(?:法|条例|宪法|法典)(?:[（(][^()（）]{1,12}[)）])?$")


def prints_of(transcript: Transcript) -> Prints:
    """Fingerprints of the paper's text without marginal lines, stamps and signatures."""
    lines, texts, length = [], [], 0
    for page, line, text in lines_that_count(transcript.pages):
        if text:
            lines.append(PrintLine(length, page.number, line.box))
            texts.append(text)
            length += len(text)
        if length > _MOST_CHARACTERS:
            break
    hashes, starts = winnow("".join(texts)[:_MOST_CHARACTERS])
    named = set(_lines_of(starts, [line.start for line in lines]))
    kept = tuple(line for place, line in enumerate(lines) if place in named)
    return Prints(hashes, starts, kept, cited_titles(transcript))


def winnow(text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Fingerprints of a text and the characters at which they begin, in order."""
    if len(text) < SHINGLE:
        return (), ()
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    hashed = _hash(letters)
    span = min(WINDOW, len(hashed))
    windows = sliding_window_view(hashed, span)
    chosen = np.unique(np.arange(len(windows)) + windows.argmin(axis=1))[:MOST]
    return tuple(int(one) for one in hashed[chosen]), tuple(int(place) for place in chosen)


def cited_titles(transcript: Transcript) -> tuple[str, ...]:
    """Titles in 《》, each once, without those of statutes."""
    text = unicodedata.normalize("NFKC", re.sub(r"\s", "", transcript.text))
    found = dict.fromkeys(match[1] for match in _TITLE.finditer(text) if not _LAW.search(match[1]))
    return tuple(found)[:_MOST_TITLES]


def _hash(
    letters: np.ndarray[tuple[int], np.dtype[np.uint64]],
) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """A 64-bit hash of each shingle: a polynomial of its letters, mixed so that all bits count."""
    with np.errstate(over="ignore"):
        count = len(letters) - SHINGLE + 1
        value = np.zeros(count, dtype=np.uint64)
        for offset in range(SHINGLE):
            value = value * np.uint64(_BASE) + letters[offset : offset + count] + np.uint64(1)
        value ^= value >> np.uint64(30)
        value *= np.uint64(_MIX[0])
        value ^= value >> np.uint64(27)
        value *= np.uint64(_MIX[1])
        value ^= value >> np.uint64(31)
    return value


def _lines_of(starts: Iterable[int], begins: Sequence[int]) -> Iterable[int]:
    """The line of each character; both in order."""
    place = 0
    for start in starts:
        while place + 1 < len(begins) and begins[place + 1] <= start:
            place += 1
        yield place
