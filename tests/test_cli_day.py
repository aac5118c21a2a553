"""The day through the command line: receive, ingest, register, review, approvals, circle, copies, trace."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from pypdf import PdfWriter

from room import Room

DOCUMENT = """
id receipt status batch source_name sha256 pages title organ doc_number serial serials copies_received urgency signer
recipients copied_to date kind origin important level level_code level_family interim_level level_basis confirmed
confidence must_review overlays secrecy_period secrecy_until retention retention_until evidence field_evidence findings
parts parent carriers copies holds cleartext_history
"""


@pytest.mark.req("R-001", "R-002")
def test_receive_then_ingest_into_the_same_row(room: Room) -> None:
    value = room.ok(
        "receive", "--from", "样张省虚构厅", "--channel", "机要交换", "--envelope", "0007", "--serial", "000012",
        "--serial", "000013", "--urgency", "加急", "--carrier", "paper",
    )  # fmt: skip
    assert set(value) >= {"receipt", "id", "at", "slip"}
    assert Path(value["slip"]).read_bytes().startswith(b"%PDF")
    row = room.show(value["id"])
    assert (row["status"], row["copies_received"], row["serials"]) == ("received", 2, ["000012", "000013"])
    assert [carrier["serial"] for carrier in row["carriers"]] == ["000012", "000013"]
    taken = room.ok("ingest", room.letter(), "--receipt", value["receipt"], "--jobs", "1")
    assert [item["id"] for item in taken["documents"]] == [value["id"]]
    assert room.show(value["id"])["status"] == "pending"
    room.refused(
        "ingest", room.letter("b.docx", title="另一件的函"), "--receipt", "R1999-1", exit=3, code="no_receipt"
    )


def test_a_broken_seal_opens_an_incident(room: Room) -> None:
    room.ok("receive", "--from", "样张省虚构厅", "--seal", "broken")
    assert [item["kind"] for item in room.ok("incident", "list")["incidents"]] == ["seal_broken"]
    room.refused(
        "receive",
        "--from",
        "x",
        "--serial",
        "1",
        "--serial",
        "2",
        "--copies",
        "1",
        exit=2,
        code="serials_and_copies",
    )


def test_ingest_and_document_values(room: Room) -> None:
    inbox = [
        room.letter("10.docx", mark="机密★10年", serial="000123"),
        room.letter("9.docx", title="关于样张会议的通知", number="样函〔2026〕8号"),
    ]
    value = room.ok("ingest", inbox[0].parent, "--batch", "早班", "--jobs", "2")
    assert set(value) >= {"batch", "counts", "pages", "seconds", "documents", "problems"}
    assert value["counts"] == {
        "received": 2, "pending": 2, "registered": 0, "duplicate": 0, "quarantined": 0, "refused": 0, "failed": 0,
    }  # fmt: skip
    assert [item["source_name"] for item in value["documents"]] == ["9.docx", "10.docx"]
    assert all(set(DOCUMENT.split()) <= set(item) for item in value["documents"])
    marked = value["documents"][1]
    assert (marked["level"], marked["level_code"], marked["level_family"]) == ("机密", "S2", "state")
    assert (marked["level_basis"], marked["secrecy_period"], marked["serial"]) == ("marked", "10年", "000123")
    assert (marked["secrecy_until"], marked["doc_number"], marked["date"]) == (
        "2036-03-02",
        "样函〔2026〕7号",
        "2026-03-02",
    )
    for item in marked["evidence"]:
        assert set(item) == {"for", "rule", "source", "text", "page", "box", "score"}
    again = room.ok("ingest", inbox[0].parent)
    assert (again["counts"]["duplicate"], again["documents"]) == (2, [])
    assert [set(item) >= {"path", "code", "message"} for item in again["problems"]] == [True, True]


@pytest.mark.req("R-021")
def test_a_batch_that_is_done_in_part(room: Room) -> None:
    above = room.letter("a.docx", mark="绝密★长期")
    bad = above.with_name("b.docx")
    bad.write_bytes(b"PK\x03\x04 not a zip")
    link = above.with_name("c.docx")
    link.symlink_to(above)
    good = room.letter("d.docx")
    answer = room.run("ingest", above.parent)
    assert (answer.exit, answer.code) == (6, "partly_done")
    counts = answer.value["counts"]
    assert (counts["received"], counts["refused"], counts["quarantined"], counts["failed"]) == (4, 1, 1, 1)
    assert [item["source_name"] for item in answer.value["documents"]] == [good.name]
    codes = {Path(item["path"]).name: item["code"] for item in answer.value["problems"]}
    assert codes["a.docx"] == "above_station_level" and codes["c.docx"] == "not_a_regular_file"
    assert all(item["message"] and "{" not in item["message"] for item in answer.value["problems"])
    refused = room.ok("documents", "list", "--status", "refused")["documents"]
    assert [(item["level"], item["title"], item["source_name"]) for item in refused] == [("绝密", None, None)]
    assert "above_station_level" in [item["kind"] for item in room.ok("incident", "list")["incidents"]]
    again = room.run("ingest", above.parent)
    assert [again.value["counts"][end] for end in ("duplicate", "refused", "quarantined", "failed")] == [
        1,
        1,
        1,
        1,
    ]
    assert len(room.ok("documents", "list")["documents"]) == 4
    shown = room.run("ingest", bad, as_json=False)
    assert shown.exit == 6 and "b.docx" in shown.out and shown.err.startswith("错误：部分完成")


def test_nothing_to_take_in(room: Room) -> None:
    room.refused("ingest", "/no/such/file", exit=3, code="no_file")
    empty = room.base / "empty"
    empty.mkdir()
    assert room.ok("ingest", empty)["counts"]["received"] == 0


def test_a_watched_folder_until_it_is_stopped(room: Room) -> None:
    first = room.letter("1.docx")
    process = room.start("ingest", first.parent, "--watch", "--jobs", "1")
    room.letter("2.docx", title="关于第二件样张的通知", number=None)
    end = time.monotonic() + 60
    while len(room.ok("documents", "list")["documents"]) < 2 and time.monotonic() < end:
        time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert '"pending": 2' in out and out.count("\n") == 1


@pytest.mark.slow
def test_an_interrupted_batch_keeps_what_was_finished(room: Room) -> None:
    """Papers that are ready together go in together, up to sixteen: hence so many."""
    count = 48
    for number in range(count):
        room.letter(f"{number}.docx", title=f"关于第{number}件样张的函", number=f"样函〔2026〕{number + 1}号")
    process = room.start("-v", "ingest", room.base / "inbox", "--jobs", "1")
    assert process.stderr is not None
    assert "0.docx" in process.stderr.readline(), "the first paper that is finished is named at once"
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert '"interrupted"' in out
    done = len(room.ok("documents", "list")["documents"])
    assert 0 < done <= 32, "the group at hand and the one that is ready, no further"
    value = room.ok("ingest", room.base / "inbox")
    assert (value["counts"]["duplicate"], value["counts"]["pending"]) == (done, count - done)
    assert room.ok("ledger", "verify", user="auditor")["ok"]


def test_the_register(day: Room) -> None:
    room, first, second = day, day.marked, day.plain
    batch = room.show(first)["batch"]

    def found(*words: str) -> list[str]:
        return [item["id"] for item in room.ok("documents", "list", *words)["documents"]]

    assert found() == [first, second]
    assert found("--level", "S1") == found("--level", "秘密") == [first]
    assert found("--query", "会议") == found("--organ", "假想") == [second]
    assert found("--batch", batch, "--limit", "1", "--offset", "1") == [second]
    assert found("--status", "registered") == []
    text = room.ok("documents", "text", first)
    assert set(text) == {"id", "pages"} and set(text["pages"][0]) == {"number", "text", "confidence"}
    room.refused("documents", "text", first, user="reader", code="not_in_circle")
    assert room.circle(first, "reader", "director")["persons"] == ["director", "reader"]
    room.refused("documents", "text", first, user="clerk", code="not_in_circle")
    room.refused("documents", "export", first, "--out", room.base / "x", code="not_in_circle")
    export = room.ok("register", "export", "inbound", "--format", "csv", "--out", room.base / "r.csv")
    assert export["rows"] == 2 and Path(export["file"]).is_file()
    room.refused(
        "register", "export", "inbound", "--format", "csv", "--out", room.base / "r.csv", code="file_exists"
    )


@pytest.mark.req("R-023")
def test_review(day: Room) -> None:
    room, marked, plain = day, day.marked, day.plain
    assert {item["id"] for item in room.ok("review", "list")["documents"]} == {marked, plain}
    for document, words, user, code in (
        (marked, ("--level", "内部"), "reviewer", "mark_never_lowered"),
        (marked, ("--period", "3年"), "reviewer", "mark_never_lowered"),
        (plain, ("--level", "秘密"), "clerk", "role_missing"),
        (plain, ("--retention", "10年"), "clerk", "role_missing"),
        (plain, ("--level", "绝密"), "reviewer", "above_station_level"),
    ):
        room.refused("review", "set", document, *words, "--reason", "x", user=user, code=code)
    room.refused("review", "set", plain, "--reason", "x", exit=2, code="nothing_to_set")
    words = ("--field", "title=改正后的标题", "--field", "date=2026-03-03", "--reason", "校对")
    fixed = room.ok("review", "set", plain, *words)
    assert (fixed["title"], fixed["date"], fixed["confirmed"]) == ("改正后的标题", "2026-03-03", False)
    raised = room.ok(
        "review", "set", plain, "--level", "C2", "--period", "3年", "--reason", "合同", user="reviewer"
    )
    assert (raised["level"], raised["secrecy_period"], raised["status"]) == ("公司机密", "3年", "pending")
    room.refused("review", "accept", plain, user="reviewer", code="same_person_twice")
    room.refused("review", "accept", plain, user="clerk", code="role_missing")
    assert room.ok("review", "accept", plain, user="determiner")["status"] == "registered"
    assert room.ok("review", "accept", marked)["confirmed"] is True
    history = room.ok("review", "show", plain)["history"]
    assert [entry["act"] for entry in history][:2] == ["suggest", "suggest"]
    assert any(entry.get("reason") == "合同" for entry in history)
    room.refused("review", "accept", marked, code="not_in_review")
    answer = room.run("review", "accept", marked, plain)
    assert answer.exit == 6 and [item["document"] for item in answer.value["problems"]] == [marked, plain]


def test_a_lowered_suggestion_needs_a_second_person(day: Room) -> None:
    room, document = day, day.marked
    lowered = room.ok(
        "review", "set", document, "--level", "内部", "--misread", "--reason", "误读", user="clerk"
    )
    assert lowered["level"] == "内部"
    room.refused("review", "accept", document, user="clerk", code="same_person_twice")
    assert room.ok("review", "accept", document, user="clerk2")["suggested"]["level"] == "秘密"


def test_review_sheet(day: Room) -> None:
    room, document = day, day.show(day.plain)
    sheet = room.ok("review", "sheet", document["batch"], "--out", room.base / "sheet.pdf")
    assert Path(sheet["file"]).read_bytes().startswith(b"%PDF")
    assert [place["kind"] for place in room.show(document["id"])["cleartext_history"]] == ["inbox", "sheet"]
    room.refused("review", "sheet", "B0000-0", "--out", room.base / "x.pdf", exit=3, code="no_batch")


# ---------------------------------------------------------------- approvals, circle, copies


@pytest.fixture
def confirmed(day: Room) -> str:
    """A confirmed document marked 秘密."""
    document = day.marked
    day.confirm(document)
    return document


def test_approvals(day: Room, confirmed: str) -> None:
    room = day
    value = room.ok("approval", "request", "distribute", "--document", confirmed, "--note", "分送")
    assert set(value) >= {"id", "act", "objects", "state", "needed", "given", "expires"}
    assert (value["state"], value["given"], value["objects"]) == ("requested", [], [confirmed])
    room.refused("approval", "give", value["id"], user="clerk", code="own_request")
    room.refused("approval", "give", value["id"], user="scanner", code="not_the_approver")
    given = room.ok("approval", "give", value["id"], user=_approver(value["needed"]))
    assert set(given["given"][0]) == {"person", "role", "at"}
    room.refused("approval", "give", value["id"], user="principal")
    other = room.ok("approval", "request", "export", "--document", confirmed)
    ended = room.ok("approval", "refuse", other["id"], "--reason", "不必", user=_approver(other["needed"]))
    assert ended["state"] == "refused"
    assert [item["state"] for item in room.ok("approval", "list")["approvals"]] == [given["state"], "refused"]
    room.refused(
        "approval", "request", "nonsense", "--document", confirmed, exit=2, code="unknown_approval_act"
    )
    room.refused("approval", "give", "A0", user="director", exit=3, code="no_approval")


def _approver(needed: list[str]) -> str:
    users = {"office_director": "director", "leader_in_charge": "leader", "principal": "principal"}
    return next(users[role] for item in needed for role in item.split("|") if role in users)


def test_an_approval_on_paper(day: Room, confirmed: str) -> None:
    room = day
    scan = room.base / "scan.pdf"
    scan.write_bytes(b"%PDF-1.4 made up")
    words = ("approval", "paper", "distribute", "--document", confirmed, "--scan", scan)
    entered = room.ok(*words, "--approver", "戊一")
    assert (entered["state"], entered["paper"]) == ("requested", True)
    room.refused("approval", "check", entered["id"], user="clerk", code="same_person_twice")
    assert room.ok("approval", "check", entered["id"], user="clerk2")["state"] == "given"
    room.refused(
        "approval",
        "paper",
        "export",
        "--document",
        confirmed,
        "--scan",
        "/none",
        "--approver",
        "戊一",
        exit=3,
    )


@pytest.mark.req("R-055")
def test_copies(day: Room, confirmed: str) -> None:
    room = day
    issue = ("copies", "issue", confirmed, "--out", room.base / "out")
    room.refused(*issue, "--to", "li.si", code="not_in_circle")
    assert room.circle(confirmed, "li.si", "reader", "director")["persons"] == ["director", "li.si", "reader"]
    answer = room.run(*issue, "--to", "li.si")
    assert (answer.exit, answer.code) == (4, "approval_required")
    room.approve("distribute", confirmed)
    late = (date.today() - timedelta(days=1)).isoformat()
    value = room.ok(*issue, "--to", "李四", "--to", "reader", "--due", late, "--purpose", "传阅")
    assert value["document"] == confirmed
    for number, copy in enumerate(value["copies"], start=1):
        assert set(copy) >= {"copy", "number", "recipient", "file", "sha256", "forensic_id"}
        assert copy["number"] == number and Path(copy["file"]).read_bytes().startswith(b"%PDF")
    first, second = (copy["copy"] for copy in value["copies"])
    listed = room.ok("copies", "list", "--document", confirmed)["copies"]
    assert set(listed[0]) >= {"copy", "document", "number", "holder", "status", "issued_at", "due"}
    assert [copy["copy"] for copy in room.ok("copies", "list", "--overdue")["copies"]] == [first, second]
    assert [copy["copy"] for copy in room.ok("copies", "list", "--holder", "李四")["copies"]] == [first]
    assert [copy["copy"] for copy in room.ok("copies", "list", user="reader")["copies"]] == [second]
    room.refused("copies", "return", first, user="reader", code="not_your_copy")
    assert room.ok("copies", "recall", first)["copies"][0]["status"] == "recalled"
    assert room.ok("copies", "return", first)["copies"][0]["status"] == "returned"
    assert room.ok("copies", "lost", second, "--reason", "途中遗失")["copies"][0]["status"] == "lost"
    replaced = room.ok("copies", "replace", second, "--reason", "补发", "--out", room.base / "out")
    assert replaced["copies"][0]["number"] == 3
    room.refused("copies", "return", "nothing", exit=3, code="no_copy")


@pytest.mark.req("R-060")
def test_trace(day: Room, confirmed: str) -> None:
    room = day
    copy = room.issue(confirmed, "li.si")[0]
    value = room.ok("trace", copy["file"], room.letter(), "--reason", "测试", user="auditor")
    result, other = value["results"]
    assert set(result) >= {
        "file", "verdict", "copy", "document", "number", "recipient", "issued_at", "confidence", "false_rate",
        "channels", "candidates",
    }  # fmt: skip
    assert (result["verdict"], result["copy"], result["recipient"]) == ("copy", copy["copy"], "li.si")
    assert {channel["channel"] for channel in result["channels"]} == {
        "forensic",
        "barcode",
        "visible",
        "metadata",
    }
    assert (other["verdict"], other["copy"]) == ("none", None)
    text = room.base / "nothing.txt"
    text.write_text("没有标识", "utf-8")
    answer = room.run("trace", text, "--reason", "测试", user="secadmin")
    assert (answer.exit, answer.code) == (8, "no_copy_mark")
    assert answer.value["results"][0]["verdict"] == "none"
    paper = room.base / "trace.pdf"
    words = ("trace", copy["file"], "--reason", "测试", "--report", paper)
    shown = room.run(*words, user="auditor", as_json=False)
    assert "登记持有人：李四" in shown.out and "不是结论" in shown.out and "敏感材料" in shown.out
    assert paper.read_bytes().startswith(b"%PDF")
    room.refused(*words, user="auditor", code="file_exists")
    room.refused("trace", "/none", "--reason", "x", user="auditor", exit=3, code="no_file")


def test_export_is_listed_until_it_is_back(day: Room, confirmed: str) -> None:
    room = day
    out = room.base / "export.docx"
    room.refused("documents", "export", confirmed, "--out", out, code="approval_required")
    room.approve("export", confirmed)
    value = room.ok("documents", "export", confirmed, "--out", out)
    assert set(value) >= {"file", "sha256", "export"}
    assert hashlib.sha256(out.read_bytes()).hexdigest() == value["sha256"] == room.show(confirmed)["sha256"]
    assert [place["kind"] for place in room.show(confirmed)["cleartext_history"]] == ["inbox", "export"]
    room.refused("documents", "export", confirmed, "--out", out, code="file_exists")


def test_tables_for_people(day: Room, confirmed: str) -> None:
    """Without `--json` every listing prints a table and no JSON."""
    room = day
    for words, user in (
        (("documents", "list"), "clerk"), (("documents", "show", confirmed), "clerk"), (("review", "list"), "clerk"),
        (("documents", "text", confirmed), "clerk"), (("review", "show", confirmed), "clerk"),
        (("person", "list"), "sysadmin"), (("account", "list"), "sysadmin"), (("approval", "list"), "clerk"),
        (("copies", "list"), "clerk"), (("destroy", "list"), "clerk"), (("incident", "list"), "clerk"),
        (("ledger", "verify"), "auditor"), (("ledger", "head"), "auditor"), (("ledger", "proof", "1"), "auditor"),
        (("policy", "show"), "clerk"), (("clock", "show"), None), (("doctor",), None),
        (("circle", "show", confirmed), "leader"),
    ):  # fmt: skip
        answer = room.run(*words, user=user, as_json=False)
        assert answer.exit == 0 and answer.out.strip(), words
        assert not answer.out.startswith("{"), words


@pytest.mark.req("R-061")
def test_mark_drill(day: Room, tmp_path: Path) -> None:
    pages = tmp_path / "pages.pdf"
    assert day.ok("drill", "make", "--out", pages, "--sheets", "1")["pages"] == 5
    day.refused("drill", "make", "--out", pages, code="file_exists")
    day.refused("drill", "read", day.letter(), "--device", "复印机", exit=8, code="no_drill_page")
    scan = tmp_path / "scan.pdf"
    writer = PdfWriter()
    writer.append(pages, pages=(1, 2))
    writer.write(scan)
    read = day.ok("drill", "read", scan, "--device", "三楼复印机")
    assert {step: (row["read"], row["tried"]) for step, row in read["steps"].items()} == {"normal": (1, 1)}
    assert read["recommended"] is None, "one page of each is not enough"
    paper = tmp_path / "drill.pdf"
    told = day.ok("drill", "report", "--out", paper)
    assert [row["device"] for row in told["devices"]] == ["三楼复印机"] and paper.read_bytes().startswith(
        b"%PDF"
    )
    day.refused("drill", "report", user="reader", code="role_missing")
