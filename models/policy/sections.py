"""Readers of the policy's sections about approvals, deadlines, destruction and choices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ..level import Family, Level
from .choices import chosen_deadlines
from .durations import Cycle, Duration, Telegrams, Urging
from .nodes import Reader
from .schema import (
    Conditions,
    Deadlines,
    DestructionPolicy,
    Route,
    Row,
)

ROLES = (
    "scan_operator", "jiyao_clerk", "determination_reviewer", "determiner", "archivist", "office_director",
    "leader_in_charge", "principal", "principal_delegate", "destroy_operator", "destroy_supervisor", "reader",
    "sysadmin", "secadmin", "auditor", "originator", "originator_or_superior", "competent_authority",
    "release_reviewer", "office_director_scope", "personnel_file_keeper",
)  # fmt: skip
CONF = ("law", "seed", "web", "mem", "own")
"""How sure the source of a rule is."""
LOOKUPS = ("exact_level_and_subject", "subject", "exact_level", "family", "any", "default", "deny")
MODES = ("register", "approve", "any_of", "second_person", "deny")
APPROVAL_DAYS = 30
"""How long an approval holds when a policy does not say (policy.md section 5, own)."""
_DURATION = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)


def read_level(reader: Reader) -> Level:
    """A level's id."""
    try:
        return Level(reader.text())
    except ValueError:
        reader.wrong("unknown level")


def read_optional_level(reader: Reader | None) -> Level | None:
    """A level's id, or null."""
    return None if reader is None or reader.plain() is None else read_level(reader)


def read_duration(reader: Reader) -> Duration:
    """An ISO 8601 duration such as `P3D`, `PT4H`, `P1W`, `P6M`."""
    text = reader.text()
    found = _DURATION.fullmatch(text)
    if not found or text in ("P", "PT") or text.endswith("T"):
        reader.wrong("not an ISO 8601 duration")
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return Duration(12 * years + months, 7 * weeks + days, 3600 * hours + 60 * minutes + seconds)


def read_matrix(reader: Reader) -> tuple[tuple[str, ...], Conditions, int, tuple[Row, ...]]:
    """Lookup order, conditions, days until an approval expires, rows."""
    section = reader.map(
        need=("lookup", "conditions", "rows"), may=("superior_documents", "expire_after_days")
    )
    lookup = tuple(step.one_of(LOOKUPS) for step in section["lookup"].list())
    keys = (
        "no_self_approval", "approver_must_be_in_scope", "scope_exempt",
        "principal_delegate_includes_principal", "绝密_needs_second_pair_of_eyes",
    )  # fmt: skip
    named = section["conditions"].map(need=keys, may=("scope_exempt_acts",))
    conditions = Conditions(
        no_self_approval=named["no_self_approval"].truth(),
        approver_must_be_in_scope=named["approver_must_be_in_scope"].one_of(
            ("where_circle_is_set", "always", "never")
        ),
        scope_exempt=tuple(role.one_of(ROLES) for role in named["scope_exempt"].list()),
        principal_delegate_includes_principal=named["principal_delegate_includes_principal"].truth(),
        top_secret_needs_second_pair_of_eyes=named["绝密_needs_second_pair_of_eyes"].truth(),
        scope_exempt_acts=named["scope_exempt_acts"].texts() if "scope_exempt_acts" in named else (),
        superior_paper_goes_back="superior_documents" not in section
        or section["superior_documents"].plain().get("carrier_local_destruction", "deny") == "deny",
    )
    rows = tuple(_row(item) for item in section["rows"].list())
    seen: set[tuple[str, str, str | None]] = set()
    for row, item in zip(rows, section["rows"].list(), strict=True):
        key = (row.action, row.level, row.subject)
        if key in seen:
            item.wrong(f"a second row for {row.action} / {row.level}")
        seen.add(key)
    days = section["expire_after_days"].integer(1, 3660) if "expire_after_days" in section else APPROVAL_DAYS
    return lookup, conditions, days, rows


