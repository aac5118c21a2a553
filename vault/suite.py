"""Cipher suites. The suite's id stands in every header, so that a later suite never guesses.

`aes`: AES-256-GCM (NIST SP 800-38D), HKDF-SHA256 (RFC 5869), SHA-256. Id 1.
`sm`: SM4-GCM, HKDF-SM3. Id 2 is reserved for it; not yet built.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..common.errors import Broken, UsageFault
from .wipe import Buffer

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Suite:
    """One set of algorithms. Keys 32 bytes, nonces 12, tags 16 in every suite."""

    id: int
    name: str

    def aead(self, key: Buffer) -> AESGCM:
        """The suite's authenticated cipher under `key` (32 bytes)."""
        return AESGCM(key)

    def derive(self, key: Buffer, *, info: bytes, salt: bytes = b"", length: int = KEY_BYTES) -> bytearray:
        """HKDF: `length` bytes from `key`, set apart by `info`."""
        out = bytearray(length)
        HKDF(algorithm=hashes.SHA256(), length=length, salt=salt or None, info=info).derive_into(key, out)
        return out

    def mac(self, key: bytes | bytearray, data: Buffer) -> bytes:
        """HMAC over `data`, 32 bytes."""
        return hmac.new(key, data, hashlib.sha256).digest()


AES = Suite(id=1, name="aes")
_SM_ID = 2


def suite_named(name: str) -> Suite:
    """The suite a user named.

    Raises:
        UsageFault: `not_yet_built` for `sm`; `suite_unknown` for any other name.
    """
    if name == AES.name:
        return AES
    if name == "sm":
        raise UsageFault("not_yet_built", what="--suite sm")
    raise UsageFault("suite_unknown", suite=name)


def suite_of(number: int) -> Suite:
    """The suite of a header's id byte.

    Raises:
        UsageFault: `not_yet_built` for the reserved id of `sm`.
        Broken: `suite_byte_unknown` for any other id.
    """
    if number == AES.id:
        return AES
    if number == _SM_ID:
        raise UsageFault("not_yet_built", what="--suite sm")
    raise Broken("suite_byte_unknown", suite=number)
