"""存放位置: what stands where, by level; 绝密 in a place of its own (002-A§1; 001-B§6.4; 004-B§4.6; R-110, R-024).

The unit names its rooms, cabinets and safes in the policy (`handling.places`). From then on an original is put, filed
or kept only where its level may stand, by who keeps the place. Without that table every name will do.
"""

from __future__ import annotations

from ...common.errors import Refused
from ...models.tables import Document
from ..persons import access
from ..persons.actors import Actor
from ..station.station import Station


def check(station: Station, actor: Actor, document: Document, name: str) -> None:
    """Whether a paper of that level may stand there, and who puts it in keeps the place.

    Raises:
        Refused: `place_unknown`, `place_level`, `place_keeper`.
    """
    handling = station.policy.handling
    if not handling.places:
        return
    place = handling.place(name.strip())
    if place is None:
        known = "、".join(one.name for one in handling.places)
        raise Refused("place_unknown", place=name, places=known)
    level = access.protected_as(station.policy, document)
    if level not in place.levels:
        fit = "、".join(one.name for one in handling.places if level in one.levels)
        raise Refused(
            "place_level", document=document.id, level=level.value, place=place.name, places=fit or "—"
        )
    if place.keeper and place.keeper not in actor.roles:
        raise Refused("place_keeper", place=place.name, role=place.keeper)
