"""DER, as far as a certificate of destruction needs it: definite lengths, each in its shortest form, no long tags.

Part of the stand-alone verifier (`certificate_verifier.py`): all its files lie in one folder.
"""

from __future__ import annotations

_KEY = 6
"""Place of the subject's public key in a certificate's signed part, after version, serial number, algorithm, issuer,
validity and subject (RFC 5280, 4.1)."""


def element(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start and end of the contents of the DER element at `at`; shortest lengths only."""
    tag, size, start = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise ValueError("long tag")
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[start : start + count], "big")
        start += count
        if not 1 <= count <= 4 or size < 0x80 or size >> 8 * (count - 1) == 0:
            raise ValueError("not the shortest length")
    if start + size > len(data):
        raise ValueError("cut off")
    return tag, start, start + size


def children(data: bytes, count: int | None = None) -> list[bytes]:
    """The elements one after the other, each whole; exactly `count` of them, where that is given."""
    parts, at = [], 0
    while at < len(data):
        end = element(data, at)[2]
        parts.append(data[at:end])
        at = end
    if count is not None and len(parts) != count:
        raise ValueError("another number of parts")
    return parts


def body(whole: bytes, tag: int) -> bytes:
    """The contents of one element with this tag, and of nothing else."""
    found, start, end = element(whole, 0)
    if found != tag or end != len(whole):
        raise ValueError("another element")
    return whole[start:end]


def only_body(whole: bytes, tag: int) -> bytes:
    """The one element that an element with this tag holds."""
    return children(body(whole, tag), 1)[0]


def public_key(certificate: bytes) -> bytes:
    """SubjectPublicKeyInfo of a certificate of version 3, of whatever algorithm."""
    return children(body(children(body(certificate, 0x30), 3)[0], 0x30))[_KEY]
