"""A working week of a room, in process: who is on duty each day, the day's acts, and the count at closing time.

`Week` is a `Room` whose accounts are a unit's own persons; tests name duties (`clerk`, `lead` …) and `on_duty` says
whose they are that day. `Script` is the week itself, Monday to Friday; a small and a large room run the same one, the
large one with more papers, readers and shifts. Nothing here is a test.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.models.level import Level
from jiyao.models.policy.loader import default_policy_text
from jiyao.models.tables import Carrier, Copy, Matter
from jiyao.pipeline.desk import custody, deadlines, matter_book, movements
from jiyao.pipeline.desk.movements import Hand
from jiyao.pipeline.intake import receipt
from jiyao.pipeline.intake.batch_books import BatchBooks, Entry
from jiyao.pipeline.intake.progress import Progress
from jiyao.pipeline.intake.receipt import Arrival
from jiyao.pipeline.persons import actors, approvals, circle, people
from jiyao.pipeline.persons.actors import Actor
from jiyao.pipeline.review import batches, review
from jiyao.pipeline.station import ledgers, policies, tallies
from jiyao.pipeline.station.founding import Plan, found_station
from jiyao.pipeline.station.station import Station
from room_kit import SECRETS, START, HandClock, Room
from test_printing import LP

TOLD = {"precautions": "当面交代注意事项"}
PAGES = {"pages": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """A unit's people. `duties`: duty -> the person who has it on each day of the week, the last one for the rest."""

    persons: Mapping[str, tuple[str, ...]]
    """User -> business roles."""
    duties: Mapping[str, tuple[str, ...]]
    readers: tuple[str, ...]
    clearances: Mapping[str, str] = field(default_factory=dict)
    """Where it is not `core`."""
    departments: Mapping[str, str] = field(default_factory=dict)


def found(base: Path, staff: Staff) -> None:
    """A station with these persons, founded as `init` does, each with an account of his own."""
    clock = HandClock()
    plan = Plan(
        unit="样例市虚构局机要室", kdf="test", station_level=Level.STATE_TOP, authorisation="样授〔2026〕1号"
    )
    found_station(base / "home", plan, SECRETS, clock=clock)
    station = Station.open(base / "home", clock=clock)
    system = actors.enter(station, user="sysadmin", act="account.add", secrets=SECRETS)
    security = actors.enter(station, user="secadmin", act="account.grant", secrets=SECRETS)
    for user, roles in staff.persons.items():
        people.add_person(
            station, system, person=f"p-{user}", name=f"人员{user}", clearance="none",
            dept=staff.departments.get(user, "办公室"),
        )  # fmt: skip
        people.add_account(station, system, SECRETS, user=user, name=f"人员{user}", person=f"p-{user}")
        people.grant(station, security, user=user, roles=roles, clearance=staff.clearances.get(user, "core"))
    station.engine.dispose()


