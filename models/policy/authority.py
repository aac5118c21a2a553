"""Which organs may determine which level originally (保密法 art. 17), and what the unit itself is.

Derivation from a paper that another organ determined is not limited by this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..level import Family, Level
from .nodes import Reader

STANDINGS = ("central", "provincial", "municipal_district", "authorised", "none")
"""中央国家机关, 省级机关, 设区的市级机关, 授权的机关单位, none of these."""


@dataclass(frozen=True, slots=True)
class Authority:
    """`levels`: who may determine each; `unit`: the unit's standing, None while it has not said; `authorised`: levels
    for which it was authorised by name.
    """

    levels: Mapping[Level, frozenset[str]] = field(default_factory=dict)
    unit: str | None = None
    authorised: frozenset[Level] = frozenset()

    def reaches(self, level: Level) -> bool:
        """Whether the unit may determine a level; what no row names, and a unit that has not said, is not limited."""
        allowed = self.levels.get(level)
        if allowed is None or self.unit is None:
            return True
        return self.unit in allowed or (level in self.authorised and "authorised" in allowed)


def read_authority(reader: Reader) -> Authority:
    """The section `authority`.

    Raises:
        UsageFault: `policy_invalid` with the line.
    """
    state = tuple(str(level) for level in Level if level.family is Family.STATE)
    levels: dict[Level, frozenset[str]] = {}
    unit, authorised = None, frozenset[Level]()
    for name, value in reader.items():
        if name == "unit":
            unit = None if value.plain() is None else value.one_of(STANDINGS)
        elif name == "authorised":
            authorised = frozenset(Level(one.one_of(state)) for one in value.list())
        elif name in state:
            levels[Level(name)] = frozenset(one.one_of(STANDINGS) for one in value.list())
        else:
            value.wrong(f"unknown level {name!r}")
    return Authority(levels, unit, authorised)
