"""The clock guard: time that went back, or jumped more than a day past the newest ledger entry, is not trusted.

What time decides (expiry, approvals' validity, delegations) then stops until two persons have confirmed the clock.
Threat: whoever holds the operating system can set the clock to make a retention period look expired. There is no
option to set the time from outside; this guard notices the attempt and leaves the word to two persons. It looks before
every entry of the ledger, so that no entry (a refused call, a watcher's) can make a jump look like the newest time.
Not met: a clock that creeps forward by less than a day between two entries.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from ...common.clock import iso
from ...common.errors import Refused
from ...ledger import log as ledger
from ...models.tables import Meta
from ..persons import four_eyes

if TYPE_CHECKING:
    from .station import Station

BACK = timedelta(minutes=2)
AHEAD = timedelta(hours=24)
DOUBT = "clock.doubt"
"""The ledger's act of a noticed jump; the one entry before which the guard does not look."""
_KEY = "clock_guard"


def look(station: Station, session: Session) -> dict[str, Any] | None:
    """Compares clock and ledger; remembers a jump. Returns the open doubt, None when time is trusted."""
    doubt = _load(session)
    newest = ledger.newest_at(session)
    if newest is None:
        return doubt
    now = station.clock.now()
    kind = "back" if now < newest - BACK else "ahead" if now > newest + AHEAD else None
    if kind:
        last = doubt["last"] if doubt else iso(newest)
        doubt = {"kind": kind, "last": last, "seen": station.now(), "confirmed_by": []}
        _save(session, doubt)
        station.log(session, DOUBT, result="failed", facts={"kind": kind, "last": iso(newest)})
    return doubt


def trust_time(station: Station, session: Session) -> None:
    """For acts that time decides.

    Raises:
        Refused: the clock waits for two persons.
    """
    if (doubt := look(station, session)) is not None:
        raise refusal(station, doubt)


def refusal(station: Station, doubt: dict[str, Any]) -> Refused:
    """What an act that time decides is told."""
    return Refused("clock_unconfirmed", last=doubt["last"], now=station.now())


def confirm(session: Session, person: str) -> dict[str, Any]:
    """One person's word that the clock is right; the second one ends the doubt.

    Raises:
        Refused: the same hand twice.
    """
    doubt = _load(session)
    if doubt is None:
        return {"trusted": True, "confirmed_by": []}
    roles = four_eyes.acts("clock.confirm")
    # the time of before the jump: what the clock says now ends no delegation
    before = [(one, roles) for one in doubt["confirmed_by"]]
    four_eyes.apart(session, person, roles, before, since=str(doubt["last"]))
    doubt["confirmed_by"].append(person)
    trusted = len(doubt["confirmed_by"]) >= 2
    _save(session, None if trusted else doubt)
    return {"trusted": trusted, **doubt}


def _load(session: Session) -> dict[str, Any] | None:
    row = session.get(Meta, _KEY)
    return json.loads(row.value) if row is not None else None


def _save(session: Session, doubt: dict[str, Any] | None) -> None:
    row = session.get(Meta, _KEY)
    if doubt is None:
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(Meta(key=_KEY, value=json.dumps(doubt).encode()))
    else:
        row.value = json.dumps(doubt).encode()
    session.flush()
