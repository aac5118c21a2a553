"""Secrets in memory: held in `bytearray`, overwritten after use where Python allows.

Python may have copied a `bytes` value anywhere; only a `bytearray` we own can be overwritten. This narrows
the time a key lies in memory; it is no guarantee (docs/known-limits.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

Buffer = bytes | bytearray | memoryview


def wipe(*secrets: bytearray | None) -> None:
    """Overwrites each buffer with zeros, in place; None is passed over."""
    for secret in secrets:
        if secret is not None:
            secret[:] = bytes(len(secret))


@contextmanager
def wiped(*secrets: bytearray) -> Iterator[None]:
    """Overwrites the buffers when the block ends, also when it fails."""
    try:
        yield
    finally:
        wipe(*secrets)
