"""The lane 缓急 of a register row: what waits for a person goes by its urgency, before everything else.

Papers: 特急 before 加急; telegrams: 特提, 特急, 加急, 平急 (official-documents.md section 3). The database works it out
itself from status and urgency, so that it can stand in an index and no writer can forget it.
"""

from __future__ import annotations

from typing import Final

WAITING: Final = ("received", "pending", "pending_second")
RANKS: Final[dict[str, int]] = {"特提": 0, "特急": 1, "加急": 2, "急件": 2, "平急": 3}
LAST: Final = 9

LANE_SQL: Final = (
    "CASE WHEN status IN ("
    + ", ".join(f"'{status}'" for status in WAITING)
    + ") THEN CASE urgency "
    + " ".join(f"WHEN '{word}' THEN {rank}" for word, rank in RANKS.items())
    + f" ELSE {LAST} END ELSE {LAST} END"
)
"""The column's expression."""
