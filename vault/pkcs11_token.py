"""A token with secret keys (HSM, smart card) behind a PKCS #11 library: found, logged into, asked.

Threat model: the library is foreign code in the process that holds keys, so it is loaded only from a file that
nobody but its owner (root, or the station's account) can change. The PIN comes from a file, the environment or a
person, never from a command line, and stands in no message or log. A wrong PIN is tried once and never again by
this process: tokens lock themselves after a few. What the token says of itself (hardware, key attributes) is
taken from its library; a token that lies cannot be found out here, and the class says by whose word it stands."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from ..common.errors import Broken, JiyaoError, MissingTool, NotThere, Refused, WrongSecret
from ..common.token_uri import TokenUri
from .medium import Claim, Medium, RootClass

_KEYS_IN_FILES = ("SoftHSM", "tpm2-software", "nCipher")
"""Makers whose tokens keep their keys as wrapped files on the host: destroying one there unlinks a file."""
Pin = Callable[[TokenUri], str]
"""Gives the PIN of a token when it is needed."""


class Token:
    """One token. Belongs to one thread; two of the same address are equal."""

    def __init__(self, uri: TokenUri, *, pin: Pin | None = None) -> None:
        self.uri = uri
        self._pin = pin
        self._session: Any = None
        self._refused = False

    def __str__(self) -> str:
        return self.uri.text

    def __repr__(self) -> str:
        return f"Token({self.uri.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and other.uri == self.uri

    def __hash__(self) -> int:
        return hash(self.uri)

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two addresses the same root: the token's own serial number, and the label on it."""
        found = self._found()
        if found is None:
            return self.uri.text, self.uri.object
        return f"{found.manufacturer_id}:{found.serial.decode('utf-8', 'replace')}", self.uri.object

    def present(self) -> bool:
        """Whether the token is there; no PIN is needed.

        Raises:
            MissingTool: `pkcs11_missing`, `token_module`. Refused: `token_module_open`, `token_ambiguous`.
        """
        return self._found() is not None

    def login(self) -> None:
        """Opens the session now, so that a wrong PIN is said before anything begins.

        Raises:
            As `session`.
        """
        self.session()

    def session(self) -> Any:
        """A read-write session with the user logged in, kept until `close`.

        Raises:
            NotThere: `token_missing`. WrongSecret: `token_pin`, `token_pin_locked`.
            Refused: `token_read_only`. Otherwise as `present`.
        """
        if self._session is not None:
            return self._session
        found = self._found()
        if found is None:
            raise NotThere("token_missing", token=str(self))
        if self._refused or self._pin is None:
            raise WrongSecret("token_pin", token=str(self))
        p11 = library()
        try:
            by_device = found.flags & p11.TokenFlag.PROTECTED_AUTHENTICATION_PATH
            self._session = _opened(found, p11.PROTECTED_AUTH if by_device else self._pin(self.uri))
        except (p11.PinIncorrect, p11.PinInvalid, p11.PinLenRange):
            self._refused = True
            raise WrongSecret("token_pin", token=str(self)) from None
        except (p11.PinLocked, p11.PinExpired):
            self._refused = True
            raise WrongSecret("token_pin_locked", token=str(self)) from None
        except (p11.TokenWriteProtected, p11.SessionReadOnly):
            raise Refused("token_read_only", token=str(self)) from None
        except p11.PKCS11Error as error:
            raise _failed(self, error) from None
        return self._session

    @contextlib.contextmanager
    def working(self) -> Iterator[Any]:
        """The session for one step; an error of the token becomes one of ours, and the next step logs in anew.

        Raises:
            Broken: `token_failed`, naming the token and the kind of error. Otherwise as `session`.
        """
        session = self.session()
        try:
            yield session
        except library().PKCS11Error as error:
            self.close()
            raise _failed(self, error) from None

    def mechanisms(self) -> frozenset[Any]:
        """What the token can compute."""
        found = self._found()
        return frozenset(found.slot.get_mechanisms()) if found is not None else frozenset()

    def medium(self) -> Medium:
        """Its class: R1 only for hardware whose keys were declared to have no copy elsewhere.

        Raises:
            As `present`; NotThere: `token_missing`.
        """
        found = self._found()
        if found is None:
            raise NotThere("token_missing", token=str(self))
        p11 = library()
        if not found.slot.flags & p11.SlotFlag.HW_SLOT:
            return _medium(RootClass.R5, Claim.TOKEN_UNPROVEN, "token_software")
        makers = found.manufacturer_id + _module(self.uri.module).manufacturer_id
        if any(name in makers for name in _KEYS_IN_FILES):
            return _medium(RootClass.R5, Claim.TOKEN_UNPROVEN, "token_keys_in_files")
        if self.uri.backups == "exist":
            return _medium(RootClass.R5, Claim.TOKEN_UNPROVEN, "token_backed_up")
        if self.uri.backups == "unknown":
            return _medium(RootClass.R5, Claim.TOKEN_UNPROVEN, "token_backups_unknown")
        return _medium(RootClass.R1, Claim.DEVICE, "token_hardware")

    def close(self) -> None:
        """Ends the session; the next use logs in again."""
        if self._session is not None:
            with contextlib.suppress(library().PKCS11Error):
                self._session.close()
            self._session = None

    def _found(self) -> Any:
        if self._session is not None:
            return self._session.token
        uri = self.uri
        try:
            slots = _module(uri.module).get_slots(token_present=True)
            tokens = [slot.get_token() for slot in slots if uri.slot_id in (None, slot.slot_id)]
            matching = [token for token in tokens if _matches(token, uri)]
        except library().PKCS11Error as error:
            raise _failed(self, error) from None
        if len(matching) > 1:
            raise Refused("token_ambiguous", token=str(self), count=len(matching))
        return matching[0] if matching else None


def library() -> ModuleType:
    """The Python binding, an optional part of the product.

    Raises:
        MissingTool: `pkcs11_missing`.
    """
    try:
        import pkcs11  # noqa: PLC0415
    except ImportError:
        raise MissingTool("pkcs11_missing") from None
    return pkcs11


def _opened(token: Any, pin: Any) -> Any:
    """With the PIN, or as the device itself asks for it (its own keypad)."""
    try:
        return token.open(rw=True, user_pin=pin)
    except library().UserAlreadyLoggedIn:
        # A login holds for the whole process: another object of ours has given the PIN before.
        return token.open(rw=True)


def _module(path: Path) -> Any:
    p11 = library()
    try:
        real = path.resolve(strict=True)
        found = real.stat()
    except OSError:
        raise MissingTool("token_module", module=str(path)) from None
    foreign = found.st_uid not in (0, os.geteuid())
    if foreign or not stat.S_ISREG(found.st_mode) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Refused("token_module_open", module=str(path))
    try:
        return p11.lib(str(real))
    except (p11.PKCS11Error, RuntimeError, OSError):
        raise MissingTool("token_module", module=str(path)) from None


def _matches(token: Any, uri: TokenUri) -> bool:
    wanted = (
        (uri.token, token.label),
        (uri.serial, token.serial.decode("utf-8", "replace").strip()),
        (uri.manufacturer, token.manufacturer_id),
        (uri.model, token.model),
    )
    initialised = token.flags & library().TokenFlag.TOKEN_INITIALIZED
    return bool(initialised) and all(asked is None or asked == there for asked, there in wanted)


def _medium(root_class: RootClass, claim: Claim, reason: str) -> Medium:
    return Medium("pkcs11", root_class, claim, (reason,))


def _failed(token: Token, error: Exception) -> JiyaoError:
    return Broken("token_failed", token=str(token), kind=type(error).__name__)
