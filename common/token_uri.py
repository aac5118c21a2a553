"""The address of a token with a root: a PKCS #11 URI (RFC 7512), read strictly.

A PIN never stands in it: command lines and the station's file are read by others. `pin-value` is refused by a
name of its own, so that whoever used it learns that the PIN must be changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote_to_bytes

from .errors import UsageFault

SCHEME = "pkcs11:"
Backups = Literal["none", "exist", "unknown"]
_PATH = ("token", "serial", "manufacturer", "model", "slot-id", "object", "type")
_QUERY = ("module-path", "pin-source", "jiyao-backups")
_LABEL_BYTES = 24
_SHAPE = re.compile(r"[A-Za-z0-9._~:\[\]@!$'()*+,=&/|-]*")


@dataclass(frozen=True, slots=True)
class TokenUri:
    """Which token, and under which label. What is None is not asked for; at least one of the first three is given.

    `object` is the label under which the root's objects stand, `module` the library (absolute path). `backups` is what
    was declared at `init` about copies the token makes of its keys (replication, wrap-out, backup by its maker's tool):
    nobody can ask the token itself.
    """

    text: str
    token: str | None
    serial: str | None
    slot_id: int | None
    manufacturer: str | None
    model: str | None
    object: str
    module: Path
    pin_source: Path | None
    backups: Backups

    def __str__(self) -> str:
        return self.text


def is_token(text: str) -> bool:
    """Whether this names a token, not a folder."""
    return text.startswith(SCHEME)


def parse_token_uri(text: str) -> TokenUri:
    """The address that `text` means.

    Raises:
        UsageFault: `token_uri_pin` for a PIN in it; `token_uri` with the attribute that is missing, unknown, doubled
            or malformed.
    """
    if not text.startswith(SCHEME):
        raise UsageFault("token_uri", attribute=SCHEME)
    path, _, query = text[len(SCHEME) :].partition("?")
    found = {**_attributes(path, ";", _PATH), **_attributes(query, "&", _QUERY)}
    if not {"token", "serial", "slot-id"} & found.keys():
        raise UsageFault("token_uri", attribute="token")
    if found.get("type", "secret-key") != "secret-key":
        raise UsageFault("token_uri", attribute="type")
    label = found.get("object", "jiyao")
    if not label or len(label.encode()) > _LABEL_BYTES:
        raise UsageFault("token_uri", attribute="object")
    slot = found.get("slot-id")
    if slot is not None and not (slot.isascii() and slot.isdigit()):
        raise UsageFault("token_uri", attribute="slot-id")
    backups = found.get("jiyao-backups", "unknown")
    if backups not in ("none", "exist", "unknown"):
        raise UsageFault("token_uri", attribute="jiyao-backups")
    module = _file(found.get("module-path"), "module-path")
    if module is None:
        raise UsageFault("token_uri", attribute="module-path")
    return TokenUri(
        text=text,
        token=found.get("token"),
        serial=found.get("serial"),
        slot_id=None if slot is None else int(slot),
        manufacturer=found.get("manufacturer"),
        model=found.get("model"),
        object=label,
        module=module,
        pin_source=_file(found.get("pin-source"), "pin-source"),
        backups=backups,  # type: ignore[arg-type]
    )


def _attributes(part: str, separator: str, known: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for piece in part.split(separator) if part else ():
        name, equals, value = piece.partition("=")
        if name == "pin-value":
            raise UsageFault("token_uri_pin")
        plain = re.sub(r"%[0-9A-Fa-f]{2}", "", value)
        if name not in known or not equals or name in found or not _SHAPE.fullmatch(plain):
            raise UsageFault("token_uri", attribute=name if name in known else "?")
        try:
            found[name] = unquote_to_bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            raise UsageFault("token_uri", attribute=name) from None
    return found


def _file(value: str | None, name: str) -> Path | None:
    """An absolute path, or `file:` before one; commands (`|…`) and other schemes are refused."""
    if value is None:
        return None
    plain = value.removeprefix("file:")
    plain = "/" + plain.lstrip("/") if value.startswith("file:///") else plain
    if not plain.startswith("/") or "\0" in plain:
        raise UsageFault("token_uri", attribute=name)
    return Path(plain)
