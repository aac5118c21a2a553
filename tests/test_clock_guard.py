"""Time that went back or jumped ahead decides nothing until two persons have confirmed the clock (architecture.md)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jiyao.common.errors import JiyaoError, WrongSecret
from jiyao.models.level import Level
from jiyao.pipeline.persons import actors, approvals, people
from jiyao.pipeline.review import review
from jiyao.pipeline.station import clocks, ledgers
from room_kit import SECRETS, HandClock, Room, TestSecrets


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def confirm(room: Room, by: str) -> dict[str, Any]:
    return clocks.confirm(room.station, room.as_(by, "clock.confirm"))


def trusted(room: Room) -> bool:
    value: bool = clocks.show(room.station)["trusted"]
    return value


@pytest.mark.req("R-135")
@pytest.mark.parametrize(
    ("step", "kind"),
    [({"minutes": -1}, None), ({"minutes": -3}, "back"), ({"days": -400}, "back"), ({"hours": 23}, None),
     ({"hours": 25}, "ahead"), ({"days": 4000}, "ahead")],
)  # fmt: skip
def test_what_counts_as_a_jump(room: Room, step: dict[str, float], kind: str | None) -> None:
    room.document()
    room.clock.forward(**step)
    value = clocks.show(room.station)
    assert value["trusted"] is (kind is None)
    if kind:
        assert value["doubt"]["kind"] == kind and room.entries("clock.doubt")[-1]["facts"]["kind"] == kind


@pytest.mark.req("R-117", "R-135")
@pytest.mark.parametrize("days", [4000, -30])
def test_what_stops_and_what_goes_on(room: Room, days: int) -> None:
    """Setting the clock ahead makes no retention end; the day's other work goes on."""
    document = room.document(signed=date(2024, 3, 1))
    other = room.document(level=Level.STATE_SECRET)
    asked = approvals.request(room.station, room.as_("clerk", "approval.request"), act="distribute",
                              documents=(other,))["id"]  # fmt: skip
    counted = room.until("counted", room.expired())
    room.clock.forward(days=days)
    room._actors.clear()
    code = "clock_unconfirmed"
    room.refused(code, room.propose, due=True)
    room.refused(code, room.approve, counted, "dir")
    room.refused(code, approvals.give, room.station, room.as_("lead", "approval.give"), approval=asked)
    assert room.row(document).status == "registered"
    paper = room.paper()
    assert review.accept(room.station, room.as_("clerk", "review.accept"), documents=(paper,))["confirmed"]
    assert room.propose(room.document(), reason="misfiled")["state"] == "proposed"

    assert confirm(room, "sysadmin")["trusted"] is False
    room.refused("same_person_twice", confirm, room, "sysadmin")
    room.refused(code, room.approve, counted, "dir")
    assert confirm(room, "lead")["trusted"] is True
    assert trusted(room) and confirm(room, "lead")["trusted"]
    assert room.approve(counted, "dir")["state"] == "approved"
    assert ledgers.verify_log(room.station)["ok"]


@pytest.mark.req("R-117", "R-135")
def test_no_entry_of_the_ledger_can_hide_a_jump(room: Room) -> None:
    """A refused call, a wrong password or a watcher writes at the new time before anybody has looked."""
    counted = room.until("counted", room.expired())

    def wrong_role() -> None:
        with pytest.raises(JiyaoError):
            actors.enter(room.station, user="reader", act="backup", secrets=SECRETS)

    class Wrong(TestSecrets):
        def password(self, user: str, *, new: bool = False) -> str:
            return "no"

    def wrong_password() -> None:
        with pytest.raises(WrongSecret):
            actors.enter(room.station, user="clerk", act="ingest", secrets=Wrong())

    for write in (wrong_role, wrong_password, room.paper):
        room.clock.forward(days=3)
        write()
        assert not trusted(room), write
        room.refused("clock_unconfirmed", room.approve, counted, "dir")
        for user in ("prin", "secadmin"):
            confirm(room, user)
        assert trusted(room)


@pytest.mark.req("R-135")
def test_a_second_jump_voids_the_first_word(room: Room) -> None:
    room.clock.forward(days=2)
    assert confirm(room, "lead")["confirmed_by"] == ["p-lead"]
    room.clock.forward(days=2000)
    assert confirm(room, "sysadmin")["trusted"] is False, "the first person confirmed another time"
    assert confirm(room, "lead")["trusted"] is True


@pytest.mark.req("R-135")
def test_one_person_with_two_accounts_is_one_person(room: Room) -> None:
    people.add_account(
        room.station, room.as_("sysadmin", "account.add"), SECRETS, user="lead2", name="x", person="p-lead"
    )
    people.grant(room.station, room.as_("secadmin", "account.grant"), user="lead2", roles=("leader_in_charge",),
                 clearance=None)  # fmt: skip
    room.clock.forward(days=2)
    confirm(room, "lead")
    room.refused("same_person_twice", confirm, room, "lead2")


@pytest.mark.req("R-138")
def test_delegations_hold_only_while_time_is_trusted(room: Room) -> None:
    leader = room.as_("lead", "delegate")
    people.delegate(
        room.station, leader, giver="lead", taker="plain", role="leader_in_charge", until=date(2026, 11, 5)
    )
    people.delegate(
        room.station, leader, giver="lead", taker="dir", role="leader_in_charge", until=date(2026, 11, 5)
    )
    assert actors.enter(room.station, user="plain", act="circle", secrets=SECRETS).delegated
    room.clock.forward(hours=-30)

    def enter(user: str) -> actors.Actor:
        return actors.enter(room.station, user=user, act="circle", secrets=SECRETS)

    room.clock.forward(hours=30)
    room.clock.forward(days=2)
    room.refused("clock_unconfirmed", enter, "plain")
    assert not trusted(room), "the doubt outlives the refusal"
    held = enter("dir")
    assert held.roles == {"office_director"} and held.delegated == {}, "own roles go on, borrowed ones wait"
    for user in ("prin", "sysadmin"):
        confirm(room, user)
    assert enter("plain").delegated == {"leader_in_charge": "p-lead"}
    for _ in range(2):
        room.clock.forward(hours=23)
        trusted_entry(room)
    room.refused("role_missing", enter, "plain")
    assert enter("dir").roles == {"office_director"}


def trusted_entry(room: Room) -> None:
    with room.station.write() as session:
        room.station.log(session, "day")


def test_the_clock_is_never_set_from_outside() -> None:
    assert not [name for name in dir(clocks) if name.startswith("set")]
    assert HandClock().now().tzinfo is not None
