"""Checks the room's SM2 signature over a certificate's data (GB/T 32918.2, SM3 of GB/T 32905), with no library for it.

Part of the stand-alone verifier (`certificate_verifier.py`): all its files lie in one folder. Only public values pass
through here, so it matters to nobody how long it takes; it is written from the standards, not from the library that
signs, so that a fault of that library does not vouch for itself. `openssl pkeyutl` says the same
(docs/spec/certificate.md).

There is one encoding of a signature: DER with shortest numbers, both from 1 to n - 1.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

DISTID: Final = b"1234567812345678"
"""The signer's identity that goes into every digest: the usual one of GM/T 0009, so that `openssl` needs no other."""
KEY_HEAD: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
"""Everything before the two coordinates in a public key (SubjectPublicKeyInfo) on the curve sm2p256v1."""
_WORD = 32
P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A: Final = P - 3
B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
G: Final = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123

_Point = tuple[int, int] | None


def holds(key: bytes, data: bytes, signature: bytes, *, distid: bytes = DISTID) -> bool:
    """Whether this is the signature over the data by this key; False for whatever is not well formed.

    Args:
        key: SubjectPublicKeyInfo, DER. signature: DER of r and s.
    """
    public = _public(key)
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        return False
    if public is None or not (0 < r < N and 0 < s < N) or encode_dss_signature(r, s) != signature:
        return False
    t = (r + s) % N
    if t == 0:
        return False
    reached = _twice(s, G, t, public)
    return reached is not None and (digest(public, data, distid) + reached[0]) % N == r


def digest(public: tuple[int, int], data: bytes, distid: bytes = DISTID) -> int:
    """e = SM3(Z ‖ data), with Z = SM3(ENTL ‖ distid ‖ a ‖ b ‖ G ‖ public key)."""
    numbers = (A, B, *G, *public)
    known = (
        (8 * len(distid)).to_bytes(2, "big")
        + distid
        + b"".join(one.to_bytes(_WORD, "big") for one in numbers)
    )
    return int.from_bytes(sm3(sm3(known) + data), "big")


def _public(key: bytes) -> tuple[int, int] | None:
    """The key's point, when it is one of the curve (its order is prime: no other group to fall into)."""
    if len(key) != len(KEY_HEAD) + 2 * _WORD or not key.startswith(KEY_HEAD):
        return None
    x, y = (int.from_bytes(key[at : at + _WORD], "big") for at in (len(KEY_HEAD), len(KEY_HEAD) + _WORD))
    return (x, y) if max(x, y) < P and (y * y - (x * x + A) * x - B) % P == 0 else None


def _twice(s: int, one: _Point, t: int, other: _Point) -> _Point:
    """[s] one + [t] other, bit by bit for both at once."""
    steps = {(1, 0): one, (0, 1): other, (1, 1): _add(one, other)}
    reached: _Point = None
    for bit in range(max(s, t).bit_length() - 1, -1, -1):
        reached = _add(reached, reached)
        step = steps.get((s >> bit & 1, t >> bit & 1))
        if step is not None:
            reached = _add(reached, step)
    return reached


def _add(one: _Point, other: _Point) -> _Point:
    """The sum of two points; None is the point at infinity."""
    if one is None or other is None:
        return other if one is None else one
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = (3 * one[0] * one[0] + A) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def sm3(data: bytes) -> bytes:
    """SM3 of `data`; by the formulas of the standard where the library's OpenSSL was built without it."""
    try:
        state = hashes.Hash(hashes.SM3())
    except (UnsupportedAlgorithm, InternalError):
        return sm3_slow(data)
    state.update(data)
    return state.finalize()


_START: Final = bytes.fromhex("7380166f4914b2b9172442d7da8a0600a96f30bc163138aae38dee4db0fb0e4e")
_MASK: Final = 0xFFFFFFFF


def sm3_slow(data: bytes) -> bytes:
    """SM3 word by word (GB/T 32905): about a megabyte in five seconds."""
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + (8 * len(data)).to_bytes(8, "big")
    value = _words(_START)
    for start in range(0, len(padded), 64):
        value = [old ^ new for old, new in zip(value, _block(value, padded[start : start + 64]), strict=True)]
    return b"".join(word.to_bytes(4, "big") for word in value)


def _block(value: list[int], block: bytes) -> list[int]:
    w = _words(block)
    for at in range(16, 68):
        mixed = w[at - 16] ^ w[at - 9] ^ _left(w[at - 3], 15)
        w.append(mixed ^ _left(mixed, 15) ^ _left(mixed, 23) ^ _left(w[at - 13], 7) ^ w[at - 6])
    a, b, c, d, e, f, g, h = value
    for at, (word, later) in enumerate(zip(w[:64], w[4:], strict=True)):
        ss1 = _left(_left(a, 12) + e + _left(0x79CC4519 if at < 16 else 0x7A879D8A, at), 7)
        first = a ^ b ^ c if at < 16 else a & b | a & c | b & c
        second = e ^ f ^ g if at < 16 else e & f | ~e & g
        tt1 = first + d + (ss1 ^ _left(a, 12)) + (word ^ later) & _MASK
        tt2 = second + h + ss1 + word & _MASK
        a, b, c, d = tt1, a, _left(b, 9), c
        e, f, g, h = tt2 ^ _left(tt2, 9) ^ _left(tt2, 17), e, _left(f, 19), g
    return [a, b, c, d, e, f, g, h]


def _left(word: int, by: int) -> int:
    word, by = word & _MASK, by % 32
    return (word << by | word >> 32 - by) & _MASK


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4)]
