"""Looks for many byte strings in many files at once, in one pass and bounded memory.

A destruction of ten thousand documents looks for some hundred thousand strings (pieces of text, keys) in every file of
the station: one search for each would take hours. Here every eight bytes of a file are hashed, at each of the eight
alignments, and looked up in a table of what any string begins with; the few that fit are compared in full.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

LEAST = 8
"""Shortest string that is looked for, in bytes."""
_CHUNK = 4 * 1024 * 1024
_BITS = 22
_FACTOR = 0x9E3779B97F4A7C15
_FEW = 24
"""Up to so many strings one search for each is quicker."""


class Needles:
    """Strings to look for; each is named by its place in the sequence.

    Raises:
        ValueError: one is shorter than `LEAST` bytes.
    """

    def __init__(self, shapes: Sequence[bytes]) -> None:
        if any(len(shape) < LEAST for shape in shapes):
            raise ValueError("too short to be looked for")
        self._shapes = shapes
        self._longest = max(map(len, shapes), default=0)
        self._by_start: dict[bytes, list[int]] = {}
        self._table: Any = None
        if len(shapes) > _FEW:
            for number, shape in enumerate(shapes):
                self._by_start.setdefault(shape[:LEAST], []).append(number)
            self._table = _table(self._by_start)

    def in_file(self, path: Path) -> Iterator[int]:
        """Places of the strings that stand in a file, some perhaps more than once. A file that went away has none.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            if path.stat().st_size < LEAST:
                return
            with path.open("rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as image:
                if self._table is None:
                    yield from (number for number, shape in enumerate(self._shapes) if image.find(shape) >= 0)
                else:
                    yield from self._many(image)
        except FileNotFoundError:
            return

    def in_any(self, paths: Iterable[Path]) -> bool:
        """Whether any of the strings stands in any of the files."""
        return any(next(self.in_file(path), None) is not None for path in paths)

    def _many(self, image: mmap.mmap) -> Iterator[int]:
        import numpy

        for start in range(0, len(image), _CHUNK):
            # a copy: no view may hold the map open when it is closed
            piece = image[start : start + _CHUNK + self._longest - 1]
            for shift in range(LEAST):
                count = (len(piece) - shift) // LEAST
                if count <= 0:
                    break
                words = numpy.frombuffer(piece, "<u8", count, shift)
                for found in numpy.flatnonzero(self._table[_hashed(words)]):
                    at = shift + LEAST * int(found)
                    for number in self._by_start.get(piece[at : at + LEAST], ()):
                        if piece.startswith(self._shapes[number], at):
                            yield number


def _hashed(words: Any) -> Any:
    import numpy

    return (words * numpy.uint64(_FACTOR)) >> numpy.uint64(64 - _BITS)


def _table(starts: Iterable[bytes]) -> Any:
    import numpy

    words = numpy.frombuffer(b"".join(starts), "<u8")
    table = numpy.zeros(1 << _BITS, dtype=bool)
    table[_hashed(words)] = True
    return table
