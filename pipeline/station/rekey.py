"""`vault rekey`: every page of the key tree gets a new key, under a new root.

For a suspected compromise: who once got hold of a copy of root and passphrase, and of pages of the tree, knows keys of
pages that no destruction has touched since. After this none of them opens a page of today. The documents' own keys stay
as they are: whoever read one of those keys, and has the sealed file, has that document.

It is a key ceremony: two persons ask for it one after the other, within fifteen minutes, and the ledger names both.
Killed at any step it is done or not done at the next start, as a destruction is (vault.md section 3). Former backups
open no more: a new one is due.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from ...common.clock import iso
from ...common.errors import JiyaoError
from ...models.tables import Meta
from ..persons import four_eyes
from ..persons.actors import Actor, acting
from .station import Station

WITHIN = timedelta(minutes=15)
_ACT = "vault.rekey"
_KEY = "vault.rekey"


def rekey(station: Station, actor: Actor) -> dict[str, Any]:
    """The first person's call waits; a second person's, within fifteen minutes, re-keys.

    Returns:
        `state` (`waiting`, `rekeyed`, or `pending_key_epoch` while a root could not be reached), `first`, `second`,
        `until`, `epoch`, `key_pages`, `keys`, `roots`.

    Raises:
        Refused: `same_person_twice`, `delegated_hand`, `vault_busy`.
        Broken: the check before the former root is erased failed; then both roots stay.
    """
    with acting(station, actor, _ACT) as session:
        first = _first(station, session)
        if first is None:
            until = station.clock.now() + WITHIN
            word = station.seal(session, _KEY, {"person": actor.person, "until": iso(until)})
            session.merge(Meta(key=_KEY, value=word))
            station.log(session, _ACT, person=actor.person, account=actor.user, facts={"step": 1})
            return {"state": "waiting", "first": actor.person, "until": iso(until)}
        _apart(station, session, actor, first)
    with station.vault.rotating():
        with station.read() as session:
            station.vault.stage_root(session)
        with acting(station, actor, _ACT) as session:
            first = _first(station, session) or actor.person
            _apart(station, session, actor, first)
            session.delete(session.get_one(Meta, _KEY))
            done = station.vault.rewrite(session, [], whole=True)
            station.log(
                session, _ACT, person=actor.person, account=actor.user,
                facts={
                    "step": 2, "first": first, "epoch_before": done.epoch_before, "epoch_after": done.epoch_after,
                    "pages": done.pages,
                },
            )  # fmt: skip
        with station.read() as session:
            station.vault.check(session, done)
        with station.read() as session:
            recovery = station.vault.recover(session)
    return {
        "state": "rekeyed" if recovery.complete else "pending_key_epoch",
        "first": first,
        "second": actor.person,
        "epoch": recovery.epoch,
        "key_pages": done.pages,
        "keys": done.survivors,
        "roots": [root.state for root in recovery.roots],
    }


def _first(station: Station, session: Session) -> str | None:
    """Who asked first, not too long ago."""
    row = session.get(Meta, _KEY)
    if row is None:
        return None
    with suppress(JiyaoError):
        word = station.unseal(session, _KEY, row.value)
        now, until = station.clock.now(), datetime.fromisoformat(word["until"])
        if until - WITHIN <= now <= until:
            return str(word["person"])
    return None


def _apart(station: Station, session: Session, actor: Actor, first: str) -> None:
    roles = four_eyes.acts(_ACT)
    four_eyes.apart(
        session,
        actor.person,
        roles,
        [(first, roles)],
        since=iso(station.clock.now() - WITHIN),
        user=actor.user,
    )
