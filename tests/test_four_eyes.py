"""Whose hands count as two: who delegated a role and who holds it are one wherever two are asked; one place says so."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jiyao.common.errors import JiyaoError
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period
from jiyao.models.policy.loader import default_policy_text
from jiyao.models.rights import MAY
from jiyao.pipeline.levels import term_events
from jiyao.pipeline.papers import hold, incidents
from jiyao.pipeline.persons import approvals, four_eyes, paper_approval, people
from jiyao.pipeline.review import review
from jiyao.pipeline.rounds import clearing, transport
from jiyao.pipeline.station import backup, clocks, policies
from room_kit import SECRETS, Room
from test_custody import carrier

SECRET = Mark(Level.STATE_CONFIDENTIAL, Period("years", number=5), star=True)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def lend(room: Room, giver: str, taker: str, role: str, until: date = date(2026, 12, 1)) -> None:
    """`giver` delegates a role to `taker`; both are entered anew afterwards."""
    people.delegate(
        room.station, room.as_(giver, "delegate"), giver=giver, taker=taker, role=role, until=until
    )
    room._actors.clear()


def one_hand(room: Room, doing: Callable[..., object], *args: Any, **given: Any) -> None:
    with pytest.raises(JiyaoError) as caught:
        doing(*args, **given)
    told = room.last_entry()
    assert (caught.value.code, told["result"], told["rule_or_approval"]) == (
        "delegated_hand", "denied", "delegated_hand",
    )  # fmt: skip


def two_heads(room: Room) -> None:
    """Two principals, one of whom has delegated to the other. Administrators delegate to nobody."""
    people.grant(
        room.station, room.as_("secadmin", "account.grant"), user="plain", roles=("principal",), clearance="core"
    )  # fmt: skip
    lend(room, "prin", "plain", "principal")


# ---------------------------------------------------------------- the rule


@pytest.mark.req("R-137")
def test_who_is_joined_with_whom(room: Room) -> None:
    lend(room, "dir", "reader", "office_director")
    lend(room, "dir", "reader2", "office_director")
    lend(room, "lead", "reader", "leader_in_charge", until=date(2026, 11, 2))

    def joined(person: str, role: str, since: str = "2026-11-02T09:00:00+08:00") -> set[str]:
        with room.station.read() as session:
            return set(four_eyes.joined(session, person, role, since))

    assert joined("p-dir", "office_director") == {"p-reader", "p-reader2"}
    assert joined("p-reader", "office_director") == {"p-dir", "p-reader2"}, "both act for the same"
    assert joined("p-reader", "leader_in_charge") == {"p-lead"}, "another role joins others"
    assert joined("p-reader", "leader_in_charge", "2026-11-03T00:00:00+08:00") == set(), "it had ended before"
    assert joined("p-lead", "office_director|leader_in_charge") == {"p-reader"}
    assert joined("p-reader", four_eyes.ANY) == {"p-dir", "p-reader2", "p-lead"}
    with room.station.read() as session:
        count = four_eyes.hands(session, ("p-dir", "p-reader", "p-lead", "p-lead"), since="2026-11-02")
        assert count == 2, "reader is the hand of either"
        assert four_eyes.hands(session, ("p-dir", "p-lead"), since="2026-11-02") == 2


def test_records_without_a_role_count_every_role_that_reaches_the_act() -> None:
    assert set(four_eyes.acts("hold.lift").split("|")) == MAY["hold.lift"]
    assert set(four_eyes.acts("hold.lift", "hold.add").split("|")) == MAY["hold.lift"] | MAY["hold.add"]


# ---------------------------------------------------------------- wherever two are asked for


@pytest.mark.req("R-137", "R-183")
def test_approvals_on_paper(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    scan = room.base / "scan.pdf"
    scan.write_bytes(b"%PDF signed")
    said = {"act": "distribute", "documents": (document,), "scan": scan, "approver": "p-lead"}
    clerk = "approval.paper"
    lend(room, "lead", "clerk2", "leader_in_charge")
    one_hand(room, paper_approval.enter, room.station, room.as_("clerk2", clerk), **said)
    entered = paper_approval.enter(room.station, room.as_("clerk", clerk), **said)["id"]
    checks = paper_approval.check, room.station
    one_hand(room, *checks, room.as_("clerk2", clerk), approval=entered)
    lend(room, "clerk", "both", "jiyao_clerk")
    one_hand(room, *checks, room.as_("both", clerk), approval=entered)
    assert paper_approval.check(room.station, room.as_("scan", clerk), approval=entered)["state"] == "given"


@pytest.mark.req("R-071", "R-137")
def test_nobody_borrows_by_the_approval_of_his_own_hand(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    lend(room, "dir", "reader", "office_director")
    asked = approvals.request(
        room.station, room.as_("clerk", "approval.request"), act="borrow", documents=(document,),
        recipients=("p-dir",),
    )  # fmt: skip
    approvals.give(room.station, room.as_("reader", "approval.give"), approval=asked["id"])
    with room.station.read() as session, pytest.raises(JiyaoError, match="approval_required"):
        approvals.require(
            room.station, session, act="borrow", rows=(room.row(document),), recipients=("p-dir",)
        )


@pytest.mark.req("R-039", "R-137")
def test_levels_set_and_accepted_and_terms_entered_and_confirmed(room: Room) -> None:
    lend(room, "det", "rev", "determiner")
    document = room.paper(level=Level.STATE_CONFIDENTIAL)
    review.set_values(
        room.station, room.as_("rev", "review"), document=document, level=Level.STATE_SECRET, period="20年",
        reason="试",
    )  # fmt: skip
    accept = review.accept, room.station
    one_hand(room, *accept, room.as_("det", "review.accept"), documents=(document,))
    assert review.accept(room.station, room.as_("det2", "review.accept"), documents=(document,))["confirmed"]
    marked = room.document(level=SECRET.level, mark=SECRET, signed=date(2024, 3, 1))
    said = {
        "document": marked, "happening": "extended", "on": date(2026, 10, 1), "until": date(2032, 3, 1),
        "notice": "样函1号", "reason": "来函",
    }  # fmt: skip
    term_events.record(room.station, room.as_("rev", "documents.event"), **said)
    record = term_events.record, room.station
    one_hand(room, *record, room.as_("det", "documents.event"), **said)
    done = term_events.record(room.station, room.as_("det2", "documents.event"), **said)
    assert done["secrecy_until"] == "2032-03-01"


@pytest.mark.req("R-128", "R-137")
def test_holds_incidents_and_the_clock(room: Room) -> None:
    document = room.document()
    hold.add_hold(room.station, room.as_("dir", "hold.add"), document=document, reason="试")
    lend(room, "lead", "both", "leader_in_charge")
    lift = hold.lift_hold, room.station
    hold.lift_hold(room.station, room.as_("both", "hold.lift"), document=document, reason="试")
    one_hand(room, *lift, room.as_("lead", "hold.lift"), document=document, reason="试")
    hold.lift_hold(room.station, room.as_("prin", "hold.lift"), document=document, reason="试")
    with room.station.write() as session:
        clerk = room.as_("both", "receive")
        incident = incidents.open_incident(room.station, session, clerk, "seal_broken", objects=())
    close = incidents.close_incident, room.station
    one_hand(room, *close, room.as_("lead", "incident.close"), incident=incident, reason="试")
    incidents.close_incident(room.station, room.as_("prin", "incident.close"), incident=incident, reason="试")
    # who lent his role before the clock was set ahead by years has lent it all the same
    two_heads(room)
    room.clock.forward(days=4000)
    room._actors.clear()
    assert clocks.confirm(room.station, room.as_("prin", "clock.confirm"))["trusted"] is False
    one_hand(room, clocks.confirm, room.station, room.as_("plain", "clock.confirm"))
    assert clocks.confirm(room.station, room.as_("sysadmin", "clock.confirm"))["trusted"] is True


@pytest.mark.req("R-013", "R-137")
def test_two_carry_two_count(room: Room) -> None:
    top = carrier(room, room.document(level=Level.STATE_TOP))
    lend(room, "reader", "reader2", "reader")
    said: dict[str, Any] = {
        "objects": (top,), "organ": "乌有县局", "channel": "机要交通", "bag": "袋1", "purpose": "come_back",
    }  # fmt: skip
    clerk = room.as_("clerk", "transport")
    pack = transport.pack, room.station, clerk
    room.refused("movement_persons", *pack, escorts=("p-reader", "p-reader2"), **said)
    run = transport.pack(room.station, clerk, escorts=("p-reader", "p-lead"), **said)["run"]
    for escort in ("p-reader", "p-lead"):
        transport.take(room.station, room.as_("clerk", "transport.take"), run=run, escort=escort)
    # the clerk has entered both signatures: that is his word alone
    room.refused("movement_persons", transport.depart, room.station, clerk, run=run)
    other = carrier(room, room.document())
    matter = clearing.start(room.station, room.as_("clerk", "clearing"), organ="乌有县局", objects=(other,))
    lend(room, "clerk", "scan", "jiyao_clerk")
    clearing.count(room.station, room.as_("clerk", "clearing"), matter=matter["list"], counted=1)
    count = clearing.count, room.station
    one_hand(room, *count, room.as_("scan", "clearing"), matter=matter["list"], counted=1)
    counted = clearing.count(room.station, room.as_("arch", "clearing"), matter=matter["list"], counted=1)
    assert counted["step"] == "hand_over"


@pytest.mark.req("R-137")
def test_the_policy_and_the_backup(room: Room) -> None:
    two_heads(room)
    file = room.base / "policy.yaml"
    file.write_text("# reviewed\n" + default_policy_text(), "utf-8")
    policies.activate(room.station, room.as_("secadmin", "policy.activate"), file=file)
    active = policies.activate(room.station, room.as_("plain", "policy.activate"), file=file)
    assert active["state"] == "active"
    saved = room.base / "backup.tar"
    backup.create(room.station, room.as_("sysadmin", "backup"), out=saved)
    room.station.engine.dispose()
    room.home.rename(room.base / "away")

    def restore(user: str) -> dict[str, Any]:
        return backup.restore(room.home, saved, user=user, secrets=SECRETS, clock=room.clock)

    assert restore("prin")["state"] == "waiting"
    with pytest.raises(JiyaoError, match="delegated_hand"):
        restore("plain")
    assert restore("sysadmin")["state"] == "restored"


# ---------------------------------------------------------------- one place decides

WHERE = Path(four_eyes.__file__).parents[1]
CODES = {"same_person_twice", "delegated_hand", "own_request", "persons_apart", "not_own_batch", "own_rights"}
"""What is told where two would have been one."""
MINE = {
    "copies/copies.py": {"list_copies", "_change"},
    "desk/custody.py": {"trail", "list_carriers"},
    "desk/duty.py": {"check_taken"},
    "desk/matters.py": {"cancel", "_role", "_own"},
    "desk/movements.py": {"may", "_taker"},
    "desk/urging.py": {"_concerns"},
    "destruction/batch.py": {"count", "cancel"},
    "destruction/certificate.py": {"attest"},
    "destruction/execution.py": {"_turn"},
    "destruction/hands.py": {"_other_hands"},
    "destruction/settlement.py": {"settle"},
    "levels/level_change.py": {"_row"},
    "papers/hold.py": {"lift_hold"},
    "persons/aggregation.py": {"allowed"},
    "persons/approvals.py": {"_concerns", "_check_scope"},
    "persons/deputies.py": {"appoint", "end", "list_deputies"},
    "persons/paper_approval.py": {"_entered_by_another"},
    "review/batches.py": {"hand_over", "close"},
    "rounds/circulation.py": {"receive"},
    "rounds/circulation_list.py": {"list_open", "_may_look"},
    "rounds/department_clearing.py": {"check_holdings"},
    "rounds/lending.py": {"list_loans"},
    "rounds/transport.py": {"take", "show"},
}
"""Functions that ask whether something is the actor's own (his copy, batch, step, circle), not whether he is a second
person; or that leave the first person's rows out before `four_eyes` looks at the others."""


