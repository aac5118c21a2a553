"""Whether the unit may determine a level at all (保密法 art. 17): nobody determines above the organ's authority.

Only original determination is limited: what derives from a paper that another organ determined takes that paper's
level (art. 18 of the 实施条例), and another organ's mark is never ours. A unit that has not said what it is
(`authority.unit`) is not limited; `policy check` tells so.
"""

from __future__ import annotations

from ...common.errors import Refused
from ...models.level import Level
from ...models.tables import Document
from ..station.station import Station


def check_authority(station: Station, level: Level, *, derived: bool, about: str) -> None:
    """The unit may determine this level.

    Args:
        derived: it follows from another paper's. about: document or matter, for the message.

    Raises:
        Refused: `authority_missing`.
    """
    authority = station.policy.authority
    if not derived and not authority.reaches(level):
        raise Refused("authority_missing", level=level.value, unit=authority.unit, about=about)


def check_own(station: Station, row: Document, level: Level) -> None:
    """The same for a level that a person gives to a paper: only the unit's own are ours to determine.

    Raises:
        Refused: `authority_missing`.
    """
    if row.origin == "self":
        check_authority(station, level, derived=row.level_basis == "derivative", about=row.id)
