"""Classification levels 密级 and their families, as the law and the policy name them.

Ids are the Chinese words; codes are short. Ranks order handling strictness (policy.md section 1).
Ranks and maxima are policy data; this file only fixes the names, so that values can be typed.
"""

from __future__ import annotations

from enum import StrEnum


class Family(StrEnum):
    """Families of secrets; never mixed with each other."""

    STATE = "state"
    WORK = "work"
    COMPANY = "company"
    SOE = "soe"
    INTERNAL = "internal"
    PUBLIC = "public"


class Level(StrEnum):
    """The eleven levels. `str(level)` is the id used everywhere (`机密`, `公司秘密`, …)."""

    STATE_TOP = "绝密"
    STATE_SECRET = "机密"
    STATE_CONFIDENTIAL = "秘密"
    COMPANY_TOP = "公司绝密"
    SOE_CORE = "核心商密"
    COMPANY_SECRET = "公司机密"
    SOE_ORDINARY = "普通商密"
    COMPANY_CONFIDENTIAL = "公司秘密"
    WORK = "工作秘密"
    INTERNAL = "内部"
    PUBLIC = "公开"

    @property
    def code(self) -> str:
        """Short code: `S3 … P`."""
        return _CODES[self]

    @property
    def family(self) -> Family:
        """The family this level belongs to."""
        return _FAMILIES[self.code[0]]

    @classmethod
    def parse(cls, text: str) -> Level:
        """The level of an id or a code.

        Raises:
            ValueError: when it is neither.
        """
        for level in cls:
            if text in (level.value, level.code):
                return level
        raise ValueError(text)


_CODES: dict[Level, str] = {
    Level.STATE_TOP: "S3",
    Level.STATE_SECRET: "S2",
    Level.STATE_CONFIDENTIAL: "S1",
    Level.COMPANY_TOP: "C3",
    Level.SOE_CORE: "B2",
    Level.COMPANY_SECRET: "C2",
    Level.SOE_ORDINARY: "B1",
    Level.COMPANY_CONFIDENTIAL: "C1",
    Level.WORK: "W",
    Level.INTERNAL: "I",
    Level.PUBLIC: "P",
}
_FAMILIES: dict[str, Family] = {
    "S": Family.STATE,
    "C": Family.COMPANY,
    "B": Family.SOE,
    "W": Family.WORK,
    "I": Family.INTERNAL,
    "P": Family.PUBLIC,
}
