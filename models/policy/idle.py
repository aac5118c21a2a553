"""Keys of a policy that say something the product does not act on yet: told by `policy check`, so that nobody relies on
them. They are kept, since they are the unit's rules, and later versions act on them.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

IDLE: Final[tuple[str, ...]] = (
    # described for people; the acts they describe follow the sections `clocks`, `matters` and the matrix
    "changes",
    "devices",
    # the interval of restore drills is that of the clock `restore_drill`; the rest is checked (storage.py)
    "storage.backups",
    "deadlines.duty",
    "deadlines.acknowledgement_note",
    "deadlines.leak_internal_report",
    "deadlines.minutes_within_hours",
    "destruction.authority_wins",
    "destruction.drafts",
)
"""Dotted keys."""


def idle_keys(text: str) -> list[str]:
    """Those of `IDLE` that a valid policy says something about, and `authority.unit` while it is not said."""
    plain: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe ones
    found = [key for key in IDLE if _says(plain, key)]
    if "authority" in plain and plain["authority"].get("unit") is None:
        found.append("authority")
    return found


def _says(plain: dict[str, Any], key: str) -> bool:
    section, _, name = key.partition(".")
    return section in plain and (not name or name in plain[section])
