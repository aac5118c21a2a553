"""Heads on paper: the day's slip, its check in later years, and the witness one room bears for another's ledger.

Threat model: whoever administers a station rewrites its ledger as a whole, heads and all. A slip that lies with another
room, and stands in that room's ledger, says what the ledger was; two rooms would have to be rewritten together.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Broken, Refused, UsageFault
from ...common.files import write_new
from ...ledger import log
from ...ledger.verifier import read_slip
from ...models.tables import LedgerEntry
from ...stages.checkpoint_slip import draw_checkpoint_slip, slip_of
from ..persons.actors import Actor, acting
from . import known_head
from .ledgers import identity_of, signed_head
from .station import Station

WITNESSED = "ledger.witness"


def write_slip(station: Station, actor: Actor, *, out: Path) -> dict[str, Any]:
    """Writes the slip of a fresh signed head; that it was made is an entry behind it."""
    with acting(station, actor, "ledger.slip") as session:
        head = signed_head(station, session)
        origin = identity_of(station, session).origin
        slip = slip_of(
            origin=origin, size=head.size, root=head.root, at=head.at or "", signature=head.signature or b""
        )
        station.log(
            session, "ledger.slip", person=actor.person, account=actor.user,
            facts={"size": head.size, "root": head.root.hex()},
        )  # fmt: skip
    known_head.remember(station.home, slip.origin, head)
    digest = write_new(out, draw_checkpoint_slip(slip, unit=station.settings.unit))
    return {
        "file": str(out), "sha256": digest, "code": slip.code, "entries": slip.size, "root": slip.root, "at": slip.at,
    }  # fmt: skip


def check_slip(station: Station, *, code: str) -> dict[str, Any]:
    """Whether the ledger still begins with what an own slip says.

    Raises:
        UsageFault: `slip_unreadable`. Refused: `slip_other_station`. Broken: `slip_not_held`.
    """
    slip = read(code)
    with station.read() as session:
        if slip["origin"] != identity_of(station, session).origin:
            raise Refused("slip_other_station", origin=slip["origin"])
        held = slip["size"] <= log.size(session)
        head = log.head_at(session, slip["size"]) if held else None
        same = head is not None and head.root.hex() == slip["root"]
        signed = (
            head is not None
            and head.signature is not None
            and hashlib.sha256(head.signature).hexdigest() == slip["signature_sha256"]
        )
        entries = log.size(session)
    value = {"ok": same, "entries": entries, "signed": signed, **slip}
    if not same:
        raise Broken("slip_not_held", value=value, size=slip["size"])
    return value


def witness(station: Station, actor: Actor, *, code: str) -> dict[str, Any]:
    """Writes another room's head into this station's ledger; it must not contradict what was witnessed before.

    Raises:
        UsageFault: `slip_unreadable`. Refused: `own_slip`. Broken: `witness_contradicts`.
    """
    slip = read(code)
    with acting(station, actor, WITNESSED) as session:
        if slip["origin"] == identity_of(station, session).origin:
            raise Refused("own_slip")
        earlier = _witnessed(session, slip["origin"])
        last = max(earlier, key=lambda one: int(one["size"]), default=None)
        same_size = [one for one in earlier if one["size"] == slip["size"]]
        if any(one["root"] != slip["root"] for one in same_size) or (
            last is not None and int(last["size"]) > slip["size"] and not same_size
        ):
            raise Broken("witness_contradicts", origin=slip["origin"], size=slip["size"])
        seq = station.log(
            session, WITNESSED, person=actor.person, account=actor.user,
            facts={
                "origin": slip["origin"], "size": slip["size"], "root": slip["root"],
                "signature": slip["signature_sha256"],
            },
        )  # fmt: skip
    return {**slip, "seq": seq, "earlier": len(earlier), "last": last["size"] if last else None}


def _witnessed(session: Session, origin: str) -> list[dict[str, Any]]:
    leaves = session.scalars(
        select(LedgerEntry.leaf).where(LedgerEntry.act == WITNESSED).order_by(LedgerEntry.seq)
    )
    facts = [json.loads(leaf) for leaf in leaves]
    return [
        entry["facts"]
        for entry in facts
        if entry["result"] == "done" and entry["facts"].get("origin") == origin
    ]


def read(code: str) -> dict[str, Any]:
    """What a slip's code says.

    Raises:
        UsageFault: `slip_unreadable`.
    """
    try:
        return read_slip(code)
    except ValueError:
        raise UsageFault("slip_unreadable") from None
