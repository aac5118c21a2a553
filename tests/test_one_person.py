"""One person, whatever the roles, accounts and delegations, brings nothing about that takes two.

A state machine tries whatever one person can try, in any order, while everybody else keeps still: what the policy asks
two for has not happened. The table of attempts is held against policy and code, so that a new rule for two without an
attempt fails. Steps of matters that another has to do: `test_matter_hands.py`.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from jiyao.common.errors import JiyaoError
from jiyao.models.level import Level
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.rights import BUSINESS
from jiyao.models.tables import (
    Account,
    Approval,
    Carrier,
    CircleMember,
    Clear,
    Copy,
    Destruction,
    Document,
    Hold,
    Incident,
    Matter,
    Movement,
    Person,
    PolicyVersion,
)
from jiyao.pipeline.desk import matters
from jiyao.pipeline.persons import (
    access,
    approvals,
    four_eyes,
)
from one_person_kit import ATTEMPTS, ME, Solo, world
from room_kit import Room, transplant


def _stands(room: Room, ids: dict[str, str]) -> None:
    """Nothing that takes two has happened."""
    policy = room.station.policy
    with room.station.read() as session:
        for name, level, until in (
            ("held", Level.STATE_SECRET, "2040-03-01"), ("free", Level.STATE_SECRET, "2040-03-01"),
            ("waits", Level.STATE_SECRET, "2040-03-01"), ("top", Level.STATE_TOP, "2040-03-01"),
        ):  # fmt: skip
            row = session.get_one(Document, ids[name])
            if row.confirmed:
                assert row.level_code == level.code, (name, "level", row.level_code)
                assert row.secrecy_until == until, (name, "until", row.secrecy_until)
            codes = [row.level_code, row.interim_code] if row.confirmed else []
            assert all(policy.rank(Level.parse(code)) >= policy.rank(level) for code in codes if code)
        for name in ("held", "free", "waits", "old", "top"):
            status = session.get_one(Document, ids[name]).status
            assert status not in ("void", "destroyed", "handed_over"), name
            assert name == "waits" or (status, session.get_one(Document, ids[name]).key_slot) != (
                "refused",
                None,
            )
        for name, persons in (("held", {"p-reader", "p-lead"}), ("top", {"p-reader", "p-lead", ME})):
            members = set(
                session.scalars(select(CircleMember.person_id).where(CircleMember.document_id == ids[name]))
            )
            assert members and members <= persons, name
        (made,) = session.scalars(select(Copy)).all()
        assert made.holder in ("p-reader", "p-clerk", None, ME) and made.status not in (
            "destroyed",
            "replaced",
        )
        written = select(Clear.id).where(Clear.kind.in_(("export", "copy_out", "print")))
        assert session.scalars(written).all() == []
        assert session.scalars(select(Approval.id).where(Approval.state == "given")).all() == []
        assert all(one.lifted_at is None for one in session.scalars(select(Hold)))
        assert set(session.scalars(select(Destruction.state))) <= {"proposed", "cancelled", "refused"}
        assert len(session.scalars(select(PolicyVersion.id)).all()) == 1
        assert set(session.scalars(select(Incident.state))) <= {"open"}
        assert set(session.scalars(select(Account.roles).where(Account.person_id == ME))) == {
            ",".join(sorted(BUSINESS))
        }
        assert session.get_one(Person, ME).clearance_until is None
        for one in session.scalars(select(Carrier)):
            assert one.state not in ("destroyed", "carried", "handed_over"), one.state
            assert one.id != ids["paper3"] or one.state not in ("transit", "returned", "out", "lent"), (
                one.state
            )
        paper = session.get_one(Carrier, ids["paper"])
        # an original in a circle is nowhere but in the room (whose clerk this person is), or with the circle
        assert paper.state in ("held", "missing", "lost", "transit", "archived") or paper.holder in {
            "p-reader", "p-lead", ME,
        }, (paper.state, paper.holder)  # fmt: skip
        for move in session.scalars(select(Movement).where(Movement.by == ME)):
            _moved_alone(room, session, move)
        for matter in session.scalars(select(Matter)):
            _stepped_alone(room, session, matter)


def _moved_alone(room: Room, session: Session, move: Movement) -> None:
    """No movement of one person's needed an approval, or several to carry it."""
    found = room.station.policy.desk.movement(move.act, move.object_kind)  # type: ignore[arg-type]
    if found is None or move.document_id is None:
        return
    row = session.get_one(Document, move.document_id)
    if found.approval:
        asked = approvals.matrix_row(room.station, found.approval, row)
        assert not approvals.approvers(asked), (move.act, found.approval)
    assert found.least(access.protected_as(room.station.policy, row)) == 1, move.act


