"""Words and sums of the printed forms of a destruction: codes to Chinese, persons with their ids, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..models.certificate import DestructionRecord, InventoryLine
from ..models.certificate_words import said, why, word
from .certify_form import label

__all__ = (
    "commitments",
    "levels",
    "methods",
    "name",
    "numbers",
    "people",
    "said",
    "time",
    "totals",
    "why",
    "word",
)


def time(text: str) -> str:
    """A time as it is printed."""
    return text[:16].replace("T", " ")


def name(person: str, names: Mapping[str, str]) -> str:
    """A person with the id."""
    known = names.get(person)
    return f"{known}（{person}）" if known and known != person else person


def people(record: DestructionRecord, names: Mapping[str, str], act: str, *, dated: bool = False) -> str:
    """Who did an act."""
    found = [who for who in record.required if who.act == act]
    return "　".join(
        name(who.person, names) + (f" {time(who.at)[:10]}" if dated else "") for who in found
    ) or label("none")


def totals(inventory: Sequence[InventoryLine]) -> str:
    """Items, copies, pages."""
    copies, pages = sum(line.copies for line in inventory), sum(line.pages or 0 for line in inventory)
    return label("totals_value", items=len(inventory), copies=copies, pages=pages)


def levels(inventory: Sequence[InventoryLine]) -> str:
    """How many items of each level."""
    counted = Counter(line.level for line in inventory)
    return "　".join(label("level_value", level=level, count=count) for level, count in counted.items())


def methods(record: DestructionRecord) -> str:
    """Every method that was used, once."""
    if record.physical is not None:
        return "、".join(word("method", method) for method in record.physical.methods)
    seen = {method: None for item in record.items for art in item.artefacts for method in art.methods}
    return "、".join(word("method", method) for method in seen) or label("none")


def commitments(record: DestructionRecord) -> dict[int, str]:
    """Line -> the commitment to its title."""
    listed: Any = record.list if isinstance(record.list, list) else record.list.get("items", [])
    return {
        int(entry["item"]): str(entry.get("title_commitment") or "")
        for entry in listed
        if isinstance(entry, dict) and isinstance(entry.get("item"), int)
    }


def numbers(lines: Iterable[int]) -> str:
    """Line numbers with runs drawn together: `1–3、7`."""
    runs: list[list[int]] = []
    for line in sorted(lines):
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    return "、".join(f"{first}" if first == last else f"{first}–{last}" for first, last in runs)
