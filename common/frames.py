"""What goes through the pipes between coordinator and worker, both ways.

A frame: 4 bytes big-endian length and that many bytes of UTF-8 JSON, then 8 bytes length and that many raw bytes.
Whoever reads sets the limits: the other side may have been taken over.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO


def read_frame(
    source: BinaryIO, *, header_bytes: int = 1 << 32, data_bytes: int = 1 << 33
) -> tuple[dict[str, Any], bytes] | None:
    """The next frame; None at the end of the input.

    Raises:
        ValueError: longer than the limits, or no JSON.
    """
    head = _exactly(source, 4)
    if head is None:
        return None
    header = _exactly(source, _within(struct.unpack(">I", head)[0], header_bytes))
    size = _exactly(source, 8)
    if header is None or size is None:
        return None
    data = _exactly(source, _within(struct.unpack(">Q", size)[0], data_bytes))
    return None if data is None else (json.loads(header), data)


def _within(count: int, limit: int) -> int:
    if count > limit:
        raise ValueError("frame too long")
    return count


def write_frame(sink: BinaryIO, header: dict[str, Any], *data: bytes) -> None:
    """Writes one frame, its bytes given in pieces, and flushes it."""
    plain = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    sink.write(struct.pack(">I", len(plain)) + plain + struct.pack(">Q", sum(map(len, data))))
    for piece in data:
        sink.write(piece)
    sink.flush()


def _exactly(source: BinaryIO, count: int) -> bytes | None:
    data = source.read(count)
    return data if len(data) == count else None
