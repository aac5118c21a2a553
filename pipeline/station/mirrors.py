"""Mirrors of the root after `init`: listed, and added. Writing one off is `destruction/write_off.py`.

Adding is a key ceremony of two persons: who adds a mirror holds a copy of the root. In this order, each step able to be
broken off: the place is made ready and empty; the registry learns of it; then it gets the current key. So there is
never a copy of the key that the station does not know of and would not renew. The key is not changed by it: a re-keying
would make every backup unreadable and protect nothing, since the new medium gets the current key only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from ...common.errors import Refused
from ...common.settings import root_at
from ...common.token_uri import is_token
from ...models.ledger_entry import Fact
from ...models.tables import Destruction
from ...vault.medium import Medium
from ...vault.pkcs11_token import Token
from ...vault.roots import RootPlace, root_medium
from ..persons.actors import Actor, acting
from . import ceremony, root_events
from .roots import roots_found, weakest
from .secrets import Secrets
from .station import Station

ACT = "vault.mirror"
_ADD = "vault.mirror.add"


def place_named(text: str) -> str:
    """A place as the station's file names it: an absolute path, or a token's address.

    Raises:
        UsageFault: `token_uri`, `token_uri_pin`.
    """
    root_at(text)
    return text if is_token(text) else str(Path(text).absolute())


def place_of(text: str, secrets: Secrets) -> RootPlace:
    """The place as the vault takes it."""
    at = root_at(text)
    return at if isinstance(at, Path) else Token(at, pin=lambda uri: secrets.pin(uri))


def listed(station: Station, actor: Actor) -> dict[str, Any]:
    """The root and its mirrors, what was written off, and how many batches wait for a mirror."""
    with acting(station, actor, ACT) as session:
        known = root_events.events(session)
        pending = session.scalar(
            select(func.count()).where(
                Destruction.verdict == "pending_key_epoch", Destruction.phase.is_distinct_from("settled")
            )
        )
    found = roots_found(station.settings)
    rows = []
    for number, (root, status) in enumerate(zip(found, station.vault.root_status(), strict=True), start=1):
        held = [slot.epoch for slot in status.view.slots if slot.state == "held"]
        rows.append({
            "number": number, "path": root.name, "class": root.plain["class"], "reasons": root.plain["reasons"],
            "state": status.view.state, "epoch": max(held, default=None), "clean": status.clean,
        })  # fmt: skip
    return {
        "epoch": station.vault.epoch,
        "class": weakest(found),
        "roots": rows,
        "written_off": [written_off(event) for event in known if event.act == "write_off"],
        "pending_batches": pending or 0,
    }


def written_off(event: root_events.RootEvent) -> dict[str, Any]:
    """A medium that was written off, as commands tell it."""
    return {
        "path": event.place, "at": event.at, "fate": event.fate, "epoch": event.epoch, "by": list(event.persons),
        "erased": event.erased, "confirmed": event.confirmed,
    }  # fmt: skip


def add(station: Station, actor: Actor, *, place: str, secrets: Secrets) -> dict[str, Any]:
    """The first person's call waits; a second person's, within fifteen minutes and for the same place, adds the mirror.

    Args:
        place: a folder, best on a medium of its own, or a `pkcs11:` address.

    Returns:
        `state` (`waiting`, `added`), `first`, `second`, `path`, `class`, `reasons`, `roots`.

    Raises:
        Refused: `same_person_twice`, `delegated_hand`, `root_inside_home`, `root_same`, `root_exists`,
            `root_written_off`, `vault_busy`. MissingTool: `disk_full`. For a token: as `Token.session`.
    """
    place = place_named(place)
    what = {"add": place}
    with acting(station, actor, ACT) as session:
        if place in (station.settings.root_path, *station.settings.mirrors):
            raise Refused("root_same")
        if ceremony.first_of(station, session, actor, _ADD, what) is None:
            value = ceremony.wait(station, session, actor, _ADD, what)
            station.log(session, _ADD, person=actor.person, account=actor.user, facts={"step": 1})
            return {**value, "path": place}
    at = place_of(place, secrets)
    with station.vault.rotating():
        station.vault.prepare_root(at, home=station.home)
        medium = root_medium(at)
        with acting(station, actor, ACT) as session:
            first = ceremony.take(station, session, actor, _ADD, what)
            known = root_events.events(session)
            event = root_events.RootEvent(
                act="add",
                place=place,
                at=station.now(),
                epoch=station.vault.epoch,
                persons=(first, actor.person),
            )
            root_events.keep(session, (*known, event))
            station.log(
                session, _ADD, person=actor.person, account=actor.user,
                facts={"step": 2, "first": first, **_facts(medium), "roots": len(station.settings.roots) + 1},
            )  # fmt: skip
        station.settings = root_events.applied(station.settings, (*known, event))
        station.keep_settings()
        with station.read() as session:
            recovery = station.vault.add_root(session, at)
    return {
        "state": "added" if recovery.complete else "pending_key_epoch", "first": first, "second": actor.person,
        "path": place, "class": medium.root_class.value, "reasons": list(medium.reasons),
        "roots": [root.state for root in recovery.roots],
    }  # fmt: skip


def _facts(medium: Medium) -> dict[str, Fact]:
    return {"root_class": medium.root_class.value, "claim": medium.claim.value}
