"""What a chosen option of a conflict between the seeds changes (requirements.md section 4, C-01 … C-21).

Here stand the options that change what the policy says; those that an act reads by itself (return_cycle,
minutes_lookup, mark_style_company, overnight_outside_room, as_read_scope, archive_deadline,
list_and_approval_order, inspection_calendar, committee_cadence, small_room) stand where the act is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from ..level import Level

if TYPE_CHECKING:
    from .schema import Deadlines, Duration, Route, Row

_BINDS = {
    "borrow": "borrow_approval", "copy": "copy_approval", "carry_out": "carry_out",
    "widen_scope": "secret_reuse_of_scope",
}  # fmt: skip
"""Act of the matrix -> the choice that binds it (C-01, C-02, C-15, C-19)."""
_ALONE = {
    "single_office_director": "office_director", "single_leader_in_charge": "leader_in_charge",
    "office_director": "office_director", "leader_in_charge": "leader_in_charge",
}  # fmt: skip
_MEDIA_TOO = "crypto_erase_plus_media_destroy"
_DELEGATES = {"office_of_principal": "office_director", "deputy": "leader_in_charge"}
_PAPER = {"all_to_designated_plant": "designated_plant_escorted", "all_in_house_shred": "certified_shredder"}
ROUND = (1, 31)
"""Month and day of the yearly round, where the policy's cycle names none (001-D§7; CY-4)."""


def chosen_row(row: Row, level: Level | None, choices: Mapping[str, object]) -> Row:
    """The matrix's row after the unit's choice; 绝密 is never loosened below the law's row.

    A subject (minutes, personnel files) has approvers of its own, which these choices leave alone.
    """
    if row.action == "electronic_processing":
        return _processed(row, choices)
    if row.action == "media_reuse" and choices.get("media_after_use") == "destroy_always":
        return replace(row, mode="deny", by=(), source=f"{row.source}; choice: destroy_always")
    option = choices.get(_BINDS.get(row.action, ""))
    if row.mode == "deny" or option is None or row.subject is not None:
        return row
    source = f"{row.source}; choice: {option}"
    if option == "deny":
        return replace(row, mode="deny", by=(), source=source)
    if option == "originator_only":
        return replace(row, mode="approve", by=("originator",), source=source)
    if level is Level.STATE_TOP:
        return row
    if option == "register_only":
        return replace(row, mode="register", by=("jiyao_clerk",), source=source)
    approver = _ALONE.get(str(option))
    return row if approver is None else replace(row, mode="approve", by=(approver,), source=source)


def _processed(row: Row, choices: Mapping[str, object]) -> Row:
    """Electronic processing (C-10): the rows bind per document; on approved stations the station is the approval; or
    what they have approved is forbidden.
    """
    option = choices.get("electronic_processing")
    if row.mode == "register" or option == "per_document_approval":
        return row
    source = f"{row.source}; choice: {option}"
    if option == "forbidden":
        return replace(row, mode="deny", by=(), override=None, source=source)
    return replace(row, mode="register", by=("jiyao_clerk",), override=None, source=source)


def delegates_too(held: str, choices: Mapping[str, object]) -> bool:
    """Whether a role acts for the head in matters of company secrets without a delegation of its own (C-12)."""
    return _DELEGATES.get(str(choices.get("company_delegate"))) == held


def chosen_route(route: Route, choices: Mapping[str, object], *, secret: bool = False) -> Route:
    """The destruction route after the unit's choices (C-04, C-11).

    All paper goes to the designated body (002-C§11), or through the unit's own conforming shredder, which TL art. 28
    allows for small quantities. Media that held secrets are kept as classified (004-C§8.2), or destroyed whatever the
    level (000-I§7).

    Args:
        secret: whether the level is a secret's.
    """
    if secret and choices.get("media_after_use") == "destroy_always" and route.electronic != _MEDIA_TOO:
        source = f"{route.source}; choice: destroy_always"
        route = replace(route, electronic=_MEDIA_TOO, source=source)
    option = str(choices.get("destruction_route"))
    paper = _PAPER.get(option)
    if paper is None or paper == route.paper:
        return route
    return replace(route, paper=paper, source=f"{route.source}; choice: {option}")


def chosen_deadlines(
    deadlines: Deadlines,
    choices: Mapping[str, object],
    *,
    telegram: Mapping[str, Mapping[str, Duration]],
    circulation: Mapping[str, Duration | None] | None,
    minute: Duration,
) -> Deadlines:
    """The terms after the unit's choices: telegrams (C-08), circulation (C-09), leaving the seat (C-18).

    Args:
        telegram: option -> the table it stands for, where the policy has one. circulation: the unit's own table.
        minute: a minute.
    """
    terms = telegram.get(str(choices.get("telegram_deadlines")))
    if terms is not None:
        deadlines = replace(deadlines, telegram_handling=terms)
    if choices.get("circulation_deadlines") == "custom" and circulation is not None:
        deadlines = replace(deadlines, circulation=circulation)
    match choices.get("idle_lock"):
        case "strict_1min":
            return replace(deadlines, idle_lock=minute)
        case "seed_30min_only":
            return replace(deadlines, idle_lock=deadlines.idle_signout)
        case _:
            return deadlines


def destroy_from(day: date, choices: Mapping[str, object], round_: tuple[int, int] = ROUND) -> date:
    """From when a registered paper that is worth nothing any more is destroyed (C-06): at once, or in the next year's
    round (001-D§7).
    """
    if choices.get("destruction_timing") == "immediate":
        return day
    return date(day.year + 1, *round_)
