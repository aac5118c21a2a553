"""The room's SM2 key (GB/T 32918.2): made once, and used for a second signature over a certificate's data.

Threat model: a signature's secret number that can be guessed, or is used twice, gives the private key away. Each is
drawn by the operating system's generator (`secrets`), and drawn again until it lies in range; no remainder is taken.
The private key lies sealed in the registry and is a number in memory for the length of a signature.

Accepted: the library (`gmalg`, an optional part) computes in plain Python, so the time a signature takes depends on
key and number: who can time many signatures on this machine to the microsecond may learn of the key. A room makes a few
a day, on a machine without a network. Python cannot wipe the numbers it computed with. The library is tried with the
standard's example before it is used, and what it signs is checked by code that is not its own before it is given out
(`ledger/certificate_sm2.py`): a fault in a computation can give a key away too.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ..common.errors import Broken, MissingTool
from .sm import sm3

KEY_BYTES: Final = 32
_DISTID: Final = b"1234567812345678"
_HEAD: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
_P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_G: Final = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
_N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123

# GB/T 32918.5-2017, annex A.2: message, private key, secret number, signature.
_MESSAGE: Final = b"message digest"
_PRIVATE: Final = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
_NUMBER: Final = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
_SIGNED: Final = (
    0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3,
    0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA,
)


@dataclass(frozen=True, slots=True, repr=False)
class Sm2Credential:
    """A private key (32 bytes) and its certificate (DER), which the station's own authority gave."""

    private: bytearray
    certificate_der: bytes


class _Sm3:
    """The library's own hash takes two seconds a megabyte; this is the one of the suite."""

    def __init__(self) -> None:
        self._data = bytearray()

    def reset(self) -> None:
        """Forgets what came before."""
        self._data.clear()

    def update(self, data: bytes) -> None:
        """Takes more."""
        self._data += data

    def value(self) -> bytes:
        """The hash of all of it."""
        return sm3(self._data)

    @staticmethod
    def hash_length() -> int:
        """In bytes."""
        return 32


@cache
def available() -> bool:
    """Whether the library is there and makes the standard's example, tried once."""
    try:
        signed: tuple[int, int] = _core(lambda _bits: _NUMBER).sign(_MESSAGE, _PRIVATE, _DISTID)
    except MissingTool:
        return False
    return signed == _SIGNED


def make_key() -> bytearray:
    """A private key: 32 bytes, from 1 to n - 2.

    Raises:
        MissingTool: `sm2_library_missing`.
    """
    _require()
    return bytearray((1 + secrets.randbelow(_N - 2)).to_bytes(KEY_BYTES, "big"))


def public_of(private: bytearray) -> bytes:
    """The public key (SubjectPublicKeyInfo, DER).

    Raises:
        MissingTool: `sm2_library_missing`. Broken: `signing_key_broken`.
    """
    _require()
    point: tuple[int, int] = _core(secrets.randbits).generate_pk(_number(private))
    x, y = point
    return _HEAD + x.to_bytes(KEY_BYTES, "big") + y.to_bytes(KEY_BYTES, "big")


def sign(data: bytes, private: bytearray) -> bytes:
    """The signature over `data`, with SM3 and the usual identity `1234567812345678`; DER of r and s.

    Raises:
        MissingTool: `sm2_library_missing`. Broken: `signing_key_broken`.
    """
    _require()
    r, s = _core(secrets.randbits).sign(data, _number(private), _DISTID)
    return encode_dss_signature(r, s)


def _number(private: bytearray) -> int:
    number = int.from_bytes(private, "big")
    if len(private) != KEY_BYTES or not 0 < number < _N - 1:
        raise Broken("signing_key_broken")
    return number


def _require() -> None:
    if not available():
        raise MissingTool("sm2_library_missing")


def _core(draw: Callable[[int], int]) -> Any:
    """The library's algorithm; `draw` gives so many random bits."""
    try:
        from gmalg.ellipticcurve import ECDLP
        from gmalg.sm2 import SM2Core
    except ImportError as error:
        raise MissingTool("sm2_library_missing") from error
    return SM2Core(ECDLP(_P, _P - 3, _B, _G, _N), _Sm3(), draw)
