"""How the database finds what a question asks for: which of its queries read a large table row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import event

from ..station.station import Station

LARGE: Final = frozenset(
    (
        "documents", "copies", "carriers", "movements", "timers", "events", "matters", "matter_items", "matter_steps",
        "approvals", "artefacts", "batches", "circle_members", "clear_places", "ledger_entries", "readings", "receipts",
        "scans", "search_slots", "tallies",
    )
)  # fmt: skip
PARTIAL: Final = (
    "ix_documents_event",
    "ix_documents_terms_open",
    "ix_documents_unfiled",
    "ix_documents_to_review",
    "ix_copies_out",
    "ix_carriers_away",
    "ix_copies_sent",
)
"""Indexes of the few rows for which a clock has no date, or that are out."""
_COUNTED: Final = ("SELECT count", "GROUP BY")
"""What counts all rows walks an index from end to end."""


@contextmanager
def queries(station: Station) -> Iterator[list[tuple[str, Any]]]:
    """Every SELECT that runs, with its values."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _k: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            seen.append((statement, values))

    event.listen(station.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(station.engine, "before_cursor_execute", note)


def scans(station: Station, statement: str, values: Any) -> list[str]:
    """The large tables that a query reads row by row; with their index where one is walked from end to end."""
    names = dict(re.findall(r"(\w+) AS (\w+)", statement))
    with station.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    found = []
    for row in plan:
        match = re.match(r"SCAN (\w+)(.*)", row[-1])
        table = match and next((old for old, new in names.items() if new == match[1]), match[1])
        if match and table in LARGE:
            page = " LIMIT " in statement and not any("TEMP B-TREE" in one[-1] for one in plan)
            counted = "USING" in match[2] and any(one in statement for one in _COUNTED)
            if not page and not counted and not match[2].endswith(PARTIAL):
                found.append(row[-1])
    return found
