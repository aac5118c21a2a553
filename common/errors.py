"""Errors of the product: one class per exit code, one message code per cause.

A message is looked up by its code in `common/messages/*.yaml`, in the user's language, with advice.
Facts put into a message are ids, numbers, file names of the user's own command line, option names;
never text of a document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class JiyaoError(Exception):
    """Base of every error the product raises on purpose.

    Args:
        code: message code, a key of the catalogue in `common/messages`.
        facts: values for the placeholders of the message; no document content.
        value: the command's full JSON value, where the exit code still prints it (6, 7, 8).
    """

    exit_code: ClassVar[int] = 15

    def __init__(self, code: str, *, value: Mapping[str, object] | None = None, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts
        self.value = value

    def __str__(self) -> str:
        return self.code


class UsageFault(JiyaoError):
    """Wrong usage, an ambiguous person, or something not yet built (exit 2)."""

    exit_code = 2


class NotThere(JiyaoError):
    """No such document, copy, receipt, person, account or file (exit 3)."""

    exit_code = 3


class Refused(JiyaoError):
    """Refused by policy or law (exit 4)."""

    exit_code = 4


class WrongSecret(JiyaoError):
    """Wrong passphrase or password, locked account (exit 5)."""

    exit_code = 5


class PartlyDone(JiyaoError):
    """Done in part: some items were quarantined, refused or failed, each named (exit 6)."""

    exit_code = 6


class Broken(JiyaoError):
    """Integrity broken: altered, truncated, rolled back, or does not verify (exit 7)."""

    exit_code = 7


class NoMark(JiyaoError):
    """Trace: no file had a mark (exit 8)."""

    exit_code = 8


class MissingTool(JiyaoError):
    """A program, font, model or service of the environment is missing (exit 9)."""

    exit_code = 9


class Unexpected(JiyaoError):
    """Anything not foreseen; the log has the error's class and place (exit 15)."""

    exit_code = 15
