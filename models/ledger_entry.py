"""One entry of the ledger: who did what to which object, by which rule, and how it ended. No content.

Source: roles.md section 5 (audit record). Titles, text, reasons never stand here: a reason is a salted hash,
objects are ids, facts are numbers and short codes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Result = Literal["allowed", "denied", "failed", "done"]
RESULTS: tuple[Result, ...] = ("allowed", "denied", "failed", "done")
Fact = str | int | bool | None | list["Fact"] | dict[str, "Fact"]

_ID_CHARS = 128
_WORD_CHARS = 8
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An act as the ledger keeps it.

    Raises:
        ValueError: for a time without offset, an unknown result, or text where only ids and codes belong.
    """

    at: datetime
    person: str | None
    account: str | None
    role: str | None
    act: str
    """Code: `ingest`, `review.accept`, `destroy.execute` …, 48 characters at most."""
    objects: tuple[str, ...] = ()
    """Ids of documents, copies, batches, persons."""
    level: str | None = None
    """Level id at the time of the act."""
    result: Result = "done"
    rule_or_approval: str | None = None
    reason_hash: str | None = None
    """Of `hash_reason`."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """Numbers, ids, hashes, short codes."""

    def __post_init__(self) -> None:
        """Refuses whatever could be content."""
        if self.at.tzinfo is None:
            raise ValueError("a time without offset")
        if self.result not in RESULTS:
            raise ValueError("unknown result")
        if not 0 < len(self.act) <= 48:
            raise ValueError("act is a code of 1 to 48 characters")
        for text in (self.person, self.account, self.role, self.act, self.level, self.rule_or_approval):
            if text is not None:
                _check_id(text)
        for text in self.objects:
            _check_id(text)
        if self.reason_hash is not None and len(self.reason_hash) != 64:
            raise ValueError("a reason stands in the ledger as its hash only")
        _check_fact(dict(self.facts))


def new_salt() -> bytes:
    """Sixteen random bytes. They are kept sealed beside the reason; without them the hash tells nothing."""
    return secrets.token_bytes(_SALT_BYTES)


def hash_reason(reason: str, salt: bytes) -> str:
    """HMAC-SHA256 of a reason under its salt, in hex.

    Raises:
        ValueError: for a salt of fewer than 16 bytes.
    """
    if len(salt) < _SALT_BYTES:
        raise ValueError("the salt is too short")
    return hmac.new(salt, reason.encode(), hashlib.sha256).hexdigest()


def _check_id(text: str) -> None:
    if len(text) > _ID_CHARS or any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError("not an id")


def _check_fact(fact: Fact) -> None:
    match fact:
        case None | bool() | int():
            return
        case str():
            _check_id(fact)
            # A level or a retention term is a short Chinese word; a title is not.
            if not fact.isascii() and len(fact) > _WORD_CHARS:
                raise ValueError("a fact is a number, an id or a short code")
        case list() | tuple():
            for item in fact:
                _check_fact(item)
        case dict():
            for key, item in fact.items():
                _check_id(key)
                _check_fact(item)
        case _:
            raise ValueError("a fact is a number, an id or a short code")
