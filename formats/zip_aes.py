"""AES-encrypted ZIP entries (WinZip AE-1 and AE-2; APPNOTE 4.5.7 and its appendix E), by a password that was given.

Key derivation, cipher and MAC are those of the `cryptography` package. The format's counter counts
little-endian from 1, which no ready mode offers: the key stream is made from counter blocks.
"""

from __future__ import annotations

import bz2
import hashlib
import hmac
import struct
import zipfile
import zlib

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_SALT = {1: 8, 2: 12, 3: 16}
_KEY = {1: 16, 2: 24, 3: 32}
_ROUNDS = 1000
_VERIFIER, _MAC = 2, 10
_EXTRA_ID = 0x9901
_LOCAL_HEADER = 30


def read_aes(data: bytes, info: zipfile.ZipInfo, password: bytes) -> bytes | None:
    """The content of an AES entry of the archive `data`; None when the password does not fit.

    Raises:
        ValueError: the entry is broken; zlib.error, OSError: so is its content.
    """
    strength, method = _extra(info.extra)
    name_length, extra_length = struct.unpack_from("<HH", data, info.header_offset + 26)
    start = info.header_offset + _LOCAL_HEADER + name_length + extra_length
    whole = data[start : start + info.compress_size]
    salt_length = _SALT[strength]
    if len(whole) != info.compress_size or len(whole) < salt_length + _VERIFIER + _MAC:
        raise ValueError("short entry")
    salt, verifier = whole[:salt_length], whole[salt_length : salt_length + _VERIFIER]
    sealed, mac = whole[salt_length + _VERIFIER : -_MAC], whole[-_MAC:]
    size = _KEY[strength]
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, _ROUNDS, 2 * size + _VERIFIER)
    if not hmac.compare_digest(keys[2 * size :], verifier):
        return None
    if not hmac.compare_digest(hmac.digest(keys[size : 2 * size], sealed, "sha1")[:_MAC], mac):
        return None  # one wrong password in 65,536 passes the verifier; a changed entry ends here too
    plain = _unpacked(_decrypted(sealed, keys[:size]), method, info.file_size)
    if len(plain) != info.file_size:
        raise ValueError("length")
    return plain


def _extra(extra: bytes) -> tuple[int, int]:
    """Key strength (1 … 3) and real compression method."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _EXTRA_ID and length >= 7:
            _, _, strength, method = struct.unpack_from("<H2sBH", extra, 4)
            if strength not in _SALT:
                raise ValueError("strength")
            return int(strength), int(method)
        extra = extra[4 + length :]
    raise ValueError("no AES field")


def _decrypted(sealed: bytes, key: bytes) -> bytes:
    blocks = -(-len(sealed) // 16)
    counters = np.zeros((blocks, 2), dtype="<u8")
    counters[:, 0] = np.arange(1, blocks + 1, dtype="<u8")
    # Counter mode itself, its blocks laid out by hand: no two blocks are alike.
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    stream = np.frombuffer(encryptor.update(counters.tobytes()), dtype=np.uint8)[: len(sealed)]
    return (np.frombuffer(sealed, dtype=np.uint8) ^ stream).tobytes()


def _unpacked(data: bytes, method: int, size: int) -> bytes:
    if method == zipfile.ZIP_STORED:
        return data
    if method == zipfile.ZIP_DEFLATED:
        return zlib.decompressobj(-15).decompress(data, size + 1)
    if method == zipfile.ZIP_BZIP2:
        return bz2.BZ2Decompressor().decompress(data, size + 1)
    raise ValueError("method")
