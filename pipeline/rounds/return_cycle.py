"""When originals go back to their issuer: on the day it asks for, else by the unit's choice `return_cycle` (C-03).

The cycle runs for secret papers of superior organs from the day of receipt, once the entry is confirmed (R-086, R-087);
the issuer's own day takes its place (`clearing.require`).
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.period import add_months
from ...models.tables import Carrier, Document, Receipt
from ..desk import timers
from ..persons import subjects
from ..station.station import Station

CLOCK = "return_to_issuer"
HERE = ("held", "out", "lent", "carried", "missing")
"""States of an original that can still go back."""
_CYCLES = {"monthly_internal_6m_return": 6, "yearly_return": 12, "as_issuer_requires": None}
"""Option of `return_cycle` -> months from receipt; None: only when the issuer asks."""


def begin(station: Station, session: Session, row: Document) -> None:
    """Starts the cycle's clock for the originals of a confirmed document, where it applies and none runs yet."""
    months = _CYCLES.get(str(station.policy.choices.get("return_cycle")))
    if months is None or not subjects.of_superior(station.policy, row):
        return
    if CLOCK not in station.policy.desk.clocks:
        return
    carriers = session.execute(
        select(Carrier, Receipt.at)
        .join(Receipt, Receipt.id == Carrier.receipt_id)
        .where(Carrier.document_id == row.id, Carrier.state.in_(HERE))
        .order_by(Carrier.id)
    ).all()
    for carrier, received in carriers:
        if not timers.is_running(session, CLOCK, carrier.id):
            timers.begin(
                station, session, CLOCK, kind="carrier", object_id=carrier.id, document=row, holder=carrier.holder,
                due=add_months(date.fromisoformat(received[:10]), months),
            )  # fmt: skip
