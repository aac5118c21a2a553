"""Anti-forensic splitting (Fruhwirth, LUKS on-disk format 1.1, section 2.4): a key spread over many stripes.

All stripes are needed to get the key back: a medium that keeps any one of them from being read again,
or an overwrite that reached any one of them, has killed the key.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

STRIPES = 4000
"""128 000 bytes for a key of 32."""


def af_split(
    key: bytes | bytearray,
    *,
    stripes: int = STRIPES,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytearray:
    """`stripes` x 32 bytes that merge to `key` (32 bytes)."""
    material = bytearray(random(32 * (stripes - 1)))
    last = _diffuse(material, stripes - 1) ^ int.from_bytes(key, "big")
    material += last.to_bytes(32, "big")
    return material


def af_merge(material: bytes | bytearray | memoryview, *, stripes: int = STRIPES) -> bytearray:
    """The key of 32 bytes. Damaged material gives another key, never an error: compare a digest."""
    last = int.from_bytes(material[32 * (stripes - 1) : 32 * stripes], "big")
    return bytearray((_diffuse(material, stripes - 1) ^ last).to_bytes(32, "big"))


def _diffuse(material: bytes | bytearray | memoryview, count: int) -> int:
    state = 0
    sha256, from_bytes = hashlib.sha256, int.from_bytes
    for at in range(0, 32 * count, 32):
        mixed = state ^ from_bytes(material[at : at + 32], "big")
        state = from_bytes(sha256(b"\0\0\0\0" + mixed.to_bytes(32, "big")).digest(), "big")
    return state
