"""Mail as it comes, through the command line: split, merge and rescan of what was taken in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from ingest_kit import pdf_stack
from mail_papers import blank_page, finding_codes, mail_paper, page_count
from room import Room


@pytest.fixture(scope="module")
def papers() -> list[bytes]:
    return [mail_paper(seed) for seed in (3, 5, 8)]


def test_split_gives_new_numbers_and_lets_the_old_key_go(
    room: Room, papers: list[bytes], tmp_path: Path
) -> None:
    stack = pdf_stack(tmp_path / "叠.pdf", papers[0], papers[1])
    (whole,) = room.ok("ingest", stack, "--jobs", "1")["documents"]
    room.refused("review", "split", whole["id"], "--at", "99", exit=2, code="bad_split_pages")
    room.refused("review", "split", whole["id"], "--at", "2", user="reviewer", code="role_missing")
    value = room.ok("review", "split", whole["id"], "--at", str(page_count(papers[0]) + 1))
    first, second = value["documents"]
    assert [item["pages"] for item in (first, second)] == [page_count(papers[0]), page_count(papers[1])]
    assert first["title"] and second["title"] and first["title"] != second["title"]
    assert len({whole["id"], first["id"], second["id"]}) == 3
    assert first["parent"] == second["parent"] == whole["id"]
    assert all(item["must_review"] and item["status"] == "pending" for item in (first, second))
    old = room.show(whole["id"])
    assert old["status"] == "void" and old["sha256"] is None and old["parts"] == [first["id"], second["id"]]
    room.refused("documents", "text", whole["id"], exit=3)
    assert room.ok("documents", "text", first["id"])["pages"]
    assert first["cleartext_history"][0]["path"] == str(stack)
    again = room.ok("ingest", stack, "--jobs", "1")
    assert again["counts"]["duplicate"] == 1, "the stack is known by its parts"
    room.refused("review", "split", whole["id"], "--at", "2", code="not_in_review")
    assert room.ok("ledger", "verify", user="auditor")["ok"]
    room.confirm(first["id"], level="内部")
    room.refused("review", "split", first["id"], "--at", "2", code="not_in_review")


def test_merge_joins_page_pictures(room: Room, tmp_path: Path) -> None:
    names = []
    for number in (1, 2):
        picture = Image.new("RGB", (1240, 1754), "white")
        for row in range(8):
            picture.paste((0, 0, 0), (200, 300 + 120 * row, 900 - 40 * number, 310 + 120 * row))
        path = tmp_path / f"页{number}.jpg"
        picture.save(path, dpi=(150, 150), quality=80)
        names.append(path)
    taken = room.run("ingest", *names, "--jobs", "1")
    documents = taken.value["documents"]
    if len(documents) != 2:
        pytest.skip("no engine reads these pictures")
    room.refused("review", "merge", documents[0]["id"], exit=2, code="merge_needs_two")
    (merged,) = room.ok("review", "merge", *(item["id"] for item in documents))["documents"]
    assert merged["pages"] == 2 and merged["id"] not in {item["id"] for item in documents}
    assert merged["parts"] == [item["id"] for item in documents]
    assert {room.show(item["id"])["status"] for item in documents} == {"void"}
    again = room.run("ingest", *names, "--jobs", "1")
    assert again.value["counts"]["duplicate"] == 2


def test_a_docx_is_not_taken_apart(room: Room) -> None:
    document = room.take_in(room.letter())
    room.refused("review", "split", document["id"], "--at", "2", code="not_a_scan")


def test_rescan_replaces_pages_and_starts_review_anew(
    room: Room, papers: list[bytes], tmp_path: Path
) -> None:
    bad = pdf_stack(tmp_path / "坏.pdf", papers[0], blank_page())
    (document,) = room.ok("ingest", bad, "--jobs", "1")["documents"]
    confirmed = room.confirm(document["id"], level="内部")
    assert confirmed["confirmed"]
    page = pdf_stack(tmp_path / "好.pdf", mail_paper(8))
    one = PdfWriter()
    one.append(PdfReader(page), pages=[0])
    with (tmp_path / "一页.pdf").open("wb") as out:
        one.write(out)
    last = document["pages"]
    room.refused("documents", "rescan", document["id"], page, "--pages", "99", exit=2, code="bad_pages")
    room.refused("documents", "rescan", document["id"], tmp_path / "没有.pdf", exit=3, code="scan_not_read")
    value = room.ok("documents", "rescan", document["id"], tmp_path / "一页.pdf", "--pages", str(last))
    assert value["id"] == document["id"] and value["status"] == "pending" and not value["confirmed"]
    assert value["pages"] == last and value["sha256"] != document["sha256"]
    whole = room.ok("documents", "rescan", document["id"], page)
    assert whole["pages"] == page_count(papers[2])
    assert room.ok("ingest", page, "--jobs", "1")["counts"]["duplicate"] == 1
    history = room.ok("review", "show", document["id"])["history"]
    assert [item["act"] for item in history].count("rescan") == 2


def test_a_mark_read_before_is_not_lost_by_a_rescan(room: Room, tmp_path: Path) -> None:
    marked = room.take_in(room.letter("有标.docx", mark="秘密★5年", serial="000123"))
    value = room.ok("documents", "rescan", marked["id"], room.letter("无标.docx"))
    assert value["level"] == "秘密" and "mark_lost_in_rescan" in finding_codes(value) and value["must_review"]
    assert tmp_path


@pytest.mark.req("R-021")
def test_a_rescan_above_the_stations_level_takes_the_unconfirmed_paper_with_it(room: Room) -> None:
    letter = room.letter("浅.docx", title="关于朱雀工程的函", mark="秘密★5年", serial="000123")
    document = room.take_in(letter)["id"]
    higher = room.letter("朱雀.docx", title="关于朱雀工程的函", mark="绝密★30年", serial="000123")
    told = room.refused("documents", "rescan", document, higher, code="above_station_level")
    assert "朱雀" not in json.dumps(told, ensure_ascii=False)
    row = room.show(document)
    assert (row["status"], row["level"]) == ("refused", "绝密")
    kept = ("title", "doc_number", "serial", "sha256", "date", "source_name", "evidence", "cleartext_history")
    assert not any(row[name] for name in kept) and row["pages"] == 0
    room.refused("documents", "text", document, code="clearance_too_low")
    (incident,) = room.ok("incident", "list")["incidents"]
    assert (incident["kind"], incident["document"], incident["level"]) == (
        "above_station_level",
        document,
        "绝密",
    )
    sealed = [path for path in (room.home / "blobs").rglob("*") if path.is_file() and path.name[0] != "."]
    assert not sealed and not _holds(room.home, "朱雀")
    for path in (letter, higher):
        again = room.run("ingest", path, "--jobs", "1")
        assert again.exit == 6 and again.value["counts"]["refused"] == 1
    assert len(room.ok("incident", "list")["incidents"]) == 1, "not doubled"
    acts = [(entry["act"], entry.get("result")) for entry in room.ledger()]
    assert ("documents.rescan", "denied") in acts and ("incident.open", "done") in acts
    assert room.ok("ledger", "verify", user="auditor")["ok"]


@pytest.mark.req("R-021")
@pytest.mark.parametrize("case", ["confirmed", "another paper"])
def test_a_wrong_rescan_above_the_level_leaves_the_document(room: Room, case: str) -> None:
    title = "关于报送样张统计资料的函"
    document = room.take_in(room.letter("浅.docx", mark="秘密★5年", serial="000123"))["id"]
    if case == "confirmed":
        room.confirm(document)
        higher = room.letter("深.docx", title=title, mark="绝密★30年", serial="000123")
    else:
        body = "\n".join(f"第{n}项任务由玄武小组承担，限期报告进展，不得转述。" for n in "一二三四五六七八九")
        higher = room.letter(
            "深.docx", title="关于玄武工程的通知", number="玄发〔2026〕1号", mark="绝密★30年", body=body
        )
    before = room.show(document)
    room.refused("documents", "rescan", document, higher, code="above_station_level")
    after = room.show(document)
    assert after == before and after["sha256"]
    (incident,) = room.ok("incident", "list")["incidents"]
    assert (incident["kind"], incident["document"]) == ("above_station_level", document)
    assert room.ok("documents", "text", document)["pages"] and not _holds(room.home, "玄武")
    blocks = room.ok("destroy", "propose", "--document", document, "--reason", "misfiled")["items"][0][
        "blocks"
    ]
    assert "incident" in {item["code"] for item in blocks}


def _holds(home: Path, word: str) -> bool:
    return any(
        word.encode(code) in path.read_bytes()
        for path in home.rglob("*") if path.is_file()
        for code in ("utf-8", "utf-16-le", "gbk")
    )  # fmt: skip
