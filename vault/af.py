"""Anti-forensic splitting (Fruhwirth, LUKS on-disk format 1.1, section 2.4): a key spread over many stripes.

All stripes are needed to get the key back: a medium that keeps any one of them from being read again,
or an overwrite that reached any one of them, has killed the key.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from struct import iter_unpack

Digest = Callable[[bytes], bytes]
STRIPES = 4000
"""128 000 bytes for a key of 32."""


def sha256(data: bytes) -> bytes:
    """The digest of LUKS and of suite `aes`."""
    return hashlib.sha256(data).digest()


def af_split(
    key: bytes | bytearray,
    *,
    stripes: int = STRIPES,
    digest: Digest = sha256,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytearray:
    """`stripes` x 32 bytes that merge to `key` (32 bytes) under the same `digest` (32 bytes out)."""
    material = bytearray(random(32 * (stripes - 1)))
    last = _diffuse(material, stripes - 1, digest) ^ int.from_bytes(key, "big")
    material += last.to_bytes(32, "big")
    return material


def af_merge(
    material: bytes | bytearray | memoryview, *, stripes: int = STRIPES, digest: Digest = sha256
) -> bytearray:
    """The key of 32 bytes. Damaged material gives another key, never an error: compare a digest."""
    last = int.from_bytes(material[32 * (stripes - 1) : 32 * stripes], "big")
    return bytearray((_diffuse(material, stripes - 1, digest) ^ last).to_bytes(32, "big"))


def _diffuse(material: bytes | bytearray | memoryview, count: int, digest: Digest) -> int:
    state = 0
    from_bytes = int.from_bytes
    for (stripe,) in iter_unpack("32s", memoryview(material)[: 32 * count]):
        # 36 bytes: the block's number, always 0 for a digest as long as a stripe, stands before it as u32
        state = from_bytes(digest((state ^ from_bytes(stripe, "big")).to_bytes(36, "big")), "big")
    return state
