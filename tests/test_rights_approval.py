"""Rights of operators are granted only after the committee approved them, where the unit chose so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flow_kit import begin, do
from jiyao.common.errors import NotThere, UsageFault
from jiyao.pipeline.persons import people, vetting
from room_kit import SECRETS, Room
from test_lending import with_choice


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """A room whose committee has two members, before it is asked to approve anything."""
    room = Room(tmp_path)
    system, security = room.as_("sysadmin", "account.add"), room.as_("secadmin", "account.grant")
    for user in ("member", "member2", "new"):
        people.add_account(room.station, system, SECRETS, user=user, name=f"人员{user}", person=f"p-{user}")
    for user in ("member", "member2"):
        people.grant(room.station, security, user=user, roles=("committee_reviewer",), clearance="core")
    return room


def grant(room: Room, **given: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"user": "new", "roles": ("scan_operator",), "clearance": "general", **given}
    return people.grant(room.station, room.as_("secadmin", "account.grant"), **said)


ASKED = {"account": "new", "roles": "scan_operator", "clearance": "general", "reason": "新任扫描员"}


@pytest.mark.req("R-130")
def test_rights_wait_for_the_committee_and_go_no_further_than_it_approved(room: Room) -> None:
    with_choice(room, rights_approval="committee")
    room.refused("rights_not_approved", grant, room)
    matter = begin(room, "rights", by="secadmin", words=ASKED)
    room.refused("rights_not_approved", grant, room)  # asked for is not approved
    room.refused("role_missing", do, room, matter, "lead", decision_no="保委〔2026〕3号")
    do(room, matter, "member", decision_no="保委〔2026〕3号")
    room.refused("rights_not_approved", grant, room, roles=("scan_operator", "determiner"))
    room.refused("rights_not_approved", grant, room, clearance="core")
    room.refused("rights_not_approved", grant, room, user="plain")
    told = grant(room)
    assert (told["roles"], told["clearance"]) == (["scan_operator"], "general")
    assert room.last_entry()["rule_or_approval"] == matter
    # what somebody else holds is lent, and a clearance raised, under the same rule
    lend = {"giver": "det", "taker": "new", "role": "determiner", "until": room.clock.now().date()}
    room.refused("rights_not_approved", people.delegate, room.station, room.as_("det", "delegate"), **lend)
    renew = {"person": "p-new", "until": room.clock.now().date(), "clearance": "core"}
    room.refused(
        "rights_not_approved", vetting.renew, room.station, room.as_("secadmin", "person.vet"), **renew
    )
    vetting.renew(room.station, room.as_("secadmin", "person.vet"), **{**renew, "clearance": "general"})


@pytest.mark.req("R-130")
def test_nobody_decides_on_his_own_rights_and_an_approval_grows_old(room: Room) -> None:
    with_choice(room, rights_approval="committee")
    own = begin(room, "rights", by="secadmin", words={**ASKED, "account": "member", "roles": "determiner"})
    room.refused("own_rights", do, room, own, "member", decision_no="保委〔2026〕4号")
    with pytest.raises(UsageFault, match="unknown_role"):
        begin(room, "rights", by="secadmin", words={**ASKED, "roles": "emperor"})
    with pytest.raises(NotThere, match="no_account"):
        begin(room, "rights", by="secadmin", words={**ASKED, "account": "nobody"})
    matter = begin(room, "rights", by="dir", words=ASKED)
    do(room, matter, "member2", decision_no="保委〔2026〕5号")
    room.clock.moment += timedelta(days=room.station.policy.approval_days + 1)
    room.refused("rights_not_approved", grant, room)


def test_without_that_choice_the_security_administrator_grants_alone(room: Room) -> None:
    assert grant(room)["roles"] == ["scan_operator"]
