"""Which file of a batch goes first, as far as its name tells (特提, 特急, 加急; 条例 art. 9: 紧急程度)."""

from __future__ import annotations

import re

_URGENT = re.compile(r"特提|特急|加急")


def is_urgent(name: str) -> bool:
    """Whether a file's name says so."""
    return _URGENT.search(name) is not None
