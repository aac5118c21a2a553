"""Cipher suites. The suite's id stands in every header, so that a later suite never guesses.

`aes`, id 1: AES-256-GCM (NIST SP 800-38D), HKDF (RFC 5869) and HMAC with SHA-256.
`sm`, id 2: SM4-GCM (GB/T 32907, RFC 8998), HKDF and HMAC with SM3 (GB/T 32905).

Threat model of the choice: whoever may write a header could ask for another suite. A suite's id is part of
every derivation and of the authenticated data, so a changed byte opens nothing. Whether the machine can
compute a suite is measured with published values before it is used, never assumed: a library that answers
wrongly is treated as one that cannot. GCM does not commit to its key in either suite: formats that must tell
a wrong key from a changed file carry a commitment of their own (docs/spec/blob.md)."""

from __future__ import annotations

import hashlib
import hmac
from abc import abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..common.errors import Broken, MissingTool, UsageFault
from . import sm
from .wipe import Buffer, wiped

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


class Aead(Protocol):
    """An authenticated cipher under one key. A changed message raises `InvalidTag`."""

    @abstractmethod
    def encrypt(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None, /) -> bytes:
        """Ciphertext and tag (16 bytes longer than `data`); `nonce` of 12 bytes, never twice."""

    @abstractmethod
    def decrypt(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None, /) -> bytes:
        """What was encrypted."""

    @abstractmethod
    def decrypt_into(
        self, nonce: Buffer, data: Buffer, associated_data: Buffer | None, buf: bytearray | memoryview, /
    ) -> int:
        """The same into a buffer of exactly that length; the bytes written.

        The caller wipes the buffer, also after `InvalidTag`: what it then holds was not authenticated.
        """


@dataclass(frozen=True, slots=True)
class Suite:
    """One set of algorithms. Keys 32 bytes, nonces 12, tags 16, hashes 32 in every suite."""

    id: int
    name: str

    def aead(self, key: Buffer) -> Aead:
        """The suite's authenticated cipher under `key` (32 bytes).

        SM4 takes 16 bytes: HKDF-SM3(key, "", "jiyao sm4 key v1", 16).
        """
        if self.id == AES.id:
            return AESGCM(key)
        short = self.derive(key, info=b"jiyao sm4 key v1", length=sm.KEY_BYTES)
        with wiped(short):
            return sm.Sm4Gcm(short)

    def derive(self, key: Buffer, *, info: bytes, salt: bytes = b"", length: int = KEY_BYTES) -> bytearray:
        """HKDF: `length` bytes from `key`, set apart by `info`."""
        out = bytearray(length)
        kind = hashes.SHA256() if self.id == AES.id else hashes.SM3()
        HKDF(algorithm=kind, length=length, salt=salt or None, info=info).derive_into(key, out)
        return out

    def mac(self, key: bytes | bytearray, data: Buffer) -> bytes:
        """HMAC over `data`, 32 bytes."""
        if self.id == AES.id:
            return hmac.digest(key, data, "sha256")
        return sm.hmac_sm3(key, data)

    def digest(self, data: Buffer) -> bytes:
        """The suite's hash of `data`, 32 bytes; for key material only: the ledger's hash is SHA-256 always."""
        return hashlib.sha256(data).digest() if self.id == AES.id else sm.sm3(data)


AES = Suite(id=1, name="aes")
SM = Suite(id=2, name="sm")
SUITES = (AES, SM)


@cache
def available(suite: Suite) -> bool:
    """Whether this machine computes the suite rightly: measured once, against published values."""
    return suite == AES or sm.probe()


def suite_named(name: str) -> Suite:
    """The suite a user named.

    Raises:
        UsageFault: `suite_unknown`.
        MissingTool: `suite_unavailable`, when the cryptographic library here lacks it.
    """
    for suite in SUITES:
        if suite.name == name:
            return _require(suite)
    raise UsageFault("suite_unknown", suite=name)


def suite_of(number: int) -> Suite:
    """The suite of a header's id byte.

    Raises:
        Broken: `suite_byte_unknown`.
        MissingTool: `suite_unavailable`, when the cryptographic library here lacks it.
    """
    for suite in SUITES:
        if suite.id == number:
            return _require(suite)
    raise Broken("suite_byte_unknown", suite=number)


def known_suite(number: int) -> bool:
    """Whether a header's id byte names a suite at all."""
    return any(suite.id == number for suite in SUITES)


def _require(suite: Suite) -> Suite:
    if not available(suite):
        raise MissingTool("suite_unavailable", suite=suite.name)
    return suite