def _names_the_actor(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Attribute)
        and part.attr == "person"
        and isinstance(part.value, ast.Name)
        and part.value.id == "actor"
        for part in ast.walk(node)
    )


def _refuses(node: ast.Call) -> bool:
    code = node.args[0] if node.args else None
    return (
        isinstance(node.func, ast.Name)
        and node.func.id == "Refused"
        and isinstance(code, ast.Constant)
        and code.value in CODES
    )


def _found() -> Iterator[tuple[str, str, ast.AST]]:
    """File, function and node of each such refusal, and of each comparison with the actor's person."""
    for path in sorted(WHERE.rglob("*.py")):
        text = path.read_text("utf-8")
        if path.name == "four_eyes.py" or (
            "actor.person" not in text and not any(code in text for code in CODES)
        ):
            continue
        for function in ast.parse(text).body:
            for node in ast.walk(function) if isinstance(function, ast.FunctionDef) else ():
                refuses = isinstance(node, ast.Call) and _refuses(node)
                if refuses or (isinstance(node, ast.Compare) and _names_the_actor(node)):
                    yield path.relative_to(WHERE).as_posix(), function.name, node


def test_only_one_place_compares_persons_where_two_are_asked_for() -> None:
    found = list(_found())
    told = [(file, name) for file, name, node in found if isinstance(node, ast.Call)]
    assert told == [], "four_eyes.apart refuses, with `same` as its code"
    compares = {(file, name) for file, name, node in found if isinstance(node, ast.Compare)}
    known = {(file, name) for file, names in MINE.items() for name in names}
    assert compares - known == set(), (
        "compares persons by itself: four_eyes.apart, or say here that it is his own"
    )