def _stepped_alone(room: Room, session: Session, matter: Matter) -> None:
    """No step of it was done by the hand that it must be apart from, and none that takes several was passed by one."""
    kind = room.station.policy.desk.matters[matter.kind]
    done = [step for step in matters.steps_of(session, matter) if step.result != "refused"]
    for place, step in enumerate(done):
        found = kind.step(step.step)
        assert found is not None
        before = {one.step for one in done[:place] if one.person == step.person}
        assert not before & set(found.apart_from), (matter.kind, step.step)
        several = max((found.persons or {"default": 1}).values())
        on = done[place + 1].step != step.step if place + 1 < len(done) else matter.step != step.step
        if several > 1 and on and matter.state != matters.CANCELLED:
            persons = {one.person for one in done if one.step == step.step}
            document = session.get(Document, matter.document_id) if matter.document_id else None
            assert len(persons) >= matters._persons_needed(room.station, found, document), matter.kind


class OnePerson(RuleBasedStateMachine):
    """Whatever is tried, in any order."""

    @initialize()
    def begin(self) -> None:
        source, self.ids = world()
        self.folder = TemporaryDirectory(prefix="jiyao-one-")
        transplant(source, Path(self.folder.name))
        self.room = Room(Path(self.folder.name))
        self.dirty = False

    @rule(name=st.sampled_from(sorted(ATTEMPTS)), seed=st.integers(0, 2**32))
    def attempt(self, name: str, seed: int) -> None:
        chance = Random(seed)

        def pick(choices: Any) -> Any:
            known = list(choices)
            if not known:
                raise IndexError("nothing to choose from")
            return chance.choice(known)

        try:
            ATTEMPTS[name](Solo(self.room, self.ids, pick))
        except (JiyaoError, IndexError):
            if ATTEMPTS[name].never:
                return
        else:
            assert not ATTEMPTS[name].never, f"{name} was done by one person"
        _stands(self.room, self.ids)

    def teardown(self) -> None:
        if hasattr(self, "room"):
            _stands(self.room, self.ids)
            Solo(self.room, self.ids, lambda choices: choices[0]).last()
            self.room.station.engine.dispose()
            self.folder.cleanup()


@pytest.mark.slow
@pytest.mark.req("R-063", "R-064", "R-128", "R-137")
def test_no_sequence_of_one_persons_acts_does_what_takes_two() -> None:
    quick = settings(
        max_examples=6, stateful_step_count=40, deadline=None, print_blob=False, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(OnePerson, settings=quick)


# ---------------------------------------------------------------- the table is whole

EXCUSED = {
    "act:copy": "a step of the matter `reproduction`, which asks for its approval",
    "act:media_reuse": "asked of the approvers of the batch that treats the medium (physical.py)",
    "place:station/clock_guard.py": "tried last of all, in every run",
}


@pytest.mark.req("R-137")
def test_every_rule_that_takes_two_is_tried() -> None:
    policy = parse_policy(default_policy_text())
    acts = {f"act:{row.action}" for row in policy.rows if approvals.approvers(row)}
    root = Path(four_eyes.__file__).parents[1]
    places = {
        f"place:{path.relative_to(root).as_posix()}"
        for path in root.rglob("*.py")
        if path.name != "four_eyes.py" and any(
            f"four_eyes.{call}(" in path.read_text("utf-8") for call in ("apart", "hands", "same_hand", "held_then")
        )
    }  # fmt: skip
    tried = {name for attempt in ATTEMPTS.values() for name in attempt.covers}
    assert (acts | places) - tried - set(EXCUSED) == set(), (
        "a rule for two that nobody tries to get round alone"
    )
    assert (tried | set(EXCUSED)) - acts - places == set(), "tried, but no rule for two any more"
    moves = {rule.act for rule in policy.desk.movements if rule.approval or rule.persons}
    assert moves <= {rule.act for rule in policy.desk.movements}, "every movement is tried by do_move"
