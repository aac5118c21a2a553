"""How papers are handled in the room, as data: rooms for reading, channels of transport, subjects with approvers of
their own, what is returned as soon as it is read. Sources stand beside the entries in `default.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..level import Level
from .nodes import Reader


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject of papers that the approval matrix has rows of its own for, and how a paper is told to be of it."""

    id: str
    overlays: tuple[str, ...] = ()
    """Any of these overlays makes it one."""
    kinds: tuple[str, ...] = ()
    """Or its 文种 is one of these."""
    titles: tuple[str, ...] = ()
    """Or its title has one of these words."""
    matters: tuple[str, ...] = ()
    """Or a matter of one of these kinds was opened for it."""
    restricted: Mapping[str, tuple[str, ...]] | None = None
    """Name of a part with approvers of its own (`restricted` of the matrix) -> words of its titles."""

    def fits(self, overlays: tuple[str, ...], kind: str | None) -> bool:
        """Whether overlays or 文种 alone make a paper one of it."""
        return bool(set(self.overlays) & set(overlays)) or (kind is not None and kind in self.kinds)

    def part(self, words: str) -> str | None:
        """The part of the subject that a title belongs to; None for the ordinary ones."""
        for name, found in (self.restricted or {}).items():
            if any(word in words for word in found):
                return name
        return None


@dataclass(frozen=True, slots=True)
class Place:
    """A place of storage: a room, cabinet or safe, and what may stand in it."""

    name: str
    """What the names of its shelves begin with, too."""
    levels: tuple[Level, ...]
    keeper: str = ""
    """Role of who keeps it; what is put in there, he puts in."""


@dataclass(frozen=True, slots=True)
class Handling:
    """The section `handling`."""

    reading_rooms: tuple[str, ...]
    """Names of places where what may only be read in the room is read."""
    channels: tuple[str, ...]
    """Channels by which secret papers travel (R-013)."""
    own_channels: tuple[str, ...]
    """Those of them that are the unit's own messengers: as many go as a level asks for (R-014)."""
    restricted_overlays: tuple[str, ...]
    """Overlays whose papers are returned as soon as they are read, whatever their level (C-20)."""
    subjects: tuple[Subject, ...]

    places: tuple[Place, ...] = ()
    """Places of storage by level; while there are none, every place will do (R-110)."""

    def place(self, name: str) -> Place | None:
        """The place of storage that a name belongs to: the longest that it begins with."""
        known = [place for place in self.places if name.startswith(place.name)]
        return max(known, key=lambda place: len(place.name)) if known else None

    def subject(self, overlays: tuple[str, ...], kind: str | None) -> Subject | None:
        """The first subject that fits a paper."""
        for subject in self.subjects:
            if subject.fits(overlays, kind):
                return subject
        return None


def read_handling(reader: Reader, overlays: frozenset[str]) -> Handling:
    """The section, checked against the known overlays.

    Raises:
        UsageFault: `policy_invalid` with the line.
    """
    entry = reader.map(
        need=("reading_rooms", "channels", "restricted_overlays", "subjects"),
        may=("own_channels", "places", "conf", "source"),
    )
    return Handling(
        reading_rooms=entry["reading_rooms"].texts(),
        channels=entry["channels"].texts(),
        own_channels=entry["own_channels"].texts() if "own_channels" in entry else (),
        restricted_overlays=_overlays(entry["restricted_overlays"], overlays),
        subjects=tuple(_subject(item, overlays) for item in entry["subjects"].list()),
        places=tuple(_place(item) for item in entry["places"].list()) if "places" in entry else (),
    )


def _place(reader: Reader) -> Place:
    entry = reader.map(need=("name", "levels"), may=("keeper", "source", "conf"))
    levels = tuple(Level(one.one_of(tuple(Level))) for one in entry["levels"].list())
    if Level.STATE_TOP in levels and len(levels) > 1:
        entry["levels"].wrong("绝密 stands in a place of its own")
    return Place(entry["name"].text(), levels, entry["keeper"].text() if "keeper" in entry else "")


def _subject(reader: Reader, overlays: frozenset[str]) -> Subject:
    entry = reader.map(
        need=("id",), may=("overlays", "kinds", "titles", "matters", "restricted", "source", "conf")
    )
    if not entry.keys() & {"overlays", "kinds", "titles", "matters"}:
        reader.wrong("'overlays', 'kinds', 'titles' or 'matters' is expected")
    return Subject(
        id=entry["id"].text(),
        overlays=_overlays(entry["overlays"], overlays) if "overlays" in entry else (),
        kinds=entry["kinds"].texts() if "kinds" in entry else (),
        titles=entry["titles"].texts() if "titles" in entry else (),
        matters=entry["matters"].texts() if "matters" in entry else (),
        restricted={name: words.texts() for name, words in entry["restricted"].items()}
        if "restricted" in entry
        else None,
    )


def _overlays(reader: Reader, known: frozenset[str]) -> tuple[str, ...]:
    return tuple(one.one_of(tuple(sorted(known))) for one in reader.list())
