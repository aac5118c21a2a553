"""Agile encryption of Office packages ([MS-OFFCRYPTO] 2.3.4.10 to 2.3.4.15), opened by a password that was given.

The library that opens the older kinds does not lengthen short hashes (2.3.4.11: with 0x36), as SHA-1 with a
256-bit key needs, which Office 2010 and WPS write. Ciphers and hashes are those of `cryptography` and `hashlib`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from lxml import etree

_DATA = "{http://schemas.microsoft.com/office/2006/encryption}"
_PASSWORD = "{http://schemas.microsoft.com/office/2006/keyEncryptor/password}"
_HASHES = {"SHA1": "sha1", "SHA-1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
_VERIFIER, _VALUE, _KEY = (
    bytes.fromhex(text) for text in ("fea7d2763b4b9e79", "d7aa0f6d3061344e", "146e0be7abacd0d6")
)
_SEGMENT = 4096
_MOST_ROUNDS = 10_000_000


@dataclass(frozen=True, slots=True)
class _Kind:
    """One `keyData` or `encryptedKey` element."""

    salt: bytes
    block: int
    key_bytes: int
    hash: str
    hash_size: int

    @classmethod
    def of(cls, node: object) -> _Kind:
        get = node.get  # type: ignore[attr-defined]
        if get("cipherAlgorithm") != "AES" or get("cipherChaining") != "ChainingModeCBC":
            raise ValueError("cipher")
        block, bits, size = int(get("blockSize")), int(get("keyBits")), int(get("hashSize"))
        if block != 16 or bits not in (128, 192, 256):
            raise ValueError("key size")
        return cls(base64.b64decode(get("saltValue")), block, bits // 8, _HASHES[get("hashAlgorithm")], size)

    def digest(self, *parts: bytes) -> bytes:
        return hashlib.new(self.hash, b"".join(parts)).digest()

    def fitted(self, value: bytes, size: int) -> bytes:
        return value[:size].ljust(size, b"\x36")


def decrypt_agile(info: bytes, package: bytes, password: str) -> bytes | None:
    """The package in clear; None when the password does not fit.

    Raises:
        ValueError, KeyError, AttributeError, struct.error: the description of the encryption is broken.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    root = etree.fromstring(info[8:], parser)
    data = _Kind.of(root.find(f"{_DATA}keyData"))
    node = root.find(f".//{_PASSWORD}encryptedKey")
    own = _Kind.of(node)
    rounds = int(node.get("spinCount"))
    if rounds > _MOST_ROUNDS:
        raise ValueError("rounds")
    state = own.digest(own.salt, password.encode("utf-16-le"))
    for number in range(rounds):
        state = own.digest(struct.pack("<I", number), state)

    def part(name: str, block: bytes) -> bytes:
        key = own.fitted(own.digest(state, block), own.key_bytes)
        return _cbc(key, own.fitted(own.salt, own.block), base64.b64decode(node.get(name)))

    verifier = part("encryptedVerifierHashInput", _VERIFIER)[: len(own.salt)]
    expected = part("encryptedVerifierHashValue", _VALUE)[: own.hash_size]
    if not hmac.compare_digest(own.digest(verifier), expected):
        return None
    secret = part("encryptedKeyValue", _KEY)[: data.key_bytes]
    (size,) = struct.unpack_from("<Q", package)
    if size > len(package):
        raise ValueError("length")
    pieces = [
        _cbc(secret, data.fitted(data.digest(data.salt, struct.pack("<I", number)), data.block),
             package[start : start + _SEGMENT])
        for number, start in enumerate(range(8, len(package), _SEGMENT))
    ]  # fmt: skip
    return b"".join(pieces)[:size]


def _cbc(key: bytes, start: bytes, sealed: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(start)).decryptor()
    return decryptor.update(sealed[: len(sealed) // 16 * 16]) + decryptor.finalize()
