"""A whole station in one process: every role's account, a clock that tests move, made-up papers, destructions.

The station is founded once for a test run and copied for each test: paths in its file are rewritten, as a restore on
another machine would find them. Nothing here is a test.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.common.clock import STATION_ZONE
from jiyao.common.errors import JiyaoError
from jiyao.models.fields import OfficialFields
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.models.period import Period
from jiyao.models.suggestion import LevelSuggestion, Retention, RetentionSuggestion
from jiyao.models.tables import Batch, Copy, Document, LedgerEntry
from jiyao.models.wire import to_plain
from jiyao.pipeline.copies import issuing
from jiyao.pipeline.destruction import batch as destruction
from jiyao.pipeline.destruction import certificate as destruction_certificate
from jiyao.pipeline.destruction import execution as destruction_run
from jiyao.pipeline.intake import receipt, register_entry
from jiyao.pipeline.papers import appraisal
from jiyao.pipeline.persons import actors, people
from jiyao.pipeline.persons.actors import Actor
from jiyao.pipeline.review import review
from jiyao.pipeline.station.founding import Plan, found_station
from jiyao.pipeline.station.station import Station
from jiyao.stages.passages import prints_of

PASSPHRASE = "口令-correct horse"
START = datetime(2026, 11, 2, 9, 0, tzinfo=STATION_ZONE)
BATCH = "B2026-00000"

ACCOUNTS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "clerk": ("clerk", ("jiyao_clerk",), "core"),
    "clerk2": ("clerk2", ("jiyao_clerk",), "core"),
    "scan": ("scan", ("scan_operator",), "core"),
    "arch": ("arch", ("archivist",), "core"),
    "dir": ("dir", ("office_director",), "core"),
    "lead": ("lead", ("leader_in_charge",), "core"),
    "prin": ("prin", ("principal",), "core"),
    "op1": ("op1", ("destroy_operator",), "core"),
    "op2": ("op2", ("destroy_operator",), "core"),
    "op3": ("op3", ("destroy_operator",), "core"),
    "sup1": ("sup1", ("destroy_supervisor",), "core"),
    "sup2": ("sup2", ("destroy_supervisor",), "core"),
    "sup3": ("sup3", ("destroy_supervisor",), "core"),
    "det": ("det", ("determiner",), "core"),
    "det2": ("det2", ("determiner",), "core"),
    "rev": ("rev", ("determination_reviewer",), "core"),
    "reader": ("reader", ("reader",), "core"),
    "reader2": ("reader2", ("reader",), "core"),
    "rel": ("rel", ("release_reviewer",), "core"),
    # two accounts of one person
    "sup1b": ("sup1", ("destroy_supervisor",), "core"),
    "op1b": ("op1", ("destroy_operator",), "core"),
    "clerkb": ("clerk", ("archivist",), "core"),
    # several roles in one person
    "both": ("both", ("jiyao_clerk", "office_director"), "core"),
    "countop": ("countop", ("scan_operator", "destroy_operator"), "core"),
    "leadsup": ("leadsup", ("leader_in_charge", "office_director", "destroy_supervisor"), "core"),
    "leadop": ("leadop", ("leader_in_charge", "office_director", "destroy_operator"), "core"),
    "opsup": ("opsup", ("destroy_operator", "destroy_supervisor"), "core"),
    "clerksup": ("clerksup", ("jiyao_clerk", "destroy_supervisor"), "core"),
    "supnone": ("supnone", ("destroy_supervisor",), "none"),
    "plain": ("plain", ("handler",), "core"),
}
"""User -> person, roles, clearance."""


class TestSecrets:
    """The passphrase, and for every account a password made from its name."""

    __test__ = False

    def passphrase(self, *, new: bool = False) -> str:
        return PASSPHRASE

    def password(self, user: str, *, new: bool = False) -> str:
        return f"pw-{user}"


class HandClock:
    """A clock that only tests move."""

    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def forward(self, **step: float) -> None:
        self.moment += timedelta(**step)


SECRETS = TestSecrets()
NOON = Box(0.1, 0.1, 0.9, 0.2)


def build(base: Path, level: Level, **plan: Any) -> None:
    """Founds a station under `base` with all accounts, each with its signing key."""
    clock = HandClock()
    found_station(
        base / "home",
        Plan(
            unit="样例市虚构局机要室",
            kdf="test",
            station_level=level,
            authorisation="样授〔2026〕1号",
            **plan,
        ),
        SECRETS,
        clock=clock,
    )
    station = Station.open(base / "home", clock=clock)
    system = actors.enter(station, user="sysadmin", act="account.add", secrets=SECRETS)
    security = actors.enter(station, user="secadmin", act="account.grant", secrets=SECRETS)
    for user, (person, roles, clearance) in ACCOUNTS.items():
        people.add_account(station, system, SECRETS, user=user, name=f"人员{person}", person=f"p-{person}")
        people.grant(station, security, user=user, roles=roles, clearance=clearance)
    clerk = actors.enter(station, user="clerk", act="ingest", secrets=SECRETS)
    with station.write() as session:
        receipt.new_receipt(station, session, clerk, receipt.Arrival(organ="乌有县局"))
        session.add(
            Batch(id=BATCH, at=station.now(), by="p-clerk", state="open",
                  sealed=station.seal(session, "batch", {"name": None}))
        )  # fmt: skip
    station.engine.dispose()


@cache
def template(level: Level = Level.STATE_TOP) -> Path:
    """A founded station, made once."""
    base = Path(tempfile.mkdtemp(prefix="jiyao-room-"))
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    build(base, level)
    return base


def transplant(source: Path, target: Path) -> None:
    """Copies home and roots to another place and rewrites the paths in the station's file."""
    for part in (source / "home", *source.glob("home.root*")):
        shutil.copytree(part, target / part.name, symlinks=True)
    path = target / "home" / "station.json"
    path.write_text(path.read_text("utf-8").replace(str(source) + "/", str(target) + "/"), "utf-8")


