"""The section `storage`: what the product always does and no policy can turn off (R-142, R-144, R-145).

Files, keys and their destruction are laid out by level once and for all: each level group has a folder and a branch of
the key tree, and a file's level changes over its life. To mix them on request would mean to move the keys of everything
that is there, and would make one destruction touch the pages of another level's keys. So `false` is refused, and not
kept without effect.
"""

from __future__ import annotations

from typing import Final

from .nodes import Reader

FIXED: Final = {
    "levels_separate": "each level group always has its own files and its own branch of keys",
    "绝密_separate_store": "绝密 is always kept apart from the other levels",
    "encrypt_all": "what is stored is always sealed",
}
_BACKUPS: Final = {
    "encrypt": "a backup always holds ciphertext",
    "follow_destruction": "a backup of before never opens what was destroyed",
}


def check_storage(reader: Reader) -> None:
    """Refuses a unit's policy that asks for less than the product always does.

    Raises:
        UsageFault: `policy_invalid`, naming key and reason.
    """
    values = reader.map(may=(*FIXED, "network", "backups", "crypto_note"))
    _true(values, FIXED)
    if "network" in values:
        values["network"].one_of(("offline_only",))
    if "backups" in values:
        _true(values["backups"].map(may=(*_BACKUPS, "restore_test_every")), _BACKUPS)


def _true(values: dict[str, Reader], fixed: dict[str, str]) -> None:
    for key, why in fixed.items():
        if key in values and not values[key].truth():
            values[key].wrong(f"cannot be turned off: {why}")
