"""Passwords of encrypted files, given by the sender: `$JIYAO_FILE_PASSWORDS_FILE`, lines `name-or-pattern:password`.

They go to the worker in the fields of its job and nowhere else; of a file that one of them opened, it is sealed with
the document, so that later acts can open the original again.
"""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path

from ..station.secrets import read_private

VARIABLE = "JIYAO_FILE_PASSWORDS_FILE"
_MOST = 64


class FilePasswords:
    """The lines of the file, in order."""

    def __init__(self, lines: tuple[tuple[str, str], ...]) -> None:
        self._lines = lines

    def __repr__(self) -> str:
        return f"FilePasswords({len(self._lines)})"

    @classmethod
    def load(cls) -> FilePasswords:
        """From the file that the environment names; none without it.

        Raises:
            NotThere: it cannot be read. Refused: others can read it.
        """
        name = os.environ.get(VARIABLE)
        if not name:
            return cls(())
        lines = []
        for line in read_private(Path(name)).splitlines():
            pattern, colon, password = line.strip("\ufeff\r\n").partition(":")
            if colon and pattern.strip() and password:
                lines.append((pattern.strip(), password))
        return cls(tuple(lines))

    def of(self, path: Path) -> tuple[str, ...]:
        """Passwords to try on a file, in the order of the lines whose pattern its name or whole path matches."""
        fitting = [
            password
            for pattern, password in self._lines
            if any(fnmatch.fnmatchcase(text, pattern) or text == pattern for text in (path.name, str(path)))
        ]
        return tuple(dict.fromkeys(fitting))[:_MOST]
