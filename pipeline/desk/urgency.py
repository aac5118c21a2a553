"""What is urgent goes first: the order of lists, and the clock of telegrams, which starts at receipt.

Papers: 特急 before 加急; telegrams: 特提, 特急, 加急, 平急 (official-documents.md section 3). How long each may take is
policy data (`deadlines.telegram_handling`, `telegram_ack_minutes`).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement

from ...common.clock import iso
from ...models.lane import LAST as LAST
from ...models.lane import RANKS as RANKS
from ...models.lane import WAITING as WAITING
from ...models.policy.schema import Duration
from ...models.tables import Document
from ..station.station import Station

_ONLY_TELEGRAMS = frozenset({"特提", "平急"})
_TELEGRAM_NUMBER = re.compile(r"(?:明电|密电|发电|电)[〔\[(]|(?:明|密)(?:传|电)")
_TELEGRAM_KINDS = frozenset({"电报", "发电", "明电", "密电", "传真电报"})
_ORDINARY = "一般"


def urgent_first() -> ColumnElement[int]:
    """An order: what waits by its urgency, before everything else."""
    return Document.lane.expression


def telegram_clock(station: Station, row: Document, number: str | None) -> dict[str, Any] | None:
    """The clock of a telegram: since when it runs, until when it is to be acknowledged and handled; None for papers."""
    telegram = (
        row.urgency in _ONLY_TELEGRAMS
        or row.kind in _TELEGRAM_KINDS
        or "cipher_telegram" in row.overlays.split(",")
        or (number is not None and _TELEGRAM_NUMBER.search(number) is not None)
    )
    if not telegram:
        return None
    deadlines = station.policy.deadlines
    since = datetime.fromisoformat(row.received_at)
    allowed = deadlines.telegram_handling.get(row.urgency or _ORDINARY)
    allowed = allowed or deadlines.telegram_handling.get(_ORDINARY)
    return {
        "since": row.received_at,
        "acknowledge_by": iso(since + timedelta(minutes=deadlines.telegram_ack_minutes)),
        "handle_by": iso(_after(since, allowed)) if allowed is not None else None,
    }


def _after(since: datetime, allowed: Duration) -> datetime:
    """Days and seconds after a time; a month counts as thirty days: telegrams are given days."""
    return since + timedelta(days=allowed.days + 30 * allowed.months, seconds=allowed.seconds)
