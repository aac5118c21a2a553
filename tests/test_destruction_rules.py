"""Who destroys, in which order and time, and what is kept of it (cli.md; roles.md section 2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from jiyao.common.errors import JiyaoError
from jiyao.models.level import Level
from jiyao.models.tables import Destruction, DestructionAct
from jiyao.pipeline.destruction import batch as destruction
from jiyao.pipeline.papers import appraisal, documents, hold
from jiyao.pipeline.persons import actors
from jiyao.pipeline.review import review
from room_kit import SECRETS, Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


# ---------------------------------------------------------------- persons


@pytest.mark.req("R-121", "R-117")
def test_the_wrong_role_is_refused_at_the_door(room: Room) -> None:
    for user, act in (
        ("reader", "destroy.propose"), ("dir", "destroy.propose"), ("det", "destroy.count"), ("op1", "destroy.count"),
        ("clerk", "destroy.approve"), ("op1", "destroy.supervise"), ("lead", "destroy.supervise"),
        ("sup1", "destroy.execute"), ("clerk", "destroy.execute"), ("sysadmin", "destroy.execute"),
        ("secadmin", "destroy.propose"), ("plain", "destroy.show"),
    ):  # fmt: skip
        room.refused(
            "role_missing", lambda u, a: actors.enter(room.station, user=u, act=a, secrets=SECRETS), user, act
        )
        assert (room.last_entry()["account"], room.last_entry()["act"]) == (user, act)


@pytest.mark.req("R-117", "R-118")
def test_each_step_asks_for_its_persons(room: Room) -> None:
    document = room.expired()
    batch = room.propose(document)["id"]
    room.refused("destruction_state", room.approve, batch, "dir")
    room.count(batch, "clerk")
    room.refused("same_person_twice", room.count, batch, "clerk")
    room.refused("same_person_twice", room.count, batch, "clerkb")
    room.refused("destruction_state", room.approve, batch, "dir")
    room.count(batch, "both")
    room.refused("destruction_state", room.count, batch, "arch")
    room.refused("not_own_batch", room.approve, batch, "both")
    room.refused("not_the_approver", room.approve, batch, "lead")
    room.refused("destruction_state", room.supervise, batch, "sup1")
    room.refused("destruction_state", room.execute, batch, "op1")
    value = room.approve(batch, "dir")
    assert (value["state"], value["approvers"][0]["role"]) == ("approved", "office_director")
    room.refused("destruction_state", room.approve, batch, "dir")
    room.refused("destruction_state", room.execute, batch, "op1")
    room.supervise(batch, "sup1")
    room.refused("same_person_twice", room.supervise, batch, "sup1")
    room.refused("same_person_twice", room.supervise, batch, "sup1b")
    room.refused("destruction_state", room.execute, batch, "op1")
    assert room.supervise(batch, "opsup")["state"] == "supervised"
    room.refused("destruction_state", room.supervise, batch, "sup2")
    room.refused("persons_apart", room.execute, batch, "opsup")
    value = room.execute(batch, "op1")
    assert (value["state"], value["phase"], len(value["operators"])) == ("executing", None, 1)
    room.refused("same_person_twice", room.execute, batch, "op1")
    room.refused("same_person_twice", room.execute, batch, "op1b")
    value = room.execute(batch, "op2")
    assert value["state"] == "verified" and [item["person"] for item in value["operators"]] == [
        "p-op1",
        "p-op2",
    ]
    room.refused("destruction_state", room.execute, batch, "op1")
    room.refused("not_the_supervisor", room.attest, batch, "sup2")
    room.attest(batch, "sup1")
    room.refused("same_person_twice", room.attest, batch, "sup1b")
    value = room.attest(batch, "opsup")
    assert value["state"] == "certified" and value["certificate"] == "C2026-00001"
    room.refused("destruction_state", room.attest, batch, "sup1")
    room.refused("execution_begun" if False else "destruction_state", destruction.cancel, room.station,
                 room.as_("clerk", "destroy.propose"), batch=batch)  # fmt: skip


@pytest.mark.req("R-117")
def test_approver_operator_and_supervisor_are_different_persons(room: Room) -> None:
    batch = room.until("counted", room.expired())
    room.approve(batch, "leadsup")
    room.refused("persons_apart", room.supervise, batch, "leadsup")
    room.supervise(batch, "sup1")
    room.supervise(batch, "sup2")
    other = room.until("counted", room.expired())
    room.approve(other, "leadop")
    for user in ("sup1", "sup2"):
        room.supervise(other, user)
    room.refused("persons_apart", room.execute, other, "leadop")


@pytest.mark.req("R-117")
def test_the_proposer_neither_approves_nor_supervises(room: Room) -> None:
    batch = room.propose(room.expired(), by="both")["id"]
    for user in ("clerk", "arch"):
        room.count(batch, user)
    room.refused("not_own_batch", room.approve, batch, "both")
    other = room.propose(room.expired(), by="clerksup")["id"]
    for user in ("clerk", "arch"):
        room.count(other, user)
    room.approve(other, "dir")
    room.refused("persons_apart", room.supervise, other, "clerksup")


@pytest.mark.req("R-117")
def test_a_counter_operates_only_in_a_small_room(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = room.propose(room.expired())["id"]
    room.count(batch, "clerk")
    room.count(batch, "countop")
    room.approve(batch, "dir")
    for user in ("sup1", "sup2"):
        room.supervise(batch, user)
    room.refused("persons_apart", room.execute, batch, "countop")
    policy = type(room.station.policy)
    monkeypatch.setattr(policy, "small_room", property(lambda _self: True))
    assert room.execute(batch, "countop")["state"] == "executing"


@pytest.mark.req("R-129")
def test_supervisors_are_cleared_for_the_highest_level(room: Room) -> None:
    low, high = room.expired(), room.expired(level=Level.COMPANY_SECRET)
    batch = room.until("approved", low, high, approvers=("dir", "prin"))
    room.refused("clearance_too_low", room.supervise, batch, "supnone")
    doubtful = room.paper(level=None, interim=Level.STATE_SECRET)
    other = room.until("approved", doubtful, reason="misfiled", approvers=("lead",))
    room.refused("clearance_too_low", room.supervise, other, "supnone")
    assert room.supervise(other, "sup1")["supervisors"]


APPROVERS: list[tuple[Level, list[str]]] = [
     (Level.INTERNAL, ["office_director"]), (Level.PUBLIC, ["office_director"]), (Level.WORK, ["office_director"]),
     (Level.STATE_CONFIDENTIAL, ["leader_in_charge"]), (Level.STATE_SECRET, ["leader_in_charge"]),
     (Level.STATE_TOP, ["leader_in_charge", "principal"]), (Level.COMPANY_TOP, ["principal_delegate"]),
     (Level.COMPANY_SECRET, ["principal_delegate"]), (Level.COMPANY_CONFIDENTIAL, ["principal_delegate"]),
     (Level.SOE_CORE, ["office_director"])]  # fmt: skip


@pytest.mark.req("R-117", "R-138")
def test_who_approves_by_level(room: Room) -> None:
    for level, roles in APPROVERS:
        _one_who_approves_by_level(room, level, roles)


def _one_who_approves_by_level(room: Room, level: Level, roles: list[str]) -> None:
    batch = room.until("counted", room.expired(level=level))
    assert room.show(batch)["needed"] == roles
    able = {
        "office_director": "dir",
        "leader_in_charge": "lead",
        "principal": "prin",
        "principal_delegate": "prin",
    }
    for user in {"dir", "lead", "prin"} - {able[role] for role in roles}:
        room.refused("not_the_approver", room.approve, batch, user)
    for role in roles:
        assert room.show(batch)["state"] == "counted"
        value = room.approve(batch, able[role])
    assert value["state"] == "approved" and [item["role"] for item in value["approvers"]] == roles


@pytest.mark.req("R-117")
def test_top_secret_needs_two_different_leaders(room: Room) -> None:
    from jiyao.pipeline.persons import people

    people.grant(room.station, room.as_("secadmin", "account.grant"), user="prin", roles=("leader_in_charge",),
                 clearance=None)  # fmt: skip
    batch = room.until("counted", room.expired(level=Level.STATE_TOP))
    assert room.approve(batch, "prin")["state"] == "counted"
    room.refused("same_person_twice", room.approve, batch, "prin")


@pytest.mark.req("R-138")
def test_a_dated_delegate_of_the_principal_approves_for_the_company(room: Room) -> None:
    from jiyao.pipeline.persons import people

    batch = room.until("counted", room.expired(level=Level.COMPANY_SECRET))
    room.refused("not_the_approver", room.approve, batch, "lead")
    people.delegate(room.station, room.as_("prin", "delegate"), giver="prin", taker="lead", role="principal",
                    until=date(2026, 11, 5))  # fmt: skip
    room._actors.clear()
    value = room.approve(batch, "lead")
    assert value["state"] == "approved" and value["approvers"][0]["role"] == "principal_delegate"


# ---------------------------------------------------------------- time


@pytest.mark.req("R-117")
def test_a_second_operator_later_than_five_minutes_is_a_first_one(room: Room) -> None:
    batch = room.until("supervised", room.expired())
    room.execute(batch, "op1")
    room.clock.forward(minutes=5, seconds=1)
    value = room.execute(batch, "op2")
    assert value["state"] == "executing" and [item["person"] for item in value["operators"]] == ["p-op2"]
    room.clock.forward(minutes=5)
    assert room.execute(batch, "op1")["state"] == "verified"


@pytest.mark.req("R-117")
def test_a_missing_second_operator_destroys_nothing(room: Room) -> None:
    document = room.expired()
    batch = room.until("supervised", document)
    room.execute(batch, "op1")
    assert room.row(document).status == "registered"
    assert documents.text_of(room.station, room.as_("clerk", "text"), document=document)["pages"]
    assert (
        destruction.cancel(room.station, room.as_("clerk", "destroy.propose"), batch=batch)["state"]
        == "cancelled"
    )


def _live(room: Room, days: int) -> None:
    """Days go by with work on each of them, as the clock guard expects."""
    for _ in range(days):
        room.clock.forward(hours=23, minutes=59)
        with room.station.write() as session:
            room.station.log(session, "day")


@pytest.mark.req("R-117")
@pytest.mark.parametrize(
    ("state", "step", "user"), [("approved", "supervise", "sup1"), ("supervised", "execute", "op1")]
)
def test_an_approval_expires_after_thirty_days(room: Room, state: str, step: str, user: str) -> None:
    batch = room.until(state, room.expired())
    assert room.show(batch)["approval_expires"] == "2026-12-02"
    _live(room, 30)
    assert getattr(room, step)(batch, user)["state"] in ("approved", "executing")
    _live(room, 2)
    room.refused("approval_expired", getattr(room, step), batch, "sup2" if step == "supervise" else "op2")


@pytest.mark.req("R-117")
def test_a_late_second_approver_does_not_renew_the_first_ones_word(room: Room) -> None:
    batch = room.until("counted", room.expired(level=Level.STATE_TOP))
    room.approve(batch, "lead")
    _live(room, 20)
    assert room.approve(batch, "prin", dry_run=True)["approval_expires"] == "2026-12-02"
    _live(room, 12)
    room.refused("approval_expired", room.approve, batch, "prin")


@pytest.mark.req("R-117")
def test_time_that_nobody_confirmed_stops_destructions(room: Room) -> None:
    batch = room.until("supervised", room.expired())
    room.clock.forward(days=3)
    room._actors.clear()
    room.refused("clock_unconfirmed", room.execute, batch, "op1")


# ---------------------------------------------------------------- what is kept


@pytest.mark.req("R-117", "R-127", "R-135")
def test_every_act_is_signed_and_in_the_ledger(room: Room) -> None:
    import json

    from jiyao.pipeline.station import authority
    from jiyao.vault import cms

    document = room.expired()
    batch = room.until("verified", document)
    with room.station.read() as session:
        acts = session.scalars(select(DestructionAct).order_by(DestructionAct.id)).all()
        ca = authority.certificate(session, "ca")
        digest = session.get_one(Destruction, batch).list_sha256
        session.expunge_all()
    assert [act.act for act in acts] == [
        "propose",
        "count",
        "count",
        "approve",
        "supervise",
        "supervise",
        "execute",
        "execute",
    ]
    for act in acts:
        statement = json.loads(act.statement)
        assert (statement["batch"], statement["list_sha256"], statement["person"]) == (
            batch,
            digest,
            act.person,
        )
        assert cms.verify_statement(act.statement, act.signature, ca).person == act.person
    for name in ("propose", "count", "approve", "supervise", "execute", "keys", "verify"):
        assert any(
            batch in entry["objects"] and entry["result"] == "done"
            for entry in room.entries(f"destroy.{name}")
        )
    row = room.row(document)
    assert (row.status, row.duplicate_tag, row.key_slot) == ("destroyed", None, None)
    shown = documents.show_document(room.station, room.as_("clerk", "documents"), document=document)
    assert shown["title"] == "关于样例事项的函" and shown["sha256"] is None and shown["evidence"] == []
    for user in ("clerk", "arch", "det"):
        with pytest.raises(JiyaoError) as gone:
            documents.text_of(room.station, room.as_(user, "text"), document=document)
        assert gone.value.exit_code == 3
    late = {"document": document, "reason": "迟"}
    dead: list[tuple[str, Callable[[], object]]] = [
        ("already_destroyed", lambda: room.propose(document)),
        ("already_destroyed", lambda: hold.add_hold(room.station, room.as_("dir", "hold.add"), **late)),
        ("already_destroyed", lambda: appraisal.appraise(room.station, room.as_("arch", "appraise"), **late)),
        ("not_in_review",
         lambda: review.accept(room.station, room.as_("clerk", "review.accept"), documents=(document,))),
    ]  # fmt: skip
    for code, act in dead:
        room.refused(code, act)


@pytest.mark.req("R-116")
def test_a_known_clear_file_outside_makes_a_reservation_and_its_name_stays_sealed(room: Room) -> None:
    source = room.base / "inbox" / "关于征地补偿的内部请示底稿.docx"
    source.parent.mkdir()
    source.write_bytes(b"clear")
    document = room.expired(path=source)
    batch = room.until("verified", document)
    value = room.show(batch)
    assert value["verdict"] == "complete_with_reservations"
    assert [(place["item"], place["kind"], place["path"]) for place in value["outside_scope"]] == [
        (document, "inbox", str(source))
    ]
    for path in room.home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert source.name.encode() not in data and json_escape(source.stem) not in data, path


def json_escape(text: str) -> bytes:
    import json

    return json.dumps(text).strip('"').encode()


@pytest.mark.req("R-116", "R-140")
def test_a_copy_that_was_written_out_and_not_returned_is_listed_once(room: Room) -> None:
    from jiyao.models.tables import Clear
    from jiyao.pipeline.intake.source_file import CLEAR

    document = room.expired()
    copy = room.copy(document, status="lost")
    with room.station.write() as session:
        session.add(
            Clear(document_id=document, copy_id=copy, kind="copy_out", at=room.station.now(), holder="p-reader",
                  sealed=room.station.seal(session, CLEAR, {"path": "/media/x/copy.pdf", "size": 1}))
        )  # fmt: skip
    batch = room.until("verified", document)
    assert [(place["item"], place["kind"]) for place in room.show(batch)["outside_scope"]] == [
        (copy, "copy_out")
    ]
