"""The number a copy carries, and the text of its barcode. Grammar and vectors: docs/spec/copy-barcode.md.

Threat model. The paper is in the attacker's hands. He may read every barcode he holds, make any barcode he
likes and know this file; he does not know the station's mark key.

- The 48-bit forensic id tells outsiders nothing (not how many copies there are, nor their order).
- He cannot make a barcode for another copy's id: 72 bits of HMAC-SHA256 stand behind it; one reading of a
  random text passes with probability 2^-72.
- He *can* copy a barcode he has seen onto another paper, cut barcodes off, or cover them. A read barcode
  is therefore a lead, never a finding.
- The station tag is public: a hash that only tells "not made here" from "made to look as if made here".
  Two stations share a tag with probability 2^-32; then a foreign code would be called forged.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

ID_BITS = 48
MAC_BITS = 72
TAG_BYTES = 4
MIN_KEY_BYTES = 16

_HALF = ID_BITS // 2
_MASK = (1 << _HALF) - 1
_ROUNDS = 10
_FEISTEL = b"jiyao/forensic-id/v1\x00"
_MAC = b"jiyao/copy-barcode/v1\x00"
_TAG = b"jiyao/station-tag/v1\x00"
_PREFIX = "JYC"
_VERSION = "1"
_BODY_BYTES = TAG_BYTES + ID_BITS // 8 + MAC_BITS // 8
_BODY_CHARS = (_BODY_BYTES * 8 + 4) // 5

TEXT_CHARS = len(_PREFIX) + len(_VERSION) + _BODY_CHARS
"""Length of a barcode text: 35 characters, the most a 29 x 29 QR code holds at level H."""

Standing = Literal["own", "forged", "foreign", "unknown_version", "not_ours"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a barcode text is to this station. `id` is set for `own` only: nothing else may be looked up.

    `own`: made here, the MAC holds. `forged`: bears this station's tag, the MAC does not hold (or is not in
    canonical form). `foreign`: another station's tag. `unknown_version`: of a later edition of this format.
    `not_ours`: some other barcode.
    """

    standing: Standing
    id: int | None = None


def forensic_id(key: bytes, serial: int) -> int:
    """The 48-bit id of a copy serial: a keyed permutation of 0 … 2^48 - 1.

    Balanced Feistel network of ten rounds (as many as NIST SP 800-38G FF1), round function the first
    24 bits of HMAC-SHA256.

    Raises:
        ValueError: when the key is shorter than 16 bytes or the serial is not of 48 bits.
    """
    left, right = _halves(key, serial)
    for number in range(_ROUNDS):
        left, right = right, left ^ _round(key, number, right)
    return left << _HALF | right


def serial_of(key: bytes, id: int) -> int:
    """The serial of a forensic id: the inverse of `forensic_id`.

    Raises:
        ValueError: as `forensic_id`.
    """
    left, right = _halves(key, id)
    for number in reversed(range(_ROUNDS)):
        left, right = right ^ _round(key, number, left), left
    return left << _HALF | right


def station_tag(store_uuid: str) -> bytes:
    """The station's public tag, 4 bytes: a hash of the store's uuid (as text)."""
    return hashlib.sha256(_TAG + store_uuid.encode()).digest()[:TAG_BYTES]


def encode(key: bytes, tag: bytes, id: int) -> str:
    """The barcode text of a forensic id: 35 characters of the QR alphanumeric set.

    Raises:
        ValueError: when key, tag or id have the wrong size.
    """
    _halves(key, id)
    if len(tag) != TAG_BYTES:
        raise ValueError("tag of 4 bytes expected")
    number = id.to_bytes(ID_BITS // 8, "big")
    body = tag + number + _mac(key, tag, number)
    return _PREFIX + _VERSION + base64.b32encode(body).decode("ascii").rstrip("=")


def decode(key: bytes, tag: bytes, text: str) -> Verdict:
    """What `text`, read from anywhere, is to the station with this key and tag. Never raises on text."""
    if not text.isascii() or not text.startswith(_PREFIX) or len(text) < len(_PREFIX) + 1:
        return Verdict("not_ours")
    version, body_text = text[len(_PREFIX)], text[len(_PREFIX) + 1 :]
    if version != _VERSION:
        return Verdict("unknown_version" if version.isdigit() else "not_ours")
    body = _unbase32(body_text)
    if body is None:
        return Verdict("not_ours")
    found, number, mac = body[:TAG_BYTES], body[TAG_BYTES : TAG_BYTES + 6], body[TAG_BYTES + 6 :]
    if not hmac.compare_digest(found, tag):
        return Verdict("foreign")
    canonical = base64.b32encode(body).decode("ascii").rstrip("=") == body_text
    if not hmac.compare_digest(mac, _mac(key, tag, number)) or not canonical:
        return Verdict("forged")
    return Verdict("own", int.from_bytes(number, "big"))


def looks_like_copy(text: str) -> bool:
    """Whether a barcode text claims to be a copy barcode of any station or edition."""
    return text.startswith(_PREFIX) and text[len(_PREFIX) : len(_PREFIX) + 1].isdigit()


def false_rate(readings: int) -> float:
    """Bound of the probability that any of `readings` random texts passes for a copy of this station."""
    return min(1.0, max(1, readings) * 2.0**-MAC_BITS)


def _halves(key: bytes, value: int) -> tuple[int, int]:
    if len(key) < MIN_KEY_BYTES:
        raise ValueError("mark key of at least 16 bytes expected")
    if not 0 <= value < 1 << ID_BITS:
        raise ValueError("number of 48 bits expected")
    return value >> _HALF, value & _MASK


def _round(key: bytes, number: int, half: int) -> int:
    message = _FEISTEL + bytes([number]) + half.to_bytes(3, "big")
    return int.from_bytes(hmac.digest(key, message, "sha256")[:3], "big")


def _mac(key: bytes, tag: bytes, number: bytes) -> bytes:
    return hmac.digest(key, _MAC + tag + number, "sha256")[: MAC_BITS // 8]


def _unbase32(text: str) -> bytes | None:
    if len(text) != _BODY_CHARS:
        return None
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        return None
