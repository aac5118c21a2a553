"""The week's script, Monday to Friday: what a room does each day, and what must hold at each closing time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from copy_kit import letter
from jiyao.models.level import Level
from jiyao.models.suggestion import Retention
from jiyao.models.tables import Copy, Incident
from jiyao.pipeline import registers
from jiyao.pipeline.copies import copies, issuing, printing
from jiyao.pipeline.desk import custody, matter_book
from jiyao.pipeline.intake import receipt
from jiyao.pipeline.papers import appraisal, archiving, hold, incidents
from jiyao.pipeline.persons import people
from jiyao.pipeline.registers import export
from jiyao.pipeline.review import batches, mending, review
from jiyao.pipeline.rounds import clearing, transport
from week_kit import PAGES, TOLD, Week


@dataclass
class Script:
    """`run` does the week. What Monday brings in is used until Friday."""

    week: Week
    papers: int
    """Ordinary papers that come in each day."""
    copies: int
    """Copies printed on Tuesday."""
    cabinet: bool
    """Whether what is lent may stay out over night in a cabinet."""
    batches: dict[int, str] = field(default_factory=dict)
    ordinary: list[str] = field(default_factory=list)

    def run(self) -> None:
        for day in (self.monday, self.tuesday, self.wednesday, self.thursday, self.friday):
            day()

    # ------------------------------------------------------------ Monday: receiving

    def monday(self) -> None:
        week = self.week
        week.day(0)
        self._discrepancy()
        self._sealed_mail()
        thing = week.receive(
            carrier="object", unscanned=True, title="样机一台", level=Level.STATE_CONFIDENTIAL
        )
        week.confirm(thing["id"])
        self.thing = thing["id"]
        batch, papers = week.scan(
            "周一早班",
            [
                ("关于样例机密事项的通知", {"level": Level.STATE_SECRET, "retention": Retention.THIRTY}),
                ("关于样例绝密事项的通知", {"level": Level.STATE_TOP, "retention": Retention.PERMANENT}),
                ("关于样例秘密事项的通知", {"level": Level.STATE_CONFIDENTIAL, "data": letter(1)}),
                ("关于未标密级事项的请示", {"level": None, "interim": Level.STATE_SECRET}),
                *self._ordinary(),
            ],
        )
        self.secret, self.top, self.printed, unmarked, *ordinary = papers
        week.refused("level_needed", review.accept, week.station, week.as_("clerk", "review.accept"),
                     documents=(unmarked,))  # fmt: skip
        week.determine(unmarked, Level.STATE_CONFIDENTIAL, "5年")
        self.unmarked = unmarked
        week.confirm(self.secret, self.top, self.printed, *ordinary)
        self.ordinary += ordinary
        for document, place in ((self.top, "绝密柜"), (self.secret, "机密柜"), (self.printed, "秘密柜")):
            week.move("place", *week.originals(document), place=place)
        week.day(0, 17.5)
        week.close_batch(batch)
        assert week.closing()["out"] == [] and week.late() == []

    def _discrepancy(self) -> None:
        week = self.week
        told = week.receive(copies=3, counted=2, serials=("000012", "000013"), level=Level.STATE_SECRET,
                            title="关于样例会议的通知", unscanned=True)  # fmt: skip
        week.refused("matter_blocks", week.confirm, told["id"])
        matter = week.matter_of(told["id"], "discrepancy")
        week.step(matter, "clerk", words={"answer": "来文单位确认少装一份"})
        week.step(matter, "dir", words={"decision": "按实收两份登记"})
        week.confirm(told["id"])
        self.numbered = told["id"]
        assert len(week.originals(told["id"])) == 2

    def _sealed_mail(self) -> None:
        week = self.week
        told = week.receive(addressee=week.person("lead"))
        week.refused("matter_blocks", receipt.to_be_read, week.station, week.as_("clerk", "ingest"),
                     receipt=told["receipt"])  # fmt: skip
        matter = week.matter_of(told["id"], "personal_mail")
        week.step(matter, "clerk")
        week.step(matter, "clerk", result="to_register", words={"outcome": "收件人阅后交室登记"})
        receipt.to_be_read(week.station, week.as_("clerk", "ingest"), receipt=told["receipt"])
        self.mail = told

    def _ordinary(self) -> list[tuple[str, dict[str, Any]]]:
        return [("关于样例日常事项的函", {}) for _ in range(self.papers)]

    # ------------------------------------------------------------ Tuesday: reading, lending, printing

    def tuesday(self) -> None:
        week, readers = self.week, self.week.staff.readers
        week.day(1)
        batch, papers = week.scan("周二早班", self._ordinary())
        week.confirm(*papers)
        inside, outside = readers[:-1], readers[-1]
        week.circle(self.secret, *(f"p-{user}" for user in inside))
        (original,) = week.originals(self.secret)
        for user in inside:
            week.move("circulate", original, taker=f"p-{user}")
            week.clock.forward(minutes=20)
            week.move("read_back", original, words=PAGES)
        week.refused("not_in_circle", week.move, "circulate", original, taker=f"p-{outside}")
        self._as_read(readers[0])
        week.circle(self.numbered, *(f"p-{user}" for user in readers), *week.whoever("dir"))
        one = week.originals(self.numbered)[0]
        week.refused("approval_required", week.move, "lend", one, taker=f"p-{readers[0]}", words=TOLD)
        week.ask("borrow", self.numbered, "dir")
        week.move("lend", one, taker=f"p-{readers[0]}", words=TOLD,
                  due=week.clock.now().date() + timedelta(days=2))  # fmt: skip
        self._print(readers)
        lent = self._over_night(one)
        week.day(1, 17.5)
        week.close_batch(batch)
        assert {one["id"] for one in week.closing()["out"]} == {*lent, *self.out}

    def _over_night(self, lent: str) -> tuple[str, ...]:
        """What was lent comes back before the room closes, or stays in a named cabinet by approval."""
        week = self.week
        ask = (matter_book.open_matter, week.station, week.as_("clerk", "matter.open"), "overnight")
        until = (week.clock.now().date() + timedelta(days=2)).isoformat()
        words = {"cabinet": "办公室3号保密柜", "until": until}
        if not self.cabinet:
            week.refused(
                "overnight_denied", *ask, document=self.numbered, items=(f"carrier:{lent}",), words=words
            )
            week.move("lend_back", lent, words=PAGES)
            self.lent = None
            return ()
        told = ask[0](*ask[1:], document=self.numbered, items=(f"carrier:{lent}",), words=words)
        week.step(told["id"], "dir")
        self.lent = lent
        return (lent,)

    def _as_read(self, reader: str) -> None:
        """绝密: by approval, one reader, back the same hour."""
        week = self.week
        week.circle(self.top, f"p-{reader}", *week.whoever("lead"))
        (original,) = week.originals(self.top)
        here = {"taker": f"p-{reader}", "place": "阅文室"}
        week.refused("approval_required", week.move, "circulate", original, **here)
        week.ask("read", self.top, "lead", recipients=(f"p-{reader}",))
        week.refused("reading_room_only", week.move, "circulate", original, taker=f"p-{reader}")
        week.move("circulate", original, **here)
        out = custody.outstanding(week.station, week.as_("clerk", "carriers.out"))["items"]
        assert [(one["id"], one["overnight"]) for one in out] == [(original, True)]
        week.move("read_back", original, words=PAGES)
        week.move("place", original, place="绝密柜")

    def _print(self, readers: tuple[str, ...]) -> None:
        week = self.week
        to = [f"p-{user}" for user in readers[: self.copies]]
        week.circle(self.printed, *(f"p-{user}" for user in readers), *week.whoever("dir"))
        run = (printing.print_copies, week.station, week.as_("clerk", "copies.issue"))
        week.refused("approval_required", *run, document=self.printed, to=to)
        week.ask("distribute", self.printed, "dir", copies=self.copies)
        told = run[0](*run[1:], document=self.printed, to=to, printer="涉密1号")
        self.out = [one["copy"] for one in told["copies"]]
        week.refused("more_than_approved", *run, document=self.printed, to=(f"p-{readers[-1]}",))
        closed = printing.close_run(
            week.station, week.as_("clerk", "copies.issue"), run=told["run"], spoiled=1
        )
        assert closed["step"] == "approve"
        week.step(told["run"], "dir")
        week.step(told["run"], "clerk", words={"method": "shred"})
        assert week.step(told["run"], "sup1", words={"method": "shred"})["state"] == "closed"

    # ------------------------------------------------------------ Wednesday: mistakes, a loss, the next shift

    def wednesday(self) -> None:
        week, readers = self.week, self.week.staff.readers
        week.day(2)
        batch, papers = week.scan(
            "周三早班", [*self._ordinary(), ("关于样例特急事项的函", {"urgency": "特急"}), ("重复登记", {})]
        )
        *ordinary, self.urgent, twice = papers
        batches.hand_over(
            week.station, week.as_("scan", "batch.desk"), batch=batch, to=week.person("next_shift")
        )
        batches.hand_over(week.station, week.as_("next_shift", "batch.desk"), batch=batch, to=None)
        week.refused(
            "batch_not_held", batches.close, week.station, week.as_("scan", "batch.desk"), batch=batch
        )
        week.confirm(*papers)
        self._mend(ordinary[0], twice)
        week.change(self.urgent, urgency="特急")
        (self.urgent_original,) = week.originals(self.urgent)
        week.move("circulate", self.urgent_original, taker=f"p-{readers[0]}")
        self._lose_one()
        if len(self.out) > 2:
            week.ask("distribute", self.printed, "dir", recipients=(f"p-{readers[-1]}",))
            copies.forward_copies(
                week.station, week.as_("clerk", "copies.keep"), copies=(self.out[2],), to=f"p-{readers[-1]}"
            )
        week.day(2, 17.5)
        week.on_duty["scan"] = week.on_duty["next_shift"]
        week.close_batch(batch)
        told = week.closing()
        assert told["copies"]["lost"] == 1

    def _mend(self, document: str, twice: str) -> None:
        week = self.week
        told = mending.amend(week.station, week.as_("clerk", "amend"), document=document,
                             fields={"title": "关于样例日常事项的复函"}, reason="登记时录错")  # fmt: skip
        assert told["title"] == "关于样例日常事项的复函"
        void = (mending.void, week.station)
        void[0](
            week.station, week.as_("clerk", "void"), document=twice, reason="重复登记", replaced_by=document
        )
        week.refused("same_person_twice", *void, week.as_("clerk", "void"), document=twice, reason="重复登记")
        told = void[0](week.station, week.as_("next_shift", "void"), document=twice, reason="重复登记")
        assert told["status"] == "void" and len(week.originals(document)) == 2

    def _lose_one(self) -> None:
        week = self.week
        told = copies.lose_copy(
            week.station, week.as_("clerk", "copies.keep"), copy=self.out[0], reason="领用人报告找不到"
        )
        self.incident = told["incident"]
        week.ask("distribute", self.printed, "dir", copies=1)
        told = copies.replace_copy(
            week.station, week.as_("clerk", "copies.issue"), copy=self.out[0], reason="遗失补发",
            sink=issuing.Folder(week.base / "out"),
        )  # fmt: skip
        self.out = [*self.out[1:], told["copies"][0]["copy"]]

    # ------------------------------------------------------------ Thursday: urging, carrying, the incident

    def thursday(self) -> None:
        week, readers = self.week, self.week.staff.readers
        week.day(3)
        assert [(one["kind"], one["id"]) for one in week.late()] == [("circulation", self.urgent_original)]
        week.move("read_back", self.urgent_original, words=PAGES)
        assert week.late() == []
        if self.lent:
            week.move("lend_back", self.lent, words=PAGES)
        self._carry(readers[0])
        self._transport(readers[0])
        close = (incidents.close_incident, week.station)
        week.refused("role_missing", self._close_incident, "clerk")
        told = close[0](week.station, week.as_("lead", "incident.close"), incident=self.incident,
                        reason="查明误入碎纸，已教育")  # fmt: skip
        assert told["state"] == "closed"
        hold.add_hold(week.station, week.as_("lead", "hold.add"), document=self.ordinary[0], reason="审计")
        for user in ("lead", "secadmin"):
            hold.lift_hold(
                week.station, week.as_(user, "hold.lift"), document=self.ordinary[0], reason="审计完毕"
            )
        week.day(3, 17.5)
        assert {one["id"] for one in week.closing()["out"]} == set(self.out)

    def _close_incident(self, duty: str) -> None:
        week = self.week
        incidents.close_incident(
            week.station, week.as_(duty, "incident.close"), incident=self.incident, reason="无"
        )

    def _carry(self, reader: str) -> None:
        week = self.week
        week.circle(self.unmarked, f"p-{reader}", *week.whoever("lead"))
        (one,) = week.originals(self.unmarked)
        words = {"case": "3号文件箱", "destination": "市里会议"}
        week.refused("approval_required", week.move, "carry_out", one, taker=f"p-{reader}", words=words)
        week.ask("carry_out", self.unmarked, "lead")
        week.move("carry_out", one, taker=f"p-{reader}", words=words)
        week.clock.forward(hours=4)
        week.move("carry_back", one, words=PAGES)

    def _transport(self, reader: str) -> None:
        """绝密 travels with two persons."""
        week = self.week
        (one,) = week.originals(self.top)
        bag = {"bag": "机要袋0007"}
        pair = {"taker": f"p-{reader}", "together_with": (week.person("scan"),)}
        week.refused("movement_within", week.move, "depart", one, words=bag, **pair)
        door = week.as_("clerk", "transport")
        said = {
            "objects": (one,), "organ": "乌有县局", "channel": "机要交通", "bag": "机要袋0007", "purpose": "come_back",
        }  # fmt: skip
        pack = (transport.pack, week.station, door)
        week.refused("movement_persons", *pack, escorts=(f"p-{reader}",), **said)
        run = transport.pack(week.station, door, escorts=(f"p-{reader}", week.person("scan")), **said)["run"]
        for user in (reader, "scan"):
            transport.take(week.station, week.as_(user, "transport.take"), run=run)
        transport.depart(week.station, door, run=run)
        week.clock.forward(hours=2)
        transport.arrive(week.station, door, run=run, receipt_no="乌有县局收字7号", pages=2)

    # ------------------------------------------------------------ Friday: returning, filing, destroying

    def friday(self) -> None:
        week = self.week
        week.day(4)
        old = ("关于样例旧事项的函", {"retention": Retention.TEN, "signed": date(2012, 3, 1)})
        batch, papers = week.scan("周五早班", [*self._ordinary(), old, old])
        week.confirm(*papers)
        keep = (week.station, week.as_("clerk", "copies.keep"))
        copies.recall_copies(*keep, copies=self.out)
        copies.return_copies(*keep, copies=self.out)
        self._clear(*week.originals(self.numbered))
        told = archiving.archive(
            week.station,
            week.as_("arch", "archive"),
            document=self.secret,
            place="档案柜3",
            number="2026-WS-0001",
        )
        assert told["status"] == "archived"
        self._destroy(*papers[-2:])
        week.day(4, 17.5)
        week.close_batch(batch)
        self._week_ends()

    def _clear(self, *originals: str) -> None:
        """What goes back to its issuer is listed, counted by two, and only then handed over."""
        week = self.week
        week.refused("movement_within", week.move, "return_to_issuer", *originals, words={"receipt_no": "1"})
        clerk = (week.station, week.as_("clerk", "clearing"))
        told = clearing.start(*clerk, organ="上级机关", objects=originals)
        clearing.count(*clerk, matter=told["list"], counted=len(originals))
        second = (week.station, week.as_("scan", "clearing"))
        clearing.count(*second, matter=told["list"], counted=len(originals))
        told = clearing.hand_over(*clerk, matter=told["list"], receipt_no="清退收字1号")
        assert told["state"] == "closed"

    def _destroy(self, *documents: str) -> None:
        week = self.week
        for document in documents:
            appraisal.appraise(
                week.station, week.as_("arch", "appraise"), document=document, reason="已鉴定无保存价值"
            )
        batch = week.until("certified", *documents)
        assert week.show(batch)["certificate"]
        papers = [one for document in documents for one in week.originals(document)]
        week.refused("movement_persons", week.move, "destroy", *papers, together_with=(week.person("sup1"),))
        week.refused("approval_required", week.move, "destroy", *week.originals(self.unmarked),
                     together_with=(week.person("sup1"), week.person("sup2")))  # fmt: skip
        week.move("destroy", *papers, together_with=(week.person("sup1"), week.person("sup2")))

    def _week_ends(self) -> None:
        """Everything that went out is back or accounted for."""
        week = self.week
        told = week.closing()
        assert told["out"] == [] and week.late() == []
        originals, issued = told["originals"], told["copies"]
        counted = {name: originals[name] for name in ("destroyed", "archived", "returned", "lost")}
        assert counted == {"destroyed": 2, "archived": 1, "returned": 2, "lost": 0}
        assert issued["held"] == 0 and issued["lost"] == 1 and issued["returned"] == self.copies
        with week.station.read() as session:
            assert not session.scalars(select(Incident.id).where(Incident.state == "open")).all()
            assert {copy.status for copy in session.scalars(select(Copy))} <= {"returned", "lost", "replaced"}
        for name in registers.NAMES:
            told = export.export_register(
                week.station, week.as_("clerk", "register"), name=name, form="csv",
                out=week.base / f"{name}.csv",
            )  # fmt: skip
            assert (week.base / f"{name}.csv").stat().st_size > 0 and told["register"] == name
        assert week.verify() > 200


def deputise(week: Week, giver: str, taker: str, role: str, until: int) -> None:
    """A dated deputy, until a weekday of this week."""
    people.delegate(
        week.station, week.as_(giver, "delegate"), giver=giver, taker=taker, role=role,
        until=week.clock.now().date() + timedelta(days=until),
    )  # fmt: skip


def no_slips(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing the slip loads fonts; its own tests look at it."""
    monkeypatch.setattr(receipt, "draw_slip", lambda _spec: b"%PDF-")
