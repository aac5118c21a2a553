"""What persons did to paper and media outside the station: methods, escort, plant, the record of a sanitised medium.

The station witnessed nothing of it: these are facts that two operators state and two supervisors attest. Standards,
grades and numbers of equipment are free fields, since the standards that bind here are not public (destruction.md
sections 3 and 6; TL art. 28; 58号 art. 33). Field names of the medium's record follow NIST SP 800-88 r1, Appendix G.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..common.canonical import digest
from .wire import to_plain

METHODS = (
    "burn", "pulp", "shred", "chemical", "degauss", "disintegrate", "crush", "melt", "crypto_erase", "overwrite",
    "device_sanitize", "delete_only",
)  # fmt: skip
"""Codes of destruction.md section 3. How often, with which command, to which level: in the free fields."""
SOFT = frozenset({"overwrite", "delete_only"})
"""Leave what can be read again: refused as the only methods for ranks of 40 and above."""
LEAVES_MEDIUM = SOFT | {"crypto_erase", "device_sanitize"}
"""Leave a medium that can be used again."""
OF_PAPER = frozenset({"burn", "pulp", "shred", "chemical"})
SOFT_RANK = 40
PHYSICAL_GRADE = "attested_by_persons"
"""The grade of an outcome that the station did not see itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediumRecord:
    """介质信息消除/销毁记录 (destruction.md 6.4): one medium."""

    item: int
    """Its line in the list."""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    property_no: str = ""
    media_type: str = ""
    source: str = ""
    """The user or computer it comes from."""
    level_before: str = ""
    sanitization: str = ""
    """`clear`, `purge`, `destroy`: the operators' word."""
    tool: str = ""
    tool_version: str = ""
    verification: str = ""
    """`full`, `sampling`, `visual` or what was done."""
    level_after: str = ""
    destination: str = ""
    backed_up: str = ""
    """Whether its data was backed up, and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicalFacts:
    """How the listed paper or media were destroyed. Persons are ids; times ISO 8601, as stated."""

    route: str
    """The policy's route: `in_house_burn`, `designated_plant_escorted`, `certified_shredder`."""
    methods: tuple[str, ...]
    place: str
    began: str
    ended: str
    performed_by: tuple[str, ...] = ()
    """Who did it with his own hands: the designated persons."""
    standard: str = ""
    grade: str = ""
    equipment: str = ""
    equipment_no: str = ""
    """Number of the equipment's certificate."""
    plant: str = ""
    """The designated plant or centre; empty: within the unit."""
    plant_receipt: str = ""
    escorts: tuple[str, ...] = ()
    way: str = ""
    vehicle: str = ""
    seal_no: str = ""
    departed: str = ""
    arrived: str = ""
    small_amount: bool = False
    """Done within the unit as a small amount (TL art. 28), within the policy's limits."""
    media: tuple[MediumRecord, ...] = ()

    def digest(self) -> str:
        """SHA-256 of the canonical form: what the operators sign."""
        return digest(to_plain(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a batch of paper or media comes to, as far as the rules ask."""

    ranks: Mapping[int, int]
    """Line -> rank of its level."""
    routes: Mapping[int, str]
    """Line -> the policy's route for it."""
    media: frozenset[int]
    """Lines that are media, not paper."""
    pages: int
    most_items: int
    most_pages: int
    """Up to how many items and pages a small amount goes."""


def faults(facts: PhysicalFacts, load: Load) -> list[tuple[str, dict[str, object]]]:
    """What the statement lacks or may not say: message codes with their facts, the gravest first."""
    found: list[tuple[str, dict[str, object]]] = []
    methods = set(facts.methods)
    unknown = sorted(methods - set(METHODS))
    if unknown or not methods:
        return [("physical_method", {"method": "、".join(unknown) or "-", "methods": "、".join(METHODS)})]
    worst = max(load.ranks.values(), default=0)
    if methods <= SOFT and worst >= SOFT_RANK:
        found.append(("physical_soft", {"method": "、".join(sorted(methods))}))
    if not facts.place.strip():
        found.append(("physical_needs", {"needs": "place"}))
    if not facts.began or not facts.ended or facts.began > facts.ended:
        found.append(("physical_times", {}))
    found += _paper(facts, load) if len(load.media) < len(load.ranks) else []
    found += _media(facts, load) if load.media else []
    return found


def _paper(facts: PhysicalFacts, load: Load) -> list[tuple[str, dict[str, object]]]:
    found: list[tuple[str, dict[str, object]]] = []
    methods = set(facts.methods)
    if not methods & OF_PAPER:
        found.append(("physical_paper_method", {"methods": "、".join(sorted(OF_PAPER))}))
    routes = {route for line, route in load.routes.items() if line not in load.media}
    if "in_house_burn" in routes:
        if facts.plant:
            found.append(("physical_burn_in_house", {}))
        if methods != {"burn"}:
            found.append(("physical_burn_only", {}))
        if not facts.performed_by:
            found.append(("physical_needs", {"needs": "performed-by"}))
    elif "designated_plant_escorted" in routes:
        found += _plant(facts) if not facts.small_amount else _small(facts, load)
    elif facts.plant:
        found += _plant(facts)
    elif "shred" in methods:
        found += _shredder(facts)
    return found


def _plant(facts: PhysicalFacts) -> list[tuple[str, dict[str, object]]]:
    given = {
        "plant": facts.plant, "receipt": facts.plant_receipt, "route": facts.way, "seal": facts.seal_no,
        "departed": facts.departed, "arrived": facts.arrived,
    }  # fmt: skip
    found: list[tuple[str, dict[str, object]]] = [
        ("physical_needs", {"needs": name}) for name, value in given.items() if not value.strip()
    ]
    if len(set(facts.escorts)) < 2:
        found.append(("physical_escorts", {"least": 2}))
    if facts.departed and facts.arrived and not facts.departed <= facts.arrived <= facts.ended:
        found.append(("physical_times", {}))
    return found


def _small(facts: PhysicalFacts, load: Load) -> list[tuple[str, dict[str, object]]]:
    found: list[tuple[str, dict[str, object]]] = []
    if len(load.ranks) > load.most_items or load.pages > load.most_pages:
        found.append(("physical_not_small", {"items": load.most_items, "pages": load.most_pages}))
    if facts.plant:
        found.append(("physical_small_in_house", {}))
    return found + _shredder(facts)


def _shredder(facts: PhysicalFacts) -> list[tuple[str, dict[str, object]]]:
    given = {
        "equipment": facts.equipment,
        "equipment-no": facts.equipment_no,
        "standard": facts.standard,
        "grade": facts.grade,
    }
    return [("physical_needs", {"needs": name}) for name, value in given.items() if not value.strip()]


def _media(facts: PhysicalFacts, load: Load) -> list[tuple[str, dict[str, object]]]:
    """Each medium has its record; one that is not destroyed stays at its level (000-I§7, 004-C§8.2)."""
    found: list[tuple[str, dict[str, object]]] = []
    records = {record.item: record for record in facts.media}
    if set(records) != set(load.media):
        missing = sorted(set(load.media) ^ set(records))
        found.append(("physical_medium_record", {"items": "、".join(map(str, missing))}))
    for record in records.values():
        for name in ("serial", "media_type", "level_before", "sanitization", "verification", "destination"):
            if not str(getattr(record, name)).strip():
                found.append(("physical_medium_needs", {"item": record.item, "needs": name}))
        kept = record.level_after == record.level_before
        if set(facts.methods) <= LEAVES_MEDIUM and load.ranks.get(record.item, 0) >= SOFT_RANK and not kept:
            found.append(("physical_medium_kept", {"item": record.item}))
    return found
