"""Movements, timers and matters: a row of the policy for each, order and persons of steps, a count that adds up."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from jiyao.common.clock import iso
from jiyao.common.errors import JiyaoError, NotThere, Refused, UsageFault
from jiyao.models.level import Level
from jiyao.models.policy.loader import parse_policy
from jiyao.models.tables import Carrier, LedgerEntry, Movement, Timer
from jiyao.pipeline.desk import custody, matter_book, matters, movements, timers
from jiyao.pipeline.desk.movements import Hand
from jiyao.pipeline.persons import approvals, circle
from jiyao.pipeline.station import tallies
from policy_kit import plain_policy, policy_text
from room_kit import Room

BACK = {"pages": "12"}


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def carrier(room: Room, document: str, number: int = 1) -> str:
    """An original of a document, as receiving leaves it."""
    clerk = room.as_("clerk", "carriers.move")
    with room.station.write() as session:
        made = Carrier(
            id=f"{document}-Z{number}", receipt_id=room.row(document).receipt_id, document_id=document,
            type="paper", serial=f"{number:06d}", holder=clerk.person, place=None, state="held",
        )  # fmt: skip
        session.add(made)
        session.flush()
        movements.enter(room.station, session, clerk, made, "receive")
        return made.id


def move(room: Room, act: str, *ids: str, by: str = "clerk", **hand: Any) -> dict[str, Any]:
    return custody.move(room.station, room.as_(by, "carriers.move"), act, ids, Hand(**hand))


def approve(room: Room, act: str, document: str, *by: str, to: tuple[str, ...] = ()) -> str:
    asked = approvals.request(
        room.station, room.as_("clerk", "approval.request"), act=act, documents=(document,), recipients=to
    )
    for user in by:
        approvals.give(room.station, room.as_(user, "approval.give"), approval=asked["id"])
    return str(asked["id"])


def state(room: Room, object_id: str) -> tuple[str, str | None]:
    with room.station.read() as session:
        row = session.get_one(Carrier, object_id)
        return row.state, row.holder


# ---------------------------------------------------------------- movements


@pytest.mark.req("R-012", "R-016", "R-069")
def test_an_original_always_has_a_state_a_holder_and_a_trail(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    one = carrier(room, document)
    move(room, "place", one, place="A柜2层")
    move(room, "circulate", one, taker="p-reader")
    assert state(room, one) == ("out", "p-reader")
    move(room, "read_back", one, words=BACK)
    assert state(room, one) == ("held", "p-clerk")
    trail = custody.trail(room.station, room.as_("clerk", "carriers.list"), object_id=one)["movements"]
    assert [(row["act"], row["before"], row["after"]) for row in trail] == [
        ("receive", None, "held"), ("place", "held", "held"), ("circulate", "held", "out"),
        ("read_back", "out", "held"),
    ]  # fmt: skip
    assert trail[1]["place"] == "A柜2层" and trail[3]["words"] == BACK
    entries = room.entries("move")
    assert [entry["facts"]["act"] for entry in entries] == ["receive", "place", "circulate", "read_back"]
    assert "A柜" not in json.dumps(entries, ensure_ascii=False)


@pytest.mark.req("R-065", "R-086")
def test_a_top_secret_original_comes_back_before_the_next_reader_has_it(room: Room) -> None:
    document = room.document(level=Level.STATE_TOP)
    one = carrier(room, document)
    people = ("p-reader", "p-reader2", "p-lead")
    circle.set_circle(room.station, room.as_("lead", "circle"), document=document, persons=people)
    room.refused("approval_required", move, room, "circulate", one, taker="p-reader")
    approve(room, "read", document, "lead")
    room.refused("reading_room_only", move, room, "circulate", one, taker="p-reader", place="局长办公室")
    move(room, "circulate", one, taker="p-reader", place="阅文室")
    with room.station.read() as session:
        timer = session.scalars(select(Timer)).one()
        assert timers.last_day(timer) == room.clock.now().date()
    room.refused("movement_state", move, room, "circulate", one, taker="p-reader2")
    listed = custody.outstanding(room.station, room.as_("clerk", "carriers.out"))["items"]
    assert [(item["id"], item["overnight"], item["days"]) for item in listed] == [(one, True, 0)]
    move(room, "read_back", one, words=BACK)
    move(room, "circulate", one, taker="p-reader2", place="阅文室")


@pytest.mark.req("R-063", "R-075")
def test_nobody_outside_circle_or_clearance_is_handed_an_original(room: Room) -> None:
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    one = carrier(room, document)
    circle.set_circle(room.station, room.as_("dir", "circle"), document=document, persons=("p-reader",))
    room.refused("not_in_circle", move, room, "circulate", one, taker="p-reader2")
    room.refused("clearance_too_low", move, room, "circulate", one, taker="p-supnone")
    room.refused(
        "not_in_circle", move, room, "lend", one, taker="p-reader2", words={"precautions": "当面交代"}
    )
    move(room, "circulate", one, taker="p-reader")


@pytest.mark.req("R-071", "R-072", "R-073", "R-074")
def test_the_ladder_of_borrowing(room: Room) -> None:
    told: dict[str, Any] = {"words": {"precautions": "当面交代注意事项"}, "place": "阅文室"}
    first = carrier(room, room.document(level=Level.STATE_CONFIDENTIAL))
    with pytest.raises(UsageFault, match="movement_needs"):
        move(room, "lend", first, taker="p-reader")
    move(room, "lend", first, taker="p-reader", **told)
    for level, approver, days in ((Level.STATE_SECRET, "dir", 5), (Level.STATE_TOP, "lead", 1)):
        document = room.document(level=level)
        one = carrier(room, document)
        room.refused("approval_required", move, room, "lend", one, taker="p-reader", **told)
        approve(room, "borrow", document, approver)
        latest = room.clock.now().date() + timedelta(days=days - 1)
        room.refused(
            "due_too_late", move, room, "lend", one, taker="p-reader", due=latest + timedelta(days=1), **told
        )
        move(room, "lend", one, taker="p-reader", due=latest, **told)
    room.clock.forward(days=1)
    with room.station.read() as session:
        late = [timers.due_item(room.station, timer) for timer in timers.running(session)]
    assert late[0]["days"] == -1 and late[0]["action"] == "collect" and late[0]["holder"] == "p-reader"
    with pytest.raises(UsageFault, match="movement_needs"):
        move(room, "lend_back", first)
    move(room, "lend_back", first, words=BACK)


@pytest.mark.req("R-014", "R-082")
def test_top_secret_papers_travel_with_two_persons(room: Room) -> None:
    document = room.document(level=Level.STATE_TOP)
    one = carrier(room, document)
    approve(room, "carry_out", document, "prin")
    words = {"case": "箱3", "destination": "市里"}
    room.refused("movement_persons", move, room, "carry_out", one, taker="p-reader", words=words)
    room.refused(
        "movement_persons",
        move,
        room,
        "carry_out",
        one,
        taker="p-reader",
        together_with=("p-reader",),
        words=words,
    )
    move(room, "carry_out", one, taker="p-reader", together_with=("p-reader2",), words=words)
    assert room.entries("move")[-1]["facts"]["together_with"] == ["p-reader2"]


@pytest.mark.req("R-005", "R-067")
def test_only_the_rooms_staff_hand_out_originals(room: Room) -> None:
    one = carrier(room, room.document())
    for user in ("reader", "dir", "lead"):
        room.refused("role_missing", move, room, "circulate", one, by=user, taker="p-reader2")
    room.refused("movement_unknown", move, room, "give_away", one, taker="p-reader")
    with pytest.raises(NotThere):
        move(room, "circulate", "D2026-999999-Z1", taker="p-reader")


def test_a_whole_list_moves_or_nothing_of_it(room: Room) -> None:
    document = room.document()
    one, two = carrier(room, document), carrier(room, document, 2)
    move(room, "circulate", two, taker="p-reader")
    room.refused("movement_state", move, room, "circulate", one, two, taker="p-reader2")
    assert state(room, one) == ("held", "p-clerk")


def test_a_new_rule_of_a_room_is_a_line_of_yaml() -> None:
    plain = plain_policy()
    plain["movements"].append(
        {"act": "bind", "zh": "装订", "of": ["carrier"], "before": ["held"], "after": "held", "to": "person",
         "by": ["archivist"], "needs": ["volume"]}
    )  # fmt: skip
    policy = parse_policy(policy_text(plain))
    found = policy.desk.movement("bind", "carrier")
    assert found is not None and found.by == ("archivist",) and found.needs == ("volume",)
    for key, value, what in (
        ("after", "sold", "sold"), ("by", ["passer_by"], "passer_by"), ("approval", "wish", "wish"),
        ("clock", "cuckoo", "cuckoo"),
    ):  # fmt: skip
        broken = plain_policy()
        broken["movements"][3][key] = value
        with pytest.raises(UsageFault) as caught:
            parse_policy(policy_text(broken))
        assert caught.value.code == "policy_invalid" and what in str(caught.value.facts["what"])


# ---------------------------------------------------------------- the count


class Desk(RuleBasedStateMachine):
    """Any sequence of movements by anybody: the count adds up, the ledger replays to the register."""

    @initialize()
    def begin(self) -> None:
        self.room = _shared_room()
        self.document = self.room.document(level=Level.STATE_CONFIDENTIAL)
        self.ids = [carrier(self.room, self.document, number) for number in (1, 2, 3)]
        self.began = len(self.room.entries("move"))

    @rule(
        act=st.sampled_from(
            ["place", "circulate", "read_back", "lend", "lend_back", "depart", "come_back", "return_to_issuer",
             "archive", "take_from_archive", "miss", "lose", "find", "keep_for", "entrust"]
        ),
        which=st.integers(0, 2),
        by=st.sampled_from(["clerk", "clerk2", "arch", "reader", "lead"]),
        to=st.sampled_from(["p-reader", "p-reader2", "p-arch", "p-supnone"]),
    )  # fmt: skip
    def try_it(self, act: str, which: int, by: str, to: str) -> None:
        words = dict.fromkeys(("pages", "precautions", "bag", "receipt_no", "reason", "reader"), "1")
        before = self.counts()
        try:
            move(self.room, act, self.ids[which], by=by, taker=to, place="B柜", words=words)
        except Refused:
            assert self.counts() == before

    @invariant()
    def adds_up(self) -> None:
        counts = self.counts()
        assert counts["entered"] == 3 == sum(counts[name] for name in counts if name != "entered")
        with self.room.station.read() as session:
            assert movements.differences(session) == []
            replayed = movements.replay(session)
            for one in self.ids:
                row = session.get_one(Carrier, one)
                assert replayed["carrier", one] == (row.state, row.holder)
                assert (row.holder is None) == (row.state in ("returned", "handed_over", "destroyed", "lost"))
                last = session.scalars(
                    select(Movement).where(Movement.object_id == one).order_by(Movement.id.desc())
                ).first()
                assert last is not None and (last.after, last.taker) == (row.state, row.holder)

    def counts(self) -> dict[str, int]:
        with self.room.station.read() as session:
            return movements.balance(session, "carrier", document=self.document)

    def teardown(self) -> None:
        with self.room.station.write() as session:
            assert tallies.recount(session), "the kept counts are those of all rows"


@cache
def _shared_room() -> Room:
    import atexit
    import shutil
    import tempfile

    base = Path(tempfile.mkdtemp(prefix="jiyao-desk-"))
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    return Room(base)


TestDesk = pytest.mark.req("R-012", "R-017", "R-069", "R-103")(Desk.TestCase)
TestDesk.settings = settings(
    max_examples=8, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_movement_that_was_slipped_in_is_found(room: Room) -> None:
    one = carrier(room, room.document())
    with room.station.write() as session:
        session.get_one(Carrier, one).state = "returned"
    told = custody.count(room.station, room.as_("clerk", "carriers.out"))
    assert told["differences"] == [one] and told["originals"]["returned"] == 1


# ---------------------------------------------------------------- matters


def with_matter(room: Room, **more: Any) -> None:
    """A policy in force that knows one more kind of matter."""
    plain = plain_policy()
    plain["matters"].append(
        {
            "kind": "trial", "zh": "试办", "blocks": ["move.circulate"],
            "steps": [
                {"id": "propose", "zh": "提出", "by": ["jiyao_clerk"], "needs": ["why"]},
                {"id": "decide", "zh": "决定", "by": ["leader_in_charge", "jiyao_clerk"], "apart_from": ["propose"],
                 "clock": "search", "persons": {"绝密": 2, "default": 1}},
                {"id": "note", "zh": "告知", "by": ["jiyao_clerk"], "go": {"done": "end", "again": "decide"}},
            ],
            **more,
        }
    )  # fmt: skip
    room.station._policy = parse_policy(policy_text(plain))


def begin(room: Room, document: str, by: str = "clerk", **words: Any) -> dict[str, Any]:
    return matter_book.open_matter(
        room.station, room.as_(by, "matter.open"), "trial", document=document, words=words
    )


def step(room: Room, matter: str, by: str, **given: Any) -> dict[str, Any]:
    return matter_book.do_step(room.station, room.as_(by, "matter.do"), matter=matter, **given)


def test_a_matter_runs_in_order_and_by_different_persons(room: Room) -> None:
    with_matter(room)
    document = room.document(level=Level.STATE_CONFIDENTIAL)
    one = carrier(room, document)
    with pytest.raises(UsageFault, match="matter_needs"):
        begin(room, document)
    made = begin(room, document, why="缺一页")
    assert (made["state"], made["step"], made["waits_for"]) == (
        "open",
        "decide",
        ["leader_in_charge", "jiyao_clerk"],
    )
    room.refused("matter_open", begin, room, document, why="又一次")
    room.refused("matter_blocks", move, room, "circulate", one, taker="p-reader")
    room.refused("same_person_twice", step, room, made["id"], "clerk")
    room.refused("matter_step", step, room, made["id"], "lead", step="note")
    with room.station.read() as session:
        assert [timer.object_id for timer in timers.running(session)] == [made["id"]]
    step(room, made["id"], "lead", words={"decision": "同意"})
    again = step(room, made["id"], "clerk", result="again")
    assert again["step"] == "decide"
    with pytest.raises(UsageFault, match="matter_result"):
        step(room, made["id"], "clerk2", result="perhaps")
    step(room, made["id"], "clerk2")
    ended = step(room, made["id"], "clerk2")
    assert (ended["state"], ended["step"]) == ("closed", None)
    assert ended["words"] == {"why": "缺一页", "decision": "同意"}
    assert [row["person"] for row in ended["steps"]] == [
        "p-clerk",
        "p-lead",
        "p-clerk",
        "p-clerk2",
        "p-clerk2",
    ]
    room.refused("matter_closed", step, room, made["id"], "clerk")
    move(room, "circulate", one, taker="p-reader")
    with room.station.read() as session:
        assert timers.running(session, until=None)[0].clock == "circulation"
        leaves = [row.leaf.decode() for row in session.scalars(select(LedgerEntry))]
    assert not any("缺一页" in leaf for leaf in leaves)


def test_a_step_waits_for_as_many_persons_as_the_level_asks(room: Room) -> None:
    with_matter(room)
    made = begin(room, room.document(level=Level.STATE_TOP), why="核对")
    assert step(room, made["id"], "lead")["step"] == "decide"
    room.refused("same_person_twice", step, room, made["id"], "lead")
    assert step(room, made["id"], "clerk2")["step"] == "note"


def test_a_matter_is_refused_or_cancelled(room: Room) -> None:
    with_matter(room)
    document = room.document()
    made = begin(room, document, why="误报")
    assert step(room, made["id"], "lead", result="refused")["state"] == "refused"
    made = begin(room, document, why="误报")
    cancel = matter_book.cancel
    room.refused(
        "matter_not_yours",
        cancel,
        room.station,
        room.as_("clerk2", "matter.do"),
        matter=made["id"],
        reason="不是我提的",
    )
    assert (
        cancel(room.station, room.as_("clerk", "matter.do"), matter=made["id"], reason="误报")["state"]
        == "cancelled"
    )
    with room.station.read() as session:
        assert timers.running(session) == []


def test_each_step_is_signed_by_its_person(room: Room) -> None:
    with_matter(room)
    made = begin(room, room.document(), why="核对")
    with room.station.read() as session:
        (only,) = matters.steps_of(session, matters.get_matter(session, made["id"]))
        said = json.loads(only.statement)
        assert (said["person"], said["role"], said["step"]) == ("p-clerk", "jiyao_clerk", "propose")
        assert said["policy"] == room.station.policy.sha256 and "核对" not in only.statement.decode()
        assert len(only.signature) > 100
    with pytest.raises(JiyaoError, match="matter_unknown"):
        matter_book.open_matter(room.station, room.as_("clerk", "matter.open"), "wish", document=None)


# ---------------------------------------------------------------- clocks


@pytest.mark.req("R-068", "R-099")
@pytest.mark.parametrize(
    ("clock", "level", "urgency", "last"),
    [
        ("circulation", Level.INTERNAL, "特急", date(2026, 11, 2)),
        ("circulation", Level.INTERNAL, "加急", date(2026, 11, 4)),
        ("circulation", Level.INTERNAL, None, date(2026, 11, 7)),
        ("circulation", Level.STATE_TOP, None, date(2026, 11, 2)),
        ("borrow", Level.STATE_SECRET, None, date(2026, 11, 6)),
        ("borrow", Level.STATE_TOP, None, date(2026, 11, 2)),
        ("archive", Level.INTERNAL, None, date(2026, 12, 2)),
        ("return_to_issuer", Level.INTERNAL, None, date(2027, 5, 2)),
    ],
)
def test_when_a_clock_ends(room: Room, clock: str, level: Level, urgency: str | None, last: date) -> None:
    policy = room.station.policy
    ends = timers.term_ends(
        policy, policy.desk.clocks[clock], level=level, urgency=urgency, start=room.clock.now()
    )
    assert (ends - timedelta(seconds=1)).date() == last
    assert iso(ends).endswith("T00:00:00+08:00")


def test_the_last_day_of_a_short_month(room: Room) -> None:
    policy = room.station.policy
    start = room.clock.now().replace(month=1, day=31)
    ends = timers.term_ends(
        policy, policy.desk.clocks["archive"], level=Level.INTERNAL, urgency=None, start=start
    )
    assert (ends - timedelta(seconds=1)).date() == date(2026, 2, 28)


@pytest.mark.req("R-071")
def test_nobody_lends_to_himself_by_his_own_approval(room: Room) -> None:
    document = room.document(level=Level.STATE_SECRET)
    one = carrier(room, document)
    told = {"words": {"precautions": "当面交代注意事项"}}
    approve(room, "borrow", document, "dir")
    room.refused("approval_required", move, room, "lend", one, taker="p-dir", **told)
    move(room, "lend", one, taker="p-reader", **told)
