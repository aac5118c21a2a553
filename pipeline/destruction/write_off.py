"""`vault mirror write-off`: a root medium that is lost, destroyed, or taken out of use.

What a missing mirror holds is a former root, with which copies of the key store from that time open. Until it is
erased a destruction waits (`pending_key_epoch`). Where it never comes back, two persons write it off: from then on it
is no root any more, the whole key tree is re-keyed without it, and the batches that waited are settled with the truth:
erased on so many of so many, one written off, by whom. What was on it is never called erased: certificates of
everything that was registered before go on saying so. A medium that is still attached is erased here, and the claim is
that of its medium.

Threats: one person alone making a missing copy of the root go away from the record (four eyes, ledger); a written-off
medium that comes back (its place is not read any more, and where the place was used again its epoch gives it away:
`root_written_off`). Not met: whoever has the medium, the passphrase and a copy of the registry of its time reads what
was alive then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import JiyaoError, NotThere, Refused, UsageFault
from ...models.tables import Destruction, Meta
from ...vault.roots import RootPlace, store_at
from ...vault.rotation import Recovery
from ..persons.actors import Actor, acting
from ..station import ceremony, root_events
from ..station.mirrors import ACT, place_named, place_of
from ..station.rekey import facts_of, value_of
from ..station.root_events import FATES, RootEvent
from ..station.secrets import Secrets
from ..station.station import Reason, Station
from . import settlement

_WRITE_OFF, _ERASED = "vault.mirror.write_off", "vault.mirror.erased"
_SEALED = "root_event"


def write_off(
    station: Station,
    actor: Actor,
    *,
    place: str,
    fate: str,
    reason: str,
    secrets: Secrets,
    single_root: bool = False,
) -> dict[str, Any]:
    """The first person's call waits; a second person's, within fifteen minutes and for the same, writes it off.

    Args:
        place: as `vault mirror list` shows it; the first root may be named too, its first mirror takes its place.
        fate: one of `FATES`. reason: free text, each person's own; sealed.
        single_root: acknowledges that only one root is left.

    Returns:
        `state` (`waiting`, `written_off`, `pending_key_epoch` while another root is away), `first`, `second`, `path`,
        `fate`, `erased`, `epoch`, `roots`, `settled` (batches), `backup_due`. Of a retired root that was to be erased
        when the program was broken off, one person's call finishes it.

    Raises:
        NotThere: `mirror_unknown`. UsageFault: `mirror_fate`.
        Refused: `mirror_last`, `mirror_single`, `mirror_attached`, `mirror_away`, `mirror_no_other`,
            `same_person_twice`, `delegated_hand`, `vault_busy`.
        Broken: the check before the former root is erased failed; then both roots stay.
    """
    place = place_named(place)
    if left := _not_erased(station, place):
        return {
            "state": "written_off", "path": place, "fate": left.fate, "first": left.persons[0],
            "second": left.persons[1], "erased": _erase(station, actor, place_of(place, secrets), left),
        }  # fmt: skip
    _require(station, place, fate, single_root=single_root)
    words, what = station.reason(reason), {"place": place, "fate": fate}
    with acting(station, actor, ACT) as session:
        if ceremony.first_of(station, session, actor, _WRITE_OFF, what) is None:
            value = ceremony.wait(station, session, actor, _WRITE_OFF, what)
            _log(station, session, actor, words, {"step": 1, "fate": fate})
            return {**value, "path": place, "fate": fate}
    at = place_of(place, secrets)
    with station.vault.rotating():
        station.vault.drop_root(at)
        with station.read() as session:
            staged = station.vault.stage_root(session)
        if not staged.written:
            raise Refused("mirror_no_other")
        with acting(station, actor, ACT) as session:
            first = ceremony.take(station, session, actor, _WRITE_OFF, what)
            done = station.vault.rewrite(session, [], whole=True)
            known = root_events.events(session)
            event = RootEvent(
                act="write_off", place=place, at=station.now(), epoch=done.epoch_before,
                persons=(first, actor.person), fate=fate,
            )  # fmt: skip
            root_events.keep(session, (*known, event))
            facts = {"first": first, "fate": fate, **facts_of(done), "roots": len(station.settings.roots) - 1}
            _log(station, session, actor, words, {"step": 2, **facts})
        with station.read() as session:
            station.vault.check(session, done)
        station.settings = root_events.applied(station.settings, (*known, event))
        station.keep_settings()
        with station.read() as session:
            recovery = station.vault.recover(session)
    erased = _erase(station, actor, at, event) if fate == "retired" else None
    return {
        "state": "written_off" if recovery.complete else "pending_key_epoch", "first": first,
        "second": actor.person, "path": place, "fate": fate, "erased": erased, **value_of(done, recovery),
        "settled": _settle(station, actor, recovery), "backup_due": True,
    }  # fmt: skip


def _not_erased(station: Station, place: str) -> RootEvent | None:
    """A retired root of this place that was still to be erased when the program was broken off."""
    if place in (station.settings.root_path, *station.settings.mirrors):
        return None
    with station.read() as session:
        known = [event for event in root_events.events(session) if event.place == place]
    last = known[-1] if known else None
    return last if last is not None and last.fate == "retired" and last.erased is None else None


def _require(station: Station, place: str, fate: str, *, single_root: bool) -> None:
    roots = [station.settings.root_path, *station.settings.mirrors]
    if fate not in FATES:
        raise UsageFault("mirror_fate", fate=fate, fates="、".join(FATES))
    if place not in roots:
        raise NotThere("mirror_unknown", path=place)
    if len(roots) == 1:
        raise Refused("mirror_last")
    if len(roots) == 2 and not single_root:
        raise Refused("mirror_single")
    states = dict(zip(roots, station.vault.root_status(), strict=True))
    attached = states[place].view.state == "present"
    if attached != (fate == "retired"):
        raise Refused("mirror_attached" if attached else "mirror_away", path=place)
    if not any(status.view.holds(station.vault.epoch) for name, status in states.items() if name != place):
        raise Refused("mirror_no_other")


def _log(station: Station, session: Session, actor: Actor, words: Reason, facts: dict[str, Any]) -> None:
    """The person's own words stay in the registry, sealed, under the number of the ledger's entry."""
    seq = station.log(session, _WRITE_OFF, person=actor.person, account=actor.user, reason=words, facts=facts)
    sealed = station.seal(session, _SEALED, words.sealed_form, bind=str(seq))
    session.add(Meta(key=f"{_SEALED}.{seq}", value=sealed))


def _erase(station: Station, actor: Actor, at: RootPlace, event: RootEvent) -> str | None:
    """Overwrites a root that is out of use; the claim of its medium, or None where it could not be done."""
    try:
        file = store_at(at)
        file.mend()
        file.wipe(0)
        file.wipe(1)
        claim = file.medium().claim.value
    except (OSError, JiyaoError):
        return None
    with acting(station, actor, ACT) as session:
        known = [replace(one, erased=claim) if one == event else one for one in root_events.events(session)]
        root_events.keep(session, known)
        station.log(
            session, _ERASED, person=actor.person, account=actor.user,
            facts={"claim": claim, "epoch": event.epoch},
        )  # fmt: skip
    return claim


def _settle(station: Station, actor: Actor, recovery: Recovery) -> list[str]:
    """The certified batches that waited for this medium alone."""
    if not recovery.complete:
        return []
    with station.read() as session:
        rows = session.scalars(select(Destruction).where(Destruction.verdict == "pending_key_epoch"))
        waiting = [row.id for row in rows.all() if settlement.waits(row)]
    for batch in waiting:
        settlement.write_addendum(station, actor, batch=batch, recovery=recovery)
    return waiting