@dataclass
class Room:
    """One station under `base`, and what tests do in it."""

    base: Path
    level: Level = Level.STATE_TOP
    clock: HandClock = field(default_factory=HandClock)
    station: Station = field(init=False)

    def __post_init__(self) -> None:
        if not self.home.exists():
            transplant(template(self.level), self.base)
        self._made = 0
        self.open()

    @property
    def home(self) -> Path:
        return self.base / "home"

    @property
    def roots(self) -> tuple[Path, Path]:
        return self.base / "home.root", self.base / "home.root.mirror"

    def open(self) -> Station:
        """A fresh process, as it were: nothing is kept from before."""
        self._actors: dict[tuple[str, str], Actor] = {}
        self.station = Station.open(self.home, clock=self.clock)
        self.station.unlock(PASSPHRASE)
        return self.station

    def as_(self, user: str, act: str) -> Actor:
        """The account, entered for the act (kept, so that its key is derived once)."""
        key = (user, act)
        if key not in self._actors:
            self._actors[key] = actors.enter(self.station, user=user, act=act, secrets=SECRETS)
        return self._actors[key]

    # ------------------------------------------------------------ papers

    def reading(
        self,
        title: str = "关于样例事项的函",
        *,
        text: str | None = None,
        level: Level | None = Level.INTERNAL,
        interim: Level | None = None,
        mark: Mark | None = None,
        period: Period | None = None,
        retention: Retention | None = Retention.TEN,
        signed: date = date(2012, 3, 1),
        overlays: tuple[str, ...] = (),
        must_review: bool = False,
        data: bytes | None = None,
        path: Path | None = None,
        **fields: Any,
    ) -> register_entry.ReadPaper:
        """A made-up paper as the workers would read it."""
        self._made += 1
        body = text or f"本件第{self._made}号正文只为试验而写，内容纯属虚构，请勿当真处理。"
        lines = tuple(Line(line, NOON) for line in body.splitlines())
        transcript = Transcript((Page(1, 210, 297, lines, "text_layer", "text-layer", 1.0),))
        data = data or f"%原件 {self._made} {body}".encode() * 20
        return register_entry.ReadPaper(
            path=path or self.base / "inbox" / f"来件{self._made}.docx",
            data=data,
            sha256=hashlib.sha256(data).hexdigest(),
            format="docx",
            pages=1,
            transcript=json.dumps(to_plain(transcript)).encode(), prints=prints_of(transcript),
            fields=OfficialFields(
                title=title, signed_date=signed, kind="函", mark=mark,
                **{"organs": ("乌有县局",), "doc_number": f"乌有函〔2012〕{self._made}号", **fields},
            ),
            level=LevelSuggestion(
                level, interim, "marked" if mark else "content", period or (mark.period if mark else None),
                0.9, must_review, overlays=overlays,
            ),
            retention=RetentionSuggestion(retention, 0.9, False),
            origin="peer", urgent=False, findings=(),
        )  # fmt: skip

    def paper(self, title: str = "关于样例事项的函", **given: Any) -> str:
        """Enters a made-up paper (`reading`) as the runner would; its id. Pending, not confirmed."""
        paper = self.reading(title, **given)
        clerk = self.as_("clerk", "ingest")
        with self.station.write() as session:
            arrival = receipt.new_receipt(self.station, session, clerk, receipt.Arrival(organ="乌有县局"))
            row = register_entry.enter(self.station, session, clerk, paper, receipt=arrival, batch=BATCH)
            return row.id

    def document(self, title: str = "关于样例事项的函", **given: Any) -> str:
        """A confirmed paper."""
        document = self.paper(title, **given)
        review.accept(self.station, self.as_("clerk", "review.accept"), documents=(document,))
        return document

    def expired(self, title: str = "关于样例事项的函", **given: Any) -> str:
        """A confirmed paper whose retention has ended and which was appraised: nothing stands in its way."""
        document = self.document(title, **given)
        appraisal.appraise(
            self.station, self.as_("arch", "appraise"), document=document, reason="已鉴定无保存价值"
        )
        return document

    def copy(
        self, document: str, *, holder: str = "p-reader", status: str = "issued", data: bytes = b"copy"
    ) -> str:
        """A copy as issuing leaves it, without drawing it."""
        with self.station.write() as session:
            row = session.get_one(Document, document)
            number = self.station.next_number(session, f"copy.{document}")
            made = Copy(
                id=f"{document}-C{number}", document_id=document, number=number,
                forensic_id=self.station.next_number(session, "copy.serial"), recipient=holder, holder=holder,
                status=status, issued_at=self.station.now(), issued_by="p-clerk", out=True,
                sealed=self.station.seal(session, issuing.COPY, {"purpose": None}),
            )  # fmt: skip
            session.add(made)
            session.flush()
            issuing.seal_copy(self.station, session, row, made, data * 50)
            return made.id

    def change(self, document: str, **columns: Any) -> None:
        """Sets columns of a register row, as other commands would."""
        with self.station.write() as session:
            row = session.get_one(Document, document)
            for name, value in columns.items():
                setattr(row, name, value)

    def row(self, document: str) -> Document:
        with self.station.read() as session:
            row = session.get_one(Document, document)
            session.expunge(row)
            return row

    # ------------------------------------------------------------ destruction

    def propose(
        self, *documents: str, reason: str = "retention_expired", by: str = "clerk", **given: Any
    ) -> dict[str, Any]:
        return destruction.propose(
            self.station, self.as_(by, "destroy.propose"), documents=documents, reason=reason, **given
        )

    def count(self, batch: str, by: str, **given: Any) -> dict[str, Any]:
        return destruction.count(self.station, self.as_(by, "destroy.count"), batch=batch, **given)

    def approve(self, batch: str, by: str, **given: Any) -> dict[str, Any]:
        return destruction.approve(self.station, self.as_(by, "destroy.approve"), batch=batch, **given)

    def supervise(self, batch: str, by: str, **given: Any) -> dict[str, Any]:
        return destruction.supervise(self.station, self.as_(by, "destroy.supervise"), batch=batch, **given)

    def execute(self, batch: str, by: str, **given: Any) -> dict[str, Any]:
        return destruction_run.execute(self.station, self.as_(by, "destroy.execute"), batch=batch, **given)

    def attest(self, batch: str, by: str) -> dict[str, Any]:
        return destruction_certificate.attest(
            self.station, self.as_(by, "destroy.supervise"), batch=batch, place="机要室"
        )

    def show(self, batch: str) -> dict[str, Any]:
        return destruction.show(self.station, batch=batch)

    def half_executed(self) -> tuple[str, str, str, str]:
        """A batch that waits for its second operator, nobody holding the registry: batch, document, its copy, and
        another document."""
        gone = self.expired(text="将被销毁的正文：乌有县虚构渠段的水位数字全部作废不再使用。")
        stays = self.document()
        copy = self.copy(gone, status="returned")
        batch = self.until("supervised", gone)
        self.execute(batch, "op1")
        self.station.engine.dispose()
        return batch, gone, copy, stays

    def until(
        self,
        state: str,
        *documents: str,
        reason: str = "retention_expired",
        approvers: Sequence[str] = ("dir",),
        **given: Any,
    ) -> str:
        """A batch brought to a state: `proposed counted approved supervised verified certified`; its id."""
        batch: str = self.propose(*documents, reason=reason, **given)["id"]
        steps: list[tuple[str, Callable[[str, str], object], Sequence[str]]] = [
            ("counted", self.count, ("clerk", "arch")),
            ("approved", self.approve, approvers),
            ("supervised", self.supervise, ("sup1", "sup2")),
            ("verified", self.execute, ("op1", "op2")),
            ("certified", self.attest, ("sup1", "sup2")),
        ]
        reached = "proposed"
        for name, step, users in steps:
            if reached == state:
                break
            for user in users:
                step(batch, user)
            reached = name
        assert self.show(batch)["state"] == state
        return batch

    # ------------------------------------------------------------ what is asked of it

    def refused(
        self, code: str, act: Callable[..., object], *args: Any, exit_code: int = 4, **given: Any
    ) -> JiyaoError:
        """The act is refused with this code, and the ledger's newest entry says so."""
        with pytest.raises(JiyaoError) as caught:
            act(*args, **given)
        assert (caught.value.code, caught.value.exit_code) == (code, exit_code)
        entry = self.last_entry()
        assert entry["result"] in ("denied", "failed") and entry["rule_or_approval"] == code, entry
        return caught.value

    def last_entry(self) -> dict[str, Any]:
        with self.station.read() as session:
            leaf = session.scalars(select(LedgerEntry.leaf).order_by(LedgerEntry.seq.desc()).limit(1)).one()
        plain: dict[str, Any] = json.loads(leaf)
        return plain

    def entries(self, act: str) -> list[dict[str, Any]]:
        with self.station.read() as session:
            leaves = session.scalars(
                select(LedgerEntry.leaf).where(LedgerEntry.act == act).order_by(LedgerEntry.seq)
            )
            return [json.loads(leaf) for leaf in leaves]
