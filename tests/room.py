"""A whole room for tests: a station with every role, driven through the command line as another program would.

    room = Room.make(tmp_path)
    answer = room.run("documents", "list", user="clerk")     # answer.exit, answer.value, answer.err
    document = room.take_in(room.letter("one.docx"))          # receive → ingest, the only document's value
    room.confirm(document["id"])                              # review accept by the clerk
    room.approve("distribute", document["id"])                # asked by the clerk, given by every approver needed
    batch = room.destroy(document["id"], reason="no_filing_value")   # the whole protocol, certified

Persons (id = account name): clerk, clerk2, scanner, reviewer, determiner, archivist, director, leader, principal,
operator1, operator2, supervisor1, supervisor2, reader; administrators sysadmin, secadmin, auditor. `li.si` (李四) is a
person without an account. Every password is `pw-<account>`; all are cleared `important`, the reader `general`.
The key derivation is the one for tests.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docx
import pytest
from click.testing import CliRunner
from docx.enum.text import WD_ALIGN_PARAGRAPH

from engines_here import NO_ENGINE, WHY
from jiyao.cli import main

PASSPHRASE = "a passphrase for tests"
ADMINISTRATORS = ("sysadmin", "secadmin", "auditor")
STAFF: Mapping[str, tuple[str, ...]] = {
    "clerk": ("jiyao_clerk",),
    "clerk2": ("jiyao_clerk",),
    "scanner": ("scan_operator",),
    "reviewer": ("determination_reviewer",),
    "determiner": ("determiner",),
    "archivist": ("archivist",),
    "director": ("office_director",),
    "leader": ("leader_in_charge",),
    "principal": ("principal",),
    "operator1": ("destroy_operator",),
    "operator2": ("destroy_operator",),
    "supervisor1": ("destroy_supervisor",),
    "supervisor2": ("destroy_supervisor",),
    "reader": ("reader",),
}
MARKED, PLAIN = "000001", "000002"
"""Ends of the numbers of the two documents of a stocked room."""
APPROVERS = ("director", "leader", "principal")
"""Where a circle is set, an approver stands in it."""
NAMES: Mapping[str, str] = {
    "clerk": "甲一", "clerk2": "甲二", "scanner": "乙一", "reviewer": "丙一", "determiner": "丙二", "archivist": "丁一",
    "director": "戊一", "leader": "戊二", "principal": "戊三", "operator1": "己一", "operator2": "己二",
    "supervisor1": "庚一", "supervisor2": "庚二", "reader": "辛一",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command gave back: exit code, the JSON value of stdout (None without `--json`), both streams."""

    exit: int
    value: Any
    out: str
    err: str

    @property
    def code(self) -> str | None:
        """The error's code, None when there is none."""
        return self.value["error"]["code"] if isinstance(self.value, dict) and "error" in self.value else None