def fake_lp(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's print command, stood in for."""
    programs = base / "bin"
    programs.mkdir()
    lp = programs / "lp"
    lp.write_text(LP.format(log=base / "lp.log", base=base))
    lp.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


class Week(Room):
    """A room with its own staff; `on_duty` is set by the day."""

    staff: Staff
    on_duty: dict[str, str]

    @classmethod
    def make(cls, base: Path, staff: Staff) -> Week:
        found(base, staff)
        week = cls(base)
        week.staff = staff
        week.day(0)
        return week

    def day(self, number: int, hour: float = 8.5) -> None:
        """The clock stands at an hour of a weekday (0: Monday), and the day's persons are on duty."""
        start = START.replace(hour=0)
        self.clock.moment = max(self.clock.moment, start + timedelta(days=number, hours=hour))
        self.on_duty = {duty: users[min(number, len(users) - 1)] for duty, users in self.staff.duties.items()}

    def as_(self, user: str, act: str) -> Actor:
        """The account on that duty."""
        return super().as_(self.on_duty.get(user, user), act)

    def person(self, duty: str) -> str:
        """The person id of whoever is on a duty."""
        return f"p-{self.on_duty.get(duty, duty)}"

    def whoever(self, duty: str) -> set[str]:
        """The person ids of everybody who has a duty some day of the week."""
        return {f"p-{user}" for user in self.staff.duties[duty]}

    # ------------------------------------------------------------ a day's acts

    def receive(self, **given: Any) -> dict[str, Any]:
        arrival = Arrival(**{"organ": "乌有县局", "channel": "机要交换", "envelope": "0001", **given})
        return receipt.receive(self.station, self.as_("clerk", "receive"), arrival)

    def scan(self, name: str, papers: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[str, list[str]]:
        """Receipt and paper of each envelope into one batch, as `ingest` with slips does; batch and documents."""
        actor = self.as_("scan", "ingest")
        books = BatchBooks(self.station, actor, receipt=None, name=name, progress=Progress())
        entries = []
        for number, (title, given) in enumerate(papers):
            told = self.receive(level=given.get("level"))
            paper = self.reading(title, **{"signed": date(2026, 10, 20), **given})
            books.taken(paper.path)
            entries.append(Entry(paper, told["receipt"], (number, 0)))
        documents = [str(end) for end in books.enter(entries)]
        return str(books.answer(seconds=1)["batch"]), documents

    def confirm(self, *documents: str) -> None:
        review.accept(self.station, self.as_("clerk", "review.accept"), documents=documents)

    def determine(self, document: str, level: Level, period: str | None = None) -> None:
        """The reviewer proposes, the determiner decides."""
        review.set_values(
            self.station, self.as_("rev", "review"), document=document, reason="依规定拟定", level=level,
            period=period,
        )  # fmt: skip
        self.refused(
            "same_person_twice", review.accept, self.station, self.as_("rev", "review.accept"),
            documents=(document,),
        )  # fmt: skip
        review.accept(self.station, self.as_("det", "review.accept"), documents=(document,))

    def circle(self, document: str, *persons: str) -> None:
        circle.set_circle(self.station, self.as_("dir", "circle"), document=document, persons=persons)

    def ask(self, act: str, document: str, *approvers: str, **given: Any) -> str:
        """An approval, asked for by the clerk and given by these duties."""
        asked = approvals.request(
            self.station, self.as_("clerk", "approval.request"), act=act, documents=(document,), **given
        )
        for duty in approvers:
            approvals.give(self.station, self.as_(duty, "approval.give"), approval=asked["id"])
        return str(asked["id"])

    def move(self, act: str, *ids: str, by: str = "clerk", **hand: Any) -> dict[str, Any]:
        return custody.move(self.station, self.as_(by, "carriers.move"), act, ids, Hand(**hand))

    def step(self, matter: str, by: str, **given: Any) -> dict[str, Any]:
        return matter_book.do_step(self.station, self.as_(by, "matter.do"), matter=matter, **given)

    def matter_of(self, document: str, kind: str) -> str:
        """The open matter of a kind of a document."""
        with self.station.read() as session:
            return session.scalars(
                select(Matter.id).where(
                    Matter.document_id == document, Matter.kind == kind, Matter.state == "open"
                )
            ).one()

    def originals(self, document: str) -> list[str]:
        with self.station.read() as session:
            return list(
                session.scalars(
                    select(Carrier.id).where(Carrier.document_id == document).order_by(Carrier.id)
                )
            )

    def copies_of(self, document: str) -> list[tuple[str, str]]:
        with self.station.read() as session:
            rows = session.scalars(select(Copy).where(Copy.document_id == document).order_by(Copy.number))
            return [(row.id, row.status) for row in rows]

    def late(self) -> list[dict[str, Any]]:
        """What should have been done by now."""
        told = deadlines.due(self.station, self.as_("clerk", "due"))["items"]
        return [one for one in told if one["days"] < 0]

    def close_batch(self, batch: str) -> dict[str, Any]:
        """The closing count of a batch, printed and compared with the count by hand."""
        shown = batches.show_batch(self.station, self.as_("scan", "batch"), batch=batch)["counts"]
        assert shown["documents"] == sum(
            shown[name] for name in ("confirmed", "waiting", "refused", "unread")
        )
        by_hand = {name: shown[name] for name in ("envelopes", "documents", "pages")}
        told = batches.close(self.station, self.as_("scan", "batch.desk"), batch=batch, **by_hand)
        assert told["state"] == "closed" and told["counts"]["waiting"] == 0
        return told

    def closing(self) -> dict[str, Any]:
        """Closing time: what is out is listed and may stay out, the count adds up, the ledger says the same."""
        out = custody.outstanding(self.station, self.as_("clerk", "carriers.out"))
        assert not [one for one in out["items"] if one["overnight"]], out
        told = custody.count(self.station, self.as_("clerk", "carriers.out"))
        assert told["differences"] == []
        for kind in ("originals", "copies"):
            assert told[kind]["entered"] == sum(n for name, n in told[kind].items() if name != "entered")
        with self.station.write() as session:
            assert tallies.recount(session), "the kept counts are those of all rows"
        with self.station.read() as session:
            replayed = movements.replay(session)
            for thing in (*session.scalars(select(Carrier)), *session.scalars(select(Copy))):
                kind = "copy" if isinstance(thing, Copy) else "carrier"
                assert replayed[kind, thing.id][0] == movements.state_of(thing)
        return {**told, "out": out["items"]}

    def verify(self) -> int:
        """The whole ledger, recomputed; its length."""
        return int(ledgers.verify_log(self.station)["entries"])


def choose(week: Week, **choices: str) -> None:
    """A policy with other choices of the unit: proposed by the security administrator, signed by a leader."""
    text = default_policy_text()
    for key, value in choices.items():
        line = next(line for line in text.splitlines() if f"{{key: {key}, default: " in line)
        head, _, rest = line.partition("default: ")
        text = text.replace(line, f"{head}default: {value}{rest[rest.index(', options') :]}")
    file = week.base / "policy.yaml"
    file.write_text(text.replace('version: "', 'version: "unit-', 1), "utf-8")
    policies.activate(week.station, week.as_("secadmin", "policy.activate"), file=file)
    told = policies.activate(week.station, week.as_("lead", "policy.activate"), file=file)
    assert told["state"] == "active"