def _row(reader: Reader) -> Row:
    row = reader.map(
        need=("action", "level", "mode"),
        may=(
            "by", "subject", "extra", "override", "suggest_to", "restricted", "execute_by",
            "document_required", "record_reader", "then", "source",
        ),
    )  # fmt: skip
    level = row["level"].text()
    scopes = ("any", "default", *(f"family:{family}" for family in Family), *(str(one) for one in Level))
    if level not in scopes:
        row["level"].wrong(f"unknown level {level!r}")
    mode = row["mode"].one_of(MODES)
    by = _roles(row["by"]) if "by" in row else ()
    if mode != "deny" and not by:
        reader.wrong("key 'by' is missing")
    restricted = None
    if "restricted" in row:
        restricted = {
            name: tuple(role.one_of(ROLES) for role in roles.list())
            for name, roles in row["restricted"].items()
        }
    return Row(
        action=row["action"].text(),
        level=level,
        mode=mode,  # type: ignore[arg-type]
        by=by,
        subject=row["subject"].text() if "subject" in row else None,
        extra=row["extra"].texts() if "extra" in row else (),
        override=row["override"].one_of(ROLES) if "override" in row else None,
        suggest_to=row["suggest_to"].one_of(ROLES) if "suggest_to" in row else None,
        restricted=restricted,
        execute_by=_roles(row["execute_by"]) if "execute_by" in row else (),
        document_required=row["document_required"].text() if "document_required" in row else None,
        record_reader=row["record_reader"].truth() if "record_reader" in row else False,
        then=row["then"].plain() if "then" in row else None,
        source=row["source"].text() if "source" in row else "",
        line=reader.line,
    )


def _roles(reader: Reader) -> tuple[str, ...]:
    return tuple(role.one_of(ROLES) for role in reader.list())


def read_deadlines(reader: Reader, choices: Mapping[str, object]) -> Deadlines:
    """The section `deadlines`, as the unit's choices make it."""
    section = reader.map(
        need=(
            "telegram_ack_minutes", "telegram_handling", "circulation", "borrow_days", "clearing_cycles",
            "idle_lock", "leak_report_hours", "minutes_within_hours",
        ),
        may=(
            "business_days", "telegram_handling_alt", "telegram_handling_custom", "circulation_custom",
            "telegram_escalate", "duty", "acknowledgement_note",
            "urging", "return", "leak_internal_report",
        ),
    )  # fmt: skip
    circulation = _circulation(section["circulation"])
    telegram = {
        option: {name: read_duration(value) for name, value in section[key].items()}
        for option, key in _TELEGRAMS.items()
        if key in section
    }
    borrow: dict[str, int] = {}
    for name, value in section["borrow_days"].items():
        if name != "default" and name not in tuple(str(level) for level in Level):
            value.wrong("unknown level")
        borrow[name] = value.integer(0, 3660)
    urging = Urging()
    if "urging" in section:
        entry = section["urging"].map(
            need=("reminders_before", "reminders_after", "escalate_to"), may=("applies_to", "source", "conf")
        )
        before = [read_duration(one) for one in entry["reminders_before"].list()]
        urging = Urging(
            before=tuple(sorted(before, key=_length, reverse=True)),
            after=tuple(sorted((read_duration(one) for one in entry["reminders_after"].list()), key=_length)),
            escalate_to=tuple(
                one.one_of((*ROLES, "handler", "head_of_room")) for one in entry["escalate_to"].list()
            ),
        )
    idle = section["idle_lock"].map(need=("lock_after", "force_signout"), may=("source", "conf"))
    deadlines = Deadlines(
        telegram_ack_minutes=section["telegram_ack_minutes"].integer(1, 1440),
        telegram_handling=telegram["seed_001B"],
        circulation=circulation,
        borrow_days=borrow,
        idle_lock=read_duration(idle["lock_after"]),
        idle_signout=read_duration(idle["force_signout"]),
        leak_report_hours=section["leak_report_hours"].integer(1, 720),
        minutes_within_hours=section["minutes_within_hours"].integer(1, 720),
        cycles=tuple(_cycle(item) for item in section["clearing_cycles"].list()),
        urging=urging,
        business_days=section["business_days"].truth() if "business_days" in section else False,
        telegrams=_telegrams(section["telegram_escalate"]) if "telegram_escalate" in section else Telegrams(),
    )
    own = _circulation(section["circulation_custom"]) if "circulation_custom" in section else None
    return chosen_deadlines(
        deadlines, choices, telegram=telegram, circulation=own, minute=Duration(seconds=60)
    )


def _telegrams(reader: Reader) -> Telegrams:
    entries = dict(reader.items())
    roles = (*ROLES, "head_of_room", "duty_officer")
    warnings, warned = entries.pop("keywords", None), entries.pop("to", None)
    return Telegrams(
        {urgency: role.one_of(roles) for urgency, role in entries.items()},
        warnings.texts() if warnings is not None else (),
        warned.one_of(roles) if warned is not None else "head_of_room",
    )


_TELEGRAMS = {
    "seed_001B": "telegram_handling", "alt_web": "telegram_handling_alt", "custom": "telegram_handling_custom",
}  # fmt: skip