@dataclass(slots=True)
class Room:
    """One station in a folder of its own, with its secrets in files."""

    base: Path
    clearance: str = "important"
    extra: dict[str, str] = field(default_factory=dict)
    """More environment variables for every command."""

    @classmethod
    def make(
        cls,
        base: Path,
        *,
        level: str = "机密",
        clearance: str = "important",
        people: bool = True,
        init: tuple[str, ...] = ("--single-root",),
    ) -> Room:
        """Makes the station (level 机密 with an authorisation by default) and everybody who works in it."""
        room = cls(base=base, clearance=clearance)
        base.mkdir(parents=True, exist_ok=True)
        room._secrets()
        room.ok(
            "init", "--unit", "样张市某局", "--kdf", "test", *init, "--station-level", level,
            "--authorisation", "样批〔2026〕1号", user=None,
        )  # fmt: skip
        if people:
            room._people()
        return room

    @property
    def home(self) -> Path:
        """The station's home."""
        return self.base / "home"

    @property
    def root(self) -> Path:
        """The root, outside the home."""
        return self.base / "home.root"

    def copy_to(self, base: Path) -> Room:
        """The same room in another place, to be changed at will (root and registry paths follow)."""
        base.mkdir(parents=True, exist_ok=True)
        for name in ("home", "home.root", "passwords", "passphrase"):
            source = self.base / name
            if source.is_dir():
                shutil.copytree(source, base / name)
            else:
                shutil.copy2(source, base / name)
        station = base / "home" / "station.json"
        station.write_text(station.read_text("utf-8").replace(str(self.base), str(base)), "utf-8")
        return Room(base=base, clearance=self.clearance, extra=dict(self.extra))

    @property
    def marked(self) -> str:
        """The marked document of a stocked room."""
        return self._document(MARKED)

    @property
    def plain(self) -> str:
        """The unmarked document of a stocked room."""
        return self._document(PLAIN)

    def _document(self, end: str) -> str:
        documents = self.ok("documents", "list")["documents"]
        return next(str(item["id"]) for item in documents if item["id"].endswith(end))

    # ------------------------------------------------------------ running commands

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a command: secrets by files, Chinese, no other JIYAO variables."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("JIYAO_")}
        return {
            **plain,
            "JIYAO_HOME": str(self.home),
            "JIYAO_PASSPHRASE_FILE": str(self.base / "passphrase"),
            "JIYAO_PASSWORDS_FILE": str(self.base / "passwords"),
            "JIYAO_LANG": "zh",
            **self.extra,
            **more,
        }

    def run(self, *words: str | Path, user: str | None = "clerk", as_json: bool = True, **env: str) -> Answer:
        """Runs one command in this process; nobody can be asked. No traceback may ever show."""
        args = [*map(str, words), *(["--user", user] if user else []), *(["--json"] if as_json else [])]
        given = self.environment(**env)
        gone = {name: None for name in os.environ if name.startswith("JIYAO_") and name not in given}
        result = CliRunner().invoke(
            main, args, env={**given, **gone}, catch_exceptions=False, prog_name="jiyao"
        )
        assert "Traceback" not in result.stderr, result.stderr
        value = json.loads(result.stdout) if as_json and result.stdout.startswith(("{", "[")) else None
        if as_json and "--help" not in args:
            assert result.stdout.count("\n") == 1, f"not one JSON value: {result.stdout!r} {result.stderr}"
        answer = Answer(result.exit_code, value, result.stdout, result.stderr)
        if NO_ENGINE and answer.code == "no_ocr_engine":
            pytest.skip(WHY)
        return answer

    def ok(self, *words: str | Path, user: str | None = "clerk", **env: str) -> Any:
        """Runs a command that must succeed, and gives its value."""
        answer = self.run(*words, user=user, **env)
        assert answer.exit == 0, (words, answer.exit, answer.value, answer.err)
        return answer.value

    def refused(
        self, *words: str | Path, user: str | None = "clerk", exit: int = 4, code: str | None = None
    ) -> Any:
        """Runs a command that must fail so, and gives its value."""
        answer = self.run(*words, user=user)
        assert answer.exit == exit, (words, answer.exit, answer.value, answer.err)
        assert code is None or answer.code == code, (words, answer.code)
        return answer.value

    def start(self, *words: str | Path, user: str | None = "clerk", **env: str) -> subprocess.Popen[str]:
        """Starts a command as a process of its own (for signals and kills); reads JSON from its stdout."""
        args = [*map(str, words), *(["--user", user] if user else []), "--json"]
        return subprocess.Popen(
            [sys.executable, "-m", "jiyao.cli", *args],
            env=self.environment(**env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    # ------------------------------------------------------------ steps that many tests need

    def letter(
        self,
        name: str = "letter.docx",
        *,
        title: str = "关于报送样张统计资料的函",
        number: str | None = "样函〔2026〕7号",
        mark: str | None = None,
        serial: str | None = None,
        date: str = "2026年3月2日",
        body: str = "现将样张统计资料报送你局，请查收。本件纯属虚构。",
        organ: str = "样张省虚构厅",
    ) -> Path:
        """A small made-up letter as DOCX in the room's inbox folder; quick to read."""
        path = self.base / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            letter_bytes(
                title=title, number=number, mark=mark, serial=serial, date=date, body=body, organ=organ
            )
        )
        return path

    def take_in(self, *paths: Path, user: str = "clerk") -> dict[str, Any]:
        """Ingests files and gives the first document's value."""
        value = self.ok("ingest", *paths, "--jobs", "1", user=user)
        return dict(value["documents"][0])

    def show(self, document: str, user: str = "clerk") -> dict[str, Any]:
        """`documents show`."""
        return dict(self.ok("documents", "show", document, user=user))

    def confirm(
        self,
        document: str,
        *,
        level: str | None = None,
        period: str | None = None,
        retention: str | None = None,
    ) -> dict[str, Any]:
        """Review by the persons it needs: level by the reviewer, retention by the archivist, then accepted."""
        if retention:
            self.ok("review", "set", document, "--retention", retention, "--reason", "核定", user="archivist")
        if level:
            words = ["--period", period] if period else []
            self.ok("review", "set", document, "--level", level, *words, "--reason", "定密", user="reviewer")
            return dict(self.ok("review", "accept", document, user="determiner"))
        return dict(self.ok("review", "accept", document, user="clerk"))

    def circle(self, document: str, *persons: str) -> dict[str, Any]:
        """Sets the reading circle by the leader in charge."""
        return dict(self.ok("circle", "set", document, *persons, user="leader"))

    def approve(self, act: str, document: str, *, asker: str = "clerk") -> str | None:
        """Asks for an approval and lets everybody needed give it. None when the act is only registered."""
        asked = self.run("approval", "request", act, "--document", document, user=asker)
        if asked.code == "no_approval_needed":
            return None
        assert asked.exit == 0, asked.value
        approval = asked.value
        for user in (*APPROVERS, "secadmin", "determiner", "reviewer"):
            if approval["state"] == "given":
                break
            given = self.run("approval", "give", approval["id"], user=user)
            if given.exit == 0:
                approval = given.value
        assert approval["state"] == "given", approval
        return str(approval["id"])

    def issue(self, document: str, *persons: str, out: Path | None = None) -> list[dict[str, Any]]:
        """Circle, approval and copies for the persons; files lie in `out` (default: the room's `out`)."""
        known = self.ok("circle", "show", document, user="leader")["persons"]
        if not set(persons) <= set(known):
            self.circle(document, *dict.fromkeys((*known, *APPROVERS, "clerk", *persons)))
        self.approve("distribute", document)
        to = [word for person in persons for word in ("--to", person)]
        return list(self.ok("copies", "issue", document, *to, "--out", out or self.base / "out")["copies"])

    def destroy(
        self, *documents: str, reason: str = "no_filing_value", place: str = "样张销毁中心"
    ) -> dict[str, Any]:
        """The whole protocol to the certificate; gives the batch as it stands then."""
        batch = self.proceed(*documents, reason=reason)
        for user in ("supervisor1", "supervisor2"):
            batch = self.ok("destroy", "attest", batch["id"], "--place", place, user=user)
        return dict(batch)

    def proceed(
        self, *documents: str, reason: str = "no_filing_value", until: str = "verified"
    ) -> dict[str, Any]:
        """The protocol up to a state: proposed, counted, approved, supervised, executing or verified."""
        words = [word for document in documents for word in ("--document", document)]
        batch = self.ok("destroy", "propose", *words, "--reason", reason, user="clerk")
        for state, step, users in (
            ("proposed", "count", ("archivist", "scanner")),
            ("counted", "approve", ("director", "leader", "principal")),
            ("approved", "supervise", ("supervisor1", "supervisor2")),
            ("supervised", "execute", ("operator1",)),
            ("executing", "execute", ("operator2",)),
        ):
            if state == until:
                break
            for user in users:
                if batch["state"] != state:
                    break
                answer = self.run("destroy", step, batch["id"], user=user)
                if answer.exit == 4 and step == "approve":
                    continue
                assert answer.exit == 0, (step, user, answer.value)
                batch = answer.value
        assert batch["state"] == until, batch
        return dict(batch)

    def ledger(self) -> list[dict[str, Any]]:
        """Every entry of the ledger, oldest first, as exported by the auditor."""
        out = self.base / f"ledger-{time.monotonic_ns()}.jsonl"
        self.ok("ledger", "export", "--out", out, user="auditor")
        lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        return [json.loads(line["leaf"]) for line in lines if "leaf" in line]

    # ------------------------------------------------------------ making it

    def _secrets(self) -> None:
        (self.base / "passphrase").write_text(PASSPHRASE + "\n", "utf-8")
        lines = [f"{user}:pw-{user}" for user in (*ADMINISTRATORS, *STAFF)]
        path = self.base / "passwords"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        path.chmod(0o600)

    def _people(self) -> None:
        for user, roles in STAFF.items():
            self.ok("person", "add", user, "--name", NAMES[user], "--clearance", "none", user="sysadmin")
            self.ok("account", "add", user, "--name", NAMES[user], "--person", user, user="sysadmin")
            words = [word for role in roles for word in ("--role", role)]
            clearance = "general" if user == "reader" else self.clearance
            self.ok("account", "grant", user, *words, "--clearance", clearance, user="secadmin")
        self.ok("person", "add", "li.si", "--name", "李四", "--clearance", self.clearance, user="sysadmin")


def letter_bytes(
    *, title: str, number: str | None, mark: str | None, serial: str | None, date: str, body: str, organ: str
) -> bytes:
    """A made-up letter as DOCX (样张): serial, mark, red head, number, title, addressee, body, organ, date."""
    paper = docx.Document()
    if serial:
        paper.add_paragraph(serial)
    if mark:
        paper.add_paragraph(mark)
    for text in (f"{organ}文件", number, "", title):
        if text is not None:
            paper.add_paragraph(text).alignment = WD_ALIGN_PARAGRAPH.CENTER
    paper.add_paragraph("样张市某局：")
    for text in body.split("\n"):
        paper.add_paragraph(f"　　{text}")
    paper.add_paragraph("")
    for text in (organ, date):
        paper.add_paragraph(text).alignment = WD_ALIGN_PARAGRAPH.RIGHT
    out = io.BytesIO()
    paper.save(out)
    return out.getvalue()


@contextmanager
def working_copy(room: Room, base: Path) -> Iterator[Room]:
    """A copy of a room for one test; removed afterwards."""
    copy = room.copy_to(base)
    try:
        yield copy
    finally:
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """One room with everybody in it, made once; tests that change it take `room`."""
    return Room.make(tmp_path_factory.mktemp("founded"))


@pytest.fixture(scope="session")
def stocked(founded: Room, tmp_path_factory: pytest.TempPathFactory) -> Room:
    """A room that has taken in two letters: MARKED (秘密★5年, serial 000123) and PLAIN, both waiting for a person."""
    stock = founded.copy_to(tmp_path_factory.mktemp("stocked"))
    first = stock.letter("1.docx", mark="秘密★5年", serial="000123")
    second = stock.letter(
        "2.docx", title="关于样张会议的通知", number="样函〔2026〕8号", organ="样张市假想委员会"
    )
    documents = stock.ok("ingest", first, second, "--jobs", "2", "--batch", "早班")["documents"]
    assert [item["id"][-6:] for item in documents] == [MARKED, PLAIN]
    return stock


@pytest.fixture
def day(stocked: Room, tmp_path: Path) -> Iterator[Room]:
    """A copy of the stocked room for one test alone; `day.marked` and `day.plain` are its documents."""
    with working_copy(stocked, tmp_path / "day") as copy:
        yield copy


@pytest.fixture
def room(founded: Room, tmp_path: Path) -> Iterator[Room]:
    """A copy of the founded room for one test alone."""
    with working_copy(founded, tmp_path / "room") as copy:
        yield copy
