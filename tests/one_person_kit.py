"""What one person with every role, several accounts and delegations can try: the table of attempts, and the room for
them. Nothing here is a test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest import mock

from sqlalchemy import select

from jiyao.common.errors import JiyaoError
from jiyao.models.level import Level
from jiyao.models.period import Period
from jiyao.models.policy.loader import default_policy_text
from jiyao.models.rights import BUSINESS
from jiyao.models.tables import (
    Approval,
    Batch,
    Destruction,
    Matter,
)
from jiyao.pipeline.copies import copies, issuing
from jiyao.pipeline.desk import custody, matter_book
from jiyao.pipeline.desk.movements import Hand
from jiyao.pipeline.intake import processing
from jiyao.pipeline.intake.reading import Judged, Part
from jiyao.pipeline.learning import retraining
from jiyao.pipeline.levels import term_events
from jiyao.pipeline.papers import archiving, compiling, documents, exports, hold, incidents, leaving
from jiyao.pipeline.persons import (
    access,
    approvals,
    circle,
    deputies,
    paper_approval,
    people,
    vetting,
)
from jiyao.pipeline.review import batches, mending, rescan, review
from jiyao.pipeline.rounds import circulation, clearing, lending, transport
from jiyao.pipeline.station import backup, clocks, policies, rekey, segments
from room_kit import SECRETS, Room
from test_choices import chosen
from test_custody import carrier

USERS = ("solo", "solo2", "solo3")
ME = "p-solo"
OTHERS = ("p-reader", "p-reader2", ME)
MINE = "B2026-00009"
"""A batch that the one person holds."""
WORDS = {
    "approved_by": ME, "custodian": ME, "seal": "公章", "what": "试", "reason": "试",
    "case": "1号箱", "destination": "样例处", "bag": "袋1", "pages": "1", "precautions": "已交代",
    "receipt_no": "回1", "reader": "p-reader", "differs": "少一页", "answer": "已复", "decision": "照办",
    "outcome": "照办", "printer": "机1", "spoiled": "0", "method": "shred",
    "seconded": "试", "level": "公开", "period": "1年",
    "way": "publish", "bound": "x", "to": "样例处", "persons": ME, "basis": "试", "key_points": "试",
    "number": "1", "copies": "1", "title": "试", "handler": ME, "notice": "试", "scope": ME, "kind": "downgrade",
    "change": "downgrade", "opinion": "同意", "result": "试", "summary": "试", "person": ME, "carrier": "paper",
}  # fmt: skip


@cache
def world() -> tuple[Path, dict[str, str]]:
    """A room with a secret in a circle and on hold, one without a circle, a top secret, one that waits, and one that
    has expired; a copy with a reader; a leader who has delegated to the one person; a backup.
    """
    base = Path(mkdtemp(prefix="jiyao-one-"))
    room = Room(base)
    system, security = room.as_("sysadmin", "account.add"), room.as_("secadmin", "account.grant")
    for user in USERS:
        people.add_account(room.station, system, SECRETS, user=user, name="独行", person=ME)
        people.grant(room.station, security, user=user, roles=tuple(sorted(BUSINESS)), clearance="core")
    lend = {"role": "leader_in_charge", "until": date(2027, 1, 1)}
    people.delegate(room.station, room.as_("lead", "delegate"), giver="lead", taker="solo", **lend)
    people.delegate(room.station, room.as_("solo", "delegate"), giver="solo", taker="reader2", **lend)
    term = Period(kind="years", number=20)
    secret: dict[str, Any] = {"level": Level.STATE_SECRET, "period": term, "signed": date(2020, 3, 1)}
    ids = {
        "held": room.document(**secret),
        "free": room.document(**secret),
        "top": room.document(level=Level.STATE_TOP, period=term, signed=date(2020, 3, 1)),
        "waits": room.paper(**secret),
        "old": room.expired(signed=date(2012, 3, 1)),
    }
    leader = room.as_("lead", "circle")
    circle.set_circle(room.station, leader, document=ids["held"], persons=("p-reader", "p-lead"))
    circle.set_circle(room.station, leader, document=ids["top"], persons=("p-reader", "p-lead", ME))
    hold.add_hold(room.station, room.as_("lead", "hold.add"), document=ids["held"], reason="样例冻结")
    for name, document in (("paper", "held"), ("paper2", "free"), ("paper3", "top")):
        ids[name] = carrier(room, ids[document])
    ids["copy"] = room.copy(ids["free"])
    with room.station.write() as session:
        sealed = room.station.seal(session, "batch", {})
        session.add(Batch(id=MINE, at=room.station.now(), by=ME, state="open", sealed=sealed))
    backup.create(room.station, room.as_("sysadmin", "backup"), out=base / "backup.tar")
    room.station.engine.dispose()
    return base, ids


def tries(*covers: str, never: bool = False) -> Callable[[Any], Any]:
    """Marks an attempt: which rules for two it tries to get round; `never`: it is refused in whatever state.

    `act:` of the approval matrix, `place:` a module that counts hands.
    """

    def mark(attempt: Any) -> Any:
        attempt.covers, attempt.never = covers, never
        return attempt

    return mark


class Solo:
    """What the one person tries; each attempt takes its choices from `pick`."""

    def __init__(self, room: Room, ids: dict[str, str], pick: Callable[[Any], Any]) -> None:
        self.room, self.ids, self.pick = room, ids, pick
        self.station = room.station
        self.papers = [ids[name] for name in ("held", "free", "top", "waits", "old")]
        self.originals = [ids["paper"], ids["paper2"], ids["paper3"]]

    def me(self, act: str) -> Any:
        return self.room.as_(self.pick(USERS), act)

    def _ids(self, table: Any, **state: Any) -> list[Any]:
        with self.station.read() as session:
            wanted = select(table.id)
            for name, value in state.items():
                wanted = wanted.where(getattr(table, name) == value)
            return sorted(session.scalars(wanted))

    # ------------------------------------------------------------ acts of the matrix

    @tries("act:lower_suggestion", "place:levels/level_floor.py")
    def do_set_level(self) -> Any:
        level = self.pick([Level.PUBLIC, Level.STATE_CONFIDENTIAL, Level.STATE_TOP, None])
        return review.set_values(
            self.station, self.me("review"), document=self.pick(self.papers),
            reason="试", level=level, period=self.pick([None, "1年"]) if level else "1年",
            misread=self.pick([False, True]),
        )  # fmt: skip

    @tries()
    def do_set_date(self) -> Any:
        return mending.amend(
            self.station, self.me("amend"), document=self.pick(self.papers), reason="试",
            fields={self.pick(["date", "notified_date"]): "1990-01-01"},
        )  # fmt: skip

    @tries("act:lower_suggestion", "place:review/accepting.py")
    def do_accept(self) -> Any:
        return review.accept(self.station, self.me("review.accept"), documents=(self.pick(self.papers),))

    @tries()
    def do_void(self) -> Any:
        other = self.pick([None, *self.papers])
        return mending.void(
            self.station, self.me("void"), document=self.pick(self.papers), reason="试", replaced_by=other
        )

    @tries("place:persons/approvals.py")
    def do_request(self) -> Any:
        act = self.pick(sorted({row.action for row in self.station.policy.rows}))
        return approvals.request(
            self.station, self.me("approval.request"), act=act, documents=(self.pick(self.papers),),
            recipients=self.pick([(), (ME,), ("p-reader",)]),
        )  # fmt: skip

    @tries("place:persons/approvals.py")
    def do_give(self) -> Any:
        return paper_approval.give_or_check(
            self.station, self.me("approval.give"), approval=self.pick(self._ids(Approval))
        )

    @tries("place:persons/paper_approval.py")
    def do_paper(self) -> Any:
        scan = self.room.base / "scan.pdf"
        scan.write_bytes(b"%scan")
        act = self.pick(["distribute", "widen_scope", "export", "read", "borrow", "destroy"])
        return paper_approval.enter(
            self.station, self.me("approval.paper"), act=act, documents=(self.pick(self.papers),), scan=scan,
            approver=self.pick([ME, "p-lead", "p-reader"]),
        )  # fmt: skip

    @tries("place:persons/paper_approval.py")
    def do_check(self) -> Any:
        return paper_approval.check(
            self.station, self.me("approval.paper"), approval=self.pick(self._ids(Approval))
        )

    @tries("act:widen_scope")
    def do_circle(self) -> Any:
        persons = self.pick([(), (ME,), ("p-reader",), OTHERS])
        return circle.set_circle(
            self.station, self.me("circle"), document=self.ids[self.pick(["held", "old", "top"])],
            persons=persons,
        )  # fmt: skip

    @tries("act:read", never=True)
    def do_text(self) -> Any:
        return documents.text_of(self.station, self.me("text"), document=self.ids["top"], purpose="试")

    @tries("act:distribute", never=True)
    def do_issue(self) -> Any:
        sink = issuing.Folder(self.room.base / "out")
        return issuing.issue(
            self.station, self.me("copies.issue"), document=self.ids[self.pick(["held", "free"])],
            to=(self.pick(OTHERS),), sink=sink,
        )  # fmt: skip

    @tries("act:export", never=True)
    def do_export(self) -> Any:
        return exports.export_document(
            self.station, self.me("export"), document=self.pick(self.papers), out=self.room.base / "out.bin"
        )

    @tries("act:lift_hold", "place:papers/hold.py")
    def do_lift(self) -> Any:
        return hold.lift_hold(self.station, self.me("hold.lift"), document=self.ids["held"], reason="试")

    @tries()
    def do_hold(self) -> Any:
        return hold.add_hold(self.station, self.me("hold.add"), document=self.ids["waits"], reason="试")

    @tries("act:declassify", "place:levels/term_events.py")
    def do_event(self) -> Any:
        happening = self.pick(["declassified", "condition_met", "stamped"])
        return term_events.record(
            self.station, self.me("documents.event"), document=self.pick(self.papers), happening=happening,
            on=date(2026, 11, 1), reason="试", notice=self.pick([None, "样函1号"]),
        )  # fmt: skip

    @tries("act:destroy", "place:destruction/hands.py")
    def do_destroy(self) -> Any:
        step = self.pick(["propose", "count", "approve", "supervise", "execute", "attest"])
        user = self.pick(USERS)
        if step == "propose":
            return self.room.propose(self.ids["old"], by=user)
        return getattr(self.room, step)(self.pick(self._ids(Destruction)), user)

    @tries(never=True)
    def do_delegate(self) -> Any:
        giver, taker = self.pick([USERS[:2], USERS[1:], USERS[:2][::-1]])
        role = self.pick(sorted(BUSINESS))
        return people.delegate(
            self.station, self.me("delegate"), giver=giver, taker=taker, role=role, until=date(2027, 1, 1)
        )

    @tries()
    def do_deputy(self) -> Any:
        return deputies.appoint(
            self.station, self.me("person.deputy"), person="p-reader", deputy=self.pick(OTHERS),
            until=date(2026, 12, 1),
        )  # fmt: skip

    @tries("act:borrow", "act:carry_out", "act:carry_abroad", "place:desk/movements.py")
    def do_move(self) -> Any:
        act = self.pick(sorted({rule.act for rule in self.station.policy.desk.movements}))
        things = [*self.originals, self.ids["copy"]]
        hand = Hand(
            taker=self.pick([None, *OTHERS]), place=self.pick([None, "A柜", "阅文室"]), words=dict(WORDS),
            together_with=self.pick([(), ("p-reader2",), (ME,)]),
        )  # fmt: skip
        return custody.move(self.station, self.me("carriers.move"), act, (self.pick(things),), hand)

    @tries()
    def do_open(self) -> Any:
        kind = self.pick(sorted(self.station.policy.desk.matters))
        return matter_book.open_matter(
            self.station, self.me("matter.open"), kind, document=self.pick([None, *self.papers]),
            items=self.pick([(), (f"person:{ME}",), (f"carrier:{self.ids['paper']}",)]), words=dict(WORDS),
        )  # fmt: skip

    @tries(
        "act:declassify",
        "place:desk/matters.py",
        "place:levels/level_unsettled.py",
        "place:persons/rights.py",
        "place:persons/departure.py",
        "place:papers/organs.py",
        "place:papers/seals.py",
    )
    def do_step(self) -> None:
        """On with an open matter, as far as it goes."""
        matter = self.pick(self._ids(Matter, state="open"))
        while True:
            with self.station.read() as session:
                row = session.get_one(Matter, matter)
                found = self.station.policy.desk.matters[row.kind].step(row.step or "")
            if found is None:
                return
            result = self.pick(sorted(found.go or {"done": ""}))
            matter_book.do_step(
                self.station, self.me("matter.do"), matter=matter, result=result, words=dict(WORDS)
            )

    @tries()
    def do_archive(self) -> Any:
        return archiving.archive(
            self.station, self.me("archive"), document=self.pick(self.papers), place="档1", number=None
        )

    @tries("act:provide_external", never=True)
    def do_hand_over(self) -> Any:
        return archiving.hand_over(
            self.station, self.me("handover"), document=self.pick(self.papers), to="样例局", receipt_no="1"
        )

    @tries("act:distribute", "place:copies/copies.py", never=True)
    def do_print(self) -> Any:
        sink = replace(issuing.Folder(self.room.base / "spool"), kind="print")
        return issuing.issue(
            self.station,
            self.me("copies.issue"),
            document=self.ids["top"],
            to=(self.pick(OTHERS),),
            sink=sink,
        )

    @tries("act:distribute", "place:copies/copies.py", never=True)
    def do_forward(self) -> Any:
        return copies.forward_copies(
            self.station, self.me("copies.issue"), copies=(self.ids["copy"],), to=self.pick(OTHERS)
        )

    @tries("act:borrow", never=True)
    def do_lend(self) -> Any:
        return lending.lend(
            self.station, self.me("borrow"), objects=(self.ids["paper2"],), to=self.pick(OTHERS), precautions="试",
            place="阅文室",
        )  # fmt: skip

    @tries("act:compile", "act:excerpt", never=True)
    def do_compile(self) -> Any:
        return compiling.compile_documents(
            self.station, self.me("documents.compile"), sources=(self.ids["free"],), title="试",
            kind=self.pick(["compile", "excerpt"]),
        )  # fmt: skip

    @tries("act:publish", "act:relay", "act:provide_external", never=True)
    def do_release(self) -> Any:
        return leaving.release(
            self.station, self.me("documents.release"), document=self.ids["free"],
            way=self.pick(["publish", "relay", "provide_external"]), to="样例处", form="paper", agreement="1",
        )  # fmt: skip

    @tries("act:electronic_processing", never=True)
    def do_process(self) -> Any:
        with (
            mock.patch.object(self.station, "_policy", chosen(electronic_processing="per_document_approval")),
            self.station.read() as session,
        ):
            row = access.get_document(session, self.ids[self.pick(["held", "free", "top"])])
            processing.check(self.station, session, row)

    @tries("act:learn", never=True)
    def do_learn(self) -> Any:
        return retraining.learn(self.station, self.me("learn"))

    @tries()
    def do_rescan(self) -> Any:
        """A scan marked above the station's level: what was confirmed stays as it is."""
        paper = self.room.reading(level=Level.STATE_TOP)
        judged = Judged(paper.level, paper.retention, None)
        part = Part(
            1,
            1,
            None,
            paper.transcript,
            paper.fields,
            (),
            paper.prints,
            judged,
            paper.data,
            "x",
            "pdf",
            (),
            1,
        )
        path = self.room.base / "scan.pdf"
        path.write_bytes(paper.data)
        desk = mock.MagicMock()
        desk.return_value.__enter__.return_value.read.return_value = ((part, judged),)
        with (
            mock.patch.object(rescan, "Desk", desk),
            mock.patch.object(rescan, "marked_above", return_value=Level.STATE_TOP),
        ):
            return rescan.rescan(self.station, self.me("rescan"), document=self.ids["old"], path=path)

    # ------------------------------------------------------------ what goes round

    @tries("place:rounds/transport.py", never=True)
    def do_transport(self) -> Any:
        """Packs a top secret with another's name, and signs for both escorts."""
        escorts = (ME, "p-reader")
        run = transport.pack(
            self.station, self.me("transport"), objects=(self.ids["paper3"],), organ="样例处", channel="机要交通",
            bag="袋1", escorts=escorts, purpose="come_back",
        )["run"]  # fmt: skip
        for escort in escorts:
            transport.take(self.station, self.me("transport.take"), run=run, escort=escort)
        return transport.depart(self.station, self.me("transport"), run=run)

    @tries()
    def do_clear(self) -> Any:
        """Lists, and counts as often as it likes; nothing goes to the organ."""
        listed = clearing.start(
            self.station, self.me("clearing"), organ="样例处", objects=(self.ids["paper2"],)
        )["list"]  # fmt: skip
        clearing.count(self.station, self.me("clearing"), matter=listed, counted=1)
        clearing.count(self.station, self.me("clearing"), matter=listed, counted=1)

    @tries("place:rounds/circulation.py", never=True)
    def do_keep(self) -> Any:
        """The next reader is made his own keeper."""
        listed = circulation.start(
            self.station, self.me("circulate"), document=self.ids["free"], readers=("p-reader",)
        )["matter"]  # fmt: skip
        return circulation.keep(
            self.station, self.me("circulate"), matter=listed, keeper="p-reader", reason="试", place="A柜"
        )

    @tries("place:review/batches.py", never=True)
    def do_batch(self) -> Any:
        return batches.hand_over(self.station, self.me("batch.desk"), batch=MINE, to=ME)

    # ------------------------------------------------------------ the station

    @tries("place:station/policies.py", never=True)
    def do_activate(self) -> Any:
        file = self.room.base / "policy.yaml"
        file.write_text("# other\n" + default_policy_text(), "utf-8")
        return policies.activate(self.station, self.me("policy.activate"), file=file)

    @tries("place:station/backup.py", never=True)
    def do_restore(self) -> Any:
        home, file = self.room.base / "new" / "home", world()[0] / "backup.tar"
        home.mkdir(parents=True, exist_ok=True)
        for user in (self.pick(USERS), self.pick(USERS)):
            backup.restore(home, file, user=user, secrets=SECRETS, clock=self.room.clock)

    @tries("place:station/segments.py", never=True)
    def do_release_segment(self) -> Any:
        file = self.room.base / "segment.jsonl"
        file.write_bytes(b"{}")
        return segments.release(self.station, self.me("ledger"), file=file)

    @tries("place:station/ceremony.py", never=True)
    def do_rekey(self) -> Any:
        return rekey.rekey(self.station, self.me("vault.rekey"))

    @tries("place:persons/people.py", never=True)
    def do_grant(self) -> Any:
        return people.grant(
            self.station,
            self.me("account.grant"),
            user=self.pick(USERS),
            roles=("secadmin",),
            clearance="core",
        )

    @tries("place:persons/vetting.py", never=True)
    def do_renew(self) -> Any:
        return vetting.renew(self.station, self.me("person.vet"), person=ME, until=date(2030, 1, 1))

    @tries("place:papers/incidents.py", never=True)
    def do_incident(self) -> Any:
        with self.station.write() as session:
            number = incidents.open_incident(
                self.station, session, self.me("receive"), "seal_broken", objects=()
            )
        return incidents.close_incident(self.station, self.me("incident.close"), incident=number, reason="试")

    def last(self) -> None:
        """The clock is set ahead, and confirmed by the one person with every account that may."""
        self.room.clock.forward(days=40)
        self.room._actors.clear()
        for user in USERS:
            try:
                clocks.confirm(self.station, self.room.as_(user, "clock.confirm"))
            except JiyaoError as error:
                assert error.code in ("same_person_twice", "clock_unconfirmed")
        assert not clocks.show(self.station)["trusted"]


ATTEMPTS = {name: value for name, value in vars(Solo).items() if hasattr(value, "covers")}