def _circulation(reader: Reader) -> dict[str, Duration | None]:
    return {
        urgency: None if value.plain() == "same_day" else read_duration(value)
        for urgency, value in reader.items()
    }


def _length(term: Duration) -> int:
    return (31 * term.months + term.days) * 86_400 + term.seconds


def _cycle(reader: Reader) -> Cycle:
    cycle = reader.map(
        need=("id", "scope"),
        may=("every", "alternative", "due", "dates", "days_before", "source", "conf"),
    )
    every = None
    if "every" in cycle and isinstance(cycle["every"].plain(), str):
        every = read_duration(cycle["every"])
    return Cycle(
        id=cycle["id"].text(),
        scope=cycle["scope"].text(),
        every=every,
        due=cycle["due"].text() if "due" in cycle else None,
        source=cycle["source"].text() if "source" in cycle else "",
        dates=cycle["dates"].texts() if "dates" in cycle else (),
        days_before=cycle["days_before"].integer(0, 60) if "days_before" in cycle else 0,
    )


_FIXED: Final[dict[str, tuple[object, str]]] = {
    "order": (
        ["list", "count", "approve", "supervise", "execute", "verify", "attest", "certify"],
        "the steps are these (approval before the count: conflicts, C-21)",
    ),
    "supervisors_min": (2, "two supervise, no fewer and no more"),
    "supervisors_not": (["operator", "approver", "requester"], "supervisors are always apart from these"),
    "forbid": (["sell_as_waste", "individual_destruction", "out_of_room_destruction"], "these are always refused"),
    "evidence_kept": ("permanent", "registers, lists and certificates are never destroyed"),
    "required": (True, "the retention check always runs"),
    "block_if": (
        ["not_expired", "hold", "not_appraised", "archived_copy_missing", "superior_return_due"],
        "each of these always blocks",
    ),
    "media_after_classified": (
        "keep_at_level_until_sanitised_or_destroyed", "a medium that is not destroyed keeps its level",
    ),
}  # fmt: skip
"""What the product always does; another value would be kept without effect, and so is refused."""


def _fixed(section: dict[str, Reader]) -> None:
    for key, (value, why) in _FIXED.items():
        if key in section and section[key].plain() != value:
            section[key].wrong(f"cannot be another: {why}")


def read_destruction(reader: Reader) -> DestructionPolicy:
    """The section `destruction`."""
    section = reader.map(
        need=(
            "order",
            "supervisors_min",
            "supervisors_not",
            "routes",
            "forbid",
            "retention_check",
            "evidence_kept",
        ),
        may=(
            "authority_wins", "self_destruction", "media_after_classified", "waste_pages", "drafts",
            "redact_titles",
        ),
    )  # fmt: skip
    names = (
        "default", "密码电报", *(str(level) for level in Level), *(str(family) for family in Family),
    )  # fmt: skip
    routes: dict[str, Route] = {}
    for name, value in section["routes"].items():
        if name not in names:
            value.wrong(f"unknown level or family {name!r}")
        route = value.map(need=("paper", "electronic"), may=("source", "conf"))
        routes[name] = Route(
            route["paper"].text(),
            route["electronic"].text(),
            route["source"].text() if "source" in route else "",
        )
    if "default" not in routes:
        section["routes"].wrong("key 'default' is missing")
    check = section["retention_check"].map(need=("required", "block_if"))
    own = (
        section["self_destruction"].map(need=(), may=("allowed_if", "most_items", "most_pages", "source"))
        if ("self_destruction" in section)
        else {}
    )
    _fixed({**section, **check})
    return DestructionPolicy(
        routes=routes,
        redact_titles="redact_titles" in section and section["redact_titles"].truth(),
        small_items=own["most_items"].integer(1, 10000) if "most_items" in own else 20,
        small_pages=own["most_pages"].integer(1, 100000) if "most_pages" in own else 200,
    )


def read_choices(reader: Reader) -> dict[str, object]:
    """The section `conflicts`: every default stands among its options."""
    choices: dict[str, object] = {}
    for item in reader.list():
        entry = item.map(need=("key", "default", "options"))
        key, default = entry["key"].text(), entry["default"].plain()
        options = [option.plain() for option in entry["options"].list()]
        if not any(type(default) is type(option) and default == option for option in options):
            entry["default"].wrong(f"{default!r} is not among the options of {key}")
        if key in choices:
            item.wrong(f"{key!r} stands twice")
        choices[key] = default
    return choices
