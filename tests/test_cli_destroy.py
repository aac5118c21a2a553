"""Destruction, certificate, ledger, backup and policy through the command line."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from jiyao.models.policy.loader import default_policy_text
from room import Room

BATCH = """
id state list_sha256 items approvers operators supervisors outcomes verdict certificate
"""


@pytest.fixture
def ready(day: Room) -> Room:
    """A room whose plain document is confirmed as 不归档."""
    day.confirm(day.plain, retention="不归档")
    return day


@pytest.mark.req("R-116")
def test_the_whole_protocol(ready: Room) -> None:
    room, document = ready, ready.plain
    batch = room.destroy(document, place="样张销毁中心")
    assert set(BATCH.split()) <= set(batch)
    assert (batch["state"], batch["verdict"]) == ("certified", "complete_with_reservations")
    assert [check["result"] for check in batch["checks"]].count("fail") == 0
    assert [place["kind"] for place in batch["outside_scope"]] == ["inbox"]
    assert batch["items"] == [{"item": 1, "kind": "document", "id": document, "level": "内部", "blocks": []}]
    kinds = {artefact["kind"] for artefact in batch["outcomes"][0]["artefacts"]}
    assert kinds == {"original", "transcript", "judgement"}
    assert room.show(document)["status"] == "destroyed"
    room.refused("documents", "text", document, exit=3, code="no_text")
    written = room.ok("certificate", "show", batch["id"], "--out", room.base / "c.pdf")
    verify = ("certificate", "verify", room.base / "c.pdf")
    value = room.ok(*verify, "--trust", written["ca"], "--proof", written["proof"], user=None)
    assert set(value) >= {
        "valid", "intact", "complete", "trusted", "signer", "signed_at", "id", "list_sha256", "items", "statements",
        "reasons",
    }  # fmt: skip
    assert (value["valid"], value["trusted"], value["id"]) == (True, True, batch["id"])
    assert room.ok(*verify, user=None)["trusted"] is True
    assert room.ok(*verify, "--home", room.base / "nowhere", user=None)["trusted"] is None
    assert len(value["statements"]) == 10
    shown = room.ok("destroy", "show", batch["id"])
    assert shown["certificate"] == batch["certificate"]
    assert [item["id"] for item in room.ok("destroy", "list")["destructions"]] == [batch["id"]]
    assert room.ok("ledger", "verify", user="auditor")["ok"]
    _altered(room, written)


def _altered(room: Room, written: dict[str, str]) -> None:
    data = bytearray(Path(written["file"]).read_bytes())
    data[len(data) // 3] ^= 1
    bad = room.base / "bad.pdf"
    bad.write_bytes(data)
    answer = room.run("certificate", "verify", bad, user=None)
    assert (answer.exit, answer.code) == (7, "certificate_not_valid")
    assert answer.value["valid"] is False and answer.value["reasons"]
    shown = room.run("certificate", "verify", bad, user=None, as_json=False)
    assert shown.exit == 7 and shown.err.startswith("错误：")
    room.refused("certificate", "verify", "/none", user=None, exit=3, code="no_file")


def test_steps_and_persons(ready: Room) -> None:
    room, document = ready, ready.plain
    propose = ("destroy", "propose", "--document", document, "--reason")
    room.refused(*propose, "nonsense", exit=2, code="unknown_reason")
    trial = room.ok(*propose, "no_filing_value", "--dry-run")
    assert (trial["id"], trial["dry_run"]) == (None, True)
    batch = room.ok(*propose, "no_filing_value", "--note", "清理")["id"]
    room.refused(*propose, "no_filing_value", code="in_other_batch")
    room.refused("destroy", "approve", batch, user="director", code="destruction_state")
    shown = room.ok("destroy", "count", batch, "--dry-run", "--out", room.base / "draft.pdf")
    assert shown["draft"]["batch"] == batch and (room.base / "draft.pdf").read_bytes().startswith(b"%PDF")
    room.refused("destroy", "count", batch, "--out", room.base / "d2.pdf", exit=2, code="draft_needs_dry_run")
    room.refused("destroy", "record", batch, "--method", "burn", "--place", "x", "--began", "1", "--ended", "2",
                 user="operator1", code="physical_not_here")  # fmt: skip
    room.ok("destroy", "count", batch)
    room.refused("destroy", "count", batch, code="same_person_twice")
    room.refused("destroy", "count", batch, user="director", code="role_missing")
    assert room.ok("destroy", "count", batch, user="archivist")["state"] == "counted"
    assert room.ok("destroy", "approve", batch, user="director")["state"] == "approved"
    room.refused("destroy", "execute", batch, user="operator1", code="destruction_state")
    assert room.ok("destroy", "supervise", batch, user="supervisor1")["state"] == "approved"
    room.refused("destroy", "supervise", batch, user="supervisor1", code="same_person_twice")
    assert room.ok("destroy", "supervise", batch, user="supervisor2")["state"] == "supervised"
    assert room.ok("destroy", "execute", batch, user="operator1")["state"] == "executing"
    room.refused("destroy", "execute", batch, user="operator1", code="same_person_twice")
    room.refused("destroy", "attest", batch, "--place", "x", user="supervisor1", code="destruction_state")
    assert room.ok("destroy", "execute", batch, user="operator2")["state"] == "verified"
    room.refused("certificate", "show", batch, "--out", room.base / "c.pdf", exit=3, code="no_certificate")
    assert room.ok("destroy", "attest", batch, "--place", "x", user="supervisor1")["certificate"] is None
    room.refused("destroy", "attest", batch, "--place", "x", user="supervisor1", code="same_person_twice")
    acts = [
        entry
        for entry in room.ledger()
        if entry["act"].startswith("destroy.") and entry["result"] == "denied"
    ]
    assert len(acts) >= 7


def test_cancel_and_refuse(ready: Room) -> None:
    room, document = ready, ready.plain
    batch = room.proceed(document, until="counted")["id"]
    room.refused("destroy", "cancel", batch, user="archivist", code="not_your_batch")
    room.refused("destroy", "refuse", batch, "--reason", "x", user="clerk", code="role_missing")
    assert (
        room.ok("destroy", "refuse", batch, "--reason", "缓办", "--dry-run", user="director")["state"]
        == "counted"
    )
    assert room.ok("destroy", "refuse", batch, "--reason", "缓办", user="director")["state"] == "refused"
    batch = room.proceed(document, until="approved")["id"]
    assert room.ok("destroy", "cancel", batch, "--dry-run")["state"] == "approved"
    assert room.ok("destroy", "cancel", batch)["state"] == "cancelled"
    room.refused("destroy", "show", "X0", exit=3, code="no_destruction")


def test_blocks_are_listed_and_stop_the_count(day: Room) -> None:
    document = day.plain
    held = day.ok("hold", "add", document, "--reason", "案件调查", user="leader")
    assert len(held["holds"]) == 1
    batch = day.ok("destroy", "propose", "--document", document, "--reason", "retention_expired")
    codes = {block["code"] for block in batch["items"][0]["blocks"]}
    assert {"hold", "not_confirmed", "not_appraised"} <= codes
    day.refused("destroy", "count", batch["id"], code="blocked")
    shown = day.run("destroy", "show", batch["id"], as_json=False)
    assert "已冻结 (hold)" in shown.out
    assert len(day.ok("hold", "lift", document, "--reason", "结案", user="leader")["holds"]) == 1
    day.refused("hold", "lift", document, "--reason", "结案", user="leader", code="same_person_twice")
    assert day.ok("hold", "lift", document, "--reason", "结案", user="secadmin")["holds"] == []
    day.refused("documents", "appraise", document, "--reason", "x", user="archivist", code="not_confirmed")


# ---------------------------------------------------------------- ledger, backup, policy, clock


@pytest.mark.req("R-131")
def test_ledger_values(day: Room) -> None:
    for words in (("verify",), ("head",), ("proof", "2"), ("export", "--out", day.base / "l.jsonl")):
        value = day.ok("ledger", *words, user="auditor")
        assert set(value) >= {"ok", "entries", "root", "first_bad"} and value["ok"] is True
    day.refused("ledger", "proof", "99999", user="auditor", exit=3, code="no_ledger_entry")
    assert day.ok("ledger", "consistency", "2", user="auditor")["old"]["size"] == 2
    slip = day.ok("ledger", "slip", "--out", day.base / "slip.pdf", user="auditor")
    assert day.ok("ledger", "check", slip["code"], user="auditor")["ok"]
    day.refused("ledger", "check", "JYHEAD1|?", user="auditor", exit=2, code="slip_unreadable")
    day.refused("ledger", "witness", slip["code"], user="auditor", code="own_slip")
    segment = ("ledger", "segment", "--until", "3", "--out", day.base / "s.jsonl")
    assert day.ok(*segment, user="auditor")["last"] == 3
    day.refused("ledger", "release", day.base / "s.jsonl", user="auditor", code="same_person_twice")
    assert day.ok("ledger", "release", day.base / "s.jsonl", user="sysadmin")["gone"] >= 1
    assert day.ok("ledger", "verify", user="auditor")["ok"]


def _change_entry(room: Room, seq: int, text: str) -> None:
    base = sqlite3.connect(room.home / "registry.db")
    assert base.execute(f"update ledger_entries set leaf = {text} where seq = {seq}").rowcount == 1
    base.commit()
    base.close()


@pytest.mark.parametrize("text", ["cast(replace(leaf, 'clerk', 'clerx') as blob)", "'words'", "7", "x''"])
def test_an_altered_ledger_is_named(day: Room, text: str) -> None:
    _change_entry(day, 6, text)
    answer = day.run("ledger", "verify", user="auditor")
    assert (answer.exit, answer.code) == (7, "ledger_broken")
    assert answer.value["ok"] is False and answer.value["first_bad"] == 6
    shown = day.run("ledger", "verify", user="auditor", as_json=False)
    assert shown.exit == 7 and "第 6 号" in shown.err


@pytest.mark.req("R-146")
def test_backup_and_restore(day: Room) -> None:
    out = day.base / "b.jyb"
    value = day.ok("backup", "create", "--out", out, user="sysadmin")
    assert set(value) >= {"file", "documents", "epoch"} and value["documents"] == 2
    assert day.ok("backup", "verify", out, user=None)["documents"] == 2
    assert day.ok("backup", "drill", out, user="sysadmin")["failed"] == 0
    day.refused("backup", "create", "--out", out, user="sysadmin", code="file_exists")
    day.refused("restore", out, user="sysadmin", code="home_not_empty")
    shutil.move(day.home, day.base / "old")
    day.refused("restore", out, user="clerk", code="role_missing")
    waiting = day.ok("restore", out, user="sysadmin")
    assert waiting["state"] == "waiting" and set(waiting) >= {"file", "documents", "epoch"}
    day.refused("backup", "restore", out, user="sysadmin", code="same_person_twice")
    assert day.ok("backup", "restore", out, user="secadmin")["state"] == "restored"
    assert len(day.ok("documents", "list")["documents"]) == 2
    assert day.ok("documents", "text", day.plain)["pages"]
    data = bytearray(out.read_bytes())
    data[len(data) // 2] ^= 1
    out.with_name("bad.jyb").write_bytes(data)
    assert day.run("backup", "verify", out.with_name("bad.jyb"), user=None).exit == 7
    day.refused("backup", "verify", "/none", user=None, exit=3, code="no_file")


def test_policy(day: Room) -> None:
    shown = day.ok("policy", "show")
    assert shown["state"] == "provisional"
    file = day.base / "policy.yaml"
    file.write_text("# reviewed\n" + default_policy_text(), "utf-8")
    assert day.ok("policy", "check", file, user=None)["ok"] is True
    day.refused("policy", "activate", file, user="leader", code="policy_not_proposed")
    day.refused("policy", "activate", file, user="sysadmin", code="role_missing")
    assert day.ok("policy", "activate", file, user="secadmin")["state"] == "proposed"
    assert day.ok("policy", "activate", file, user="leader")["state"] == "active"
    assert day.ok("policy", "show")["state"] == "active"
    tried = day.ok("policy", "check", file, "--all", user="leader")
    assert (tried["ok"], tried["changes"], tried["skipped"], tried["since"]) == (True, [], [], None)
    day.refused("policy", "check", "/none", user="clerk", code="role_missing")
    listed, draft = day.base / "一览表.csv", day.base / "draft.yaml"
    listed.write_text("事项,密级,保密期限,关键词\n甲事项,机密,10年,甲事安排、乙事安排\n", "utf-8")
    assert day.ok("policy", "import", listed, "--out", draft, user="secadmin")["items"] == 1
    assert day.ok("policy", "check", draft, user=None)["unit_items"] == 1
    day.refused("policy", "import", listed, "--out", draft, user="secadmin", code="file_exists")
    assert "totals" in day.ok("learn", "report", user="auditor")
    file.write_text("version: [", "utf-8")
    assert day.run("policy", "check", file, user=None).exit == 2
    day.refused("policy", "check", "/none", user=None, exit=3, code="no_file")


def test_doctor_and_clock(day: Room) -> None:
    for lang in ("zh", "en"):
        value = day.ok("doctor", "--lang", lang, user=None)
        assert set(value) == {"ok", "checks"}
        assert all(set(check) >= {"name", "ok", "detail", "fix"} for check in value["checks"])
        assert all(check["ok"] or check["fix"] for check in value["checks"])
        assert not any(check["detail"].startswith("doctor_") for check in value["checks"])
    assert day.ok("clock", "show", user=None)["trusted"] is True
    assert day.ok("clock", "confirm", user="sysadmin")["trusted"] is True
    day.refused("clock", "confirm", user="clerk", code="role_missing")
