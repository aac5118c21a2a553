"""The Chinese commercial ciphers as this product needs them: SM4-GCM and SM3, from OpenSSL by `cryptography`.

Whether they are there depends on how the library's OpenSSL was built, so `probe` computes published values
first. SM2 signatures are made elsewhere (`sm2.py`), by an optional part: this library has none.
"""

from __future__ import annotations

from cryptography.exceptions import InternalError, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from .wipe import Buffer

KEY_BYTES = 16
_TAG_BYTES = 16
_SLACK = 15
"""`update_into` asks for a buffer longer than the data by one block less a byte, though GCM never fills it."""

_RFC_8998_KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
_RFC_8998_NONCE = bytes.fromhex("00001234567800000000abcd")
_RFC_8998_DATA = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
_RFC_8998_PLAIN = b"".join(bytes([value]) * 8 for value in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
_RFC_8998_SEALED = bytes.fromhex(
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    "83de3541e4c2b58177e065a9bf7b62ec"
)
_SM3_ABC = bytes.fromhex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")


class Sm4Gcm:
    """SM4 in Galois/Counter mode under a key of 16 bytes; the same calls as `AESGCM`."""

    __slots__ = ("_cipher",)

    def __init__(self, key: Buffer) -> None:
        self._cipher = SM4(bytes(key))

    def encrypt(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None, /) -> bytes:
        """Ciphertext and tag; `nonce` of 12 bytes, never twice under one key."""
        run = Cipher(self._cipher, modes.GCM(bytes(nonce))).encryptor()
        run.authenticate_additional_data(bytes(associated_data or b""))
        out = bytearray(len(data) + _SLACK + _TAG_BYTES)
        done = run.update_into(data, out)
        out[done : done + _TAG_BYTES] = run.finalize() + run.tag
        return bytes(memoryview(out)[: done + _TAG_BYTES])

    def decrypt(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None, /) -> bytes:
        """What was encrypted.

        Raises:
            InvalidTag: when anything of it was changed; nothing is given out then.
        """
        return bytes(self._opened(nonce, data, associated_data))

    def decrypt_into(
        self, nonce: Buffer, data: Buffer, associated_data: Buffer | None, buf: bytearray | memoryview, /
    ) -> int:
        """The same into `buf`, 16 bytes shorter than `data`; the bytes written.

        Raises:
            InvalidTag: as `decrypt`. ValueError: `buf` has another length.
        """
        opened = self._opened(nonce, data, associated_data)
        try:
            if len(buf) != len(opened):
                raise ValueError("buffer length")
            buf[:] = opened
        finally:
            opened[:] = bytes(len(opened))
        return len(buf)

    def _opened(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None) -> bytearray:
        view = memoryview(data)
        if len(view) < _TAG_BYTES:
            raise InvalidTag
        body, tag = view[:-_TAG_BYTES], bytes(view[-_TAG_BYTES:])
        run = Cipher(self._cipher, modes.GCM(bytes(nonce), tag)).decryptor()
        run.authenticate_additional_data(bytes(associated_data or b""))
        out = bytearray(len(body) + _SLACK)
        try:
            done = run.update_into(body, out)
            run.finalize()
        except InvalidTag:
            out[:] = bytes(len(out))
            raise
        del out[done:]
        return out


def sm3(data: Buffer) -> bytes:
    """SM3 of `data`, 32 bytes."""
    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()


def hmac_sm3(key: bytes | bytearray, data: Buffer) -> bytes:
    """HMAC with SM3 over `data`, 32 bytes."""
    state = hmac.HMAC(key, hashes.SM3())
    state.update(data)
    return state.finalize()


def probe() -> bool:
    """Whether the library here has SM4-GCM and SM3, and they give the values of RFC 8998 and GB/T 32905."""
    try:
        cipher = Sm4Gcm(_RFC_8998_KEY)
        sealed = cipher.encrypt(_RFC_8998_NONCE, _RFC_8998_PLAIN, _RFC_8998_DATA)
        opened = cipher.decrypt(_RFC_8998_NONCE, _RFC_8998_SEALED, _RFC_8998_DATA)
        known = sm3(b"abc") == _SM3_ABC and len(hmac_sm3(b"key", b"abc")) == len(_SM3_ABC)
    except (UnsupportedAlgorithm, InternalError, InvalidTag):
        return False
    return known and sealed == _RFC_8998_SEALED and opened == _RFC_8998_PLAIN
