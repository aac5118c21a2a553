"""`vault rekey`: every page of the key tree gets a new key, under a new root.

For a suspected compromise: who once got hold of a copy of root and passphrase, and of pages of the tree, knows keys of
pages that no destruction has touched since. After this none of them opens a page of today. The documents' own keys stay
as they are: whoever read one of those keys, and has the sealed file, has that document.

It is a key ceremony: two persons ask for it one after the other, within fifteen minutes, and the ledger names both.
Killed at any step it is done or not done at the next start, as a destruction is (vault.md section 3). Former backups
open no more: a new one is due.
"""

from __future__ import annotations

from typing import Any

from ...models.ledger_entry import Fact
from ...vault.rotation import Recovery, Rewritten
from ..persons.actors import Actor, acting
from . import ceremony
from .station import Station

_ACT = "vault.rekey"


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
        if ceremony.first_of(station, session, actor, _ACT) is None:
            value = ceremony.wait(station, session, actor, _ACT)
            station.log(session, _ACT, person=actor.person, account=actor.user, facts={"step": 1})
            return value
    with station.vault.rotating():
        with station.read() as session:
            station.vault.stage_root(session)
        with acting(station, actor, _ACT) as session:
            first = ceremony.take(station, session, actor, _ACT)
            done = station.vault.rewrite(session, [], whole=True)
            station.log(
                session, _ACT, person=actor.person, account=actor.user,
                facts={"step": 2, "first": first, **facts_of(done)},
            )  # fmt: skip
        with station.read() as session:
            station.vault.check(session, done)
        with station.read() as session:
            recovery = station.vault.recover(session)
    return {
        "state": "rekeyed" if recovery.complete else "pending_key_epoch",
        "first": first,
        "second": actor.person,
        **value_of(done, recovery),
    }


def facts_of(done: Rewritten) -> dict[str, Fact]:
    """What the ledger says of a re-keying."""
    return {"epoch_before": done.epoch_before, "epoch_after": done.epoch_after, "pages": done.pages}


def value_of(done: Rewritten, recovery: Recovery) -> dict[str, Any]:
    """What a command says of it."""
    return {
        "epoch": recovery.epoch, "key_pages": done.pages, "keys": done.survivors,
        "roots": [root.state for root in recovery.roots],
    }  # fmt: skip
