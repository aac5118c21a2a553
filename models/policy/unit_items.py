"""The unit's own list of secret matters (国家秘密事项一览表; 实施条例 art. 12-13) as a section of the policy."""

from __future__ import annotations

import re

from ..level import Family
from .nodes import Reader
from .schema import UnitItem
from .sections import read_level

MOST_ITEMS = 5000
_PERIOD = re.compile(
    r"\d{1,2}年|\d{1,3}个月|\d{1,4}日|长期|至\d{4}年(?:\d{1,2}月(?:\d{1,2}日)?)?|[\u4e00-\u9fff]{1,20}前"
)


def read_unit_items(reader: Reader) -> tuple[UnitItem, ...]:
    """The items of `unit_secret_items`, each `item, level, period, scope, words`.

    Raises:
        UsageFault: `policy_invalid` with the line: no level of secrecy, a period that is none, no words, an item twice.
    """
    found: list[UnitItem] = []
    seen: set[str] = set()
    for item in reader.list():
        entry = item.map(need=("item", "level", "words"), may=("period", "scope", "source"))
        name = entry["item"].text()
        if name in seen:
            item.wrong("this item stands twice")
        seen.add(name)
        level = read_level(entry["level"])
        if level.family in (Family.INTERNAL, Family.PUBLIC):
            entry["level"].wrong("a level of secrecy is expected")
        period = entry["period"].text() if "period" in entry else ""
        if period and not _PERIOD.fullmatch(period):
            entry["period"].wrong("not a secrecy period")
        words = entry["words"].texts()
        if not words or any(len(word.strip()) < 2 for word in words):
            entry["words"].wrong("words of two characters or more are expected")
        scope = entry["scope"].text() if "scope" in entry else ""
        found.append(UnitItem(name, level, period, scope, words, item.line))
    if len(found) > MOST_ITEMS:
        reader.wrong(f"> {MOST_ITEMS} items")
    return tuple(found)
