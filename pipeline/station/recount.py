"""Does the ledger replay to what the register says? In full for an audit, every day only for what happened since.

The point up to which an earlier count agreed stands in the registry. An everyday count starts there: whatever moved
since must have moved in a chain, and must stand where the chain ends. What did not move since is the audit's: someone
who changes a row of the registry behind the program's back is found at the next audit, not at closing time.
"""

from __future__ import annotations

import json

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...common.errors import Broken
from ...models.tables import Carrier, Copy, LedgerEntry, Meta
from ..desk import movements

_KEY = "movements.agreed"


def differences(session: Session, *, audit: bool = False) -> list[str]:
    """Ids of carriers and copies whose state is not what the ledger says; when there are none, that is written down.

    Raises:
        Broken: `movements_broken`, a movement starts from another state than the one before it ended in.
    """
    since = 0 if audit else agreed(session)
    last = session.scalar(select(func.max(LedgerEntry.seq))) or 0
    wrong = _since(session, since) if since else movements.differences(session)
    if not wrong:
        session.merge(Meta(key=_KEY, value=str(last).encode()))
    return wrong


def agreed(session: Session) -> int:
    """The ledger entry up to which a count agreed; 0 before the first."""
    row = session.get(Meta, _KEY)
    return int(row.value) if row is not None else 0


def _since(session: Session, seq: int) -> list[str]:
    """As the whole replay, of the objects that moved after an entry."""
    states: dict[tuple[str, str], str] = {}
    rows = session.scalars(
        select(LedgerEntry)
        .where(LedgerEntry.act == movements.ACT, LedgerEntry.seq > seq)
        .order_by(LedgerEntry.seq)
    )
    for row in rows:
        leaf = json.loads(row.leaf)
        facts, name = leaf["facts"], (leaf["facts"].get("kind", ""), leaf["objects"][0])
        if leaf["result"] != "done":
            continue
        if name in states and facts["before"] != states[name]:
            raise Broken("movements_broken", object=name[1], entry=row.seq)
        states[name] = facts["after"]
    wrong = []
    for (kind, name_), state in states.items():
        thing: movements.Thing | None
        if kind == "copy":
            thing = session.get(Copy, name_)
        elif kind == "carrier":
            thing = session.get(Carrier, name_)
        else:
            continue
        if thing is None or movements.state_of(thing) != state:
            wrong.append(name_)
    return sorted(wrong)
