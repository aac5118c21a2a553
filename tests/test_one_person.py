"""One person with every business role, two accounts and every delegation brings nothing about that takes two.

A property over random sequences of acts: whatever is tried, in any order, what the policy asks two persons for has not
happened. Everybody else keeps still.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from jiyao.common.errors import JiyaoError
from jiyao.models.level import Level
from jiyao.models.period import Period
from jiyao.models.rights import BUSINESS
from jiyao.models.tables import (
    Approval,
    Carrier,
    CircleMember,
    Clear,
    Copy,
    Destruction,
    Document,
    Hold,
    Matter,
    PolicyVersion,
)
from jiyao.pipeline.copies import issuing
from jiyao.pipeline.desk import custody, matter_book
from jiyao.pipeline.desk.movements import Hand
from jiyao.pipeline.levels import term_events
from jiyao.pipeline.papers import archiving, documents, exports, hold
from jiyao.pipeline.persons import approvals, circle, deputies, paper_approval, people
from jiyao.pipeline.review import mending, review
from room_kit import SECRETS, Room, transplant
from test_custody import carrier

USERS = ("solo", "solo2")
ME = "p-solo"
OTHERS = ("p-reader", "p-reader2", ME)
WORDS = {
    "reason": "试", "case": "1号箱", "destination": "样例处", "bag": "袋1", "pages": "1", "precautions": "已交代",
    "receipt_no": "回1", "reader": "p-reader", "differs": "少一页", "answer": "已复", "decision": "照办",
    "outcome": "照办", "printer": "机1", "spoiled": "0", "seconded": "试", "level": "公开", "period": "1年",
    "way": "publish", "bound": "x", "to": "样例处", "persons": ME, "basis": "试", "key_points": "试",
    "number": "1", "copies": "1", "title": "试", "handler": ME, "notice": "试", "scope": ME, "kind": "downgrade",
    "change": "downgrade", "opinion": "同意", "result": "试", "summary": "试", "person": ME, "carrier": "paper",
}  # fmt: skip


@cache
def _world() -> tuple[Path, dict[str, str]]:
    """A room with a secret in a circle and on hold, one without a circle, one that waits, and one that has expired."""
    base = Path(mkdtemp(prefix="jiyao-one-"))
    room = Room(base)
    system, security = room.as_("sysadmin", "account.add"), room.as_("secadmin", "account.grant")
    for user in USERS:
        people.add_account(room.station, system, SECRETS, user=user, name="独行", person=ME)
        people.grant(room.station, security, user=user, roles=tuple(sorted(BUSINESS)), clearance="core")
    term = Period(kind="years", number=20)
    ids = {
        "held": room.document(level=Level.STATE_SECRET, period=term, signed=date(2020, 3, 1)),
        "free": room.document(level=Level.STATE_SECRET, period=term, signed=date(2020, 3, 1)),
        "waits": room.paper(level=Level.STATE_SECRET, period=term, signed=date(2020, 3, 1)),
        "old": room.expired(signed=date(2012, 3, 1)),
    }
    circle.set_circle(
        room.station, room.as_("lead", "circle"), document=ids["held"], persons=("p-reader", "p-lead")
    )
    hold.add_hold(room.station, room.as_("lead", "hold.add"), document=ids["held"], reason="样例冻结")
    ids["paper"] = carrier(room, ids["held"])
    ids["paper2"] = carrier(room, ids["free"])
    room.station.engine.dispose()
    return base, ids


class _Solo:
    """What the one person tries; each act takes its choices from `pick`."""

    def __init__(self, room: Room, ids: dict[str, str], pick: Callable[[Any], Any]) -> None:
        self.room, self.ids, self.pick = room, ids, pick
        self.station = room.station
        self.papers = [ids[name] for name in ("held", "free", "waits", "old")]

    def me(self, act: str) -> Any:
        return self.room.as_(self.pick(USERS), act)

    def acts(self) -> list[Callable[[], Any]]:
        return [getattr(self, name) for name in sorted(dir(_Solo)) if name.startswith("do_")]

    def _ids(self, table: Any, **state: Any) -> list[Any]:
        with self.station.read() as session:
            wanted = select(table.id)
            for name, value in state.items():
                wanted = wanted.where(getattr(table, name) == value)
            return sorted(session.scalars(wanted))

    def do_set_level(self) -> Any:
        level = self.pick([Level.PUBLIC, Level.STATE_CONFIDENTIAL, Level.STATE_TOP, None])
        return review.set_values(
            self.station, self.me("review"), document=self.pick(self.papers),
            reason="试", level=level, period=self.pick([None, "1年"]) if level else "1年",
            misread=self.pick([False, True]),
        )  # fmt: skip

    def do_set_date(self) -> Any:
        return mending.amend(
            self.station, self.me("amend"), document=self.pick(self.papers), reason="试",
            fields={self.pick(["date", "notified_date"]): "1990-01-01"},
        )  # fmt: skip

    def do_accept(self) -> Any:
        return review.accept(self.station, self.me("review.accept"), documents=(self.pick(self.papers),))

    def do_void(self) -> Any:
        other = self.pick([None, *self.papers])
        return mending.void(
            self.station, self.me("void"), document=self.pick(self.papers), reason="试", replaced_by=other
        )

    def do_request(self) -> Any:
        act = self.pick(sorted({row.action for row in self.station.policy.rows}))
        return approvals.request(
            self.station, self.me("approval.request"), act=act, documents=(self.pick(self.papers),),
            recipients=self.pick([(), (ME,), ("p-reader",)]),
        )  # fmt: skip

    def do_give(self) -> Any:
        return paper_approval.give_or_check(
            self.station, self.me("approval.give"), approval=self.pick(self._ids(Approval))
        )

    def do_paper(self) -> Any:
        scan = self.room.base / "scan.pdf"
        scan.write_bytes(b"%scan")
        act = self.pick(["distribute", "widen_scope", "export", "read", "borrow", "destroy"])
        return paper_approval.enter(
            self.station, self.me("approval.paper"), act=act, documents=(self.pick(self.papers),), scan=scan,
            approver=self.pick([ME, "p-lead", "p-reader"]),
        )  # fmt: skip

    def do_check(self) -> Any:
        return paper_approval.check(
            self.station, self.me("approval.paper"), approval=self.pick(self._ids(Approval))
        )

    def do_circle(self) -> Any:
        persons = self.pick([(), (ME,), ("p-reader",), OTHERS])
        return circle.set_circle(
            self.station, self.me("circle"), document=self.pick([self.ids["held"], self.ids["old"]]),
            persons=persons,
        )  # fmt: skip

    def do_text(self) -> Any:
        return documents.text_of(self.station, self.me("text"), document=self.ids["held"], purpose="试")

    def do_issue(self) -> Any:
        sink = issuing.Folder(self.room.base / "out")
        return issuing.issue(
            self.station, self.me("copies.issue"), document=self.ids[self.pick(["held", "free"])],
            to=(self.pick(OTHERS),), sink=sink,
        )  # fmt: skip

    def do_export(self) -> Any:
        return exports.export_document(
            self.station, self.me("export"), document=self.pick(self.papers), out=self.room.base / "out.bin"
        )

    def do_lift(self) -> Any:
        return hold.lift_hold(self.station, self.me("hold.lift"), document=self.ids["held"], reason="试")

    def do_hold(self) -> Any:
        return hold.add_hold(self.station, self.me("hold.add"), document=self.ids["free"], reason="试")

    def do_event(self) -> Any:
        happening = self.pick(["declassified", "condition_met", "stamped"])
        return term_events.record(
            self.station, self.me("documents.event"), document=self.pick(self.papers), happening=happening,
            on=date(2026, 11, 1), reason="试", notice=self.pick([None, "样函1号"]),
        )  # fmt: skip

    def do_destroy(self) -> Any:
        step = self.pick(["propose", "count", "approve", "supervise", "execute", "attest"])
        user = self.pick(USERS)
        if step == "propose":
            return self.room.propose(self.ids["old"], by=user)
        return getattr(self.room, step)(self.pick(self._ids(Destruction)), user)

    def do_delegate(self) -> Any:
        giver, taker = self.pick([USERS, USERS[::-1]])
        role = self.pick(sorted(BUSINESS))
        return people.delegate(
            self.station, self.me("delegate"), giver=giver, taker=taker, role=role, until=date(2027, 1, 1)
        )

    def do_deputy(self) -> Any:
        return deputies.appoint(
            self.station, self.me("person.deputy"), person="p-reader", deputy=self.pick(OTHERS),
            until=date(2026, 12, 1),
        )  # fmt: skip

    def do_move(self) -> Any:
        act = self.pick(sorted({rule.act for rule in self.station.policy.desk.movements}))
        things = [self.ids["paper"], self.ids["paper2"]]
        hand = Hand(
            taker=self.pick([None, *OTHERS]), place=self.pick([None, "A柜", "阅文室"]), words=dict(WORDS),
            together_with=self.pick([(), ("p-reader2",), (ME,)]),
        )  # fmt: skip
        return custody.move(self.station, self.me("carriers.move"), act, (self.pick(things),), hand)

    def do_open(self) -> Any:
        kind = self.pick(sorted(self.station.policy.desk.matters))
        return matter_book.open_matter(
            self.station, self.me("matter.open"), kind, document=self.pick([None, *self.papers]),
            items=self.pick([(), (f"person:{ME}",), (f"carrier:{self.ids['paper']}",)]), words=dict(WORDS),
        )  # fmt: skip

    def do_step(self) -> Any:
        matter = self.pick(self._ids(Matter, state="open"))
        with self.station.read() as session:
            row = session.get_one(Matter, matter)
            rule = self.station.policy.desk.matters[row.kind]
            step = rule.step(row.step or "")
        results = sorted({"done", *((step.go or {}) if step else {})})
        return matter_book.do_step(
            self.station, self.me("matter.do"), matter=matter, result=self.pick(results), words=dict(WORDS)
        )

    def do_archive(self) -> Any:
        return archiving.archive(
            self.station, self.me("archive"), document=self.pick(self.papers), place="档1", number=None
        )

    def do_hand_over(self) -> Any:
        return archiving.hand_over(
            self.station, self.me("handover"), document=self.pick(self.papers), to="样例局", receipt_no="1"
        )


def _stands(room: Room, ids: dict[str, str]) -> None:
    """Nothing that takes two has happened."""
    policy = room.station.policy
    with room.station.read() as session:
        for name in ("held", "free", "waits"):
            row = session.get_one(Document, ids[name])
            if row.confirmed:
                assert row.level_code == Level.STATE_SECRET.code, (name, "level", row.level_code)
                assert row.secrecy_until == "2040-03-01", (name, "until", row.secrecy_until)
            codes = [row.level_code, row.interim_code] if row.confirmed else []
            assert all(policy.rank(Level.parse(code)) >= 80 for code in codes if code)
        for name in ("held", "free", "waits", "old"):
            assert session.get_one(Document, ids[name]).status not in (
                "void", "destroyed", "handed_over"
            ), name  # fmt: skip
        members = set(
            session.scalars(select(CircleMember.person_id).where(CircleMember.document_id == ids["held"]))
        )
        assert members and members <= {"p-reader", "p-lead"}
        assert session.scalars(select(Copy.id)).all() == []
        assert (
            session.scalars(select(Clear.id).where(Clear.kind.in_(("export", "copy_out", "print")))).all()
            == []
        )
        assert session.scalars(select(Approval.id).where(Approval.state == "given")).all() == []
        assert all(one.lifted_at is None for one in session.scalars(select(Hold)))
        assert set(session.scalars(select(Destruction.state))) <= {"proposed", "cancelled", "refused"}
        assert len(session.scalars(select(PolicyVersion.id)).all()) == 1
        for one in session.scalars(select(Carrier)):
            assert one.state not in ("destroyed", "carried", "handed_over"), one.state
        paper = session.get_one(Carrier, ids["paper"])
        # an original in a circle is nowhere but in the room (whose clerk this person is), or with the circle
        assert paper.state in ("held", "missing", "lost", "transit", "returned", "archived") or paper.holder in {
            "p-reader", "p-lead", ME,
        }, (paper.state, paper.holder)  # fmt: skip


@pytest.mark.req("R-063", "R-064", "R-128", "R-137")
@settings(
    max_examples=6, deadline=None, print_blob=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)  # fmt: skip
@given(seed=st.integers(0, 2**32))
def test_no_sequence_of_one_persons_acts_does_what_takes_two(seed: int) -> None:
    chance = Random(seed)

    def pick(choices: Any) -> Any:
        known = list(choices)
        if not known:
            raise IndexError("nothing to choose from")
        return chance.choice(known)

    _play(pick, steps=40)


def _play(pick: Callable[[Any], Any], *, steps: int) -> dict[str, int]:
    source, ids = _world()
    done: dict[str, int] = {}
    with TemporaryDirectory(prefix="jiyao-one-") as folder:
        transplant(source, Path(folder))
        room = Room(Path(folder))
        solo = _Solo(room, ids, pick)
        told = []
        for _ in range(steps):
            act = pick(solo.acts())
            try:
                act()
            except (JiyaoError, IndexError) as error:
                told.append(f"{act.__name__}: {getattr(error, 'code', error)}")
                continue
            told.append(f"{act.__name__}: done")
            done[act.__name__] = done.get(act.__name__, 0) + 1
            try:
                _stands(room, ids)
            except AssertionError:
                print("\n".join(told))
                raise
        room.station.engine.dispose()
    return done
