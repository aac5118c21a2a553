"""Read papers on their way into the register: those that are ready together go in together, in one transaction.

A transaction costs the disk the same for one paper as for sixteen. Nobody waits for company: a paper stays here until
the next one is not ready, or a moment. When a disk fails one of them, each is tried by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from .batch_books import BatchBooks, Entry, Twin
from .passages import is_alike, same_title
from .reading import Part
from .register_entry import ReadPaper

_MOST_PAPERS = 16
_MOST_BYTES = 32 * 1024 * 1024
_MOMENT_SECONDS = 0.5

Ended = Callable[[str | None], None]
"""Told the id under which a paper's bytes are sealed; None when they are not."""
Try = Callable[[Entry, Callable[[], None]], object]
"""Does one step of one paper; names it as failed when the disk fails, and raises anything else."""


class Entering:
    """The papers that wait."""

    def __init__(self, books: BatchBooks, attempt: Try) -> None:
        self._books, self._attempt = books, attempt
        self._waiting: list[tuple[Entry, Ended]] = []
        self._since = 0.0

    def add(self, entry: Entry, ended: Ended) -> None:
        """One more; with enough of them they go in now."""
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append((entry, ended))
        size = sum(len(waiting.paper.data) for waiting, _ in self._waiting)
        if len(self._waiting) >= _MOST_PAPERS or size > _MOST_BYTES:
            self.flush()

    def is_due(self) -> bool:
        """Whether somebody waits for longer than a moment."""
        return bool(self._waiting) and time.monotonic() - self._since > _MOMENT_SECONDS

    def concerns(self, identity: str, part: Part | None = None) -> bool:
        """Whether a paper that waits is this one, or one that `part` cites, encloses or repeats."""
        papers = [entry.paper for entry, _ in self._waiting]
        if any(paper.identity == identity for paper in papers):
            return True
        return part is not None and any(_refers(part, paper) for paper in papers)

    def flush(self) -> None:
        """Enters all that wait."""
        waiting, self._waiting = self._waiting, []
        groups = [waiting] if waiting else []
        if len(waiting) > 1:
            try:
                self._enter(waiting)
            except Exception:  # noqa: BLE001 - by itself the one at fault is told apart, and named or raised
                groups = [[one] for one in waiting]
            else:
                return
        for group in groups:
            self._attempt(group[0][0], partial(self._enter, group))

    def _enter(self, group: list[tuple[Entry, Ended]]) -> None:
        ends = self._books.enter([entry for entry, _ in group])
        for (entry, ended), end in zip(group, ends, strict=True):
            self._attempt(entry, partial(self._tell, entry, ended, end))

    def _tell(self, entry: Entry, ended: Ended, end: str | Twin) -> None:
        if isinstance(end, Twin):
            self._books.again(entry.paper.path, end, entry.paper.data)
            ended(None if end.status == "refused" else end.document)
        else:
            ended(end)


def _refers(part: Part, paper: ReadPaper) -> bool:
    number, title = paper.fields.doc_number, paper.fields.title
    return (
        (number is not None and any(cited.endswith(number) for cited in part.cites))
        or any(same_title(title, named) for named in (*part.prints.titles, *part.fields.attachments))
        or is_alike(part.prints, paper.prints)
    )
