"""The conflicts between the seeds (C-01 … C-21): what each option changes; and whose hands count as two."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from jiyao.models.level import Level
from jiyao.models.policy.choices import destroy_from
from jiyao.models.policy.loader import parse_policy
from jiyao.models.policy.schema import Policy
from jiyao.pipeline.desk import deadlines, timers
from jiyao.pipeline.persons import approvals, people
from policy_kit import plain_policy, policy_text
from room_kit import Room


def chosen_text(**choices: str) -> str:
    """The shipped policy with other choices, YAML."""
    plain = plain_policy()
    for row in plain["conflicts"]:
        row["default"] = choices.pop(row["key"], row["default"])
    for key, value in choices.items():
        plain["deadlines"][key] = value
    return policy_text(plain)


def chosen(**choices: str) -> Policy:
    """The shipped policy with other choices."""
    return parse_policy(chosen_text(**choices))


TOP, SECRET, LOW = Level.STATE_TOP, Level.STATE_SECRET, Level.STATE_CONFIDENTIAL


@pytest.mark.req("R-063", "R-064")
@pytest.mark.parametrize(
    ("key", "option", "act", "level", "mode", "by"),
    [
        ("borrow_approval", "ladder_002-C§10", "borrow", LOW, "register", ("reader", "jiyao_clerk")),
        ("borrow_approval", "ladder_002-C§10", "borrow", SECRET, "approve", ("office_director",)),
        ("borrow_approval", "single_office_director", "borrow", LOW, "approve", ("office_director",)),
        ("borrow_approval", "single_leader_in_charge", "borrow", SECRET, "approve", ("leader_in_charge",)),
        ("borrow_approval", "register_only", "borrow", SECRET, "register", ("jiyao_clerk",)),
        ("borrow_approval", "register_only", "borrow", TOP, "approve", ("leader_in_charge",)),
        ("copy_approval", "strictest", "copy", SECRET, "approve", ("leader_in_charge",)),
        ("copy_approval", "office_director", "copy", SECRET, "approve", ("office_director",)),
        ("copy_approval", "originator_only", "copy", SECRET, "approve", ("originator",)),
        ("copy_approval", "deny", "copy", SECRET, "deny", ()),
        ("copy_approval", "office_director", "copy", TOP, "approve", ("originator_or_superior",)),
        ("carry_out", "approved_with_case", "carry_out", SECRET, "approve", ("leader_in_charge",)),
        ("carry_out", "deny", "carry_out", SECRET, "deny", ()),
        ("secret_reuse_of_scope", "leader_in_charge", "widen_scope", SECRET, "approve", ("leader_in_charge",)),
        ("secret_reuse_of_scope", "office_director", "widen_scope", SECRET, "approve", ("office_director",)),
        ("secret_reuse_of_scope", "originator_only", "widen_scope", SECRET, "approve", ("originator",)),
    ],
)  # fmt: skip
def test_who_approves(key: str, option: str, act: str, level: Level, mode: str, by: tuple[str, ...]) -> None:
    row = chosen(**{key: option}).approval(act, level)
    assert (row.mode, row.by) == (mode, by)


def test_minutes_and_personnel_files_keep_their_own_approvers() -> None:
    row = chosen(borrow_approval="register_only").approval("borrow", LOW, "personnel_file")
    assert (row.mode, row.by) == ("approve", ("office_director",))


@pytest.mark.req("R-119", "R-120")
@pytest.mark.parametrize(
    ("option", "top", "low"),
    [
        ("per_level_table", "in_house_burn", "designated_plant_escorted"),
        ("all_to_designated_plant", "designated_plant_escorted", "designated_plant_escorted"),
        ("all_in_house_shred", "certified_shredder", "certified_shredder"),
    ],
)
def test_how_paper_is_destroyed(option: str, top: str, low: str) -> None:
    policy = chosen(destruction_route=option)
    assert (policy.route(TOP).paper, policy.route(LOW).paper) == (top, low)
    assert policy.route(TOP).electronic == "crypto_erase_plus_media_destroy"


@pytest.mark.parametrize(
    ("option", "low", "reuse"),
    [
        ("keep_classified", "crypto_erase", "approve"),
        ("destroy_always", "crypto_erase_plus_media_destroy", "deny"),
    ],
)
def test_media_that_held_secrets(option: str, low: str, reuse: str) -> None:
    policy = chosen(media_after_use=option)
    assert policy.route(LOW).electronic == policy.route(Level.COMPANY_SECRET).electronic == low
    assert policy.route(Level.INTERNAL).electronic == policy.route(None).electronic == "crypto_erase"
    assert policy.approval("media_reuse", SECRET).mode == reuse
    assert policy.approval("media_reuse", TOP).mode == "deny"


@pytest.mark.parametrize(("option", "day"), [("twice_a_year", "2027-05-02"), ("monthly", "2026-12-02")])
def test_how_often_the_committee_meets(tmp_path: Path, option: str, day: str) -> None:
    room = Room(tmp_path)
    room.station._policy = chosen(committee_cadence=option)
    asked = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2027, 12, 31), limit=500)["items"]
    assert [item["due"] for item in asked if item["kind"] == "committee_meeting"] == [day]


@pytest.mark.parametrize(
    ("option", "day"),
    [
        ("one_month_after_handling", date(2026, 2, 28)),
        ("next_year_by_date", date(2027, 3, 31)),
        ("year_end", date(2026, 12, 31)),
    ],
)
def test_when_a_paper_is_filed(option: str, day: date) -> None:
    assert deadlines.archive_by(chosen(archive_deadline=option), date(2026, 1, 31)) == day


@pytest.mark.req("R-124")
@pytest.mark.parametrize(
    ("option", "day"),
    [
        ("waste_now_registered_yearly", date(2027, 1, 31)),
        ("yearly_only", date(2027, 1, 31)),
        ("immediate", date(2026, 5, 1)),
    ],
)
def test_when_what_is_worthless_is_destroyed(option: str, day: date) -> None:
    assert destroy_from(date(2026, 5, 1), chosen(destruction_timing=option).choices) == day


@pytest.mark.req("R-099")
@pytest.mark.parametrize(
    ("given", "days"),
    [
        ({"telegram_deadlines": "seed_001B"}, 1),
        ({"telegram_deadlines": "alt_web"}, 3),
        ({"telegram_deadlines": "custom", "telegram_handling_custom": {"一般": "P7D", "特急": "P2D"}}, 2),
        ({"telegram_deadlines": "custom"}, 1),
    ],
)
def test_how_long_a_telegram_takes(given: dict[str, Any], days: int) -> None:
    assert chosen(**given).deadlines.telegram_handling["特急"].days == days


@pytest.mark.req("R-068")
@pytest.mark.parametrize(
    ("given", "last"),
    [
        ({}, date(2026, 11, 10)),
        ({"business_days": True}, date(2026, 11, 12)),
        ({"circulation_deadlines": "custom", "circulation_custom": {"一般": "P2D"}}, date(2026, 11, 7)),
        ({"circulation_custom": {"一般": "P2D"}}, date(2026, 11, 10)),
    ],
)
def test_how_long_a_paper_circulates(given: dict[str, Any], last: date) -> None:
    policy = chosen(**given)
    # a Thursday
    ends = timers.term_ends(
        policy, policy.desk.clocks["circulation"], level=Level.INTERNAL, urgency="一般",
        start=datetime.fromisoformat("2026-11-05T09:00:00+08:00"),
    )  # fmt: skip
    assert (ends.date() - date.resolution) == last


@pytest.mark.req("R-138")
@pytest.mark.parametrize(
    ("option", "held"),
    [
        ("principal", {"principal"}),
        ("office_of_principal", {"principal", "office_director"}),
        ("deputy", {"principal", "leader_in_charge"}),
    ],
)
def test_who_acts_for_the_head_in_company_secrets(option: str, held: set[str]) -> None:
    policy = chosen(company_delegate=option)
    roles = ("principal", "office_director", "leader_in_charge", "jiyao_clerk")
    assert {role for role in roles if policy.satisfies("principal_delegate", role)} == held


@pytest.mark.req("R-133")
@pytest.mark.parametrize(
    ("option", "lock", "leave"),
    [("3min_30min", 180, 1800), ("strict_1min", 60, 1800), ("seed_30min_only", 1800, 1800)],
)
def test_leaving_the_seat(option: str, lock: int, leave: int) -> None:
    terms = chosen(idle_lock=option).deadlines
    assert (terms.idle_lock.seconds, terms.idle_signout.seconds) == (lock, leave)


# ---------------------------------------------------------------- whose hands count as two


@pytest.mark.req("R-137")
def test_who_delegated_and_who_acts_for_him_are_one_hand(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document(level=LOW)
    people.delegate(
        room.station, room.as_("dir", "delegate"), giver="dir", taker="reader", role="office_director",
        until=date(2026, 12, 1),
    )  # fmt: skip
    asked = approvals.request(
        room.station, room.as_("dir", "approval.request"), act="distribute", documents=(document,)
    )
    room.open()
    room.refused(
        "delegated_hand",
        approvals.give,
        room.station,
        room.as_("reader", "approval.give"),
        approval=asked["id"],
    )
    other = approvals.request(
        room.station, room.as_("clerk", "approval.request"), act="distribute", documents=(document,)
    )
    given = approvals.give(room.station, room.as_("reader", "approval.give"), approval=other["id"])
    assert given["state"] == "given"


@pytest.mark.req("R-137")
def test_a_role_newer_than_the_batch_does_not_count_for_it(tmp_path: Path) -> None:
    room = Room(tmp_path)
    batch = room.until("approved", room.expired(signed=date(2012, 3, 1)))
    room.clock.forward(minutes=5)
    people.grant(
        room.station, room.as_("secadmin", "account.grant"), user="plain", roles=("destroy_supervisor",),
        clearance=None,
    )  # fmt: skip
    room.open()
    room.refused("role_newer_than_batch", room.supervise, batch, "plain")
    room.supervise(batch, "sup1")
