"""Limits around hostile input. Passing one is a named error, never a crash (style rule 7)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost; sizes in bytes, times in seconds, pixels per page."""

    file_bytes: int = 512 * 1024 * 1024
    unpacked_bytes: int = 1024 * 1024 * 1024
    pages: int = 2000
    page_pixels: int = 120_000_000
    text_chars: int = 5_000_000
    seconds_per_document: float = 55.0
    seconds_per_page: float = 30.0
    worker_rss_bytes: int = 1_400 * 1024 * 1024


DEFAULT_LIMITS = Limits()
