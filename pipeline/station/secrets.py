"""Where passphrase and passwords come from: a file named by the environment, or a person who is asked.

Never the command line. A passwords file that others can read is refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ...common.errors import NotThere, Refused, WrongSecret
from ...common.token_uri import TokenUri


class Secrets(Protocol):
    """Gives secrets when an act needs them."""

    def passphrase(self, *, new: bool = False) -> str:
        """The station's passphrase."""
        ...

    def password(self, user: str, *, new: bool = False) -> str:
        """The password of an account."""
        ...

    def pin(self, token: TokenUri) -> str:
        """The PIN of a token that bears a root."""
        ...


class EnvironmentSecrets:
    """Secrets from `$JIYAO_PASSPHRASE_FILE`, `$JIYAO_PASSPHRASE`, `$JIYAO_PASSWORDS_FILE`, `$JIYAO_TOKEN_PIN_FILE`,
    `$JIYAO_TOKEN_PIN`, else asked.

    Args:
        ask: asks a person without showing the answer; gets the message code and facts, and whether the answer
            is new (then it is asked twice). None where nobody can be asked.
    """

    def __init__(self, ask: Callable[[str, str, bool], str] | None) -> None:
        self._ask = ask

    def passphrase(self, *, new: bool = False) -> str:
        """The passphrase.

        Raises:
            WrongSecret: it is empty, or nobody can be asked.
        """
        if name := os.environ.get("JIYAO_PASSPHRASE_FILE"):
            return _first_line(_read(Path(name)))
        if value := os.environ.get("JIYAO_PASSPHRASE"):
            return value
        return self._asked("ask_passphrase", "", new)

    def password(self, user: str, *, new: bool = False) -> str:
        """The password of `user`; a new one may stand in `$JIYAO_NEW_PASSWORDS_FILE`.

        Raises:
            WrongSecret: it is empty, or nobody can be asked.
        """
        names = ["JIYAO_PASSWORDS_FILE"]
        if new:
            names.insert(0, "JIYAO_NEW_PASSWORDS_FILE")
        for name in names:
            if path := os.environ.get(name):
                for line in read_private(Path(path)).splitlines():
                    account, colon, password = line.partition(":")
                    if colon and account == user and password:
                        return password
        return self._asked("ask_password", user, new)

    def pin(self, token: TokenUri) -> str:
        """The PIN: from the file its address names, from the environment, else asked.

        Raises:
            NotThere: `secret_file_missing`. Refused: `secret_file_open`, when others can read the file.
            WrongSecret: it is empty, or nobody can be asked.
        """
        if token.pin_source is not None:
            return _first_line(read_private(token.pin_source))
        if path := os.environ.get("JIYAO_TOKEN_PIN_FILE"):
            return _first_line(read_private(Path(path)))
        if value := os.environ.get("JIYAO_TOKEN_PIN"):
            return value
        return self._asked("ask_token_pin", token.token or token.serial or "", False)

    def _asked(self, code: str, user: str, new: bool) -> str:
        if self._ask is None:
            raise WrongSecret("secret_missing", user=user or "-")
        answer = self._ask(code, user, new)
        if not answer:
            raise WrongSecret("secret_missing", user=user or "-")
        return answer


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise NotThere("secret_file_missing", file=str(path)) from None


def read_private(path: Path) -> str:
    """A file of secrets.

    Raises:
        NotThere: it cannot be read. Refused: others can read it.
    """
    text = _read(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Refused("secret_file_open", file=str(path))
    return text


def _first_line(text: str) -> str:
    line = text.split("\n", 1)[0].rstrip("\r")
    if not line:
        raise WrongSecret("secret_missing", user="-")
    return line
