"""What stands between the inbox and the workers: archives are opened, viruses looked for, passwords found.

The runner takes from the door what it would take from a folder: paths, and their bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ...common.limits import Limits
from ...models.page import Finding
from ..persons.actors import Actor
from ..station.station import Station
from .file_passwords import FilePasswords
from .inbox import Unreadable, first_bytes, read_file
from .source_file import consume_archive
from .unpack import Archives, Ask, looks_like_archive
from .virus import Scan, Scanner, State


class Door:
    """The door of one batch."""

    def __init__(self, station: Station, actor: Actor, *, ask: Ask, limits: Limits, consume: bool) -> None:
        self._station, self._actor, self._limits, self._consume = station, actor, limits, consume
        self._passwords = FilePasswords.load()
        self._scanner = Scanner.find()
        self._scans: dict[str, Scan] = {}
        self.archives = Archives(ask=ask, passwords=self._passwords.of, limits=limits)

    @property
    def scanner(self) -> str | None:
        """The virus scanner of this batch; None when none is installed."""
        return self._scanner.name

    def feed(self, feed: Iterable[Path | None]) -> Iterator[Path | None]:
        """The paths of the feed, each archive replaced by the labels of its files."""
        for path in feed:
            labels = None if path is None else self._opened(path)
            if labels is None:
                yield path
                continue
            yield from labels

    def read(self, path: Path) -> bytes:
        """The bytes of a file, or under a label.

        Raises:
            Unreadable: why they cannot be had.
        """
        return self.archives.read(path, self._limits.file_bytes)

    def passwords(self, path: Path) -> tuple[str, ...]:
        """Passwords to try on a file."""
        return self._passwords.of(path)

    def scan(self, data: bytes, sha256: str) -> Scan:
        """What the virus scanner says of the bytes; remembered for the record of the document."""
        found = self._scans[sha256] = self._scanner.scan(data)
        return found

    def scan_state(self, sha256: str) -> State:
        """What it said of bytes that were scanned in this batch; `none` when nobody looked."""
        found = self._scans.get(sha256)
        return found.state if found else "none"

    def findings(self, sha256: str) -> tuple[Finding, ...]:
        """What a person should know of the scan: only that it failed."""
        return (Finding("virus_scan_failed"),) if self.scan_state(sha256) == "failed" else ()

    def settle(self) -> None:
        """Ends archives whose every file has ended; with `consume` one goes when all of them are kept sealed.

        To be called when no paper waits for its transaction: of a stack, the first part may be in before the next.
        """
        for path, contents in self.archives.finished():
            if self._consume and contents.kept and contents.documents:
                consume_archive(self._station, self._actor, path=path, contents=contents)

    def _opened(self, path: Path) -> Iterator[Path] | None:
        """The labels in an archive. One that a scanner warns of, or that cannot be opened, stays a file."""
        if first_bytes(path, 2) != b"PK":
            return None
        try:
            data = read_file(path, self._limits.file_bytes)
        except Unreadable:
            return None
        if not looks_like_archive(data) or self._scanner.scan(data).state == "infected":
            return None
        return self.archives.spread(path, data)
