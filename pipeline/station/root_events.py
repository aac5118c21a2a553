"""What became of the roots' places since `init`: mirrors added, media written off.

The registry keeps the list, in the same transaction as the ledger's entry; the station's file follows it. Whoever opens
the station applies what the file does not have yet, so that a break between the two leaves one truth. The list is not
sealed, since it says where the roots are that open the seals; it holds places, dates, epochs and persons, no words of
anybody.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from ...common.settings import Settings
from ...common.token_uri import is_token
from ...models.tables import Meta
from ...vault.medium import Claim

KEY = "root_events"
FATES = ("lost", "destroyed", "retired")
"""`lost`: gone, nobody knows where; `destroyed`: destroyed with what it held, as persons say; `retired`: attached, and
erased here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RootEvent:
    """A mirror added or a root written off."""

    act: str
    """`add`, `write_off`."""
    place: str
    """As the station's file names it."""
    at: str
    epoch: int
    """`add`: the first epoch it can hold; `write_off`: the last one that the medium can hold."""
    persons: tuple[str, str]
    """Who asked first and who second."""
    fate: str = ""
    erased: str | None = None
    """Of a retired one: the claim of its erasure, once it was done."""

    @property
    def confirmed(self) -> bool:
        """Whether a written-off root is known to be erased: done here, on a medium that keeps nothing."""
        return self.erased is not None and Claim(self.erased).proven


def events(session: Session) -> tuple[RootEvent, ...]:
    """All of them, oldest first."""
    row = session.get(Meta, KEY)
    return () if row is None else tuple(_event(plain) for plain in json.loads(row.value))


def keep(session: Session, known: Sequence[RootEvent]) -> None:
    """Writes the list."""
    session.merge(Meta(key=KEY, value=json.dumps([asdict(event) for event in known]).encode()))
    session.flush()


def lost(known: Sequence[RootEvent]) -> tuple[RootEvent, ...]:
    """Media that were written off and never confirmed erased."""
    return tuple(event for event in known if event.act == "write_off" and not event.confirmed)


def applied(settings: Settings, known: Sequence[RootEvent]) -> Settings:
    """The station's settings with what became of the roots since the file was written."""
    if settings.root_events >= len(known):
        return settings
    roots = [settings.root_path, *settings.mirrors]
    for event in known[settings.root_events :]:
        if event.act == "add" and event.place not in roots:
            roots.append(event.place)
        elif event.act == "write_off" and len(roots) > 1 and event.place in roots:
            roots.remove(event.place)
    return replace(
        settings, root_path=roots[0], mirrors=tuple(roots[1:]), single_root=len(roots) == 1,
        root_kind="pkcs11" if is_token(roots[0]) else "file", root_events=len(known),
    )  # fmt: skip


def since(known: Sequence[RootEvent]) -> dict[str, int]:
    """Place -> the first epoch that a root added there can hold."""
    return {event.place: event.epoch for event in known if event.act == "add"}


def _event(plain: dict[str, Any]) -> RootEvent:
    first, second = plain.pop("persons")
    return RootEvent(**plain, persons=(first, second))
