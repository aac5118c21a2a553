"""Mail as it comes, through the command line: stacks, batches, other originals, what is urgent, a scanned stack."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from ingest_kit import pdf_stack
from jiyao.samples.mail import make_originals, make_stack
from jiyao.stages.engines.choose import choose
from mail_papers import blank_page, finding_codes, mail_paper, page_count
from room import Room


@pytest.fixture(scope="module")
def papers() -> list[bytes]:
    return [mail_paper(seed) for seed in (3, 5, 8)]


# ---------------------------------------------------------------- stacks and batches


@pytest.mark.req("R-001")
@pytest.mark.req("R-004")
def test_a_stack_with_separators_and_its_closing_count(
    room: Room, papers: list[bytes], tmp_path: Path
) -> None:
    receipt = room.ok("receive", "--from", "云梦省乌有局", "--copies", "1")["receipt"]
    sheets = tmp_path / "隔页.pdf"
    wrong = page_count(papers[1]) + 2
    printed = room.ok(
        "batch", "sheet", receipt, "--count", "2", "--pages", str(page_count(papers[0])), "--pages", str(wrong),
        "--out", sheets,
    )  # fmt: skip
    assert [(item["order"], item["of"]) for item in printed["sheets"]] == [(1, 2), (2, 2)]
    reader = PdfReader(sheets)
    pieces = []
    for page in reader.pages:
        writer = PdfWriter()
        writer.add_page(page)
        out = io.BytesIO()
        writer.write(out)
        pieces.append(out.getvalue())
    stack = pdf_stack(
        tmp_path / "叠.pdf", pieces[0], papers[0], blank_page(), pieces[1], papers[1], blank_page()
    )  # fmt: skip
    value = room.ok("ingest", stack, "--split", "slip", "--jobs", "1", "--batch", "早班")
    first, second = value["documents"]
    assert {first["receipt"], second["receipt"]} == {receipt}
    assert "pages_missing" not in finding_codes(first)
    assert "pages_missing" in finding_codes(second) and second["must_review"]
    shown = room.ok("batch", "show", "早班")
    assert shown["counts"] | {"pages": 0} == {
        "envelopes": 1, "documents": 2, "carriers": 1, "pages": 0, "confirmed": 0, "waiting": 2, "refused": 0,
        "unread": 0,
    }  # fmt: skip
    assert [item["document"] for item in shown["open"]] == [first["id"], second["id"]]
    batch = value["batch"]
    assert room.ok("batch", "list")["batches"][0]["batch"] == batch
    room.refused("batch", "close", batch, code="batch_waiting")
    for document in (first, second):
        room.confirm(document["id"], level="内部")
    room.refused("batch", "close", batch, "--documents", "3", code="batch_count_differs")
    room.refused("batch", "close", batch, user="scanner", code="batch_not_held")
    room.refused("batch", "handover", batch, user="scanner", code="batch_not_offered")
    assert room.ok("batch", "handover", batch, "--to", "scanner")["offered_to"] == "scanner"
    taken = room.ok("batch", "handover", batch, user="scanner")
    assert (taken["holder"], taken["state"]) == ("scanner", "open")
    room.refused("batch", "close", batch, code="batch_not_held")
    closed = room.ok("batch", "close", batch, "--documents", "2", "--envelopes", "1", user="scanner")
    assert closed["state"] == "closed" and closed["counts"]["confirmed"] == 2
    room.refused("batch", "close", batch, user="scanner", code="batch_closed")
    acts = [entry["act"] for entry in room.ledger()]
    assert {"batch.handover", "batch.close", "batch.sheet"} <= set(acts)
    room.refused("batch", "show", "晚班", exit=3, code="no_batch")
    room.refused("batch", "close", batch, user="reviewer", code="role_missing")


def test_a_batch_that_changes_must_be_offered_anew(room: Room) -> None:
    value = room.ok("ingest", room.letter(), "--jobs", "1")
    room.ok("batch", "handover", value["batch"], "--to", "clerk2")
    room.confirm(value["documents"][0]["id"], level="内部")
    room.refused("batch", "handover", value["batch"], user="clerk2", code="batch_changed")


def test_auto_cuts_at_letterheads_and_asks(room: Room, papers: list[bytes], tmp_path: Path) -> None:
    stack = pdf_stack(tmp_path / "叠.pdf", papers[0], blank_page(), papers[1])
    value = room.ok("ingest", stack, "--split", "auto", "--jobs", "1")
    assert len(value["documents"]) == 2
    for document in value["documents"]:
        assert document["must_review"] and "split_by_letterhead" in finding_codes(document)
    whole = room.ok("ingest", stack, "--split", "none", "--jobs", "1")
    assert len(whole["documents"]) == 1


# ---------------------------------------------------------------- other originals


@pytest.mark.req("R-006")
def test_numbered_originals_are_carriers_of_one_document(room: Room) -> None:
    body = "现将样张统计资料报送你局，请于三日内核对后退回。本件纯属虚构，共三部分，逐项列明。"
    letters = [
        room.letter(f"{serial}.docx", mark="秘密★5年", serial=serial, body=body)
        for serial in ("000012", "000013", "000014")
    ]
    value = room.ok("ingest", *letters, "--jobs", "1")
    assert value["counts"]["pending"] == 1 and value["counts"]["carrier"] == 2, value["problems"]
    (document,) = value["documents"]
    assert document["serials"] == ["000012", "000013", "000014"]
    assert document["copies_received"] == 3
    assert [item["serial"] for item in document["carriers"]] == ["000012", "000013", "000014"]
    again = room.ok("ingest", *letters, "--jobs", "1")
    assert again["counts"]["duplicate"] == 3 and again["counts"]["pending"] == 0
    rescan = room.letter("重扫.docx", mark="秘密★5年", serial="000013", body=body.replace("逐项", "逐頂"))
    (second,) = room.ok("ingest", rescan, "--jobs", "1")["documents"]
    assert second["id"] != document["id"] and second["must_review"]
    assert "rescan_of" in finding_codes(second)
    version = room.letter(
        "新版.docx", mark="秘密★5年", serial="000012", body=body.replace("三日", "五日") + "另附两份。"
    )
    (third,) = room.ok("ingest", version, "--jobs", "1")["documents"]
    (finding,) = [item for item in third["findings"] if item["code"] == "other_version"]
    assert finding["detail"].startswith((document["id"], second["id"])) and third["must_review"]


@pytest.mark.req("R-006")
@pytest.mark.req("R-131")
def test_the_scan_of_each_original_is_reached(room: Room, tmp_path: Path) -> None:
    bodies = ["现将样张统计资料报送你局，请于三日内核对后退回。本件纯属虚构，共三部分，逐项列明。"] * 2
    bodies[1] = bodies[1].replace("逐项", "逐顶")
    letters = [
        room.letter(f"{serial}.docx", mark="秘密★5年", serial=serial, body=body)
        for serial, body in zip(("000012", "000013"), bodies, strict=True)
    ]
    (document,) = room.ok("ingest", *letters, "--jobs", "1")["documents"]
    number = document["id"]
    carriers = {item["serial"]: (item["id"], item["scan"]) for item in room.show(number)["carriers"]}
    assert [where for _, where in carriers.values()] == ["original", "own"]
    first = room.ok("documents", "text", number)["pages"]
    assert room.ok("documents", "text", number, "--carrier", "000012")["pages"] == first
    second = room.ok("documents", "text", number, "--carrier", carriers["000013"][0])
    assert second["carrier"] == carriers["000013"][0]
    assert "逐顶列明" in "".join(page["text"] for page in second["pages"]).replace("\n", "")
    assert any(entry["objects"] == [number, second["carrier"]] for entry in room.ledger())
    room.refused("documents", "text", number, "--carrier", "000099", exit=3, code="no_carrier")
    room.refused("documents", "text", number, "--carrier", "000013", user="reader", code="not_in_circle")
    out = tmp_path / "另份.docx"
    export = ("documents", "export", number, "--carrier", "000013", "--out")
    room.refused(*export, out, code="approval_required")
    room.approve("export", number)
    value = room.ok(*export, out)
    assert out.read_bytes() == letters[1].read_bytes() and value["carrier"] == carriers["000013"][0]
    assert room.show(number)["cleartext_history"][-1]["path"] == str(out)
    searchable = tmp_path / "另份.pdf"
    assert room.ok(*export, searchable, "--searchable")["pdfa"]
    assert "逐顶列明" in "".join(PdfReader(searchable).pages[0].extract_text().split())
    exports = [
        entry for entry in room.ledger() if entry["act"] == "documents.export" and entry["result"] == "done"
    ]
    assert [entry["objects"][:2] for entry in exports] == [[number, value["carrier"]]] * 2


def test_an_original_that_was_only_signed_for_has_no_scan(room: Room) -> None:
    received = room.ok("receive", "--from", "样张省虚构厅", "--serial", "000012", "--serial", "000013")
    path = room.letter("000012.docx", mark="秘密★5年", serial="000012")
    room.ok("ingest", path, "--receipt", received["receipt"], "--jobs", "1")
    carriers = room.show(received["id"])["carriers"]
    assert {item["serial"]: item["scan"] for item in carriers} == {"000012": "original", "000013": None}
    words = ("documents", "text", received["id"], "--carrier", "000013")
    room.refused(*words, exit=3, code="carrier_not_scanned")


def test_scans_of_originals_follow_a_split(room: Room, tmp_path: Path) -> None:
    """Two scans of one paper with other serials; then the first is cut in two."""
    for name, (data, _) in zip("一二", make_originals(4, serials=(12, 13)), strict=True):
        (tmp_path / f"{name}.pdf").write_bytes(data)
    value = room.ok("ingest", tmp_path / "一.pdf", tmp_path / "二.pdf", "--jobs", "1")
    if value["counts"].get("carrier") != 1:
        pytest.skip("the engine here reads the two scans of one paper too differently")
    (document,) = value["documents"]
    parts = room.ok("review", "split", document["id"], "--at", "2")["documents"]
    owned = [(part["id"], item) for part in parts for item in part["carriers"] if item["scan"] == "own"]
    ((holder, carrier),) = owned
    assert room.ok("documents", "text", holder, "--carrier", carrier["id"])["pages"]


def test_originals_signed_for_one_by_one(room: Room) -> None:
    receipts = [
        room.ok("receive", "--from", "样张省虚构厅", "--serial", serial) for serial in ("000012", "000013")
    ]
    for serial, received in zip(("000012", "000013"), receipts, strict=True):
        path = room.letter(f"{serial}.docx", mark="秘密★5年", serial=serial)
        room.ok("ingest", path, "--receipt", received["receipt"], "--jobs", "1")
    document = room.show(receipts[0]["id"])
    assert document["serials"] == ["000012", "000013"] and document["copies_received"] == 2
    assert {item["serial"] for item in document["carriers"]} == {"000012", "000013"}
    gone = room.show(receipts[1]["id"])
    assert gone["status"] == "void"


# ---------------------------------------------------------------- what is urgent


def test_urgent_ones_first_and_the_telegrams_clock(room: Room) -> None:
    plain = room.ok("receive", "--from", "样张省虚构厅")
    telegram = room.ok("receive", "--from", "样张省虚构厅", "--urgency", "特提", "--pages", "3")
    fast = room.ok(
        "receive", "--from", "样张省虚构厅", "--urgency", "加急", "--number", "样办明电〔2026〕3号"
    )
    listed = room.ok("documents", "list")["documents"]
    assert [item["id"] for item in listed] == [telegram["id"], fast["id"], plain["id"]]
    assert listed[0]["clock"]["since"] == listed[0]["clock"]["handle_by"] == listed[0]["received_at"]
    assert listed[0]["clock"]["acknowledge_by"] > listed[0]["clock"]["since"]
    assert listed[1]["clock"]["handle_by"][:10] > listed[1]["clock"]["since"][:10]
    assert listed[2]["clock"] is None
    letters = [
        room.letter(f"{n}.docx", number=f"样函〔2026〕{n}号", title=f"关于第{n}项样张工作的函")
        for n in (1, 2)
    ]
    documents = room.ok("ingest", *letters, "--jobs", "1")["documents"]
    room.ok("review", "set", documents[1]["id"], "--field", "urgency=特急", "--reason", "电话通知")
    waiting = [item["id"] for item in room.ok("review", "list")["documents"]]
    assert waiting == [documents[1]["id"], documents[0]["id"]]


# ---------------------------------------------------------------- a scan, as it comes off the scanner


def _engine() -> bool:
    try:
        choose("auto")
    except Exception:
        return False
    return True


@pytest.mark.slow
@pytest.mark.skipif(not _engine(), reason="neither RapidOCR nor Tesseract is installed")
def test_a_scanned_stack_with_envelope_list_and_blank_backs(room: Room, tmp_path: Path) -> None:
    receipt = room.ok("receive", "--from", "云梦省乌有局")
    data, truth = make_stack(
        7, papers=2, between="slip", backs=True, with_envelope=True, with_list=True, most_pages=2,
        receipts=(receipt["receipt"], receipt["receipt"]),
    )  # fmt: skip
    path = tmp_path / "扫描.pdf"
    path.write_bytes(data)
    value = room.ok("ingest", path, "--split", "slip", "--jobs", "1")
    assert len(value["documents"]) == len(truth.documents)
    for document, true in zip(value["documents"], truth.documents, strict=True):
        assert document["doc_number"] == true.fields["doc_number"]
        backs = sum(page.kind == "blank" for page in truth.pages[true.first - 1 : true.last])
        assert document["pages"] in (true.printed_pages, true.printed_pages + backs)
        assert not finding_codes(document) & {"pages_missing", "pages_extra", "page_number_gap", "page_order"}
    first = room.ok("documents", "text", value["documents"][0]["id"])["pages"]
    assert len(first) > value["documents"][0]["pages"], "envelope and list stay in the file"
