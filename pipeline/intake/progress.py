"""What a batch tells of its going on."""

from __future__ import annotations

from pathlib import Path


class Progress:
    """Told what goes on; the command line draws it, a test ignores it."""

    def file_taken(self, path: Path) -> None:
        """A file was read from the inbox."""

    def file_settled(self, path: Path, status: str) -> None:
        """A file, or a part of a stack, came to its end."""
