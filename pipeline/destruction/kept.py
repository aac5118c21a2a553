"""What is kept of a batch in its row, read back."""

from __future__ import annotations

import json
from typing import Any

from ...models.tables import Destruction

_DERIVED = ("count", "kind", "outcome")


def kept_of(row: Destruction) -> dict[str, Any]:
    """What came out of a batch so far, as plain JSON; to be read only.

    What became of one kind of thing is the same for thousands of lines: equal ones are one object here, so that a
    large batch needs a third of the memory.
    """
    seen: dict[tuple[Any, ...], dict[str, Any]] = {}

    def shared(plain: dict[str, Any]) -> dict[str, Any]:
        return seen.setdefault(tuple(plain.values()), plain) if tuple(plain) == _DERIVED else plain

    read: dict[str, Any] = json.loads(row.outcomes or b"{}", object_hook=shared)
    return read
