"""Canonical JSON: one value, one sequence of bytes. What is signed or hashed goes through here."""

from __future__ import annotations

import hashlib
import json

Json = dict[str, "Json"] | list["Json"] | str | int | bool | None


def canonical(value: object) -> bytes:
    """UTF-8 JSON, keys sorted, no blanks, no floats (after RFC 8785, for the types used here).

    Raises:
        TypeError: for a float or any type JSON does not have.
    """
    _check(value)
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def digest(value: object) -> str:
    """SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _check(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("no floats in canonical JSON")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError("keys are strings")
            _check(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    elif not isinstance(value, str | int | bool | None):
        raise TypeError(f"not canonical: {type(value).__name__}")
